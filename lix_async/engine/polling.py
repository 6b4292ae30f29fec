"""Waiting for the result of a call that goes on in the background, by its status call.

The intervals grow from one second to half a minute (lookc.md#asynchronous-requests).
"""

from __future__ import annotations

from ..core.endpoint import StatusCall
from ..core.errors import (
    DeadlineError,
    Family,
    LixError,
    PendingError,
    RefusalError,
    TransportError,
)
from ..core.families import STOPS, TRANSIENT
from .answer import note_answer
from .engine import AttemptHooks, Engine

FIRST_INTERVAL = 1.0
"""Seconds before the second poll; each further interval is twice as long."""
MAX_INTERVAL = 30.0
PASSING: frozenset[Family] = frozenset({*TRANSIENT, "queued", "unknown"})
"""Families of answers after which the status is requested again: the lookup itself may go on."""
TIMEOUT = 300.0
"""Seconds to wait for a result where the caller names none."""


async def wait_for(
    engine: Engine,
    call: StatusCall,
    seconds: float = TIMEOUT,
    *,
    at_once: bool = False,
    hooks: AttemptHooks | None = None,
) -> object:
    """Poll until the result is complete. Only the status is requested, so nothing is charged again.

    Time is measured by the client's clock, and the last poll is made shortly before it is over.
    Errors that may pass (connection, 429, 5xx, pages of something in between) do not end the wait,
    since the call is paid.

    Raises:
        PendingError: There is no result after `seconds`.
        RefusalError: The call failed, or its id is unknown.
    """
    clock = engine.clock
    end = clock.now() + seconds
    delay = 0.0 if at_once else min(FIRST_INTERVAL, seconds / 2)
    polls = 0
    error: LixError | None = None
    with clock.timeout(seconds):
        while True:
            await engine.sleep(delay)
            polls += 1
            outcome = await _poll(engine, call, hooks)
            error = outcome if isinstance(outcome, LixError) else None
            if error is not None and not _may_pass(error):
                error.attempts = polls
                error.add_note(f"the lookup's request_id is {call.request_id}")
                raise error
            if error is None and not isinstance(outcome, StatusCall):
                return outcome
            left = end - clock.now()
            requested = _retry_after(error)
            if left <= FIRST_INTERVAL or requested > left:
                break
            delay = min(max(2 * delay, FIRST_INTERVAL), MAX_INTERVAL)
            delay = max(min(delay, left - FIRST_INTERVAL), requested)
    requested = _retry_after(error)
    raise PendingError(
        f"no result after {seconds:g} s; ask again for the request_id {call.request_id!r}",
        request_id=call.request_id,
        retry_at=clock.wall() + requested if requested else None,
        endpoint=call.endpoint.id,
        attempts=polls,
    ) from error


async def _poll(engine: Engine, call: StatusCall, hooks: AttemptHooks | None) -> object:
    """What one request of the status comes to, or its error."""
    try:
        answer = note_answer(await engine.send(call.endpoint, call.params, hooks=hooks))
    except LixError as error:
        return error
    return call.endpoint.result_of(answer.value, answer.status, answer.body)


def _may_pass(error: LixError) -> bool:
    """Whether a later poll may succeed after this error: it is not the API's word on the lookup."""
    if isinstance(error, TransportError):
        return isinstance(error, DeadlineError) or not error.permanent
    return error.family in PASSING and not isinstance(error, STOPS)


def _retry_after(error: LixError | None) -> float:
    """Seconds that the provider asked to wait."""
    return (error.retry_after or 0.0) if isinstance(error, RefusalError) else 0.0
