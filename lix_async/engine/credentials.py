"""Putting the API key on a request, and removing it from everything that is logged or raised.

`RequestBuilder` is the last step before the network. Code that logs, raises or stores a request
sees it before, without the key.
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from urllib.parse import quote

from msgspec.structs import replace

from ..core.provider import ApiKey, AuthScheme, BaseUrl
from ..core.wire import HttpRequest, HttpResponse

REDACTED = b"***"
MIN_SECRET_LENGTH = 16
"""The least number of characters of a real key. A shorter one (`demo`) is an ordinary word."""
MIN_KEY_LENGTH = 6
"""Keys with fewer characters, or with fewer than `MIN_SECRET_LENGTH` that are all letters or all
digits, are not redacted: they are ordinary words or numbers, and replacing them would garble error
messages without hiding a secret."""


class RequestBuilder:
    """Adds address, headers and API key to a request."""

    def __init__(
        self,
        address: BaseUrl,
        key: ApiKey,
        credential: AuthScheme,
        agent: str,
        now: Callable[[], float],
        typed: bool = True,
    ) -> None:
        self.address = address
        self.now = now
        self._key = key
        self._scheme = credential
        self._always_content_type = typed
        self._fixed_headers = [
            (b"Host", address.authority.encode()),
            (b"User-Agent", agent.encode()),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"gzip"),
        ]

    @property
    def in_query(self) -> bool:
        """Whether the key is sent in the URL."""
        return self._scheme.place == "query"

    def target(self, request: HttpRequest) -> str:
        """Path and query in visible ASCII, with the key if it is sent in the query."""
        target = request.target
        if self.in_query:
            separator = "&" if "?" in target else "?"
            target = f"{target}{separator}{self._scheme.name}={quote(self._key.reveal(), '')}"
        return target

    def url(self, request: HttpRequest) -> str:
        """The full URL, with the key if it is sent in the query."""
        return f"{self.address.scheme}://{self.address.authority}{self.target(request)}"

    def headers(self, request: HttpRequest) -> list[tuple[bytes, bytes]]:
        """The headers, with the key if it is sent in one."""
        headers = list(self._fixed_headers)
        if self._always_content_type or request.body is not None:
            headers.append((b"Content-Type", request.content_type.encode()))
        if request.body is not None:
            headers.append((b"Content-Length", str(len(request.body)).encode()))
        if self._scheme.place == "header":
            value = self._scheme.prefix + self._key.reveal()
            headers.append((self._scheme.name.encode(), value.encode()))
        return headers

    def redact(self, body: bytes) -> bytes:
        """A response body without the key, in case the server echoes it.

        Bodies of successes are checked too, because they are stored in files. This fast check
        covers the two forms in which the key is sent; for errors, `KeyRedactor` covers more.
        """
        key = self._key.reveal()
        for form in {key, quote(key, "")} if len(key) >= MIN_SECRET_LENGTH else ():
            if form.encode() in body:
                body = body.replace(form.encode(), REDACTED)
        return body


class KeyRedactionFilter(logging.Filter):
    """Removes the key from what HTTP libraries log, if the key is sent in the query.

    httpx logs "HTTP Request: GET <url>" for a client of the caller's own; records of other hosts
    are left alone. httpcore logs the headers of a response at DEBUG, and a redirect repeats the
    query there.
    """

    LOGGERS = ("httpx", "httpx2", "httpcore.http11", "httpcore2.http11")

    def __init__(self, address: BaseUrl, name: str) -> None:
        super().__init__()
        self._host = f"//{address.authority}/"
        self._key = re.compile(rf"(?<=[?&]{re.escape(name)}=)[^&\s'\"]+")

    def install(self) -> None:
        """Add the filter to the libraries' loggers, once for each host."""
        for logger in map(logging.getLogger, self.LOGGERS):
            if not any(
                isinstance(f, KeyRedactionFilter) and f._host == self._host for f in logger.filters
            ):
                logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; always True, so that it is logged."""
        if record.name.startswith("httpcore"):
            record.msg = self._key.sub("***", str(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(self._redacted(argument) for argument in record.args)
        return True

    def _redacted(self, argument: object) -> object:
        text = str(argument) if type(argument).__name__ == "URL" else ""
        return self._key.sub("***", text) if self._host in text else argument


class KeyRedactor:
    """Replaces the key by `***`, in every form in which a server may echo it.

    The forms are: as it is; percent-encoded once or twice; escaped as in JSON or HTML; in base64,
    also inside a longer text such as `Basic` credentials.
    """

    __slots__ = ("_pattern",)

    def __init__(self, key: ApiKey) -> None:
        @cache
        def pattern() -> re.Pattern[bytes] | None:
            return _key_pattern(key.reveal())

        # A closure, so that no attribute holds the key; compiled at the first error.
        self._pattern = pattern

    def __repr__(self) -> str:
        return "<KeyRedactor>"

    def redact_text(self, text: str) -> str:
        """A text without the key."""
        redacted = self._redact(text.encode("utf-8", "surrogatepass"))
        return redacted.decode("utf-8", "surrogatepass")

    def redact_response(self, response: HttpResponse) -> HttpResponse:
        """A response without the key in body and headers; the same object if it has none."""
        body = self._redact(response.body)
        headers = [(self._redact(name), self._redact(value)) for name, value in response.headers]
        if body == response.body and headers == response.headers:
            return response
        return replace(response, body=body, headers=headers)

    def _redact(self, data: bytes) -> bytes:
        pattern = self._pattern()
        return data if pattern is None else pattern.sub(REDACTED, data)


_BACKSLASHES = r"\\{0,7}"
"""JSON may escape a character, and again where one JSON text is a string inside another."""
_BASE64_VARIANTS = {
    "+": rf"(?:[+-]|%2[bB]|{_BACKSLASHES}\\u002[bB])",
    "/": rf"(?:{_BACKSLASHES}[/_]|%2[fF])",
}
_HTML_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def _key_pattern(key: str) -> re.Pattern[bytes] | None:
    if len(key) < MIN_SECRET_LENGTH and (
        len(key) < MIN_KEY_LENGTH or key.isalpha() or key.isdigit()
    ):
        return None
    forms = ["".join(map(_char_pattern, key))]
    if len(key) >= MIN_SECRET_LENGTH:
        forms += map(_base64_pattern, (key,) * 3, range(3))
    return re.compile("|".join(forms).encode())


def _char_pattern(char: str) -> str:
    """A pattern for one character in each form. Letters and digits are never escaped."""
    if char.isalnum():
        return char
    code = ord(char)
    forms = [
        rf"%(?:25)?{code:02x}",
        rf"{_BACKSLASHES}\\u00{code:02x}",
        rf"&#0*{code};",
        rf"&#x0*{code:x};",
        *([f"&{_HTML_ENTITIES[char]};"] if char in _HTML_ENTITIES else []),
        _BACKSLASHES + re.escape(char),  # last: an `&` is also the beginning of `&amp;`
    ]
    return f"(?i:{'|'.join(forms)})"


def _base64_pattern(key: str, offset: int) -> str:
    """The key in base64 after `offset` bytes (modulo 3).

    The characters at both ends that also encode bits of the neighbouring bytes are left out.
    """
    whole = b64encode(b"\0" * offset + key.encode()).decode()
    inner = whole[-(-offset * 4 // 3) : (offset + len(key)) * 4 // 3]
    return "".join(_BASE64_VARIANTS.get(char, char) for char in inner)
