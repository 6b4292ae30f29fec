"""Many calls at once, without a ledger."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from types import TracebackType
from typing import TypeVar, cast

from ..concurrency.worker_pool import CallScope, InputStream, WorkerPool
from ..core.endpoint import Endpoint, StatusCall
from ..core.errors import ConfigurationError, DecodeError, LixError, SuppressedError
from ..core.models import Listing, Params
from ..engine.credits import CreditBudget
from ..engine.outcome import Outcome, state_of
from ..engine.pages import Paginator
from ..engine.polling import wait_for
from .prepared_call import CallPreparer, ClientMethod
from .row_input import AnyRow, On

T = TypeVar("T")


class Outcomes(WorkerPool[object, Outcome[T]]):
    """An async iterator of outcomes. Use `async with` to stop its workers at the end of a block."""

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
    method: ClientMethod[T],
    inputs: Iterable[AnyRow] | AsyncIterable[AnyRow],
    *,
    on: On[AnyRow] | None = None,
    concurrency: int = 4,
    ordered: bool = False,
) -> Outcomes[T]:
    """Call a method for many inputs: an async iterator of `Outcome`s.

    Where the client has a cache, the calls go through it.

    Inputs are taken as the caller takes outcomes. An input that fails becomes an outcome with its
    `error`; nothing is raised for it, and nothing is retried beyond the client's retry policy. Use
    `Run` for work that must survive a crash.

    Args:
        method: A method of a client, such as `lix.people.get`. Of a listing method all pages are
            collected for each input; `value` has those before an error, too.
        inputs: First arguments of the method, or mappings of keyword arguments. What the iterable
            raises is raised after the outcomes of those before it; a cancellation of another task
            that it waited for becomes a `RuntimeError`.
        on: The part of each input that the method takes, where inputs are rows; see `Run`.
        concurrency: Calls in flight at most; the client's limiter sets the rate.
        ordered: Whether outcomes come in the order of the inputs instead of completion.

    Raises:
        ConfigurationError: If an argument is not valid.

    Credits: those of the method, for each input.

    Example:
        ```python
        async with bulk.map(lix.people.get, links) as outcomes:
            async for outcome in outcomes:
                print(outcome.input, outcome.value or outcome.error)
        ```
    """
    if isinstance(inputs, str | bytes):
        raise ConfigurationError("inputs must be a list or stream of inputs, not a single text")
    caller = CallPreparer(method, on=on)

    async def work(row: object, scope: CallScope) -> Outcome[T]:
        outcome: Outcome[T] = Outcome(input=row, state="done")
        began = caller.engine.clock.now()
        budget = CreditBudget(parent=caller.engine.credits)
        engine = caller.engine.with_budget(budget)
        try:
            call = caller.call(caller.input_of(row))
            outcome.endpoint, outcome.key = call.row.id, call.key.hex()
            cache = caller.client.cache_for(call.row, call.params)
            if call.listing:
                row = cast("Endpoint[Params, Listing[object]]", call.row)
                if cache is not None:
                    engine = cache.listing(engine, row, call.params, call.max_items)
                pages: Paginator[object] = Paginator(engine, row, call.params, None)
                pages.hooks = scope
                items: list[object] = []
                outcome.value = cast("T", items)  # also where a later page fails
                while not pages.ended and call.left(len(items)) != 0:
                    await pages.fetch_next()
                    while pages.ready:
                        items += pages.ready.popleft().items[: call.left(len(items))]
            else:
                if cache is None:
                    request = call.request
                    answer = await engine.send(call.row, call.params, hooks=scope, request=request)
                else:
                    answer = await cache.send(engine, call.row, call.params)
                    scope.attempts = answer.attempts
                outcome.body, outcome.cached = answer.body, answer.cached
                found = call.row.result_of(answer.value, answer.status, answer.body)
                if isinstance(found, StatusCall):
                    found = await wait_for(engine, found, hooks=scope)
                if isinstance(found, LixError):
                    raise found
                outcome.value = cast("T", found)
        except LixError as error:
            outcome.error, outcome.state = error, state_of(error.family)
            if isinstance(error, SuppressedError):
                outcome.state = "suppressed"
            if isinstance(error, DecodeError) and outcome.state == "kept":
                outcome.body = error.body
        outcome.credits, outcome.maybe = budget.total, budget.lost
        outcome.attempts = scope.attempts
        outcome.seconds = caller.engine.clock.now() - began
        return outcome

    return Outcomes(work, InputStream(inputs), concurrency, ordered=ordered)
