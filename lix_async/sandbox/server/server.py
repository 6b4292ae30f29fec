"""Running a sandbox on a port of this machine: blocking, or in a thread beside a test."""

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

# On, and nothing to wait for: closing then sends a reset instead of an orderly end.
_NO_LINGER = struct.pack("ii", 1, 0)
_POLL_INTERVAL = 0.05
"""Seconds between two looks for lookups that are due, where a webhook waits for them."""


class _Protocol(H11Protocol):
    """HTTP/1.1 with a way for the application to break the connection it was called on."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        app = self.app

        def cut(reset: bool) -> None:
            if not reset:
                transport.close()
                return
            line = transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()

        async def with_cut(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DISCONNECT_EXTENSION] = cut
            await app(scope, receive, send)

        self.app = with_cut


class _Server(uvicorn.Server):
    """A uvicorn server that says when it has started, and tells the webhook while it runs."""

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
        # By looking again and again: nobody says when the sandbox's clock, which may be a test's
        # own, has reached a moment.
        while True:
            await self._sandbox.notify_webhook()
            await asyncio.sleep(_POLL_INTERVAL)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on this machine; any other address is refused."""
    name = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        raise ConfigurationError(
            f"the sandbox binds an address of this machine, not {host!r}"
        ) from None
    if not address.is_loopback:
        raise ConfigurationError(f"the sandbox binds 127.0.0.1 or ::1 only, not {host!r}")
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM)
    try:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind((str(address), port))
        line.listen(2048)
    except OSError:
        line.close()
        raise
    return line


def _server(sandbox: SandboxApi) -> _Server:
    # No access log: a key may stand in the query of a request.
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


def _url(line: socket.socket) -> str:
    host, port = line.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(sandbox: SandboxApi, host: str = "127.0.0.1", port: int = 8765) -> None:
    """Answer on a port of this machine until interrupted. Prints and logs nothing by itself.

    Raises `ConfigurationError` for an address that is not of this machine, `OSError` for a port
    that is taken.
    """
    with closing(_listen(host, port)) as line, suppress(KeyboardInterrupt):
        _server(sandbox).run(sockets=[line])


class RunningServer:
    """A sandbox in a thread of its own: `with` or `async with` gives its base URL, on any loop."""

    def __init__(self, sandbox: SandboxApi, host: str, port: int) -> None:
        self._sandbox = sandbox
        self._address = (host, port)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> str:
        line = _listen(*self._address)
        url = _url(line)
        server = self._server = _server(self._sandbox)

        def run() -> None:
            try:
                server.run(sockets=[line])
            finally:
                line.close()
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
    """Run a sandbox beside the caller: a block that gives its base URL.

    Use it by `async with`, on any loop, or by plain `with`. `port` 0 takes a free one. Leaving the
    block stops the server and waits until it has stopped.
    """
    return RunningServer(sandbox, host, port)
