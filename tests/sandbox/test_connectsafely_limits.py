"""ConnectSafely in the sandbox: the cache, the daily quota, rate limits and faults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sample_provider import Skipping

from lix_async.core.errors import DailyLimitError, DecodeError, OutcomeUnknownError, RefusalError
from lix_async.core.retry import RetryPolicy
from lix_async.providers.connectsafely.rate_limits import VELOCITY, RateState
from lix_async.sandbox.answers.connectsafely import ACCOUNT
from lix_async.sandbox.faults.schedule import FAULTS

from .connectsafely_helpers import NIGHT, OTHER, RIGHT, bare, connect, slugs, small

pytestmark = pytest.mark.anyio
HEADER_NAMES = [f"x-ratelimit-{name}" for name in ("action", "limit", "used", "remaining", "reset")]


async def test_profiles_are_cached_for_six_hours_unless_refreshed() -> None:
    clock = Skipping()
    sandbox = small(clock)
    async with connect(sandbox, clock) as safely:

        async def ask(**more: Any) -> tuple[bool, int | None]:
            found = await safely.profile("some-body", **more)
            used = (await safely.account_quota(ACCOUNT)).quotas[0].used
            return found.cached, used

        assert await ask() == (False, 1)
        clock.time = 3600.0
        kept = await safely.profile("Some-Body", include_skills=True)
        assert kept.cached
        assert kept.skills
        assert kept.cached_time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
        assert kept.expires_time == datetime(2023, 11, 15, 4, 13, 20, tzinfo=UTC)
        assert await ask() == (True, 1)
        assert await ask(account_id=OTHER) == (False, 1)
        assert await ask(force_refresh=True) == (False, 2)
        clock.time = 3600.0 + 6 * 3600.0 - 1  # the next day
        assert await ask() == (True, 0)
        clock.time += 1
        assert await ask() == (False, 1)
        clock.time += 6 * 3600.0  # the same day: not a different profile
        assert await ask() == (False, 1)


async def test_the_daily_quota_is_120_different_profiles() -> None:
    clock = Skipping()
    sandbox = small(clock)
    names = slugs(sandbox, 120)
    async with connect(sandbox, clock) as safely:
        for name in names:
            await safely.profile(name)
        assert safely.rate_states[ACCOUNT, "PROFILE"] == RateState("PROFILE", 120, 120, 0, NIGHT)
        assert (await safely.profile(names[0])).cached
        for extra in ({}, {"force_refresh": True}):
            with pytest.raises(DailyLimitError) as full:
                await safely.profile("one-too-many" if not extra else names[0], **extra)
            assert full.value.refreshes_at == NIGHT.timestamp()
        assert not (await safely.profile("one-too-many", account_id=OTHER)).cached
        quota = await safely.account_quota(ACCOUNT)
        assert quota.quotas[0].remaining == 0
        clock.time = NIGHT.timestamp() - 1_700_000_000.0
        await safely.profile("one-too-many")
        assert safely.rate_states[ACCOUNT, "PROFILE"].used == 1


async def test_without_a_daily_allowance_there_is_no_quota_of_profiles() -> None:
    sandbox = small(daily_allowance=None)
    async with connect(sandbox) as safely:
        for name in slugs(sandbox, 122):
            await safely.profile(name)
    assert {request.status for request in sandbox.requests} == {200}


async def test_the_client_stops_at_its_own_daily_count() -> None:
    sandbox = small()
    async with connect(sandbox, daily_profiles=120) as safely:
        for name in slugs(sandbox, 120):
            await safely.profile(name)
        with pytest.raises(DailyLimitError):
            await safely.profile("one-too-many")
    assert len(sandbox.requests) == 120


async def test_the_two_kinds_of_429_differ() -> None:
    clock = Skipping()
    sandbox = small(clock, rate=(1, 3.0))
    async with bare(sandbox) as http:
        for _ in range(30):
            good = await http.get("/relationship/some-body")
            clock.time += 0.5
        fast = await http.get("/relationship/some-body")
        other = await http.get(f"/relationship/{OTHER}/some-body")
        clock.time += 45.0
        later = await http.get("/relationship/some-body")
        clock.time += 60.0
        daily = await http.post(
            "/profile", json={"profileId": "x"}, headers={"X-Sandbox-Fault": "daily_limit"}
        )
    assert [one.status_code for one in (good, fast, other, later)] == [200, 429, 200, 200]
    assert fast.json() == {
        "success": False,
        "code": "rate_limit_exceeded",
        "message": "too many requests",
    }
    assert fast.headers["retry-after"] == "45"
    assert {name: fast.headers.get(name) for name in HEADER_NAMES} == {
        "x-ratelimit-action": None,
        "x-ratelimit-limit": "30",
        "x-ratelimit-used": None,
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "2023-11-14T22:14:20.000Z",
    }
    assert good.headers["x-ratelimit-remaining"] == "0"
    assert other.headers["x-ratelimit-limit"] == "60"  # of the key, which has fewer permits left
    assert daily.json() == {
        "error": "Rate limit exceeded for PROFILE: 120/120 used. "
        "Resets at 2023-11-15T00:00:00.000Z",
        "success": False,
    }
    assert "retry-after" not in daily.headers
    assert [daily.headers[name] for name in HEADER_NAMES] == [
        "PROFILE",
        "120",
        "120",
        "0",
        "2023-11-15T00:00:00.000Z",
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "limit"),
    [
        ("POST", "/search/people", {"keywords": "sales"}, 30),
        ("POST", "/endorse-skill", {"profileId": "some-body", "skillId": "1"}, 15),
        ("GET", "/account/status", None, 10),
        ("GET", "/../health", None, 60),
    ],
)
async def test_each_group_of_endpoints_has_its_own_rate_limit(
    method: str, path: str, body: object, limit: int
) -> None:
    sandbox = small(rate=(1, 3.0))
    async with bare(sandbox) as http:
        url = path.replace("/..", "http://sandbox")
        seen = [(await http.request(method, url, json=body)) for _ in range(limit + 1)]
    assert [one.status_code for one in seen] == [200] * limit + [429]
    left = [int(one.headers["x-ratelimit-remaining"]) for one in seen]
    assert left == [*range(limit - 1, -1, -1), 0]


async def test_the_clients_limiter_avoids_429s_and_a_client_without_one_waits() -> None:
    clock = Skipping()
    sandbox = small(clock, rate=(1, 3.0))
    async with connect(sandbox, clock, rate_limit=VELOCITY) as safely:
        for name in slugs(sandbox, 70):
            await safely.profile(name)
            await safely.account_status(OTHER)
    assert {record.status for record in sandbox.requests} == {200}
    assert clock.time > 360  # 70 requests about an account, 10 a minute
    clock = Skipping()
    sandbox = small(clock, rate=(1, 3.0))
    async with connect(sandbox, clock) as safely:
        for _ in range(12):
            await safely.account_status()
        assert safely.rate_states[None, None].limit == 10
    assert [record.status for record in sandbox.requests] == [200] * 10 + [429] + [200] * 2
    assert clock.slept == [60.0]


async def test_every_counted_response_has_rate_limit_headers() -> None:
    sandbox = small(rate=(1, 3.0))
    async with bare(sandbox) as http:
        good = await http.get("/profile", params={"profileId": "some-body"})
        wrong = await http.post("/profile", json={})
        other = await http.get("/account/status")
        lost = await http.get("/nowhere-at-all")
        proxy = await http.post(
            "/profile", json={"profileId": "x"}, headers={"X-Sandbox-Fault": "502"}
        )
        none = await http.get("/account/status", headers={"Authorization": "Bearer wrong"})
    for answer in (good, wrong):
        assert [answer.headers[name] for name in HEADER_NAMES] == [
            "PROFILE",
            "120",
            "1",
            "119",
            "2023-11-15T00:00:00.000Z",
        ]
    assert other.headers["x-ratelimit-limit"] == "10"
    for answer in (lost, proxy, none):
        assert not set(HEADER_NAMES) & set(answer.headers)


async def test_calls_succeed_despite_the_weather_faults() -> None:
    clock = Skipping()
    sandbox = small(clock, faults="weather", seed=3)
    good = lost = 0
    async with connect(sandbox, clock) as safely:
        for name in slugs(sandbox, 100) * 3:
            found = await safely.profile(name)
            assert found.profile.public_identifier == name
        rows = await safely.search_people("total:90").collect()
        for name in slugs(sandbox, 100):
            try:
                await safely.endorse_skill(name, skill_id="1")
                good += 1
            except OutcomeUnknownError:
                lost += 1
            except RefusalError as error:
                assert error.status in (429, 500, 502, 503)
    assert len(rows) == 90
    assert len({record.fault for record in sandbox.requests}) > 5
    assert 90 < good <= len(sandbox.sent) <= good + lost < 101
    assert len({sent.target for sent in sandbox.sent}) == len(sandbox.sent)  # no duplicates


async def test_with_storm_faults_a_call_succeeds_or_raises_a_known_error() -> None:
    clock = Skipping()
    sandbox = small(clock, faults="storm", seed=3)
    failures = 0
    async with connect(sandbox, clock, retry=RetryPolicy(attempts=12)) as safely:
        for name in slugs(sandbox, 100):
            try:
                assert (await safely.profile(name)).profile.public_identifier == name
            except DecodeError:
                failures += 1
                assert sandbox.requests[-1].fault in ("html200", "empty200")
    assert failures < 15
    assert len({record.fault for record in sandbox.requests}) > 8


@pytest.mark.parametrize("name", sorted(FAULTS))
async def test_every_fault_can_be_requested(name: str) -> None:
    sandbox = small()
    text = f"{name};mib=1" if "mib" in FAULTS[name].options else name
    async with bare(sandbox, **RIGHT, **{"X-Sandbox-Fault": text}) as http:
        for path, body in (
            ("/search/groups", {"keywords": "sales"}),
            ("/profile", {"profileId": "some-body"}),
        ):
            try:
                async with http.stream("POST", path, json=body) as answer:
                    assert answer.status_code < 600
            except (ConnectionResetError, httpx.HTTPError):
                assert FAULTS[name].stage in ("before", "after")
    assert [record.fault for record in sandbox.requests] == [name, name]


async def test_reset_clears_cache_and_quota() -> None:
    sandbox = small()
    async with connect(sandbox) as safely:
        await safely.profile("some-body")
        sandbox.reset()
        assert (await safely.account_quota(ACCOUNT)).quotas[0].used == 0
        assert not (await safely.profile("some-body")).cached
