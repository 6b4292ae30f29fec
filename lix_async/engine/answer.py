"""The result of one call with its metadata."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Generic, ParamSpec, TypeVar, cast

import msgspec
from msgspec.structs import replace

from ..core.endpoint import Price
from ..core.errors import ConfigurationError
from ..core.plurals import plural

R = TypeVar("R")
Arguments = ParamSpec("Arguments")


class Answer(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """The result of one call with its metadata."""

    value: R
    """The decoded result."""
    body: bytes
    """The response body as received, so that fields unknown to this library can be read."""
    status: int
    """The HTTP status of the response."""
    raw_headers: list[tuple[bytes, bytes]]
    """The headers of the response as received; `headers` has them as text."""
    attempts: int
    """Requests sent, including the successful one."""
    waited: float
    """Seconds spent waiting for permits and retries."""
    credits: int
    """Credits charged for this call by the price list; 0 where the price is not published."""
    lost: int
    """Attempts that got no answer. The provider may have charged them."""
    cached: bool = False
    """Whether it was in the client's ledger, or bought by another call that was waited for."""
    bought_at: datetime | None = None
    """When it was received, in UTC, where it was `cached`."""
    via: str = ""
    """What the cached answer was asked for by, where that was another id of the same subject."""
    stale: bool = False
    """Whether it is older than the call accepts, since no newer one could be bought."""

    def __repr__(self) -> str:
        # Without value and body: they hold personal data, which must not get into logs by accident.
        kind = type(self.value).__name__
        size = f"{len(self.body)} {plural(len(self.body), 'byte')}"
        return f"<Answer {self.status}: {kind}, {size}, attempt {self.attempts}>"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The same for rich, which would print all fields otherwise."""
        fields = ("status", "attempts", "credits", "lost")
        return [(name, getattr(self, name)) for name in fields]

    @property
    def headers(self) -> Mapping[str, str]:
        """Response headers; names in lower case, repeated ones joined by commas."""
        return read_headers(self.raw_headers)


def read_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Raw headers as a mapping, decoded as latin-1 (RFC 9110 section 5.5)."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def credits_for(price: Price, value: object) -> int:
    """Credits charged for an answer by the price list; 0 where the price is not published."""
    if price.only is not None and not getattr(value, price.only):
        return 0
    return price.amount


_noted: ContextVar[list[Answer[object]] | None] = ContextVar("noted", default=None)
"""The answers to the calls of the method that `answer_of` runs."""


def note_answer(answer: Answer[R]) -> Answer[R]:
    """Let `answer_of` know of the answer to a call of the method that it runs."""
    if (answers := _noted.get()) is not None:
        answers.append(cast("Answer[object]", answer))
    return answer


async def answer_of(
    method: Callable[Arguments, Awaitable[R]], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Answer[R]:
    """Call a method of a client. See `Client.answer`."""
    if not callable(method):  # pyright: ignore[reportUnnecessaryComparison]  # untyped callers
        if inspect.iscoroutine(method):
            method.close()
        raise ConfigurationError(
            "answer() takes a method and its arguments: lix.answer(lix.people.get, link)"
        )
    answers: list[Answer[object]] = []
    token = _noted.set(answers)
    try:
        result = method(*args, **kwargs)
        if not isinstance(result, Awaitable):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            raise ConfigurationError(
                "answer() needs a method that is awaited; listings have by_page()"
            )
        value = await result
    finally:
        _noted.reset(token)
    if not answers:
        raise ConfigurationError("answer() needs a method that makes a call")
    return cast(
        "Answer[R]",
        replace(
            answers[-1],
            value=value,
            attempts=sum(answer.attempts for answer in answers),
            waited=sum(answer.waited for answer in answers),
            credits=sum(answer.credits for answer in answers),
            lost=sum(answer.lost for answer in answers),
        ),
    )
