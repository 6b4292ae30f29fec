"""Requests of clients without an `http_client`, sent through httpx, where its mocks can answer."""

from __future__ import annotations

import ssl

import httpx

from ..core.errors import ConfigurationError
from ..core.wire import HttpRequest, HttpResponse
from ..engine.connection_pool import PooledConnection
from ..engine.transport import (
    ClientTransport,
    HttpConnection,
    HttpTransport,
    SendTimestamp,
    TransportFailure,
)

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate; making it takes no time. No connection over TLS is made."""


async def open_nothing(
    transport: HttpTransport,
    pooled: PooledConnection[HttpConnection],
    request: HttpRequest,
    wait: float = 0.0,
) -> None:
    """In place of `HttpTransport._ready`: a request through httpx needs no connection of it."""


async def exchange(
    transport: HttpTransport, request: HttpRequest, sent_at: SendTimestamp
) -> HttpResponse | TransportFailure:
    """In place of `HttpTransport.exchange`: send a request with an `httpx.AsyncClient`.

    Raises:
        ConfigurationError: No mock has answered it, and its server is not on this machine.
    """
    refused = False

    async def trace(event: str, info: dict[str, object]) -> None:
        nonlocal refused
        if event == "connection.connect_tcp.started" and not transport.address.loopback:
            refused = True
            raise httpx.ConnectError("not mocked")

    async def prepare(outgoing: httpx.Request) -> None:
        outgoing.extensions["trace"] = trace

    hooks = {"request": [prepare]}
    async with httpx.AsyncClient(
        event_hooks=hooks, verify=NO_AUTHORITIES, trust_env=False
    ) as client:
        mocked = ClientTransport(transport.request_builder, transport.timeout, client)
        response = await mocked.exchange(request, sent_at)
    if refused:
        path = request.target.partition("?")[0]
        raise ConfigurationError(
            f"lix_httpx: no mock has answered {request.method} {path}: start one, such as respx, "
            f"with a route for {transport.address.origin}{path}"
        )
    return response
