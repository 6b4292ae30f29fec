"""The commands of how-to guides run as they are written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox, Process, Result
from .test_enrich_ledger import links

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    Start = Callable[..., Process]

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^\$ lix (.*)$", re.MULTILINE)


def test_erasure_requests(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(3, "people.csv")
    name, *_ = re.findall(r"https://\S+", Path("people.csv").read_text())
    commands = COMMAND.findall((ROOT / "docs/howto/erasure-requests.md").read_text())
    for command in commands:
        arguments = shlex.split(command.replace("https://www.linkedin.com/in/person-1", name))
        rate = "" if arguments[0] == "ledger" else "none"
        assert lix(*arguments, rate=rate).code == 0, command
    assert len(commands) == 5
    assert len(sandbox.ledger) == 3
    assert '"lix_status":"suppressed"' in Path("again.jsonl").read_text()


def test_overlapping_lists(
    lix: Lix, sandbox: ObservedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lix_async.cli.ledger.address.uses_sandbox", lambda _: False)
    links(3, "october.csv")
    links(5, "november.csv")
    commands = COMMAND.findall((ROOT / "docs/howto/overlapping-lists.md").read_text())
    charged: list[int] = []
    for command in commands:
        arguments = shlex.split(command)
        rate = "" if arguments[0] in ("ledger", "run") else "none"
        assert lix(*arguments, rate=rate).code == 0, command
        charged.append(len(sandbox.ledger))
    assert charged[:3] == [3, 3, 5]
    assert len(commands) == 10


def test_files_with_links(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(3, "people.csv")
    rows = [line.split(",") for line in Path("people.csv").read_text().splitlines()]
    link = next(cell for cell in rows[-1] if "://" in cell)
    Path("people.csv").write_text(f"Name,Profile URL\nAda,{link}\n")
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Leads")
    sheet.append(["name", "link"])
    sheet.append(["Ada", link])
    book.save("people.xlsx")
    Path("handles.txt").write_text("ada-example\n")
    commands = COMMAND.findall((ROOT / "docs/howto/input-files.md").read_text())
    for command in commands:
        found = lix(*shlex.split(command))
        assert found.code == 0, (command, found.err)
    assert (len(commands), len(sandbox.ledger)) == (4, 0)


def test_filled_tables(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(4, "people.csv")
    commands = COMMAND.findall((ROOT / "docs/howto/filled-tables.md").read_text())
    for command in commands:
        arguments = shlex.split(command)
        found = lix(*arguments, rate="" if arguments[0] == "columns" else "none")
        assert found.code == 0, (command, found.err)
    heading = Path("filled.csv").read_text().splitlines()[0]
    assert "lix_status" in heading
    assert "lix_email_status" in heading
    named = Path("named.csv").read_text().splitlines()[0]
    assert named.endswith("lix_name,lix_headline,lix_title")
    assert "not_asked" in Path("some.csv").read_text()


def commands_of(page: str) -> list[list[str]]:
    """The `lix` commands of a page, without those of other tests: to start a sandbox."""
    found = COMMAND.findall((ROOT / page).read_text(encoding="utf-8"))
    return [shlex.split(one) for one in found if one != "sandbox"]


def blocks(page: str, language: str) -> list[str]:
    """The code of a page in one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(lix: Lix, arguments: list[str]) -> Result:
    """Run a command of a page, which must succeed."""
    has_rate = arguments[0] in ("enrich", "search", "waterfall", "leads", "accounts")
    found = lix(*arguments, rate="none" if has_rate else "")
    assert found.code == 0, (arguments, found.err)
    return found


def shown_in(page: str, results: list[Result]) -> None:
    """Check that what a page shows is what its commands print, but for dates and blanks."""

    def lines(text: str) -> list[str]:
        text = re.sub(r"\d{4}-\d\d-\d\d", "DATE", text)
        return [" ".join(line.split()) for line in text.splitlines()]

    printed = lines("\n".join(one.out + one.err for one in results))
    shown = lines("".join(blocks(page, "text")))
    assert shown
    assert [line for line in shown if line not in printed] == []


def sheet(name: str) -> list[tuple[object, ...]]:
    """The rows of a workbook."""
    return list(openpyxl.load_workbook(name).worksheets[0].iter_rows(values_only=True))


