"""People in four forms each, two processes, faults, and kill -9 at random moments.

The sandbox is a process of its own, on a bad day. A person is paid for again only by a request
that left before an answer was kept which shows both ids: it was in flight, or the first answer was
lost. `LIX_KILLS` says how many processes are killed (`nox -s campaign`: 200, over 2,000 people).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple, cast
from urllib.request import Request, urlopen

import anyio
import preloaded
import pytest
from preloaded import COMMAND, PROGRAM, Process
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.cli.errors import NETWORK
from lix_async.cli.providers import providers
from lix_async.ledger.ledger import open_store
from lix_async.ledger.postgres import PostgresStore
from lix_async.ledger.store import Store
from lix_async.ledger.tables import SqlTables
from lix_async.sandbox import Sandbox
from lix_async.sandbox.world.people import PersonRecord
from lix_async.sandbox.world.world import World

from .sandbox_helpers import TIMEOUT, environment, sandbox_process

KILLS = int(os.environ.get("LIX_KILLS", "2"))
LONG = KILLS >= 10
CONCURRENCY = 8
FAULTS = {
    "rate_limit;retry-after=1": 0.01,
    "slow;seconds=1": 0.1,
    **dict.fromkeys(("unavailable", "api_error", "bad_gateway", "reset"), 0.02),
    **dict.fromkeys(("reset_after", "truncated", "empty200", "html200"), 0.005),
}
"""Of each the share of all requests: answers are late, refused, put off, broken and lost."""
LONGEST = 1.5
"""Seconds that a process lives at most after its first outcome."""
pytestmark = pytest.mark.skipif("lix" not in providers(), reason="enrich needs Lix")


class Vendor(NamedTuple):
    """A sandbox in another process, and the same world in this one."""

    url: str
    world: World

    def charged(self) -> Counter[int | None]:
        """How often each person was paid for."""
        with urlopen(f"{self.url}/_sandbox/ledger") as reply:
            charges = json.load(reply)["charges"]
        links = [json.loads(charge["input"])["profile_link"] for charge in charges]
        return Counter(self.world.person_at(link).number for link in links)

    def set_faults(self, rates: Mapping[str, float]) -> None:
        body = json.dumps({"rates": rates}).encode()
        with urlopen(Request(f"{self.url}/_sandbox/faults", body)):
            pass


def forms(person: PersonRecord) -> list[str]:
    """Two forms of a person's name link, and two of the encoded id."""
    return [
        person.link,
        f"de.linkedin.com/in/{person.slug.title()}/en?trk=x",
        person.sales_link,
        f"https://www.linkedin.com/in/{person.sales_id}",
    ]


