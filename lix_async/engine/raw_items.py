"""The rows of a page exactly as the provider sent them, paired with the items that were read.

A struct keeps what it knows; a row on disk shall hold everything. So the list that the items were
read from is looked for in the raw body, and taken only when every entry, read on its own, gives
the very item that it is paired with. Where a page is rearranged on the way (reactions grouped by
kind), there is no such list: then the items are written as the structs have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from ..core.decoding import SchemaMismatch, compact, decoder_for
from .pages import Page

Item = TypeVar("Item")
_DEPTH = 4
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class RawItems(NamedTuple, Generic[Item]):
    """The new rows of a page; `whole` tells whether they are as sent."""

    rows: list[bytes]
    whole: bool


def raw_items(page: Page[Item]) -> RawItems[Item]:
    """The page's new items as rows: as sent where they can be paired, else as read."""
    listing = None if page.answer is None else page.answer.value
    if page.answer is not None and listing is not None:
        items = listing.rows()
        places = {id(item): place for place, item in enumerate(items)}
        wanted = [places.get(id(item)) for item in page.items]
        raw = _paired(page.answer.body, items) if None not in wanted else None
        if raw is not None:
            return RawItems([compact(raw[place]) for place in wanted if place is not None], True)
    return RawItems([msgspec.json.encode(item) for item in page.items], not page.items)


def _paired(body: bytes, items: Sequence[object]) -> list[bytes] | None:
    for entries in _lists(body):
        kept = [entry for entry in entries if entry != b"null"]
        if len(kept) == len(items) and all(map(_reads_as, kept, items)):
            return kept
    return None


def _reads_as(entry: bytes, item: object) -> bool:
    try:
        if isinstance(item, dict):
            return bool(msgspec.json.decode(entry) == item)
        return bool(decoder_for(type(item)).read(entry) == item)
    except (SchemaMismatch, *_BROKEN):
        return False


def _lists(body: bytes) -> Iterator[list[bytes]]:
    """The lists in a body, the outer ones first."""
    level = [body.removeprefix(b"\xef\xbb\xbf")]
    for _ in range(_DEPTH):
        deeper: list[bytes] = []
        for text in level:
            try:
                if text.lstrip()[:1] == b"[":
                    entries = [bytes(e) for e in msgspec.json.decode(text, type=list[msgspec.Raw])]
                    yield entries
                    deeper += entries[:1]
                elif text.lstrip()[:1] == b"{":
                    inside = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
                    deeper += [bytes(part) for part in inside.values()]
            except _BROKEN:
                continue
        level = deeper
