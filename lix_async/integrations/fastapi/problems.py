"""Errors as answers: `application/problem+json`, see https://www.rfc-editor.org/rfc/rfc9457.

The text of an error is in answers below 500 only: above, it is about the operator's business, or
has the provider's own words. A body or an excerpt of one never is.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec
from fastapi import Response

from ...bulk.chunk import LedgerParkedError
from ...concurrency.clock import RealClock
from ...core.bridge import ReadableStruct
from ...core.errors import (
    AuthenticationError,
    BulkError,
    BusyError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    InDoubtError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    OutageError,
    PagingError,
    PendingError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    SuppressedError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)
from ...core.field_docs import field_descriptions
from ...core.installed_providers import provider_name, provider_of, providers
from ...core.retry import RetryPolicy
from ...ledger.connection import LedgerGoneError, LedgerUnreachableError
from .jobs import JobExistsError

LOG = logging.getLogger("lix_async.fastapi")
MEDIA_TYPE = "application/problem+json"
DAY = 86400.0
USUAL_WINDOW = 3.0
"""Seconds of the rate window of a provider that is not installed."""
LONGEST = 2**31 - 1
"""The greatest number of seconds that all clients can read in `Retry-After`."""
Statuses = Mapping[type[LixError], int]
STATUSES: Statuses = MappingProxyType(
    {
        LixError: 500,  # the operator's business, as is all that has no line of its own
        ConfigurationError: 422,  # the caller's argument
        InvalidParamsError: 422,
        QuotaExceededError: 402,
        NotFoundError: 404,
        DailyLimitError: 429,  # an allowance that all callers share
        WeeklyLimitError: 429,
        RateLimitError: 503,  # not the caller's fault: try again
        QueuedError: 503,
        ViewerError: 409,  # the attached account needs attention
        AuthenticationError: 500,
        PagingError: 500,
        BulkError: 500,
        InDoubtError: 409,  # a person decides
        JobExistsError: 409,
        SuppressedError: 410,  # forgotten at a person's request
        BusyError: 503,
        OutageError: 503,
        LedgerGoneError: 503,
        LedgerUnreachableError: 503,
        LedgerParkedError: 503,
        DeadlineError: 504,
        TransportError: 502,
        ServerError: 502,
        DecodeError: 502,
    }
)
"""The status of an error by its class, or by the nearest class above it."""


class Problem(ReadableStruct, msgspec.Struct, omit_defaults=True):
    """The body of an answer that reports an error."""

    type: str
    """`urn:lix-async:` and the name of the class: `urn:lix-async:not-found`."""
    title: str
    """The class."""
    status: int
    """The HTTP status."""
    detail: str | None = None
    """The message, below 500."""
    endpoint: str | None = None
    """The catalogue id of the endpoint."""
    request_id: str | None = None
    """The provider's id of a lookup that has not finished; see `PendingError`."""


def _described(status: int, text: str) -> dict[str, object]:
    about = field_descriptions(Problem)
    properties = {
        field.encode_name: {
            "type": "integer" if field.type is int else "string",
            "description": about[field.name],
        }
        for field in msgspec.structs.fields(Problem)
    }
    schema = {
        "type": "object",
        "title": "Problem",
        "required": ["type", "title", "status"],
        "properties": properties,
    }
    content: dict[str, object] = {MEDIA_TYPE: {"schema": schema}}
    if status == 422:  # FastAPI's own errors of validation have this status as well
        errors = {"type": "array", "items": {"type": "object"}}
        own = {"type": "object", "properties": {"detail": errors}}
        content["application/json"] = {"schema": own}
    described: dict[str, object] = {"description": text, "content": content}
    if status in (429, 503, 504):
        header = {"description": "Seconds until to try again", "schema": {"type": "integer"}}
        described["headers"] = {"Retry-After": header}
    return described


PROBLEMS: dict[int | str, dict[str, object]] = {
    status: _described(status, text)
    for status, text in {
        402: "The credits or the budget are used up",
        404: "The record does not exist",
        409: "An account, a lookup or a job has to be looked after first",
        410: "The person was forgotten",
        422: "An argument is not valid",
        429: "The allowance of the day or the week is used up",
        500: "The service is not set up correctly",
        502: "The provider or the way to it failed",
        503: "Too many requests at the moment; try again",
        504: "There was no result in time",
    }.items()
}
"""The answers that report errors, for `responses=PROBLEMS` of an app, a router or a route."""


def problem(
    error: LixError, *, statuses: Statuses = MappingProxyType({}), now: float | None = None
) -> Response:
    """An error as an answer.

    Args:
        error: The error.
        statuses: HTTP statuses by class, before the usual ones.
        now: The time in epoch seconds; default: the machine's.

    Returns:
        The answer, with `Retry-After` where it makes sense to try again.
    """
    return answer_for(error, statuses, now, RetryPolicy().queued_interval)


def answer_for(
    error: LixError, statuses: Statuses, now: float | None, queued_interval: float
) -> Response:
    """`problem`, with the time between two polls that the client has."""
    found = problem_of(error, statuses)
    if found.status == 500:
        LOG.error("%s", error, exc_info=error)
    seconds = _retry_after(error, RealClock.wall() if now is None else now, queued_interval)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Response(msgspec.json.encode(found), found.status, headers, MEDIA_TYPE)


def problem_of(error: LixError, statuses: Statuses) -> Problem:
    """The body of the answer."""
    table = {**STATUSES, **statuses}
    status = next(table[kind] for kind in type(error).__mro__ if kind in table)
    name = type(error).__name__
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name.removesuffix("Error")).lower()
    return Problem(
        type=f"urn:lix-async:{words}",
        title=name,
        status=status,
        detail=str(error.args[0]) if status < 500 and error.args else None,
        endpoint=error.endpoint,
        request_id=(error.request_id or None) if isinstance(error, PendingError) else None,
    )


def _retry_after(error: LixError, now: float, queued_interval: float) -> int | None:
    """Whole seconds until it makes sense to try again; None where that is not known."""
    named = error.retry_after
    moment: float | None = getattr(error, "refreshes_at", None) or getattr(error, "retry_at", None)
    if moment is not None:
        named = moment - now
    elif named is None and isinstance(error, DailyLimitError | WeeklyLimitError):
        named = DAY - now % DAY  # days end at midnight UTC, as far as they are published
    elif named is None and isinstance(error, RateLimitError):
        named = _window(error.endpoint)
    elif named is None and isinstance(error, QueuedError):
        named = queued_interval
    if named is None or math.isnan(named):
        return None
    return math.ceil(min(max(named, 0.0), LONGEST))


def _window(endpoint: str | None) -> float:
    """The rate window of the provider that an endpoint belongs to."""
    name = provider_name(endpoint or "")
    return provider_of(name).window if name in providers() else USUAL_WINDOW
