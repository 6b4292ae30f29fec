"""The recipes of the how-to guides, beyond that each of their programs runs."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

import lix_async
from lix_async import AsyncLix, Lix, bulk
from lix_async.sandbox import Sandbox, running
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
GUIDES = Path(__file__).parents[2] / "docs" / "howto"
LINK = "https://www.linkedin.com/in/person-{}"


def source(page: str) -> str:
    """The first program of a page."""
    block = re.search(r"```python\n(.*?)```", (GUIDES / page).read_text(), re.DOTALL)
    assert block
    return block[1]


def program(page: str) -> dict[str, Any]:
    """The names that the first program of a page defines."""
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(source(page), page, "exec"), names)  # our own documents
    return names


def module(page: str, folder: Path, patch: pytest.MonkeyPatch) -> Any:
    """The first program of a page, imported: some frameworks want a module."""
    name = f"{Path(page).stem}_recipe"
    (folder / f"{name}.py").write_text(source(page))
    patch.syspath_prepend(folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_datasette_shows_counts_and_nothing_of_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    # Here, under the filters above: its modules leave a connection of SQLite open.
    from datasette.app import Datasette

    monkeypatch.chdir(tmp_path)
    ledger = tmp_path / "people.db"
    async with memory_client(Sandbox(people=5, rate=None), rate_limit=None) as lix:
        links = [LINK.format(number) for number in (1, 2)]
        async with bulk.Run(ledger, lix.people.get, links) as run:
            assert [outcome.state async for outcome in run] == ["done", "done"]
    program("datasette.md")
    metadata = json.loads(Path("views.json").read_text())  # noqa: ASYNC240
    options = {"allow_download": False, "allow_facet": False}
    datasette = Datasette([str(ledger)], metadata=metadata, settings=options)
    await datasette.invoke_startup()

    async def get(path: str) -> tuple[int, str]:
        found = await datasette.client.get(path)
        return found.status_code, found.text

    for query in ("lookups", "credits_by_day", "runs"):
        status, text = await get(f"/people/{query}.json?_shape=array")
        assert status == 200
        assert json.loads(text)
        assert "person-" not in text
    rows = json.loads((await get("/people/lookups.json?_shape=array"))[1])
    assert {row["state"]: row["lookups"] for row in rows} == {"done": 2}
    for path in (
        *(f"/people/{table}" for table in ("lookup", "answer", "input", "alias", "run")),
        *("/people.json?sql=select+1", "/people?sql=select+written_as+from+lookup", "/people.db"),
        *("/people/lookup/1", "/people/lookup.csv?_stream=1", "/people/mention.json"),
    ):
        status, text = await get(path)
        assert status in (302, 403, 404), path
        assert "person-" not in text
    for path in ("/", "/people", "/people.json", "/-/metadata.json"):
        assert "person-" not in (await get(path))[1]
    for database in datasette.databases.values():
        database.close()


def test_dlt_loads_each_person_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path))
    sandbox = Sandbox(people=5, rate=None)
    with running(sandbox) as url:
        client = partial(AsyncLix, "sandbox-key", base_url=url, rate_limit=None)
        monkeypatch.setattr(lix_async, "AsyncLix", client)
        recipe = module("dlt.md", tmp_path, monkeypatch)
        recipe.pipeline.run(recipe.people(recipe.LINKS))
    with recipe.pipeline.sql_client() as sql:
        assert sql.execute_sql("SELECT count(*), count(name) FROM people") == [(2, 2)]
    assert sandbox.ledger.totals()["standard"] == 2


def test_airflow_stops_at_the_budget_and_returns_no_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = program("airflow.md")["enrich_people"]
    links = [LINK.format(number) for number in (1, 2)]
    sandbox = Sandbox(people=5, rate=None)
    with running(sandbox) as url:
        client = partial(AsyncLix, "sandbox-key", base_url=url, rate_limit=None)
        monkeypatch.setitem(task.__globals__, "AsyncLix", client)
        with pytest.raises(lix_async.BudgetError):
            task(str(tmp_path / "x.db"), links, max_credits=1)
        assert task(str(tmp_path / "x.db"), links, max_credits=1) == {"done": 2, "credits": 1}


@pytest.fixture
def without_celery_logging() -> Iterator[None]:
    """A worker of Celery takes over the logging of its process, unless that is set up already."""

    def leave_it(**_: object) -> None:
        pass

    setup_logging.connect(leave_it)
    yield
    setup_logging.disconnect(leave_it)


@pytest.mark.usefixtures("without_celery_logging")
def test_celery_runs_a_task_twice_and_pays_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sandbox = Sandbox(people=5, rate=None, faults={"person.get": ["daily_limit"]})
    recipe = module("celery.md", tmp_path, monkeypatch)
    task, links = recipe.look_up, [LINK.format(number) for number in (1, 2)]
    with running(sandbox) as url, Lix("sandbox-key", base_url=url, rate_limit=None) as lix:
        monkeypatch.setattr(recipe, "client", lambda: lix)
        waits: list[float] = []
        retry = task.retry

        def soon(countdown: float) -> Exception:
            waits.append(countdown)
            again: Exception = retry(countdown=0)
            return again

        monkeypatch.setattr(task, "retry", soon)
        with start_worker(recipe.celery, pool="solo", perform_ping_check=False):
            for _ in range(2):
                found = task.delay(links).get(timeout=60, disable_sync_subtasks=False)
                assert found["done"] == 2
    assert len(waits) == 1
    assert waits[0] >= 600
    assert sandbox.ledger.totals()["standard"] == 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_temporal_pays_once_and_says_when_to_try_again(
    tmp_path: Path, anyio_backend: str
) -> None:
    recipe = program("temporal.md")
    links = [LINK.format(number) for number in (1, 2)]
    sandbox = Sandbox(people=5, rate=None, faults={"person.get": ["daily_limit"]})
    beats: list[object] = []
    async with memory_client(sandbox, rate_limit=None) as lix:
        people = recipe["People"](lix, str(tmp_path / "people.db"))
        environment = ActivityEnvironment()
        environment.on_heartbeat = beats.append
        with pytest.raises(ApplicationError) as limited:
            await environment.run(people.look_up, links)
        assert limited.value.next_retry_delay is not None
        assert limited.value.next_retry_delay.total_seconds() >= 600
        assert "person-" not in str(limited.value)
        for _ in range(2):
            beats.clear()
            assert (await environment.run(people.look_up, links))["done"] == 2
            assert beats == [1, 2]
    assert sandbox.ledger.totals()["standard"] == 2
    refusing = Sandbox(people=5, faults={"person.get": ["unauthorized"] * 9})
    async with memory_client(refusing, rate_limit=None) as lix:
        people = recipe["People"](lix, str(tmp_path / "other.db"))
        with pytest.raises(ApplicationError) as refused:
            await ActivityEnvironment().run(people.look_up, links)
        assert refused.value.non_retryable


def test_marimo_buys_a_list_only_after_a_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sandbox = Sandbox(people=10, rate=None)
    with running(sandbox) as url:
        monkeypatch.setattr(lix_async, "Lix", partial(Lix, "key", base_url=url, rate_limit=None))
        _, names = module("marimo.md", tmp_path, monkeypatch).app.run()
    assert names["found"].name
    assert "outcomes" not in names
    assert sandbox.ledger.totals()["standard"] == 1
