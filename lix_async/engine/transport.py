"""The HTTP library behind one method: an `HttpRequest` in, an `HttpResponse` or a failure out.

Failures are returned, not raised: a traceback would keep the library's frames alive, and their
local variables hold the headers with the key. No other module imports an HTTP library.
"""

from __future__ import annotations

import math
import os
import re
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

import anyio
import msgspec

from ..core.errors import ConfigurationError
from ..core.provider import BaseUrl
from ..core.validation import check_type
from ..core.wire import HttpRequest, HttpResponse
from .answer import read_headers
from .connection_pool import CLOSE_TIMEOUT, MAX_CONNECTIONS, ConnectionPool, PooledConnection
from .credentials import RequestBuilder
from .response_body import BodyError, SingleChunkStream, read_body, single_chunk_stream

if TYPE_CHECKING:
    import httpcore
    import httpx
    import httpx2

    HttpxClient = httpx.AsyncClient | httpx2.AsyncClient

READ_TIMEOUT = 90.0
"""Seconds without a byte. Lookups are made live and can take more than a minute."""
CONNECT_TIMEOUT = 15.0
DEFAULT_TIMEOUT: dict[str, float | None] = {
    "connect": CONNECT_TIMEOUT,
    "read": READ_TIMEOUT,
    "write": 30.0,
    "pool": None,
}
HTTPX_TIMEOUT = 5.0
"""What httpx has as its default for each of them: too short for a live lookup."""
MAX_URL_LENGTH = 65_536
"""Characters of a URL, as in httpx."""
KEEP_ALIVE = 60.0
"""Seconds that an idle connection is kept: twenty requests at the default rate."""
TIMEOUT_PARAM = re.compile(r"\btimeout *= *([0-9]{1,9})", re.ASCII | re.IGNORECASE)
"""The seconds in a `Keep-Alive` header, for which the server keeps an idle connection."""


Verify = ssl.SSLContext | str | os.PathLike[str] | None


class TransportFailure(msgspec.Struct, frozen=True):
    """An exchange without a response."""

    message: str
    sent: bool
    """Whether the request may have arrived."""
    permanent: bool = False
    """Whether a retry would fail in the same way."""


class SendTimestamp:
    """The time at which a request was sent; None until its first byte is being sent.

    Attributes:
        latest: After this time the request is not sent any more: its permit has run out.

    Args:
        on_set: Called with the time as soon as it is known.
    """

    __slots__ = ("_at", "_on_set", "latest")

    def __init__(self, on_set: Callable[[float], object] = lambda _: None) -> None:
        self._at: float | None = None
        self._on_set = on_set
        self.latest = math.inf

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

        Sets `sent_at.at` when the first byte is sent; returns `TOO_LATE` where that would be after
        `sent_at.latest`.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections. The next exchange opens new ones."""


TOO_LATE = TransportFailure("its permit has run out", sent=False)
"""Returned for a request that was held up for longer than its permit is good for."""
Prepare = Callable[[HttpRequest, float], Awaitable[TransportFailure | None]]
"""What a transport may have as a method `prepare`; see `HttpTransport`."""

MAX_READY = 16
"""Connections that are opened in advance at most."""


class HttpcoreStream(Protocol):
    """The body of a response of httpcore."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


class _HttpcoreModule(Protocol):
    """What is used of httpcore, on which httpx is built. httpcore2 has the same names."""

    AnyIOBackend: Callable[[], httpcore.AsyncNetworkBackend]
    AsyncHTTP11Connection: type[httpcore.AsyncHTTP11Connection]
    Request: type[httpcore.Request]
    URL: type[httpcore.URL]


