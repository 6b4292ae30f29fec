"""A connection pool with a wait queue of its own, outside the HTTP library.

httpx has a pool too, but callers must not wait in it: in httpx 0.28 a request that is cancelled
while it waits there leaves its connection unusable, and each search of that pool takes time
proportional to the number of calls in flight. Here each connection is lent to one exchange at a
time. Callers wait first in, first out. A connection whose exchange failed or was cancelled is
closed and replaced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import anyio

from ..concurrency.event_loop import EventLoopBinding

MAX_CONNECTIONS = 100
"""The default size of a pool, as in httpx."""
CLOSE_TIMEOUT = 2.0
"""Seconds that closing a connection may take before it is abandoned."""


class Closeable(Protocol):
    """What a pooled connection holds."""

    async def aclose(self) -> None:
        """Close the connection."""


C = TypeVar("C", bound=Closeable)


class PooledConnection(Generic[C]):
    """One connection of a pool."""

    __slots__ = ("connection", "reusable", "used_at")

    def __init__(self, connection: C) -> None:
        self.connection = connection
        self.reusable = True
        """Whether it may be lent again; False once the pool was closed."""
        self.used_at: float | None = None
        """When the last exchange over it ended; None if there was none."""


class _ConnectionWaiter(Generic[C]):
    __slots__ = ("cancelled", "event", "pooled")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.pooled: PooledConnection[C] | None = None
        self.cancelled = False


class ConnectionPool(Generic[C]):
    """At most `size` connections.

    The most recently used one is lent first, so that it stays open and the others can time out.
    """

    def __init__(self, make: Callable[[], C], size: int = MAX_CONNECTIONS) -> None:
        self._make = make
        self._size = size
        self._free: list[PooledConnection[C]] = []
        self._in_use: set[PooledConnection[C]] = set()
        self._waiters: deque[_ConnectionWaiter[C]] = deque()
        self._opening: anyio.Lock | None = None
        self._event_loop = EventLoopBinding()

    @property
    def in_use(self) -> int:
        """The number of connections that are lent."""
        return len(self._in_use)

    @property
    def is_exhausted(self) -> bool:
        """Whether a caller would have to wait."""
        return not self._free and len(self._in_use) >= self._size

    @property
    def free(self) -> int:
        """The number of connections that are not lent."""
        return len(self._free)

    def add(self) -> PooledConnection[C] | None:
        """Borrow a new connection, also where others are free; None if the pool is full."""
        if len(self._free) + len(self._in_use) >= self._size:
            return None
        pooled = PooledConnection(self._make())
        self._in_use.add(pooled)
        return pooled

    def opening(self) -> anyio.Lock:
        """The lock under which a connection is opened in advance."""
        self._rebind()
        if self._opening is None:  # a lock belongs to one event loop
            self._opening = anyio.Lock(fast_acquire=True)
        return self._opening

    async def acquire(self) -> PooledConnection[C]:
        """Borrow a connection. Return it with `release` or `discard` in every case."""
        self._rebind()
        if self._free or len(self._in_use) < self._size:
            pooled = self._free.pop() if self._free else PooledConnection(self._make())
            self._in_use.add(pooled)
            return pooled
        waiter: _ConnectionWaiter[C] = _ConnectionWaiter()
        self._waiters.append(waiter)
        try:
            await waiter.event.wait()
        except BaseException:
            waiter.cancelled = True
            if waiter.pooled is not None and not self.release(waiter.pooled):
                await self.discard(waiter.pooled)
            raise
        assert waiter.pooled is not None  # set before the event, by _lend_to_waiter
        return waiter.pooled

    def release(self, pooled: PooledConnection[C]) -> bool:
        """Return a connection after a successful exchange, and lend it to the next caller.

        Returns:
            False if the pool was closed or bound to another event loop meanwhile. The caller
            then has to discard the connection.
        """
        if not pooled.reusable or pooled not in self._in_use:
            return False
        if not self._lend_to_waiter(pooled):
            self._in_use.remove(pooled)
            self._free.append(pooled)
        return True

    async def discard(self, pooled: PooledConnection[C]) -> None:
        """Close a connection whose exchange failed or was cancelled, and lend a new one instead."""
        if pooled in self._in_use:
            self._in_use.remove(pooled)
            if self._waiters and self._lend_to_waiter(fresh := PooledConnection(self._make())):
                self._in_use.add(fresh)
            self._unbind_if_empty()
        await _close(pooled.connection)

    async def replace_connection(self, pooled: PooledConnection[C]) -> None:
        """Put a new connection in the place of a borrowed one, and close the old one."""
        old, pooled.connection, pooled.used_at = pooled.connection, self._make(), None
        await _close(old)

    async def aclose(self) -> None:
        """Close the idle connections. Those in use are closed when their exchange ends."""
        self._rebind()
        for pooled in self._in_use:
            pooled.reusable = False
        idle, self._free = self._free, []
        for pooled in idle:
            await _close(pooled.connection)
        self._unbind_if_empty()

    def _rebind(self) -> None:
        if self._event_loop.check(bool(self._waiters)):
            # The connections belong to an event loop that has ended: they cannot even be closed.
            self._free.clear()
            self._in_use.clear()
            self._waiters.clear()
            self._opening = None

    def _unbind_if_empty(self) -> None:
        if not self._in_use and not self._free:
            self._event_loop.unbind()
            self._opening = None

    def _lend_to_waiter(self, pooled: PooledConnection[C]) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.cancelled:
                waiter.pooled = pooled
                waiter.event.set()
                return True
        return False


async def _close(connection: Closeable) -> None:
    # Shielded, because this also runs while the caller is being cancelled.
    with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
        await connection.aclose()
