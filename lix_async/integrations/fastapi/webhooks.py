"""A router that receives LookC's webhooks.

Nothing is published about signatures, secrets, request ids or repeats (lookc.md#webhook). So the
path has a secret token; a payload is a hint, and where a request id is known, the handler confirms
it with `lookc.request_status`.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from ...concurrency.clock import RealClock
from ...concurrency.thread_work import in_thread
from ...core.errors import ConfigurationError, DecodeError
from ...core.validation import check_type
from ...filesystem import create_private_file, make_private

if TYPE_CHECKING:
    from ...providers.lookc.webhooks import WebhookEvent

LOG = logging.getLogger("lix_async.fastapi")
SHORTEST_TOKEN = 43
"""Characters of `secrets.token_urlsafe(32)`, which has 256 bits."""
REPEATS_WITHIN = 86400.0
"""Seconds after which an equal payload is a new event: it may have happened again."""
ACCESS_LOGS = ("uvicorn.access", "hypercorn.access", "gunicorn.access")


class SeenPayloads(Protocol):
    """Remembers which payloads were handled, by their fingerprints."""

    async def has(self, fingerprint: str) -> bool:
        """Whether it was added within the last day."""
        ...

    async def add(self, fingerprint: str) -> None:
        """Remember it."""


class MemorySeenPayloads:
    """Remembers payloads in this process.

    Args:
        size: How many at most; the oldest ones are forgotten first.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._at: OrderedDict[str, float] = OrderedDict()

    async def has(self, fingerprint: str) -> bool:
        at = self._at.get(fingerprint)
        return at is not None and RealClock.wall() - at < REPEATS_WITHIN

    async def add(self, fingerprint: str) -> None:
        self._at[fingerprint] = RealClock.wall()
        self._at.move_to_end(fingerprint)
        while len(self._at) > self._size:
            self._at.popitem(last=False)


