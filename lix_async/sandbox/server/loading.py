"""A sandbox that listens before it is loaded.

Importing the providers and their endpoints takes longer than listening does. Until that is done,
the page at `/` is answered, and all other requests wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from .asgi import SandboxAsgiApp, SandboxServices, root_page
from .connection import AsgiApp, AsgiMessage, AsgiReceive, AsgiSend

if TYPE_CHECKING:
    from .sandbox import Sandbox


class LoadingSandbox:
    """Stands for a sandbox on a server until it is loaded, and hands requests on to it.

    A sandbox with a webhook has to be loaded before its server starts.

    Args:
        make: Makes the sandbox.
    """

    webhook = None
    sleep = None

    def __init__(self, make: Callable[[], Sandbox]) -> None:
        self._make = make
        self._sandbox: Sandbox | None = None
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        services: SandboxServices = self
        self._root: AsgiApp = SandboxAsgiApp(services, root_page)

    @property
    def app(self) -> AsgiApp:
        """The ASGI application."""
        return self._answer

    async def notify_webhook(self) -> None:
        """Post nothing: there is no webhook."""

    def load(self) -> Sandbox:
        """Make the sandbox, from any thread, and let waiting requests go on."""
        sandbox = self._make()
        sandbox.warm_up()
        self._sandbox = sandbox
        for loop, loaded in [*self._waiting]:
            loop.call_soon_threadsafe(loaded.set)
        return sandbox

    async def _answer(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        if self._sandbox is None and (scope.get("path"), scope.get("method")) == ("/", "GET"):
            await self._root(scope, receive, send)
            return
        await (await self._loaded()).app(scope, receive, send)

    async def _loaded(self) -> Sandbox:
        waiting = asyncio.get_running_loop(), asyncio.Event()
        self._waiting.append(waiting)  # before the look at the sandbox, which is set before this is
        while self._sandbox is None:
            await waiting[1].wait()
        self._waiting.remove(waiting)
        return self._sandbox
