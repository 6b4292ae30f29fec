"""The HTTP library behind one method: an `Outgoing` becomes a `Reply` or a `Failure`.

Failures are returned, not raised: a traceback would keep the library's frames alive, and their
locals hold the headers. Nothing else imports an HTTP library.
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
from .connection_pool import CLOSING, SLOTS, ConnectionPool, PooledConnection
from .credentials import RequestBuilder
from .response_body import Trouble, read, single_chunk_stream

if TYPE_CHECKING:
    import httpx
    import httpx2

    Client = httpx.AsyncClient | httpx2.AsyncClient

READ_TIMEOUT = 90.0
"""Seconds without a byte: lookups are made live and take their time."""
CONNECT_TIMEOUT = 15.0
LONGEST_URL = 60_000
"""Characters beyond which httpx is asked whether a URL can be sent; it takes 65,536."""
KEEP_ALIVE = 60.0
"""Seconds that an idle connection is kept: twenty turns at the default rate."""


class TransportFailure(msgspec.Struct, frozen=True):
    """No answer. `sent`: the request may have arrived. `permanent`: a repeat makes no sense."""

    message: str
    sent: bool
    permanent: bool = False


class SendTimestamp:
    """When a request left; None until its first byte is on its way. `notice` hears at once."""

    __slots__ = ("_at", "_notice")

    def __init__(self, notice: Callable[[float], object] = lambda _: None) -> None:
        self._at: float | None = None
        self._notice = notice

    @property
    def at(self) -> float | None:
        """The moment, on the engine's clock."""
        return self._at

    @at.setter
    def at(self, moment: float) -> None:
        self._at = moment
        self._notice(moment)