class SqliteSeenPayloads:
    """Remembers payloads in a file, for several worker processes and over restarts.

    Args:
        path: The file, created with mode 0600. It has the fingerprints and the times alone.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        check_type("path", path, str | os.PathLike)
        self._path = Path(path)

    async def has(self, fingerprint: str) -> bool:
        query = "SELECT 1 FROM seen WHERE fingerprint = ? AND at > ?"
        since = RealClock.wall() - REPEATS_WITHIN
        return await in_thread(self._execute, query, (fingerprint, since)) != []

    async def add(self, fingerprint: str) -> None:
        now = RealClock.wall()
        add = "INSERT OR REPLACE INTO seen VALUES (?, ?)"
        await in_thread(self._execute, add, (fingerprint, now))
        old = "DELETE FROM seen WHERE at <= ?"
        await in_thread(self._execute, old, (now - REPEATS_WITHIN,))

    def _execute(self, statement: str, values: tuple[object, ...]) -> list[object]:
        create_private_file(self._path)
        make_private(self._path)
        with closing(sqlite3.connect(self._path, timeout=30.0)) as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS seen (fingerprint TEXT PRIMARY KEY, at REAL NOT NULL) "
                "WITHOUT ROWID"
            )
            return connection.execute(statement, values).fetchall()


def lookc_webhooks(
    *tokens: str,
    handler: Callable[[WebhookEvent], Awaitable[None]],
    prefix: str = "/hooks/lookc",
    max_body: int = 1 << 20,
    read_seconds: float = 10.0,
    seen: SeenPayloads | None = None,
) -> APIRouter:
    """A router that receives `POST {prefix}/{token}`, for the URL in LookC's dashboard.

    Answers: 404 for a wrong token, before the body is read; 413 and 408 for a body that is too
    large or too slow; 400 for one that is no webhook; 204 when the handler has returned, and
    without a call of it for a payload that it has handled within 24 hours; 500 when it raised, so
    that a repeat calls it again. The token is hidden in the access logs of uvicorn, Hypercorn and
    Gunicorn.

    Args:
        *tokens: The secret at the end of the path, such as `secrets.token_urlsafe(32)`; two while
            you change from one to the other.
        handler: Called with each event. It is not cancelled when the sender leaves.
        prefix: The path before the token.
        max_body: Bytes of a body at most.
        read_seconds: Seconds in which the body has to be received.
        seen: Remembers what was handled; default: 10,000 payloads in memory. `SqliteSeenPayloads`
            is for several worker processes.

    Raises:
        ConfigurationError: There is no token, one is shorter than 43 characters, or another
            argument is not valid.

    Example:
        ```python
        app.include_router(lookc_webhooks(os.environ["LOOKC_WEBHOOK_TOKEN"], handler=keep))
        ```
    """
    for token in tokens:
        check_type("a token", token, str)
        if len(token) < SHORTEST_TOKEN or "/" in token:
            raise ConfigurationError(
                f"a token needs at least {SHORTEST_TOKEN} characters and no slash: make it with "
                "secrets.token_urlsafe(32)"
            )
    if not tokens:
        raise ConfigurationError("no token: make one with secrets.token_urlsafe(32)")
    check_type("handler", handler, Callable)
    check_type("max_body", max_body, int)
    check_type("read_seconds", read_seconds, float)
    if not prefix.startswith("/") or prefix.endswith("/"):
        raise ConfigurationError("prefix must begin with a slash and not end with one")
    receiver = _WebhookReceiver(
        tokens, handler, max_body, read_seconds, seen or MemorySeenPayloads()
    )
    router = APIRouter()
    router.add_api_route(
        prefix + "/{token}",
        receiver.receive,
        methods=["POST"],
        include_in_schema=False,
        response_model=None,
    )
    _TOKENS.hide(prefix)
    return router


class _WebhookReceiver:
    """Answers the requests of one router."""

    def __init__(
        self,
        tokens: tuple[str, ...],
        handler: Callable[[WebhookEvent], Awaitable[None]],
        max_body: int,
        read_seconds: float,
        seen: SeenPayloads,
    ) -> None:
        self._tokens = tokens
        self._handler = handler
        self._max_body = max_body
        self._read_seconds = read_seconds
        self._seen = seen
        self._handling: dict[str, anyio.Event] = {}
        """By fingerprint, the end of what is being handled."""

    async def receive(self, token: str, request: Request) -> Response:
        """One request."""
        # Late: the other parts of this package work without LookC.
        from ...providers.lookc.webhooks import fingerprint, parse, token_matches

        if not token_matches(token, *self._tokens):
            return Response(status_code=404)
        body = await self._read(request)
        if isinstance(body, Response):
            return body
        try:
            event = parse(body)
        except DecodeError:
            return Response(status_code=400)
        key = fingerprint(body)
        # A sender that does not wait for the answer must not undo what is half done.
        with anyio.CancelScope(shield=True):
            while (other := self._handling.get(key)) is not None:
                await other.wait()
            done = self._handling[key] = anyio.Event()
            try:
                if not await self._seen.has(key):
                    await self._handler(event)
                    await self._seen.add(key)
            except Exception:  # it may raise anything
                LOG.exception("the handler of a webhook (%s) raised", event.type)
                return Response(status_code=500)
            finally:
                del self._handling[key]
                done.set()
        return Response(status_code=204)

    async def _read(self, request: Request) -> bytes | Response:
        """The body, or the answer to one that is too large, too slow or not complete."""
        closing = {"Connection": "close"}  # the rest of the body is not read
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._max_body:
            return Response(status_code=413, headers=closing)
        body = bytearray()
        try:
            with RealClock.timeout(self._read_seconds):
                async for part in request.stream():
                    body += part
                    if len(body) > self._max_body:
                        return Response(status_code=413, headers=closing)
                return bytes(body)
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(status_code=408, headers=closing)


class _TokenFilter(logging.Filter):
    """Hides what follows the prefixes of routers in the access logs of servers."""

    def __init__(self) -> None:
        super().__init__()
        self._paths: dict[str, re.Pattern[str]] = {}

    def hide(self, prefix: str) -> None:
        """Hide what follows a prefix."""
        self._paths[prefix] = re.compile(rf"({re.escape(prefix)}/)[^\s\"]+")
        for name in ACCESS_LOGS:
            logging.getLogger(name).addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide it in the message and in its arguments."""
        record.msg = self._without(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(self._without, record.args))
        elif record.args:
            record.args = {name: self._without(one) for name, one in record.args.items()}
        return True

    def _without(self, value: object) -> object:
        if isinstance(value, str):
            for path in self._paths.values():
                value = path.sub(r"\1***", value)
        return value


_TOKENS = _TokenFilter()
