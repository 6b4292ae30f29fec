"""A walk through a listing: items, or page by page, or all at once.

An object and not a generator: leaving the loop early leaves nothing behind that would have to be
cleaned up, on asyncio and trio alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Generic, TypeVar

import anyio
import anyio.abc

from ..core.checks import must_be
from ..core.endpoint import Endpoint, Listing, P
from ..core.errors import ConfigurationError, LixError
from .checkpoint import Checkpoint, Stats
from .engine import Engine
from .walk import Page, Walk

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
            must_be(name, value, int | None)
            if value is not None and value < 0:
                raise ConfigurationError(f"{name} must not be negative: {value}")
        if resume is not None and not isinstance(resume, Checkpoint):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise ConfigurationError("resume must be a Checkpoint: use Checkpoint.from_json(…)")
        must_be("prefetch", prefetch, int)
        if prefetch not in (0, 1):
            raise ConfigurationError(f"prefetch must be 0 or 1 pages: {prefetch}")
        self._walk = Walk(engine, row, params, resume, max_credits)
        self._left = max_items
        self._prefetch = prefetch
        self._busy = False
        self._stack: AsyncExitStack | None = None
        self._tasks: anyio.abc.TaskGroup | None = None
        self._ahead: anyio.Event | None = None
        self._failed: LixError | None = None
        self.collected: list[Item] = []
        """What `collect` has so far: kept when an error interrupts it."""

    @property
    def stats(self) -> Stats:
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
        return _ByPage(self)

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
            if self._prefetch:
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
                turned = await self._walk.turn()
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
            await self._walk.turn()
        except LixError as error:
            self._failed = error
        finally:
            done.set()


class _ByPage(Generic[Item]):
    def __init__(self, pages: Pages[Item]) -> None:
        self._pages = pages

    def __aiter__(self) -> AsyncIterator[Page[Item]]:
        return self

    async def __anext__(self) -> Page[Item]:
        page = await self._pages.next_page()
        if page is None:
            raise StopAsyncIteration
        return page
