"""Pytest fixtures: `pytest_plugins = ["lix_async.testing.fixtures"]` in your `conftest.py`.

They are for tests that run with anyio's plugin (`@pytest.mark.anyio`), on asyncio and trio. `lix`,
`lookc`, `connectsafely`, `letrics` and `meetalfred` are clients of one `lix_sandbox`; each client
class is imported when a test uses its fixture.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from ..sandbox import Sandbox
from .clients import memory_client
from .clock import VirtualClock

if TYPE_CHECKING:
    from ..providers.connectsafely.client import AsyncConnectSafely
    from ..providers.letrics.client import AsyncLetrics
    from ..providers.lix.client import AsyncLix
    from ..providers.lookc.client import AsyncLookC
    from ..providers.meetalfred.client import AsyncMeetAlfred


@pytest.fixture
def lix_sandbox() -> Sandbox:
    """A sandbox without a rate limit. Override it to choose seed, faults or credits."""
    return Sandbox(rate=None)


@pytest.fixture
async def virtual_clock() -> AsyncIterator[VirtualClock]:
    """A clock that jumps as soon as every task waits."""
    async with VirtualClock() as clock:
        yield clock


@pytest.fixture
async def lix(lix_sandbox: Sandbox) -> AsyncIterator[AsyncLix]:
    """An `AsyncLix` on `lix_sandbox`, in memory."""
    async with memory_client(lix_sandbox) as client:
        yield client


@pytest.fixture
async def lookc(lix_sandbox: Sandbox) -> AsyncIterator[AsyncLookC]:
    """An `AsyncLookC` on `lix_sandbox`, in memory."""
    from ..providers.lookc.client import AsyncLookC

    async with memory_client(lix_sandbox, AsyncLookC) as client:
        yield client


@pytest.fixture
async def connectsafely(lix_sandbox: Sandbox) -> AsyncIterator[AsyncConnectSafely]:
    """An `AsyncConnectSafely` on `lix_sandbox`, in memory."""
    from ..providers.connectsafely.client import AsyncConnectSafely

    async with memory_client(lix_sandbox, AsyncConnectSafely) as client:
        yield client


@pytest.fixture
async def letrics(lix_sandbox: Sandbox) -> AsyncIterator[AsyncLetrics]:
    """An `AsyncLetrics` on `lix_sandbox`, in memory."""
    from ..providers.letrics.client import AsyncLetrics

    async with memory_client(lix_sandbox, AsyncLetrics) as client:
        yield client


@pytest.fixture
async def meetalfred(lix_sandbox: Sandbox) -> AsyncIterator[AsyncMeetAlfred]:
    """An `AsyncMeetAlfred` on `lix_sandbox`, in memory."""
    from ..providers.meetalfred.client import AsyncMeetAlfred

    async with memory_client(lix_sandbox, AsyncMeetAlfred) as client:
        yield client
