"""The recipes of the how-to guides, beyond that each of their programs runs."""

from __future__ import annotations

import importlib
import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

import lix_async
from lix_async import AsyncLix, bulk
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


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_datasette_shows_counts_and_nothing_of_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
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
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "dlt_recipe.py").write_text(source("dlt.md"))  # dlt wants a module
    sandbox = Sandbox(people=5, rate=None)
    with running(sandbox) as url:
        client = partial(AsyncLix, "sandbox-key", base_url=url, rate_limit=None)
        monkeypatch.setattr(lix_async, "AsyncLix", client)
        recipe: Any = importlib.import_module("dlt_recipe")
        del sys.modules["dlt_recipe"]
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
