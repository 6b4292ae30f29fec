"""The example backend under a real uvicorn: what it pays, and how it stops."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx
import pytest
from openapi_spec_validator import validate

from lix_async.bulk import SqliteStore
from lix_async.sandbox import Sandbox, running

from .server_process import EXAMPLES, ServerProcess, serving

LINK = "https://www.linkedin.com/in/ada-example"
WITHOUT_A_RATE = f"""
import functools, sys
import lix_async

sys.path.insert(0, {str(EXAMPLES)!r})
lix_async.AsyncLix = functools.partial(lix_async.AsyncLix, rate_limit=None)
from fastapi_app import app
"""
"""The example, whose client does not wait three seconds between two calls."""
TIMES = int(os.environ.get("LIX_STOPS", "2"))
"""How often a job is stopped; 20 as a campaign."""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(rate=None)


@pytest.fixture
def lix_url(sandbox: Sandbox) -> Iterator[str]:
    with running(sandbox) as url:
        yield url


def leave(server: ServerProcess, path: str) -> None:
    """A caller who sends a request and closes the connection."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        connection.settimeout(0.05)
        try:
            connection.recv(1)
        except TimeoutError:
            pass


def test_a_newcomers_backend(sandbox: Sandbox, lix_url: str, tmp_path: Path) -> None:
    (tmp_path / "backend.py").write_text(WITHOUT_A_RATE)
    with serving(lix_url, app="backend:app", folder=tmp_path) as server:
        http = server.http
        assert http.get("/docs").status_code == 200
        document = http.get("/openapi.json").json()
        validate(document)
        assert "Person" in document["components"]["schemas"]
        assert (
            "application/problem+json"
            in document["paths"]["/person"]["get"]["responses"]["404"]["content"]
        )

        def ask(_: int) -> int:
            return many.get(f"{server.url}/person", params={"link": LINK}).status_code

        # httpx closes connections beyond this number, also one that another thread has just taken.
        limits = httpx.Limits(max_keepalive_connections=40)
        with httpx.Client(timeout=60, limits=limits) as many, ThreadPoolExecutor(40) as threads:
            assert set(threads.map(ask, range(200))) == {200}
        assert sandbox.ledger.totals()["standard"] == 1
        assert http.get("/person", params={"link": LINK}).json()["name"] == "Ada Example"
        wrong = http.get("/person", params={"link": "garbage"})
        assert wrong.status_code == 422
        assert "profile_link must be a URL on linkedin.com" in wrong.json()["detail"]
        search = "https://www.linkedin.com/search/results/people/?keywords=total:12"
        *rows, end = http.get("/search", params={"url": search}).text.splitlines()
        assert len(rows) == json.loads(end)["_end"]["items"] == 12
        assert http.get("/enrich").json() is None
        links = [LINK, "https://www.linkedin.com/in/bob-example"]
        assert http.post("/enrich", json=links).status_code == 202
        while (progress := http.get("/enrich").json())["done"] < 2:
            pass
        assert (progress["cached"], progress["total"]) == (1, 2)
        assert sandbox.ledger.totals()["standard"] == 4


def test_callers_who_leave_the_queue_cost_nothing() -> None:
    sandbox = Sandbox(rate=None)
    with running(sandbox) as url, serving(url) as server:
        # The client's own rate: one in three seconds. The first one takes the permit.
        assert server.http.get("/person", params={"link": LINK}).status_code == 200
        threads = [
            threading.Thread(target=leave, args=(server, f"/person?link={LINK}{number}"))
            for number in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        # The next permit goes to one who stayed. Until the server has heard that the others have
        # left, the queue may be longer than the deadline.
        def last() -> int:
            return server.http.get("/person", params={"link": f"{LINK}-last"}).status_code

        assert next(status for status in iter(last, None) if status != 504) == 200
    assert len(sandbox.requests) == 2


BLOCK = re.compile(r"## Several uvicorn workers.*?```python\n(.*?)```", re.DOTALL)
HOWTO = Path(__file__).parents[2] / "docs" / "howto" / "share-a-rate.md"


def test_several_workers_keep_one_rate(tmp_path: Path) -> None:
    """The program of the how-to guide, in two processes, against a strict server."""
    program = BLOCK.search(HOWTO.read_text())
    assert program is not None
    (tmp_path / "service.py").write_text(program[1])
    sandbox = Sandbox()  # one request in three seconds; more are refused
    with (
        running(sandbox) as url,
        serving(url, "--workers", "2", app="service:app", folder=tmp_path) as server,
        ThreadPoolExecutor(4) as threads,
    ):

        def ask(name: str) -> int:
            # A connection of its own, for any of the workers, once one of them listens.
            transport = httpx.HTTPTransport(retries=10)
            with httpx.Client(transport=transport, base_url=server.url, timeout=60) as http:
                return http.get("/person", params={"link": name}).status_code

        names = [LINK, LINK, f"{LINK}2", f"{LINK}3"]
        assert list(threads.map(ask, names)) == [200] * 4
    assert sandbox.ledger.totals()["standard"] == 3
    assert [fact.status for fact in sandbox.requests] == [200] * 3


STOPPING = """
from fastapi import FastAPI
from lix_async import AsyncLix, RateLimit
from lix_async.integrations.fastapi import Jobs, LixDep, setup

app, jobs = FastAPI(), Jobs("jobs.db")
setup(app, AsyncLix(rate_limit=RateLimit(1, per=60)), jobs=jobs)

@app.post("/enrich", status_code=202)
async def enrich(links: list[str], lix: LixDep) -> None:
    await jobs.start("crm", lix.people.get, links, ledger="crm.db", check_balances=False)

@app.get("/enrich")
async def progress() -> dict[str, object]:
    found = jobs.progress("crm")
    return {"names": jobs.names(), "seen": found and found.seen, "total": found and found.total}
"""


@pytest.mark.parametrize("moment", range(TIMES))
def test_a_stop_during_a_job_waits_for_one_answer_and_loses_nothing(
    moment: int, sandbox: Sandbox, lix_url: str, tmp_path: Path
) -> None:
    """Three of four lookups wait for permits, of which there is one in a minute."""
    (tmp_path / "stopping.py").write_text(STOPPING)
    links = [f"{LINK}{number}" for number in range(8)]
    sandbox.faults.force("slow;seconds=0.4")
    with serving(lix_url, app="stopping:app", folder=tmp_path) as server:
        assert server.http.post("/enrich", json=links).status_code == 202
        while not sandbox.requests:
            pass
        if moment % 2:  # else its answer is under way
            while not server.http.get("/enrich").json()["seen"]:
                pass
        server.stop()
    done, in_doubt = lookups(tmp_path / "crm.db")
    assert in_doubt == 0
    assert len(sandbox.requests) == done == 1
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("jobs.db*")} == {0o600}
    assert [path.name for path in tmp_path.glob("jobs.db-*")] == []
    with serving(lix_url, app="stopping:app", folder=tmp_path) as server:
        while (found := server.http.get("/enrich").json())["seen"] < done + 1:
            pass
        assert (found["names"], found["total"]) == (["crm"], 8)
    done_now, in_doubt = lookups(tmp_path / "crm.db")
    assert (done_now, in_doubt) == (done + 1, 0)
    assert len(sandbox.requests) == done + 1


def lookups(path: Path) -> tuple[int, int]:
    """How many lookups of a ledger are done, and in doubt."""

    async def counted() -> tuple[int, int]:
        store = SqliteStore(path)
        await store.open_read_only()
        counts = await store.counts()
        await store.close()
        return counts.done, counts.in_doubt

    return anyio.run(counted)
