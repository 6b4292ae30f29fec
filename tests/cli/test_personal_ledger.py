"""The personal ledger on the command line: what uses it, what never does, and what it saves."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import anyio
import pytest

from lix_async.ledger import Ledger
from lix_async.ledger.personal import personal_path

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, rows_of
from .test_enrich_ledger import L, links


@pytest.fixture
def real(lix: Lix, monkeypatch: pytest.MonkeyPatch) -> Lix:
    """`lix` as if the sandbox were the provider's own server."""
    monkeypatch.setattr("lix_async.cli.ledger.address.uses_sandbox", lambda _: False)
    return lix


def test_the_next_list_costs_only_what_is_new(real: Lix, sandbox: ObservedSandbox) -> None:
    links(4, "october.txt")
    links(6, "november.txt")
    assert real("enrich", "october.txt", "--out", "a.jsonl").code == 0
    assert len(sandbox.ledger) == 4

    found = real("enrich", "november.txt", "--out", "b.jsonl")

    assert found.code == 0
    assert len(sandbox.ledger) == 6
    assert "4 from the ledger, bought on 20" in found.err
    days = {str(row["lix_bought_at"])[:3] for row in rows_of(Path("b.jsonl"))}
    assert days == {"202"}
    assert personal_path().stat().st_mode & 0o777 == 0o600
    assert not list(Path().glob("*.ledger"))


def test_a_sandbox_never_uses_it(lix: Lix) -> None:
    links(1)
    assert lix("enrich", "--distinct", "in.txt", "--out", "a.jsonl").code == 0
    assert lix("person", f"{L}/person-0").code == 0
    assert Path("in.txt.ledger").exists()
    assert not personal_path().parent.exists()


def test_the_ledger_of_a_file_is_taken_in_first_and_kept(
    real: Lix, sandbox: ObservedSandbox
) -> None:
    links(3)
    assert (
        real("enrich", "--distinct", "in.txt", "--store", "in.txt.ledger", "--out", "a.jsonl").code
        == 0
    )
    assert not personal_path().exists()
    before = Path("in.txt.ledger").read_bytes()

    found = real("enrich", "--distinct", "in.txt", "--out", "b.jsonl")

    assert (found.code, len(sandbox.ledger)) == (0, 3)
    assert "in.txt.ledger: 3 lookups and 3 credits taken into the ledger" in found.err
    assert Path("in.txt.ledger").read_bytes() == before
    again = real("enrich", "--distinct", "in.txt", "--out", "c.jsonl")
    assert "taken" not in again.err
    assert (again.code, len(sandbox.ledger)) == (0, 3)


def test_the_command_stops_where_that_fails(real: Lix, sandbox: ObservedSandbox) -> None:
    links(1)
    Path("in.txt.ledger").write_text("not a ledger, and long enough to be looked at")
    found = real("enrich", "--distinct", "in.txt")
    assert found.code == 1 or found.code == 2
    assert "in.txt.ledger cannot be taken into the ledger" in found.err
    assert not sandbox.ledger


