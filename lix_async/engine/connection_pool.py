"""A free list of connections behind a gate of our own: never a queue inside an HTTP pool.

The connection pool under httpx 0.28 strands a connection when a request is cancelled while it
waits there, and searching it costs more CPU the more calls are in flight. Here each slot is an
HTTP transport with one single connection, lent to one exchange at a time; callers wait first
come, first served. A slot whose exchange was cancelled or broke is thrown away and made anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import anyio

from ..concurrency.event_loop import EventLoopBinding

SLOTS = 100
"""Connections at most, as in httpx's own pool."""
CLOSING = 2.0
"""Seconds that closing a connection may take before it is left to the system."""


class Closable(Protocol):
    """What a slot holds."""

    async def aclose(self) -> None:
        """Close the connection."""


C = TypeVar("C", bound=Closable)


class PooledConnection(Generic[C]):
    """One connection. `used` once something was exchanged over it, `kept` until `aclose`."""

    __slots__ = ("connection", "kept", "used")

    def __init__(self, connection: C) -> None:
        self.connection = connection
        self.kept = True
        self.used = False


class _ConnectionWaiter(Generic[C]):
    __slots__ = ("event", "gone", "slot")

    def __init__(self) -> None:
        self.event = anyio.Event()
        self.slot: PooledConnection[C] | None = None
        self.gone = False


class ConnectionPool(Generic[C]):
    """At most `size` connections; the one used last is lent first, so that it stays warm."""

    def __init__(self, make: Callable[[], C], size: int = SLOTS) -> None:
        self._make = make
        self._size = size
        self._free: list[PooledConnection[C]] = []
        self._lent: set[PooledConnection[C]] = set()
        self._line: deque[_ConnectionWaiter[C]] = deque()
        self._home = EventLoopBinding()

    @property
    def lent(self) -> int:
        """Connections in use at this moment."""
        return len(self._lent)

    async def take(self) -> PooledConnection[C]:
        """Borrow a slot; give it back with `give` or `discard`, whatever happens."""
        self._rebind()
        if self._free or len(self._lent) < self._size:
            slot = self._free.pop() if self._free else PooledConnection(self._make())
            self._lent.add(slot)
            return slot
        waiter: _ConnectionWaiter[C] = _ConnectionWaiter()
        self._line.append(waiter)
        try:
            await waiter.event.wait()
        except BaseException:
            waiter.gone = True
            if waiter.slot is not None and not self.give(waiter.slot):
                await self.discard(waiter.slot)
            raise
        assert waiter.slot is not None  # set before the event, by _lend
        return waiter.slot

    def give(self, slot: PooledConnection[C]) -> bool:
        """The exchange ended well: lend the connection to the next caller.

        False when it is not wanted any more, because of `aclose` or another loop: discard it.
        """
        if not slot.kept or slot not in self._lent:
            return False
        if not self._lend(slot):
            self._lent.remove(slot)
            self._free.append(slot)
        return True

    async def discard(self, slot: PooledConnection[C]) -> None:
        """The exchange was cancelled or broke: close the connection, make room for a new one."""
        if slot in self._lent:
            self._lent.remove(slot)
            if self._line and self._lend(fresh := PooledConnection(self._make())):
                self._lent.add(fresh)
            self._leave()
        await _close(slot.connection)

    async def renew(self, slot: PooledConnection[C]) -> None:
        """Replace the connection of a borrowed slot by a fresh one."""
        old, slot.connection, slot.used = slot.connection, self._make(), False
        await _close(old)

    async def aclose(self) -> None:
        """Close the idle connections. Those in use close when their exchange ends."""
        self._rebind()
        for slot in self._lent:
            slot.kept = False
        idle, self._free = self._free, []
        for slot in idle:
            await _close(slot.connection)
        self._leave()

    def _rebind(self) -> None:
        if self._home.check(
            bool(self._line)
        ):  # connections of a loop that has ended cannot even be closed
            self._free.clear()
            self._lent.clear()
            self._line.clear()

    def _leave(self) -> None:
        if not self._lent and not self._free:
            self._home.unbind()

    def _lend(self, slot: PooledConnection[C]) -> bool:
        while self._line:
            waiter = self._line.popleft()
            if not waiter.gone:
                waiter.slot = slot
                waiter.event.set()
                return True
        return False


async def _close(connection: Closable) -> None:
    # Shielded: this also runs while the caller is being cancelled.
    with anyio.move_on_after(CLOSING, shield=True):
        await connection.aclose()
