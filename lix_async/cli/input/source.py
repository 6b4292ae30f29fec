"""The bytes of an input file: where they are, what they are, and the encoding of a text."""

from __future__ import annotations

import codecs
import io
import os
import re
import shutil
import stat
import sys
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from ..errors import CommandError
from ..text import plural

STDIN = "stdin"
"""The name of an input that comes through a pipe."""
HEAD_BYTES = 64 << 10
HEAD_CHARS = 1 << 20
_CHUNK = 1 << 20
_NAMED_LINES = 5
"""Lines with bytes of another encoding that are named in a note."""
_ESCAPED = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")
_NOT_CP1252 = re.compile("[\udc81\udc8d\udc8f\udc90\udc9d\udcff]")
"""Bytes that mean nothing in cp1252, and `ÿ`, which is damage much oftener than text."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class InputSource:
    """A file that can be read from the start any number of times.

    What comes through a pipe is copied to a private temporary file first, which is removed with
    this object.
    """

    def __init__(self, path: str) -> None:
        if not path:  # such as that of a variable that is not set
            raise CommandError(
                "the name of the file is empty", hint="give the name of a file, or - for stdin"
            )
        self.name = STDIN if path == "-" else path
        self.ending = "" if path == "-" else Path(path).suffix.lower()
        self._copy: IO[bytes] | None = None
        try:
            if path == "-":
                self._spool(sys.stdin.buffer)
            else:
                mode = os.stat(path).st_mode
                if stat.S_ISDIR(mode):
                    raise CommandError(
                        f"{path} is a folder", hint="pass a file that is in the folder"
                    )
                if not stat.S_ISREG(mode):
                    with open(path, "rb") as stream:
                        self._spool(stream)
            self.path = Path(path if self._copy is None else self._copy.name)
            self._stamp = self._current_stamp()
            with open(self.path, "rb") as file:
                self.head = file.read(HEAD_BYTES)
        except OSError as error:
            raise self._unreadable(error) from None

    def open(self) -> BinaryIO:
        """The bytes from the start.

        Raises:
            CommandError: The file was changed, or it cannot be read.
        """
        try:
            file = open(self.path, "rb")  # noqa: SIM115  (the caller closes it)
            changed = self._current_stamp() != self._stamp
        except OSError as error:
            raise self._unreadable(error) from None
        if changed:
            file.close()
            raise CommandError(
                f"{self.name} was changed while it was being read",
                hint="run the command again: nothing is paid for twice",
            )
        return file

    def _spool(self, stream: IO[bytes]) -> None:
        self._copy = tempfile.NamedTemporaryFile(prefix="lix_async-")  # noqa: SIM115  (see above)
        shutil.copyfileobj(stream, self._copy, _CHUNK)
        weakref.finalize(self, self._copy.close)
        self._copy.flush()

    def _current_stamp(self) -> tuple[int, int, int]:
        found = self.path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _unreadable(self, error: OSError) -> CommandError:
        return CommandError(
            f"cannot read {self.name}: {error.strerror or error}",
            hint="check its name and permissions, or give - for stdin",
        )


class TextSource:
    """An input file as text of any encoding that spreadsheets write.

    UTF-8 with or without a mark, UTF-16 with or without one, UTF-32 with one, and cp1252. In a
    file of UTF-8, bytes that are not UTF-8 become escapes (`surrogateescape`), for `restored`.
    """

    def __init__(self, source: InputSource) -> None:
        self.source = source
        self.notes: list[str] = []
        self.has_escapes = False
        self.quotes = 0
        """The number of quotes; known where a quote is one byte."""
        self.encoding = _wide_encoding(source.head)
        if not self.encoding:
            self._examine()
        with self.open() as file:
            self.head = file.read(HEAD_CHARS)
            self.is_whole = not file.read(1)
            """Whether the head is the whole text."""

    def open(self) -> io.TextIOWrapper:
        """The text from the start; lines end as they do in the file."""
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "replace"
        return io.TextIOWrapper(self.source.open(), self.encoding, errors, newline="")

    def _examine(self) -> None:
        """Choose between UTF-8 and cp1252, by all bytes of the file."""
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        end = "\r" if b"\r" in self.source.head and b"\n" not in self.source.head else "\n"
        line, last, bad = 1, 0, 0
        named: list[int] = []
        proper = foreign = False  # text that is UTF-8 and not ASCII; bytes that are not cp1252
        with self.source.open() as file:
            chunk = file.read(_CHUNK)
            proper = chunk.startswith(codecs.BOM_UTF8)
            while chunk:
                following = file.read(_CHUNK)
                self.quotes += chunk.count(b'"')
                text = decoder.decode(chunk, not following)
                if not text.isascii():
                    proper = proper or _NOT_ASCII.search(text) is not None
                    foreign = foreign or _NOT_CP1252.search(text) is not None
                    for number in _lines_with_escapes(text, end, line):
                        if number != last:  # a line of two chunks
                            last, bad = number, bad + 1
                            named = [*named, number][:_NAMED_LINES]
                line += text.count(end)
                chunk = following
        if bad > 1 and not (proper or foreign):
            self.encoding = "cp1252"
            self.notes.append(
                f"{self.source.name} is not UTF-8: read as Windows-1252; "
                "where letters are wrong, save it as UTF-8"
            )
            return
        self.encoding = "utf-8-sig" if self.source.head.startswith(codecs.BOM_UTF8) else "utf-8"
        self.has_escapes = bad > 0
        if bad:
            self.notes.append(
                f"{self.source.name}, {plural(bad, 'line')} {_listed(named, bad)}: bytes that are "
                "not UTF-8; such cells are not used as links"
            )


def _lines_with_escapes(text: str, end: str, first: int) -> Iterator[int]:
    if _ESCAPED.search(text):
        for number, line in enumerate(text.split(end), start=first):
            if _ESCAPED.search(line):
                yield number


def _listed(lines: list[int], count: int) -> str:
    text = ", ".join(f"{line:,}" for line in lines)
    return text if count <= len(lines) else f"{text} and {count - len(lines):,} more"


def _wide_encoding(head: bytes) -> str:
    """UTF-16 or UTF-32 by its mark, or UTF-16 without one by the zeros of ASCII; "" for others."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        # Delimiters, line ends and links are ASCII, whatever the language of the rest.
        if 20 * zeros > len(head) and 20 * others < zeros:
            return encoding
    return ""


def has_wide_text(head: bytes) -> bool:
    """Whether bytes are text in UTF-16 or UTF-32."""
    return bool(_wide_encoding(head))


def is_binary(head: bytes) -> bool:
    """Whether bytes, which are not UTF-16, are no text: a tenth of random bytes are controls."""
    return 20 * len(_CONTROL.findall(head)) > len(head)


def restored(text: str) -> str:
    """A text with escapes, as it would read in cp1252."""
    return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def has_escape(text: str) -> bool:
    """Whether a text has bytes that were not UTF-8."""
    return not text.isascii() and _ESCAPED.search(text) is not None
