r"""CSV with a blank before its quotes, or with `\"` inside, and tables far below their titles."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from lix_async.cli.input.csv_quoting import CsvQuoting, makes_sense, quoting_of
from lix_async.cli.input.csv_records import lines_of
from lix_async.cli.input.lookup_kinds import LookupKind
from lix_async.cli.input.table import TableTargets, open_table
from lix_async.cli.output.workbook import Workbook

from .conftest import Lix
from .ledgers import L
from .sandbox_helpers import ObservedSandbox

KINDS: frozenset[LookupKind] = frozenset({"person", "email", "org"})


def read(text: str, name: str = "in.csv") -> tuple[list[str], list[list[object]], list[str]]:
    """The headings, the cells of the rows, and their links or why they have none."""
    Path(name).write_text(text)
    table = open_table(name)
    targets = TableTargets(table, None, KINDS)
    found = [(row, target, reason) for row, target, reason in targets]
    links = [reason if target is None else target.text for _, target, reason in found]
    return list(table.names), [list(row.cells) for row, _, _ in found], links


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_a_blank_between_delimiter_and_quote(delimiter: str) -> None:
    d = delimiter
    names, rows, links = read(
        f'"Name"{d} "Note"{d} "Link"\n'
        f'"Ada"{d} "one{d} two"{d} "{L}/ada"\n'
        f'"Bob"{d}  "says ""hi"""{d} "{L}/bob"\n'
        f'"Cy"{d} plain{d} "{L}/cy"\n'
    )
    assert names == ["Name", "Note", "Link"]
    assert [row[1] for row in rows] == [f"one{d} two", 'says "hi"', " plain"]
    assert links == [f"{L}/{name}" for name in ("ada", "bob", "cy")]


def test_quotes_with_a_backslash() -> None:
    names, rows, links = read(
        '"Name","Note","Link"\n'
        rf'"Ada","a \"b\", c","{L}/ada"' + "\n"
        rf'"Bob","C:\\","{L}/bob"' + "\n"
        '"Cy","two\\\nlines, \\N","' + f'{L}/cy"\n'
        rf'"Di","ends with \"","{L}/di"' + "\n"
    )
    assert names == ["Name", "Note", "Link"]
    notes = ['a "b", c', "C:\\", "two\nlines, \\N", 'ends with "']
    assert [row[1] for row in rows] == notes
    assert links == [f"{L}/{name}" for name in ("ada", "bob", "cy", "di")]


def test_both_in_one_file() -> None:
    _, rows, links = read(f'"Note", "Link"\n"a \\"b\\", c", "{L}/ada"\n')
    assert (rows[0], links) == (['a "b", c', f"{L}/ada"], [f"{L}/ada"])


@pytest.mark.parametrize(
    "text",
    [
        'a,"b",c\n1,"C:\\","x"\n',  # a cell that ends with a backslash
        'a, "b" c,d\n',
        'a,b\n1, x\n"2",y\n',
        'a,b,c\n"1","2 ""x""", "3, 4"\n',  # not consistent
        'a,b\n"1 \\"x\\", ""y""",2\n',
        'a,b\n1,"not closed\n',
        "a,b\n1,2\n",
    ],
)
def test_other_files_are_read_as_they_were(text: str) -> None:
    assert quoting_of(lines_of(text), ",") == CsvQuoting()


def test_a_cut_off_head_decides_as_a_whole_one() -> None:
    lines = [f'"{n}", "a, b"\n' for n in range(1999)] + ['"x", "cut\n', 'off"\n']
    assert quoting_of(lines, ",") == CsvQuoting(after_blank=True)
    assert makes_sense(['1,"cut\n'], ",", is_whole=False)
    assert not makes_sense(['1,"cut\n'], ",")


def test_a_cell_that_is_too_long_is_no_reason_to_read_otherwise() -> None:
    text = '"a", "' + "x" * 200_000 + '"\n'
    assert quoting_of(lines_of(text), ",") in (CsvQuoting(), CsvQuoting(after_blank=True))


def test_rows_that_are_quoted_otherwise_than_the_file_are_invalid() -> None:
    names, rows, links = read(
        "Name,Note,Link\n"
        f'"Ada","fine, too",{L}/ada\n'
        f'"Bob", "b, c",{L}/bob\n'
        f'"Cy","c \\"d\\", e",{L}/cy\n'
        f'"Di","5"" pipe",{L}/di\n'
        f"Ed,too,{L}/ed,many\n"
    )
    assert links[0] == f"{L}/ada"
    assert [links[n][:42] for n in (1, 2)] == [
        f"line {n}: its columns are not certain: a quote"[:42] for n in (3, 4)
    ]
    assert links[3:] == [f"{L}/di", f"{L}/ed"]
    assert (names[:3], len(rows)) == (["Name", "Note", "Link"], 5)


def test_own_cells_come_back_as_they_were_meant(lix: Lix, sandbox: ObservedSandbox) -> None:
    link = f"https://www.linkedin.com/in/{sandbox.world.person(1).slug}"
    for number, text in enumerate(
        (f'"Note", "Link"\n"a, b", "{link}"\n', f'"Note","Link"\n"a \\"b\\", c","{link}"\n')
    ):
        Path("in.csv").write_text(text)
        assert lix("enrich", "in.csv", "--out", f"{number}.csv", "--columns", "name").code == 0
        with Path(f"{number}.csv").open(newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["Note"], row["Link"]) == (["a, b", 'a "b", c'][number], link)
        assert row["lix_status"] == "found"


@pytest.mark.parametrize("name", ["in.csv", "in.txt"])
@pytest.mark.parametrize("count", [49, 50, 60, 997])
def test_a_table_below_many_notes(count: int, name: str) -> None:
    notes = "".join(f"note {n}\n" for n in range(count))
    names, rows, links = read(f"{notes}\nName;Link\nAda;{L}/ada\nBob;{L}/bob\n", name)
    assert names == ["Name", "Link"]
    assert links == [f"{L}/ada", f"{L}/bob"]
    assert [row[0] for row in rows] == ["Ada", "Bob"]


def test_an_error_names_the_rows_that_are_searched(lix: Lix, sandbox: ObservedSandbox) -> None:
    notes = "".join(f"note {n}\n" for n in range(1200))
    Path("in.csv").write_text(f"{notes}Name,Link\nAda,{L}/ada\n")
    refused = lix("enrich", "in.csv", "--out", "out.csv")
    assert refused.code == 2
    assert "no usable links" in refused.err
    assert "a link is expected in the first 1,000 rows" in refused.err
    Path("in.csv").write_text(notes[: notes.index("note 800")])
    assert "first 1,000 rows" not in lix("enrich", "in.csv", "--out", "out.csv").err


def test_a_workbook_with_many_notes(lix: Lix, sandbox: ObservedSandbox) -> None:
    slug = sandbox.world.person(1).slug
    book = Workbook(Path("in.xlsx"), ["title", ""])
    for line in range(70):
        book.add([f"note {line}", ""])
    book.add(["Name", "Link"])
    book.add(["Ada", f"https://www.linkedin.com/in/{slug}"])
    book.finish()
    book.close()
    done = lix("enrich", "in.xlsx", "--out", "out.csv", "--columns", "name")
    assert done.code == 0, done.err
    with Path("out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["Name"], row["lix_status"]) == ("Ada", "found")