def test_another_ledger_or_none(
    real: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    links(2)
    for number, store in enumerate(["none", "none", "own.db"], 1):
        found = real("enrich", "--distinct", "in.txt", "--store", store, "--out", f"{number}.jsonl")
        assert (found.code, len(sandbox.ledger)) == (0, 2 * number)
    monkeypatch.setenv("LIX_STORE", "own.db")
    assert real("enrich", "--distinct", "in.txt", "--out", "4.jsonl").code == 0
    assert len(sandbox.ledger) == 6
    assert not personal_path().exists()
    assert not Path("none").exists()


def test_a_run_has_the_name_of_its_file_and_goes_on(real: Lix) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        links(2, f"{folder}/in.txt")
    Path("b/in.txt").write_text(f"{L}/person-1\n{L}/person-0\n")
    for arguments in (["a/in.txt", "--max-credits", "1"], ["a/in.txt"], ["b/in.txt"]):
        real("enrich", *arguments, "--out", f"{arguments[0]}.jsonl")

    listed = [json.loads(line) for line in real("ledger", "list", rate="").out.splitlines()]

    names = [Path(run["name"].rsplit(" ", 1)[0]) for run in listed]
    assert names == [Path("a/in.txt").resolve(), Path("b/in.txt").resolve()]
    assert [(run["inputs"], run["credits"]) for run in listed] == [(2, 2), (2, 0)]


def test_the_commands_of_a_ledger_use_it_by_default(real: Lix) -> None:
    links(1)
    real("enrich", "--distinct", "in.txt")
    assert '"done":1' in real("run", "status", "--format", "jsonl", rate="").out
    assert "person-0" in real("run", "export", rate="").out


def test_commands_write_nowhere_else(real: Lix, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    home = Path.home() / ".local" / "share" / "lix_async"
    before = home.exists() and sorted(os.listdir(home))
    links(1)
    real("enrich", "--distinct", "in.txt")
    assert sorted(os.listdir(tmp_path / "data")) == ["lix_async"]
    assert (home.exists() and sorted(os.listdir(home))) == before


def test_single_lookups_share_it_with_files(real: Lix, sandbox: ObservedSandbox) -> None:
    links(1)
    assert real("enrich", "--distinct", "in.txt", "--out", "a.jsonl").code == 0

    found = real("person", f"{L}/person-0")

    assert (found.code, len(sandbox.ledger)) == (0, 1)
    assert "from the ledger, bought on 20" in found.err
    assert real("email", f"{L}/person-0").code == 0
    charged = len(sandbox.ledger)
    again = real("email", f"{L}/person-0", "--out", "b.json")
    assert "written to b.json, from the ledger, bought on 20" in again.err
    assert len(sandbox.ledger) == charged
    assert real("person", f"{L}/person-0", "--store", "none").err == "1 credit\n"
    assert len(sandbox.ledger) == charged + 1


def test_what_was_exported_where_is_recorded(real: Lix) -> None:
    links(1)
    real("enrich", "--distinct", "in.txt", "--out", "a.jsonl")
    real("run", "export", "--out", "b.csv", rate="")
    real("person", f"{L}/person-0")

    async def exports() -> list[tuple[str, str]]:
        async with Ledger(personal_path()) as ledger:
            return [(one.place, one.what) for one in await ledger.exports()]

    (first, name), *others = anyio.run(exports)
    assert (first, name.rsplit(" ", 1)[0]) == (
        str(Path("a.jsonl").absolute()),
        f"lix enrich {Path('in.txt').resolve()}",
    )
    assert others == [
        (str(Path("b.csv").absolute()), "lix run export"),
        ("stdout", f"lix person {L}/person-0"),
    ]


def test_processes_write_nowhere_else(personal_data: Path) -> None:
    assert personal_path().is_relative_to(personal_data)


def test_a_run_without_a_ledger_that_stops_keeps_it(real: Lix, sandbox: ObservedSandbox) -> None:
    links(3)
    stopped = real(
        "enrich",
        "--distinct",
        "in.txt",
        "--store",
        "none",
        "--max-credits",
        "1",
        "--format",
        "jsonl",
    )
    assert stopped.code != 0
    ledger = stopped.err.strip().rpartition("--store ")[2]
    assert Path(ledger).is_file()
    assert real("enrich", "--distinct", "in.txt", "--store", ledger).code == 0
    assert len(sandbox.ledger) == 3
    shutil.rmtree(Path(ledger).parent)
    dry = real("enrich", "--distinct", "in.txt", "--store", "none", "--dry-run")
    assert (dry.code, len(sandbox.ledger)) == (0, 3)
    assert not personal_path().exists()


def test_a_merged_ledger_knows_people_by_their_other_ids(
    real: Lix, sandbox: ObservedSandbox
) -> None:
    links(1)
    real("enrich", "--distinct", "in.txt", "--store", "in.txt.ledger", "--out", "a.jsonl")
    (row,) = rows_of(Path("a.jsonl"))
    other = row["result"]["salesNavLink"]  # type: ignore[index]
    found = real("enrich", "--distinct", "in.txt", "--out", "b.jsonl")
    assert "taken into the ledger" in found.err
    assert real("resolve", str(other), rate="").code == 0
    assert real("person", str(other)).code == 0
    assert len(sandbox.ledger) == 1
