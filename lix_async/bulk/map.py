"""Many calls at once, without a ledger: for what fits into one sitting."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from types import TracebackType
from typing import TypeVar, cast

from ..concurrency.worker_pool import InputStream, WorkerPool
from ..core.endpoint import Endpoint
from ..core.errors import (
    ConfigurationError,
    LixError,
    QueuedError,
    RateLimitError,
    RefusalError,
    ServerError,
)
from ..core.models import Listing, Params
from ..engine.pages import Pages
from .outcome import Outcome, State
from .prepared_call import CallPreparer, Input, Method

T = TypeVar("T")


class Outcomes(WorkerPool[Input, Outcome[T]]):
    """An async iterator of outcomes; `async with` ends its workers when the block is left."""

    async def __aenter__(self) -> Outcomes[T]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def map(  # noqa: A001  # read as `bulk.map`
    method: Method[T],
    inputs: Iterable[Input] | AsyncIterable[Input],
    *,
    concurrency: int = 4,
    ordered: bool = False,
) -> Outcomes[T]:
    """An async iterator of `Outcome`s, as they complete or (`ordered`) in the inputs' order.

    `method` is a method of a client, such as `lix.people.get`; a listing method collects the
    whole walk of each input. At most `concurrency` calls are in flight (4; the client's limiter
    sets the pace), and no more outcomes are made than the caller takes. An input that fails
    becomes an outcome with its `error`; nothing is raised for it, and nothing is repeated beyond
    the client's retry policy. For runs that must survive a crash, use `Run`.
    """
    if isinstance(inputs, str | bytes):
        raise ConfigurationError("inputs must be a list or stream of inputs, not one text")
    caller = CallPreparer(method)
    engine = caller.engine

    async def work(given: Input) -> Outcome[T]:
        outcome: Outcome[T] = Outcome(input=given, state="done")
        began = engine.clock.now()
        try:
            call = caller.call(given)
            outcome.key = call.key.hex()
            if call.listing:
                row = cast("Endpoint[Params, Listing[object]]", call.row)
                pages = Pages(engine, row, call.params, max_items=call.max_items)
                outcome.value = cast("T", await pages.collect())
                outcome.credits, outcome.attempts = pages.stats.credits, pages.stats.pages
            else:
                answer = await engine.send(call.row, call.params)
                outcome.value, outcome.body = cast("T", answer.value), answer.body
                outcome.credits, outcome.attempts = answer.credits, answer.attempts
        except LixError as error:
            outcome.error, outcome.state = error, _state(error)
            outcome.attempts = error.attempts
        outcome.seconds = engine.clock.now() - began
        return outcome

    return Outcomes(work, InputStream(inputs).next, concurrency, ordered=ordered)


def _state(error: LixError) -> State:
    if isinstance(error, ConfigurationError):
        return "invalid"
    if isinstance(error, QueuedError):
        return "queued"
    passing = isinstance(error, RateLimitError | ServerError) or not isinstance(error, RefusalError)
    return "failed" if passing else "refused"
