"""What is true of a whole API: its address, where the key goes, its rate, how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast
from urllib.parse import quote, urlsplit

import msgspec

from .errors import ConfigurationError, RefusalError
from .rate_limit import RateLimit

Refusal = Callable[[int, bytes, type], "RefusalError | None"]
"""(status, body, type of the result) → the refusal that this answer is, or None."""

_IN_PATHS = "/%:@!$&'()*+,;="
"""What stands in a path as it is, beside letters, digits and -._~ (RFC 3986 section 3.3)."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def has_own_error(body: bytes) -> bool:
    """Whether a body is a JSON object with an error as the Lix API writes it.

    That is an `error` object with a `type` or a `message`, or an `error` text.

    Contract: lix.md#errors
    """
    try:
        tree = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    error = tree.get("error")
    if isinstance(error, dict):
        found = cast("dict[str, object]", error)
        return bool(found.get("type") or found.get("message"))
    return isinstance(error, str) and bool(error)


class AuthScheme(msgspec.Struct, frozen=True):
    """One way to present the key: in a header or in the query, behind an optional prefix."""

    place: Literal["header", "query"]
    name: str
    prefix: str = ""


class Provider(msgspec.Struct, frozen=True):
    """A whole API: a value that its client and its sandbox share."""

    name: str
    base_url: str
    key_variables: tuple[str, ...]
    url_variable: str
    credentials: Mapping[str, AuthScheme]
    rate: RateLimit
    refusal: Refusal
    window: float = 3.0
    """Seconds to wait at least after a 429 that names no pause."""
    typed: bool = True
    """`Content-Type` goes on every request, as Lix asks; else on those with a body only."""
    shape: Callable[[bytes, type], bytes] | None = None
    """(body of a success, type of the result) → the body in the type's shape, where the provider
    wraps the same rows now one way, now another. May raise `SchemaMismatch`."""
    own_error: Callable[[bytes], bool] = has_own_error
    """Whether a body holds an error in the API's own words: proxies answer with any status."""


class ApiKey:
    """An API key that shows itself to nobody: not in repr, str, pickles or copies.

    Only visible ASCII is taken: a newline would be printed whole by the HTTP library's error,
    and other alphabets survive inside UnicodeEncodeError.
    """

    __slots__ = ("_reveal",)
    _reveal: Callable[[], str]

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise ConfigurationError(
                f"api_key must be a text, not {type(text).__name__}: copy it from the dashboard"
            )
        if not text or not all("!" <= char <= "~" for char in text):
            why = "is empty" if not text else "has spaces, line breaks or non-ASCII characters"
            raise ConfigurationError(f"the API key {why}; copy it again from the dashboard")
        # A closure keeps the text out of attribute walks, such as those of crash reporters.
        self._reveal = lambda: text

    def reveal(self) -> str:
        """The key itself: for the last door only."""
        return self._reveal()

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError("an API key is never pickled; make a new client over there")


class BaseUrl(msgspec.Struct, frozen=True):
    """Where calls go: scheme, host, port and an optional path prefix, checked."""

    scheme: str
    host: str
    port: int | None
    prefix: str

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL and in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host, port and prefix, without a slash at the end."""
        return f"{self.scheme}://{self.authority}{self.prefix}"

    @property
    def loopback(self) -> bool:
        """Whether the address is this machine."""
        return self.host in LOOPBACK


def address(url: str) -> BaseUrl:
    """Read a base URL; https, or http to this machine only, so that no key crosses in clear."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigurationError("base_url is not a URL") from None
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError("base_url must be scheme, host, port and path only")
    host = parts.hostname or ""
    if not host or not host.isascii() or any(char <= " " or char in "/\\@%" for char in host):
        raise ConfigurationError("base_url names no host")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ConfigurationError(
            f"base_url must be https (http only to this machine): {parts.scheme}://{host}"
        )
    return BaseUrl(parts.scheme, host, port, quote(parts.path.rstrip("/"), _IN_PATHS))
