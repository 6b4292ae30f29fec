"""What a file is by its first bytes, and what to do with one that has no table."""

from __future__ import annotations

import re
import shlex
import zipfile
from collections.abc import Sequence
from typing import Literal

from ..errors import CommandError
from .source import STDIN, InputSource, has_wide_text, is_binary

_SPREADSHEET = "open it, and save the table as .xlsx or CSV"
_UNPACK = "unpack it, and pass the file that is inside"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_FOREIGN: Sequence[tuple[bytes, str, str]] = (
    (b"%PDF", "a PDF", "copy the links into a spreadsheet or a text file"),
    *(
        (mark, "a picture", "copy the links into a spreadsheet or a text file")
        for mark in (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
    ),
    (b"\x1f\x8b", "compressed with gzip", "unpack it: gunzip < FILE | lix enrich - --out OUT.csv"),
    *(
        (mark, "compressed", _UNPACK)
        for mark in (b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!")
    ),
    (b"SQLite format 3\0", "a database", "`lix run export` writes the rows of a ledger"),
    (b"ARROW1", "an Arrow file", "save it as Parquet or CSV"),
    (b"{\\rtf", "a rich text document", "save it as plain text"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype html|html|head|body|table|meta|\?xml|!--)", re.IGNORECASE)
_ZIPPED: Sequence[tuple[str, str, str]] = (
    ("word/", "a Word document", "copy the links into a spreadsheet or a text file"),
    ("ppt/", "a presentation", "copy the links into a spreadsheet or a text file"),
    ("Index/", "an Apple Numbers document", "choose File > Export To > Excel or CSV in Numbers"),
    ("index.apxl", "an Apple Keynote document", "copy the links into a text file"),
)
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument."


def file_kind(source: InputSource) -> Literal["text", "workbook", "parquet"]:
    """What a file is.

    Raises:
        CommandError: It has no table. The message says what it is, and what to do.
    """
    head = source.head
    start = head.lstrip(b" \t\r\n")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return _of_archive(source)
    if head.startswith(_OLE):
        with source.open() as file:
            locked = _ENCRYPTED in file.read()
        what = (
            "protected with a password"
            if locked
            else "a document of an old Office program, such as .xls"
        )
        raise _refused(source, what, _SPREADSHEET + (" without it" if locked else ""))
    for mark, what, hint in _FOREIGN:
        if start.startswith(mark):
            raise _refused(source, what, hint.replace("FILE", _quoted(source)))
    if head[8:12] == b"WEBP" or head[4:8] == b"ftyp":
        raise _refused(source, "a picture or a film", "pass a file with links")
    if has_wide_text(head):
        return "text"
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise _refused(source, "a web page or another XML document", _SPREADSHEET)
    if is_binary(head):
        raise _refused(source, "not text, and its format is unknown", _SPREADSHEET)
    return "text"


def _quoted(source: InputSource) -> str:
    return "FILE.gz" if source.name == STDIN else shlex.quote(source.name)


def _of_archive(source: InputSource) -> Literal["workbook"]:
    try:
        with source.open() as file, zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            document = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
        raise _refused(source, "damaged", "open it in a spreadsheet, and save it again") from None
    if any(name.startswith("xl/workbook.") for name in names):
        return "workbook"
    if document.startswith(_OPEN_DOCUMENT):
        if document.startswith(_OPEN_DOCUMENT + b"spreadsheet"):
            return "workbook"
        raise _refused(
            source, "a text document", "copy the links into a spreadsheet or a text file"
        )
    for start, what, hint in _ZIPPED:
        if any(name.startswith(start) for name in names):
            raise _refused(source, what, hint)
    inside = [one for one in names if one.lower().endswith((".csv", ".xlsx", ".jsonl", ".parquet"))]
    inside.sort(key=lambda name: "connections" not in name.lower())  # of LinkedIn's own archive
    hint = f"unpack it, and pass {inside[0]}" if inside else _UNPACK
    raise _refused(source, "a ZIP archive", hint)


def _refused(source: InputSource, what: str, hint: str) -> CommandError:
    return CommandError(f"{source.name} is {what}", hint=hint)
