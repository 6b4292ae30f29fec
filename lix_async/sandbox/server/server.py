"""Runs a sandbox on a local port: blocking, or in a thread, for tests."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from ...core.errors import ConfigurationError
from .connection import AsgiApp, HttpServerConnection

if TYPE_CHECKING:
    from types import TracebackType

    from .asgi import SandboxServices

_POLL_INTERVAL = 0.05
"""Seconds between two checks for lookups to post to the webhook."""
_GRACE = 1.0
"""Seconds that a stopped server waits for responses that are being made."""


class _Server:
    """Serves a sandbox on a listening socket, and notifies its webhook."""

    def __init__(self, sandbox: SandboxServices) -> None:
        self.started = threading.Event()
        """Set when requests are answered, and when the server has failed."""
        self._sandbox = sandbox
        self._app: AsgiApp = sandbox.app
        self._connections: set[HttpServerConnection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None

    def run(self, listener: socket.socket) -> None:
        """Serve until `stop`, or until a Ctrl-C in the main thread."""
        try:
            asyncio.run(self._serve(listener))
        finally:
            self.started.set()

    def stop(self) -> None:
        """Stop the server, from any thread."""
        if self._loop is not None and self._stopped is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def _serve(self, listener: socket.socket) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: HttpServerConnection(self._app, self._connections), sock=listener
        )
        webhook = None
        if self._sandbox.webhook:
            webhook = self._loop.create_task(self._poll_webhook())
        self.started.set()
        try:
            await self._stopped.wait()
        finally:
            server.close()
            if webhook is not None:
                webhook.cancel()
            await self._close_connections()

    async def _close_connections(self) -> None:
        for connection in [*self._connections]:
            connection.close_soon()
        tasks = [connection.task for connection in self._connections]
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        for connection in [*self._connections]:
            connection.abort()

    async def _poll_webhook(self) -> None:
        # By polling, since the sandbox's clock may be a test's own.
        while True:
            await self._sandbox.notify_webhook()
            await asyncio.sleep(_POLL_INTERVAL)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address; any other address is an error."""
    name = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        raise ConfigurationError(
            f"invalid host {host!r}: expected localhost or a loopback address"
        ) from None
    if not address.is_loopback:
        raise ConfigurationError(
            f"invalid host {host!r}: expected a loopback address such as 127.0.0.1"
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it. Without it, the body of a response, which is sent after
        # its headers, waits for a delayed acknowledgement of those: 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((str(address), port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(sandbox: SandboxServices, host: str = "127.0.0.1", port: int = 8765) -> None:
    """Run a sandbox on a local port until it is interrupted. Prints and logs nothing.

    Args:
        sandbox: The sandbox.
        host: A loopback address.
        port: The port; 0 chooses a free one.

    Raises:
        ConfigurationError: The address is not a loopback address.
        OSError: The port is in use.
    """
    with closing(_listen(host, port)) as listener, suppress(KeyboardInterrupt):
        _Server(sandbox).run(listener)


class RunningServer:
    """A sandbox in a thread: a context manager, `with` or `async with`, that returns its URL."""

    def __init__(self, sandbox: SandboxServices, host: str, port: int) -> None:
        self._sandbox = sandbox
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> str:
        listener = _listen(*self._address)
        url = _url(listener)
        server = self._server = _Server(self._sandbox)

        def run() -> None:
            try:
                server.run(listener)
            finally:
                listener.close()

        self._thread = threading.Thread(target=run, name="lix_async-sandbox", daemon=True)
        self._thread.start()
        server.started.wait()
        return url

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server and self._thread:
            self._server.stop()
            self._thread.join()

    async def __aenter__(self) -> str:
        return await anyio.to_thread.run_sync(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.__exit__, kind, error, trace)


def running(sandbox: SandboxServices, port: int = 0, host: str = "127.0.0.1") -> RunningServer:
    """Run a sandbox in a thread, for the time of a `with` or `async with` block.

    Works on any event loop. Leaving the block stops the server and waits for it to stop.

    Args:
        sandbox: The sandbox.
        port: The port; 0 chooses a free one.
        host: A loopback address.

    Returns:
        A context manager that returns the URL of the server.

    Raises:
        ConfigurationError: The address is not a loopback address (on entering the block).
        OSError: The port is in use (on entering the block).
    """
    return RunningServer(sandbox, host, port)
