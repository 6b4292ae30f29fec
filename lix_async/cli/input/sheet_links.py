"""The links behind the cells of an `.xlsx` sheet, and its errors, by a streaming read of its XML.

A link is an element behind all cells, whose address is in another file of the archive, or the
formula `HYPERLINK("https://…", "text")` of a cell. One that computes its address is `COMPUTED`.
"""

from __future__ import annotations

import html
import posixpath
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, TypeAlias
from xml.etree import ElementTree

from .table_row import COMPUTED

SheetLinks: TypeAlias = dict[int, dict[int, str]]
"""Links by line, from 1, and column, from 0."""

DAMAGED = (
    zipfile.BadZipFile, zlib.error, ElementTree.ParseError, EOFError, KeyError, RuntimeError
)  # fmt: skip
"""What `sheet_links` raises for a damaged archive."""
_CHUNK = 1 << 20
_ROOT = re.compile(rb"<(?:\w+:)?worksheet\b[^>]*>")
_EXTENT = re.compile(
    rb'<(?:\w+:)?dimension\s[^>]*?\bref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"'
)
_LINKS = re.compile(rb"<(?:\w+:)?hyperlinks[\s>]")
_CELL = re.compile(rb'(?:<|:)c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_ERROR = re.compile(rb't="e"[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>(#[^<]{1,20})<', re.DOTALL)
_FORMULA = re.compile(r'HYPERLINK\(\s*"((?:[^"]|"")*)"\s*[,;)]')
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")


def sheet_links(
    file: IO[bytes], sheet: str, height: int, errors: SheetLinks | None = None
) -> SheetLinks | None:
    """The links of a sheet; None if the file is no `.xlsx`.

    Args:
        file: The workbook.
        sheet: The name of the sheet.
        height: The number of its rows.
        errors: Filled with the errors that stand in cells, such as `#N/A`.
    """
    with zipfile.ZipFile(file) as archive:
        part = _part_of_sheet(archive, sheet)
        if part is None:
            return None
        found: SheetLinks = {}
        root, section = b"", bytearray()
        with archive.open(part) as xml:
            data = b""
            while chunk := xml.read(_CHUNK):
                if section:
                    section += chunk
                    continue
                data += chunk
                root = root or ((first := _ROOT.search(data)) and first[0]) or b""
                for line, column, link in _links_in_formulas(data):
                    found.setdefault(line, {})[column] = link
                if errors is not None:
                    for line, column, error in _errors_in(data):
                        errors.setdefault(line, {})[column] = error
                if start := _LINKS.search(data):
                    section += data[start.start() :]
                data = data[_start_of_rest(data) :]
        if section:
            addresses = _relations(archive, part)
            for line, column, link in _links_of(root + bytes(section), addresses, height):
                found.setdefault(line, {})[column] = link
    return found


def sheet_extent(file: IO[bytes], sheet: str) -> int:
    """The cells between the first and the last one of a sheet, as the file says; 0 if it does not.

    Args:
        file: The workbook.
        sheet: The name of the sheet.
    """
    with zipfile.ZipFile(file) as archive:
        part = _part_of_sheet(archive, sheet)
        if part is None:
            return 0
        with archive.open(part) as xml:
            found = _EXTENT.search(xml.read(_CHUNK))
    if found is None:
        return 0
    left, top, right, bottom = (one.decode() for one in found.groups())
    return (_column(right) - _column(left) + 1) * (int(bottom) - int(top) + 1)


def _start_of_rest(data: bytes) -> int:
    """Where the part begins that may go on in the next chunk: a cell, or the name of an element."""
    cell = max(data.rfind(b"<c "), data.rfind(b":c "))
    name = max(len(data) - 64, 0)
    return min(cell, name) if len(data) - _CHUNK < cell and cell >= 0 else name


def _links_in_formulas(data: bytes) -> Iterator[tuple[int, int, str]]:
    at = data.find(b"HYPERLINK(")
    while at >= 0:
        end = data.find(b"</", at)
        start = max(data.rfind(b"<c ", 0, at), data.rfind(b":c ", 0, at))
        cell = _CELL.match(data, start) if start >= 0 else None
        if end >= 0 and cell is not None:
            formula = html.unescape(data[at:end].decode("utf-8", "replace"))
            found = _FORMULA.match(formula)
            link = found[1].replace('""', '"') if found else COMPUTED
            yield int(cell[2]), _column(cell[1].decode()), link
        at = data.find(b"HYPERLINK(", at + 1)


def _errors_in(data: bytes) -> Iterator[tuple[int, int, str]]:
    """The cells with an error, which a workbook's reader gives as blank."""
    at = data.find(b't="e"')
    while at >= 0:
        start = max(data.rfind(b"<c ", 0, at), data.rfind(b":c ", 0, at))
        cell = _CELL.match(data, start) if start >= 0 else None
        if cell is not None and (error := _ERROR.match(data, at)):
            yield int(cell[2]), _column(cell[1].decode()), sys.intern(error[1].decode())
        at = data.find(b't="e"', at + 1)


def _links_of(xml: bytes, addresses: dict[str, str], height: int) -> Iterator[tuple[int, int, str]]:
    for element in ElementTree.fromstring(xml).iter():
        if not element.tag.endswith("}hyperlink"):
            continue
        address = addresses.get(_attribute(element, "id"))
        ends = [_PLACE.fullmatch(one) for one in element.get("ref", "").split(":")]
        if address is None or None in ends:
            continue
        first, last = ends[0], ends[-1]
        assert first is not None
        assert last is not None
        if place := element.get("location"):
            address = f"{address}#{place}"
        for line in range(int(first[2]), min(int(last[2]), height) + 1):
            for column in range(_column(first[1]), _column(last[1]) + 1):
                yield line, column, address


def _part_of_sheet(archive: zipfile.ZipFile, sheet: str) -> str | None:
    if "xl/workbook.xml" not in archive.namelist():
        return None
    parts = _relations(archive, "xl/workbook.xml")
    for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            part = posixpath.join("xl", parts.get(_attribute(element, "id"), "")).lstrip("/")
            return part if part in archive.namelist() else None
    return None


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """What the ids in a part stand for."""
    folder, name = posixpath.split(part)
    path = f"{folder}/_rels/{name}.rels"
    if path not in archive.namelist():
        return {}
    return {
        element.get("Id", ""): element.get("Target", "")
        for element in ElementTree.fromstring(archive.read(path)).iter()
    }


def _attribute(element: ElementTree.Element, name: str) -> str:
    """An attribute of any namespace: `r:id` has two, by the edition of the format."""
    return next((text for key, text in element.items() if key.endswith(f"}}{name}")), "")


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
