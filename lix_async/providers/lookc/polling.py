"""Waiting for the result of a lookup by polling its status.

Nothing is published about when a lookup becomes asynchronous, how often to poll, or how long an id
stays valid (lookc.md#asynchronous-requests, lookc.md#open-questions). The intervals here grow from
one second to half a minute.
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

FIRST_INTERVAL = 1.0
"""Seconds before the second poll; each further interval is twice as long."""
MAX_INTERVAL = 30.0


def checked(timeout: float) -> float:
    """The timeout in seconds, checked before anything is sent."""
    check_type("timeout", timeout, float)
    if not timeout > 0:
        raise ConfigurationError(f"timeout must be a positive number of seconds: {timeout}")
    return timeout


def accepted(answer: Answer[LookupAnswer]) -> Lookup:
    """The lookup that the first answer describes: with its result, or with the id to poll.

    Raises:
        RefusalError: The lookup failed.
        DecodeError: The lookup runs in the background, and the answer has no id.
    """
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
    """Poll until the result is complete. Only the status is requested, so nothing is charged again.

    Time is measured by the client's clock, and the last poll is made shortly before it is over.
    Errors that may pass (connection, 429, 5xx) do not end the wait, since the lookup is paid.

    Raises:
        PendingError: There is no result after `seconds`.
        RefusalError: The lookup failed, or its id is unknown.
    """
    clock = client.clock
    end = clock.now() + seconds
    delay = 0.0 if at_once else min(FIRST_INTERVAL, seconds / 2)
    polls = 0
    error: LixError | None = None
    with clock.timeout(seconds):
        while True:
            await clock.sleep(delay)
            polls += 1
            outcome = await _poll(client, request_id)
            error = outcome if isinstance(outcome, LixError) else None
            if isinstance(outcome, Answer):
                found = outcome.value
                if found.complete:
                    return found.data or PersonByEmail()
                if found.failed:
                    raise _failure(REQUEST_STATUS.id, found.status, outcome, polls)
            left = end - clock.now()
            requested = _retry_after(error)
            if left <= FIRST_INTERVAL or requested > left:
                break
            delay = min(max(2 * delay, FIRST_INTERVAL), MAX_INTERVAL)
            delay = max(min(delay, left - FIRST_INTERVAL), requested)
    requested = _retry_after(error)
    raise PendingError(
        f"no result after {seconds:g} s; continue with lookc.result({request_id!r})",
        request_id=request_id,
        retry_at=clock.wall() + requested if requested else None,
        endpoint=REQUEST_STATUS.id,
        attempts=polls,
    ) from error


async def _poll(client: Client, request_id: str) -> Answer[RequestStatus] | LixError:
    """One request of the status, or an error after which polling may go on; raises other errors."""
    try:
        return await client.send(REQUEST_STATUS, RequestStatusParams(request_id=request_id))
    except LixError as error:
        if not _may_pass(error):
            error.add_note(f"the lookup's request_id is {request_id}")
            raise
        return error


def _may_pass(error: LixError) -> bool:
    """Whether a later poll may succeed after this error."""
    if isinstance(error, TransportError):
        return isinstance(error, DeadlineError) or not error.permanent
    passing = isinstance(error, QueuedError | RateLimitError | ServerError)
    return passing and not isinstance(error, DailyLimitError)


def _retry_after(error: LixError | None) -> float:
    """Seconds that the provider asked to wait."""
    return (error.retry_after or 0.0) if isinstance(error, RefusalError) else 0.0


def _failure(
    endpoint: str,
    word: str | None,
    answer: Answer[LookupAnswer] | Answer[RequestStatus],
    polls: int,
) -> RefusalError:
    return RefusalError(
        f"the lookup ended without a result: {word}",
        status=answer.status,
        kind=word or "",
        body=excerpt(answer.body),
        endpoint=endpoint,
        attempts=polls,
    )
