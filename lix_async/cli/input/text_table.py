"""Plain text with a link on each line, or several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from .cell_target import ADDRESS_WORD, LINK_WORD
from .heading import HEAD_ROWS
from .source import TextSource, has_escape, restored
from .table_row import InputTable, TableRow
from .targets import parse_target, target_weight

_BETWEEN = re.compile(r"[\s,;|]+")
_HEADING = re.compile(
    r"(?:[\w-]+ ){0,3}\W?(?:links?|urls?|linkedin|profiles?|handles?|slugs?|user ?names?|"
    r"e-?mails?|websites?|domains?|home ?pages?|company|companies|people|person)",
    re.IGNORECASE,
)
"""A first line that stands above links."""
_LINE = frozenset({0})


class TextTable(InputTable):
    """A text file: each line is a row, and each link of a line that has nothing else."""

    format = "text"

    def __init__(self, text: TextSource) -> None:
        self._text = text
        self.path = text.source.name
        self.encoding = text.encoding
        self.notes = text.notes
        first = next((line.strip() for line in text.head.splitlines() if line.strip()), "")
        self._has_heading = _HEADING.fullmatch(first) is not None
        self.names = [first if self._has_heading else "link"]

    def rows(self) -> Iterator[TableRow]:
        with self._text.open() as lines:
            filled = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
            for number, line in islice(filled, int(self._has_heading), None):
                bad = self._text.has_escapes and has_escape(line)
                for word in links_of_line(restored(line) if bad else line):
                    yield TableRow(number, [word], guessed=_LINE if bad else frozenset())


def links_of_line(line: str) -> list[str]:
    """The links of a line that has nothing else, else the line itself."""
    line = line.strip()
    if parse_target(line):
        return [line]
    words = [word for word in _BETWEEN.split(line) if word]
    if all(map(parse_target, words)):
        return words
    rest = LINK_WORD.sub("", line)
    words = LINK_WORD.findall(line)
    if not words:
        rest, words = ADDRESS_WORD.sub("", line), ADDRESS_WORD.findall(line)
    several = len(words) > 1 and not re.search(r"\w", rest) and all(map(parse_target, words))
    return words if several else [line]


def is_list_of_links(text: str) -> bool:
    """Whether a text has links only, some of them on one line.

    Links on a line may also be columns, which have pages of different kinds.
    """
    lines = (line for line in text.splitlines() if line.strip())
    several = False
    for words in map(links_of_line, islice(lines, HEAD_ROWS)):
        targets = [parse_target(word) for word in words]
        if len({one and (one.kind, target_weight(one)) for one in targets} - {None}) != 1:
            return False
        several = several or len(words) > 1
    return several
