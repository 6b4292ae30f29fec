"""The HTTP library behind one method: an `HttpRequest` in, an `HttpResponse` or a failure out.

Failures are returned, not raised: a traceback would keep the library's frames alive, and their
local variables hold the headers with the key. No other module imports an HTTP library.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, Awaitable, Callable
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

import anyio
import msgspec

from ..core.provider import BaseUrl
from ..core.wire import HttpRequest, HttpResponse
from .connection_pool import CLOSE_TIMEOUT, MAX_CONNECTIONS, ConnectionPool, PooledConnection
from .credentials import RequestBuilder
from .response_body import BodyError, read_body, single_chunk_stream

if TYPE_CHECKING:
    import httpx
    import httpx2

    HttpxClient = httpx.AsyncClient | httpx2.AsyncClient

READ_TIMEOUT = 90.0
"""Seconds without a byte. Lookups are made live and can take more than a minute."""
CONNECT_TIMEOUT = 15.0
MAX_UNPARSED_URL = 60_000
"""Characters up to which a URL is sent without asking httpx, which accepts 65,536."""
KEEP_ALIVE = 60.0
"""Seconds that an idle connection is kept: twenty requests at the default rate."""


class TransportFailure(msgspec.Struct, frozen=True):
    """An exchange without a response."""

    message: str
    sent: bool
    """Whether the request may have arrived."""
    permanent: bool = False
    """Whether a retry would fail in the same way."""


class SendTimestamp:
    """The time at which a request was sent; None until its first byte is being sent.

    Args:
        on_set: Called with the time as soon as it is known.
    """

    __slots__ = ("_at", "_on_set")

    def __init__(self, on_set: Callable[[float], object] = lambda _: None) -> None:
        self._at: float | None = None
        self._on_set = on_set

    @property
    def at(self) -> float | None:
        """The time on the engine's clock."""
        return self._at

    @at.setter
    def at(self, moment: float) -> None:
        self._at = moment
        self._on_set(moment)


