"""`client.answer(method, …)`: what a method returns, with the response behind it."""

from __future__ import annotations

import anyio
import msgspec
import pytest
from sample_provider import THING, SampleClient, ThingParams, refused, reply

from lix_async import Answer, AsyncConnectSafely, AsyncMeetAlfred, RetryPolicy
from lix_async.core.errors import ConfigurationError, NotFoundError
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
LINK = "https://www.linkedin.com/in/example-person-1"


async def test_the_value_is_what_the_method_returns_and_the_rest_of_its_call() -> None:
    async with memory_client() as lix:
        answer = await lix.answer(lix.people.get, LINK)
        assert isinstance(answer, Answer)
        assert answer.value == await lix.people.get(LINK)
        assert msgspec.json.decode(answer.body)["name"] == answer.value.name
        assert answer.headers["content-type"].startswith("application/json")
        assert (answer.status, answer.attempts, answer.credits) == (200, 1, 1)
        jobs = await lix.answer(lix.people.employment, profile_link=LINK)
        assert isinstance(jobs.value, list)
        assert len(msgspec.json.decode(jobs.body)["experiences"]) == len(jobs.value)


async def test_every_client_has_it() -> None:
    sandbox = Sandbox(rate=None)
    async with memory_client(sandbox, AsyncConnectSafely) as client:
        answer = await client.answer(client.profile, "example-person-1", include_skills=True)
        assert answer.value.profile_id == "example-person-1"
    async with memory_client(sandbox, AsyncMeetAlfred) as alfred:
        assert isinstance((await alfred.answer(alfred.campaigns)).value, list)


async def test_of_several_calls_the_body_is_the_last_and_the_counts_are_sums() -> None:
    client = SampleClient(reply(200, {"id": "a"}), reply(200, {"id": "b"}), rate_limit=None)

    async def both(first: str, *, second: str) -> str:
        one = await client.send(THING, ThingParams(id=first))
        two = await client.send(THING, ThingParams(id=second))
        return f"{one.value.id} {two.value.id}"

    answer = await client.answer(both, "1", second="2")
    assert (answer.value, answer.body, answer.attempts) == ("a b", b'{"id":"b"}', 2)
    assert answer.credits == 2 * THING.credits.amount


async def test_concurrent_calls_do_not_mix() -> None:
    async with memory_client() as lix:
        found: dict[str, Answer[object]] = {}

        async def one(link: str) -> None:
            found[link] = await lix.answer(lix.people.get, link)

        async with anyio.create_task_group() as group:
            for number in range(1, 6):
                group.start_soon(one, f"https://www.linkedin.com/in/example-person-{number}")
    for answer in found.values():
        assert answer.attempts == 1
        assert msgspec.json.decode(answer.body)["name"] == answer.value.name


async def test_errors_are_those_of_the_method() -> None:
    client = SampleClient(refused(404, "not_found"), retry=RetryPolicy(attempts=1))

    async def get() -> object:
        return (await client.send(THING, ThingParams(id="1"))).value

    with pytest.raises(NotFoundError):
        await client.answer(get)


async def test_it_takes_a_method_that_is_awaited_and_makes_a_call() -> None:
    async with memory_client() as lix:
        with pytest.raises(ConfigurationError, match="by_page"):
            await lix.answer(lix.connections.list, "viewer")  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="makes a call"):
            await lix.answer(lix.clock.sleep, 0)


async def test_a_call_in_place_of_a_method_is_refused() -> None:
    sandbox = Sandbox(rate=None)
    async with memory_client(sandbox) as lix:
        for wrong in (lix.people.get(LINK), "people.get"):
            with pytest.raises(ConfigurationError, match="takes a method and its arguments"):
                await lix.answer(wrong)  # type: ignore[arg-type]
    assert sandbox.requests == []
