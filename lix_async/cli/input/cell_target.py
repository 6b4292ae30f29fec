"""The target in a cell: a link, a link behind a text, a link among words, or a bare handle."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...linkedin import classify
from ..text import one_line
from .lookup_kinds import LookupKind
from .table_row import COMPUTED
from .targets import TARGET_NAMES, LookupTarget, is_linkedin_page, parse_target, parse_website

LINK_WORD = re.compile(
    r"(?<![\w.@/-])(?:https?://|(?:[a-z0-9-]+\.)+[a-z]+/)"
    r"(?:(?![,;|]+\s*https?://)[^\s<>\"'|])+",
    re.IGNORECASE,
)
ADDRESS_WORD = re.compile(
    r"[^@\s<>\"',;/:()\[\]]{1,64}@[^@\s<>\"',;/:()\[\]]{1,250}\.[^@\s<>\"',;/:()\[\]]+"
)
"""A link, and an e-mail address, among other words."""
_MAX_CHARS = 4096
"""Characters of a text whose words are searched. A longer one is no cell for a link."""
_AFTER_LINK = ".,;:!?)]}*"
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd]")
_HANDLE = re.compile(r"(?:@|/?in/)?([\w%-]{3,100})/?")
_PAGES = {"job": "a job", "post": "a post", "thread": "a conversation"}


class CellReader:
    """Reads the one target in a cell.

    Args:
        kinds: The accepted kinds of target.
        handles: Whether the last part of a link is accepted alone, such as `ada-example`.
    """

    def __init__(self, kinds: frozenset[LookupKind], *, handles: bool = False) -> None:
        self.kinds = kinds
        self._handle_page = ""
        if handles:
            self._handle_page = "in" if "person" in kinds else "company"

    def read(self, cell: object, link: str | None = None) -> tuple[LookupTarget | None, str]:
        """The target of a cell, else the reason why it has none.

        Args:
            cell: The cell.
            link: The link behind its text.
        """
        text = _text(cell)
        if _NO_TEXT.search(text):
            return None, "it has bytes that are no text"
        target = self._parse(text)
        if target is None and link is not None:
            target = self._parse(link)
            if target is None and link == COMPUTED:
                return None, "a formula makes the address of its link: put it into a cell as text"
        if target is None or target.kind not in self.kinds:
            return self._find_among_words(text, target, link or "")
        return target, ""

    def first_target(self, cell: object, link: str | None) -> tuple[LookupTarget | None, bool]:
        """The first target of any kind in a cell or behind it, and whether it is all of it."""
        return first_target(cell, link)

    def _parse(self, text: str) -> LookupTarget | None:
        return parse_target(text)

    def _find_among_words(
        self, text: str, other: LookupTarget | None, link: str
    ) -> tuple[LookupTarget | None, str]:
        found = [] if other else list(targets_in(text))
        for kind in ("person", "org", "email"):
            accepted = {one.key: one for one in reversed(found) if one.kind == kind in self.kinds}
            if len(accepted) > 1:
                return None, "several links in one cell: give each a row of its own"
            if accepted:
                return next(iter(accepted.values())), ""
        if other is None and self._handle_page and (handle := _handle(text)):
            return parse_target(f"https://www.linkedin.com/{self._handle_page}/{handle}"), ""
        return None, self._reason(text.strip() or link, other or next(iter(found), None))

    def _reason(self, text: str, other: LookupTarget | None) -> str:
        if not text:
            return "no link"
        if other is not None:
            names = " or ".join(TARGET_NAMES[one].one for one in TARGET_NAMES if one in self.kinds)
            return f"{TARGET_NAMES[other.kind].one}, where {names} is needed"
        if "lnkd.in/" in text.lower():
            return "a short link: open it, and use the address that it leads to"
        page = classify(text).kind
        if page != "unknown":
            return f"a link of {_PAGES.get(page, 'a search or a list')}, not of a person or company"
        return f"not a link of a person or company: {one_line(text, 60)!r}"


class WebsiteReader(CellReader):
    """Reads the website that a cell is, or that is behind its text."""

    def __init__(self) -> None:
        super().__init__(frozenset({"website"}))

    def first_target(self, cell: object, link: str | None) -> tuple[LookupTarget | None, bool]:
        """The website of a cell, else its first target of any kind, and whether it is all of it."""
        target = self.read(cell, link)[0] if isinstance(cell, str) else None
        return first_target(cell, link) if target is None else (target, True)

    def _parse(self, text: str) -> LookupTarget | None:
        return parse_website(text)

    def _find_among_words(
        self, text: str, other: LookupTarget | None, link: str
    ) -> tuple[LookupTarget | None, str]:
        return None, self._reason(text.strip() or link, other)

    def _reason(self, text: str, other: LookupTarget | None) -> str:
        if not text:
            return "no website"
        other, _ = first_target(text, None)
        if other is not None or is_linkedin_page(text):
            name = "a LinkedIn link" if other is None else TARGET_NAMES[other.kind].one
            return f"{name}, where a website is needed"
        return f"not a website: {one_line(text, 60)!r}"


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else "" if cell is None else str(cell)


def first_target(cell: object, link: str | None) -> tuple[LookupTarget | None, bool]:
    """The first target of any kind in a cell or behind it, and whether there are no other words."""
    if not isinstance(cell, str):
        return None, False
    whole = parse_target(cell) or (parse_target(link) if link else None)
    return whole or next(targets_in(cell), None), whole is not None


def mentions_target(text: str) -> bool:
    """Whether a text has a target among its words."""
    return next(targets_in(text), None) is not None


def targets_in(text: str) -> Iterator[LookupTarget]:
    """The links among the words of a text; its e-mail addresses where there are none."""
    if len(text) > _MAX_CHARS:
        return
    links = [target for word in LINK_WORD.findall(text) if (target := _trimmed(word))]
    yield from links or filter(None, map(parse_target, ADDRESS_WORD.findall(text)))


def _trimmed(word: str) -> LookupTarget | None:
    """The target of a link with the punctuation of a sentence behind it."""
    return parse_target(word.rstrip(_AFTER_LINK))


def _handle(text: str) -> str | None:
    found = _HANDLE.fullmatch(text.strip())
    if found is None or found[1].isdigit():
        return None
    return found[1]
