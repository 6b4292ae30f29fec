"""For your tests: a clock that jumps, and clients on a vendor that lives in memory.

`pytest_plugins = ["lix_async.testing.fixtures"]` in a `conftest.py` gives the fixtures
`lix_sandbox`, `lix` and `virtual_clock`.
"""

from .clock import VirtualClock
from .memory import memory_client

__all__ = ["VirtualClock", "memory_client"]
