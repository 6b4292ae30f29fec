"""Runs as a user meets them, on both ledgers and both loops."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import tracemalloc
from collections import ChainMap, UserDict
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio
import pytest
from sample_provider import (
    LIST,
    LOST,
    THING,
    ListParams,
    SampleClient,
    Skipping,
    Thing,
    ThingParams,
    refused,
    reply,
)

from lix_async import bulk
from lix_async.bulk import SqliteStore
from lix_async.core.errors import (
    AuthenticationError,
    BudgetError,
    BulkError,
    ConfigurationError,
    DailyLimitError,
    DecodeError,
)
from lix_async.core.wire import HttpRequest
from lix_async.engine.pages import Pages
from lix_async.ledger.records import EventResult, Judge, LedgerEvent, Receive
from lix_async.ledger.sqlite import SqliteLedgerConnection
from lix_async.ledger.store import Store

from .conftest import Open

pytestmark = pytest.mark.anyio


class Vendor(SampleClient):
    """A client with methods, as bulk takes them."""

    async def get(self, id: str, *, note: str | None = None) -> Thing:
        return (await self.send(THING, ThingParams(id=id, note=note))).value

    def list(self, q: str) -> Pages[Thing]:
        return self.pages(LIST, ListParams(q=q))


def thing(outgoing: HttpRequest) -> Any:
    return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1], "size": 1})


async def drained(
    run: AsyncIterable[bulk.Outcome[Any]], got: list[bulk.Outcome[Any]] | None = None
) -> list[bulk.Outcome[Any]]:
    """All outcomes; they are in `got` also where it ends with an error."""
    got = [] if got is None else got
    async for outcome in run:
        got.append(outcome)
    return got


async def test_each_is_bought_once_and_known_ever_after(ledger: Open) -> None:
    vendor = Vendor(thing)
    first = await drained(bulk.Run(ledger(), vendor.get, ["a", "b", "a", "c"]))
    assert sorted(outcome.value.id for outcome in first) == ["a", "a", "b", "c"]
    assert len(vendor.script.sent) == 3
    again = await drained(bulk.Run(ledger(), vendor.get, ["a", "b", "c", "d"]))
    assert sum(outcome.cached for outcome in again) == 3
    assert len(vendor.script.sent) == 4


async def test_a_lost_answer_is_held_and_bought_again_only_with_retry(ledger: Open) -> None:
    vendor = Vendor(LOST)
    for _ in range(2):
        (outcome,) = await drained(bulk.Run(ledger(), vendor.get, ["a"]))
        assert outcome.state == "in_doubt"
    assert len(vendor.script.sent) == 1
    vendor = Vendor(thing)
    (outcome,) = await drained(bulk.Run(ledger(), vendor.get, ["a"], doubts="retry"))
    assert outcome.state == "done"


async def test_a_queued_lookup_is_asked_for_again_without_holding_a_slot(ledger: Open) -> None:
    vendor = Vendor(refused(202, "queued"), thing)
    run = bulk.Run(ledger(), vendor.get, ["a", "b"], concurrency=1)
    assert [outcome.value.id for outcome in await drained(run)] == ["b", "a"]
    assert vendor.clock_used.time >= 179


async def test_a_daily_limit_is_waited_for_or_ends_the_run(ledger: Open) -> None:
    vendor = Vendor(refused(429, "daily_limit"), thing)
    (outcome,) = await drained(bulk.Run(ledger(), vendor.get, ["a"]))
    assert outcome.state == "done"
    assert vendor.clock_used.time > 1000
    vendor = Vendor(refused(429, "daily_limit"))
    with pytest.raises(DailyLimitError):
        await drained(bulk.Run(ledger(), vendor.get, ["b"], on_daily_limit="stop"))


async def test_max_credits_is_never_exceeded(ledger: Open) -> None:
    vendor = Vendor(thing)
    run = bulk.Run(ledger(), vendor.get, map(str, range(100)), concurrency=8, max_credits=15)
    with pytest.raises(BudgetError):
        await drained(run)
    assert run.progress().credits == 14
    assert len(vendor.script.sent) == 7


async def test_what_stops_everything_comes_after_the_calls_in_flight(ledger: Open) -> None:
    answers = [thing, thing, refused(401, "authentication_error")]
    vendor = Vendor(*answers)
    got: list[Any] = []
    run = bulk.Run(ledger(), vendor.get, map(str, range(10)), concurrency=1)
    with pytest.raises(AuthenticationError):
        await drained(run, got)
    assert [outcome.value.id for outcome in got] == ["0", "1"]


async def test_an_input_that_cannot_be_sent_costs_nothing(ledger: Open) -> None:
    vendor = Vendor(thing)
    outcomes = await drained(bulk.Run(ledger(), vendor.get, [{"nope": 1}, "a"]))
    assert sorted(outcome.state for outcome in outcomes) == ["done", "invalid"]


async def test_a_listing_continues_after_the_last_saved_page(ledger: Open) -> None:
    def page(outgoing: HttpRequest) -> Any:
        start = 1 if "start=1" in outgoing.target else 0
        if start and not answers:
            return LOST
        return reply(200, {"things": [{"id": str(start)}], "paging": {"total": 2, "count": 1}})

    answers: list[int] = []
    vendor = Vendor(page)
    (outcome,) = await drained(bulk.Run(ledger(), vendor.list, ["q"]))
    assert outcome.state == "in_doubt"
    answers.append(1)
    (outcome,) = await drained(bulk.Run(ledger(), vendor.list, ["q"], doubts="retry"))
    assert [item.id for item in outcome.value] == ["0", "1"]
    assert len(vendor.script.sent) == 3


async def test_inputs_that_fail_end_the_run_after_the_calls_in_flight(ledger: Open) -> None:
    async def inputs() -> AsyncIterator[str]:
        yield "a"
        raise ValueError("no more")

    vendor = Vendor(thing)
    got: list[Any] = []
    with pytest.raises(ValueError, match="no more"):
        await drained(bulk.Run(ledger(), vendor.get, inputs(), concurrency=3), got)
    assert [outcome.state for outcome in got] == ["done"]
    (outcome,) = await drained(bulk.Run(ledger(), vendor.get, ["a"]))
    assert outcome.cached


async def test_aclose_lets_calls_in_flight_end(ledger: Open) -> None:
    release, begun = anyio.Event(), anyio.Event()

    async def slowly(outgoing: HttpRequest) -> Any:
        begun.set()
        await release.wait()
        return thing(outgoing)

    vendor = Vendor(slowly)
    run = bulk.Run(ledger(), vendor.get, ["a", "b", "c"], concurrency=1)

    async def consume() -> None:
        await drained(run)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(consume)
        await begun.wait()
        tasks.start_soon(run.aclose)
        await anyio.wait_all_tasks_blocked()
        release.set()
    assert run.progress().done == 1
    assert len(vendor.script.sent) == 1


async def test_aclose_holds_in_doubt_what_does_not_end(ledger: Open) -> None:
    begun = anyio.Event()

    async def never(outgoing: HttpRequest) -> Any:
        begun.set()
        await anyio.sleep_forever()

    run = bulk.Run(ledger(), Vendor(never).get, ["a"])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drained, run)
        await begun.wait()
        with anyio.fail_after(5):
            await run.aclose(grace=0.01)
    (outcome,) = await drained(bulk.Run(ledger(), Vendor(thing).get, ["a"]))
    assert outcome.state == "in_doubt"


async def test_parking_leaves_queued_lookups_and_the_daily_limit_at_once(ledger: Open) -> None:
    class Waiting(Skipping):
        def __init__(self) -> None:
            super().__init__()
            self.asleep = anyio.Event()

        async def sleep(self, seconds: float) -> None:
            if seconds > 0:
                self.asleep.set()
                await anyio.sleep_forever()

    for refusal in (refused(202, "queued"), refused(429, "daily_limit")):
        clock = Waiting()
        run = bulk.Run(ledger(), Vendor(refusal, clock=clock).get, ["a"])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(drained, run)
            with anyio.fail_after(5):
                await clock.asleep.wait()
                run.park("enough")
        assert run.progress().parked == "enough"


async def test_no_more_is_bought_than_the_consumer_takes(ledger: Open) -> None:
    vendor = Vendor(thing)
    taken = itertools.count()
    inputs = (str(next(taken)) for _ in range(1000))
    async with bulk.Run(ledger(), vendor.get, inputs, concurrency=3) as run:
        for _ in range(5):
            await anext(run)
        await anyio.wait_all_tasks_blocked()
        assert len(vendor.script.sent) <= 5 + 3


class Failing(SqliteStore):
    """A disk that takes no more answers after the first ones."""

    left = 2

    async def apply(self, *events: LedgerEvent) -> list[EventResult]:
        if any(isinstance(event, Receive) for event in events):
            self.left -= 1
            if self.left < 0:
                raise BulkError("the ledger cannot be written: disk full")
        return await super().apply(*events)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_paid_answer_that_cannot_be_kept_comes_with_the_error(
    tmp_path: Any, concurrency: int
) -> None:
    vendor = Vendor(thing)
    run = bulk.Run(
        Failing(tmp_path / "x.db"), vendor.get, map(str, range(50)), concurrency=concurrency
    )
    got: list[Any] = []
    with pytest.raises(BulkError, match="disk full") as caught:
        await drained(run, got)
    unsaved = caught.value.unsaved
    assert all(isinstance(outcome, bulk.Outcome) and outcome.value for outcome in unsaved)
    assert len(got) + len(unsaved) == len(vendor.script.sent)  # nothing paid was dropped
    again = await drained(bulk.Run(SqliteStore(tmp_path / "x.db"), vendor.get, map(str, range(50))))
    assert sum(outcome.state == "in_doubt" for outcome in again) == len(unsaved)


async def test_a_full_disk_stops_the_run_and_drops_nothing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = SqliteLedgerConnection._opened

    def small(session: SqliteLedgerConnection) -> Any:
        connection = connect(session)
        connection.execute("PRAGMA max_page_count = 40")
        return connection

    def big(outgoing: HttpRequest) -> Any:
        return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1], "note": "x" * 3000})

    path = tmp_path / "x.db"
    vendor = Vendor(big)
    got: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(SqliteLedgerConnection, "_opened", small)
        run = bulk.Run(str(path), vendor.get, map(str, range(200)), concurrency=4)
        with pytest.raises(BulkError, match="full") as caught:
            await drained(run, got)
    unsaved = {outcome.key for outcome in caught.value.unsaved if isinstance(outcome, bulk.Outcome)}
    kept = {outcome.key for outcome in got}
    assert len(kept) + len(unsaved) == len(vendor.script.sent)
    again = await drained(bulk.Run(str(path), vendor.get, map(str, range(200))))
    # What the file could not take was kept beside it.
    assert kept | unsaved <= {outcome.key for outcome in again if outcome.cached}
    assert {outcome.state for outcome in again} == {"done"}
    assert len(vendor.script.sent) == 200


async def test_closing_tells_of_what_could_not_be_kept(tmp_path: Any) -> None:
    class Full(Failing):
        left = 0

    run = bulk.Run(Full(tmp_path / "x.db"), Vendor(thing).get, ["a"])
    async with anyio.create_task_group() as tasks:

        async def consume() -> None:
            with pytest.raises(BulkError):
                await anext(run)

        tasks.start_soon(consume)
    await run.aclose()


async def test_ordered_outcomes_come_in_the_order_of_the_inputs() -> None:
    events = [anyio.Event() for _ in range(3)]

    async def gated(outgoing: HttpRequest) -> Any:
        number = int(outgoing.target[-1])
        if number < 2:
            await events[number + 1].wait()  # each waits for the one behind it
        events[number].set()
        return thing(outgoing)

    outcomes = bulk.map(Vendor(gated).get, ["0", "1", "2"], concurrency=3, ordered=True)
    assert [outcome.value.id async for outcome in outcomes if outcome.value] == ["0", "1", "2"]


async def test_ordered_ends_when_one_input_fails() -> None:
    def inputs() -> Iterator[str]:
        yield from "012"
        raise ValueError("no more")

    got: list[Any] = []
    with pytest.raises(ValueError, match="no more"):
        await drained(bulk.map(Vendor(thing).get, inputs(), concurrency=2, ordered=True), got)
    assert [outcome.input for outcome in got] == ["0", "1", "2"]


async def test_memory_does_not_grow_with_the_inputs() -> None:
    async def peak(count: int) -> int:
        inputs = map(str, range(count))
        tracemalloc.start()
        try:
            async for _ in bulk.map(Vendor(Reply()).get, inputs, concurrency=4):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    class Reply:
        def __call__(self, outgoing: HttpRequest) -> Any:
            return thing(outgoing)

    assert await peak(600) < await peak(200) + 300_000  # the script remembers what was sent


async def test_a_chunk_gives_its_outcomes_in_order_and_pays_once(ledger: Open) -> None:
    vendor = Vendor(thing)
    store = ledger()
    await store.open()
    try:
        for _ in range(2):
            outcomes = await bulk.chunk(store, vendor.get, ["a", "b", {"nope": 1}, "c"])
            states = [outcome.state for outcome in outcomes]
            assert states == ["done", "done", "invalid", "done"]
        assert len(vendor.script.sent) == 3
    finally:
        await store.close()


async def test_chunks_that_overlap_share_their_inputs(ledger: Open) -> None:
    vendor = Vendor(thing)
    store = ledger()
    await store.open()
    got: list[int] = []

    async def one() -> None:
        got.append(len(await bulk.chunk(store, vendor.get, ["a", "b", "c"])))

    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(one)
    finally:
        await store.close()
    assert got == [3, 3, 3]
    assert len(vendor.script.sent) == 3


async def test_a_chunk_raises_what_stops_it_and_goes_on_later(ledger: Open) -> None:
    store = ledger()
    await store.open()
    try:
        vendor = Vendor(thing, refused(429, "daily_limit"))
        with pytest.raises(DailyLimitError):
            await bulk.chunk(store, vendor.get, ["a", "b", "c"], concurrency=1)
        vendor = Vendor(thing)
        outcomes = await bulk.chunk(store, vendor.get, ["a", "b", "c"])
        assert [outcome.cached for outcome in outcomes] == [True, False, False]
    finally:
        await store.close()


@pytest.mark.parametrize("wrong", [5, None, "", b"x.db"])
def test_what_is_no_ledger_is_refused_by_its_name(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="store"):
        bulk.Run(wrong, Vendor(thing).get, ["a"])


async def test_a_path_object_names_a_ledger_and_another_programs_file_is_left_alone(
    tmp_path: Path,
) -> None:
    vendor = Vendor(thing)
    assert len(await drained(bulk.Run(tmp_path / "a.db", vendor.get, ["a"]))) == 1
    foreign = tmp_path / "foreign.db"
    with contextlib.closing(sqlite3.connect(foreign)) as other:
        other.execute("CREATE TABLE mine (x)")
    before = foreign.read_bytes()
    with pytest.raises(BulkError, match="is not a lix_async ledger"):
        await drained(bulk.Run(foreign, vendor.get, ["a"]))
    assert foreign.read_bytes() == before
    assert len(vendor.script.sent) == 1


async def test_what_is_no_answer_at_all_is_in_doubt_and_what_does_not_fit_is_kept(
    ledger: Open,
) -> None:
    vendor = Vendor(reply(200, b"<html>busy</html>"), reply(200, b""), reply(200, [1, 2]))
    found = await drained(bulk.Run(ledger(), vendor.get, ["a", "b", "c"], concurrency=1))
    assert [(outcome.state, outcome.credits) for outcome in found] == [
        ("in_doubt", 0),
        ("in_doubt", 0),
        ("kept", 2),
    ]
    assert [type(outcome.error) for outcome in found] == [DecodeError] * 3
    again = await drained(bulk.Run(ledger(), Vendor(thing).get, ["a", "b", "c"], doubts="retry"))
    assert sorted((outcome.input, outcome.cached) for outcome in again) == [
        ("a", False),
        ("b", False),
        ("c", True),
    ]
    store = ledger()
    await store.open_read_only()
    counts = await store.counts()
    await store.close()
    assert (counts.done, counts.kept, counts.credits, counts.maybe) == (2, 1, 6, 4)


async def test_a_listing_that_received_a_web_page_continues_there(ledger: Open) -> None:
    pages = [[{"id": f"{start + n}"} for n in range(2)] for start in (0, 2)]
    first = reply(200, {"things": pages[0], "paging": {"total": 4, "start": 0, "count": 2}})
    second = reply(200, {"things": pages[1], "paging": {"total": 4, "start": 2, "count": 2}})
    vendor = Vendor(first, reply(200, b"<html>busy</html>"))
    (cut,) = await drained(bulk.Run(ledger(), vendor.list, ["q"]))
    assert cut.state == "in_doubt"
    (whole,) = await drained(bulk.Run(ledger(), Vendor(second).list, ["q"], doubts="retry"))
    assert [item.id for item in whole.value] == ["0", "1", "2", "3"]


async def test_a_queued_lookup_counts_as_queued_while_it_is_waited_for(ledger: Open) -> None:
    vendor = Vendor(refused(202, "queued"), thing)
    run = bulk.Run(ledger(), vendor.get, ["a"], concurrency=3)
    seen: list[int] = []
    sleep = vendor.clock_used.sleep

    async def recording_sleep(seconds: float) -> None:
        seen.append(run.progress().queued)
        await sleep(seconds)

    vendor.clock_used.sleep = recording_sleep  # type: ignore[method-assign]
    assert [outcome.state for outcome in await drained(run)] == ["done"]
    assert 1 in seen


class Killed(Exception):
    """What ends a run at a moment when another process would only see what is stored."""


@contextlib.contextmanager
def killed_before_judging() -> Iterator[None]:
    """Runs end when an answer was stored and is to be judged."""
    post = Store.post

    def failing(store: Store, *events: LedgerEvent) -> None:
        if any(isinstance(event, Judge) for event in events):
            raise Killed
        post(store, *events)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "post", failing)
        yield


@pytest.mark.parametrize(
    ("answer", "state", "asked"),
    [
        (thing, "done", 0),
        (refused(404, "not_found"), "refused", 0),
        (reply(200, [1, 2]), "kept", 0),
        (reply(200, b"<html>busy</html>"), "in_doubt", 0),
        (refused(503, "api_error"), "done", 1),
        (refused(429, "daily_limit"), "done", 1),
        (refused(429, "daily_limit", retry_after="86400"), "done", 1),
    ],
)
async def test_an_answer_that_was_stored_and_not_judged_is_judged_by_the_next_run(
    ledger: Open, answer: Any, state: str, asked: int
) -> None:
    with killed_before_judging(), pytest.raises(Killed):
        await drained(bulk.Run(ledger(), Vendor(answer).get, ["a"]))
    vendor = Vendor(thing)
    run = bulk.Run(ledger(), vendor.get, ["a"])
    (outcome,) = await drained(run)
    assert (outcome.state, len(vendor.script.sent)) == (state, asked)
    assert (outcome.credits, outcome.cached) == (2 * asked, not asked)
    store = ledger()
    await store.open_read_only()
    counts = await store.counts()
    await store.close()
    assert counts.received == 0
    assert counts.credits == (2 if state in ("done", "kept") else 0)


async def test_a_page_that_was_stored_and_not_judged_is_the_next_runs_first(ledger: Open) -> None:
    def page(outgoing: HttpRequest) -> Any:
        start = int(outgoing.target.partition("start=")[2].partition("&")[0] or 0)
        rows = [{"id": str(start + number)} for number in range(2)]
        return reply(200, {"things": rows, "paging": {"total": 6, "start": start, "count": 2}})

    with killed_before_judging(), pytest.raises(Killed):
        await drained(bulk.Run(ledger(), Vendor(page).list, ["q"]))
    vendor = Vendor(page)
    (outcome,) = await drained(bulk.Run(ledger(), vendor.list, ["q"]))
    assert [item.id for item in outcome.value] == [str(number) for number in range(6)]
    assert (len(vendor.script.sent), outcome.credits) == (2, 2)


class Row:
    """A row of a database: it has keys and values, and is no mapping."""

    def keys(self) -> list[str]:
        return ["id"]

    def __getitem__(self, name: str) -> str:
        return "row"


class Odd:
    """An object whose methods raise."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__

    def keys(self) -> list[str]:
        raise RuntimeError


