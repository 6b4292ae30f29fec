"""Answers that are too old: bought again, and the older one handed out until then."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sample_provider import LOST, UNREACHED, Script, refused, reply

from lix_async import RetryPolicy, bulk
from lix_async.core.errors import ConfigurationError
from lix_async.core.wire import HttpRequest
from lix_async.ledger.records import Send

from .conftest import Open
from .test_run import Vendor, drained

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
MAX = 90 * DAY
START = datetime.fromtimestamp(1_700_000_000, UTC)
"""Where the clock of the sample client begins."""


class Life:
    """A vendor whose answers have a new size each time, and its time."""

    def __init__(self) -> None:
        sizes = itertools.count(1)

        def answer(outgoing: HttpRequest) -> Any:
            return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1], "size": next(sizes)})

        self.answer = answer
        self.vendor = Vendor(answer, retry=RetryPolicy(attempts=1))

    def answers(self, *said: Any) -> None:
        """What comes from here on."""
        self.script.answers = list(said)

    @property
    def script(self) -> Script:
        return self.vendor.script

    @property
    def sent(self) -> int:
        return len(self.script.sent)

    def passes(self, time: timedelta) -> None:
        self.vendor.clock_used.time += time.total_seconds()


async def run(ledger: Open, life: Life, *inputs: str, **options: Any) -> list[bulk.Outcome[Any]]:
    return await drained(bulk.Run(ledger(), life.vendor.get, inputs or ("a",), **options))


async def test_an_answer_that_is_too_old_is_bought_again(ledger: Open) -> None:
    life = Life()
    (first,) = await run(ledger, life, max_age=MAX)
    assert (first.bought_at, first.stale) == (START, False)
    life.passes(MAX)
    (young,) = await run(ledger, life, max_age=MAX)
    assert (young.value.size, young.cached, young.bought_at) == (1, True, START)
    life.passes(timedelta(seconds=1))
    (second,) = await run(ledger, life, max_age=MAX.total_seconds())
    assert (second.value.size, second.cached, second.stale, second.credits) == (2, False, False, 2)
    assert second.bought_at == START + MAX + timedelta(seconds=1)
    assert life.sent == 2
    async with ledger() as store:
        (entry,) = [entry async for entry in store.entries()]
        (lookup,) = (await store.find([entry.key])).values()
        assert len(await store.history(lookup.id)) == 2


async def test_without_an_age_nothing_is_bought_again(ledger: Open) -> None:
    life = Life()
    await run(ledger, life)
    life.passes(10_000 * DAY)
    (outcome,) = await run(ledger, life)
    assert (outcome.value.size, outcome.stale, outcome.bought_at) == (1, False, START)
    assert life.sent == 1


async def test_the_age_of_the_client_is_the_default(ledger: Open) -> None:
    life = Life()
    await run(ledger, life)
    life.passes(2 * DAY)
    view = life.vendor.with_options(max_age=DAY)
    assert life.vendor.with_options(deadline=5.0).engine.options.max_age is None
    (kept,) = await drained(bulk.Run(ledger(), view.get, ["a"], max_age=None))
    assert kept.value.size == 1
    (fresh,) = await drained(bulk.Run(ledger(), view.get, ["a"]))
    assert fresh.value.size == 2


async def test_a_run_buys_each_lookup_once_also_at_age_0(ledger: Open) -> None:
    life = Life()
    await run(ledger, life, "a", "a", max_age=0)
    life.passes(DAY)
    outcomes = await run(ledger, life, "a", "a", "a", max_age=timedelta(-1))
    assert [outcome.value.size for outcome in outcomes] == [2, 2, 2]


async def test_an_answer_from_the_future_is_new(ledger: Open) -> None:
    life = Life()
    await run(ledger, life)
    life.passes(-3 * DAY)
    assert (await run(ledger, life, max_age=0))[0].value.size == 1


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (UNREACHED, None),
        (reply(503, b"<html>"), "failed"),
        (refused(500, "api_error"), "failed"),
        (refused(404, "not_found"), "refused"),
        (reply(200, b'{"id": {}}'), "kept"),
    ],
)
async def test_a_refresh_that_brings_nothing(ledger: Open, said: Any, state: str | None) -> None:
    """The older answer is handed out and stands: a later run without an age pays nothing."""
    life = Life()
    await run(ledger, life)
    life.passes(2 * DAY)
    life.answers(said, life.answer)
    (outcome,) = await run(ledger, life, max_age=DAY)
    if state is None:  # it never left, and went out later
        assert (outcome.value.size, outcome.stale) == (2, False)
        return
    assert (outcome.state, outcome.value.size, outcome.stale) == ("done", 1, True)
    assert (outcome.refresh, outcome.bought_at) == (state, START)
    assert outcome.error is not None
    assert outcome.attempts == 1
    (later,) = await run(ledger, life)
    assert (later.state, later.value.size, later.refresh) == (
        ("done", 1, state if state == "kept" else "")
    )
    assert later.stale is (state == "kept")
    assert life.sent == 2
    (again,) = await run(ledger, life, max_age=DAY)
    assert again.value.size == (1 if state == "kept" else 2)


async def test_a_refresh_in_doubt(ledger: Open) -> None:
    life = Life()
    await run(ledger, life)
    life.passes(2 * DAY)
    life.answers(LOST, life.answer)
    for age in (DAY, DAY, None):
        (outcome,) = await run(ledger, life, max_age=age)
        assert (outcome.state, outcome.value.size, outcome.stale) == ("done", 1, True)
        assert (outcome.refresh, outcome.bought_at) == ("in_doubt", START)
    (outcome,) = await run(ledger, life, doubts="retry")
    assert (outcome.value.size, life.sent) == (1, 2)  # nothing newer is wanted
    (outcome,) = await run(ledger, life, max_age=DAY, doubts="retry")
    assert (outcome.value.size, outcome.stale, outcome.refresh) == (2, False, "")


async def test_while_another_owner_refreshes_readers_get_the_older_answer(ledger: Open) -> None:
    life = Life()
    await run(ledger, life)
    life.passes(2 * DAY)
    async with ledger() as other:
        (entry,) = [entry async for entry in other.entries()]
        (lookup,) = (await other.find([entry.key])).values()
        send = Send(lookup.id, lookup.state.n, 2, other.now, "standard", expired=True)
        assert (await other.apply(send))[0].applied
        (outcome,) = await run(ledger, life)
        assert (outcome.value.size, outcome.stale, outcome.refresh) == (1, True, "")
        (outcome,) = await run(ledger, life, max_age=3 * DAY)
        assert (outcome.value.size, outcome.stale) == (1, True)
    assert life.sent == 1


async def test_a_queued_refresh_is_handed_out_with_the_older_answer(ledger: Open) -> None:
    life = Life()
    await run(ledger, life)
    life.passes(2 * DAY)
    life.answers(refused(503, "queued"))
    (outcome,) = await run(ledger, life, max_age=DAY)
    assert (outcome.state, outcome.value.size, outcome.refresh) == ("done", 1, "queued")
    async with ledger() as store:
        (outcome,) = await bulk.chunk(store, life.vendor.get, ["a"], max_age=DAY)
        assert (outcome.state, outcome.value.size, outcome.refresh) == ("done", 1, "queued")


async def test_refusals_are_asked_for_again_only_with_an_age(ledger: Open) -> None:
    life = Life()
    life.answers(refused(404, "not_found"))
    await run(ledger, life)
    life.passes(2 * DAY)
    for options in ({}, {"max_age": DAY}, {"refused_age": 3 * DAY}):
        (outcome,) = await run(ledger, life, **options)
        assert (outcome.state, outcome.bought_at) == ("refused", START)
    assert life.sent == 1
    life.answers(life.answer)
    (outcome,) = await run(ledger, life, refused_age=DAY)
    assert (outcome.state, outcome.value.size) == ("done", 1)


async def test_a_listing_is_bought_again_from_its_first_page(ledger: Open) -> None:
    life = Life()
    pages = [{"things": [{"id": "1"}, {"id": "2"}]}, {"things": [{"id": "3"}]}, {"things": []}]
    for _ in range(2):
        life.answers(*(reply(200, page) for page in pages))
        listing = bulk.Run(ledger(), life.vendor.list, ["q"], max_age=DAY)
        (outcome,) = await drained(listing)
        assert [thing.id for thing in outcome.value] == ["1", "2", "3"]
        life.passes(2 * DAY)
    assert life.sent == 6


PAGES = [{"things": [{"id": "1"}]}, {"things": [{"id": "2"}]}, {"things": []}]
NEW_PAGES = [{"things": [{"id": "3"}]}, {"things": [{"id": "4"}]}, {"things": []}]


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (LOST, "in_doubt"),
        (reply(500, {"error": {"type": "api_error", "message": "no"}}), "failed"),
        (refused(404, "not_found", "gone"), "refused"),
        (reply(200, b"[{"), "kept"),
    ],
    ids=["lost", "failed", "refused", "kept"],
)
async def test_an_older_listing_stands_until_the_newer_one_is_complete(
    ledger: Open, ends: Any, state: str
) -> None:
    life = Life()

    async def listed(**options: Any) -> bulk.Outcome[Any]:
        run = bulk.Run(ledger(), life.vendor.list, ["q"], **options)
        (outcome,) = await drained(run)
        return outcome

    life.answers(*(reply(200, page) for page in PAGES))
    await listed()
    life.passes(2 * DAY)
    life.answers(reply(200, NEW_PAGES[0]), ends)
    for options in ({"max_age": DAY}, {}):
        outcome = await listed(**options)
        assert (outcome.state, outcome.stale) == ("done", True)
        assert [thing.id for thing in outcome.value] == ["1", "2"]
        if options:
            assert outcome.refresh == state
    assert life.sent == 5
    async with ledger() as store:
        (entry,) = [entry async for entry in store.entries()]
        assert entry.status == ("pending" if state == "failed" else state)
        assert entry.refreshing
        assert [page.page for page in entry.pages] == [1, 2, 3]
        if state == "kept":
            assert await store.buy_again(entry.key)
    # It goes on with the page that is missing, and the newer version stands at once.
    life.answers(*(reply(200, page) for page in NEW_PAGES[1:]))
    outcome = await listed(max_age=DAY, doubts="retry")
    assert (outcome.state, outcome.stale, outcome.cached) == ("done", False, False)
    assert [thing.id for thing in outcome.value] == ["3", "4"]
    assert life.sent == 7
    assert [thing.id for thing in (await listed()).value] == ["3", "4"]
    assert life.sent == 7


@pytest.mark.parametrize("name", ["max_age", "refused_age"])
@pytest.mark.parametrize("age", ["90d", True, float("nan")])
def test_what_is_no_age_is_refused(ledger: Open, name: str, age: Any) -> None:
    life = Life()
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        bulk.Run(ledger(), life.vendor.get, ["a"], **{name: age})
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        life.vendor.with_options(**{name: age})


async def test_the_longest_ages_are_ages(ledger: Open) -> None:
    life = Life()
    await run(ledger, life, max_age=timedelta.max, refused_age=float("inf"))
    assert (await run(ledger, life, max_age=float("inf")))[0].value.size == 1
