"""The state of a walk: which page comes next, what is owed, what was seen.

All of it fits into a `Checkpoint`. Between the answer of a page and the new state there is no
await, so a cancelled or interrupted walk never loses a page that it paid for.
"""

from __future__ import annotations

import uuid
from collections import deque
from typing import Generic, TypeVar, cast, get_args

import msgspec
from msgspec.structs import replace

from ..core.endpoint import Endpoint, Listing, P, Params
from ..core.errors import ConfigurationError, PagingError
from ..core.paging import Plan, Seen
from ..tolerant import read_items
from .answer import Answer
from .checkpoint import Checkpoint, Stats, fingerprint, origin
from .engine import Engine

Item = TypeVar("Item")


class Page(Generic[Item]):
    """One page of a walk, without the items that an earlier page had already."""

    __slots__ = ("answer", "count", "items", "sequence_id", "start", "total")

    def __init__(
        self,
        items: list[Item],
        start: int,
        count: int,
        total: int | None,
        sequence_id: str | None,
        answer: Answer[Listing[Item]] | None,
    ) -> None:
        self.items = items
        self.start = start
        """Rows before this page."""
        self.count = count
        """Rows that the provider sent, duplicates included."""
        self.total = total
        """Matches that the provider claims, if it claims any."""
        self.sequence_id = sequence_id
        """The id that ties this walk's pages together."""
        self.answer = answer
        """The call behind the page; None for items that a checkpoint brought along."""

    def __repr__(self) -> str:
        return f"<Page {self.start}+{len(self.items)} of {self.total}>"


class Walk(Generic[Item]):
    """Reads a listing page by page into `ready`."""

    def __init__(
        self,
        engine: Engine,
        row: Endpoint[P, Listing[Item]],
        params: P,
        resume: Checkpoint | None,
    ) -> None:
        if row.paging is None:
            raise ConfigurationError(f"{row.id} has no pages: use send()")
        params = engine.prepared(row, params)
        self.ready: deque[Page[Item]] = deque()
        self.stats = Stats()
        self._engine = engine
        # From here on the params stay of the type that the caller's row asked for.
        self._row = cast("Endpoint[Params, Listing[Item]]", row)
        self._plan: Plan = row.paging
        self._origin = origin(row, params)
        self._params: Params | None = _tied(params, self._plan)
        self._before: int | None = None
        self._confirmed = False
        self._seen: set[int] = set()
        self._read: dict[int, None] = {}
        if resume is not None:
            self._resume(resume)

    @property
    def ended(self) -> bool:
        """Whether the last page has been read."""
        return self._params is None

    def _resume(self, point: Checkpoint) -> None:
        if point.endpoint != self._row.id or point.origin != self._origin:
            raise PagingError(
                f"the checkpoint belongs to another walk ({point.endpoint})",
                endpoint=self._row.id,
            )
        self._params = None
        if point.params is not None:
            self._params = msgspec.json.decode(point.params, type=self._row.params)
        self._before = point.before
        self._confirmed = point.confirmed
        self._seen = set(point.seen)
        self._read = dict.fromkeys(point.pages)
        self.stats = replace(point.stats)
        items: list[Item] = read_items(item_type(self._row.result), bytes(point.owed))
        if items:
            start = point.before - len(items)
            self.ready.append(Page(items, start, len(items), self.stats.total, None, None))

    def checkpoint(self) -> Checkpoint:
        """Everything that a later walk needs to go on with the next item."""
        owed = [item for page in self.ready for item in page.items]
        params = self._params
        return Checkpoint(
            endpoint=self._row.id,
            origin=self._origin,
            params=None if params is None else msgspec.Raw(msgspec.json.encode(params)),
            owed=msgspec.Raw(msgspec.json.encode(owed)),
            before=self._before or 0,
            confirmed=self._confirmed,
            seen=tuple(self._seen),
            pages=tuple(self._read),
            stats=replace(self.stats),
        )

    async def turn(self) -> bool:
        """Fetch the next page and put it in line. No await after the answer: it is never lost."""
        params = self._params
        if params is None:
            return False
        answer = await self._engine.send(self._row, params)
        listing = answer.value
        rows = listing.rows()
        self.stats.pages += 1
        self.stats.credits += answer.credits
        if listing.total is not None:
            self.stats.total = listing.total
        if self._before is None:
            size = max(len(rows), (listing.paging.count or 0) if listing.paging else 0)
            self._before = self._plan.base(params, size)
        seen = Seen(self._before, len(rows), listing.total, listing.cursor)
        if not rows and not self._confirmed and self._promised(seen):
            self._confirmed = True  # an empty page in the middle is asked for once more
            return True
        self._confirmed = False
        fresh = self._unseen(rows)
        following = self._plan.after(params, seen)
        if following is None:
            self.stats.complete = seen.total is None or seen.upto >= seen.total
        elif self._plan.sequence and listing.sequence_id:
            following = replace(following, sequence_id=listing.sequence_id)
        sequence = listing.sequence_id or getattr(params, "sequence_id", None)
        if rows:
            page = Page(fresh, seen.before, len(rows), listing.total, sequence, answer)
            self.ready.append(page)
        self._before = seen.upto
        self._params = following
        return True

    def _promised(self, seen: Seen) -> bool:
        cap = self._plan.cap
        return seen.total is not None and seen.upto < min(seen.total, cap or seen.total)

    def _unseen(self, rows: list[Item]) -> list[Item]:
        """The rows without those seen before. Raises `PagingError` for a page seen before."""
        names = [getattr(row, "identity", None) for row in rows]
        mark = fingerprint(msgspec.json.encode(rows))
        last = next(reversed(self._read), None)
        if rows and mark in self._read and (all(names) or (mark == last and len(rows) > 1)):
            raise PagingError(
                f"page {self.stats.pages} of this walk repeats an earlier one: the provider "
                "does not move on; what came before is complete",
                endpoint=self._row.id,
            )
        if rows:
            self._read.pop(mark, None)
            self._read[mark] = None
        fresh: list[Item] = []
        for row, name in zip(rows, names, strict=True):
            if name:
                key = fingerprint(name.encode("utf-8", "surrogatepass"))
                if key in self._seen:
                    self.stats.duplicates += 1
                    continue
                self._seen.add(key)
            fresh.append(row)
        return fresh


def _tied(params: Params, plan: Plan) -> Params:
    """With a sequence id of this walk's own, unless a viewer makes it needless (lix.md 5)."""
    if (
        plan.sequence
        and not getattr(params, "sequence_id", None)
        and not getattr(params, "viewer_id", None)
    ):
        return replace(params, sequence_id=uuid.uuid4().hex)
    return params


def item_type(listing: type) -> type:
    """What a listing lists: `Person` for `class PeoplePage(Listing[Person])`."""
    for kind in listing.__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            if isinstance(found := next(iter(get_args(base)), None), type):
                return found
    raise TypeError(f"{listing.__name__} does not say what it lists")
