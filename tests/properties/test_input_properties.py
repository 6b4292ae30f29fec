"""Any table is read back as it was written, in every dialect and encoding of spreadsheets."""

from __future__ import annotations

import csv
import datetime
import io
import json
import tempfile
from pathlib import Path
from typing import Literal

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from lix_async.cli.input.lookup_kinds import LookupKind
from lix_async.cli.input.table import TableTargets, open_table

KINDS: frozenset[LookupKind] = frozenset({"person", "org", "email"})
NAMES = ["name", "link", "note"]
LINK = "https://www.linkedin.com/in/person-{}"


def texts(encoding: str) -> st.SearchStrategy[str]:
    """Cells that an encoding can have: text with line ends, quotes and delimiters."""
    letters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn"))
    if encoding == "cp1252":  # a pair of them that is UTF-8 could be either
        letters = st.sampled_from("abcXYZ 019_äöüßéèñçÅØÞ")
    return st.text(letters | st.sampled_from("\n\r\t\"',;| "), max_size=12)


@st.composite
def tables(draw: st.DrawFn, encoding: str) -> list[list[str]]:
    """Rows of a name, a link and a note."""
    cell = texts(encoding)
    notes = draw(st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
    return [[a, LINK.format(n), b] for n, (a, b) in enumerate(notes)]


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_csv(encoding: str, data: st.DataObject) -> None:
    rows = data.draw(tables("cp1252" if encoding == "cp1252" else "utf-8"))
    delimiter = data.draw(st.sampled_from(",;\t|"))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    title = data.draw(st.sampled_from(["", "Leads of May", "sep="]))
    quoting: Literal[0, 1] = (
        csv.QUOTE_ALL
    )  # before Python 3.13, a line end of another kind is not quoted
    if not any(set(cell) & {"\r", "\n"} for row in rows for cell in row):
        quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    text = io.StringIO(newline="")
    if title:
        text.write(f"{title}{delimiter if title == 'sep=' else ''}{end}")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([NAMES, *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.csv")
        path.write_bytes(text.getvalue().encode(encoding))
        table = open_table(str(path))
        assert (table.names, table.delimiter, table.line_end) == (NAMES, delimiter, end)
        found = list(TableTargets(table, None, KINDS))
    if encoding != "cp1252":
        assert not table.notes
    assert [list(row.cells) for row, _, _ in found] == rows
    assert [target and target.text for _, target, _ in found] == [row[1] for row in rows]
    lines = [row.line for row, _, _ in found]
    assert lines == sorted(set(lines))
    assert lines[0] == (3 if title else 2)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | texts("utf-8"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts("utf-8"), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.dictionaries(texts("utf-8"), json_values, max_size=4), min_size=1, max_size=6))
def test_json_lines(records: list[dict[str, object]]) -> None:
    for number, record in enumerate(records):
        record["link"] = LINK.format(number)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.jsonl")
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
        found = list(TableTargets(open_table(str(path)), "link", KINDS))
    assert [repr(row.cells[0]) for row, _, _ in found] == [repr(record) for record in records]
    assert [row.line for row, _, _ in found] == list(range(1, len(records) + 1))
    assert [target and target.text for _, target, _ in found] == [one["link"] for one in records]


xlsx_cells = (
    texts("utf-8").map(lambda text: text.replace("\r", ""))
    | st.booleans()
    | st.integers(-(2**50), 2**50)
    | st.integers(-(10**9), 10**9).map(lambda number: number / 7)
    | st.dates(datetime.date(1990, 1, 1), datetime.date(2100, 1, 1))
)


def _rounded(cell: object) -> object:
    """A number with the digits that a workbook keeps."""
    return float(f"{cell:.16G}") if isinstance(cell, float) else cell


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(xlsx_cells, st.booleans(), xlsx_cells), min_size=1, max_size=8))
def test_workbooks(rows: list[tuple[object, bool, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "in.xlsx"))
        book = xlsxwriter.Workbook(path, {"strings_to_urls": False, "strings_to_formulas": False})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, NAMES)
        for number, (first, behind, last) in enumerate(rows, start=1):
            for column, cell in ((0, first), (2, last)):
                if isinstance(cell, datetime.date):
                    sheet.write_datetime(number, column, cell, day)
                elif isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                else:
                    sheet.write(number, column, cell)
            link = LINK.format(number)
            sheet.write_url(number, 1, link, string="profile" if behind else link)
        book.close()
        table = open_table(path)
        assert table.names == NAMES
        found = list(TableTargets(table, None, KINDS))
    assert [row.line for row, _, _ in found] == list(range(2, len(rows) + 2))
    own = [(row.cells[0], row.cells[2]) for row, _, _ in found]
    assert own == [(_rounded(first), _rounded(last)) for first, _, last in rows]
    assert [target and target.text for _, target, _ in found] == [
        LINK.format(number) for number in range(1, len(rows) + 1)
    ]
