"""Where a walk stands, exact to the item, as JSON."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from ..core.endpoint import Endpoint, P
from ..core.errors import ConfigurationError, PagingError
from ..core.models import Params
from ..core.wire import NO_TEXT

R = TypeVar("R")
VERSION = 1


class PaginationStats(msgspec.Struct):
    """What a walk did so far. `complete`: it reached its end and got as many as were promised."""

    items: int = 0
    """Items handed out."""
    pages: int = 0
    """Pages fetched."""
    duplicates: int = 0
    """Items dropped because their identity was seen earlier in this walk."""
    credits: int = 0
    """Credits for the pages, by the price list."""
    total: int | None = None
    """Matches that the provider claimed last; may be more than it gives."""
    complete: bool = False


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A walk at one moment: hand it back as `resume=` to go on with the next item.

    Holds the next params, the items of the current page that were not handed out yet (they are
    paid for), and the identities seen. It never holds the key; it does hold personal data.
    """

    version: int = VERSION
    endpoint: str
    origin: str
    """Fingerprint of the search: its params without position."""
    params: msgspec.Raw
    """The next page's params as JSON; `null` when the walk has ended."""
    owed: msgspec.Raw
    before: int | None
    """Rows before the next page; None while no page has been read."""
    confirmed: bool
    seen: tuple[int, ...]
    """Identities handed out, as 64-bit fingerprints."""
    pages: tuple[int, ...]
    """Fingerprints of the pages read."""
    stats: PaginationStats

    @property
    def ended(self) -> bool:
        """Whether the walk has read its last page; items of it may still be owed."""
        return bytes(self.params) == b"null"

    def to_json(self) -> bytes:
        """The checkpoint as JSON. Write it to a file that only you can read."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes | str) -> Checkpoint:
        """Read it back. Raises `PagingError` for anything that is not a checkpoint."""
        try:
            found = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeError, RecursionError, TypeError):
            found = None
        if found is None or found.version != VERSION:
            raise PagingError("this is not a checkpoint of this version of lix_async")
        return found


def fingerprint(text: bytes) -> int:
    """A 64-bit fingerprint that is the same in every process (unlike `hash`)."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def listing_fingerprint(row: Endpoint[P, R], params: Params) -> str:
    """What tells one search from another: the row and the params without position.

    Raises `ConfigurationError` for params that cannot be sent.
    """
    assert row.paging is not None  # only listings are walked
    start = row.paging.origin(params)
    if row.paging.sequence and getattr(start, "sequence_id", None) is not None:
        start = msgspec.structs.replace(start, sequence_id=None)
    try:
        return f"{fingerprint(row.id.encode() + msgspec.json.encode(start)):016x}"
    except UnicodeEncodeError:
        pass  # its traceback and text would hold the value
    raise ConfigurationError(NO_TEXT)
