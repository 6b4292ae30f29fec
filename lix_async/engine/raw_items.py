"""The items of a page exactly as the provider sent them, paired with the decoded items.

A struct keeps the fields that it declares; an output file must keep all of them. So the list that
the items were decoded from is searched for in the raw body. A list is accepted only if each of its
entries, decoded on its own, equals the item that it is paired with. Where decoding rearranges a
page (reactions grouped by kind), no list passes; then the items are encoded from the structs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from ..core.decoding import TolerantDecoder, decoder_for, write_item
from ..core.json_text import SchemaMismatch, compact, strict_json
from ..core.models import item_type
from .pages import Page

Item = TypeVar("Item")
_MAX_DEPTH = 4


class RawItems(NamedTuple, Generic[Item]):
    """The new items of a page, each as one JSON text."""

    items: list[bytes]
    as_received: bool
    """Whether they are as the provider sent them, and not encoded from the structs."""


def raw_items(page: Page[Item]) -> RawItems[Item]:
    """The new items of a page as received, or encoded from the structs if they cannot be paired."""
    listing = None if page.answer is None else page.answer.value
    if page.answer is not None and listing is not None:
        items = listing.rows()
        positions = {id(item): position for position, item in enumerate(items)}
        wanted = [positions.get(id(item)) for item in page.items]
        kind = item_type(type(listing))
        raw = None if None in wanted else _paired_entries(page.answer.body, items, kind)
        if raw is not None:
            return RawItems([compact(raw[n]) for n in wanted if n is not None], True)
    return RawItems([write_item(item) for item in page.items], not page.items)


def _paired_entries(body: bytes, items: Sequence[object], kind: type) -> list[bytes] | None:
    decoder: TolerantDecoder[object] = decoder_for(kind)
    for candidate in _json_lists(body):
        entries = [entry for entry in candidate if entry != b"null"]
        if len(entries) == len(items) and all(
            decoder.read_item(entry) == item for entry, item in zip(entries, items, strict=True)
        ):
            return entries
    return None


def _json_lists(body: bytes) -> Iterator[list[bytes]]:
    """The lists in a body, outer ones first."""
    try:
        level = [strict_json(body)]
    except SchemaMismatch:
        return
    for _ in range(_MAX_DEPTH):
        deeper: list[bytes] = []
        for text in level:
            if text.lstrip()[:1] == b"[":
                entries = [bytes(e) for e in msgspec.json.decode(text, type=list[msgspec.Raw])]
                yield entries
                deeper += entries[:1]
            elif text.lstrip()[:1] == b"{":
                members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
                deeper += [bytes(value) for value in members.values()]
        level = deeper
