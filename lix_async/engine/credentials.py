"""The last door before the network: where the key goes on a request, and nowhere else.

Everything that logs, raises or keeps a request saw it before, without the key.
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

SECRET = 16
"""Characters that a real key has at least. A shorter one (`demo`) is a word like others."""


class RequestBuilder:
    """Puts address, headers and key on a request. The last to see it and the first to know."""

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
        self._credential = credential
        self._typed = typed
        self._fixed = [
            (b"Host", address.authority.encode()),
            (b"User-Agent", agent.encode()),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"gzip"),
        ]

    @property
    def in_query(self) -> bool:
        """Whether the key travels in the URL."""
        return self._credential.place == "query"

    def target(self, outgoing: HttpRequest) -> str:
        """Path and query, with the key if it travels there. Only visible ASCII."""
        target = outgoing.target
        if self.in_query:
            glue = "&" if "?" in target else "?"
            target = f"{target}{glue}{self._credential.name}={quote(self._key.reveal(), '')}"
        return target

    def url(self, outgoing: HttpRequest) -> str:
        """Where it goes, with the key if it travels in the query."""
        return f"{self.address.scheme}://{self.address.authority}{self.target(outgoing)}"

    def headers(self, outgoing: HttpRequest) -> list[tuple[bytes, bytes]]:
        """What goes before the body, with the key if it travels in a header."""
        headers = list(self._fixed)
        if self._typed or outgoing.body is not None:
            headers.append((b"Content-Type", outgoing.content_type.encode()))
        if outgoing.body is not None:
            headers.append((b"Content-Length", str(len(outgoing.body)).encode()))
        if self._credential.place == "header":
            value = self._credential.prefix + self._key.reveal()
            headers.append((self._credential.name.encode(), value.encode()))
        return headers

    def hide(self, body: bytes) -> bytes:
        """A body without the key, should the server echo it: also a success is kept in files.

        A quick look for the two spellings that a request has. What turns out to be an error is
        looked through more closely: see `Mask`.
        """
        key = self._key.reveal()
        for form in {key, quote(key, "")} if len(key) >= SECRET else ():
            if form.encode() in body:
                body = body.replace(form.encode(), b"***")
        return body


class KeyRedactionFilter(logging.Filter):
    """Takes the key out of what HTTP libraries log, where it travels in the query.

    httpx logs "HTTP Request: GET <url>" for a client of the caller's own (other hosts' lines are
    left alone), and httpcore at DEBUG the headers of an answer: a redirect repeats the query.
    """

    LOGGERS = ("httpx", "httpx2", "httpcore.http11", "httpcore2.http11")

    def __init__(self, address: BaseUrl, name: str) -> None:
        super().__init__()
        self._host = f"//{address.authority}/"
        self._key = re.compile(rf"(?<=[?&]{re.escape(name)}=)[^&\s'\"]+")

    def install(self) -> None:
        """Put it on the libraries' loggers, once for each host."""
        for logger in map(logging.getLogger, self.LOGGERS):
            if not any(
                isinstance(f, KeyRedactionFilter) and f._host == self._host for f in logger.filters
            ):
                logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("httpcore"):
            record.msg = self._key.sub("***", str(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(self._hidden(part) for part in record.args)
        return True

    def _hidden(self, part: object) -> object:
        text = str(part) if type(part).__name__ == "URL" else ""
        return self._key.sub("***", text) if self._host in text else part


MASK = b"***"


SHORT = 6
"""A key of fewer characters, or of up to `SECRET` that are all letters or all digits (`demo`),
is a word or number like others: masking it would spoil what an error says and hide nothing."""


_SLASHES = r"\\{0,7}"
"""JSON may escape a character, and again where the text of one JSON stands inside of another."""


_BASE64 = {
    "+": rf"(?:[+-]|%2[bB]|{_SLASHES}\\u002[bB])",
    "/": rf"(?:{_SLASHES}[/_]|%2[fF])",
}


_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class KeyRedactor:
    """Replaces the key by `***`, in each spelling that an echo may have. Shows it to nobody.

    Spellings: as it is; percent-encoded, once or twice; escaped as in JSON or in HTML; in
    base64, also inside of a longer text, as in `Basic` credentials.
    """

    __slots__ = ("_pattern",)

    def __init__(self, key: ApiKey) -> None:
        @cache
        def pattern() -> re.Pattern[bytes] | None:
            return _pattern(key.reveal())

        self._pattern = pattern  # a closure, as in `Key`: made at the first error

    def __repr__(self) -> str:
        return "<mask>"

    def text(self, text: str) -> str:
        """A text without the key."""
        plain = self._masked(text.encode("utf-8", "surrogatepass"))
        return plain.decode("utf-8", "surrogatepass")

    def reply(self, reply: HttpResponse) -> HttpResponse:
        """An answer without the key in its body and headers; the same one if it is in neither."""
        body = self._masked(reply.body)
        headers = [(self._masked(name), self._masked(value)) for name, value in reply.headers]
        if body == reply.body and headers == reply.headers:
            return reply
        return replace(reply, body=body, headers=headers)

    def _masked(self, said: bytes) -> bytes:
        pattern = self._pattern()
        return said if pattern is None else pattern.sub(MASK, said)


def _pattern(key: str) -> re.Pattern[bytes] | None:
    if len(key) < SECRET and (len(key) < SHORT or key.isalpha() or key.isdigit()):
        return None
    spellings = ["".join(map(_spelled, key))]
    if len(key) >= SECRET:
        spellings += map(_encoded, (key,) * 3, range(3))
    return re.compile("|".join(spellings).encode())


def _spelled(char: str) -> str:
    """One character as an echo may spell it. Nobody escapes letters and digits."""
    if char.isalnum():
        return char
    code = ord(char)
    spellings = [
        rf"%(?:25)?{code:02x}",
        rf"{_SLASHES}\\u00{code:02x}",
        rf"&#0*{code};",
        rf"&#x0*{code:x};",
        *([f"&{_NAMED[char]};"] if char in _NAMED else []),
        _SLASHES + re.escape(char),  # last: an `&` is also the beginning of `&amp;`
    ]
    return f"(?i:{'|'.join(spellings)})"


def _encoded(key: str, before: int) -> str:
    """The key in base64 behind that many bytes (modulo 3), without what its neighbours share."""
    whole = b64encode(b"\0" * before + key.encode()).decode()
    inner = whole[-(-before * 4 // 3) : (before + len(key)) * 4 // 3]
    return "".join(_BASE64.get(char, char) for char in inner)
