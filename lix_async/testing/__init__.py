"""For your tests: a clock that jumps, and clients on a vendor that lives in memory.

`memory_client()` is an `AsyncLix`, `memory_client(sandbox, AsyncLookC)` any other client on a
sandbox of yours. `pytest_plugins = ["lix_async.testing.fixtures"]` in a `conftest.py` gives the
fixtures `lix_sandbox`, `lix`, `lookc`, `connectsafely`, `letrics`, `meetalfred` and
`virtual_clock`.
"""

from .clients import memory_client
from .clock import VirtualClock

__all__ = ["VirtualClock", "memory_client"]
