"""From a lookup's first answer to its result: asking how far it is, ever less often.

Nothing is published about how a lookup becomes asynchronous, how often to ask or how long an id
lives (lookc.md#asynchronous-requests, lookc.md#open-questions). The intervals are those of
the first: from one second to half a minute.
"""

from __future__ import annotations

from ...core.errors import (
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    LixError,
    PendingError,
    QueuedError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
    excerpt,
)
from ...core.validation import check_type
from ...engine.answer import Answer
from ...engine.client import Client
from .endpoints import PERSON_BY_EMAIL, REQUEST_STATUS
from .models import Lookup, LookupAnswer, PersonByEmail, RequestStatus
from .params import RequestStatusParams

FIRST = 1.0
"""Seconds before the second look; each further pause is twice as long."""
LONGEST = 30.0


def checked(timeout: float) -> float:
    """The seconds to wait for a result, before anything is sent for it."""
    check_type("timeout", timeout, float)
    if not timeout > 0:
        raise ConfigurationError(f"timeout must be a positive number of seconds: {timeout}")
    return timeout


def accepted(answer: Answer[LookupAnswer]) -> Lookup:
    """What the first answer is: a result, or the id that leads to one."""
    value = answer.value
    if value.failed:
        raise _failure(PERSON_BY_EMAIL.id, value.status, answer, answer.attempts)
    if not (value.pending or (answer.status == 202 and value.blank)):
        return Lookup(request_id=value.request_id, result=value.result())
    if value.request_id:
        return Lookup(request_id=value.request_id)
    raise DecodeError(
        "the lookup runs in the background, but the answer has no request id to ask for it with",
        path="$.request_id",
        body=answer.body,
        endpoint=PERSON_BY_EMAIL.id,
        attempts=answer.attempts,
    )


async def wait_for(
    client: Client, request_id: str, seconds: float, *, at_once: bool
) -> PersonByEmail:
    """The result, once it is complete. Only the status is asked for, so nothing starts again.

    The time is kept on the client's clock; a last look is taken shortly before it is over.
    Troubles that pass (connection, 429, 5xx) do not end the wait: the lookup is paid for.
    """
    clock = client.clock
    end = clock.now() + seconds
    pause = 0.0 if at_once else min(FIRST, seconds / 2)
    looks = 0
    trouble: LixError | None = None
    with clock.timeout(seconds):
        while True:
            await clock.sleep(pause)
            looks += 1
            outcome = await _look(client, request_id)
            trouble = outcome if isinstance(outcome, LixError) else None
            if isinstance(outcome, Answer):
                found = outcome.value
                if found.complete:
                    return found.data or PersonByEmail()
                if found.failed:
                    raise _failure(REQUEST_STATUS.id, found.status, outcome, looks)
            left = end - clock.now()
            named = _named(trouble)
            if left <= FIRST or named > left:
                break
            pause = min(max(2 * pause, FIRST), LONGEST)
            pause = max(min(pause, left - FIRST), named)
    named = _named(trouble)
    raise PendingError(
        f"no result after {seconds:g} s; go on with lookc.result({request_id!r})",
        request_id=request_id,
        retry_at=clock.wall() + named if named else None,
        endpoint=REQUEST_STATUS.id,
        attempts=looks,
    ) from trouble


async def _look(client: Client, request_id: str) -> Answer[RequestStatus] | LixError:
    """One look at the status, or the trouble that it met; raises what will not pass."""
    try:
        return await client.send(REQUEST_STATUS, RequestStatusParams(request_id=request_id))
    except LixError as error:
        if not _passes(error):
            error.add_note(f"the lookup's request_id is {request_id}")
            raise
        return error


def _passes(error: LixError) -> bool:
    """Whether a later look may succeed where this one failed."""
    if isinstance(error, TransportError):
        return isinstance(error, DeadlineError) or not error.permanent
    passing = isinstance(error, QueuedError | RateLimitError | ServerError)
    return passing and not isinstance(error, DailyLimitError)


def _named(trouble: LixError | None) -> float:
    """Seconds that the provider wants to be left alone."""
    return (trouble.retry_after or 0.0) if isinstance(trouble, RefusalError) else 0.0


def _failure(
    endpoint: str,
    word: str | None,
    answer: Answer[LookupAnswer] | Answer[RequestStatus],
    looks: int,
) -> RefusalError:
    return RefusalError(
        f"the lookup ended without a result: {word}",
        status=answer.status,
        kind=word or "",
        body=excerpt(answer.body),
        endpoint=endpoint,
        attempts=looks,
    )
