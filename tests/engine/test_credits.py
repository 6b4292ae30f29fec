"""What was spent, and the guard that stops a client before it spends too much."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import (
    LIST,
    LOST,
    SEND,
    THING,
    UNREACHED,
    ListParams,
    SampleClient,
    SendParams,
    ThingParams,
    refused,
    reply,
)

from lix_async.core.endpoint import FREE, UNKNOWN, Price, org, standard
from lix_async.core.errors import BudgetError, ConfigurationError, LixError, NotFoundError
from lix_async.core.retry import RetryPolicy
from lix_async.engine.answer import credits_for
from lix_async.engine.credits import CreditBudget

pytestmark = pytest.mark.anyio
ONE = ThingParams(id="1")


async def test_answers_are_counted_by_the_price_list_and_refusals_are_not():
    lix = SampleClient(reply(), refused(404, "not_found"), reply())
    answer = await lix.send(THING, ONE)
    with pytest.raises(NotFoundError):
        await lix.send(THING, ONE)
    await lix.send(LIST, ListParams())
    spent = lix.credits
    assert (answer.credits, spent.standard, spent.total, spent.lost) == (2, 3, 3, 0)
    assert repr(spent) == "<CreditBudget spent: standard 3, org 0, email 0; possibly lost: 0>"


async def test_an_attempt_whose_answer_got_lost_may_have_been_charged():
    lix = SampleClient(LOST, LOST, reply())
    answer = await lix.send(THING, ONE)
    assert (answer.lost, answer.credits, lix.credits.standard, lix.credits.lost) == (2, 2, 2, 4)


async def test_a_cancelled_call_that_had_left_may_have_been_charged():
    lix = SampleClient(lambda _: anyio.sleep_forever())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lix.send, THING, ONE)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert (lix.credits.standard, lix.credits.lost) == (0, 2)


async def test_some_calls_are_charged_only_when_a_flag_of_the_result_says_so():
    lix = SampleClient(reply(200, {"ok": False}), reply(200, {"ok": True}))
    params = SendParams(to="me", text="x")
    answers = [await lix.send(SEND, params), await lix.send(SEND, params)]
    assert [answer.credits for answer in answers] == [0, 1]
    assert lix.credits.standard == 1
    assert credits_for(Price("email", 1, only="ok"), answers[0].value) == 0


async def test_calls_in_flight_count_and_what_may_not_fit_waits_for_them():
    opened = anyio.Event()

    async def slow(_: object) -> object:
        await opened.wait()
        return reply()

    lix = SampleClient(slow, max_credits=5)
    caught: list[BudgetError] = []

    async def third() -> None:
        try:
            await lix.send(THING, ONE)
        except BudgetError as error:
            caught.append(error)

    async with anyio.create_task_group() as tasks:
        for call in (lix.send, lix.send):
            tasks.start_soon(call, THING, ONE)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(third)
        await anyio.wait_all_tasks_blocked()
        assert (len(lix.script.sent), caught) == (2, [])
        opened.set()
    assert len(lix.script.sent) == 2
    (error,) = caught
    assert (error.status, error.kind, error.endpoint) == (0, "max_credits", "thing.get")
    assert "max_credits is 5 credits: 4 are spent and this call costs 2" in str(error)
    await lix.send(LIST, ListParams())
    with pytest.raises(BudgetError):
        await lix.send(LIST, ListParams())
    assert lix.credits.total == 5


@pytest.mark.parametrize(
    ("answer", "lost", "spent"),
    [
        (LOST, 2, 0),
        (reply(502, b"<html>"), 2, 0),
        (reply(200, b"<html>"), 2, 0),
        (reply(200, {"id": {}}), 0, 2),
    ],
)
async def test_what_may_have_been_charged_is_spent(answer, lost, spent):
    lix = SampleClient(answer, max_credits=2, retry=RetryPolicy(attempts=1))
    for kind in (Exception, BudgetError):
        with pytest.raises(kind):
            await lix.send(THING, ONE)
    assert (len(lix.script.sent), lix.credits.lost, lix.credits.total) == (1, lost, spent)


async def test_a_repeat_asks_again():
    lix = SampleClient(LOST, max_credits=5)
    with pytest.raises(BudgetError, match="4 are spent") as caught:
        await lix.send(THING, ONE)
    assert (len(lix.script.sent), lix.credits.lost, caught.value.attempts) == (2, 4, 2)
    assert "the connection broke" in str(caught.value.__cause__)


@pytest.mark.parametrize("answer", [UNREACHED, refused(503, "api_error"), refused(404, "x")])
async def test_what_was_not_charged_is_free_again(answer):
    lix = SampleClient(answer, reply(), max_credits=2, retry=RetryPolicy(attempts=1))
    with pytest.raises(LixError):
        await lix.send(THING, ONE)
    await lix.send(THING, ONE)
    assert (lix.credits.lost, lix.credits.total) == (0, 2)


async def test_a_view_has_a_limit_within_that_of_its_client():
    lix = SampleClient(reply(), max_credits=5)
    view = lix.with_options(max_credits=2)
    await view.send(THING, ONE)
    with pytest.raises(BudgetError, match="max_credits is 2"):
        await view.with_options(max_credits=9).send(THING, ONE)
    await lix.send(THING, ONE)
    assert (view.credits.total, lix.credits.total) == (2, 4)
    with pytest.raises(BudgetError, match="max_credits is 5"):
        await lix.with_options(max_credits=9).send(THING, ONE)


async def test_limits_may_be_set_for_each_kind():
    budget = CreditBudget({"standard": 1, "org": 2})
    one = await budget.reserve(standard(1), "a")
    two = await budget.reserve(org(2), "a")
    three = await budget.reserve(Price("email", 50), "a")
    one.settle(0)
    one.settle(9)  # it is settled: without effect
    two.settle(2)
    three.settle(50, 50)
    (await budget.reserve(standard(1), "a")).settle(1)
    with pytest.raises(BudgetError, match="max_credits is 1 standard credit"):
        await budget.reserve(standard(1), "a")
    assert (budget.org, budget.email, budget.total, budget.lost) == (2, 50, 53, 50)


async def test_calls_without_a_price_are_free_to_go_and_counted():
    budget = CreditBudget(0)
    for price in (FREE, UNKNOWN, UNKNOWN):
        (await budget.reserve(price, "a")).settle(0)
    assert (budget.total, budget.lost, budget.unpriced) == (0, 0, 2)


async def test_who_waits_for_one_budget_does_not_hold_up_another():
    client = CreditBudget(4)
    small, wide = CreditBudget(1, parent=client), CreditBudget(parent=client)
    got: list[str] = []
    held = [await small.reserve(standard(1))]

    async def take(budget: CreditBudget, name: str) -> None:
        try:
            held.append(await budget.reserve(standard(1)))
            got.append(name)
        except BudgetError:
            got.append(f"no {name}")

    async with anyio.create_task_group() as tasks:
        for name, budget in (("a", small), ("b", small), ("c", wide), ("d", wide), ("e", wide)):
            tasks.start_soon(take, budget, name)
            await anyio.wait_all_tasks_blocked()
        assert got == ["c", "d", "e"]
        held[0].settle(0)  # nothing is left in the client's once "a" has it, nor was before
        await anyio.wait_all_tasks_blocked()
        assert got == ["c", "d", "e", "a"]
        held[-1].settle(1)
    assert (got[4:], client.reserved("standard")) == (["no b"], 3)


async def test_a_call_may_have_to_wait_for_one_budget_after_another():
    client = CreditBudget(2)
    small = CreditBudget(1, parent=client)
    first, other = await small.reserve(standard(1)), await client.reserve(standard(1))
    got: list[str] = []

    async def take(budget: CreditBudget, name: str) -> None:
        await budget.reserve(standard(1))
        got.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, small, "small")
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(take, client, "client")
        await anyio.wait_all_tasks_blocked()
        first.settle(0)  # there is one for the call that came first to the client's queue
        await anyio.wait_all_tasks_blocked()
        assert got == ["client"]
        other.settle(0)
    assert got == ["client", "small"]


async def test_who_gives_up_lets_the_next_one_go():
    budget = CreditBudget(2)
    first, second = await budget.reserve(standard(1)), await budget.reserve(standard(1))
    got: list[int] = []

    async def take(amount: int, scope: anyio.CancelScope) -> None:
        with scope:
            await budget.reserve(standard(amount))
            got.append(amount)

    async with anyio.create_task_group() as tasks:
        scopes = [anyio.CancelScope(), anyio.CancelScope()]
        for amount, scope in zip((2, 1), scopes, strict=True):
            tasks.start_soon(take, amount, scope)
            await anyio.wait_all_tasks_blocked()
        first.settle(0)
        await anyio.wait_all_tasks_blocked()
        assert got == []  # the second one alone fits, who came later
        scopes[0].cancel()
    assert got == [1]
    second.settle(1)


async def test_calls_inside_of_a_reservation_count_in_its_place():
    lix = SampleClient(LOST, reply())
    budget = CreditBudget(4)
    reservation = await budget.reserve(standard(3))
    with reservation.outer():
        await lix.send(THING, ONE)
    reservation.settle(3)
    assert (budget.lost, budget.total, budget.reserved("standard")) == (2, 2, 0)
    assert (lix.credits.lost, lix.credits.total) == (2, 2)
    reservation = await CreditBudget(5, parent=budget).reserve(FREE)
    with reservation.outer(), pytest.raises(BudgetError):
        await lix.send(THING, ONE)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (-1, "max_credits must not be negative: -1"),
        ({"org": -1}, "max_credits must not be negative: -1"),
        ({"gold": 1}, "unknown credit kind 'gold' in max_credits: expected standard, org or email"),
    ],
)
def test_an_invalid_limit_is_refused(limit, message):
    with pytest.raises(ConfigurationError, match=message):
        CreditBudget(limit)
