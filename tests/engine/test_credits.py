"""What was spent, and the guard that stops a client before it spends too much."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import (
    LIST,
    LOST,
    SEND,
    THING,
    ListParams,
    SendParams,
    ThingParams,
    Toy,
    refused,
    reply,
)

from lix_async.core.endpoint import FREE, UNKNOWN, Price, org, standard
from lix_async.core.errors import BudgetError, ConfigurationError, NotFoundError, TransportError
from lix_async.core.retry import RetryPolicy
from lix_async.engine.answer import credits_for
from lix_async.engine.credits import CreditBudget

pytestmark = pytest.mark.anyio
ONE = ThingParams(id="1")


async def test_answers_are_counted_by_the_price_list_and_refusals_are_not():
    lix = Toy(reply(), refused(404, "not_found"), reply())
    answer = await lix.send(THING, ONE)
    with pytest.raises(NotFoundError):
        await lix.send(THING, ONE)
    await lix.send(LIST, ListParams())
    spent = lix.credits
    assert (answer.credits, spent.standard, spent.total, spent.lost) == (2, 3, 3, 0)
    assert repr(spent) == "<CreditBudget spent: standard 3, org 0, email 0; possibly lost: 0>"


async def test_an_attempt_whose_answer_got_lost_may_have_been_charged():
    lix = Toy(LOST, LOST, reply())
    answer = await lix.send(THING, ONE)
    assert (answer.lost, answer.credits, lix.credits.standard, lix.credits.lost) == (2, 2, 2, 4)


async def test_a_cancelled_call_that_had_left_may_have_been_charged():
    lix = Toy(lambda _: anyio.sleep_forever())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lix.send, THING, ONE)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert (lix.credits.standard, lix.credits.lost) == (0, 2)


async def test_some_calls_are_charged_only_when_a_flag_of_the_result_says_so():
    lix = Toy(reply(200, {"ok": False}), reply(200, {"ok": True}))
    params = SendParams(to="me", text="x")
    answers = [await lix.send(SEND, params), await lix.send(SEND, params)]
    assert [answer.credits for answer in answers] == [0, 1]
    assert lix.credits.standard == 1
    assert credits_for(Price("email", 1, only="ok"), answers[0].value) == 0


async def test_the_guard_stops_before_anything_is_sent_and_counts_what_is_in_flight():
    gate = anyio.Event()

    async def slow(_: object) -> object:
        await gate.wait()
        return reply()

    lix = Toy(slow, max_credits=5)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lix.send, THING, ONE)
        tasks.start_soon(lix.send, THING, ONE)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(BudgetError) as caught:
            await lix.send(THING, ONE)
        gate.set()
    assert len(lix.script.sent) == 2
    error = caught.value
    assert (error.status, error.kind, error.endpoint) == (0, "max_credits", "thing.get")
    assert "max_credits is 5 credits: 4 are spent or in flight and this call costs 2" in str(error)
    await lix.send(LIST, ListParams())
    with pytest.raises(BudgetError):
        await lix.send(LIST, ListParams())
    assert lix.credits.total == 5


async def test_what_a_failed_call_had_set_aside_is_free_again():
    lix = Toy(LOST, reply(), max_credits=4, retry=RetryPolicy(attempts=1))
    with pytest.raises(TransportError):
        await lix.send(THING, ONE)
    await lix.send(THING, ONE)
    with pytest.raises(BudgetError, match="4 are spent or in flight"):
        await lix.send(THING, ONE)


def test_limits_may_be_set_for_each_kind():
    books = CreditBudget({"standard": 1, "org": 2})
    books.reserve(standard(1), "a")
    books.reserve(org(2), "a")
    books.reserve(Price("email", 50), "a")
    with pytest.raises(BudgetError, match="max_credits is 1 standard credits"):
        books.reserve(standard(1), "a")
    books.settle(standard(1), 0, 0)
    books.settle(org(2), 2, 0)
    books.settle(Price("email", 50), 50, 50)
    books.reserve(standard(1), "a")
    assert (books.org, books.email, books.total, books.lost) == (2, 50, 52, 50)


def test_calls_without_a_price_are_free_to_go_and_counted():
    books = CreditBudget(0)
    for price in (FREE, UNKNOWN, UNKNOWN):
        books.reserve(price, "a")
        books.settle(price, 0)
    assert (books.total, books.lost, books.unpriced) == (0, 0, 2)


async def test_waiting_for_a_reservation_ends_when_a_call_turns_out_to_be_free():
    budget = CreditBudget(3)
    price = standard(2)
    await budget.reserve_when_free(price)
    waiting: list[str] = []

    async def reserve_second() -> None:
        await budget.reserve_when_free(price)
        waiting.append("reserved")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reserve_second)
        await anyio.wait_all_tasks_blocked()
        assert (waiting, budget.reserved("standard")) == ([], 2)
        budget.settle(price, 0)
    assert (waiting, budget.reserved("standard")) == (["reserved"], 2)


async def test_waiting_for_a_reservation_ends_with_an_error_when_the_credits_are_spent():
    budget = CreditBudget(3, name="budget", kind="budget")
    price = standard(2)
    budget.reserve(price)
    caught: list[BudgetError] = []

    async def reserve_second() -> None:
        try:
            await budget.reserve_when_free(price, "thing.get")
        except BudgetError as error:
            caught.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reserve_second)
        await anyio.wait_all_tasks_blocked()
        assert caught == []
        budget.settle(price, 0, 2)
    assert [error.kind for error in caught] == ["budget"]
    assert "budget is 3 credits: 2 are spent and this call costs 2" in str(caught[0])


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (-1, "max_credits must not be negative: -1"),
        ({"org": -1}, "max_credits must not be negative: -1"),
        ({"gold": 1}, "unknown credit kind 'gold' in max_credits: expected standard, org or email"),
    ],
)
def test_an_impossible_limit_is_refused(limit, message):
    with pytest.raises(ConfigurationError, match=message):
        CreditBudget(limit)
