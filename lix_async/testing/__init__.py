"""Helpers for your tests: a virtual clock, and clients of a sandbox in the same process.

`memory_client()` is an `AsyncLix`; `memory_client(sandbox, AsyncLookC)` is another client, of your
own sandbox. With `pytest_plugins = ["lix_async.testing.fixtures"]` in a `conftest.py`, tests can
use the fixtures `lix_sandbox`, `lix`, `lookc`, `connectsafely`, `letrics`, `meetalfred` and
`virtual_clock`. The package may import `core`, `concurrency`, `engine`, `providers` and `sandbox`.
"""

from .clients import memory_client
from .clock import VirtualClock

__all__ = ["VirtualClock", "memory_client"]