ITSELF: dict[str, object] = {}
ITSELF["id"] = ITSELF
READ = [MappingProxyType({"id": "proxy"}), ChainMap({"id": "chain"}), UserDict(id="user"), Row()]
NO_INPUTS: list[Any] = [
    *(None, float("nan"), b"x", Odd(), "\ud800", "a\0b", ["x"], {1: 2}, 10**30, {1}, True, ITSELF),
    *(
        {"id": "\udce9"},
        {"id": "x", "note": "\0"},
        {"\udce9": "x"},
        {"id": Odd()},
        Decimal(1),
        "",
        "..",
    ),
    *({"id": Decimal(1)}, {"id": ["x"]}, {"id": "x", "nope": object()}, MappingProxyType({}), dict),
]


@pytest.mark.parametrize("as_chunk", [False, True])
async def test_an_input_that_cannot_be_sent_ends_nothing(ledger: Open, as_chunk: bool) -> None:
    """Each is invalid, or is read; what comes after it is looked up."""
    inputs = [item for odd in (*NO_INPUTS, *READ) for item in (odd, f"after-{id(odd)}")]
    vendor = Vendor(thing)
    async with ledger() as store:
        if as_chunk:
            found = await bulk.chunk(store, vendor.get, inputs)
        else:
            found = await drained(bulk.Run(store, vendor.get, inputs))
    states = {id(one.input): one.state for one in found}
    assert {states[id(odd)] for odd in NO_INPUTS} == {"invalid"}
    assert {states[id(odd)] for odd in READ} == {"done"}
    assert [one.state for one in found].count("done") == len(NO_INPUTS) + 2 * len(READ)
    for one in found:
        str(one.error).encode()
