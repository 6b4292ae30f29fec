"""A walk through a listing: items, or page by page, or all at once.

An object and not a generator: leaving the loop early leaves nothing behind that would have to be
cleaned up, on asyncio and trio alike.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Generic, TypeVar, cast

import anyio
import anyio.abc
import msgspec
from msgspec.structs import replace

from ..core.decoding import read_items
from ..core.endpoint import Endpoint, P
from ..core.errors import ConfigurationError, LixError, PagingError
from ..core.models import Listing, Params, item_type
from ..core.pagination import PageObservation, PaginationStrategy
from ..core.validation import check_type
from .answer import Answer
from .checkpoint import Checkpoint, PaginationStats, fingerprint, listing_fingerprint
from .credits import CreditBudget
from .engine import AttemptHooks, Engine

Item = TypeVar("Item")


class Pages(Generic[Item]):
    """One walk. `async for` gives items; a second loop goes on where the first one stopped.

    Nothing is sent before the first item is asked for. `stats` and `checkpoint` can be read at
    any moment. Inside `async with`, `prefetch=1` fetches the next page while the caller works
    on this one. Every method raises what `AsyncLix.send` raises, and `PagingError` when the
    provider sends a page a second time; what was handed out until then stays valid.
    """

    def __init__(
        self,
        engine: Engine,
        row: Endpoint[P, Listing[Item]],
        params: P,
        *,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> None:
        for name, value in (("max_items", max_items), ("max_credits", max_credits)):
            check_type(name, value, int | None)
            if value is not None and value < 0:
                raise ConfigurationError(f"{name} must not be negative: {value}")
        if resume is not None and not isinstance(resume, Checkpoint):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise ConfigurationError("resume must be a Checkpoint: use Checkpoint.from_json(…)")
        check_type("prefetch", prefetch, int)
        if prefetch not in (0, 1):
            raise ConfigurationError(f"prefetch must be 0 or 1 pages: {prefetch}")
        self._walk = Paginator(engine, row, params, resume, max_credits)
        self.endpoint = cast("Endpoint[Params, Listing[Item]]", row)
        """The endpoint that the pages come from."""
        self.params: Params = params
        """The parameters of the first page, as given."""
        self.max_items = max_items
        self.max_credits = max_credits
        self.prefetch = prefetch
        self.resumed = resume is not None
        """Whether the listing continues from a checkpoint."""
        self._left = max_items
        self._busy = False
        self._stack: AsyncExitStack | None = None
        self._tasks: anyio.abc.TaskGroup | None = None
        self._ahead: anyio.Event | None = None
        self._failed: LixError | None = None
        self.collected: list[Item] = []
        """What `collect` has so far: kept when an error interrupts it."""

    @property
    def stats(self) -> PaginationStats:
        """Items, pages, duplicates, credits, total, complete: so far."""
        return self._walk.stats

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the walk stands: the next item is the first that a resumed walk gives."""
        return self._walk.checkpoint()

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        while self._left != 0:
            while self._walk.ready:
                if items := self._walk.ready[0].items:
                    self._count(1)
                    item = items.pop(0)
                    self._look_ahead()
                    return item
                self._walk.ready.popleft()
            if not await self._more():
                break
        raise StopAsyncIteration

    def by_page(self) -> AsyncIterator[Page[Item]]:
        """The same walk, a page at a time; the last one is cut to what `max_items` leaves."""
        return _PageIterator(self)

    async def next_page(self) -> Page[Item] | None:
        """The next page (or what is left of the current one), None at the end."""
        while self._left != 0:
            if self._walk.ready:
                page = self._walk.ready[0]
                if self._left is not None and len(page.items) > self._left:
                    page = page.cut(self._left)  # the rest stays owed: it is paid for
                else:
                    self._walk.ready.popleft()
                self._count(len(page.items))
                self._look_ahead()
                return page
            if not await self._more():
                break
        return None

    async def collect(self) -> list[Item]:
        """All remaining items in a list. After an error, `collected` holds those that came."""
        self.collected = []
        async for item in self:
            self.collected.append(item)
        return self.collected

    async def first(self) -> Item | None:
        """The next item, or None at the end. Fetches one page at most."""
        async for item in self:
            return item
        return None

    async def __aenter__(self) -> Pages[Item]:
        async with AsyncExitStack() as stack:
            if self.prefetch:
                self._tasks = await stack.enter_async_context(anyio.create_task_group())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._tasks, None
        stack, self._stack = self._stack, None
        if tasks is not None:
            tasks.cancel_scope.cancel()
        if stack is not None:  # told of no error: a task group would wrap it in a group
            await stack.__aexit__(None, None, None)

    def _count(self, items: int) -> None:
        self.stats.items += items
        if self._left is not None:
            self._left -= items

    async def _more(self) -> bool:
        """Read another page; False when there is none."""
        if self._busy:
            raise ConfigurationError("a walk is one line: do not iterate it from two tasks at once")
        self._busy = True
        try:
            if self._ahead is None:
                turned = await self._walk.fetch_next()
            else:
                await self._ahead.wait()
                self._ahead = None
                if (failed := self._failed) is not None:
                    self._failed = None
                    raise failed
                turned = bool(self._walk.ready) or not self._walk.ended
        finally:
            self._busy = False
        return turned

    def _look_ahead(self) -> None:
        """Begin with the next page, unless one is ahead already or the caller needs no more."""
        if self._tasks is None or self._failed is not None or self._walk.ended:
            return
        underway = self._ahead is not None and not self._ahead.is_set()
        owed = sum(len(page.items) for page in self._walk.ready)
        wanted = self._left is None or self._left > owed
        if wanted and not underway and len(self._walk.ready) < 2:
            self._ahead = anyio.Event()
            self._tasks.start_soon(self._fetch_ahead, self._ahead)

    async def _fetch_ahead(self, done: anyio.Event) -> None:
        try:
            await self._walk.fetch_next()
        except LixError as error:
            self._failed = error
        finally:
            done.set()


