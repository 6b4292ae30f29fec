"""The fixtures of `plugin` under their earlier address, for one minor version.

pytest finds `plugin` by itself: take `pytest_plugins = ["lix_async.testing.fixtures"]` out of your
`conftest.py`. Only `virtual_clock` is here and not there: `lix_clock` replaces it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from . import plugin
from .clock import VirtualClock


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin where pytest did not find it, such as without its entry points."""
    if not config.pluginmanager.is_registered(plugin):
        config.pluginmanager.register(plugin)


@pytest.fixture
async def virtual_clock() -> AsyncIterator[VirtualClock]:
    """A clock that jumps as soon as every task waits, in tests of anyio's plugin."""
    async with VirtualClock() as clock:
        yield clock