def test_from_a_spreadsheet_to_a_filled_spreadsheet(lix: Lix, sandbox: ObservedSandbox) -> None:
    page = "docs/tutorials/spreadsheet.md"
    table, more = blocks(page, "csv")
    Path("prospects.csv").write_text(table)
    commands = commands_of(page)
    results: list[Result] = []
    assert len(commands) == 6
    for command in commands[:-1]:
        results.append(run(lix, command))
        if command[-1] == "filled.xlsx":
            assert len(sandbox.ledger) == 3
    heading, *rows = sheet("filled.xlsx")
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in ("status", "reason", "bought_at", "name", "headline", "location", "email_email"):
        assert f"`lix_{name}`" in text
        assert f"lix_{name}" in heading
    assert "lix_email_email_status" in heading
    assert [row[3] for row in rows] == ["007", "007", "012", "012", "007"]
    reasons = [row[heading.index("lix_reason")] for row in rows]
    assert reasons == [None, None, None, None, "line 6: no link"]
    assert sheet("short.xlsx")[0][-3:] == ("lix_name", "lix_headline", "lix_location")
    Path("prospects.csv").write_text(table + more)
    results.append(run(lix, commands[-1]))
    shown_in(page, results)


def test_from_a_search_to_addresses(lix: Lix, sandbox: ObservedSandbox) -> None:
    page = "docs/tutorials/search-to-addresses.md"
    commands = commands_of(page)
    results = [run(lix, command) for command in commands]
    assert len(commands) == 4
    shown_in(page, results)
    heading, *rows = sheet("addresses.xlsx")
    assert {"lix_status", "lix_email", "lix_email_status", "lix_alternatives"} < set(heading)
    assert len(rows) == 23
    statuses = {row[heading.index("lix_email_status")] for row in rows}
    assert {"VALID", "PROBABLE"} <= statuses
    assert re.search(r"^Cost +2[0-3] email credits at most", results[1].out, re.MULTILINE)
    assert len(sheet("people.xlsx")) == 24
    (recheck,) = re.findall(
        r"^lix (enrich .* --recheck 6)$", (ROOT / page).read_text("utf-8"), re.MULTILINE
    )
    assert run(lix, [*shlex.split(recheck), "--dry-run"])


def test_columns(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(3, "people.csv")
    commands = commands_of("docs/howto/columns.md")
    for command in commands:
        run(lix, command)
    assert len(commands) == 7
    assert len(sandbox.ledger) == 3 + 1  # and a page of the search
    heading = Path("positions.csv").read_text().splitlines()[0]
    assert heading.endswith("lix_name,lix_title,lix_experience.1.title")
    assert Path("crm.csv").read_text().splitlines()[0].endswith("found_name,found_headline")
    assert Path("rows.csv").read_text().splitlines()[0] == "name,link,company"


def test_costs(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(4, "people.csv")
    commands = commands_of("docs/howto/costs.md")
    charged: list[int] = []
    for command in commands:
        run(lix, command)
        charged.append(len(sandbox.ledger))
    assert charged == [0] * 5 + [2, 4, 4, 4]


def test_cron(lix: Lix, start: Start, tmp_path: Path) -> None:
    page = "docs/howto/cron.md"
    links(4, "prospects.csv")
    (command,) = commands_of(page)
    assert "4 standard credits at most" in run(lix, command).out
    script, search = blocks(page, "sh")
    nightly = [line for line in script.splitlines() if line.startswith("lix ")]
    weekly = search.replace("\\\n", " ").replace("$(date +%F)", "2030-01-01")
    for line in (*nightly, weekly):
        process = start(*shlex.split(line)[1:], "--rate", "none")
        result = process.end()
        assert (result.code, result.err) == (0, ""), line
    assert len(sheet("filled.xlsx")) == 5
    assert len(sheet("engineers-2030-01-01.xlsx")) == 24


def test_the_readme(lix: Lix, sandbox: ObservedSandbox) -> None:
    book = openpyxl.Workbook()
    rows = [("Name", "Link"), ("Ada", "https://www.linkedin.com/in/ada-example")]
    for row in rows:
        book.worksheets[0].append(row)
    book.save("links.xlsx")
    commands = [command for command in commands_of("README.md") if command[0] == "enrich"]
    for command in commands:
        run(lix, command[: command.index("#")] if "#" in command else command)
    assert len(commands) == 2
    heading, filled = sheet("people.xlsx")
    assert heading[:3] == ("Name", "Link", "lix_status")
    assert filled[:3] == (*rows[1], "found")


def test_search_to_a_file(lix: Lix, sandbox: ObservedSandbox) -> None:
    commands = COMMAND.findall((ROOT / "docs/howto/search-to-a-file.md").read_text())
    for command in commands:
        found = lix(*shlex.split(command))
        assert found.code == 0, (command, found.err)
    assert len(commands) == 7
