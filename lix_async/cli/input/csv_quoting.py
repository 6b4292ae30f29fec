r"""CSV whose quotes are written otherwise: a blank before them (`"a", "b"`), or `\"` inside.

Such lines are turned into those of ordinary CSV, where a whole file is consistently written so.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from .source import HEAD_CHARS

_EXAMINED = 2000
"""Lines by which it is decided."""
_SPECIAL = re.compile(r'["\\]')
_BLANK_QUOTE = re.compile(r' +"')


class CsvQuoting(NamedTuple):
    """How quotes are written."""

    after_blank: bool = False
    """Whether blanks stand between a delimiter and a quote."""
    by_backslash: bool = False
    r"""Whether a quote inside a cell is `\"`, and a backslash `\\`, as MySQL writes them."""

    def ordinary(self, lines: Iterable[str], delimiter: str) -> Iterable[str]:
        """The same lines as ordinary CSV: no line more or less."""
        return _Rewriter(self, delimiter).lines(lines) if any(self) else lines


ORDINARY = CsvQuoting()


class _Rewriter:
    """Rewrites lines, and counts what speaks for or against a way of quoting."""

    def __init__(self, quoting: CsvQuoting, delimiter: str) -> None:
        self._quoting = quoting
        self._delimiter = delimiter
        opening = ' *"' if quoting.after_blank else '"'
        self._opening = re.compile(opening)
        self.after_blank = self.without_blank = self.escaped = self.doubled = 0

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        inside = False
        for line in lines:
            if not inside and '"' not in line:
                yield line
                continue
            parts: list[str] = []
            place = 0
            while place < len(line):
                step = self._inside if inside else self._outside
                place, inside = step(line, place, parts)
            yield "".join(parts)

    def _outside(self, line: str, place: int, parts: list[str]) -> tuple[int, bool]:
        """A cell without quotes and the delimiter after it, or what opens a quoted one."""
        opening = self._opening.match(line, place)
        if opening is not None and (place == 0 or line[place - 1] == self._delimiter):
            blank = opening.end() - place > 1
            self.after_blank += blank
            self.without_blank += place > 0 and not blank
            parts.append('"')
            return opening.end(), True
        end = line.find(self._delimiter, place)
        end = len(line) if end < 0 else end + 1
        parts.append(line[place:end])
        return end, False

    def _inside(self, line: str, place: int, parts: list[str]) -> tuple[int, bool]:
        """A part of a quoted cell up to what ends it, or to an escape."""
        special = _SPECIAL.search(line, place)
        if special is None:
            parts.append(line[place:])
            return len(line), True
        start = special.start()
        parts.append(line[place:start])
        pair = line[start : start + 2]
        if pair[0] == "\\" and not self._quoting.by_backslash:
            parts.append("\\")
            return start + 1, True
        if pair[0] == "\\":
            self.escaped += pair == '\\"'
            # A line break has a backslash before it, too; others stand for themselves.
            parts.append({'\\"': '""', "\\\\": "\\", "\\\n": "\n", "\\\r": "\r"}.get(pair, pair))
            return start + 2, True
        if pair == '""':
            self.doubled += 1
            parts.append(pair)
            return start + 2, True
        parts.append('"')
        return start + 1, False


def quoting_of(lines: Iterable[str], delimiter: str) -> CsvQuoting:
    """How the quotes of a CSV are written, by its first lines.

    Another way than the ordinary one is taken where all lines speak for it: read in the ordinary
    way their quotes make no sense, in that way they do, and no line has both.

    Args:
        lines: The lines, with their ends.
        delimiter: What is between cells.
    """
    head = list(islice(lines, _EXAMINED))
    text = "".join(head)
    blank = re.search(f'{re.escape(delimiter)} +"', text) is not None
    backslash = '\\"' in text
    if not (blank or backslash):
        return ORDINARY
    is_whole = len(head) < _EXAMINED and len(text) < HEAD_CHARS
    if makes_sense(head, delimiter, is_whole=is_whole):
        return ORDINARY
    usual = _usual_rows(head, delimiter)
    for quoting in (CsvQuoting(blank), CsvQuoting(False, backslash), CsvQuoting(blank, backslash)):
        rewriter = _Rewriter(quoting, delimiter)
        found = list(rewriter.lines(head))
        if (quoting.after_blank and (rewriter.without_blank or not rewriter.after_blank)) or (
            quoting.by_backslash and (rewriter.doubled or not rewriter.escaped)
        ):
            continue
        sense = any(quoting) and makes_sense(found, delimiter, is_whole=is_whole)
        if sense and usual <= _usual_rows(found, delimiter):
            return quoting
    return ORDINARY


def makes_sense(lines: Sequence[str], delimiter: str, *, is_whole: bool = True) -> bool:
    """Whether the quotes of lines are those of ordinary CSV.

    Args:
        lines: The lines.
        delimiter: What is between cells.
        is_whole: Whether the last record is whole; else it may be cut off.
    """
    try:
        for record in csv.reader(lines, delimiter=delimiter, strict=True):
            if any(map(_BLANK_QUOTE.match, record[1:])):
                return False
    except csv.Error as error:
        return not is_whole and "end of data" in str(error)
    return True


def _usual_rows(lines: Sequence[str], delimiter: str) -> float:
    """The share of records that have as many cells as most."""
    widths: Counter[int] = Counter()
    try:
        widths.update(map(len, csv.reader(lines, delimiter=delimiter)))
    except csv.Error:  # such as a cell without an end
        return 0.0
    return max(widths.values(), default=0) / max(widths.total(), 1)
