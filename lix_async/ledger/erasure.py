"""What is of somebody, found in texts and answers, and cut out of them.

Ids are found where an endpoint says that they stand, in links and URNs anywhere, and in the middle
of other texts. The object that has one is cut out: with the item of the list that it is in, as a
comment goes with its author, but not with an object that is known to be another one's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import cast
from urllib.parse import unquote

import msgspec

from ..core.json_text import SchemaMismatch, parse_json
from ..core.subject_ids import IdGroup, SubjectType
from ..linkedin.subject_ids import WEAK, AliasKey, Identifier, read_id
from .identity import group_objects, ids_of

LONG_NUMBER = 8
"""Digits that are taken for an id wherever they stand."""
_WORD = re.compile(r"[\w-]+")
_IN_NAME = re.compile(rb"[A-Za-z0-9_-]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLACES = {
    "slug": ("in/", "pub/", "people/"),
    "company": ("company/", "school/", "showcase/"),
    "member": ("member:",),
    "organisation": ("company/", "company:", "organization:", "organisation:"),
}
"""What is before an id that is no id everywhere."""
_GONE = object()


class ErasedIds:
    """The ids of those who are forgotten.

    Args:
        aliases: Their ids in the ledger.
        ids: The ids themselves, as far as they are known.
        kinds: By slug, the kinds of strong ids that are known of whoever has it.
    """

    def __init__(
        self,
        aliases: Iterable[AliasKey],
        ids: Iterable[Identifier],
        kinds: Mapping[AliasKey, Set[str]] | None = None,
    ) -> None:
        self.ids = frozenset(ids)
        self.shared: set[Identifier] = set()
        """Those of the ids that stay where they stand, as others have had the same slug."""
        self._kinds = kinds or {}
        self.aliases = frozenset(aliases) | {one.alias for one in self.ids}
        self._words = frozenset(_word(one.id) for one in self.ids)
        forms = sorted({form for one in self.ids for form in _forms(one)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(forms) or r"(?!)")

    def are_in(self, text: bytes | str) -> bool:
        """Whether a text has one of them, however it is written."""
        plain = plain_text(text)
        return not self._words.isdisjoint(_WORD.findall(plain)) and bool(
            self._pattern.search(plain)
        )

    def may_be_in(self, text: bytes) -> bool:
        """Whether it is worth looking: also true for words and numbers that look like one."""
        return not self._words.isdisjoint(_WORD.findall(plain_text(text)))

    def are_among(self, ids: Set[AliasKey]) -> bool:
        """Whether ids that belong together are of one of them.

        Strong ids decide. A slug is another one's where the ids beside it have a strong one of a
        kind of which they have another.
        """
        found = self.aliases & ids
        if any(kind not in WEAK for kind, _ in found):
            return True
        kinds = {kind for kind, _ in ids}
        return any(kinds.isdisjoint(self._kinds.get(one, ())) for one in found)

    def are_given(self, given: bytes, subject: SubjectType | None) -> bool:
        """Whether an input, as JSON, names one of them."""
        if self.are_in(given):
            return True
        if not self.may_be_in(given):
            return False
        try:
            stack: list[object] = [parse_json(given)]
        except SchemaMismatch:
            return False
        while stack:
            one = stack.pop()
            if isinstance(one, dict):
                values = cast("dict[str, object]", one).values()
                stack += [value for value in values if not isinstance(value, int)]
            elif isinstance(one, str | int) and self._has(str(one), "name", subject):
                return True
        return False

    def without(self, text: str) -> str:
        """A text without them."""
        if not self.are_in(text):
            return text
        text = self._pattern.sub("", plain_text(text))
        return "" if self.are_in(text) else text

    def _has(self, text: str, form: str, subject: SubjectType | None) -> bool:
        if form == "link":
            found = read_id(text, "link", None)
        else:
            found = read_id(text, "name", subject) or read_id(text, "lix", subject)
        return found is not None and found.alias in self.aliases

    def cut_out(
        self,
        body: bytes,
        groups: Sequence[IdGroup],
        *,
        page: bool = False,
        own: Set[AliasKey] = frozenset(),
    ) -> bytes | None:
        """An answer without them: itself where it has nothing of them.

        Args:
            body: The answer.
            groups: Where ids stand in it.
            page: Whether it is a page of a listing, which may lose rows and stays a page. Null
                takes their places: positions in the listing count every row.
            own: Strong ids of whom it is known to be about.

        Returns:
            The answer; None where nothing of it may stay.
        """
        try:
            tree = parse_json(body)
        except SchemaMismatch:
            return None if self.are_in(body) else body
        theirs: set[int] = set()
        others: dict[int, frozenset[Identifier]] = {}
        names: set[str] = set()
        for group in groups:
            for one in group_objects(group, tree):
                ids = ids_of(group, one)
                are_theirs = self.are_among(
                    {found.alias for found in ids} | (own if group.own else frozenset())
                )
                if isinstance(one, dict):
                    if not are_theirs:
                        shared = frozenset(found for found in ids if found.alias in self.aliases)
                        place = id(cast("object", one))
                        others[place] = others.get(place, frozenset()) | shared
                        continue
                    theirs.add(id(cast("object", one)))
                    name = cast("dict[str, object]", one).get("name")
                    if isinstance(name, str):
                        names.add(name)
        if page:
            others.setdefault(id(tree), frozenset())
        left = self._cut(tree, theirs, others, names, rows=page)
        if left is _GONE:
            return None
        return body if left == tree else msgspec.json.encode(left)

    def _cut(
        self,
        node: object,
        theirs: set[int],
        others: Mapping[int, frozenset[Identifier]],
        names: set[str],
        shared: frozenset[Identifier] = frozenset(),
        *,
        rows: bool = False,
    ) -> object:
        """A part of an answer without them, or that it is to go.

        A name goes from a list of names. Elsewhere it may be another one's, who has the same. So
        may be a slug, which stays in the object of someone else who has had it.
        """
        if isinstance(node, str):
            if shared and (found := _one_of(node, shared)) is not None:
                self.shared.add(found)
                return node
            return _GONE if self._is_id(node) else self.without(node)
        if isinstance(node, list):
            items = [
                _GONE
                if isinstance(one, str) and one in names
                else self._cut(one, theirs, others, names, shared)
                for one in cast("list[object]", node)
            ]
            if rows:
                return [None if one is _GONE else one for one in items]
            return [one for one in items if one is not _GONE]
        if not isinstance(node, dict):
            return node
        if id(cast("object", node)) in theirs:
            return _GONE
        shared = others.get(id(cast("object", node)), shared)
        left = {
            self.without(name): self._cut(one, theirs, others, names, shared, rows=rows)
            for name, one in cast("dict[str, object]", node).items()
        }
        if _GONE not in left.values():
            return left
        if id(cast("object", node)) not in others:
            return _GONE
        return {name: None if one is _GONE else one for name, one in left.items()}

    def _is_id(self, text: str) -> bool:
        if len(text) > 2048 or self._words.isdisjoint(_WORD.findall(plain_text(text))):
            return len(text) <= 2048 and "/" in text and self._has(text, "link", None)
        whole = plain_text(text).strip()
        bare = any(one.id.lower() == whole and _is_distinctive(one) for one in self.ids)
        return bare or self._has(text, "link", None)


def _one_of(text: str, ids: Set[Identifier]) -> Identifier | None:
    """The one of some ids that a text is."""
    found, plain = read_id(text, "link", None), plain_text(text).strip()
    return next((one for one in ids if one == found or one.id.lower() == plain), None)


def plain_text(text: bytes | str) -> str:
    """A text in lower case, with what JSON and addresses escape as it is meant."""
    if isinstance(text, bytes):
        text = text.decode("utf-16" if b"\0" in text[:4] else "utf-8", "replace")
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if "%" in text:
        text = unquote(text)
    return text.lower()


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return found[2] if found[2] in '\\/"' else " "


def needles(ids: Iterable[Identifier]) -> list[bytes]:
    """The bytes by which ids are looked for in files: in UTF-8, escaped, and in UTF-16."""
    found: set[bytes] = set()
    for one in ids:
        places = ("",) if _is_distinctive(one) else _PLACES[one.kind]
        for text in (f"{place}{one.id}" for place in places):
            escaped = json.dumps(text)[1:-1].encode()
            found |= {text.encode(), escaped, text.replace("/", "\\/").encode()}
            found |= {_percent(text), _percent(text).lower(), text.encode("utf-16-le")}
    return sorted(found)


def place_in(data: bytes, pattern: bytes, start: int = 0) -> int:
    """Where a pattern stands in bytes, not as a part of a longer name; -1 where it does not."""
    while (place := data.find(pattern, start)) >= 0:
        around = data[max(place - 1, 0) : place], data[place + len(pattern) :][:1]
        if not any(_IN_NAME.fullmatch(one) for one in around):
            return place
        start = place + 1
    return -1


def _percent(text: str) -> bytes:
    return b"".join(bytes([byte]) if byte < 128 else b"%%%02X" % byte for byte in text.encode())


def _is_distinctive(one: Identifier) -> bool:
    """Whether it is an id wherever it stands, and no usual word or number."""
    if one.kind in ("member", "organisation"):
        return len(one.id) >= LONG_NUMBER
    if one.kind in ("slug", "company"):
        return len(one.id) >= 6 and bool(re.search(r"[-\d]", one.id))
    return True


def _forms(one: Identifier) -> list[str]:
    """Patterns for an id in plain text."""
    places = ("",) if _is_distinctive(one) else _PLACES[one.kind]
    return [rf"(?<![\w-]){re.escape(place + one.id.lower())}(?![\w-])" for place in places]


def _word(id_: str) -> str:
    return max(_WORD.findall(id_.lower()), key=len, default=id_.lower())
