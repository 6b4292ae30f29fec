"""Every example does its job against the sandbox."""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from lix_async import AsyncLix, AsyncLookC
from lix_async.sandbox import Sandbox, running

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parents[2] / "examples"
SEARCH = "https://www.linkedin.com/search/results/people/?keywords=total:25"


def example(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(rate=None)


@pytest.fixture
def address(sandbox: Sandbox) -> Iterator[str]:
    with running(sandbox) as url:
        yield url


@pytest.fixture
async def lix(address: str) -> AsyncIterator[AsyncLix]:
    async with AsyncLix("sandbox-key", base_url=address, rate_limit=None) as client:
        yield client


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_a_people_search_goes_on_where_it_stopped(lix: AsyncLix, tmp_path: Path) -> None:
    await example("people_search").main(lix, SEARCH)
    rows = (tmp_path / "people.jsonl").read_text().splitlines()
    assert len(rows) == len(set(rows)) == 25
    await example("people_search").main(lix, SEARCH)
    assert (tmp_path / "people.jsonl").read_text().splitlines() == rows


async def test_leads_come_from_a_long_url(
    lix: AsyncLix, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "%20OR%20".join(["total:30", *["engineer"] * 400])
    url = f"https://www.linkedin.com/sales/search/people?query=(keywords%3A{words})"
    await example("sales_leads").main(lix, url)
    assert len(capsys.readouterr().out.splitlines()) >= 25
    assert {fact.method for fact in sandbox.requests} == {"POST"}


async def test_leads_are_found_by_facets(lix: AsyncLix, capsys: pytest.CaptureFixture[str]) -> None:
    await example("leads_by_facets").main(lix)
    assert len(capsys.readouterr().out.splitlines()) == 25


async def test_people_are_bought_once(lix: AsyncLix, sandbox: Sandbox, tmp_path: Path) -> None:
    links = ["https://www.linkedin.com/in/ann-example", "linkedin.com/in/Ann-Example/"]
    links += ["https://www.linkedin.com/in/bob-example"]
    for _ in range(2):
        report = await example("people_to_sqlite").main(lix, links)
        assert (report.progress.done, report.progress.failed) == (3, 0)
    assert sandbox.ledger.totals()["standard"] == 2
    with sqlite3.connect(tmp_path / "people.db") as ledger:
        assert ledger.execute("SELECT count(*) FROM lookup").fetchone() == (2,)
    ledger.close()


async def test_organisations_become_rows(lix: AsyncLix, tmp_path: Path) -> None:
    links = [f"https://www.linkedin.com/company/example-{name}" for name in ("one", "two")]
    await example("organisations_to_csv").main(lix, links)
    rows = (tmp_path / "organisations.csv").read_text().splitlines()
    assert len(rows) == 3
    assert rows[1].startswith(links[0])


async def test_an_address_is_looked_for(lix: AsyncLix, capsys: pytest.CaptureFixture[str]) -> None:
    await example("email_lookup").main(lix, "https://www.linkedin.com/in/ann-example", 0.0)
    await example("email_lookup").main(lix, "https://www.linkedin.com/in/missing-person", 0.0)
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[0] in {"VALID", "PROBABLE", "UNKNOWN"}
    assert second.endswith("is not known")


async def test_the_employees_of_an_organisation_are_listed(
    address: str, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    (provider,) = [provider for provider in sandbox.providers if provider.name == "LookC"]
    org_id = str(provider.examples(sandbox.world)["lookc.org_employees"]["org_id"])
    async with AsyncLookC("sandbox-key", base_url=address, rate_limit=None) as lookc:
        await example("company_employees").main(lookc, org_id)
        asked = [fact for fact in sandbox.requests if fact.path == f"/org/{org_id}/employees"]
        wanted = [one async for one in lookc.employees(org_id)]
    rows = [line.split(" · ") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == [one.name for one in wanted]
    assert all(len(row) == 3 and row[1] and row[2] for row in rows)
    assert (len(wanted) > 100) == (len(asked) > 1)
