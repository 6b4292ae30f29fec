"""What a run asks before it spends: balances, the day's allowance, a budget, a parked ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from sample_provider import LOST, THING, SampleClient, Script, Thing, ThingParams, refused, reply

from lix_async import AsyncLix, bulk
from lix_async.bulk.admission import AdmissionController
from lix_async.bulk.prepared_call import CallPreparer
from lix_async.core.errors import (
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    QuotaExceededError,
)
from lix_async.core.wire import HttpRequest
from lix_async.sandbox import Sandbox
from lix_async.testing import VirtualClock, memory_client
from lix_async.testing.clock import EPOCH

from .conftest import Open

pytestmark = pytest.mark.anyio
LINKS = [f"https://www.linkedin.com/in/some-body-{n}" for n in range(12)]


class Vendor(SampleClient):
    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value


def thing(outgoing: HttpRequest) -> Any:
    return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1], "size": 1})


def small(**settings: Any) -> Sandbox:
    return Sandbox(people=30, organisations=5, rate=None, **settings)


async def drained(run: bulk.Run[Any], got: list[Any] | None = None) -> list[Any]:
    got = [] if got is None else got
    async for outcome in run:
        got.append(outcome)
    return got


def asked(sandbox: Sandbox, endpoint: str) -> int:
    return sum(fact.endpoint == endpoint for fact in sandbox.requests)


async def test_balances_are_read_before_the_first_charge_and_not_for_saved_answers(
    ledger: Open,
) -> None:
    sandbox = small()
    async with memory_client(sandbox) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS)
        await drained(run)
        assert run.admission.balances == {"standard": 49_988, "org": 10_000, "email": 10_000}
        assert run.admission.requests_left == 10_000
        first = [fact.endpoint for fact in sandbox.requests[:3]]
        assert first == ["account.daily_allowance", "account.balances", "person.get"]
        assert sandbox.requests[-1].endpoint == "account.balances"
        assert run.report().unexplained == 0
        before = len(sandbox.requests)
        again = bulk.Run(ledger(), lix.people.get, LINKS)
        assert all(outcome.cached for outcome in await drained(again))
        assert again.admission.balances is None
        assert len(sandbox.requests) == before


async def test_balances_are_not_read_without_check_balances(ledger: Open) -> None:
    sandbox = small()
    async with memory_client(sandbox) as lix:
        await drained(bulk.Run(ledger(), lix.people.get, LINKS, check_balances=False))
    assert {fact.endpoint for fact in sandbox.requests} == {"person.get"}


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_a_balance_that_is_too_small_stops_before_the_provider_says_402(
    ledger: Open, concurrency: int
) -> None:
    sandbox = small(credits={"standard": 7})
    got: list[Any] = []
    async with memory_client(sandbox) as lix:
        with pytest.raises(QuotaExceededError, match="0 standard credits are left"):
            run = bulk.Run(ledger(), lix.people.get, LINKS, concurrency=concurrency)
            await drained(run, got)
    assert len(got) == 7
    assert sandbox.ledger.totals()["standard"] == 7
    assert not [fact for fact in sandbox.requests if fact.status == 402]
    assert asked(sandbox, "account.balances") == 2  # at the edge it was looked at once more


async def test_balances_are_read_again_at_intervals(ledger: Open) -> None:
    sandbox = small()
    async with VirtualClock() as clock, memory_client(sandbox, clock=clock) as lix:

        async def slowly() -> AsyncIterator[str]:
            for link in LINKS[:4]:
                yield link
                await clock.sleep(600)

        await drained(bulk.Run(ledger(), lix.people.get, slowly(), concurrency=1))
    assert asked(sandbox, "account.balances") == 3  # the last one at the end


async def test_a_used_up_allowance_is_known_before_it_is_met(ledger: Open) -> None:
    sandbox = small(daily_allowance=5)
    async with VirtualClock() as clock:
        sandbox = small(daily_allowance=5, clock=clock.now, wall=clock.wall)
        async with memory_client(sandbox, clock=clock) as lix:
            run = bulk.Run(ledger(), lix.people.get, LINKS[:8], concurrency=1)
            assert len(await drained(run)) == 8
            assert clock.now() > 3600
            stopping = bulk.Run(
                ledger(), lix.people.get, LINKS[8:], concurrency=1, on_daily_limit="stop"
            )
            with pytest.raises(DailyLimitError) as caught:
                await drained(stopping)
    assert caught.value.refreshes_at is not None
    assert not [fact for fact in sandbox.requests if fact.status == 429]


async def test_a_refresh_that_does_not_come_is_looked_for_less_and_less_often(ledger: Open) -> None:
    """The clock is ahead of the provider's, or its counter lags behind."""
    async with VirtualClock() as clock:
        store = ledger()
        await store.open()
        admission = AdmissionController(SampleClient(clock=clock).engine, store)
        late = DailyLimitError("used up")
        late.refreshes_at = clock.wall() - 5
        waits = []
        for _ in range(9):
            admission.refused(late)
            admission.refused(late)  # of a second call in flight
            waits.append(admission.closed_for)
            await clock.sleep(admission.closed_for)
        assert waits == pytest.approx([10, 20, 40, 80, 160, 320, 640, 900, 900])
        await admission.admit(THING.credits, b"key")
        admission.ended(THING.credits, b"key", credits=1, requests=1)
        admission.refused(late)
        assert admission.closed_for == pytest.approx(10)
        await store.close()