class Campaign:
    """Processes over one ledger; each of two threads keeps one running and kills it."""

    def __init__(self, ledger: str, vendor: Vendor, folder: Path, people: int, rate: int) -> None:
        self.ledger, self.vendor, self.folder = ledger, vendor, folder
        self.people = [vendor.world.person(number) for number in range(people)]
        self.links = [link for person in self.people for link in forms(person)]
        self._dsn, _, self._schema = ledger.partition("#")
        self._rate = str(rate)
        self.killed = 0
        self.errors: list[str] = []

    def start(self, name: str, *, rate: bool = True) -> Process:
        """A process over all links in an order of its own."""
        source = self.folder / f"{name}.txt"
        if not source.exists():
            shuffled = random.Random(name).sample(self.links, len(self.links))
            source.write_text("".join(f"{link}\n" for link in shuffled))
        chosen = {"LIX_RATE": self._rate} if rate else {}
        env = environment(self.vendor.url, LIX_API_KEY="demo", LIX_LINKS=str(source), **chosen)
        program = ["-m", "lix_async", "enrich", source.name, "--store", self.ledger, "--yes"]
        program += ["--rate", f"{self._rate}/s" if rate else "none", "--quiet"]
        program += ["--columns", "link", "--format", "jsonl", "--concurrency", str(CONCURRENCY)]
        modules = PROGRAM if self._schema else COMMAND
        if self._schema:
            worker = Path(__file__).parents[1] / "bulk" / "worker.py"
            program = [str(worker), self.ledger, self.vendor.url, "0", "0", str(CONCURRENCY)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return preloaded.start(program, modules, env=env, cwd=self.folder, text=True, **pipes)

    def kill_some(self, name: str, kills: int) -> None:
        """Kill so many, each at a random moment after its first outcome; let the last one end."""
        chance, longest = random.Random(name), LONGEST
        while kills >= 0:
            process = self.start(name)
            first, drain = reading(process)
            first.wait(TIMEOUT)
            if kills:
                try:
                    process.wait(chance.uniform(0, longest))
                except subprocess.TimeoutExpired:
                    self.killed += 1
                    kills -= 1
                longest /= 1 if process.returncode is None else 2  # it had ended: sooner
                process.kill()
            else:
                kills -= 1
            code = process.wait()
            drain.join()
            with process:
                error = cast("IO[str]", process.stderr).read()
            if code not in (0, NETWORK, -9):
                self.errors.append(f"{code}: {error}")

    def outcomes(self) -> Counter[str]:
        """The states of all links, in a process that is not killed; each answer is of its link."""
        (self.folder / "last.txt").write_text("".join(f"{link}\n" for link in self.links))
        with self.start("last", rate=False) as process:
            out, error = process.communicate()
        assert process.returncode in (0, NETWORK), error
        lines = out.splitlines()
        assert len(lines) == len(self.links)
        if self._schema:
            return Counter(line.split()[0] for line in lines)
        people = [person for person in self.people for _ in forms(person)]
        rows = [json.loads(line) for line in lines]
        for row, person in zip(rows, people, strict=True):
            assert (row["lix_status"] == "found") == (row["lix_result"] is not None)
            assert row["lix_result"] in (None, {"link": person.link})
        return Counter("done" if row["lix_result"] else row["lix_status"] for row in rows)

    def late(self, requests: list[Bought]) -> list[str]:
        """The requests that left when an answer was known which shows who it is."""
        by_person: dict[int | None, list[Bought]] = defaultdict(list)
        for one in requests:
            person = self.vendor.world.person_at(json.loads(one[0]))
            by_person[person.number].append(one)
        found: list[str] = []
        for ones in by_person.values():
            known = [at for *_, at in ones if at is not None]
            found += [str(ones) for one in ones if known and one[1] > min(known)]
        return found

    def store(self) -> Store:
        if self._schema:
            return PostgresStore(self._dsn, schema=self._schema)
        return open_store(self.folder / self.ledger)


def reading(process: Process) -> tuple[threading.Event, threading.Thread]:
    """Set when it has written its first outcome, and what reads the others."""
    first = threading.Event()

    def read() -> None:
        for _ in cast("IO[str]", process.stdout):
            first.set()
        first.set()

    thread = threading.Thread(target=read)
    thread.start()
    return first, thread


Bought = tuple[bytes, int, int | None, int | None]
"""A request that may have been charged: its input, when it left, what was charged (None: it is not
known), and when its answer was read, from which moment its ids are known."""


def bought(tables: SqlTables) -> list[Bought]:
    found = tables.database.execute(
        "SELECT l.written_as, t.sent, t.charged, CASE a.meaning WHEN 0 THEN t.ended END "
        "FROM attempt t JOIN lookup l ON l.id = t.lookup "
        "LEFT JOIN answer a ON a.lookup = t.lookup AND a.n = t.n "
        "WHERE coalesce(t.charged, 1) > 0"
    )
    return cast("list[Bought]", found)


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest) -> str:
    """A ledger's address: `lix enrich` uses the file, and `bulk.Run` the server."""
    if request.param == "sqlite":
        return "people.db"
    return f"{request.getfixturevalue('postgres_dsn')}#killed_enrich"


def test_people_in_four_forms_cost_one_lookup_each(ledger: str, tmp_path: Path) -> None:
    people, kills = (2_000, KILLS) if LONG else (40, KILLS)
    if LONG and "#" in ledger:
        people, kills = people // 5, kills // 5
    with sandbox_process(tmp_path, "--rate", "none", "--people", str(people)) as variables:
        vendor = Vendor(variables["LIX_BASE_URL"], Sandbox(people=people).world)
        vendor.set_faults(FAULTS)
        campaign = Campaign(ledger, vendor, tmp_path, people, max(10, people // kills))
        threads = [
            threading.Thread(target=campaign.kill_some, args=(name, kills // 2))
            for name in ("one", "other")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not campaign.errors, campaign.errors
        during = vendor.charged()
        vendor.set_faults({})
        outcomes = campaign.outcomes()  # what a fault had left open
        charged = vendor.charged()
        assert campaign.outcomes() == outcomes
        assert vendor.charged() == charged

        async def read() -> list[Bought]:
            async with campaign.store() as store:
                return await store.statement(bought, writes=False)

        requests = anyio.run(read)
        late = campaign.late(requests)
    paid, open_ = charged.total(), sum(one[2] is None for one in requests)
    again = sum(count - 1 for count in charged.values())
    sys.stdout.write(
        f"{campaign.killed} killed; {people} people in {len(campaign.links)} forms: {paid} paid, "
        f"{during.total()} of them with faults, {again} again, {open_} in doubt; "
        f"{dict(outcomes)}\n"
    )  # shown with -rP
    assert set(outcomes) <= {"done", "in_doubt"}
    assert len(requests) - open_ <= paid <= len(requests)
    assert late == []
    assert campaign.killed == kills
    assert again <= open_ + 2 * CONCURRENCY * (kills + 1)
