"""Reading links and e-mail addresses from files of many formats."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest

from lix_async.cli.errors import CommandError
from lix_async.cli.input import csv_records
from lix_async.cli.input.lookup_kinds import LookupKind
from lix_async.cli.input.reader import InputFile, read

L = "https://www.linkedin.com/in"
ALL_KINDS: frozenset[LookupKind] = frozenset({"person", "org", "email"})


def of(path: Path, text: str | bytes, column: str | None = None) -> InputFile:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(str(path), column, ALL_KINDS)


def links(inputs: InputFile) -> list[str]:
    return [target.text for target in inputs.targets]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.txt"


def test_plain_text_with_one_link_per_line(file: Path) -> None:
    found = of(file, f"\n{L}/a\n{L}/A/?x=1\n  b@example.com \nnonsense\n")
    assert links(found) == [f"{L}/a", "b@example.com"]
    assert (found.rows, found.unusable) == (4, 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_column_is_chosen_by_its_cells(file: Path, delimiter: str) -> None:
    rows = [
        ["name", "web", "profile"],
        ["A", "https://a.example.com", f"{L}/a"],
        ["B", "", f"{L}/b"],
    ]
    found = of(file, "\n".join(delimiter.join(row) for row in rows))
    assert (found.column, links(found)) == ("profile", [f"{L}/a", f"{L}/b"])


def test_a_file_without_a_heading(file: Path) -> None:
    assert links(of(file, f"A,{L}/a\nB,{L}/b\n")) == [f"{L}/a", f"{L}/b"]


def test_public_links_are_preferred_to_sales_links(file: Path) -> None:
    lead = "https://www.linkedin.com/sales/lead/ACwAAexample"
    found = of(file, f"lead,link\n{lead}01,{L}/a\n{lead}02,{L}/b\n{lead}03,\n")
    assert found.column == "link"


def test_quoted_cells_may_have_line_breaks(file: Path) -> None:
    assert links(of(file, f'note,link\n"two\nlines, really",{L}/a\n')) == [f"{L}/a"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_spreadsheets(file: Path, encoding: str) -> None:
    found = of(file, f"näme;link\nJürgen;{L}/juergen\n".encode(encoding))
    assert links(found) == [f"{L}/juergen"]


def test_json_lines_and_arrays(file: Path) -> None:
    assert links(of(file, f'{{"name":"A","link":"{L}/a"}}\n\n{{"link":"{L}/b"}}\n')) == [
        f"{L}/a",
        f"{L}/b",
    ]
    assert links(of(file, f'["{L}/a", "{L}/b"]')) == [f"{L}/a", f"{L}/b"]
    nested = f'{{"person":{{"url":"{L}/n"}}}}'
    assert links(of(file, nested)) == [f"{L}/n"]
    assert links(of(file, nested, "person.url")) == [f"{L}/n"]


def test_a_line_that_is_not_json_is_one_row(file: Path) -> None:
    found = of(file, f'{{"link":"{L}/a"}}\n{{"link":\n{{"link":"{L}/b"}}\n')
    assert (links(found), found.rows, found.unusable) == ([f"{L}/a", f"{L}/b"], 3, 1)


def test_a_missing_column_is_reported_with_the_available_ones(file: Path) -> None:
    with pytest.raises(CommandError) as caught:
        of(file, f"name,link\nA,{L}/a\n", "url")
    assert caught.value.hint == "available columns: name, link"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "in.txt is empty"),
        ("\n\n", "in.txt is empty"),
        ("[]", "in.txt is empty"),
        ("name,link\n", "in.txt has a heading and no rows"),
        ("name,age\nA,3\n", "in.txt has no usable links"),
        ("hello", "in.txt has no usable links"),
        ("{}", "in.txt has no usable links"),
    ],
)
def test_a_file_without_links_is_reported(file: Path, text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        of(file, text)


def test_only_the_requested_kinds_are_read(file: Path) -> None:
    file.write_text(f"{L}/a\nhttps://www.linkedin.com/company/b\nc@example.com\n")
    assert links(read(str(file), None, frozenset({"org"}))) == [
        "https://www.linkedin.com/company/b"
    ]


def test_stdin_and_a_missing_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{L}/a\n".encode())))
    assert links(read("-", None, ALL_KINDS)) == [f"{L}/a"]
    with pytest.raises(CommandError, match="cannot read"):
        read(str(tmp_path / "none"), None, ALL_KINDS)


def test_large_cells_are_read_and_the_limit_is_restored(file: Path) -> None:
    path = file.with_suffix(".csv")
    before = csv.field_size_limit()
    found = of(path, f'link,notes\n{L}/a,"{"x" * 200_000}"\n{L}/b,y\n')
    assert links(found) == [f"{L}/a", f"{L}/b"]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("limit", [csv_records.MAX_FIELD_CHARS, 1000])
def test_an_unclosed_quote_is_reported_with_its_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(csv_records, "MAX_FIELD_CHARS", limit)
    path = file.with_suffix(".csv")
    before = csv.field_size_limit(1000)
    try:
        rest = "".join(f"{L}/p-{n},fine\n" for n in range(100))
        with pytest.raises(CommandError) as raised:
            of(path, f'link,notes\n{L}/a,"two\nlines"\n{L}/b,"open\n{rest}')
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(before)
    assert raised.value.message.startswith(f"{path}, line 4: ")
    assert "not closed" in raised.value.hint


def test_irregular_quotes_are_accepted(file: Path) -> None:
    path = file.with_suffix(".csv")
    assert links(of(path, f'link,name\n{L}/a,"A" B\n{L}/b,"B\n')) == [f"{L}/a", f"{L}/b"]
    assert links(of(path, f'link,name\n{L}/a,"A\nB" C "D"\n')) == [f"{L}/a"]


def test_line_ends_of_any_system(file: Path) -> None:
    path = file.with_suffix(".csv")
    for end in ("\n", "\r\n", "\r"):
        text = end.join(
            ("link,name", f'{L}/a,"two{end}lines\u2028"', f"{L}/b,\x0b\u2028b", f"{L}/c")
        )
        assert links(of(path, text)) == [f"{L}/a", f"{L}/b", f"{L}/c"]


NOTES = (
    'Notes:\r\n"Some addresses are missing, see https://www.linkedin.com/psettings/email"\r\n\r\n'
)
HEADED = f"name,link\nA,{L}/a\nB,{L}/b\n"
FILES: dict[str, tuple[str, str | bytes]] = {
    "notes before the table": ("csv", NOTES + HEADED),
    "a title": ("csv", "Leads of May\n" + HEADED),
    "a title with the cells of the table": ("csv", "Leads of May,,\n,,\n" + HEADED),
    "a title without a heading": ("csv", f"Leads of May\nA,{L}/a\nB,{L}/b\n"),
    "an index without a name": ("csv", f",link\n0,{L}/a\n1,{L}/b\n"),
    "one named column": ("csv", f"link,\n{L}/a,x\n{L}/b,y\n"),
    "one column with a note": ("csv", f"link\n{L}/a\n{L}/b,note\n"),
    "the delimiter named": ("csv", f"sep=;\nname;a,b;link\nA;1,2;{L}/a\nB;1,2;{L}/b\n"),
    "the delimiter named and quoted": ("csv", f'"sep=\t"\r\nname\tlink\nA\t{L}/a\nB\t{L}/b'),
    "a name twice": ("csv", f"URL,URL,URL\n{L}/a,https://x.example,\n{L}/b,,\n"),
    "a name twice, the second": ("csv", f"URL,URL\nhttps://x.example,{L}/a\n,{L}/b\n"),
    "commas in the heading": ("csv", f'"Last, First";"Profile, public"\n"A, B";{L}/a\n"C";{L}/b\n'),
    "commas in cells": ("csv", f"name;link\nA, B;{L}/a\nC, D;{L}/b\n"),
    "half of it in cp1252": ("csv", f"link,é\n{L}/a,é\n".encode() + f"{L}/b,é\n".encode("cp1252")),
    "a mark and cp1252": (
        "csv",
        f"\ufefflink,é\n{L}/a,\n".encode() + f"{L}/b,é\n".encode("cp1252"),
    ),
    "UTF-16 without a mark": ("csv", HEADED.encode("utf-16-le")),
    "the other UTF-16": ("csv", HEADED.encode("utf-16-be")),
    "several on a line": ("txt", f"{L}/a, {L}/b\n"),
    "several on a later line": ("txt", f"{L}/a\n\n{L}/a {L}/b\n"),
    "with a word among them": ("txt", f"{L}/a\n{L}/b\n{L}/c or {L}/d\n"),
    "what Python writes": (
        "jsonl",
        f'{{"x":NaN,"link":"{L}/a"}}\n{{"x":"\\ud83d","link":"{L}/b"}}',
    ),
    "an array of it": ("json", f'[{{"x":Infinity,"link":"{L}/a"}},{{"link":"{L}/b"}}]'),
}


@pytest.mark.parametrize(("ending", "text"), FILES.values(), ids=FILES)
def test_files_as_people_have_them(ending: str, text: str | bytes, tmp_path: Path) -> None:
    assert links(of(tmp_path / f"in.{ending}", text)) == [f"{L}/a", f"{L}/b"]


def test_pages_of_two_kinds_on_a_line_are_columns(file: Path) -> None:
    """The same people twice: they are paid for once."""
    lead = "https://www.linkedin.com/sales/lead/ACwAAexample"
    assert links(of(file, f"{lead}01\t{L}/a\n{lead}02\t{L}/b\n")) == [f"{L}/a", f"{L}/b"]


def test_columns_of_one_name_can_be_chosen(file: Path) -> None:
    text = f"URL,URL\n{L}/a,{L}/b\n"
    assert links(of(file, text, "URL")) == [f"{L}/a"]
    assert links(of(file, text, "URL (column 2)")) == [f"{L}/b"]


def test_an_open_quote_in_a_heading_is_reported(file: Path) -> None:
    with pytest.raises(CommandError, match="line 1"):
        of(file.with_suffix(".csv"), f'link,"name\n{L}/a,x\n')