class _PageIterator(Generic[Item]):
    def __init__(self, pages: Pages[Item]) -> None:
        self._pages = pages

    def __aiter__(self) -> AsyncIterator[Page[Item]]:
        return self

    async def __anext__(self) -> Page[Item]:
        page = await self._pages.next_page()
        if page is None:
            raise StopAsyncIteration
        return page


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

    def cut(self, length: int) -> Page[Item]:
        """The first items as a page of their own; the others stay in this one."""
        head, self.items = self.items[:length], self.items[length:]
        return Page(head, self.start, self.count, self.total, self.sequence_id, self.answer)

    def __repr__(self) -> str:
        return f"<Page {self.start}+{len(self.items)} of {self.total}>"


class Paginator(Generic[Item]):
    """Reads a listing page by page into `ready`."""

    def __init__(
        self,
        engine: Engine,
        row: Endpoint[P, Listing[Item]],
        params: P,
        resume: Checkpoint | None,
        max_credits: int | None = None,
    ) -> None:
        params = engine.prepared(row, params)
        if row.paging is None:
            raise ConfigurationError(f"{row.id} has no pages: use send()")
        self.ready: deque[Page[Item]] = deque()
        self.stats = PaginationStats()
        self.hooks: AttemptHooks | None = None
        """For each attempt at a page; see `Engine.send`."""
        self._engine = engine
        # From here on the params stay of the type that the caller's row asked for.
        self._row = cast("Endpoint[Params, Listing[Item]]", row)
        self._plan: PaginationStrategy = row.paging
        self._origin = listing_fingerprint(row, params)
        self._params: Params | None = _with_sequence_id(params, self._plan)
        self._plan.base(params, 0)  # raises for a position that is no number, before it is paid
        self._before: int | None = None
        self._confirmed = False
        self._seen: set[int] = set()
        self._read: dict[int, None] = {}
        if resume is not None:
            self._resume(resume)
        self._budget = CreditBudget(max_credits, name="max_credits of this listing")

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
        items: list[Item] | None = None
        try:
            self._params = msgspec.json.decode(point.params, type=self._row.params | None)
            items = read_items(item_type(self._row.result), bytes(point.owed))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # raised below: in here the traceback would hold the items
        if items is None:
            raise PagingError("the checkpoint is damaged", endpoint=self._row.id)
        self._before = point.before
        self._confirmed = point.confirmed
        self._seen = set(point.seen)
        self._read = dict.fromkeys(point.pages)
        self.stats = replace(point.stats)
        if items:
            start = max((point.before or 0) - len(items), 0)
            self.ready.append(Page(items, start, len(items), self.stats.total, None, None))

    def checkpoint(self) -> Checkpoint:
        """Everything that a later walk needs to go on with the next item."""
        owed = [item for page in self.ready for item in page.items]
        params = self._params
        return Checkpoint(
            endpoint=self._row.id,
            origin=self._origin,
            params=msgspec.Raw(msgspec.json.encode(params)),
            owed=msgspec.Raw(msgspec.json.encode(owed)),
            before=self._before,
            confirmed=self._confirmed,
            seen=tuple(self._seen),
            pages=tuple(self._read),
            stats=replace(self.stats),
        )

    async def fetch_next(self) -> bool:
        """Fetch the next page and put it in line. No await after the answer: it is never lost."""
        params = self._params
        if params is None:
            return False
        price, credits = self._row.credits, 0
        self._budget.reserve(price, self._row.id)
        try:
            answer = await self._engine.send(self._row, params, hooks=self.hooks)
            credits = answer.credits
        finally:
            self._budget.settle(price, credits)
        listing = answer.value
        rows = listing.rows()
        self.stats.pages += 1
        self.stats.credits += answer.credits
        if listing.total or (listing.total == 0 and not rows and not self._before):
            self.stats.total = listing.total  # 0 beside or after rows is a slip, no claim
        if self._before is None:
            size = max(len(rows), (listing.paging.count or 0) if listing.paging else 0)
            self._before = self._plan.base(params, size)
        # A page that leaves the total out does not take back what an earlier one said.
        seen = PageObservation(
            self._before, len(rows), self.stats.total, listing.cursor, listing.goes_on
        )
        if not rows and not self._confirmed and seen.promised(self._plan.cap):
            self._confirmed = True  # an empty page in the middle is asked for once more
            return True
        self._confirmed = False
        fresh = self._unseen(rows, seen.past)
        seen = replace(
            seen,
            received=seen.received if fresh is not None else 0,
            repeated=self.stats.duplicates,
        )
        following = None if fresh is None else self._plan.after(params, seen)
        if following is None:
            self.stats.complete = not seen.short
        elif self._plan.sequence and listing.sequence_id:
            following = replace(following, sequence_id=listing.sequence_id)
        sequence = listing.sequence_id or getattr(params, "sequence_id", None)
        if fresh is not None and rows:
            page = Page(fresh, seen.before, len(rows), listing.total, sequence, answer)
            self.ready.append(page)
        self._before = seen.upto
        self._params = following
        return True

    def _unseen(self, rows: list[Item], past: bool) -> list[Item] | None:
        """The rows without those seen before; None where they end the walk.

        A repeated page does where the plan says so, and where it is a single row: the list may
        have grown by one while its last page was read. `past` the total any page does that has
        nothing new. Raises `PagingError` for other pages seen before.
        """
        names: list[str | None] = [getattr(row, "identity", None) for row in rows]
        keys = [_key(name) if name else None for name in names]
        ends = getattr(self._plan, "repeats_end", False)
        # Ids tell a page, in any order: beside them an address may be signed anew each time.
        mark = fingerprint(
            msgspec.json.encode(sorted(name or "" for name in names) if all(names) else rows)
        )
        last = next(reversed(self._read), None)
        if rows and mark == last and (ends or len(rows) == 1):
            return None
        if past and rows and self._seen.issuperset(keys):
            return None
        if rows and mark in self._read and (all(names) or mark == last):
            raise PagingError(
                f"page {self.stats.pages} of this walk repeats an earlier one: the provider "
                "does not move on; what came before is complete",
                endpoint=self._row.id,
            )
        if rows:
            self._read.pop(mark, None)
            self._read[mark] = None
        fresh: list[Item] = []
        for row, key in zip(rows, keys, strict=True):
            if key in self._seen:
                self.stats.duplicates += 1
                continue
            if key is not None:
                self._seen.add(key)
            fresh.append(row)
        return fresh


def _key(name: str) -> int:
    return fingerprint(name.encode("utf-8", "surrogatepass"))


def _with_sequence_id(params: Params, plan: PaginationStrategy) -> Params:
    """With a sequence id of this listing's own, unless a viewer makes it needless.

    Contract: lix.md#sequence-id
    """
    if (
        plan.sequence
        and not getattr(params, "sequence_id", None)
        and not getattr(params, "viewer_id", None)
    ):
        return replace(params, sequence_id=uuid.uuid4().hex)
    return params
