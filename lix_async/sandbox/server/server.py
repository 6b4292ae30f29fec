"""Runs a sandbox on a local port: blocking, or in a thread, for tests."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from ...core.errors import ConfigurationError
from .extras import missing_extra

try:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from .asgi import DISCONNECT_EXTENSION
except ModuleNotFoundError as error:
    raise missing_extra(error) from error

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import Receive, Scope, Send

    from .asgi import SandboxApi

# SO_LINGER on, with a timeout of 0: closing the socket sends a reset.
_NO_LINGER = struct.pack("ii", 1, 0)
_POLL_INTERVAL = 0.05
"""Seconds between two checks for lookups to post to the webhook."""


class _Protocol(H11Protocol):
    """HTTP/1.1 with an ASGI extension that ends the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        app = self.app

        def disconnect(reset: bool) -> None:
            if not reset:
                transport.close()
                return
            raw_socket = transport.get_extra_info("socket")
            raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()

        async def with_extension(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DISCONNECT_EXTENSION] = disconnect
            await app(scope, receive, send)

        self.app = with_extension


class _Server(uvicorn.Server):
    """A uvicorn server that sets an event when it has started, and notifies the webhook."""

    def __init__(self, config: uvicorn.Config, sandbox: SandboxApi) -> None:
        super().__init__(config)
        self.started_event = threading.Event()
        self._sandbox = sandbox
        self._webhook_task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._sandbox.webhook:
            self._webhook_task = asyncio.create_task(self._poll_webhook())
        self.started_event.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._webhook_task:
            self._webhook_task.cancel()
        await super().shutdown(sockets)

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


def _server(sandbox: SandboxApi) -> _Server:
    # No access log: the query of a request may contain an API key.
    config = uvicorn.Config(
        sandbox.app,
        http=_Protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return _Server(config, sandbox)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(sandbox: SandboxApi, host: str = "127.0.0.1", port: int = 8765) -> None:
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
        _server(sandbox).run(sockets=[listener])


class RunningServer:
    """A sandbox in a thread: a context manager, `with` or `async with`, that returns its URL."""

    def __init__(self, sandbox: SandboxApi, host: str, port: int) -> None:
        self._sandbox = sandbox
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> str:
        listener = _listen(*self._address)
        url = _url(listener)
        server = self._server = _server(self._sandbox)

        def run() -> None:
            try:
                server.run(sockets=[listener])
            finally:
                listener.close()
                server.started_event.set()

        self._thread = threading.Thread(target=run, name="lix_async-sandbox", daemon=True)
        self._thread.start()
        server.started_event.wait()
        return url

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
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


def running(sandbox: SandboxApi, port: int = 0, host: str = "127.0.0.1") -> RunningServer:
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
