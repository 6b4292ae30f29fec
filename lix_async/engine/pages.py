"""Listings: item by item, page by page, or all at once.

`Pages` hands items out, `Paginator` fetches the pages behind it. `Pages` is an object and not an
async generator, because a generator that is left early has to be closed, which asyncio and trio do
at different times.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypedDict, TypeVar, cast, get_args

import anyio
import msgspec
from msgspec.structs import replace

from ..concurrency.background import BackgroundTask
from ..concurrency.clock import Clock
from ..concurrency.worker_pool import GRACE, CallScope
from ..core.bridge import ReadableStruct, fields_schema, named_schema, read_struct
from ..core.decoding import read_items, write_item
from ..core.endpoint import Endpoint, P
from ..core.errors import ConfigurationError, PagingError
from ..core.json_text import SchemaMismatch
from ..core.models import Listing, Params, item_type, known_id
from ..core.pagination import Cursor, PageObservation, PaginationStrategy
from ..core.plurals import counted
from ..core.validation import check_type, guarded_repr
from .answer import Answer
from .checkpoint import Checkpoint, PaginationStats, fingerprint, listing_fingerprint
from .credits import CreditBudget
from .engine import AttemptHooks, Engine

if TYPE_CHECKING:
    from ..core.bridge import CoreSchema, SchemaHandler
    from ..frames import Frame

Item = TypeVar("Item")


class ListingOptions(TypedDict, total=False):
    """The keyword arguments that every listing method accepts.

    Attributes:
        max_items: Stop after this many items; None, the default, for all of them.
        max_credits: Stop with `BudgetError` before this many credits are exceeded; None, the
            default, for no limit.
        resume: A checkpoint of the same listing, to continue from.
        prefetch: 1 fetches the next page while the caller works on this one, inside `async with`;
            the default is 0.
    """

    max_items: int | None
    max_credits: int | None
    resume: Checkpoint | None
    prefetch: int


class Pages(Generic[Item]):
    """A listing. `async for` yields its items; a second loop continues where the first stopped.

    Nothing is sent before the first item is requested. `stats` and `checkpoint` can be read at any
    time. Only one task may iterate a listing.

    Args:
        engine: The engine of the client.
        endpoint: The endpoint of the listing.
        params: The parameters of its first page.
        max_items: Items to hand out at most.
        max_credits: Credits to spend at most; a page that would exceed them raises `BudgetError`.
        resume: A checkpoint of the same listing to continue from.
        prefetch: 1 to fetch the next page while the caller works on this one; needs `async with`.

    Raises:
        ConfigurationError: If an argument is not valid. Nothing was sent.
        PagingError: If the checkpoint belongs to another listing or is damaged. While iterating,
            if the provider returns a page a second time; the items handed out stay valid.
        LixError: While iterating, every error that `Client.send` raises.

    Example:
        ```python
        pages = lix.search.people(url, max_items=100)
        async for person in pages:
            print(person.name)
        print(pages.stats.credits)
        ```
    """

    def __init__(
        self,
        engine: Engine,
        endpoint: Endpoint[P, Listing[Item]],
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
            raise ConfigurationError("resume must be a Checkpoint: use Checkpoint.from_json()")
        check_type("prefetch", prefetch, int)
        if prefetch not in (0, 1):
            raise ConfigurationError(f"prefetch must be 0 or 1: {prefetch}")
        self._paginator = Paginator(engine, endpoint, params, resume, max_credits)
        self.endpoint = cast("Endpoint[Params, Listing[Item]]", endpoint)
        """The endpoint that the pages come from."""
        self.params: Params = params
        """The parameters of the first page, as passed."""
        self.max_items = max_items
        self.max_credits = max_credits
        self.prefetch = prefetch
        self.resumed = resume is not None
        """Whether the listing continues from a checkpoint."""
        self._remaining = max_items
        self._busy = False
        self._in_block = False
        self._fetch: _PageFetch | None = None
        self.collected: list[Item] = []
        """The items of the last `collect`, also when an error interrupted it."""

    @guarded_repr
    def __repr__(self) -> str:
        stats, name = self.stats, f"<Pages {self.endpoint.id}"
        ended = self._remaining == 0 or (self._paginator.ended and not self._paginator.ready)
        if not stats.pages and not ended:
            return f"{name}: not started>"
        counts = f"{counted(stats.items, 'item')} on {counted(stats.pages, 'page')}"
        total = "" if stats.total is None else f", of {stats.total:,}"
        end = "ended" if ended else "goes on"
        return f"{name}: {counts}, {counted(stats.credits, 'credit')}{total}; {end}>"

    @property
    def stats(self) -> PaginationStats:
        """Counts so far: items, pages, duplicates, credits, total, complete."""
        return self._paginator.stats

    @property
    def clock(self) -> Clock:
        """The clock of the client."""
        return self._paginator.clock

    @property
    def checkpoint(self) -> Checkpoint:
        """The state of the listing. With `resume=checkpoint` it continues with the next item."""
        return self._paginator.checkpoint()

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        if self.has_ready() or await self.fill():
            return self.take()
        raise StopAsyncIteration

    def has_ready(self) -> bool:
        """Whether the next item is there without waiting."""
        if self._remaining == 0:
            return False
        ready = self._paginator.ready
        while ready and not ready[0].items:
            ready.popleft()
        return bool(ready)

    async def fill(self) -> bool:
        """Fetch pages until an item is there; False at the end."""
        while self._remaining != 0:
            if self.has_ready():
                return True
            if not await self._fetch_more():
                break
        return False

    def take(self) -> Item:
        """The next item, where `has_ready`. May be called in another thread than the loop's."""
        self._count(1)
        item = self._paginator.ready[0].items.pop(0)
        self._start_prefetch()
        return item

    def by_page(self) -> AsyncIterator[Page[Item]]:
        """Iterate the rest of the listing by page; `max_items` shortens the last one."""
        return _PageIterator(self)

    async def next_page(self) -> Page[Item] | None:
        """The next page, or the rest of the current one; None at the end."""
        while self._remaining != 0:
            if self._paginator.ready:
                page = self._paginator.ready[0]
                if self._remaining is not None and len(page.items) > self._remaining:
                    page = page.split(self._remaining)  # the rest stays pending: it is paid for
                else:
                    self._paginator.ready.popleft()
                self._count(len(page.items))
                self._start_prefetch()
                return page
            if not await self._fetch_more():
                break
        return None

    async def collect(self) -> list[Item]:
        """All remaining items. After an error, `collected` holds those received until then."""
        self.collected = []
        async for item in self:
            self.collected.append(item)
        return self.collected

    async def to_frame(
        self, *, flatten: bool = False, columns: Sequence[str] | None = None
    ) -> Frame:
        """All remaining items as a table; needs the extra `frames`.

        Its columns follow from the type of the items, also where there are none. After an error,
        `collected` holds the items received until then.

        Args:
            flatten: Whether the fields of structs in an item become columns; see `to_frame`.
            columns: The columns to have, also properties; see `to_frame`. Default: all fields.

        Raises:
            ConfigurationError: If an argument is not valid. Nothing was sent.
        """
        from ..frames import to_frame  # late, because it needs the extra

        kind = item_type(self.endpoint.result)
        to_frame([], kind, flatten=flatten, columns=columns)  # checks them before anything is paid
        items = cast("list[msgspec.Struct]", await self.collect())
        return to_frame(items, kind, flatten=flatten, columns=columns)

    async def first(self) -> Item | None:
        """The next item, or None at the end."""
        async for item in self:
            return item
        return None

    async def __aenter__(self) -> Pages[Item]:
        self._in_block = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._in_block = False
        if self._fetch is not None:
            cancelled = anyio.get_cancelled_exc_class()
            await self._fetch.leave(kind is not None and issubclass(kind, cancelled))

    def _count(self, items: int) -> None:
        self.stats.items += items
        if self._remaining is not None:
            self._remaining -= items

    async def _fetch_more(self) -> bool:
        """Fetch another page; False if there is none."""
        if self._busy:
            raise ConfigurationError("a listing must not be iterated by two tasks at the same time")
        self._busy = True
        fetch = self._fetch = self._fetch or _PageFetch(self._paginator)
        try:
            await fetch.wait()
        except anyio.get_cancelled_exc_class():
            if not self._in_block:  # its end waits as well
                await fetch.leave(cancelled=True)
            raise
        finally:
            self._busy = False
        self._fetch = None
        if fetch.error is not None:
            raise fetch.error
        return bool(self._paginator.ready) or not self._paginator.ended

    def _start_prefetch(self) -> None:
        """Start to fetch the next page, unless one is waiting or the caller needs no more."""
        if not (self.prefetch and self._in_block) or self._paginator.ended:
            return
        pending = sum(len(page.items) for page in self._paginator.ready)
        wanted = self._remaining is None or self._remaining > pending
        idle = self._fetch is None or (self._fetch.done and self._fetch.error is None)
        if wanted and idle and len(self._paginator.ready) < 2:
            self._fetch = _PageFetch(self._paginator)


