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
from array import array
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

    Each of its characters may stand as it is, percent-encoded, or escaped as in JSON or HTML, also
    one within the other. The key may be in base64, also inside a longer text such as `Basic`
    credentials, and broken into lines.
    """

    __slots__ = ("__weakref__", "_rule")

    def __init__(self, key: ApiKey) -> None:
        @cache
        def rule() -> RedactionRule | None:
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
        return data if rule is None or not rule.may_be_in(data) else rule.replace(data)


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


_HEX = rb"(?:3\d|[46][1-9a-f]|[57][\da])"
_DECIMAL = rb"0*(?:4[89]|5[0-7]|6[5-9]|[78]\d|90|9[7-9]|1[01]\d|12[0-2])"
_ESCAPED_LETTER = re.compile(
    rb"(?i)[%%\\#](?:(?<=%%)(?:25)*(?:%(hex)b|5c(?:u00|x)%(hex)b|23(?:x0*%(hex)b|%(decimal)b))"
    rb"|(?<=\\)(?:u00|x)%(hex)b|(?<=#)(?:x0*%(hex)b|%(decimal)b))"
    % {b"hex": _HEX, b"decimal": _DECIMAL}
)
"""A letter or digit that is escaped. Hardly any text has one."""
_ENTITIES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_ESCAPE = re.compile(
    rb"(?is)(?:%(?:25)*|\\+(?:u00|x))([0-7][\da-f])|\\+(.)"
    rb"|&(?:amp;)*(?:#x0*([0-7]?[\da-f]);?|#0*(\d{1,3});?|(amp|lt|gt|quot|apos);)"
)
MIN_WRAP_WIDTH = 64
"""Characters of a line of base64: 64 in PEM, 76 in MIME (RFC 4648)."""
_ESCAPE_DEPTH = 8
"""Escapes within escapes that are undone."""
_BACKSLASHES = re.compile(rb"(?i)(?:%(?:25)*5c|&(?:amp;)*#(?:0*92|x0*5c);?|\\+(?:u00|x)5c|\\)*")


class RedactionRule:
    """How the forms of one key are found: a quick search that misses none, and a thorough one."""

    __slots__ = ("_ends_with_backslash", "_forms", "_key", "_probes")

    def __init__(self, key: str) -> None:
        encoded = [_base64(key, number) for number in range(3)] * (len(key) >= MIN_SECRET_LENGTH)
        # Of base64 that is broken into lines, one of so many parts is whole.
        parts = [key, *(part for form in encoded for part in _parts(form))]
        probes = (max(re.split("[^A-Za-z0-9]", part), key=len).encode() for part in parts)
        self._key, self._probes = key.encode(), tuple(probes)
        self._ends_with_backslash = key.endswith("\\")
        plain = _unescape(self._key)[0].rstrip(b"\\")
        # Between the characters, what is left of a line break: `\n` without its backslash.
        wrapped = [r"\s*(?:rn|n|r)?\s*".join(map(_base64_char, form)).encode() for form in encoded]
        self._forms = b"|".join([re.escape(plain), *wrapped])

    def may_be_in(self, data: bytes) -> bool:
        """Whether a form of the key may be in this; a hundred times as fast as `replace`."""
        for probe in self._probes:  # without escapes: a part of every form, unless it is escaped
            if probe in data:
                return True
        marked = b"%" in data or b"#" in data
        marked = marked or (b"\\" in data and (b"\\u00" in data or b"\\x" in data))
        return marked and _ESCAPED_LETTER.search(data) is not None

    def replace(self, data: bytes) -> bytes:
        """The data with `***` in place of each form of the key."""
        text, places = _unescape(data)
        parts: list[bytes] = []
        end = 0
        for match in re.finditer(self._forms, text):
            parts += (data[end : places[match.start()]], REDACTED)
            end = places[match.end()]
            if self._ends_with_backslash and (rest := _BACKSLASHES.match(data, end)):
                end = rest.end()
        # What surrounds the key may read like an escape together with its ends.
        return b"".join([*parts, data[end:]]).replace(self._key, REDACTED)


def _rule(key: str) -> RedactionRule | None:
    if len(key) < MIN_SECRET_LENGTH and (
        len(key) < MIN_KEY_LENGTH or key.isalpha() or key.isdigit()
    ):
        return None
    return RedactionRule(key)


def _unescape(data: bytes) -> tuple[bytes, array[int]]:
    """A text without the escapes of ASCII characters, and where each byte of it was, and its end.

    A backslash before any other character is left out.
    """
    places = array("I", range(len(data) + 1))
    for _ in range(_ESCAPE_DEPTH):
        parts: list[bytes] = []
        found = array("I")
        end = 0
        for match in _ESCAPE.finditer(data):
            char = _unescaped(match)
            parts += (data[end : match.start()], char)
            found += places[end : match.start()]
            found.extend([places[match.start()]] * len(char))
            end = match.end()
        if not end:
            break
        data, places = b"".join([*parts, data[end:]]), found + places[end:]
    return data, places


def _unescaped(match: re.Match[bytes]) -> bytes:
    code, char, html_code, number, entity = match.groups()
    if entity:
        return _ENTITIES[entity.lower()]
    value = int(number) if number else int(code or html_code or b"0", 16)
    return char or (bytes([value]) if value < 128 else match[0][1:])


def _parts(form: str) -> list[str]:
    """Parts of a text in base64, of which one is within a line."""
    size = min(-(-len(form) // 2), MIN_WRAP_WIDTH // 2)
    return [form[at : at + size] for at in range(0, len(form), size)]


def _base64_char(char: str) -> str:
    return {"+": "[+-]", "/": "[/_]"}.get(char, char)


def _base64(key: str, offset: int) -> str:
    """The key in base64 after `offset` bytes (modulo 3).

    The characters at both ends that also encode bits of the neighbouring bytes are left out.
    """
    whole = b64encode(b"\0" * offset + key.encode()).decode()
    return whole[-(-offset * 4 // 3) : (offset + len(key)) * 4 // 3]