class Transport(Protocol):
    """One method wide, so that another HTTP library can stand in."""

    async def exchange(
        self, outgoing: HttpRequest, departure: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        """Send one request and read its whole answer, without following redirects."""
        ...

    async def aclose(self) -> None:
        """Close the connections. The next exchange opens new ones."""


class _HttpxModule(Protocol):
    """What is used of httpx. httpx2 continues it, same names."""

    AsyncHTTPTransport: type[httpx.AsyncHTTPTransport]
    Limits: type[httpx.Limits]
    Request: type[httpx.Request]
    URL: type[httpx.URL]


class HttpTransport:
    """Slots over httpx, or over httpx2 where the caller hands in that module."""

    def __init__(
        self,
        door: RequestBuilder,
        timeout: dict[str, float | None],
        library: ModuleType | None = None,
        size: int = SLOTS,
    ) -> None:
        self._door = door
        self._extensions: dict[str, object] = {"timeout": timeout}
        if library is None:
            import httpx  # late: two thirds of what importing lix_async would cost

            library = httpx

        self._library = cast("_HttpxModule", library)
        self._stream = single_chunk_stream(library.ByteStream)
        self._context: ssl.SSLContext | None = None
        address = door.address
        self._base = self._library.URL(f"{address.scheme}://{address.authority}")
        self.slots: ConnectionPool[httpx.AsyncHTTPTransport] = ConnectionPool(
            self._connection, size
        )

    def _connection(self) -> httpx.AsyncHTTPTransport:
        if self._context is None:
            self._context = _tls(self._door.address)
        limits = self._library.Limits(
            max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE
        )
        return self._library.AsyncHTTPTransport(
            verify=self._context, trust_env=False, limits=limits
        )

    async def exchange(
        self, outgoing: HttpRequest, departure: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        slot = await self.slots.take()
        try:
            if slot.used and not outgoing.idempotent:
                # An idle connection may be closed by the server just as we send: a call that
                # must not be repeated gets a fresh one, so that this cannot leave it in doubt.
                await self.slots.renew(slot)
            reply = await self._over(slot, outgoing, departure)
        except BaseException as error:
            await self.slots.discard(slot)
            drop_traceback(error)
            raise
        slot.used = True
        if isinstance(reply, TransportFailure) or not self.slots.give(slot):
            await self.slots.discard(slot)
        return reply

    async def _over(
        self,
        slot: PooledConnection[httpx.AsyncHTTPTransport],
        outgoing: HttpRequest,
        departure: SendTimestamp,
    ) -> HttpResponse | TransportFailure:
        # The target stands beside the URL, which is parsed once: the ground floor has encoded
        # it, and to parse and quote every one of them again takes httpx 15 µs of a call.
        target = self._door.target(outgoing)
        base = self._base if len(target) < LONGEST_URL else None
        extensions = {**self._extensions, "target": target.encode("ascii")}
        if slot.used:
            departure.at = self._door.now()
        else:
            extensions["trace"] = _departs(departure, self._door.now)
        try:
            request = self._library.Request(
                outgoing.method,
                base or self._door.url(outgoing),
                headers=self._door.headers(outgoing),
                stream=self._stream(outgoing.body or b""),
                extensions=extensions,
            )
            response = await slot.connection.handle_async_request(request)
            stream = cast("AsyncIterable[bytes]", response.stream)
            body = await read(stream, response.headers.get("content-encoding"))
            await response.stream.aclose()  # type: ignore[union-attr]  # always async here
            if isinstance(body, tuple):
                return TransportFailure(*body)
            return HttpResponse(response.status_code, response.headers.raw, self._door.hide(body))
        except Exception as error:  # noqa: BLE001  # translated by table; cancellation passes
            return TransportFailure(*translate_http_error(error))

    async def aclose(self) -> None:
        await self.slots.aclose()


class ClientTransport:
    """A client of the caller's own: its proxies, mounts and hooks apply; it is never closed."""

    def __init__(
        self, door: RequestBuilder, timeout: dict[str, float | None] | None, client: Client
    ) -> None:
        self._door = door
        self._client = cast("httpx.AsyncClient", client)
        self._extensions: dict[str, object] | None = {"timeout": timeout} if timeout else None
        # Cancelling a call that waits inside the pool strands a connection: never wait there.
        self._gate: ConnectionPool[_NullConnection] = ConnectionPool(
            _NullConnection, _pool_size(client)
        )

    async def exchange(
        self, outgoing: HttpRequest, departure: SendTimestamp
    ) -> HttpResponse | TransportFailure:
        if getattr(self._client, "is_closed", False):
            return TransportFailure("the HTTP client given is closed", sent=False, permanent=True)
        slot = await self._gate.take()
        try:
            departure.at = self._door.now()
            return await self._through(outgoing)
        except BaseException as error:
            drop_traceback(error)
            raise
        finally:
            self._gate.give(slot)

    async def _through(self, outgoing: HttpRequest) -> HttpResponse | TransportFailure:
        try:
            request = self._client.build_request(
                outgoing.method,
                self._door.url(outgoing),
                headers=self._door.headers(outgoing),
                content=outgoing.body,
                extensions=self._extensions,
            )
            if outgoing.body is not None:
                stream = cast("type", type(request.stream))
                request.stream = single_chunk_stream(stream)(outgoing.body)
            response = await self._client.send(request, stream=True, follow_redirects=False)
            try:
                body: bytes | Trouble
                if response.is_closed:  # a mock's answer, or one that a hook has read: unpacked
                    body = response.content
                else:
                    raw = response.aiter_raw()
                    body = await read(raw, response.headers.get("content-encoding"))
            finally:
                with anyio.move_on_after(CLOSING, shield=True):
                    await response.aclose()
            if isinstance(body, tuple):
                return TransportFailure(*body)
            return HttpResponse(response.status_code, response.headers.raw, self._door.hide(body))
        except Exception as error:  # noqa: BLE001  # translated by table; cancellation passes
            return TransportFailure(*translate_http_error(error))

    async def aclose(self) -> None:
        """The client belongs to the caller."""


class _NullConnection:
    async def aclose(self) -> None:
        """Nothing to close: the slot only counts."""


def _pool_size(client: Client) -> int:
    # httpx tells the size of its pool to nobody; without this a small pool would be queued in.
    pool = getattr(getattr(client, "_transport", None), "_pool", None)
    size: int = getattr(pool, "_max_connections", SLOTS)
    return max(min(size, SLOTS), 1)


def _departs(
    departure: SendTimestamp, now: Callable[[], float]
) -> Callable[[str, object], Awaitable[None]]:
    async def trace(event: str, _info: object) -> None:
        if event.endswith("send_request_headers.started"):
            departure.at = now()

    return trace


def _tls(address: BaseUrl) -> ssl.SSLContext:
    """One context for all slots: making one costs 19 ms and 0.8 MB.

    Made by hand, because `ssl.create_default_context` obeys SSLKEYLOGFILE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if address.scheme == "https":
        import certifi  # comes with httpx; not needed against a sandbox

        context.load_verify_locations(cafile=certifi.where())
    return context


# What is known of a failure from its class, for every class of the library (a test looks for
# new ones): may the request have arrived? does a repeat make no sense?
FAILURES: dict[str, tuple[bool, bool, str]] = {
    "InvalidURL": (False, True, "the URL is too long or not valid"),
    "ConnectTimeout": (False, False, "no connection within the timeout"),
    "ConnectError": (False, False, "no connection"),
    "PoolTimeout": (False, False, "no free connection in the HTTP client given"),
    "ProxyError": (False, False, "the proxy refused"),
    "UnsupportedProtocol": (False, True, "the HTTP client cannot reach such an address"),
    "LocalProtocolError": (False, True, "the request is not valid HTTP"),
    "WriteTimeout": (True, False, "the request could not be sent within the timeout"),
    "WriteError": (True, False, "the connection broke while sending"),
    "ReadTimeout": (True, False, "no answer within the timeout"),
    "ReadError": (True, False, "the connection broke before the answer was complete"),
    "RemoteProtocolError": (True, False, "the server broke off or did not speak HTTP"),
    "CloseError": (True, False, "the connection could not be closed"),
    "DecodingError": (True, False, "the answer cannot be unpacked"),
    "TooManyRedirects": (True, True, "redirects"),
    "SSEError": (True, True, "the answer is a stream of events"),
}


def translate_http_error(error: Exception) -> tuple[str, bool, bool]:
    """In words; may it have arrived; is a repeat senseless. Only connecting tells more."""
    names = [kind.__name__ for kind in type(error).__mro__]
    name = next((name for name in names if name in FAILURES), "")
    sent, permanent, message = FAILURES.get(name, (True, False, "the connection failed"))
    if name in ("ConnectError", "ConnectTimeout", "ProxyError"):  # no header in there
        untrusted = _certificate(error)
        permanent = untrusted or (name == "ProxyError" and "407" in str(error))
        why = "the certificate cannot be verified" if untrusted else str(error)
        message = f"{message}: {why}" if why else message
    return f"{message} ({type(error).__name__})", sent, permanent


def _certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def drop_traceback(error: BaseException) -> None:
    """Take the HTTP library's frames off a cancellation: their locals hold the key."""
    error.__cause__ = error.__context__ = None
    error.with_traceback(None)
