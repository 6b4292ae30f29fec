"""Rate limits for each key, and the daily allowance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lix_async.sandbox import Sandbox
from lix_async.sandbox.protocol.dates import iso_seconds, next_midnight, next_monday
from lix_async.sandbox.state.rate_limits import Allowance, SlidingLog

from .sandbox_helpers import NOON

if TYPE_CHECKING:
    from .sandbox_helpers import Client

pytestmark = pytest.mark.anyio
ALLOWANCE = "/v1/account/allowances/daily"


def test_no_window_has_more_requests_than_the_limit() -> None:
    log = SlidingLog(3, 1.0)
    taken = [at / 100 for at in range(1000) if log.admit(at / 100)]
    assert len(taken) == 30
    assert all(late - early >= 1.0 - 1e-9 for early, late in zip(taken, taken[3:], strict=False))


def test_rejected_requests_do_not_count_and_the_window_boundary_is_free() -> None:
    log = SlidingLog(1, 3.0)
    assert [log.admit(at) for at in (0.0, 1.0, 2.999, 3.0, 5.9, 6.0)] == [
        True, False, False, True, False, True,
    ]  # fmt: skip
    steps = SlidingLog(1, 0.3)
    now, admitted = 0.0, 0
    for step in range(30):
        admitted += step % 3 == 0 and steps.admit(now)
        now += 0.1
    assert admitted == 10


@pytest.mark.parametrize(("requests", "per"), [(0, 1.0), (1, 0.0), (1, float("nan"))])
def test_an_invalid_rate_is_an_error(requests: int, per: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        SlidingLog(requests, per)


def test_the_allowance_starts_again_at_midnight() -> None:
    allowance = Allowance(2)
    assert [allowance.spend(NOON) for _ in range(3)] == [True, True, False]
    assert allowance.left(next_midnight(NOON) - 1) == 0
    assert allowance.left(next_midnight(NOON)) == 2
    assert iso_seconds(next_midnight(NOON)) == "2025-06-17T00:00:00Z"
    assert iso_seconds(next_monday(NOON)) == "2025-06-23T00:00:00Z"


async def test_each_key_has_its_own_rate_limit(client: Client) -> None:
    now = [100.0]
    sandbox = Sandbox(people=20, organisations=5, rate=(1, 3.0), clock=lambda: now[0])
    other = {"Authorization": "another-key"}
    async with client(sandbox) as http:
        first = await http.get(ALLOWANCE)
        second = await http.get(ALLOWANCE)
        third = await http.get(ALLOWANCE, headers=other)
        now[0] = 103.0
        fourth = await http.get(ALLOWANCE)
    assert [one.status_code for one in (first, second, third, fourth)] == [200, 429, 200, 200]
    assert second.json() == {"error": {"type": "rate_limit", "message": "too many requests"}}
    assert "retry-after" not in second.headers
    records = [(one.caller, one.status, one.kind, one.at) for one in sandbox.requests]
    assert records == [
        ("key-1", 200, None, 100.0),
        ("key-1", 429, "rate_limit", 100.0),
        ("key-2", 200, None, 100.0),
        ("key-1", 200, None, 103.0),
    ]


async def test_the_daily_limit_ends_with_the_day(client: Client) -> None:
    now = [NOON]
    sandbox = Sandbox(people=20, organisations=5, rate=None, daily_allowance=2, wall=lambda: now[0])
    ask = {"query": "a", "type": "TITLE"}
    async with client(sandbox) as http:
        answers = [await http.get("/v1/search/sales/facet", params=ask) for _ in range(3)]
        left = (await http.get(ALLOWANCE)).json()
        now[0] += 43_200
        tomorrow = await http.get("/v1/search/sales/facet", params=ask)
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["type"] == "daily_limit"
    assert left == {"requestsRemaining": 0, "refreshesAt": next_midnight(NOON)}
    assert answers[2].json()["error"]["refreshesAt"] == left["refreshesAt"]
    assert tomorrow.status_code == 200
