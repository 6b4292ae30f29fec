"""`bulk.map`: bounded, in either order, and an outcome for every input whatever comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from sample_provider import (
    LIST,
    LOST,
    THING,
    UNREACHED,
    ListParams,
    SampleClient,
    Thing,
    ThingParams,
    refused,
    reply,
)

from lix_async import bulk
from lix_async.core.errors import ConfigurationError, TransportError
from lix_async.core.rate_limit import RateLimit
from lix_async.core.wire import HttpRequest
from lix_async.engine.pages import Pages
from lix_async.limiters.local import LocalLimiter

pytestmark = pytest.mark.anyio


class Vendor(SampleClient):
    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value

    def list(self, q: str) -> Pages[Thing]:
        return self.pages(LIST, ListParams(q=q))


def by_name(outgoing: HttpRequest) -> Any:
    name = outgoing.target.rsplit("/", 1)[-1]
    answers = {
        "lost": LOST,
        "gone": refused(404, "not_found"),
        "down": refused(503, "unavailable"),
        "later": refused(202, "queued"),
        "odd": reply(200, [1, 2]),
    }
    return answers.get(name) or reply(200, {"id": name, "size": 1})


async def test_every_input_has_an_outcome_that_says_what_came_of_it() -> None:
    vendor = Vendor(by_name)
    inputs = ["a", "gone", "down", "later", "lost", "odd", {"nope": 1}, {"id": "b"}]
    async with bulk.map(vendor.get, inputs, ordered=True) as outcomes:
        found = [outcome async for outcome in outcomes]
    assert [outcome.input for outcome in found] == inputs
    states = ["done", "refused", "failed", "queued", "in_doubt", "kept", "invalid", "done"]
    assert [outcome.state for outcome in found] == states
    assert [outcome.ok for outcome in found] == [state == "done" for state in states]
    assert found[0].value == Thing(id="a", size=1)
    assert (found[0].credits, found[1].credits) == (2, 0)
    assert found[2].attempts > 1
    assert found[4].maybe == 2 * found[4].attempts  # every attempt may have been charged
    assert found[5].body == b"[1,2]"
    assert isinstance(found[6].error, ConfigurationError)


async def test_a_listing_method_collects_all_pages_of_each_input() -> None:
    def page(outgoing: HttpRequest) -> Any:
        start = 1 if "start=1" in outgoing.target else 0
        return reply(200, {"things": [{"id": str(start)}], "paging": {"total": 2, "count": 1}})

    vendor = Vendor(page)
    (outcome,) = [outcome async for outcome in bulk.map(vendor.list, ["q"])]
    assert [thing.id for thing in outcome.value] == ["0", "1"]
    assert outcome.attempts == 2


async def test_no_more_is_asked_for_than_is_taken() -> None:
    vendor = Vendor(by_name)
    taken = 0

    async def inputs() -> AsyncIterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield str(taken)

    async with bulk.map(vendor.get, inputs(), concurrency=2) as outcomes:
        for _ in range(5):
            assert (await anext(outcomes)).ok
        await anyio.wait_all_tasks_blocked()
        assert taken <= 5 + 2 + 2
    assert len(vendor.script.sent) <= taken


class Rejecting:
    """A limiter whose store refuses its password."""

    def for_call(self, endpoint: object, params: object) -> Rejecting:
        return self

    async def acquire(self) -> None:
        raise ConfigurationError("the shared limiter's Redis rejected the request: WRONGPASS")


async def test_a_limiter_that_cannot_be_used_makes_no_input_invalid() -> None:
    vendor = Vendor(by_name)
    vendor.engine.limiter = Rejecting()  # type: ignore[assignment]
    found = [outcome async for outcome in bulk.map(vendor.get, ["a", {"nope": 1}], ordered=True)]
    assert [outcome.state for outcome in found] == ["failed", "invalid"]
    assert not vendor.script.sent


@pytest.mark.parametrize(
    ("fourth", "state", "maybe"),
    [
        (refused(404, "not_found"), "refused", 0),
        (refused(503, "unavailable"), "failed", 0),
        (refused(402, "no credits"), "failed", 0),
        (reply(502, b""), "failed", 4),
        (reply(200, b"<html>"), "in_doubt", 1),
        (LOST, "in_doubt", 4),
        (UNREACHED, "failed", 0),
        (reply(200, b"[1"), "kept", 0),
        (reply(200, {"things": [{"id": "1"}], "paging": {"total": 9, "count": 1}}), "kept", 0),
    ],
)
async def test_pages_before_an_error_are_handed_out(fourth: Any, state: str, maybe: int) -> None:
    tries = 0

    def page(outgoing: HttpRequest) -> Any:
        nonlocal tries
        start = next((str(n) for n in (1, 2, 3) if f"start={n}" in outgoing.target), "0")
        if start == "2" and tries == 0:
            tries += 1
            return refused(503, "unavailable")
        if start == "3":
            return fourth
        return reply(200, {"things": [{"id": start}], "paging": {"total": 9, "count": 1}})

    vendor = Vendor(page)
    (outcome,) = [outcome async for outcome in bulk.map(vendor.list, ["q"])]
    assert [thing.id for thing in outcome.value] == ["0", "1", "2"]
    assert (outcome.state, outcome.error is None) == (state, False)
    assert (outcome.credits, outcome.maybe) == (3 + (state == "kept"), maybe)
    assert (vendor.credits.total, vendor.credits.lost) == (outcome.credits, outcome.maybe)
    assert outcome.attempts == len(vendor.script.sent)


@pytest.mark.parametrize("first", [LOST, refused(503, "unavailable"), reply(502, b"")])
async def test_a_budget_that_stops_a_repeat_leaves_what_came_before(first: Any) -> None:
    vendor = Vendor(first, max_credits=2)
    vendor.script.answers = [first]
    found = [outcome async for outcome in bulk.map(vendor.get, ["a", "b"], ordered=True)]
    state = "in_doubt" if first is LOST else "failed"
    assert {outcome.state for outcome in found} <= {state, "failed"}
    assert found[0].state == state
    assert sum(outcome.maybe for outcome in found) == vendor.credits.lost <= 2


async def test_a_limiter_that_fails_after_a_lost_attempt_leaves_a_doubt() -> None:
    class FailingLater(LocalLimiter):
        asked = 0

        def for_call(self, endpoint: object, params: object) -> FailingLater:
            return self

        async def acquire(self) -> None:
            self.asked += 1
            if self.asked > 1:
                raise TransportError("the shared limiter is not available")

    vendor = Vendor(LOST)
    vendor.engine.limiter = FailingLater(RateLimit(10, per=1.0), clock=vendor.clock_used)
    (outcome,) = [outcome async for outcome in bulk.map(vendor.get, ["a"])]
    assert (outcome.state, outcome.maybe) == ("in_doubt", 2)
    assert isinstance(outcome.error, TransportError) and outcome.error.sent


async def test_a_connection_that_fails_after_a_lost_attempt_leaves_a_doubt() -> None:
    vendor = Vendor(LOST, UNREACHED)
    (outcome,) = [outcome async for outcome in bulk.map(vendor.get, ["a"])]
    assert (outcome.state, outcome.maybe) == ("in_doubt", 2)
    assert isinstance(outcome.error, TransportError) and outcome.error.sent
