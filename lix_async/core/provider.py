"""`Provider`, the description of a whole API, with its key and its base URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, cast
from urllib.parse import quote, urlsplit

import msgspec

from .errors import ConfigurationError, RefusalError
from .json_text import json_object
from .rate_limit import RateLimit

Refusal = Callable[[int, bytes, type], "RefusalError | None"]
"""(status, body, type of the result) → the error that this answer reports, or None."""

_IN_PATHS = "/%:@!$&'()*+,;="
"""Characters that a path may contain unencoded, besides letters, digits and -._~.

See https://www.rfc-editor.org/rfc/rfc3986#section-3.3."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def has_own_error(body: bytes) -> bool:
    """Whether a body is a JSON object with an error as the Lix API writes it.

    That is an `error` object with a `type` or a `message`, or an `error` text with nothing beside
    it. Frameworks and gateways write `{"error": text, "path": …}` or `{"error": {"code": 404, …}}`.

    Contract: lix.md#errors
    """
    tree = json_object(body) or {}
    error = tree.get("error")
    if isinstance(error, dict):
        found = cast("dict[str, object]", error)
        return bool(found.get("type") or (found.get("message") and "code" not in found))
    return isinstance(error, str) and bool(error) and len(tree) == 1


class AuthScheme(msgspec.Struct, frozen=True):
    """One way to send the key: in a header or in the query, after an optional prefix."""

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
    """Seconds to wait at least after a 429 without `Retry-After`."""
    typed: bool = True
    """Whether `Content-Type` is sent with every request, as Lix requires, or only with a body."""
    own_error: Callable[[bytes], bool] = has_own_error
    """Whether a body holds an error in the API's own words: proxies answer with any status."""
    normalise: Callable[[bytes, type], bytes] | None = None
    """(body of a success, type of the result) → the body in the form that the type describes, where
    the provider wraps the same items in several ways. May raise `SchemaMismatch`."""

    @property
    def id(self) -> str:
        """The name in lower case without spaces: `lix`, `meetalfred`."""
        return self.name.replace(" ", "").lower()


class ApiKey:
    """An API key that does not appear in repr, str, pickles or copies.

    Only visible ASCII is accepted: the HTTP library's error would print a key with a newline, and
    a UnicodeEncodeError contains a key with other characters.

    Raises:
        ConfigurationError: The key is empty, not a text, or has other characters.

    """

    __slots__ = ("_reveal",)
    _reveal: Callable[[], str]

    def __init__(self, text: str) -> None:
        # A closure keeps the text from tools that print all attributes, such as crash reporters.
        self._reveal = lambda: text
        problem = self._problem()
        if problem:
            del text  # a traceback may show local variables
            raise ConfigurationError(f"api_key {problem}")

    @classmethod
    def unchecked(cls, text: str) -> ApiKey:
        """A key of any text. Never raises, so no traceback can show the text; see `check`."""
        key = object.__new__(cls)
        key._reveal = lambda: text
        return key

    def check(self) -> None:
        """Raise what the constructor raises for such a text."""
        problem = self._problem()
        if problem:
            raise ConfigurationError(f"api_key {problem}")

    def _problem(self) -> str:
        text: object = cast("object", self._reveal())
        if not isinstance(text, str):  # the caller may be untyped
            return f"must be a text, not {type(text).__name__}"
        if text and all("!" <= char <= "~" for char in text):
            return ""
        problem = "has spaces, line breaks or non-ASCII characters" if text else "is empty"
        return f"{problem}: copy it again from the dashboard"

    def reveal(self) -> str:
        """The key itself; only for the code that puts it on a request."""
        return self._reveal()

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError(
            "an API key cannot be pickled: create a client in the other process"
        )


class BaseUrl(msgspec.Struct, frozen=True):
    """A checked base URL: scheme, host, port and an optional path prefix."""

    scheme: str
    host: str
    port: int | None
    prefix: str

    @property
    def authority(self) -> str:
        """Host and port as in a URL and in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host, port and prefix, without a slash at the end."""
        return f"{self.scheme}://{self.authority}{self.prefix}"

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine."""
        return self.host in LOOPBACK


def parse_base_url(url: str) -> BaseUrl:
    """Parse a base URL. http is accepted for this machine only: it would expose the key.

    Raises:
        ConfigurationError: It is not such a URL.

    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigurationError(
            "base_url must be a URL, such as https://api.example.com"
        ) from None
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError("base_url must consist of scheme, host, port and path only")
    host = parts.hostname or ""
    if not host or not host.isascii() or any(char <= " " or char in "/\\@%" for char in host):
        raise ConfigurationError("base_url must contain a host name")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ConfigurationError(
            f"base_url must use https (http only for this machine), not {parts.scheme}://{host}"
        )
    return BaseUrl(parts.scheme, host, port, quote(parts.path.rstrip("/"), _IN_PATHS))