class _PageFetch:
    """A page that is fetched in a task of its own, which no cancellation of the caller reaches.

    A caller who leaves buys nothing more, and loses nothing that was bought: what has not been sent
    is not sent, and what has been sent is waited for.
    """

    def __init__(self, paginator: Paginator[Item]) -> None:
        self.error: Exception | None = None
        self._call = paginator.hooks = CallScope()
        self._fetch_next = paginator.fetch_next
        self._task = BackgroundTask(self._run)

    async def _run(self) -> None:
        try:
            with self._call.scope:
                await self._fetch_next()
        except Exception as error:  # noqa: BLE001  # raised by `_fetch_more`
            self.error = error

    @property
    def done(self) -> bool:
        """Whether the page is there, or failed."""
        return self._task.done

    async def wait(self) -> None:
        """Wait for the page."""
        await self._task.wait()

    async def leave(self, cancelled: bool) -> None:
        """Wait for an answer that is on its way, for a short time if the caller was cancelled."""
        self._call.leave()
        try:
            if not cancelled:
                await self._task.wait()
        finally:
            self._call.scope.deadline = anyio.current_time() + GRACE
            await self._task.join()


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


class _PageContent(ReadableStruct, msgspec.Struct, Generic[Item]):
    """What a `Page` is as JSON: all of it but the answer behind it."""

    items: list[Item]
    """The items."""
    start: int
    """Items before this page, duplicates included."""
    count: int
    """Rows that the provider sent in this page, duplicates and null ones included."""
    total: int | None = None
    """The number of matches that the provider claims, if it does."""
    sequence_id: str | None = None
    """The id that connects the pages of this listing for the provider."""


