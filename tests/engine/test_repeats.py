"""Repeating beside others: attempts are counted call by call, and paths are remembered."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import (
    LOST,
    ROUTED,
    THING,
    SampleClient,
    Skipping,
    ThingParams,
    refused,
    reply,
    settle,
)

from lix_async.core.errors import RefusalError, ServerError
from lix_async.core.rate_limit import RateLimit
from lix_async.core.retry import RetryPolicy
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio
FIVE = [ThingParams(id=str(number)) for number in range(5)]
NO_ROUTE = refused(404, "unknown_route")


async def test_five_calls_at_once_keep_their_attempts_apart():
    """Each call fails as often as its number says; a shared retry object would mix them up."""
    tries = dict.fromkeys("01234", 0)

    def handle(outgoing):
        number = outgoing.target[-1]
        tries[number] += 1
        return reply(500) if tries[number] <= int(number) else reply(200, {"id": number})

    client = SampleClient(handle, retry=RetryPolicy(attempts=4))
    found: dict[str, object] = {}

    async def call(params: ThingParams) -> None:
        try:
            answer = await client.send(THING, params)
            found[params.id] = (answer.value.id, answer.attempts)
        except ServerError as error:
            found[params.id] = (str(error)[:9], error.attempts)

    async with anyio.create_task_group() as tasks:
        for params in FIVE:
            tasks.start_soon(call, params)
    assert found == {
        "0": ("0", 1), "1": ("1", 2), "2": ("2", 3), "3": ("3", 4), "4": ("thing.get", 4),
    }  # fmt: skip


async def test_cancelling_one_of_them_in_its_pause_leaves_the_others_alone():
    clock = VirtualClock()
    client = SampleClient(lambda outgoing: reply(503, retry_after="10"), clock=clock)
    ended: list[str] = []
    scopes: dict[str, anyio.CancelScope] = {}

    async def call(params: ThingParams) -> None:
        with anyio.CancelScope() as scopes[params.id]:
            try:
                await client.send(THING, params)
            except ServerError as error:
                ended.append(f"{params.id} after {error.attempts}")

    async with anyio.create_task_group() as tasks:
        for params in FIVE:
            tasks.start_soon(call, params)
        await settle()
        scopes["2"].cancel()
        for _ in range(3):
            clock.advance(10.5)
            await settle(20)
    assert sorted(ended) == ["0 after 4", "1 after 4", "3 after 4", "4 after 4"]


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_at_every_step_of_its_repeats_a_call_leaves_the_limiter_in_order(steps):
    clock = Skipping()
    client = SampleClient(
        LOST, LOST, LOST, reply(), clock=clock, rate_limit=RateLimit(1, per=3.0, margin=0)
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.send, THING, FIVE[0])
        await settle(steps)
        tasks.cancel_scope.cancel()
    assert (await client.send(THING, FIVE[1])).attempts <= 4
    assert clock.now() <= 3 * len(client.script.sent)
    assert not client.engine.limiter._queue


def by_path(*known: str):
    return lambda outgoing: reply() if outgoing.target[:5] in known else NO_ROUTE


async def test_the_other_path_is_tried_once_and_remembered():
    client = SampleClient(by_path("/v1/b"))
    answers = [await client.send(ROUTED, FIVE[0]) for _ in range(3)]
    assert client.script.targets == ["/v1/a/0", "/v1/b/0", "/v1/b/0", "/v1/b/0"]
    assert [answer.attempts for answer in answers] == [2, 1, 1]
    await client.with_options(deadline=9).send(ROUTED, FIVE[1])
    assert client.script.targets[-1] == "/v1/b/1"


async def test_a_path_that_works_again_is_found_again():
    client = SampleClient(by_path("/v1/b"))
    await client.send(ROUTED, FIVE[0])
    client.script.answers = [by_path("/v1/a")]
    await client.send(ROUTED, FIVE[0])
    await client.send(ROUTED, FIVE[0])
    assert client.script.targets[2:] == ["/v1/b/0", "/v1/a/0", "/v1/a/0"]


async def test_where_neither_path_is_known_the_refusal_is_raised_and_nothing_remembered():
    client = SampleClient(NO_ROUTE)
    for _ in range(2):
        with pytest.raises(RefusalError, match="unknown route") as caught:
            await client.send(ROUTED, FIVE[0])
        assert (caught.value.kind, caught.value.attempts) == ("unknown_route", 2)
    assert client.script.targets == ["/v1/a/0", "/v1/b/0"] * 2
    with pytest.raises(RefusalError):
        await client.send(THING, FIVE[0])
    assert len(client.script.sent) == 5


async def test_the_other_path_is_tried_also_after_a_passing_fault():
    client = SampleClient(LOST, NO_ROUTE, LOST, reply())
    assert (await client.send(ROUTED, FIVE[0])).attempts == 4
    assert client.script.targets == ["/v1/a/0", "/v1/a/0", "/v1/b/0", "/v1/b/0"]


async def test_calls_that_find_the_path_wrong_at_once_all_find_the_right_one():
    opened = anyio.Event()

    async def handle(outgoing):
        await opened.wait()
        return by_path("/v1/b")(outgoing)

    client = SampleClient(lambda outgoing: handle(outgoing))
    async with anyio.create_task_group() as tasks:
        for params in FIVE:
            tasks.start_soon(client.send, ROUTED, params)
        await settle()
        opened.set()
    assert len(client.script.sent) == 10
    await client.send(ROUTED, FIVE[0])
    assert client.script.targets[-1] == "/v1/b/0"
