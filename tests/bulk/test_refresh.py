"""Runs that spend some credits on what has probably changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sample_provider import LOST, refused, reply

from lix_async import bulk
from lix_async.core.errors import ConfigurationError

from .conftest import Open
from .test_changes import lix, person, times
from .test_freshness import MAX, Life, run
from .test_run import drained

pytestmark = pytest.mark.anyio
YEAR = timedelta(days=365)


def link(name: str) -> str:
    return f"https://www.linkedin.com/in/{name}"


def career(name: str, months: int) -> dict[str, Any]:
    """A person whose earlier job lasted so many months."""

    def date(month: int) -> dict[str, int]:
        return {"year": 2010 + month // 12, "month": month % 12 + 1}

    return person(
        name=name,
        link=link(name),
        experience=[
            {"title": "B", "timePeriod": {"startedOn": date(months), "endedOn": {}}},
            {"title": "A", "timePeriod": {"startedOn": date(0), "endedOn": date(months)}},
        ],
    )


async def test_credits_go_where_most_has_probably_changed(ledger: Open) -> None:
    names = {"slow": 90, "quick": 8, "usual": 30}
    client = lix(*(career(name, months) for name, months in names.items()), *("x" * 0,))
    client.engine.transport.bodies[3:] = [career("quick", 8), career("usual", 30)]  # type: ignore[attr-defined]  # the test's own
    links = [link(name) for name in names]
    await drained(bulk.Run(ledger(), client.people.get, links, check_balances=False, concurrency=1))
    times(client, YEAR)
    for credits, bought in ((0, []), (2, ["quick", "usual"])):
        outcomes = await drained(
            bulk.Run(
                *(ledger(), client.people.get, [*links, links[1]]),
                refresh=credits,
                check_balances=False,
                concurrency=1,
            )
        )
        assert sorted(outcome.input for outcome in outcomes) == sorted([*links, links[1]])
        assert [one.value.name for one in outcomes if not one.cached] == bought
        assert sum(one.credits for one in outcomes) == credits
        assert not any(one.stale for one in outcomes)


async def test_new_inputs_are_bought_beside_it_and_young_answers_are_not(ledger: Open) -> None:
    life = Life()
    await run(ledger, life, "a", "b")
    outcomes = await run(ledger, life, "a", "b", "c", refresh=10)
    assert {one.input: one.cached for one in outcomes} == {"a": True, "b": True, "c": False}
    life.passes(YEAR)
    outcomes = await run(ledger, life, "a", "b", "c", "d", refresh=5)  # each costs 2
    assert sum(not one.cached for one in outcomes) == 3
    assert len(outcomes) == 4
    assert life.sent == 6


async def test_what_is_too_old_is_bought_in_any_case(ledger: Open) -> None:
    life = Life()
    await run(ledger, life, "a", "b")
    life.passes(2 * MAX)
    outcomes = await run(ledger, life, "a", "b", max_age=MAX, refresh=2)
    assert [one.cached for one in outcomes] == [False, False]


@pytest.mark.parametrize(
    ("said", "state"), [(refused(404, "not_found"), "refused"), (LOST, "in_doubt")]
)
async def test_a_refresh_that_brings_nothing(ledger: Open, said: Any, state: str) -> None:
    life = Life()
    await run(ledger, life, "a", "b")
    life.passes(YEAR)
    life.answers(said, life.answer)
    outcomes = await run(ledger, life, "a", "b", refresh=2)
    assert {one.state for one in outcomes} == {"done"}
    failed = next(one for one in outcomes if one.attempts)
    assert (failed.stale, failed.refresh) == (True, state)
    assert life.sent == 3


async def test_no_more_is_spent_where_it_may_have_been_charged(ledger: Open) -> None:
    """A gateway's error may be charged, and reads are repeated."""
    life = Life()
    await run(ledger, life, "a", "b", "c")
    life.passes(YEAR)
    life.answers(reply(502, b"<html>"))
    outcomes = await run(ledger, life, "a", "b", "c", refresh=4)
    assert sum(one.maybe for one in outcomes) <= 4
    assert {(one.state, one.value is None) for one in outcomes} == {("done", False)}


async def test_listings_are_not_planned(ledger: Open) -> None:
    life = Life()
    for _ in range(2):
        life.answers(reply(200, {"things": [{"id": "1"}]}), reply(200, {"things": []}))
        listing = bulk.Run(ledger(), life.vendor.list, ["q"], refresh=5)
        assert [one.state for one in await drained(listing)] == ["done"]
        life.passes(YEAR)
    assert life.sent == 2


async def test_inputs_from_a_stream(ledger: Open) -> None:
    life = Life()
    await run(ledger, life, "a", "b")
    life.passes(YEAR)

    async def stream() -> Any:
        for name in ("a", "b"):
            yield name

    outcomes = await drained(bulk.Run(ledger(), life.vendor.get, stream(), refresh=2))
    assert sorted(one.cached for one in outcomes) == [False, True]


@pytest.mark.parametrize("refresh", [-1, True, "5"])
def test_what_is_no_number_of_credits_is_refused(ledger: Open, refresh: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^refresh must be"):
        bulk.Run(ledger(), Life().vendor.get, ["a"], refresh=refresh)
