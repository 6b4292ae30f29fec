"""However many calls are in flight, and whatever comes of them: a limit is met exactly."""

from __future__ import annotations

from dataclasses import replace

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_provider import LOST, THING, SampleClient, ThingParams, refused, reply

from lix_async.core.endpoint import Price
from lix_async.core.errors import BudgetError, LixError
from lix_async.core.wire import HttpRequest
from lix_async.engine.credits import CreditBudget

ANSWERS = {
    "charged": (reply(), True),
    "free": (refused(404, "not_found"), False),
    "refused": (refused(503, "api_error"), False),
    "lost": (LOST, True),
    "unreadable": (reply(200, b"<html>"), True),
    "odd": (reply(200, {"id": {}}), True),
    "gateway": (reply(504, b""), True),
}
"""By name: the answer, and whether the provider charges for it."""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(
    caps=st.tuples(*[st.integers(0, 20) | st.none()] * 3),
    workers=st.integers(1, 64),
    amount=st.integers(0, 3),
    answers=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=80),
)
def test_no_limit_is_exceeded_and_all_of_it_can_be_spent(
    backend: str,
    caps: tuple[int | None, ...],
    workers: int,
    amount: int,
    answers: list[str],
) -> None:
    charges = 0
    left = list(answers)
    inputs = iter(range(100))

    async def answer(_: HttpRequest) -> object:
        nonlocal charges
        await anyio.lowlevel.checkpoint()
        said, charged = ANSWERS[left.pop() if left else "charged"]
        charges += amount * charged
        return said

    async def main() -> None:
        lix = SampleClient(answer, max_credits=caps[0])
        run = CreditBudget(caps[1], parent=lix.credits)
        listing = CreditBudget(caps[2], parent=run)
        engine = lix.engine.with_budget(listing)
        endpoint = replace(THING, credits=Price("org", amount))

        async def work() -> None:
            for number in inputs:
                try:
                    await engine.send(endpoint, ThingParams(id=str(number)))
                except BudgetError:
                    return
                except LixError:
                    continue

        async with anyio.create_task_group() as tasks:
            for _ in range(workers):
                tasks.start_soon(work)
        for budget in (lix.credits, run, listing):
            assert budget.total + budget.lost == charges
            assert budget.reserved("org") == 0

    anyio.run(main, backend=backend)
    cap = min((limit for limit in caps if limit is not None), default=None)
    if amount and cap is not None:
        assert charges <= cap
        assert charges + amount > cap or next(inputs, None) is None