class Day:
    """A vendor's allowance, which comes back after some seconds."""

    def __init__(self, clock: VirtualClock, refreshes_at: object, back: float) -> None:
        self.clock = clock
        self.refreshes_at = refreshes_at
        self.back = back
        self.looks: list[float] = []

    def __call__(self, outgoing: HttpRequest) -> Any:
        now = self.clock.now()
        if "allowance" in outgoing.target:
            self.looks.append(now)
            left = 0 if now < self.back else 100
            return reply(200, {"requestsRemaining": left, "refreshesAt": self.refreshes_at})
        if "balances" in outgoing.target:
            return reply(200, {})
        return reply(200, {"name": "Ada"})


@pytest.mark.parametrize(
    "refreshes_at",
    [
        None,
        EPOCH + 3,
        EPOCH + 100_000,
        (EPOCH + 80_000) * 1000,
        str((EPOCH + 80_000) * 1000),
        EPOCH - 100,
        253_402_300_000,
        1e300,
        "2020-01-01T00:00:00Z",
    ],
)
@pytest.mark.parametrize("back", [5.0, 3_000.0, 40_000.0])
async def test_an_allowance_that_comes_back_is_used_whatever_was_said(
    ledger: Open, refreshes_at: object, back: float
) -> None:
    async with VirtualClock() as clock:
        day = Day(clock, refreshes_at, back)
        async with AsyncLix("k" * 20, http_client=Script(day), rate_limit=None, clock=clock) as lix:
            run = bulk.Run(ledger(), lix.people.get, LINKS[:1])
            assert [one.state for one in await drained(run)] == ["done"]
        assert back <= clock.now() <= back + 900
        pauses = [later - sooner for sooner, later in pairwise(day.looks)]
        assert all(10 <= pause <= 900 for pause in pauses[1:])


async def test_a_limit_of_one_endpoint_is_not_tried_before_it_ends(ledger: Open) -> None:
    tried: list[float] = []

    def limited(outgoing: HttpRequest) -> Any:
        if "/account/" in outgoing.target:
            return day(outgoing)
        tried.append(clock.now())
        if clock.now() >= 50_000:
            return reply(200, {"name": "Ada"})
        return reply(429, {"error": {"type": "daily_limit", "refreshesAt": EPOCH + 50_000}})

    async with VirtualClock() as clock:
        day = Day(clock, EPOCH + 50_000, 0.0)
        async with AsyncLix(
            "k" * 20, http_client=Script(limited), rate_limit=None, clock=clock
        ) as lix:
            run = bulk.Run(ledger(), lix.people.get, LINKS[:1])
            assert [one.state for one in await drained(run)] == ["done"]
    assert tried == [0.0, 50_000.0]


async def test_balances_that_cannot_be_read_stop_nothing(ledger: Open) -> None:
    sandbox = small(closed=["/v1/account/balances", "/v1/account/daily_allowance"])
    closed = [
        row.path
        for row in (AsyncLix.balance_endpoints.balances, AsyncLix.balance_endpoints.allowance)
    ]  # type: ignore[union-attr]  # Lix tells
    sandbox = small(closed=closed)
    async with memory_client(sandbox) as lix:
        run = bulk.Run(ledger(), lix.people.get, LINKS)
        assert len(await drained(run)) == len(LINKS)
    assert (run.admission.balances, run.admission.requests_left) == (None, None)


async def test_credits_of_uncharged_calls_in_flight_are_used_again(ledger: Open) -> None:
    def sometimes(outgoing: HttpRequest) -> Any:
        number = int(outgoing.target.rsplit("/", 1)[-1])
        return refused(404, "not_found") if number < 4 else thing(outgoing)

    vendor = Vendor(sometimes)
    got: list[Any] = []
    run = bulk.Run(ledger(), vendor.get, map(str, range(10)), concurrency=4, max_credits=6)
    with pytest.raises(BudgetError):
        await drained(run, got)
    assert sum(outcome.credits for outcome in got) == 6
    assert run.progress().credits == 6


async def test_a_call_in_doubt_counts_as_paid(ledger: Open) -> None:
    vendor = Vendor(LOST)
    run = bulk.Run(ledger(), vendor.get, map(str, range(10)), concurrency=1, max_credits=6)
    got: list[Any] = []
    with pytest.raises(BudgetError):
        await drained(run, got)
    assert [outcome.state for outcome in got] == ["in_doubt"] * 3
    assert len(vendor.script.sent) == 3


