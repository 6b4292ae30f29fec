"""A limiter that cannot be reached: what its error tells of the call, and what it may not hide."""

from __future__ import annotations

import pytest
from sample_provider import (
    LOST,
    ROUTED,
    SEND,
    THING,
    SampleClient,
    SendParams,
    ThingParams,
    refused,
    reply,
)

from lix_async.core.errors import OutcomeUnknownError, TransportError
from lix_async.core.retry import RetryPolicy

pytestmark = pytest.mark.anyio
READ = (THING, ThingParams(id="1"))
ACT = (SEND, SendParams(to="me", text="x"))


class Away:
    """A shared limiter whose store goes away after so many permits."""

    def __init__(self, permits: int = 0) -> None:
        self.permits = permits
        self.asked = 0

    async def acquire(self) -> None:
        self.asked += 1
        if self.asked > self.permits:
            raise TransportError("the store cannot be reached")

    async def hold(self, seconds: float) -> None:
        """Do nothing: there are no other callers."""


@pytest.mark.parametrize(("row", "params"), [READ, ACT])
async def test_a_call_without_a_permit_reports_that_nothing_was_sent(row, params):
    limiter = Away()
    client = SampleClient(reply(), rate_limit=limiter)
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        await client.send(row, params)
    error = caught.value
    assert type(error) is TransportError
    assert error.endpoint == row.id
    assert (error.sent, error.permanent, error.attempts) == (False, False, 0)
    assert limiter.asked == 1, "the limiter has retried already; the call does not"
    assert not client.script.sent
    assert (client.credits.standard, client.credits.lost) == (0, 0)


async def test_an_earlier_attempt_that_was_refused_is_counted():
    client = SampleClient(refused(500, "api_error"), rate_limit=Away(1))
    with pytest.raises(TransportError) as caught:
        await client.send(*READ)
    assert (caught.value.sent, caught.value.attempts) == (False, 1)


async def test_an_earlier_attempt_whose_answer_was_lost_may_have_been_paid():
    client = SampleClient(LOST, rate_limit=Away(1))
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        await client.send(*READ)
    assert (caught.value.sent, caught.value.attempts) == (True, 1)


async def test_a_send_that_was_lost_is_in_doubt_whatever_the_limiter_does():
    client = SampleClient(LOST, rate_limit=Away(1), retry=RetryPolicy(attempts=1))
    with pytest.raises(OutcomeUnknownError):
        await client.send(*ACT)


async def test_the_second_path_of_an_endpoint_needs_a_permit_too():
    client = SampleClient(refused(404, "unknown_route"), rate_limit=Away(1))
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        await client.send(ROUTED, ThingParams(id="1"))
    assert (caught.value.sent, caught.value.attempts) == (False, 1)