class HttpConnection:
    """One HTTP/1.1 connection, which is opened separately, so that it can be ready in advance."""

    def __init__(
        self,
        library: _HttpcoreModule,
        address: BaseUrl,
        timeout: float | None,
        context: Callable[[], ssl.SSLContext],
    ) -> None:
        self._library = library
        self._address = address
        self._timeout = timeout
        self._context = context
        self._http: httpcore.AsyncHTTP11Connection | None = None

    @property
    def is_usable(self) -> bool:
        """Whether a request can be sent at once, and the next bytes received are its answer."""
        http = self._http
        return http is not None and not http.has_expired() and not has_unread_bytes(http)

    async def open(self) -> None:
        """Connect, and shake hands for https. Raises what the library raises."""
        url = self.url(b"/")
        stream = await self._library.AnyIOBackend().connect_tcp(
            self._address.host, url.origin.port, self._timeout
        )
        if self._address.scheme == "https":
            context = self._context()
            context.set_alpn_protocols(["http/1.1"])
            stream = await stream.start_tls(context, self._address.host, self._timeout)
        self._http = self._library.AsyncHTTP11Connection(url.origin, stream, KEEP_ALIVE)

    def url(self, target: bytes) -> httpcore.URL:
        """The URL of a target, which is encoded already."""
        address = self._address
        return self._library.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=target,
        )

    async def send(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over the open connection, and receive the head of its response."""
        assert self._http is not None  # opened by the transport
        return await self._http.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connection."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()


class HttpTransport:
    """A connection pool over httpcore, or over the httpcore2 of the httpx2 that is passed."""

    def __init__(
        self,
        request_builder: RequestBuilder,
        timeout: dict[str, float | None],
        library: ModuleType | None = None,
        size: int = MAX_CONNECTIONS,
        verify: Verify = None,
    ) -> None:
        self.request_builder = request_builder
        self.timeout = timeout
        name = "httpx" if library is None else library.__name__
        # Imported here: late for the import of lix_async, and early for the first call.
        core = import_module(name.replace("httpx", "httpcore"))
        self._library = cast("_HttpcoreModule", core)
        self._context = TlsContext(request_builder.address, verify)
        self.pool: ConnectionPool[HttpConnection] = ConnectionPool(self._make_connection, size)
        self._wanted = 1
        """Connections to have ready: one more each time that a request has found none."""
        self._opening = 0
        self._keep_alive = math.inf
        """Seconds for which an idle connection is used again: fewer than the server keeps it, as
        far as the server says so or has shown it."""

    @property
    def address(self) -> BaseUrl:
        """The server that it connects to."""
        return self.request_builder.address

    def _make_connection(self) -> HttpConnection:
        connect = self.timeout.get("connect")
        return HttpConnection(
            self._library, self.request_builder.address, connect, self._context.get
        )

    async def prepare(self, request: HttpRequest, wait: float) -> TransportFailure | None:
        """Have a connection ready before the permit is taken.

        One caller connects at a time, and the others wait for it: they are served in the order in
        which they came, and usually need no connection of their own.

        Args:
            request: What will be sent.
            wait: Seconds until the permit, as far as that is known.

        Returns:
            The failure, if no connection can be made.
        """
        async with self.pool.opening():
            if self.pool.is_exhausted:
                return None  # one is free when its answer is there
            failure = await self._open(await self.pool.acquire(), request, wait)
        if failure is not None or self.pool.free + self._opening >= self._wanted:
            return failure
        # Another one, while the other callers go on: connecting may take longer than the gap
        # between two permits, and the server may close each connection.
        if (extra := self.pool.add()) is not None:
            self._opening += 1
            try:
                await self._open(extra, request, wait)
            finally:
                self._opening -= 1
        return None

    async def _open(
        self, pooled: PooledConnection[HttpConnection], request: HttpRequest, wait: float
    ) -> TransportFailure | None:
        """Open a lent connection and return it to the pool."""
        failure = await self._ready(pooled, request, wait)
        if failure is not None or not self.pool.release(pooled):
            await self.pool.discard(pooled)
        return failure

    async def exchange(
        self, request: HttpRequest, sent_at: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        """Send one request over a pooled connection."""
        if len(self.request_builder.url(request)) > MAX_URL_LENGTH:
            return TransportFailure(FAILURES["InvalidURL"][2], sent=False, permanent=True)
        pooled = await self.pool.acquire()
        if not pooled.connection.is_usable:
            self._wanted = min(self._wanted + 1, MAX_READY)
        failure = await self._ready(pooled, request)
        if failure is not None:
            await self.pool.discard(pooled)
            return failure
        try:
            response = await self._exchange(pooled, request, sent_at)
        except BaseException as error:
            await self.pool.discard(pooled)
            drop_traceback(error)
            raise
        if response is not TOO_LATE:
            pooled.used_at = self.request_builder.now()
        usable = (
            isinstance(response, HttpResponse) or response is TOO_LATE
        ) and pooled.connection.is_usable
        if not usable or not self.pool.release(pooled):
            await self.pool.discard(pooled)
        return response

    async def _ready(
        self, pooled: PooledConnection[HttpConnection], request: HttpRequest, wait: float = 0.0
    ) -> TransportFailure | None:
        """Open a lent connection, unless it is open and usable. Discards it if cancelled."""
        # The server may close an idle connection just as a request is sent over it. A request
        # that must not be repeated gets a new one, so that this cannot leave it in doubt.
        fresh = pooled.used_at is None
        lasts = request.idempotent and self._idle(pooled) + wait < self._keep_alive
        if pooled.connection.is_usable and (fresh or lasts):
            return None
        try:
            await self.pool.replace_connection(pooled)
            await pooled.connection.open()
            return None
        except Exception as error:  # noqa: BLE001  # translated by table; cancellation passes
            message, _, permanent = translate_http_error(error)
            return TransportFailure(message, sent=False, permanent=permanent)
        except BaseException as error:
            await self.pool.discard(pooled)
            drop_traceback(error)
            raise

    def _idle(self, pooled: PooledConnection[HttpConnection]) -> float:
        """Seconds since the last exchange over a connection; 0.0 if there was none."""
        return 0.0 if pooled.used_at is None else self.request_builder.now() - pooled.used_at

    async def _send(
        self, pooled: PooledConnection[HttpConnection], request: httpcore.Request
    ) -> httpcore.Response:
        """Send a request, and learn from a failure that the server had closed the connection."""
        idle = self._idle(pooled)
        try:
            return await pooled.connection.send(request)
        except Exception as error:
            if pooled.used_at is not None and not type(error).__name__.endswith("Timeout"):
                self._keep_alive = min(self._keep_alive, idle / 2)
            raise

    def _note_keep_alive(self, announced: str) -> None:
        """Note what a server says, with a margin: the request needs time to get there."""
        if found := TIMEOUT_PARAM.search(announced):
            seconds = float(found[1])
            self._keep_alive = min(self._keep_alive, max(seconds - 1.0, seconds / 2))

    async def _exchange(
        self,
        pooled: PooledConnection[HttpConnection],
        request: HttpRequest,
        sent_at: SendTimestamp,
    ) -> HttpResponse | TransportFailure:
        connection = pooled.connection
        try:
            outgoing = self._library.Request(
                request.method,
                connection.url(self.request_builder.target(request).encode("ascii")),
                headers=self.request_builder.headers(request),
                content=SingleChunkStream(request.body or b""),
                extensions={"timeout": self.timeout},
            )
            now = self.request_builder.now()
            if now > sent_at.latest:
                return TOO_LATE
            sent_at.at = now
            response = await self._send(pooled, outgoing)
            stream = cast("HttpcoreStream", response.stream)
            headers = read_headers(response.headers)
            self._note_keep_alive(headers.get("keep-alive", ""))
            body = await _read_body(stream, headers.get("content-encoding"))
            await stream.aclose()
            return _result(response.status, response.headers, body)
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
        if timeout is None and _has_default_timeout(client):
            timeout = DEFAULT_TIMEOUT
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
            now = self._builder.now()
            if now > sent_at.latest:
                return TOO_LATE
            sent_at.at = now
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
            # The client's own `params=` has replaced the query.
            httpx_request.url = type(httpx_request.url)(self._builder.url(request))
            if request.body is not None:
                stream = cast("type", type(httpx_request.stream))
                httpx_request.stream = single_chunk_stream(stream)(request.body)
            # Without `auth=None`, the client's own `auth=` would replace the key.
            response = await self._client.send(
                httpx_request, auth=None, stream=True, follow_redirects=False
            )
            try:
                body: bytes | BodyError
                if response.is_closed:  # from a mock, or read by a hook: decompressed already
                    body = response.content
                else:
                    chunks = cast("AsyncIterable[bytes]", response.stream)
                    body = await _read_body(chunks, response.headers.get("content-encoding"))
                await close_if_unread(response)
            finally:
                with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
                    await response.aclose()
            return _result(response.status_code, response.headers.raw, body)
        except Exception as error:  # noqa: BLE001  # translated by table; cancellation passes
            return TransportFailure(*translate_http_error(error))

    async def aclose(self) -> None:
        """Do nothing: the client belongs to the caller."""


class _NullConnection:
    async def aclose(self) -> None:
        """Nothing to close: this pool only counts."""


async def _read_body(chunks: AsyncIterable[bytes], encoding: str | None) -> bytes | BodyError:
    try:
        return await read_body(chunks, encoding)
    except Exception as error:  # noqa: BLE001  # translated by table; cancellation passes
        return translate_http_error(error)


def _result(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes | BodyError
) -> HttpResponse | TransportFailure:
    """What was received. A refusal is one without its text too: its head has status and pause."""
    if not isinstance(body, tuple):
        return HttpResponse(status, headers, body)
    if 200 <= status < 300:
        return TransportFailure(*body)
    return HttpResponse(status, headers, b"")


def has_unread_bytes(connection: Any) -> bool:
    """Whether something was received that belongs to no answer, or the end of the connection.

    The next request over such a connection would get the answer of another one. There are four
    buffers: of the parser, of TLS, of anyio on asyncio, and of the system. httpcore looks at the
    last one only, and has no public access to the others.
    """
    if any(connection._h11_state.trailing_data):
        return True
    stream = connection._network_stream
    tls: ssl.SSLObject | None = stream.get_extra_info("ssl_object")
    if tls is not None:
        try:
            tls.read(1)
        except ssl.SSLWantReadError:  # the only right answer: there is nothing to read
            pass
        except ssl.SSLError:
            return True
        else:
            return True
    socket = getattr(stream, "_stream", None)
    protocol = getattr(getattr(socket, "transport_stream", socket), "_protocol", None)
    return bool(getattr(protocol, "read_queue", ())) or bool(stream.get_extra_info("is_readable"))


async def close_if_unread(response: httpx.Response) -> None:
    """Close the connection of a response, inside a client of the caller's, if it is not clean."""
    stream: Any = response.stream
    while not hasattr(stream, "_connection"):
        inner = getattr(stream, "_httpcore_stream", None) or getattr(stream, "_stream", None)
        if inner is None:
            return  # of a mock, or of another library
        stream = inner
    connection = stream._connection
    if not hasattr(connection, "_h11_state"):
        return  # HTTP/2, where each answer names its request
    if connection.is_closed():
        return  # the library has closed it after a failure
    if response.is_closed and not connection.is_idle():
        return  # a hook has read the answer, and the connection is lent again or closed
    if has_unread_bytes(connection):
        connection._h11_state.send_failed()  # so that it is closed with the response
        if response.is_closed:
            with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
                await connection.aclose()


def _has_default_timeout(client: HttpxClient) -> bool:
    """Whether a client has the timeout of httpx, 5 s, and none that the caller has chosen."""
    timeout = getattr(client, "timeout", None)
    return timeout is not None and set(timeout.as_dict().values()) == {HTTPX_TIMEOUT}


def _pool_size(client: HttpxClient) -> int:
    # httpx has no public way to read the size of its pool.
    pool = getattr(getattr(client, "_transport", None), "_pool", None)
    size: int = getattr(pool, "_max_connections", MAX_CONNECTIONS)
    return max(min(size, MAX_CONNECTIONS), 1)


class TlsContext:
    """The TLS settings of a client: one context for all of its connections.

    Making one takes 19 ms and 0.8 MB. It is not made by `ssl.create_default_context`, which would
    honour SSLKEYLOGFILE.

    Args:
        address: The server. A sandbox on this machine needs no certificates.
        verify: Where the certificates of trusted authorities are, or a context of the caller's.
            Default: what the environment names in SSL_CERT_FILE and SSL_CERT_DIR, else those of
            certifi.

    Raises:
        ConfigurationError: There are no certificates at that place.
    """

    def __init__(self, address: BaseUrl, verify: Verify) -> None:
        check_type("verify", verify, ssl.SSLContext | str | os.PathLike | None)
        self._made = verify if isinstance(verify, ssl.SSLContext) else None
        if isinstance(verify, str | os.PathLike):
            self._made = _context_with("verify", os.fspath(verify))
        elif self._made is None and address.scheme == "https":
            for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
                if path := os.environ.get(name):
                    self._made = _context_with(name, path, self._made)

    def get(self) -> ssl.SSLContext:
        """The context."""
        if self._made is None:
            import certifi  # late: a dependency of httpx, not needed for a sandbox

            self._made = _context_with("certifi", certifi.where())
        return self._made


def _context_with(source: str, path: str, context: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """A context that trusts the certificates in a file, or in a directory made by c_rehash."""
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if os.path.isdir(path):
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
        return context
    except (OSError, ssl.SSLError) as error:
        problem = "has no certificate" if isinstance(error, ssl.SSLError) else "cannot be read"
    raise ConfigurationError(f"{source}: {path!r} {problem}: expected certificates in PEM format")


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
    "AllMockedAssertionError": (False, True, "no route of respx matches the request"),
}
"""For each exception class of the library: whether the request may have arrived, whether the error
is permanent, and a message. A test compares the table with the classes of the library; the last
one is of respx, which raises it in its place."""


UNTRUSTED = (
    "the certificate cannot be verified; if your network has an authority of its own, name its "
    "certificate with verify= or SSL_CERT_FILE"
)


def translate_http_error(error: Exception) -> tuple[str, bool, bool]:
    """An exception of the library as the three fields of a `TransportFailure`.

    The text of the exception is added only for connection errors: no header can be in it.
    """
    names = [kind.__name__ for kind in type(error).__mro__]
    name = next((name for name in names if name in FAILURES), "")
    sent, permanent, message = FAILURES.get(name, (True, False, "the connection failed"))
    if name == "RemoteProtocolError" and _is_invalid_http(error):
        # Another attempt would be charged as well, and its answer be no better.
        permanent, message = True, "the server sent invalid HTTP"
    if name in ("ConnectError", "ConnectTimeout", "ProxyError"):
        untrusted = _is_certificate_error(error)
        permanent = untrusted or (name == "ProxyError" and "407" in str(error))
        reason = UNTRUSTED if untrusted else str(error)
        message = f"{message}: {reason}" if reason else message
    return f"{message} ({type(error).__name__})", sent, permanent


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_invalid_http(error: BaseException | None) -> bool:
    """Whether the parser of HTTP/1.1 could not read an answer, of which the end had not come."""
    while error is not None:
        if type(error).__module__.startswith("h11."):
            return not str(error).startswith("peer ")
        error = error.__cause__ or error.__context__
    return False


def drop_traceback(error: BaseException) -> None:
    """Remove the HTTP library's frames from a cancellation: their local variables hold the key."""
    error.__cause__ = error.__context__ = None
    error.with_traceback(None)
