"""A provider's own books: told of every call, of every answer, and of the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from sample_provider import LOST, SEND, THING, SendParams, Skipping, Thing, ThingParams, Toy, reply

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
    """Writes down what it is told."""

    def __init__(self, stop: LixError | None = None, put: LixError | None = None) -> None:
        self.told: list[Any] = []
        self.stop = stop
        self.put = put

    def begin(self, row: Any, params: Any, wall: float) -> Book:
        self.told.append(("begin", row.id, params.id))
        if self.stop is not None:
            raise self.stop
        return self

    def check(self, outcome: object, headers: Mapping[str, str], wall: float) -> LixError | None:
        self.told.append(("look", type(outcome).__name__, headers.get("x-left")))
        return self.put

    def end(self, lost: int) -> None:
        self.told.append(("end", lost))


async def test_a_call_is_told_of_from_beginning_to_end() -> None:
    book = Book()
    toy = Toy(LOST, reply(429, b"", Retry_After="1"), reply(200, {}, X_Left="3"), observer=book)
    await toy.send(THING, ThingParams(id="1"))
    assert book.told == [
        ("begin", "thing.get", "1"),
        ("look", "RateLimitError", None),
        ("look", "Thing", "3"),
        ("end", 1),
    ]


async def test_a_call_that_is_stopped_is_not_sent() -> None:
    book = Book(stop=DailyLimitError("used up"))
    toy = Toy(reply(), observer=book)
    with pytest.raises(DailyLimitError):
        await toy.send(THING, ThingParams(id="1"))
    assert toy.script.sent == []
    assert [what for what, *_ in book.told] == ["begin"]
    assert toy.credits.total == 0
    book.stop = None
    await toy.send(THING, ThingParams(id="1"))


async def test_an_error_of_the_watch_takes_the_answers_place() -> None:
    toy = Toy(reply(429, b""), observer=Book(put=DailyLimitError("of the day")))
    with pytest.raises(DailyLimitError) as caught:
        await toy.send(THING, ThingParams(id="1"))
    assert (caught.value.endpoint, caught.value.attempts) == ("thing.get", 1)
    toy = Toy(reply(), observer=Book(put=RateLimitError("slower")), retry=RetryPolicy(attempts=2))
    with pytest.raises(RateLimitError):
        await toy.send(THING, ThingParams(id="1"))
    assert len(toy.script.sent) == 2


async def test_the_end_is_told_also_when_the_call_is_cancelled() -> None:
    book = Book()
    toy = Toy(lambda _: anyio.sleep_forever(), observer=book)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(toy.send, THING, ThingParams(id="1"))
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert book.told[-1] == ("end", 1)


async def test_a_call_that_its_budget_stops_is_not_told_of() -> None:
    book = Book()
    with pytest.raises(BudgetError):
        await Toy(reply(), observer=book, max_credits=1).send(THING, ThingParams(id="1"))
    assert book.told == []


# --- defaults, and params that make a call an act ---------------------------------------------


async def test_defaults_are_sent_where_a_call_takes_them_and_the_caller_gives_none() -> None:
    toy = Toy(reply(), viewer_id="v", defaults={"note": "n", "to": "x", "empty": None})
    await toy.send(THING, ThingParams(id="1"))
    await toy.send(THING, ThingParams(id="1", note="own", viewer_id="w"))
    await toy.send(SEND, SendParams(to="a", text="b"))
    await toy.with_options(viewer_id=None).send(THING, ThingParams(id="1"))
    assert toy.script.targets == [
        "/v1/things/1?note=n&viewer_id=v",
        "/v1/things/1?note=own&viewer_id=w",
        "/v1/send?to=a",
        "/v1/things/1?note=n",
    ]


class Acting(ThingParams, frozen=True, kw_only=True):
    def is_idempotent(self) -> bool:
        return self.note != "act"


async def test_params_may_make_a_safe_row_an_act() -> None:
    toy = Toy(LOST, reply(), clock=Skipping())
    assert isinstance((await toy.send(THING, Acting(id="1"))).value, Thing)
    toy = Toy(LOST, reply())
    with pytest.raises(OutcomeUnknownError):
        await toy.send(THING, Acting(id="1", note="act"))
    assert [one.idempotent for one in toy.script.sent] == [False]


async def test_a_provider_without_an_address_says_how_to_give_one() -> None:
    from msgspec.structs import replace
    from sample_provider import TOY

    class Homeless(Toy):
        provider = replace(TOY, base_url="")

    with pytest.raises(ConfigurationError, match=r"pass base_url= or set TOY_BASE_URL"):
        Homeless(reply())
    Homeless(reply(), base_url="https://toy.example")
