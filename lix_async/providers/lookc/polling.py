"""Waiting for the result of a lookup by polling its status.

How often to poll and how long an id stays valid is not published (lookc.md#open-questions).
"""

from __future__ import annotations

from typing import cast

from ...core.endpoint import StatusCall
from ...core.errors import ConfigurationError, LixError
from ...core.validation import check_type
from ...engine import polling
from ...engine.answer import Answer
from ...engine.client import Client
from .endpoints import PERSON_BY_EMAIL, status_call
from .models import Lookup, LookupAnswer, PersonByEmail


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
    found = PERSON_BY_EMAIL.result_of(answer.value, answer.status, answer.body)
    if isinstance(found, LixError):
        found.attempts = answer.attempts
        raise found
    if isinstance(found, StatusCall):
        return Lookup(request_id=found.request_id)
    return Lookup(request_id=answer.value.request_id, result=cast("PersonByEmail", found))


async def wait_for(
    client: Client, request_id: str, seconds: float, *, at_once: bool
) -> PersonByEmail:
    """Poll until the result is complete.

    Raises:
        PendingError: There is no result after `seconds`.
        RefusalError: The lookup failed, or its id is unknown.
    """
    call = status_call(request_id)
    found = await polling.wait_for(client.engine, call, seconds, at_once=at_once)
    return cast("PersonByEmail", found)
