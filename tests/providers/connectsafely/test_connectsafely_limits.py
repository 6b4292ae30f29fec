"""Rate states, rate limits by key and account, and the daily count of profiles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from sample_provider import LOST, Script, Skipping, reply, run

from lix_async import bulk
from lix_async.core.errors import ConfigurationError, DailyLimitError, LixError, NotFoundError
from lix_async.core.rate_limit import RateLimit
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpResponse
from lix_async.providers.connectsafely.client import AsyncConnectSafely
from lix_async.providers.connectsafely.endpoints import PROFILE
from lix_async.providers.connectsafely.params import ProfileParams
from lix_async.providers.connectsafely.rate_limits import VELOCITY, RateState, Velocity
from lix_async.providers.connectsafely.usage import midnight
from lix_async.testing import VirtualClock

from .stub import ACCOUNT, OTHER, answer, client, fresh, profile, sent, tree

pytestmark = pytest.mark.anyio
RESET = datetime(2025, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-10T00:00:00.000Z",
        "2025-01-10T00:00:00Z",
        "2025-01-10T01:00:00+01:00",
        "2025-01-10 00:00:00+00:00",
        "2025-01-10 00:00:00.000Z",
        "2025-01-10T00:00:00",
        "1736467200",
        "1736467200000",
        "1736467200.0",
    ],
)
def test_a_reset_time_is_read_in_every_form(text: str) -> None:
    state = RateState.from_headers({"X-RateLimit-Reset": text})
    assert state is not None
    assert state.reset == RESET
    assert state.reset.tzinfo is UTC


def test_a_state_is_read_from_headers() -> None:
    assert RateState.from_headers(tree("profile.headers")) == RateState(
        "PROFILE", 120, 37, 83, RESET
    )
    assert RateState.from_headers({"Content-Type": "x"}) is None
    assert RateState.from_headers({"x-ratelimit-limit": " 60 ", "x-ratelimit-used": "-"}) == (
        RateState(limit=60)
    )
    assert RateState.from_headers({"X-RateLimit-Reset": "soon", "X-RateLimit-Action": ""}) is None


def test_a_state_is_read_from_text() -> None:
    text = tree("error-429")["error"]
    assert RateState.from_text(text) == RateState("PROFILE", 120, 120, 0, RESET)
    assert RateState.from_text("too fast") is None


def test_states_can_be_read_after_a_success() -> None:
    found = client(answer("profile", headers="profile.headers"))
    assert dict(found.rate_states) == {}
    received = run(found.send(PROFILE, ProfileParams(profile_id="x")))
    state = found.rate_states[ACCOUNT, "PROFILE"]
    assert state == RateState.from_headers(received.headers)
    assert state.remaining == 83
    with pytest.raises(TypeError):
        found.rate_states[None, None] = state  # type: ignore[index]


async def test_states_are_stored_by_account_and_action() -> None:
    headers = {"X_RateLimit_Action": "SEARCH", "X_RateLimit_Remaining": "5"}
    found = client(reply(200, {"groups": [], "hasMore": False}, **headers))
    await found.search_groups().first()
    await found.search_groups(account_id=OTHER).first()
    assert set(found.rate_states) == {(None, "SEARCH"), (OTHER, "SEARCH")}
    found = client(answer("error-429-velocity", 429, "error-429-velocity.headers"))
    with pytest.raises(LixError):
        await found.with_options(retry=RetryPolicy(attempts=1)).profile("x")
    assert found.rate_states[None, None].limit == 60


# --- the daily count -------------------------------------------------------------------------


async def use_up(found: AsyncConnectSafely, count: int = 120, **more: Any) -> None:
    for number in range(count):
        await found.profile(f"person-{number}", **more)


async def test_the_121st_different_profile_of_a_day_is_not_sent() -> None:
    clock = Skipping()
    found = client(fresh, clock=clock)
    await use_up(found)
    await found.profile("Person-7"), await found.profile("person-8", force_refresh=True)
    assert len(sent(found)) == 122, "profiles of the same day are not counted again"
    with pytest.raises(DailyLimitError, match="nothing was sent") as caught:
        await found.profile("one-more")
    assert len(sent(found)) == 122
    assert (caught.value.status, caught.value.attempts) == (0, 0)
    assert caught.value.endpoint == "connectsafely.profile"
    midnight = datetime(2023, 11, 15, tzinfo=UTC).timestamp()
    assert caught.value.refreshes_at == midnight
    with pytest.raises(DailyLimitError):
        await found.profile_get("one-more")
    clock.time += midnight - clock.wall()
    await found.profile("one-more")


async def test_cached_answers_are_not_counted() -> None:
    found = client(profile("x", cached=True))
    await use_up(found, 130)
    assert len(sent(found)) == 130


async def test_each_account_has_its_own_day() -> None:
    found = client(lambda out: profile(accountId=OTHER if OTHER.encode() in out.body else ACCOUNT))
    await use_up(found)
    await found.profile("one-more", account_id=OTHER)
    with pytest.raises(DailyLimitError):
        await found.profile("one-more", account_id=ACCOUNT)
    with pytest.raises(DailyLimitError):
        await found.profile("one-more")


async def test_counts_of_a_named_account_join_the_default_account() -> None:
    found = client(fresh, daily_profiles=3)
    await found.profile("a", account_id=ACCOUNT)
    await found.profile("b", account_id=ACCOUNT)
    await found.profile("c")
    for account in (None, ACCOUNT):
        with pytest.raises(DailyLimitError):
            await found.profile("d", account_id=account)


async def test_any_response_may_name_the_default_account() -> None:
    found = client(fresh, answer("relationship.live"), fresh, daily_profiles=1)
    await found.profile("a", account_id=ACCOUNT)
    await found.relationship("a")
    with pytest.raises(DailyLimitError):
        await found.profile("b")


async def test_an_unknown_account_is_ignored() -> None:
    found = client(LOST, retry=RetryPolicy(attempts=1))

    class Rename:
        async def departing(self) -> None:
            for account in (ACCOUNT, OTHER):
                found._usage.set_default_account(ProfileParams(profile_id="x"), account)

        def departed(self) -> None:
            """Nothing to do."""

        async def received(self, response: HttpResponse) -> None:
            """Nothing to do: no answer comes."""

    with pytest.raises(LixError):
        await found._engine.send(PROFILE, ProfileParams(profile_id="a"), hooks=Rename())
    assert len(sent(found)) == 1


async def test_the_default_account_may_change() -> None:
    accounts = iter([ACCOUNT, ACCOUNT, OTHER])
    found = client(lambda _: profile(accountId=next(accounts, OTHER)), daily_profiles=2)
    await found.profile("a")
    await found.with_options(account_id=ACCOUNT).profile("b", force_refresh=True)
    with pytest.raises(DailyLimitError):
        await found.profile("c")
    found._usage.set_default_account(ProfileParams(profile_id="x"), OTHER)
    await found.profile("c")
    with pytest.raises(DailyLimitError):
        await found.profile("d", account_id=ACCOUNT)


async def test_use_by_other_programs_is_counted_from_headers() -> None:
    headers = {
        "X_RateLimit_Action": "PROFILE_VIEW",
        "X_RateLimit_Used": "119",
        "X_RateLimit_Remaining": "1",
        "X_RateLimit_Reset": "2023-11-14T23:00:00Z",
    }
    clock = Skipping()
    found = client(profile(headers=headers), profile(), clock=clock)
    await found.profile("a")
    await found.profile("b", force_refresh=True)
    found = client(
        profile(headers=headers | {"X_RateLimit_Remaining": "0"}), profile(), clock=clock
    )
    await found.profile("a")
    with pytest.raises(DailyLimitError) as caught:
        await found.profile("b")
    assert caught.value.refreshes_at == datetime(2023, 11, 14, 23, tzinfo=UTC).timestamp()
    clock.time += 3000
    await found.profile("b")


async def test_headers_of_a_past_day_are_ignored() -> None:
    headers = {
        "X_RateLimit_Action": "PROFILE",
        "X_RateLimit_Remaining": "0",
        "X_RateLimit_Reset": "2023-11-14T00:00:00Z",
    }
    found = client(profile(headers=headers))
    await use_up(found, 3)


async def test_no_profile_is_sent_after_a_daily_quota_error() -> None:
    for said in (answer("error-429", 429, "error-429.headers"), answer("error-429", 429)):
        found = client(said)
        for _ in range(2):
            with pytest.raises(DailyLimitError) as caught:
                await found.profile("x")
            assert caught.value.refreshes_at == RESET.timestamp()
        assert len(sent(found)) == 1


async def test_the_state_of_another_limit_does_not_change_the_day() -> None:
    headers = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0"}
    found = client(profile(headers=headers))
    await use_up(found, 3)
    assert found.rate_states[ACCOUNT, None].remaining == 0


async def test_profiles_in_flight_are_counted() -> None:
    released = anyio.Event()

    async def held(outgoing: Any) -> Any:
        await released.wait()
        return profile(cached=True)

    found = client(held, daily_profiles=2)
    async with anyio.create_task_group() as tasks:
        for slug in ("a", "b", "a"):
            tasks.start_soon(lambda slug=slug: found.profile(slug))
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(DailyLimitError):
            await found.profile("c")
        released.set()
    await found.profile("c")


async def test_a_lost_answer_is_counted() -> None:
    found = client(LOST, profile(cached=True), daily_profiles=1)
    await found.profile("a")
    with pytest.raises(DailyLimitError):
        await found.profile("b")


async def test_an_error_is_not_counted_but_an_empty_profile_is() -> None:
    found = client(answer("error-403", 403), fresh, daily_profiles=1)
    with pytest.raises(LixError):
        await found.profile("a")
    await found.profile("b")
    found = client(answer("profile.not-found"), daily_profiles=1)
    with pytest.raises(NotFoundError):
        await found.profile("a")
    with pytest.raises(DailyLimitError):
        await found.profile("b")


async def test_a_cancelled_call_is_not_counted() -> None:
    found = client(lambda _: anyio.sleep_forever(), daily_profiles=1)
    script: Any = found._engine.transport
    script.departs = False
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: found.profile("a"))
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    script.answers = [fresh]
    await found.profile("b")


async def test_counting_can_be_turned_off() -> None:
    found = client(fresh, daily_profiles=None)
    await use_up(found, 125)


# --- the limits per minute -------------------------------------------------------------------


def test_the_limits_of_a_call() -> None:
    def names(group: str, account: str = "") -> list[tuple[str, int]]:
        return [(limit.name, limit.requests) for limit in VELOCITY.limits(group, account)]

    assert names("profile", "x") == names("read", "x") == [("key", 60), ("reads x", 30)]
    assert names("write", "x") == [("key", 60), ("writes x", 15)]
    assert names("account") == [("key", 60), ("account", 10)]
    assert names("") == [("key", 60)]
    with pytest.raises(ConfigurationError):
        Velocity(reads=0)


Call = Callable[[AsyncConnectSafely], Awaitable[object]]


async def times(calls: list[Call], **settings: Any) -> list[float]:
    """The virtual times at which the calls were sent."""
    left: list[float] = []
    async with VirtualClock() as clock:

        def noted(outgoing: Any) -> Any:
            left.append(clock.now())
            return reply(
                200, {"success": True, "accountId": ACCOUNT, "profile": {"firstName": "x"}}
            )

        found = AsyncConnectSafely("key", http_client=Script(noted), clock=clock, **settings)
        async with anyio.create_task_group() as tasks:
            for call in calls:
                tasks.start_soon(call, found)
    return sorted(left)


async def test_thirty_reads_a_minute_and_account() -> None:
    def read(account: str) -> Call:
        return lambda found: found.relationship_by_account(account, profile_id="x")

    left = await times([read(ACCOUNT)] * 31)
    assert (left[29], left[30]) == (0.0, pytest.approx(61.2))
    left = await times([read(ACCOUNT)] * 30 + [read(OTHER)] * 30 + [lambda found: found.health()])
    assert (left[59], left[60]) == (0.0, pytest.approx(61.2)), "sixty per key"


async def test_ten_calls_about_an_account_and_fifteen_writes() -> None:
    left = await times([lambda found: found.account_quota(ACCOUNT)] * 11)
    assert (left[9], left[10]) == (0.0, pytest.approx(61.2))
    left = await times([lambda found: found.endorse_skill("x", random=True)] * 16)
    assert (left[14], left[15]) == (0.0, pytest.approx(61.2))


async def test_the_default_account_shares_the_limits_of_its_id() -> None:
    found = AsyncConnectSafely("key", http_client=Script(fresh), clock=Skipping())
    await found.profile("a")
    await found.profile("b", account_id=ACCOUNT)
    assert repr(found._engine.limiter) == "<KeyedLimiter key 60 per 60 s, reads 30 per 60 s>"
    assert repr(found).startswith("<AsyncConnectSafely api.connectsafely.ai <KeyedLimiter key")


async def test_other_rates_can_be_passed() -> None:
    def call(found: AsyncConnectSafely) -> Awaitable[object]:
        return found.health()

    assert await times([call] * 3, rate_limit=Velocity(key=2)) == [0, 0, pytest.approx(61.2)]
    assert await times([call] * 2, rate_limit=RateLimit(1, per=5, margin=0)) == [0, 5]
    assert await times([call] * 70, rate_limit=None) == [0] * 70


async def test_one_rate_limit_error_holds_all_calls_of_the_key() -> None:
    left: list[tuple[str, float]] = []
    async with VirtualClock() as clock:

        def said(outgoing: Any) -> Any:
            left.append((outgoing.target.split("/")[2], clock.now()))
            first = len(left) == 1
            return reply(429, b"", Retry_After="12") if first else profile()

        found = AsyncConnectSafely("key", http_client=Script(said), clock=clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: found.profile("a"))
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(found.account_status)
    assert left[0] == ("profile", 0.0)
    assert {name for name, _ in left[1:]} == {"profile", "account"}
    assert all(moment >= 12.0 for _, moment in left[1:])


async def test_a_run_waits_for_the_next_day_of_the_clients_own_count(tmp_path: Path) -> None:
    names = [f"somebody-{n}" for n in range(5)]
    async with VirtualClock() as clock:
        vendor = client(fresh, daily_profiles=3, clock=clock)
        store = bulk.SqliteStore(tmp_path / "l.db")
        began = clock.wall()
        outcomes = bulk.Run(store, vendor.profile, names, outage_patience=60.0, concurrency=1)
        states = [outcome.state async for outcome in outcomes]
        assert states == ["done"] * 5
        assert midnight(began) <= clock.wall() < midnight(began) + 60.0


@pytest.mark.parametrize("chunks", [False, True])
async def test_the_clients_own_count_stops_a_run_and_a_chunk(tmp_path: Path, chunks: bool) -> None:
    names = [f"somebody-{n}" for n in range(5)]
    async with VirtualClock() as clock, bulk.SqliteStore(tmp_path / "l.db") as store:
        vendor = client(fresh, daily_profiles=3, clock=clock)
        with pytest.raises(DailyLimitError) as caught:
            if chunks:
                await bulk.chunk(store, vendor.profile, names)
            async for _ in bulk.Run(store, vendor.profile, names, on_daily_limit="stop"):
                pass
        assert (caught.value.refreshes_at, caught.value.family) == (midnight(clock.wall()), "stop")
        counts = await store.counts()
        assert counts.done == len(sent(vendor)) == 3