class Page(Generic[Item]):
    """One page of a listing, without the items that an earlier page had."""

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
        """Items before this page, duplicates included."""
        self.count = count
        """Rows that the provider sent in this page, duplicates and null ones included."""
        self.total = total
        """The number of matches that the provider claims, if it does."""
        self.sequence_id = sequence_id
        """The id that connects the pages of this listing for the provider."""
        self.answer = answer
        """The call behind the page; None for pending items of a checkpoint."""

    def split(self, length: int) -> Page[Item]:
        """Take the first items as a page of their own; the others stay in this one."""
        head, self.items = self.items[:length], self.items[length:]
        return Page(head, self.start, self.count, self.total, self.sequence_id, self.answer)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: SchemaHandler) -> CoreSchema:
        content: object = _PageContent
        if arguments := get_args(source):
            generic = cast("Mapping[tuple[object, ...], object]", _PageContent)
            content = generic[arguments]

        def read(value: object) -> Page[Item]:
            fields = msgspec.structs.asdict(read_struct(value, content))
            return Page(**fields, answer=None)

        return named_schema(
            cls,
            source,
            lambda: fields_schema(content, handler),
            read=read,
            write=lambda page: {
                name: getattr(page, name) for name in _PageContent.__struct_fields__
            },
        )

    @guarded_repr
    def __repr__(self) -> str:
        return f"<Page {self.start}+{len(self.items)} of {self.total}>"

    def _repr_html_(self) -> str:
        from ..core.html_table import html_items  # late, because few programs need it

        return html_items(repr(self), self.items)


