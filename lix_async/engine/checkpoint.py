"""The state of a listing after an item, as JSON."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from ..core.bridge import ReadableStruct
from ..core.endpoint import Endpoint, P
from ..core.errors import PagingError
from ..core.models import Params

R = TypeVar("R")
VERSION = 1


class PaginationStats(ReadableStruct, msgspec.Struct):
    """Counts of a listing so far."""

    items: int = 0
    """Items handed out."""
    pages: int = 0
    """Pages fetched."""
    duplicates: int = 0
    """Items dropped because their id was seen earlier in this listing."""
    nulls: int = 0
    """Rows that were null: they count as received, and are not handed out."""
    repaired: int = 0
    """Rows received with a field that did not fit, which is None in the item."""
    unreadable: int = 0
    """Rows received that could not be read at all: each is handed out as an `UnreadableItem`."""
    credits: int = 0
    """Credits charged for the pages, by the price list."""
    total: int | None = None
    """The number of matches that the provider claimed last; it may return fewer."""
    complete: bool = False
    """Whether the listing reached its end with as many items as the provider promised."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a listing: pass it as `resume=` to continue with the next item.

    It holds the parameters of the next page, the items that were paid for and not handed out yet,
    and the ids of the items seen. It does not hold the API key, but it does hold personal data.
    """

    # The names in JSON are those of the first version; files with them must stay readable.
    version: int = VERSION
    """The version of the format."""
    endpoint: str
    """The catalogue id of the listing, such as `search.people`."""
    origin: str
    """Fingerprint of the endpoint and the parameters without position."""
    params: msgspec.Raw
    """The parameters of the next page as JSON; `null` after the last page."""
    pending: msgspec.Raw = msgspec.field(name="owed")
    """Items that were fetched and not handed out, as a JSON array."""
    offset: int | None = msgspec.field(name="before")
    """Items before the next page; None before the first page."""
    empty_page_confirmed: bool = msgspec.field(name="confirmed")
    """Whether the last page was empty and is being requested once more."""
    seen_ids: tuple[int, ...] = msgspec.field(name="seen")
    """Ids of the items handed out, as 64-bit fingerprints."""
    pages: tuple[int, ...]
    """Fingerprints of the pages read, the latest last."""
    stats: PaginationStats
    """The counts of the listing so far."""

    @property
    def ended(self) -> bool:
        """Whether the last page was read. Some of its items may still be pending."""
        return bytes(self.params) == b"null"

    def to_json(self) -> bytes:
        """The checkpoint as JSON. Store it in a file that only you can read."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Checkpoint:
        """Read a checkpoint that `to_json` wrote.

        Raises:
            PagingError: If `data` is not a checkpoint of this version.
        """
        try:
            checkpoint = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeError, RecursionError, TypeError):
            checkpoint = None
        if checkpoint is None or checkpoint.version != VERSION:
            raise PagingError("invalid checkpoint: expected one of this version of lix_async")
        return checkpoint


def fingerprint(text: bytes) -> int:
    """A 64-bit fingerprint that is the same in every process (unlike `hash`)."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def listing_fingerprint(endpoint: Endpoint[P, R], params: Params) -> str:
    """Fingerprint of a listing: its endpoint and its prepared parameters without position."""
    assert endpoint.paging is not None  # callers have checked that it is a listing
    start = endpoint.paging.without_position(params)
    if endpoint.paging.sequence and getattr(start, "sequence_id", None) is not None:
        start = msgspec.structs.replace(start, sequence_id=None)
    return f"{fingerprint(endpoint.id.encode() + msgspec.json.encode(start)):016x}"
