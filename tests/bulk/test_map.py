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
    ListParams,
    SampleClient,
    Thing,
    ThingParams,
    refused,
    reply,
)

from lix_async import bulk
from lix_async.core.errors import ConfigurationError
from lix_async.core.wire import HttpRequest
from lix_async.engine.pages import Pages

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
    states = ["done", "refused", "failed", "queued", "failed", "failed", "invalid", "done"]
    assert [outcome.state for outcome in found] == states
    assert [outcome.ok for outcome in found] == [state == "done" for state in states]
    assert found[0].value == Thing(id="a", size=1)
    assert (found[0].credits, found[1].credits) == (2, 0)
    assert found[2].attempts > 1
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


async def test_pages_before_an_error_are_handed_out() -> None:
    def page(outgoing: HttpRequest) -> Any:
        if "start=1" in outgoing.target:
            return refused(404, "not_found")
        return reply(200, {"things": [{"id": "0"}], "paging": {"total": 2, "count": 1}})

    vendor = Vendor(page)
    (outcome,) = [outcome async for outcome in bulk.map(vendor.list, ["q"])]
    assert (outcome.state, outcome.credits) == ("refused", 1)
    assert [thing.id for thing in outcome.value] == ["0"]