class Paginator(Generic[Item]):
    """Fetches a listing page by page into `ready`, and says when it has ended.

    Providers do not page reliably: a page may be empty in the middle, overlap the one before it, or
    be returned again for ever. Each page is classified by its items before the strategy of the
    endpoint (`core.pagination`) computes the next position:

    * An empty page after the first where more items were promised is requested once more, and taken
      as the end when it is empty again: providers lose pages for a moment, and an early end loses
      data.
    * A null row counts for the position of the next page, and is not handed out.
    * An item with an id that was seen is dropped and counted as a duplicate: pages overlap when
      the list grows at its front while it is read (lix.md#paging).
    * A page equal to the one before it ends the listing where the strategy says that the provider
      repeats the last page, where it has a single item (the list may have grown by one while its
      last page was read), and where all of its rows are null.
    * A page that starts beyond the claimed total ends the listing if it has no new item. Such a
      page is requested because overlaps left fewer different items than the total.
    * Any other page that equals an earlier one raises `PagingError`: the provider ignores the
      position, and continuing would pay for the same page for ever. Pages without ids are compared
      only with the page before them, since two different pages may look alike.
    """

    def __init__(
        self,
        engine: Engine,
        endpoint: Endpoint[P, Listing[Item]],
        params: P,
        resume: Checkpoint | None,
        max_credits: int | None = None,
    ) -> None:
        params = engine.prepare_params(endpoint, params)
        if endpoint.paging is None:
            raise ConfigurationError(f"{endpoint.id} is not a listing: use send()")
        self.ready: deque[Page[Item]] = deque()
        self.stats = PaginationStats()
        self.hooks: AttemptHooks | None = None
        """Hear of each attempt at a page; see `Engine.send`."""
        self._engine = engine
        self.clock = engine.clock
        """The clock of the client."""
        # From here on the parameters keep the type that the endpoint of the caller has.
        self._endpoint = cast("Endpoint[Params, Listing[Item]]", endpoint)
        self._strategy: PaginationStrategy = endpoint.paging
        self._fingerprint = listing_fingerprint(endpoint, params)
        self._params: Params | None = _with_sequence_id(params, self._strategy)
        self._strategy.offset_of(
            params, 0
        )  # raises if the position is invalid, before anything is paid
        self._offset: int | None = None
        self._empty_page_confirmed = False
        self._seen_ids: set[int] = set()
        self._page_fingerprints: dict[int, None] = {}
        if resume is not None:
            self._resume(resume)
        if max_credits is not None:
            limit = CreditBudget(
                max_credits, name="max_credits of this listing", parent=engine.credits
            )
            self._engine = engine.with_budget(limit)

    @property
    def ended(self) -> bool:
        """Whether the last page has been read."""
        return self._params is None

    def _resume(self, checkpoint: Checkpoint) -> None:
        if checkpoint.endpoint != self._endpoint.id or checkpoint.origin != self._fingerprint:
            raise PagingError(
                f"the checkpoint belongs to another listing ({checkpoint.endpoint})",
                endpoint=self._endpoint.id,
            )
        items: list[Item] | None = None
        try:
            self._params = msgspec.json.decode(checkpoint.params, type=self._endpoint.params | None)
            items = read_items(item_type(self._endpoint.result), bytes(checkpoint.pending))
        except (SchemaMismatch, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # raised below: the traceback of this error would hold the items
        if items is None:
            raise PagingError("the checkpoint is damaged", endpoint=self._endpoint.id)
        self._offset = checkpoint.offset
        self._empty_page_confirmed = checkpoint.empty_page_confirmed
        self._seen_ids = set(checkpoint.seen_ids)
        self._page_fingerprints = dict.fromkeys(checkpoint.pages)
        self.stats = replace(checkpoint.stats)
        if items:
            start = max((checkpoint.offset or 0) - len(items), 0)
            self.ready.append(Page(items, start, len(items), self.stats.total, None, None))

    def checkpoint(self) -> Checkpoint:
        """The state from which a later paginator continues with the next item."""
        pending = [item for page in self.ready for item in page.items]
        params = self._params
        return Checkpoint(
            endpoint=self._endpoint.id,
            origin=self._fingerprint,
            params=msgspec.Raw(msgspec.json.encode(params)),
            pending=msgspec.Raw(b"[%b]" % b",".join(map(write_item, pending))),
            offset=self._offset,
            empty_page_confirmed=self._empty_page_confirmed,
            seen_ids=tuple(self._seen_ids),
            pages=tuple(self._page_fingerprints),
            stats=replace(self.stats),
        )

    async def fetch_next(self) -> bool:
        """Fetch the next page into `ready`; False if there is none.

        Nothing is awaited after the answer, so that a cancellation cannot lose a paid page.
        """
        params = self._params
        if params is None:
            return False
        answer = await self._engine.send(self._endpoint, params, hooks=self.hooks)
        listing = answer.value
        items, received = listing.rows(), listing.received
        self.stats.pages += 1
        self.stats.credits += answer.credits
        self.stats.nulls += listing.counts.nulls
        self.stats.repaired += listing.counts.repaired
        self.stats.unreadable += listing.counts.unreadable
        # A page without a total does not revoke an earlier one, and a total of 0 together with or
        # after items is an error of the provider.
        if listing.total or (listing.total == 0 and not received and not self._offset):
            self.stats.total = listing.total
        if self._offset is None:
            size = max(received, (listing.paging.count or 0) if listing.paging else 0)
            self._offset = self._strategy.offset_of(params, size)
        observation = PageObservation(
            self._offset, received, self.stats.total, listing.cursor, listing.continues
        )
        promised = observation.promises_more(self._strategy.cap)
        # An empty first page is an end, whatever it promises (lix.md#paging-end).
        suspicious = promised and self.stats.pages > 1
        if not received and suspicious and not self._empty_page_confirmed:
            self._empty_page_confirmed = True  # the same parameters are sent once more
            return True
        self._empty_page_confirmed = False
        new = self._new_items(items, received, observation.is_past_total)
        observation = replace(
            observation,
            received=observation.received if new is not None else 0,
            repeated=self.stats.duplicates,
        )
        following = None if new is None else self._strategy.next_params(params, observation)
        if following is None:
            strategy = self._strategy
            cut_off = isinstance(strategy, Cursor) and strategy.is_cut_off(params, observation)
            self.stats.complete = not (observation.is_incomplete or cut_off)
        elif self._strategy.sequence and listing.sequence_id:
            following = replace(following, sequence_id=listing.sequence_id)
        sequence_id = listing.sequence_id or getattr(params, "sequence_id", None)
        if new is not None and items:
            self.ready.append(Page(new, self._offset, received, listing.total, sequence_id, answer))
        self._offset = observation.end
        self._params = following
        return True

    def _new_items(self, items: list[Item], received: int, beyond_total: bool) -> list[Item] | None:
        """The items of a page that were not seen before; None if the page ends the listing.

        Raises:
            PagingError: If the page equals an earlier one and does not end the listing.
        """
        ids = [known_id(getattr(item, "identity", None)) for item in items]
        keys = [_id_fingerprint(item_id) if item_id else None for item_id in ids]
        # Ids identify a page, in any order: other fields, such as signed URLs, differ each time.
        page_key = fingerprint(
            msgspec.json.encode(sorted(item_id or "" for item_id in ids) if all(ids) else items)
        )
        if received:
            repeats_last = page_key == next(reversed(self._page_fingerprints), None)
            may_end = getattr(self._strategy, "repeat_ends", False) or len(items) < 2
            if repeats_last and may_end:
                return None
            if beyond_total and items and self._seen_ids.issuperset(keys):
                return None
            if page_key in self._page_fingerprints and (all(ids) or repeats_last):
                error = PagingError(
                    f"page {self.stats.pages} of this listing repeats an earlier one: the "
                    "provider does not advance; the items before it are complete",
                    endpoint=self._endpoint.id,
                )
                error.family = "unusable"  # it was charged
                raise error
            self._page_fingerprints.pop(page_key, None)
            self._page_fingerprints[page_key] = None
        new: list[Item] = []
        for item, key in zip(items, keys, strict=True):
            if key in self._seen_ids:
                self.stats.duplicates += 1
                continue
            if key is not None:
                self._seen_ids.add(key)
            new.append(item)
        return new


def _id_fingerprint(item_id: str) -> int:
    return fingerprint(item_id.encode("utf-8", "surrogatepass"))


def _with_sequence_id(params: Params, strategy: PaginationStrategy) -> Params:
    """The parameters with a new sequence id, unless a viewer id makes it unnecessary.

    Contract: lix.md#sequence-id
    """
    if (
        strategy.sequence
        and not getattr(params, "sequence_id", None)
        and not getattr(params, "viewer_id", None)
    ):
        return replace(params, sequence_id=uuid.uuid4().hex)
    return params
