"""Which event loop, in which process, an object belongs to while it holds connections."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, cast

from ..core.errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio

    from trio.lowlevel import TrioToken

    Loop = asyncio.AbstractEventLoop | TrioToken


def _running() -> Loop:
    # Looked up, not imported: a loop that runs has been imported by somebody, and asyncio alone
    # would be a third of this package's import time.
    asyncio = sys.modules.get("asyncio")
    loop: Loop | None = asyncio._get_running_loop() if asyncio is not None else None
    if loop is not None:
        return loop
    try:
        token: TrioToken = sys.modules["trio"].lowlevel.current_trio_token()
    except (KeyError, RuntimeError):
        raise ConfigurationError("call this from async code: no event loop runs") from None
    return token


def _alive(loop: Loop, waiting: bool) -> bool:
    if hasattr(loop, "is_running"):
        stopped = cast("asyncio.AbstractEventLoop", loop)
        return stopped.is_running() or (waiting and not stopped.is_closed())
    trio = sys.modules["trio"]
    trio_loop: TrioToken = loop  # pyright: ignore[reportAssignmentType]  # the other kind of loop
    try:
        trio_loop.run_sync_soon(lambda: None)
    except trio.RunFinishedError:
        return False
    return True


class EventLoopBinding:
    """Binds to the loop of the first use; tells when a later use comes from another one."""

    __slots__ = ("_loop", "_pid")

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._pid = 0

    def check(self, waiting: bool = False) -> bool:
        """True when a new loop has taken over from one that ended: drop what belonged to that.

        `waiting`: callers stand in line; a loop that only stopped may go on with them.
        Raises `ConfigurationError` for two loops at once, and in a child process: connections
        and waiting callers can be shared with neither.
        """
        loop = _running()
        pid = os.getpid()
        if loop is self._loop and pid == self._pid:
            return False
        if self._loop is None:
            self._loop, self._pid = loop, pid
            return False
        if pid != self._pid:
            raise ConfigurationError(
                "this client was in use when the process was forked: make one in the child"
            )
        if _alive(self._loop, waiting):
            raise ConfigurationError(
                "this client is in use on another event loop: make one for each loop"
            )
        self._loop = loop
        return True

    def unbind(self) -> None:
        """Forget the loop: nothing is held any longer."""
        self._loop = None
