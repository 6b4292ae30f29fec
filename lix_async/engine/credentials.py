"""Putting the API key on a request, and removing it from everything that is received or logged.

`RequestBuilder` is the last step before the network: code that logs, raises or stores a request
sees it before, without the key. `KeyRedactor` is the one rule for what comes back. The engine
applies it to each response and failure before any other code sees them, and `LOG_FILTER` to the
log records of HTTP libraries.
"""

from __future__ import annotations

import itertools
import logging
import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from urllib.parse import quote
from weakref import ReferenceType, ref

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


class KeyRedactor:
    """Replaces the key by `***`, in every form in which a server may echo it.

    The forms are: as it is; percent-encoded once or twice; escaped as in JSON or HTML; in base64,
    also inside a longer text such as `Basic` credentials.
    """

    __slots__ = ("__weakref__", "_rule")

    def __init__(self, key: ApiKey) -> None:
        @cache
        def rule() -> tuple[list[bytes], re.Pattern[bytes]] | None:
            return _rule(key.reveal())

        # A closure, so that no attribute holds the key; made when first used.
        self._rule = rule

    def __repr__(self) -> str:
        return "<KeyRedactor>"

    def redact_text(self, text: str) -> str:
        """A text without the key."""
        redacted = self._redact(text.encode("utf-8", "surrogatepass"))
        return redacted.decode("utf-8", "surrogatepass")

    def redact_response(self, response: HttpResponse) -> HttpResponse:
        """A response without the key in body and headers; the same object if it has none."""
        # All parts at once: nearly no response has the key.
        everything = b"\n".join([response.body, *itertools.chain(*response.headers)])
        if self._redact(everything) is everything:
            return response
        body = self._redact(response.body)
        headers = [(self._redact(name), self._redact(value)) for name, value in response.headers]
        return replace(response, body=body, headers=headers)

    def _redact(self, data: bytes) -> bytes:
        rule = self._rule()
        if rule is None:
            return data
        probes, pattern = rule
        # Searching for a part that every form contains is a hundred times as fast as the pattern.
        if not any(probe in data for probe in probes):
            return data
        return pattern.sub(REDACTED, data)


class KeyRedactionFilter(logging.Filter):
    """Removes the keys of all clients from what HTTP libraries log.

    httpx logs the URL of a request, and httpcore the headers of a response, in which a server may
    echo the key. A filter applies to the records of its logger only, so all of them are named.
    """

    LOGGERS = (
        "httpx",
        "httpx2",
        *(
            f"{library}.{part}"
            for library in ("httpcore", "httpcore2")
            for part in ("connection", "http11", "http2", "proxy", "socks")
        ),
        "hpack.hpack",
        "hpack.table",
    )

    def __init__(self) -> None:
        super().__init__()
        # Replaced and never changed, because other threads may be logging.
        self._redactors: tuple[ReferenceType[KeyRedactor], ...] = ()

    def add(self, redactor: KeyRedactor) -> None:
        """Apply a redactor to all records from now on, as long as its client exists."""
        alive = [known for known in self._redactors if known() is not None]
        self._redactors = (*alive, ref(redactor))
        for name in self.LOGGERS:
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place; always True, so that it is logged."""
        text = shown = record.getMessage()
        for known in self._redactors:
            if (redactor := known()) is not None:
                shown = redactor.redact_text(shown)
        if shown != text:
            record.msg, record.args = shown, None
        return True


LOG_FILTER = KeyRedactionFilter()


_BACKSLASHES = r"\\{0,7}"
"""JSON may escape a character, and again where one JSON text is a string inside another."""
_BASE64_VARIANTS = {
    "+": rf"(?:[+-]|%2[bB]|{_BACKSLASHES}\\u002[bB])",
    "/": rf"(?:{_BACKSLASHES}[/_]|%2[fF])",
}
_HTML_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def _rule(key: str) -> tuple[list[bytes], re.Pattern[bytes]] | None:
    """For each form, letters and digits that all spellings of it contain; and the pattern."""
    if len(key) < MIN_SECRET_LENGTH and (
        len(key) < MIN_KEY_LENGTH or key.isalpha() or key.isdigit()
    ):
        return None
    forms = [key]
    patterns = ["".join(map(_char_pattern, key))]
    if len(key) >= MIN_SECRET_LENGTH:
        encoded = [_base64(key, offset) for offset in range(3)]
        forms += encoded
        patterns += ["".join(_BASE64_VARIANTS.get(c, c) for c in form) for form in encoded]
    probes = [max(re.split("[^A-Za-z0-9]", form), key=len).encode() for form in forms]
    return probes, re.compile("|".join(patterns).encode())


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


def _base64(key: str, offset: int) -> str:
    """The key in base64 after `offset` bytes (modulo 3).

    The characters at both ends that also encode bits of the neighbouring bytes are left out.
    """
    whole = b64encode(b"\0" * offset + key.encode()).decode()
    return whole[-(-offset * 4 // 3) : (offset + len(key)) * 4 // 3]
