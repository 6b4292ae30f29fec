"""Pytest fixtures: `pytest_plugins = ["lix_async.testing.fixtures"]` in your `conftest.py`.

They are for tests that run with anyio's plugin (`@pytest.mark.anyio`), on asyncio and trio.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ..providers.lix.client import AsyncLix
from ..sandbox import Sandbox
from .clock import VirtualClock
from .memory import memory_client


@pytest.fixture
def lix_sandbox() -> Sandbox:
    """A sandbox without a rate limit. Override it to choose seed, faults or credits."""
    return Sandbox(rate=None)


@pytest.fixture
async def virtual_clock() -> AsyncIterator[VirtualClock]:
    """A clock that jumps whenever every task waits."""
    async with VirtualClock() as clock:
        yield clock


@pytest.fixture
async def lix(lix_sandbox: Sandbox) -> AsyncIterator[AsyncLix]:
    """A client on `lix_sandbox`, in memory."""
    async with memory_client(lix_sandbox, AsyncLix) as client:
        yield client