class Transport(Protocol):
    """What the engine needs of an HTTP library."""

    async def exchange(
        self, request: HttpRequest, sent_at: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        """Send one request and read the whole response, without following redirects.

        Sets `sent_at.at` when the first byte is sent.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections. The next exchange opens new ones."""


class _HttpxModule(Protocol):
    """What is used of httpx. httpx2 has the same names."""

    AsyncHTTPTransport: type[httpx.AsyncHTTPTransport]
    Limits: type[httpx.Limits]
    Request: type[httpx.Request]
    URL: type[httpx.URL]


class HttpTransport:
    """A connection pool over the transports of httpx, or of the module that is passed."""

    def __init__(
        self,
        request_builder: RequestBuilder,
        timeout: dict[str, float | None],
        library: ModuleType | None = None,
        size: int = MAX_CONNECTIONS,
    ) -> None:
        self._builder = request_builder
        self._extensions: dict[str, object] = {"timeout": timeout}
        if library is None:
            import httpx  # late: two thirds of the time that importing lix_async would take

            library = httpx

        self._library = cast("_HttpxModule", library)
        self._stream = single_chunk_stream(library.ByteStream)
        self._context: ssl.SSLContext | None = None
        address = request_builder.address
        self._base = self._library.URL(f"{address.scheme}://{address.authority}")
        self.pool: ConnectionPool[httpx.AsyncHTTPTransport] = ConnectionPool(
            self._make_connection, size
        )

    def _make_connection(self) -> httpx.AsyncHTTPTransport:
        if self._context is None:
            self._context = _tls_context(self._builder.address)
        limits = self._library.Limits(
            max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE
        )
        return self._library.AsyncHTTPTransport(
            verify=self._context, trust_env=False, limits=limits
        )

    async def exchange(
        self, request: HttpRequest, sent_at: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        """Send one request over a pooled connection."""
        pooled = await self.pool.acquire()
        try:
            if pooled.used and not request.idempotent:
                # The server may close an idle connection just as a request is sent over it. A
                # request that must not be repeated gets a new one, so that this cannot leave it
                # in doubt.
                await self.pool.replace_connection(pooled)
            response = await self._exchange(pooled, request, sent_at)
        except BaseException as error:
            await self.pool.discard(pooled)
            drop_traceback(error)
            raise
        pooled.used = True
        if isinstance(response, TransportFailure) or not self.pool.release(pooled):
            await self.pool.discard(pooled)
        return response

    async def _exchange(
        self,
        pooled: PooledConnection[httpx.AsyncHTTPTransport],
        request: HttpRequest,
        sent_at: SendTimestamp,
    ) -> HttpResponse | TransportFailure:
        # The target, which is encoded already, is passed beside a base URL that was parsed once:
        # parsing and quoting it again takes httpx 15 µs for each call.
        target = self._builder.target(request)
        base = self._base if len(target) < MAX_UNPARSED_URL else None
        extensions = {**self._extensions, "target": target.encode("ascii")}
        if pooled.used:
            sent_at.at = self._builder.now()
        else:  # a new connection is opened first
            extensions["trace"] = _record_send(sent_at, self._builder.now)
        try:
            response = await pooled.connection.handle_async_request(
                self._library.Request(
                    request.method,
                    base or self._builder.url(request),
                    headers=self._builder.headers(request),
                    stream=self._stream(request.body or b""),
                    extensions=extensions,
                )
            )
            stream = cast("AsyncIterable[bytes]", response.stream)
            body = await read_body(stream, response.headers.get("content-encoding"))
            await response.stream.aclose()  # type: ignore[union-attr]  # always async here
            return _result(self._builder, response, body)
        except Exception as error:  # noqa: BLE001  # translated by table; cancellation passes
            return TransportFailure(*translate_http_error(error))

    async def aclose(self) -> None:
        """Close the idle connections. The next exchange opens new ones."""
        await self.pool.aclose()


class ClientTransport:
    """An HTTP client of the caller's own: its proxies, mounts and hooks apply; never closed."""

    def __init__(
        self,
        request_builder: RequestBuilder,
        timeout: dict[str, float | None] | None,
        client: HttpxClient,
    ) -> None:
        self._builder = request_builder
        self._client = cast("httpx.AsyncClient", client)
        self._extensions: dict[str, object] | None = {"timeout": timeout} if timeout else None
        # A call that is cancelled while it waits inside the client's pool makes a connection
        # unusable. This pool of the same size keeps calls from waiting there.
        self._pool: ConnectionPool[_NullConnection] = ConnectionPool(
            _NullConnection, _pool_size(client)
        )

    async def exchange(
        self, request: HttpRequest, sent_at: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        """Send one request with the client."""
        if getattr(self._client, "is_closed", False):
            return TransportFailure("the given HTTP client is closed", sent=False, permanent=True)
        pooled = await self._pool.acquire()
        try:
            sent_at.at = self._builder.now()
            return await self._exchange(request)
        except BaseException as error:
            drop_traceback(error)
            raise
        finally:
            self._pool.release(pooled)

    async def _exchange(self, request: HttpRequest) -> HttpResponse | TransportFailure:
        try:
            httpx_request = self._client.build_request(
                request.method,
                self._builder.url(request),
                headers=self._builder.headers(request),
                content=request.body,
                extensions=self._extensions,
            )
            if request.body is not None:
                stream = cast("type", type(httpx_request.stream))
                httpx_request.stream = single_chunk_stream(stream)(request.body)
            response = await self._client.send(httpx_request, stream=True, follow_redirects=False)
            try:
                body: bytes | BodyError
                if response.is_closed:  # from a mock, or read by a hook: decompressed already
                    body = response.content
                else:
                    raw = response.aiter_raw()
                    body = await read_body(raw, response.headers.get("content-encoding"))
            finally:
                with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
                    await response.aclose()
            return _result(self._builder, response, body)
        except Exception as error:  # noqa: BLE001  # translated by table; cancellation passes
            return TransportFailure(*translate_http_error(error))

    async def aclose(self) -> None:
        """Do nothing: the client belongs to the caller."""


class _NullConnection:
    async def aclose(self) -> None:
        """Nothing to close: this pool only counts."""


def _result(
    builder: RequestBuilder, response: httpx.Response, body: bytes | BodyError
) -> HttpResponse | TransportFailure:
    if isinstance(body, tuple):
        return TransportFailure(*body)
    return HttpResponse(response.status_code, response.headers.raw, builder.redact(body))


def _pool_size(client: HttpxClient) -> int:
    # httpx has no public way to read the size of its pool.
    pool = getattr(getattr(client, "_transport", None), "_pool", None)
    size: int = getattr(pool, "_max_connections", MAX_CONNECTIONS)
    return max(min(size, MAX_CONNECTIONS), 1)


def _record_send(
    sent_at: SendTimestamp, now: Callable[[], float]
) -> Callable[[str, object], Awaitable[None]]:
    async def trace(event: str, _info: object) -> None:
        if event.endswith("send_request_headers.started"):
            sent_at.at = now()

    return trace


def _tls_context(address: BaseUrl) -> ssl.SSLContext:
    """One context for all connections: making one takes 19 ms and 0.8 MB.

    Not made by `ssl.create_default_context`, which would honour SSLKEYLOGFILE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if address.scheme == "https":
        import certifi  # a dependency of httpx; not needed for a sandbox

        context.load_verify_locations(cafile=certifi.where())
    return context


FAILURES: dict[str, tuple[bool, bool, str]] = {
    "InvalidURL": (False, True, "the URL is too long or not valid"),
    "ConnectTimeout": (False, False, "no connection within the timeout"),
    "ConnectError": (False, False, "no connection"),
    "PoolTimeout": (False, False, "no free connection in the given HTTP client"),
    "ProxyError": (False, False, "the proxy refused"),
    "UnsupportedProtocol": (False, True, "the HTTP client does not support this kind of address"),
    "LocalProtocolError": (False, True, "the request is not valid HTTP"),
    "WriteTimeout": (True, False, "the request could not be sent within the timeout"),
    "WriteError": (True, False, "the connection broke while sending"),
    "ReadTimeout": (True, False, "no response within the timeout"),
    "ReadError": (True, False, "the connection broke before the response was complete"),
    "RemoteProtocolError": (True, False, "the server closed the connection or sent invalid HTTP"),
    "CloseError": (True, False, "the connection could not be closed"),
    "DecodingError": (True, False, "the response cannot be decompressed"),
    "TooManyRedirects": (True, True, "too many redirects"),
    "SSEError": (True, True, "the response is a stream of events"),
}
"""For each exception class of the library: whether the request may have arrived, whether the error
is permanent, and a message. A test compares the table with the classes of the library."""


def translate_http_error(error: Exception) -> tuple[str, bool, bool]:
    """An exception of the library as the three fields of a `TransportFailure`.

    The text of the exception is added only for connection errors: no header can be in it.
    """
    names = [kind.__name__ for kind in type(error).__mro__]
    name = next((name for name in names if name in FAILURES), "")
    sent, permanent, message = FAILURES.get(name, (True, False, "the connection failed"))
    if name in ("ConnectError", "ConnectTimeout", "ProxyError"):
        untrusted = _is_certificate_error(error)
        permanent = untrusted or (name == "ProxyError" and "407" in str(error))
        reason = "the certificate cannot be verified" if untrusted else str(error)
        message = f"{message}: {reason}" if reason else message
    return f"{message} ({type(error).__name__})", sent, permanent


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def drop_traceback(error: BaseException) -> None:
    """Remove the HTTP library's frames from a cancellation: their local variables hold the key."""
    error.__cause__ = error.__context__ = None
    error.with_traceback(None)
