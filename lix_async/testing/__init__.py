"""Helpers for your tests: virtual clocks, clients of a sandbox in the same process, fixtures.

`memory_client()` is an `AsyncLix`; `memory_client(sandbox, AsyncLookC)` is another client, of your
own sandbox, and `memory_client(sandbox, Lix)` one for tests without an event loop. `plugin` has the
fixtures, which pytest finds by itself. The package may import `core`, `concurrency`, `engine`,
`providers`, `sync` and `sandbox`.
"""

from .clients import memory_client
from .clock import IdleClock, VirtualClock

__all__ = ["IdleClock", "VirtualClock", "memory_client"]
