"""Input files as tables: what they are, their rows, and the column with the links."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pytest

from lix_async.cli.errors import CommandError
from lix_async.cli.input.lookup_kinds import LookupKind
from lix_async.cli.input.table import NoRowsError, TableTargets, open_table

L = "https://www.linkedin.com/in"
C = "https://www.linkedin.com/company"
ALL: frozenset[LookupKind] = frozenset({"person", "org", "email"})
Found = list[tuple[int, str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.csv"


def write(file: Path, data: str | bytes) -> str:
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(file)


def found(path: str, column: str | None = None, *, handles: bool = False) -> Found:
    """The line of each row with its link, or with the reason why it has none."""
    targets = TableTargets(open_table(path), column, ALL, handles=handles)
    return [(row.line, reason if one is None else one.sent) for row, one, reason in targets]


def refused(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(CommandError) as caught:
        call()
    return re.sub(r"(?<!\S)/\S*/", "", caught.value.message), caught.value.hint


def archive(*names: str, mimetype: str = "") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as zipped:
        if mimetype:
            zipped.writestr("mimetype", mimetype)
        for name in names:
            zipped.writestr(name, f"{L}/ada")
    return data.getvalue()


NO_TABLES: dict[str, tuple[bytes, str, str]] = {
    "a PDF": (b"%PDF-1.7\n", "a PDF", "copy the links"),
    "a PNG": (b"\x89PNG\r\n\x1a\n", "a picture", "copy the links"),
    "a WebP": (b"RIFF\0\0\0\0WEBP", "a picture or a film", "a file with links"),
    "gzip": (gzip.compress(b"x"), "compressed with gzip", "gunzip < "),
    "7z": (b"7z\xbc\xaf\x27\x1c", "compressed", "unpack it"),
    "Arrow": (b"ARROW1", "an Arrow file", "Parquet or CSV"),
    "rich text": (b"{\\rtf1", "a rich text document", "plain text"),
    "HTML as .xls": (b"\xef\xbb\xbf\n<html><table>", "a web page or another XML", ".xlsx or CSV"),
    "XML": (b"<?xml version='1.0'?>", "a web page or another XML", ".xlsx or CSV"),
    "bytes": (bytes(range(256)) * 9, "not text, and its format is unknown", ".xlsx or CSV"),
    "zeros": (bytes(999), "not text, and its format is unknown", ".xlsx or CSV"),
    "an archive": (archive("a.txt"), "a ZIP archive", "unpack it, and pass the file that is"),
    "LinkedIn's": (archive("Profile.csv", "Connections.csv"), "a ZIP", "pass Connections.csv"),
    "Word": (archive("word/document.xml"), "a Word document", "copy the links"),
    "Numbers": (archive("Index/Document.iwa"), "an Apple Numbers document", "Export To"),
    "a text of LibreOffice": (
        archive(mimetype="application/vnd.oasis.opendocument.text"),
        "a text document",
        "copy the links",
    ),
    "half an archive": (archive("xl/workbook.xml")[:60], "damaged", "save it again"),
    "a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        "protected with a password",
        "without it",
    ),
    ".xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an old Office", ".xlsx or CSV"),
}


@pytest.mark.parametrize("name", NO_TABLES)
@pytest.mark.parametrize("ending", ["csv", "xlsx", "txt"])
def test_what_has_no_table_is_refused_by_name(tmp_path: Path, name: str, ending: str) -> None:
    data, what, todo = NO_TABLES[name]
    path = write(tmp_path / f"in.{ending}", data + f"\n{L}/ada\n".encode() * (data[:2] != b"PK"))
    message, hint = refused(lambda: open_table(path))
    assert message.startswith(f"in.{ending} is {what}")
    assert todo in hint


def test_folders_databases_and_damaged_files_are_refused(tmp_path: Path) -> None:
    assert "is a folder" in refused(lambda: open_table(str(tmp_path)))[0]
    database = tmp_path / "l.ledger"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE x (y)")
    assert refused(lambda: open_table(str(database)))[0] == "l.ledger is a database"
    for data, what in (
        (archive("xl/workbook.xml"), "not a workbook that can be read"),
        (b"PAR1 and no more", "not a Parquet file that can be read"),
    ):
        path = write(tmp_path / "x", data)
        assert what in refused(lambda path=path: open_table(path))[0]  # type: ignore[misc]


def test_one_bad_byte_costs_its_link_and_is_named(file: Path) -> None:
    text = f"link,name\n{L}/józef,A\n".encode() + f"{L}/b".encode() + b"\xfcob,B\n"
    path = write(file, text + f"{L}/cyd,".encode() + b"M\xfcller\n")
    assert found(path) == [
        (2, f"{L}/józef"),
        (3, "line 3: it has bytes that are not UTF-8"),
        (4, f"{L}/cyd"),
    ]
    table = open_table(path)
    assert [note.partition(", ")[2] for note in table.notes] == [
        "lines 3, 4: bytes that are not UTF-8; such cells are not used as links"
    ]
    assert list(table.rows())[2].cells == [f"{L}/cyd", "Müller"]


@pytest.mark.parametrize("byte", [b"\xff", b"\xfc", b"\x81"])
def test_a_bad_byte_in_ascii(file: Path, byte: bytes) -> None:
    path = write(file, f"link,n\n{L}/ada,1\n{L}/b".encode() + byte + b"ob,2\n")
    assert found(path)[1][1].startswith("line 3: it has bytes that are no")


def test_many_bad_lines_are_counted(file: Path) -> None:
    path = write(file, f"link,é\n{L}/ada,\n".encode() + b"x,\xfc\n" * 9)
    assert "lines 3, 4, 5, 6, 7 and 4 more: bytes" in open_table(path).notes[0]


def test_bad_bytes_at_the_edge_of_what_is_read_at_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lix_async.cli.input.source._CHUNK", 7)
    path = write(
        file, f"link,é\n{L}/józef-ééé,ü\n".encode() + f"{L}/b,\xfc\xfc\xfc\n".encode("cp1252")
    )
    table = open_table(path)
    assert ", line 3: bytes" in table.notes[0]
    assert [row.cells for row in table.rows()] == [[f"{L}/józef-ééé", "ü"], [f"{L}/b", "üüü"]]


def test_a_file_in_cp1252(file: Path) -> None:
    path = write(file, f"näme;link\nJürgen;{L}/jürgen\n".encode("cp1252"))
    assert found(path) == [(2, f"{L}/jürgen")]
    assert "is not UTF-8: read as Windows-1252" in open_table(path).notes[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_of_any_language(file: Path, encoding: str) -> None:
    text = f"Имя;ссылка\nАда Лавлейс из Лондона;{L}/ada\n"
    assert found(write(file, text.encode(encoding))) == [(2, f"{L}/ada")]


def test_half_a_letter_of_utf_16_is_no_link(file: Path) -> None:
    data = f"link\n{L}/ada\n{L}/b".encode("utf-16-le") + b"\x3d\xd8" + "ob\n".encode("utf-16-le")
    assert found(write(file, data))[1] == (3, "line 3: it has bytes that are no text")


@pytest.mark.parametrize("ending", ["csv", "txt"])
def test_lines_are_those_of_the_file(tmp_path: Path, ending: str) -> None:
    text = f'name,link\r\n"A\r\nB",{L}/a\r\n\r\nC,x\r\n,\r\nD,{L}/d\r\n'
    assert found(write(tmp_path / f"in.{ending}", text)) == [
        (2, f"{L}/a"),
        (4, "line 4: no link"),
        (5, "line 5: not a link of a person or company: 'x'"),
        (6, "line 6: no link"),
        (7, f"{L}/d"),
    ]


def test_blank_lines_are_rows_but_not_at_the_end(file: Path) -> None:
    table = open_table(write(file, f"a,b\nA,{L}/a\n\nB,{L}/b\n,\n\n\n"))
    assert [(row.line, list(row.cells)) for row in table.rows()] == [
        (2, ["A", f"{L}/a"]), (3, ["", ""]), (4, ["B", f"{L}/b"]), (5, ["", ""]),
    ]  # fmt: skip


def test_lines_with_one_end_too_many_have_no_blank_ones_between(file: Path) -> None:
    table = open_table(write(file, f"a,b\r\r\nA,{L}/a\r\r\nB,{L}/b\r\r\n"))
    assert [row.cells[0] for row in table.rows()] == ["A", "B"]
    assert table.line_end == "\r\n"


def test_rows_longer_and_shorter_than_the_heading(file: Path) -> None:
    path = write(file, f"name,link,note\nA,{L}/a\nB,{L}/b,x,y,z\n")
    table = open_table(path)
    assert table.names == ["name", "link", "note", "", ""]
    assert [row.cells for row in table.rows()] == [
        ["A", f"{L}/a", "", "", ""],
        ["B", f"{L}/b", "x", "y", "z"],
    ]


def test_tabs_and_line_ends_in_cells_are_no_rows(file: Path) -> None:
    rows = "".join(f'"","{L}/p{n}","\t\r\t"\n' for n in range(2))
    table = open_table(write(file, f'"name","link","note"\n{rows}'))
    assert (table.delimiter, table.names) == (",", ["name", "link", "note"])


TITLES = {
    "LinkedIn's own": 'Notes:\n"Some, see https://www.linkedin.com/psettings"\n\n',
    "a title": "Leads of May\n",
    "a title of two cells": "Report,2024-05-01,,\n,,,\n",
    "the delimiter": "sep=,\n",
}


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_what_stands_above_the_table(file: Path, title: str) -> None:
    path = write(file, f"{title}name,n,link,x\nA,1,n/a,\nB,2,{L}/b,\n")
    assert open_table(path).names == ["name", "n", "link", "x"]
    first = title.count("\n") + 2
    assert found(path) == [
        (first, f"line {first}: not a link of a person or company: 'n/a'"),
        (first + 1, f"{L}/b"),
    ]


def test_a_heading_stays_above_rows_without_links(file: Path) -> None:
    path = write(file, f"link\nhttps://www.linkedin.com/jobs/view/4012345678\n{L}/a\n{L}/b,x\n")
    assert open_table(path).names == ["link", ""]
    assert [line for line, _ in found(path)] == [2, 3, 4]


def test_a_quote_that_is_not_closed(file: Path) -> None:
    path = write(file, f'name,link\nA,{L}/a\nB,"{L}/b\nC,{L}/c\n')
    assert refused(lambda: open_table(path))[0] == "in.csv, line 3: a quote is not closed"
    path = write(file, f'name,link\nA" x,{L}/a\nB,"{L}/b\nC,{L}/c\n')  # found when it is read
    assert found(path) == [(2, f"{L}/a"), (3, "line 3: a quote is not closed")]


def test_lists_of_links_and_prose(tmp_path: Path) -> None:
    text = (
        f"# my list\n{L}/a, {L}/b\n- {L}/c; - {L}/d\nEve {L}/e (met)\n{L}/f or {L}/g\n"
        "<h@example.com>, i@example.com\n"
    )
    assert found(write(tmp_path / "in.txt", text)) == [
        (1, "line 1: not a link of a person or company: '# my list'"),
        (2, f"{L}/a"),
        (2, f"{L}/b"),
        (3, f"{L}/c"),
        (3, f"{L}/d"),
        (4, f"{L}/e"),
        (5, "line 5: several links in one cell: give each a row of its own"),
        (6, "h@example.com"),
        (6, "i@example.com"),
    ]
    text = f"[Ada]({L}/ada) and more, things\n\nhello, [Bob]({L}/bob)\n"
    assert found(write(tmp_path / "in.md", text)) == [(1, f"{L}/ada"), (3, f"{L}/bob")]


@pytest.mark.parametrize("heading", ["link", "LinkedIn URL", "Person Linkedin Url", "e-mail"])
def test_the_heading_of_a_list(tmp_path: Path, heading: str) -> None:
    path = write(tmp_path / "in.txt", f"{heading}\n{L}/a\n")
    assert (open_table(path).names, found(path)) == ([heading], [(2, f"{L}/a")])


def test_bad_bytes_in_text_and_json(tmp_path: Path) -> None:
    reason = "line 2: it has bytes that are not UTF-8"
    data = f"{L}/józef\n{L}/b".encode() + b"\xff\n" + f"{L}/c".encode()
    assert found(write(tmp_path / "in.txt", data)) == [
        (1, f"{L}/józef"),
        (2, reason),
        (3, f"{L}/c"),
    ]
    data = f'{{"link":"{L}/józef"}}\n{{"link":"{L}/b'.encode() + b'\xff"}\n'
    path = write(tmp_path / "in.jsonl", data + f'{{"link":"{L}/c","n":"'.encode() + b'\xfc"}\n')
    assert found(path) == [(1, f"{L}/józef"), (2, reason), (3, f"{L}/c")]
    assert list(open_table(path).rows())[2].cells == [{"link": f"{L}/c", "n": "ü"}]


def test_json_lines_and_documents(tmp_path: Path) -> None:
    lines = f'{{"link":"{L}/a","n":NaN}}\n\n{{bad\n"{L}/b"\n'
    assert found(write(tmp_path / "in.jsonl", lines)) == [
        (1, f"{L}/a"),
        (3, "line 3: invalid JSON"),
        (4, f"{L}/b"),
    ]
    document = f'{{\n "total": 2,\n "results": [{{"url": "{L}/a"}},\n {{"url": "{L}/b"}}]}}'
    assert found(write(tmp_path / "in.json", document)) == [(1, f"{L}/a"), (2, f"{L}/b")]
    assert found(write(tmp_path / "in.json", f'{{\n"url": "{L}/a"}}')) == [(1, f"{L}/a")]
    assert found(write(tmp_path / "in.json", f'["{L}/a",\nNaN]'))[0] == (1, f"{L}/a")
    path = write(tmp_path / "in.json", f'[{{"url": "{L}/a"')
    assert refused(lambda: found(path))[0].startswith("in.json has no usable links")
    nested = "[" * 100_000
    assert refused(lambda: found(write(tmp_path / "in.jsonl", nested)))[0].startswith(
        "in.jsonl has"
    )


def test_columns_are_chosen_by_their_links(file: Path) -> None:
    rows = "".join(f"{C}/c{n},{f'{L}/p{n}' if n == 3 else ''}\n" for n in range(6))
    path = write(file, f"company,person\n{rows}")
    targets = TableTargets(open_table(path), None, ALL)
    assert (targets.column, targets.also_has) == ("person", ("company",))
    targets = TableTargets(open_table(path), None, frozenset({"org"}))
    assert (targets.column, targets.also_has) == ("company", ())
    path = write(file, f"company\n{C}/c1\n")
    message, hint = refused(lambda: TableTargets(open_table(path), None, frozenset({"person"})))
    assert message.startswith("in.csv has no usable links")
    assert hint == "it has links of companies, which this lookup does not take"


def test_a_note_that_mentions_people_is_no_column_of_links(file: Path) -> None:
    path = write(file, f"note,company,link\nsee {L}/x,{C}/c1,\nand {L}/y,{C}/c2,\n")
    assert TableTargets(open_table(path), None, ALL).column == "company"
    path = write(file, f"note,link\nsee {L}/x,{L}/a\nand {L}/y,\n")
    assert TableTargets(open_table(path), None, ALL).column == "link"


def test_bytes_that_are_no_text_among_lines(file: Path) -> None:
    junk = bytes(range(1, 9)) + f" {L}/b ".encode() + bytes(range(200, 256))
    path = write(
        file, f"link\n{L}/a\n".encode() + b"x" * 2000 + b"\n" + junk + f"\n{L}/c\n".encode()
    )
    assert [reason for _, reason in found(path)][2:] == [
        "line 4: it has bytes that are not UTF-8",
        f"{L}/c",
    ]


def test_the_column_is_found_far_below(file: Path) -> None:
    path = write(file, "name,link,n\n" + "A,,1\n" * 1500 + f"B,{L}/b,2\n")
    assert TableTargets(open_table(path), None, ALL).column == "link"


def test_columns_are_named_without_regard_to_case(file: Path) -> None:
    path = write(file, f"Name, Profile URL ,Profile URL,\nA,{L}/a,{L}/b,{L}/c\n")
    assert found(path, "profile url") == [(2, f"{L}/a")]
    assert found(path, "Profile URL (column 3)") == [(2, f"{L}/b")]
    assert found(path, "column 4") == [(2, f"{L}/c")]
    message, hint = refused(lambda: found(path, "url"))
    assert message == "in.csv has no column 'url'"
    assert hint.endswith("Name, Profile URL, Profile URL (column 3), column 4")
    assert "in column 'Name'" in refused(lambda: found(path, "name"))[0]


def test_fields_of_json_are_columns(tmp_path: Path) -> None:
    rows = '{"a":{"b":null}}\n' * 3 + f'{{"a":{{"b":"{L}/x"}}}}\n'
    path = write(tmp_path / "in.jsonl", rows)
    assert found(path, "a.b")[3] == (4, f"{L}/x")
    assert refused(lambda: found(path, "c"))[1] == "available columns: a, a.b"
    empty = write(tmp_path / "empty.jsonl", "")
    with pytest.raises(NoRowsError):
        found(empty, "c")


def test_handles_are_read_when_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "in.txt", "handle\nada-1\n@bob\n")
    assert found(path, handles=True) == [
        (2, f"{L}/ada-1"),
        (3, f"{L}/bob"),
    ]
    table = write(tmp_path / "in.csv", "name,slug\nAda,ada-1\n")
    assert found(table, handles=True) == [(2, f"{L}/ada-1")]
    assert found(table, "name", handles=True) == [(2, f"{L}/Ada")]
    table = write(tmp_path / "in.csv", "name,title\nAda,cto\n")
    assert refused(lambda: found(table, handles=True))[1] == "name it with --column"
    assert "no usable links" in refused(lambda: found(table))[0]


def test_parquet(tmp_path: Path) -> None:
    path = str(tmp_path / "in.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS n, ['{L}/p' || i][1] AS link, [i] AS more FROM range(2500) t(i)) "
            f"TO '{path}' (FORMAT parquet)"
        )
    table = open_table(path)
    rows = list(table.rows())
    assert (table.format, table.names) == ("parquet", ["n", "link", "more"])
    assert (len(rows), rows[0].line, list(rows[2499].cells)) == (
        2500,
        1,
        [2499, f"{L}/p2499", [2499]],
    )
    assert found(path)[2499] == (2500, f"{L}/p2499")
    assert refused(lambda: open_table(path, sheet="x"))[0] == "in.parquet has no sheets"


@pytest.fixture
def book(tmp_path: Path) -> str:
    """A workbook with a cover, a hidden sheet and a table that begins at B2."""
    path = str(tmp_path / "in.xlsx")
    made = openpyxl.Workbook()
    first = made.active
    assert first is not None
    first.title = "Cover"
    hidden = made.create_sheet("Secret")
    hidden.sheet_state = "veryHidden"
    hidden.append([f"{L}/never"])
    sheet = made.create_sheet("Leads")
    for number, row in enumerate(
        [
            ["name", "URL", "URL"],
            ["Ada", f"{L}/ada", 7],
            ["Bob", "profile", None],
            ["Cyd", f'=HYPERLINK("{L}/cyd?a=1&b=2","C")', 2.5],
            [None, None, None],
            ["D", "none", True],
        ],
        start=2,
    ):
        for column, cell in enumerate(row, start=2):
            sheet.cell(number, column, cell)
    sheet["C4"].hyperlink = f"{L}/bob?a=1&b=2"
    sheet["C7"].hyperlink = "https://example.com"
    sheet["A30"].font = openpyxl.styles.Font(bold=True)
    sheet.row_dimensions[3].hidden = True
    made.save(path)
    return path


def test_a_sheet_of_a_workbook(book: str) -> None:
    table = open_table(book, sheet="leads")
    assert (table.format, table.names) == ("xlsx", ["name", "URL", "URL"])
    targets = TableTargets(table, None, ALL)
    assert [(row.line, list(row.cells), one and one.sent) for row, one, _ in targets] == [
        (3, ["Ada", f"{L}/ada", 7], f"{L}/ada"),
        (4, ["Bob", "profile", ""], f"{L}/bob?a=1&b=2"),
        (5, ["Cyd", "", 2.5], f"{L}/cyd?a=1&b=2"),
        (6, ["", "", ""], None),
        (7, ["D", "none", True], None),
    ]


def test_a_cell_far_away_is_refused(book: str) -> None:
    made = openpyxl.load_workbook(book)
    made["Leads"]["XFD90000"] = "stray"
    made.save(book)
    message, hint = refused(lambda: open_table(book, sheet="Leads"))
    assert message == "sheet 'Leads' of in.xlsx has a cell far from the others"
    assert hint.startswith("delete the rows below")


@pytest.mark.parametrize("part", ["sheet3.xml", "sheet3.xml.rels", "workbook.xml"])
@pytest.mark.parametrize("data", [b"", b"<", b"<worksheet><hyperlinks>", bytes(99)])
def test_damaged_parts_of_a_workbook(book: str, part: str, data: bytes) -> None:
    with zipfile.ZipFile(book) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(book, "w") as changed:
        for name, content in parts.items():
            changed.writestr(name, data if name.endswith(f"/{part}") else content)
    with contextlib.suppress(CommandError):  # nothing else is raised
        list(open_table(book, sheet="Leads").rows())


def test_links_are_read_in_parts(book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = openpyxl.load_workbook(book)
    rows = made["Leads"]
    for line in range(8, 400):
        rows.cell(line, 2, f"P{line}")
        rows.cell(line, 3, f'=HYPERLINK("{L}/p{line}", "x")' if line % 2 else "y")
        if not line % 2:
            rows.cell(line, 3).hyperlink = f"{L}/p{line}"
    made.save(book)
    expected = found_in(book)
    assert expected[:2] == [(3, f"{L}/ada"), (4, f"{L}/bob?a=1&b=2")]
    assert expected[5:] == [(line, f"{L}/p{line}") for line in range(8, 400)]
    for size in (1009, 2003, 4001):
        monkeypatch.setattr("lix_async.cli.input.sheet_links._CHUNK", size)
        assert found_in(book) == expected


def found_in(book: str) -> Found:
    targets = TableTargets(open_table(book, sheet="Leads"), None, ALL)
    return [(row.line, reason if one is None else one.sent) for row, one, reason in targets]


def test_a_link_of_several_cells(book: str) -> None:
    """Other programs write one element for a block of cells, and parts of a page apart."""
    with zipfile.ZipFile(book) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    (name,) = (name for name in parts if b"<hyperlinks>" in parts[name])
    parts[name] = parts[name].replace(b'ref="C7"', b'ref="C6:C1048576" location="about"')
    parts[name] = parts[name].replace(b'ref="C4"', b'ref="nowhere"')
    rels = name.replace("sheets/", "sheets/_rels/") + ".rels"
    parts[rels] = parts[rels].replace(b"https://example.com", f"{L}/all".encode())
    with zipfile.ZipFile(book, "w") as changed:
        for part, data in parts.items():
            changed.writestr(part, data)
    links = {row.line: row.links for row in open_table(book, sheet="Leads").rows() if row.links}
    assert links == {
        5: {1: f"{L}/cyd?a=1&b=2"},
        6: {1: f"{L}/all#about"},
        7: {1: f"{L}/all#about"},
    }


def test_other_workbooks_have_texts_only(tmp_path: Path) -> None:
    path = str(tmp_path / "in.ods")
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
        '<office:spreadsheet><table:table table:name="Leads">{}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    rows = [
        f"<table:table-row>{cell.format(text)}</table:table-row>" for text in ("link", f"{L}/ada")
    ]
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        zipped.writestr("META-INF/manifest.xml", "<manifest/>")
        zipped.writestr("content.xml", content.format("".join(rows)))
    assert found(path) == [(2, f"{L}/ada")]
    assert open_table(path).notes[0].endswith("links behind texts are read from .xlsx only")


def test_sheets_are_chosen(book: str) -> None:
    choice = "--sheet takes one of: 'Cover', 'Leads'"
    table = open_table(book)
    assert table.notes[0].endswith(f"in.xlsx: the first sheet is read, 'Cover'; {choice}")
    assert refused(lambda: TableTargets(table, None, ALL)) == ("in.xlsx is empty", choice)
    assert refused(lambda: open_table(book, sheet="x")) == ("in.xlsx has no sheet 'x'", choice)
    assert "is hidden" in refused(lambda: open_table(book, sheet="Secret"))[0]
    made = openpyxl.load_workbook(book)
    for sheet in made.worksheets[1:]:
        sheet.sheet_state = "hidden"
    made.save(book)
    assert open_table(book).notes == ()
    message, hint = refused(lambda: open_table(book, sheet="Leads"))
    assert (message, hint) == ("sheet 'Leads' of in.xlsx is hidden", "unhide it, and save the file")


def test_a_workbook_without_its_extra(book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    message, hint = refused(lambda: open_table(book))
    assert message == "in.xlsx is a workbook, which cannot be read yet"
    assert "lix_async[excel]" in hint


def test_parquet_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    path = write(tmp_path / "in.parquet", b"PAR1")
    assert "lix_async[parquet]" in refused(lambda: open_table(path))[1]


def test_stdin_and_pipes_are_copied_to_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, book: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for data in (f"link\n{L}/ada\n".encode(), Path(book).read_bytes()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        table = open_table("-")
        (copy,) = tmp_path.glob("lix_async-*")
        assert copy.stat().st_mode & 0o777 == 0o600
        assert table.path == "stdin"
        list(table.rows())
        del table
        assert not list(tmp_path.glob("lix_async-*"))
    reader, writer = os.pipe()
    os.write(writer, f"link\n{L}/ada\n".encode())
    os.close(writer)
    assert found(f"/dev/fd/{reader}") == [(2, f"{L}/ada")]
    os.close(reader)


def test_a_file_that_is_changed_while_it_is_read(file: Path) -> None:
    path = write(file, f"link\n{L}/ada\n")
    table = open_table(path)
    write(file, f"link\n{L}/ada\n{L}/bob\n")
    message, hint = refused(lambda: list(table.rows()))
    assert (message, hint) == (
        "in.csv was changed while it was being read",
        "run the command again: nothing is paid for twice",
    )
    file.unlink()
    assert "cannot read" in refused(lambda: list(table.rows()))[0]
