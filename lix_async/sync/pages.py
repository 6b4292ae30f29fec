"""Listings for callers without an event loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from ..concurrency.loop_thread import EventLoopThread
from ..core.validation import guarded_repr
from ..engine.checkpoint import Checkpoint, PaginationStats
from ..engine.pages import Page, Pages

if TYPE_CHECKING:
    from ..frames import Frame

Item = TypeVar("Item")


class SyncPages(Generic[Item]):
    """A listing. `for` yields its items; a second loop continues where the first stopped.

    Nothing is sent before the first item is requested, and a page is fetched when its first item
    is. Several threads may iterate one listing: each item is handed out once. `prefetch` has no
    effect.

    Args:
        thread: The thread of the client.
        pages: The listing of the async client.

    Raises:
        LixError: While iterating, as `Pages` does.

    Example:
        ```python
        pages = lix.search.people(url, max_items=100)
        for person in pages:
            print(person.name)
        print(pages.stats.credits)
        ```
    """

    def __init__(self, thread: EventLoopThread, pages: Pages[Item]) -> None:
        self._thread = thread
        self.aio = pages
        """The listing of the async client."""
        self._lock = threading.Lock()

    @guarded_repr
    def __repr__(self) -> str:
        return f"<Sync{repr(self.aio)[1:]}"

    @property
    def stats(self) -> PaginationStats:
        """Counts so far: items, pages, duplicates, credits, total, complete."""
        return self.aio.stats

    @property
    def checkpoint(self) -> Checkpoint:
        """The state of the listing. With `resume=checkpoint` it continues with the next item."""
        return self.aio.checkpoint

    @property
    def collected(self) -> list[Item]:
        """The items of the last `collect`, also when an error interrupted it."""
        return self.aio.collected

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        with self._lock:
            # A ready item is taken in this thread: the way through the other one takes 0.1 ms.
            if self.aio.has_ready() or self._thread.run(self.aio.fill):
                return self.aio.take()
        raise StopIteration

    def by_page(self) -> Iterator[Page[Item]]:
        """Iterate the rest of the listing by page; `max_items` shortens the last one."""
        return iter(self._next_page, None)

    def _next_page(self) -> Page[Item] | None:
        with self._lock:
            return self._thread.run(self.aio.next_page)

    def collect(self) -> list[Item]:
        """All remaining items. After an error, `collected` holds those received until then."""
        with self._lock:
            return self._thread.run(self.aio.collect)

    def to_frame(self, *, flatten: bool = False, columns: Sequence[str] | None = None) -> Frame:
        """All remaining items as a table; needs the extra `frames`. See `Pages.to_frame`.

        Args:
            flatten: Whether the fields of structs in an item become columns.
            columns: The columns to have. Default: all fields.

        Raises:
            ConfigurationError: If an argument is not valid. Nothing was sent.
        """
        with self._lock:
            return self._thread.run(self.aio.to_frame, flatten=flatten, columns=columns)

    def first(self) -> Item | None:
        """The next item, or None at the end."""
        return next(self, None)
