"""A listing as an answer that begins at once: one JSON object in each line, or server-sent events.

See https://github.com/ndjson/ndjson-spec and
https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict, TypeVar, Union, cast

import msgspec
from starlette.responses import JSONResponse, Response, StreamingResponse

from ...core.bridge import ReadableStruct
from ...core.errors import ConfigurationError, LixError
from ...core.models import AnyStruct
from ...core.validation import check_type
from ...engine.pages import Pages
from .problems import LOG, Problem, problem_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

T = TypeVar("T")
RECONNECT = 86_400_000
"""Milliseconds after which a browser repeats a request for events that has ended. It would be paid
for again, so a page closes the `EventSource` at `_end`; this is for one that does not."""


class StreamEnd(ReadableStruct, msgspec.Struct, omit_defaults=True):
    """How a stream ended."""

    done: bool
    """Whether the listing came to its end, or to `max_items`, without an error."""
    items: int
    """Items that were sent; of a listing that was resumed, all since its beginning."""
    credits: int
    """Credits that the listing has cost since its beginning."""
    complete: bool
    """Whether it reached its end with as many items as the provider promised."""
    problem: Problem | None = None
    """The error."""
    checkpoint: str | None = None
    """After an error: where to go on, for `resume=Checkpoint.from_json(…)`."""


class StreamEndLine(ReadableStruct, msgspec.Struct):
    """The last line of a stream."""

    end: StreamEnd = msgspec.field(name="_end")
    """How the stream ended."""


class StreamRoute(TypedDict):
    """Arguments of a route, from `stream_of`."""

    response_class: type[Response]
    response_model: object
    response_description: str


class _JsonLines(JSONResponse):
    """What a route with JSON lines is described by."""

    media_type = "application/x-ndjson"


class _JsonEvents(JSONResponse):
    """What a route with server-sent events is described by."""

    media_type = "text/event-stream"


def stream_of(kind: type[AnyStruct], *, sse: bool = False) -> StreamRoute:
    """Arguments of a route that returns `stream(...)`, for its media type and rows in `/docs`.

    Args:
        kind: The struct of the rows, such as `Person`.
        sse: Whether the stream has server-sent events.

    Raises:
        ConfigurationError: `kind` is not a struct.

    Example:
        ```python
        @app.get("/search", **stream_of(Person))
        async def search(url: str, lix: LixDep) -> Response:
            return stream(lix.search.people(url, max_items=500))
        ```
    """
    given = cast("object", kind)
    if not (isinstance(given, type) and issubclass(given, AnyStruct)):
        raise ConfigurationError(f"kind must be the struct of the rows, not {kind!r}")
    unit = "The data of each event" if sse else "Each line"
    return {
        "response_class": _JsonEvents if sse else _JsonLines,
        "response_model": Union[kind, StreamEndLine],  # noqa: UP007  # made of a variable
        "response_description": f"{unit} is a row; the last one is `_end`",
    }


def stream(
    pages: Pages[T], *, sse: bool = False, heartbeat: float = 15.0, prefetch: bool = False
) -> StreamingResponse:
    """A listing as an answer that is sent row by row, as its pages arrive.

    The rows are JSON, one in each line, under the provider's names. The last line is
    `{"_end": {"done": …, "items": …, "credits": …, "complete": …}}`; after an error it also has the
    `problem` and, as a text, the `checkpoint` to go on from, since a status that was sent cannot be
    taken back. When the caller leaves, no further page is requested.

    Args:
        pages: The listing, as a method returned it.
        sse: Send server-sent events instead of lines. A browser repeats such requests by itself:
            close its `EventSource` at `_end`.
        heartbeat: Seconds without a row after which an empty line or a comment is sent, since
            proxies close connections on which nothing is sent for a while.
        prefetch: Whether a listing with `prefetch=1` is accepted, which buys a page ahead.

    Raises:
        ConfigurationError: An argument is not valid.

    Credits: those of the listing, for each page.

    Example:
        ```python
        @app.get("/search")
        async def search(url: str, lix: LixDep):
            return stream(lix.search.people(url, max_items=500))
        ```
    """
    check_type("pages", pages, Pages)
    check_type("heartbeat", heartbeat, float)
    if not 0 < heartbeat < math.inf:
        raise ConfigurationError(f"heartbeat must be a positive number of seconds, not {heartbeat}")
    if pages.prefetch and not prefetch:
        raise ConfigurationError(
            "prefetch=1 buys a page ahead, also for a caller who leaves: leave it out, or pass "
            "prefetch=True to stream"
        )
    return _PagesResponse(cast("Pages[object]", pages), sse, heartbeat)


class _PagesResponse(StreamingResponse):
    """The answer. An iterator and not a generator, which would be closed at any later time."""

    def __init__(self, pages: Pages[object], sse: bool, heartbeat: float) -> None:
        media_type = "text/event-stream" if sse else "application/x-ndjson"
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx sends each row
        rows = _StreamedRows(pages, sse, heartbeat)
        super().__init__(rows, headers=headers, media_type=media_type)
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the rows; a page that is on its way when the caller leaves is waited for."""
        async with self._pages:
            await super().__call__(scope, receive, send)


class _StreamedRows:
    """The parts of the body."""

    def __init__(self, pages: Pages[object], sse: bool, heartbeat: float) -> None:
        self._pages = pages
        self._heartbeat = heartbeat
        self._start = f"retry: {RECONNECT}\n\n".encode() if sse else b""
        self._row, self._beat = (b"data: %b\n\n", b": keep-alive\n\n") if sse else (b"%b\n", b"\n")
        self._ended = False

    def __aiter__(self) -> _StreamedRows:
        return self

    async def __anext__(self) -> bytes:
        if self._start:
            start, self._start = self._start, b""
            return start
        if self._ended:
            raise StopAsyncIteration
        try:
            # What is cancelled is waiting; the page goes on being fetched, and is there next time.
            with self._pages.clock.timeout(self._heartbeat):
                return self._row % msgspec.json.encode(await anext(self._pages))
        except StopAsyncIteration:
            return self._end(None)
        except LixError as error:
            return self._end(error)
        return self._beat

    def _end(self, error: LixError | None) -> bytes:
        self._ended = True
        stats = self._pages.stats
        end = StreamEnd(error is None, stats.items, stats.credits, stats.complete)
        if error is not None:
            end.problem = problem_of(error, MappingProxyType({}))
            end.checkpoint = self._pages.checkpoint.to_json().decode()
            if end.problem.status == 500:
                LOG.error("%s", error, exc_info=error)
        return self._row % msgspec.json.encode(StreamEndLine(end))