async def test_a_parked_ledger_ends_a_run_and_keeps_the_next_one_from_beginning(
    ledger: Open,
) -> None:
    vendor = Vendor(thing)
    store = ledger()
    run = bulk.Run(store, vendor.get, map(str, range(1000)), concurrency=1)
    got = [await anext(run)]
    beside = ledger()
    await beside.open_read_only()
    await beside.park("the office closes")
    while True:
        vendor.clock_used.time += 3.0
        try:
            got.append(await anext(run))
        except StopAsyncIteration:
            break
    assert run.progress().parked == "the office closes"
    assert len(got) < 20
    sent = len(vendor.script.sent)
    idle = bulk.Run(ledger(), vendor.get, ["x"])
    assert await drained(idle) == []
    assert idle.progress().parked == "the office closes"
    assert len(vendor.script.sent) == sent
    store = ledger()
    async with store:  # type: ignore[attr-defined]  # both stores are context managers
        with pytest.raises(bulk.LedgerParkedError, match="office"):
            await bulk.chunk(store, vendor.get, ["x"])
    await beside.park("")
    await beside.close()
    assert len(await drained(bulk.Run(ledger(), vendor.get, ["x"]))) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_credits": -1},
        {"max_credits": "many"},
        {"max_credits": True},
        {"on_daily_limit": "sleep"},
        {"recheck": -1},
        {"recheck": 1.5},
        {"recheck_after": -1.0},
        {"doubts": "guess"},
    ],
)
def test_invalid_settings_are_refused(ledger: Open, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=name):
        bulk.Run(ledger(), Vendor(thing).get, ["a"], **wrong)


async def test_a_probable_address_is_asked_for_again_over_time(ledger: Open) -> None:
    async with VirtualClock() as clock:
        sandbox = small(clock=clock.now, wall=clock.wall)
        async with memory_client(sandbox, clock=clock) as lix:
            first = await drained(bulk.Run(ledger(), lix.contact.email, LINKS))
            probable = [one.input for one in first if one.value and one.value.is_probable]
            assert probable
            before = len(sandbox.requests)
            run = bulk.Run(ledger(), lix.contact.email, LINKS, recheck=6, recheck_after=7200)
            second = await drained(run)
            assert len(second) == len(LINKS)
            assert clock.now() >= 7200
            asked_again = [fact for fact in sandbox.requests[before:] if fact.status == 200]
            assert asked_again
            bought = sandbox.ledger.repeats()
            assert not bought  # only a valid answer costs, and it is the last
            assert all(one.state in ("done", "refused") for one in second)
            after = len(sandbox.requests)
            third = await drained(bulk.Run(ledger(), lix.contact.email, LINKS))
            assert len(sandbox.requests) == after
            assert [one.value for one in third if one.ok] != []
            assert {one.input: one.value for one in third} == {
                one.input: one.value for one in second
            }


async def test_a_preview_reports_the_price_before_anything_is_spent(ledger: Open) -> None:
    sandbox = small(credits={"standard": 5})
    async with memory_client(sandbox) as lix:
        await drained(bulk.Run(ledger(), lix.people.get, LINKS[:2]))
        spent = sandbox.ledger.totals()
        inputs = [*LINKS, LINKS[0].upper().replace("HTTPS", "https"), "", {"nope": 1}]
        preview = await bulk.preview(ledger(), lix.people.get, inputs)
        assert sandbox.ledger.totals() == spent
    assert (preview.inputs, preview.distinct, preview.invalid) == (15, 12, 2)
    assert (preview.answered, preview.in_doubt, preview.calls, preview.listings) == (2, 0, 10, 0)
    assert preview.credits == {"standard": 10}
    assert preview.shortfall == {"standard": 7}
    assert preview.seconds is None


async def test_a_preview_needs_no_ledger_and_makes_none(tmp_path: Any) -> None:
    sandbox = small()
    async with memory_client(sandbox, rate_limit=None) as lix:
        path = str(tmp_path / "none.db")
        preview = await bulk.preview(path, lix.search.people, ["https://x"], check_balances=False)
        assert preview.invalid + preview.listings == 1
        with pytest.raises(ConfigurationError, match="inputs"):
            await bulk.preview(path, lix.people.get, "one text")
    assert list(tmp_path.iterdir()) == []
    assert sandbox.requests == []


async def test_a_preview_counts_lookups_in_doubt_separately(ledger: Open) -> None:
    vendor = Vendor(LOST)
    await drained(bulk.Run(ledger(), vendor.get, ["a"]))
    preview = await bulk.preview(ledger(), CallPreparer(vendor.get), ["a", "b"])
    assert (preview.in_doubt, preview.calls, preview.credits) == (1, 1, {"standard": 2})
