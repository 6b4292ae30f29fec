"""Observers are notified of every call, every answer and the end of the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from sample_provider import (
    LOST,
    SEND,
    THING,
    SampleClient,
    SendParams,
    Skipping,
    Thing,
    ThingParams,
    reply,
)

from lix_async.core.errors import (
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    LixError,
    OutcomeUnknownError,
    RateLimitError,
)
from lix_async.core.retry import RetryPolicy

pytestmark = pytest.mark.anyio


class Book:
    """Records its notifications."""

    def __init__(self, stop: LixError | None = None, put: LixError | None = None) -> None:
        self.received: list[Any] = []
        self.stop = stop
        self.put = put

    def begin(self, row: Any, params: Any, wall: float) -> Book:
        self.received.append(("begin", row.id, params.id))
        if self.stop is not None:
            raise self.stop
        return self

    def check(self, outcome: object, headers: Mapping[str, str], wall: float) -> LixError | None:
        self.received.append(("look", type(outcome).__name__, headers.get("x-left")))
        return self.put

    def end(self, lost: int) -> None:
        self.received.append(("end", lost))


async def test_an_observer_is_notified_of_a_call_from_beginning_to_end() -> None:
    book = Book()
    client = SampleClient(
        LOST, reply(429, b"", Retry_After="1"), reply(200, {}, X_Left="3"), observer=book
    )
    await client.send(THING, ThingParams(id="1"))
    assert book.received == [
        ("begin", "thing.get", "1"),
        ("look", "RateLimitError", None),
        ("look", "Thing", "3"),
        ("end", 1),
    ]


async def test_a_call_that_is_stopped_is_not_sent() -> None:
    book = Book(stop=DailyLimitError("used up"))
    client = SampleClient(reply(), observer=book)
    with pytest.raises(DailyLimitError):
        await client.send(THING, ThingParams(id="1"))
    assert client.script.sent == []
    assert [what for what, *_ in book.received] == ["begin"]
    assert client.credits.total == 0
    book.stop = None
    await client.send(THING, ThingParams(id="1"))


async def test_an_error_of_the_observer_replaces_the_answer() -> None:
    client = SampleClient(reply(429, b""), observer=Book(put=DailyLimitError("of the day")))
    with pytest.raises(DailyLimitError) as caught:
        await client.send(THING, ThingParams(id="1"))
    assert (caught.value.endpoint, caught.value.attempts) == ("thing.get", 1)
    client = SampleClient(
        reply(), observer=Book(put=RateLimitError("slower")), retry=RetryPolicy(attempts=2)
    )
    with pytest.raises(RateLimitError):
        await client.send(THING, ThingParams(id="1"))
    assert len(client.script.sent) == 2


async def test_the_observer_is_notified_of_the_end_of_a_cancelled_call() -> None:
    book = Book()
    client = SampleClient(lambda _: anyio.sleep_forever(), observer=book)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send, THING, ThingParams(id="1"))
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert book.received[-1] == ("end", 1)


async def test_a_call_that_exceeds_the_budget_is_observed_as_one_that_used_nothing() -> None:
    book = Book()
    with pytest.raises(BudgetError):
        await SampleClient(reply(), observer=book, max_credits=1).send(THING, ThingParams(id="1"))
    assert [name for name, *_ in book.received] == ["begin", "end"]
    assert book.received[-1] == ("end", 0)


# --- defaults, and params that make a call an act ---------------------------------------------


async def test_defaults_are_sent_where_a_call_takes_them_and_the_caller_gives_none() -> None:
    client = SampleClient(reply(), viewer_id="v", defaults={"note": "n", "to": "x", "empty": None})
    await client.send(THING, ThingParams(id="1"))
    await client.send(THING, ThingParams(id="1", note="own", viewer_id="w"))
    await client.send(SEND, SendParams(to="a", text="b"))
    await client.with_options(viewer_id=None).send(THING, ThingParams(id="1"))
    assert client.script.targets == [
        "/v1/things/1?note=n&viewer_id=v",
        "/v1/things/1?note=own&viewer_id=w",
        "/v1/send?to=a",
        "/v1/things/1?note=n",
    ]


class Acting(ThingParams, frozen=True, kw_only=True):
    def is_idempotent(self) -> bool:
        return self.note != "act"


async def test_params_may_make_a_safe_row_an_act() -> None:
    client = SampleClient(LOST, reply(), clock=Skipping())
    assert isinstance((await client.send(THING, Acting(id="1"))).value, Thing)
    client = SampleClient(LOST, reply())
    with pytest.raises(OutcomeUnknownError):
        await client.send(THING, Acting(id="1", note="act"))
    assert [one.idempotent for one in client.script.sent] == [False]


async def test_a_provider_without_an_address_says_how_to_give_one() -> None:
    from msgspec.structs import replace
    from sample_provider import SAMPLE

    class Homeless(SampleClient):
        provider = replace(SAMPLE, base_url="")

    with pytest.raises(ConfigurationError, match=r"pass base_url= or set SAMPLE_BASE_URL"):
        Homeless(reply())
    Homeless(reply(), base_url="https://sample.example")
