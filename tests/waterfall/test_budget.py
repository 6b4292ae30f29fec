"""Failures stay where they happen, and no more is spent than was allowed, however many ask."""

from __future__ import annotations

import anyio
import pytest
from sample_provider import settle

from lix_async.core.endpoint import UNKNOWN, standard
from lix_async.core.errors import (
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    OutcomeUnknownError,
    PagingError,
    PendingError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    TransportError,
    ViewerError,
)
from lix_async.waterfall import Email, Profile, StepResult, Target

from .stub import ADA, AT, Lookup, falls, people

pytestmark = pytest.mark.anyio
ERRORS: list[LixError] = [
    AuthenticationError("x"), BudgetError("x", kind="max_credits"), ConfigurationError("x"),
    DailyLimitError("x"), DeadlineError("x", sent=True), DecodeError("x"), InvalidParamsError("x"),
    NotFoundError("x"), OutcomeUnknownError("x", sent=True), PagingError("x"), PendingError("x"),
    QueuedError("x"), QuotaExceededError("x"), RateLimitError("x"), ServerError("x"),
    TransportError("x"), TransportError("x", sent=True, attempts=3), ViewerError("x"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_failed_step_does_not_stop_the_others(error: LixError) -> None:
    failing = Lookup("bad.person", error, fills=["email"], price=standard(2))
    good = Lookup("good.person", {"email": "a@example.com"})
    waterfall = falls(failing, good)
    found = await waterfall.profile(ADA)
    assert found.email == "a@example.com"
    assert found.errors == {"bad.person": error}
    assert found.credits == 1
    paid = isinstance(error, DecodeError) or getattr(error, "sent", False)
    assert waterfall.stats["bad.person"].lost == paid * 2 * max(error.attempts, 1)
    assert waterfall.spent == 1 + waterfall.stats["bad.person"].lost


async def test_a_part_that_was_paid_before_a_failure_is_counted_and_kept() -> None:
    late = PendingError("later", request_id="7")
    half = StepResult(
        values={"full_name": "Ada"}, endpoint="bad", at=AT, credits=1, lost=2, error=late
    )  # fmt: skip
    bad = Lookup("bad.person", half, fills=["email", "full_name"])
    waterfall = falls(bad)
    found = await waterfall.profile(ADA)
    assert (found.full_name, found.credits, waterfall.spent) == ("Ada", 1, 3)
    assert found.errors == {"bad.person": late}
    assert waterfall.stats["bad.person"].failed == 1


async def test_a_failure_that_lasts_suspends_the_step_for_the_run() -> None:
    locked = Lookup("bad.person", AuthenticationError("no"), fills=["email"])
    good = Lookup("good.person", {"email": "a@example.com"})
    waterfall = falls(locked, good, concurrency=1)
    found = [result async for result in waterfall.run(people(4))]
    assert len(locked.asked) == 1
    assert all(isinstance(one.errors["bad.person"], AuthenticationError) for one in found)
    assert [one.email for one in found] == ["a@example.com"] * 4
    assert [one async for one in waterfall.run(people(1))]  # another run tries again
    assert len(locked.asked) == 2


async def test_a_bug_in_a_step_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await falls(Lookup("bad.person", ZeroDivisionError(), fills=["email"])).profile(ADA)


@pytest.mark.parametrize(("budget", "calls"), [(0, 0), (1, 0), (2, 1), (7, 3), (40, 20), (99, 20)])
async def test_the_budget_is_exact_with_many_lookups_at_once(budget: int, calls: int) -> None:
    lookup = Lookup("dear.person", {"email": "a@example.com"}, price=standard(2))
    waterfall = falls(lookup, budget=budget, concurrency=8)
    found = [result async for result in waterfall.run(people(20))]
    assert len(lookup.asked) == calls
    assert waterfall.spent == sum(one.credits for one in found) == 2 * calls
    short = [one.errors["dear.person"] for one in found if one.email is None]
    assert len(short) == 20 - calls
    assert all(isinstance(one, BudgetError) and one.kind == "budget" for one in short)


async def test_credits_of_uncharged_lookups_are_spent_after_all() -> None:
    # Charged only when found: of ten people only the last three are.
    def say(target: Target) -> StepResult:
        hit = target.text in people(10)[7:]
        values = {"email": "a@example.com"} if hit else {}
        return StepResult(values=values, endpoint="e", at=AT, credits=int(hit))

    lookup = Lookup("mail.person", say, fills=["email"])
    waterfall = falls(lookup, budget=2, concurrency=5)
    found = [result async for result in waterfall.run(people(10))]
    assert waterfall.spent == 2
    assert sum(one.email is not None for one in found) == 2
    assert len(lookup.asked) == 9
    assert lookup.most_in_flight <= 2


async def test_a_step_that_exceeds_the_budget_leaves_the_rest_to_cheaper_ones() -> None:
    dear = Lookup("dear.person", {"email": "a@example.com"}, price=standard(5))
    cheap = Lookup("cheap.person", {"email": "b@example.com"})
    unpriced = Lookup("secret.person", {"phone": "1"}, price=UNKNOWN)
    waterfall = falls(dear, cheap, unpriced, want=("email", "phone"), budget=1)
    found = await waterfall.profile(ADA)
    assert (found.email, found.phone, waterfall.spent) == ("b@example.com", "1", 1)
    assert "costs 5" in str(found.errors["dear.person"])
    assert not dear.asked


async def test_lost_answers_count_as_spent() -> None:
    lost = Lookup("bad.person", TransportError("lost", sent=True, attempts=1), fills=["email"])
    waterfall = falls(lost, budget=2, concurrency=4)
    assert len([one async for one in waterfall.run(people(5))]) == 5
    assert len(lost.asked) == waterfall.spent == 2


async def test_a_cancelled_lookup_counts_as_spent_and_blocks_no_other() -> None:
    lookup = Lookup("slow.person", {"email": "a@example.com"})
    lookup.before = anyio.sleep_forever
    waterfall = falls(lookup, budget=2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(waterfall.profile, ADA)
        await settle()
        tasks.cancel_scope.cancel()
    assert waterfall.spent == 1
    lookup.before = anyio.lowlevel.checkpoint
    assert (await waterfall.profile(ADA)).email == "a@example.com"
    assert waterfall.spent == 2


async def test_results_stream_and_targets_are_taken_as_needed() -> None:
    lookup = Lookup("one.person", {"email": "a@example.com"})
    waterfall = falls(lookup, concurrency=3)
    async with waterfall.run(people(100)) as results:
        first = await anext(results)
        await settle(40)
        assert isinstance(first, Profile)
        assert len(lookup.asked) <= 5
        assert lookup.most_in_flight <= 3
    assert len(lookup.asked) <= 7


async def test_a_slow_target_does_not_delay_others() -> None:
    opened = anyio.Event()

    async def wait() -> None:
        if lookup.asked[-1].linkedin_url == people(1)[0]:
            await opened.wait()
        await anyio.lowlevel.checkpoint()

    lookup = Lookup("one.person", {"email": "a@example.com"})
    lookup.before = wait
    came: list[str] = []
    async for result in falls(lookup, concurrency=2).run(people(4), Email):
        came.append(result.target.text)
        if len(came) == 3:
            opened.set()
    assert came[-1] == people(1)[0]
    assert sorted(came) == people(4)


async def test_targets_may_come_as_a_stream_and_a_bad_one_ends_the_run() -> None:
    async def targets() -> object:
        for one in (*people(2), "not a target"):
            yield one

    lookup = Lookup("one.person", {"email": "a@example.com"})
    results = falls(lookup, concurrency=1).run(targets())  # type: ignore[arg-type]
    assert (await anext(results)).email == (await anext(results)).email == "a@example.com"
    with pytest.raises(ConfigurationError):
        await anext(results)
