"""A limiter that cannot be reached: what its error tells of the call, and what it may not hide."""

from __future__ import annotations

import pytest
from sample_provider import LOST, ROUTED, SEND, THING, SendParams, ThingParams, Toy, refused, reply

from lix_async.core.errors import OutcomeUnknownError, TransportError
from lix_async.core.retry import RetryPolicy

pytestmark = pytest.mark.anyio
READ = (THING, ThingParams(id="1"))
ACT = (SEND, SendParams(to="me", text="x"))


class Away:
    """A shared limiter whose store goes away after so many turns."""

    def __init__(self, turns: int = 0) -> None:
        self.turns = turns
        self.asked = 0

    async def acquire(self) -> None:
        self.asked += 1
        if self.asked > self.turns:
            raise TransportError("the store cannot be reached")

    async def hold(self, seconds: float) -> None:
        """Nobody is left to hold."""


@pytest.mark.parametrize(("row", "params"), [READ, ACT])
async def test_a_call_that_got_no_turn_says_that_nothing_left(row, params):
    limiter, returned = Away(), []
    toy = Toy(reply(), rate_limit=limiter)
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        await toy.engine.send(row, params, on_not_charged=lambda: returned.append(1))
    error = caught.value
    assert type(error) is TransportError
    assert error.endpoint == row.id
    assert (error.sent, error.permanent, error.attempts) == (False, False, 0)
    assert limiter.asked == 1, "it has been patient already: the call does not try again"
    assert not toy.script.sent
    assert returned
    assert (toy.credits.standard, toy.credits.lost) == (0, 0)


async def test_an_earlier_attempt_that_was_refused_is_counted():
    toy = Toy(refused(500, "api_error"), rate_limit=Away(1))
    with pytest.raises(TransportError) as caught:
        await toy.send(*READ)
    assert (caught.value.sent, caught.value.attempts) == (False, 1)


async def test_an_earlier_attempt_whose_answer_was_lost_may_have_been_paid():
    returned = []
    toy = Toy(LOST, rate_limit=Away(1))
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        await toy.engine.send(*READ, on_not_charged=lambda: returned.append(1))
    assert (caught.value.sent, caught.value.attempts) == (True, 1)
    assert not returned


async def test_a_send_that_was_lost_is_in_doubt_whatever_the_limiter_does():
    toy = Toy(LOST, rate_limit=Away(1), retry=RetryPolicy(attempts=1))
    with pytest.raises(OutcomeUnknownError):
        await toy.send(*ACT)


async def test_the_second_path_of_a_row_needs_a_turn_too():
    toy = Toy(refused(404, "unknown_route"), rate_limit=Away(1))
    with pytest.raises(TransportError, match="cannot be reached") as caught:
        await toy.send(ROUTED, ThingParams(id="1"))
    assert (caught.value.sent, caught.value.attempts) == (False, 1)
