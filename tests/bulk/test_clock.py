"""A wall clock that is set while a run waits changes no wait."""

from __future__ import annotations

from typing import Any

import pytest
from sample_provider import refused, reply

from lix_async import bulk
from lix_async.core.wire import HttpRequest
from lix_async.testing import VirtualClock

from .conftest import Open
from .test_admission import Vendor, drained, thing

pytestmark = pytest.mark.anyio
WAITS = {
    "queued": (1, [refused(202, "queued")] * 2),
    "rate limit": (1, [refused(429, "rate_limit", retry_after="100")] * 3),
    "named": (1, [reply(503, b"", retry_after="100")] * 2),
    "daily limit": (1, [refused(429, "daily_limit")]),
    "outage": (6, [reply(503, b"<html>")] * 9),
}


class SetClock(VirtualClock):
    """A clock whose wall clock is set as soon as somebody waits."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step, self.ahead = step, 0.0

    def wall(self) -> float:
        return super().wall() + self.ahead

    def between(self, low: float, high: float) -> float:
        return low

    async def sleep(self, seconds: float) -> None:
        if seconds > 1:
            self.ahead = self.step
        await super().sleep(seconds)


@pytest.mark.parametrize("as_chunk", [False, True])
@pytest.mark.parametrize("wait", WAITS)
async def test_setting_the_clock_changes_no_wait(ledger: Open, wait: str, as_chunk: bool) -> None:
    if as_chunk and wait not in ("rate limit", "named"):
        return  # the chunk is given back
    took: list[float] = []
    for step in (0.0, 3600.0, -3600.0):
        async with SetClock(step) as clock, ledger() as store:
            number, left = WAITS[wait][0], list(WAITS[wait][1])

            def answer(outgoing: HttpRequest) -> Any:
                return left.pop() if left else thing(outgoing)  # noqa: B023

            client = Vendor(answer, clock=clock)
            names = [f"{step}-{name}" for name in range(number)]
            if as_chunk:
                found: list[Any] = await bulk.chunk(store, client.get, names)
            else:
                run = bulk.Run(store, client.get, names, concurrency=1, outage_patience=None)
                found = await drained(run)
            assert [one.state for one in found] == ["done"] * number
            took.append(clock.now())
    assert took[0] > 10
    assert max(took) - min(took) <= 2.0, took
