"""The last door before the network: where the key goes on a request, and nowhere else.

Everything that logs, raises or keeps a request saw it before, without the key.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import quote

from ..core.provider import Address, Credential, Key
from ..core.wire import Outgoing

SECRET = 16
"""Characters that a real key has at least. A shorter one (`demo`) is a word like others."""


class Door:
    """Puts address, headers and key on a request. The last to see it and the first to know."""

    def __init__(
        self,
        address: Address,
        key: Key,
        credential: Credential,
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

    def target(self, outgoing: Outgoing) -> str:
        """Path and query, with the key if it travels there. Only visible ASCII."""
        target = outgoing.target
        if self.in_query:
            glue = "&" if "?" in target else "?"
            target = f"{target}{glue}{self._credential.name}={quote(self._key.reveal(), '')}"
        return target

    def url(self, outgoing: Outgoing) -> str:
        """Where it goes, with the key if it travels in the query."""
        return f"{self.address.scheme}://{self.address.authority}{self.target(outgoing)}"

    def headers(self, outgoing: Outgoing) -> list[tuple[bytes, bytes]]:
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


class HideKey(logging.Filter):
    """Takes the key out of what HTTP libraries log, where it travels in the query.

    httpx logs "HTTP Request: GET <url>" for a client of the caller's own (other hosts' lines are
    left alone), and httpcore at DEBUG the headers of an answer: a redirect repeats the query.
    """

    LOGGERS = ("httpx", "httpx2", "httpcore.http11", "httpcore2.http11")

    def __init__(self, address: Address, name: str) -> None:
        super().__init__()
        self._host = f"//{address.authority}/"
        self._key = re.compile(rf"(?<=[?&]{re.escape(name)}=)[^&\s'\"]+")

    def install(self) -> None:
        """Put it on the libraries' loggers, once for each host."""
        for logger in map(logging.getLogger, self.LOGGERS):
            if not any(isinstance(f, HideKey) and f._host == self._host for f in logger.filters):
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
