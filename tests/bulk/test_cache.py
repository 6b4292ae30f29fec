"""A client with a cache: the ledger first, and one request for all who ask the same meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sample_provider import (
    LIST,
    LOST,
    SEND,
    THING,
    UNREACHED,
    ListParams,
    SampleClient,
    SendParams,
    Skipping,
    Thing,
    ThingParams,
    refused,
    reply,
    settle,
)

from lix_async import AsyncLix, RateLimit, bulk
from lix_async.bulk import SqliteStore
from lix_async.bulk.prepared_call import CallPreparer
from lix_async.core.endpoint import FREE
from lix_async.core.errors import (
    AuthenticationError,
    BudgetError,
    BulkError,
    BusyError,
    ConfigurationError,
    DeadlineError,
    DecodeError,
    InDoubtError,
    NotFoundError,
    QueuedError,
    QuotaExceededError,
    ServerError,
    TransportError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpRequest
from lix_async.engine.answer import Answer
from lix_async.engine.cache import _Flight
from lix_async.engine.events import CacheHit, Event
from lix_async.engine.pages import Pages
from lix_async.ledger import Ledger
from lix_async.ledger.records import LookupSpec, Send
from lix_async.testing import VirtualClock

from .conftest import Open
from .test_cancellation import MOST, NATIVE, Cut, Steps, asyncio_is_missing

pytestmark = pytest.mark.anyio
ONCE = RetryPolicy(attempts=1)


class Vendor(SampleClient):
    """A client with methods, which counts what its server charged."""

    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value

    async def answer(self, id: str) -> Answer[Thing]:
        return await self.send(THING, ThingParams(id=id))

    def list(self, q: str, **options: Any) -> Pages[Thing]:
        return self.pages(LIST, ListParams(q=q), **options)


class Server:
    """Answers when it may."""

    def __init__(self) -> None:
        self.charged: Counter[str] = Counter()
        self.arrived = anyio.Event()
        self.may_answer = anyio.Event()

    async def __call__(self, outgoing: HttpRequest) -> Any:
        self.charged[outgoing.target] += 1
        self.arrived.set()
        await self.may_answer.wait()
        return thing(outgoing)


def thing(outgoing: HttpRequest) -> Any:
    return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1], "size": 1})


def listing(outgoing: HttpRequest) -> Any:
    start = int(outgoing.target.partition("start=")[2].partition("&")[0] or 0)
    things = [{"id": f"{start}"}]
    return reply(200, {"things": things, "paging": {"total": 4, "count": 1, "start": start}})


class Moving(VirtualClock):
    """A clock that nothing moves on but a sleep, at once, and `advance`."""

    async def sleep(self, seconds: float) -> None:
        self.advance(max(seconds, 0.0))
        await anyio.lowlevel.checkpoint()

    def between(self, low: float, high: float) -> float:
        return low

    async def until_timeout(self) -> None:
        """Wait until somebody waits for a moment, and go there."""
        while not self._due:
            await anyio.lowlevel.checkpoint()
        self.advance(self._due[0][0] - self.now())


async def gathered(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """What all of these calls, made at the same time, return or raise."""
    found: list[Any] = [None] * len(calls)

    async def one(place: int) -> None:
        try:
            found[place] = await calls[place]()
        except Exception as error:
            found[place] = error

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for place in range(len(calls)):
                tasks.start_soon(one, place)
    return found


def stats(vendor: SampleClient) -> tuple[int, int, int, int]:
    """Hits, shared, bought, saved."""
    found = vendor.cache.stats
    return found.hits, found.shared, found.bought, found.saved


async def test_equal_calls_cost_one_request(ledger: Open) -> None:
    async with Vendor(thing, cache=ledger()) as vendor:
        found = await gathered(*[lambda: vendor.answer("a")] * 200)
        assert len(vendor.script.sent) == 1
        assert {one.value.id for one in found} == {"a"}
        assert len({id(one.value) for one in found}) == 200, "each has a value of its own"
        assert sorted((one.credits, one.attempts, one.cached) for one in found) == [
            *[(0, 0, True)] * 199,
            (2, 1, False),
        ]
        assert stats(vendor) == (0, 199, 1, 398)
        assert vendor.credits.total == 2
        found = await gathered(*[lambda: vendor.answer("a")] * 10)
        assert {(one.credits, one.cached, one.status) for one in found} == {(0, True, 200)}
        assert stats(vendor) == (10, 199, 1, 418)
    async with Vendor(thing, cache=ledger()) as vendor:
        assert (await vendor.get("a")).id == "a"
        assert not vendor.script.sent


async def test_ten_thousand_equal_calls_make_one_request(tmp_path: Path) -> None:
    async with Vendor(thing, cache=tmp_path / "ledger.db") as vendor:
        found = await gathered(*[lambda: vendor.get("a")] * 10_000)
        assert [one.id for one in found] == ["a"] * 10_000
        assert len(vendor.script.sent) == 1


async def test_it_is_shared_with_runs_in_both_directions(ledger: Open) -> None:
    async with Vendor(thing, cache=ledger()) as vendor:
        await vendor.get("a")
        got = [one async for one in bulk.Run(ledger(), vendor.get, ["a", "b"])]
        assert sorted((one.input, one.cached) for one in got) == [("a", True), ("b", False)]
        assert (await vendor.answer("b")).cached
        assert len(vendor.script.sent) == 2


async def test_a_run_and_calls_at_the_same_time_share_one_store(tmp_path: Path) -> None:
    server = Server()
    async with Ledger(tmp_path / "ledger.db") as ledger:
        async with Vendor(server, cache=ledger) as vendor:

            async def run() -> Any:
                (outcome,) = [one async for one in bulk.Run(ledger, vendor.get, ["a"])]
                return outcome.value

            async def release() -> None:
                await server.arrived.wait()
                await settle(50)
                server.may_answer.set()

            found = await gathered(run, lambda: vendor.get("a"), release)
        assert [one.id for one in found[:2]] == ["a", "a"]
        assert ledger.store.is_open, "it belongs to who opened it"
    assert server.charged.total() == 1


async def test_what_acts_or_is_free_is_never_cached(tmp_path: Path) -> None:
    async with Vendor(
        lambda outgoing: reply(200, {"ok": True, "id": "a"}), cache=tmp_path / "l"
    ) as vendor:
        free = type(THING)(**{**vars(THING), "credits": FREE})
        for _ in range(2):
            await vendor.send(SEND, SendParams(to="a", text="b"))
            await vendor.send(free, ThingParams(id="a"))
        assert len(vendor.script.sent) == 4
    vendor = Vendor(thing, cache=tmp_path / "l")
    await vendor.send(free, ThingParams(id="a"))  # needs no block


async def test_listings_are_cached_only_where_asked_for(ledger: Open) -> None:
    async with Vendor(listing, cache=ledger()) as vendor:
        for _ in range(2):
            assert len(await vendor.list("q").collect()) == 4
        assert len(vendor.script.sent) == 8
    async with Vendor(listing, cache=ledger(), cache_searches=True) as vendor:
        pages = vendor.list("q")
        assert [(await anext(pages)).id, (await anext(pages)).id] == ["0", "1"]
        assert len(vendor.script.sent) == 2, "no more pages than are taken"
        found = await gathered(*[lambda: vendor.list("q").collect()] * 5)
        assert {tuple(one.id for one in items) for items in found} == {("0", "1", "2", "3")}
        assert len(vendor.script.sent) == 4
        assert vendor.credits.total == 4
        pages = vendor.list("q")
        await pages.collect()
        assert (pages.stats.credits, pages.stats.pages, pages.stats.complete) == (0, 4, True)
        (outcome,) = [one async for one in bulk.Run(ledger(), vendor.list, ["q"])]
        assert (outcome.cached, len(outcome.value or ())) == (True, 4)
        assert len(vendor.script.sent) == 4
    async with Vendor(listing, cache=ledger(), cache_searches=True) as vendor:
        pages = vendor.list("q", max_items=2)  # the beginning is a lookup of its own, as in runs
        assert [one.id async for one in pages] == ["0", "1"]
        assert len(vendor.script.sent) == 2
        resumed = vendor.list("q", resume=pages.checkpoint)
        assert [one.id async for one in resumed] == ["2", "3"]
        assert len(vendor.script.sent) == 4


async def test_a_listing_ends_with_the_error_that_the_ledger_has(ledger: Open) -> None:
    answers = [listing, refused(404, "not_found", "gone")]
    async with Vendor(*answers, cache=ledger(), cache_searches=True) as vendor:
        for _ in range(2):
            pages = vendor.list("q")
            with pytest.raises(NotFoundError):
                await pages.collect()
            assert [one.id for one in pages.collected] == ["0"]
        assert len(vendor.script.sent) == 2


async def test_max_credits_of_a_listing_holds(ledger: Open) -> None:
    async with Vendor(listing, cache=ledger(), cache_searches=True) as vendor:
        pages = vendor.list("q", max_credits=2)
        with pytest.raises(BudgetError):
            await pages.collect()
        assert len(pages.collected) == len(vendor.script.sent) == 2


async def test_it_needs_the_clients_block(tmp_path: Path) -> None:
    vendor = Vendor(thing, cache=tmp_path / "ledger.db", cache_searches=True)
    for call in (lambda: vendor.get("a"), lambda: vendor.list("q").collect()):
        with pytest.raises(ConfigurationError, match="async with"):
            await call()
    assert not vendor.script.sent
    async with vendor, vendor.with_options(deadline=60.0) as view:
        await view.get("a")
        async with view:
            pass
        await vendor.get("a")
    with pytest.raises(ConfigurationError, match="async with"):
        await vendor.get("a")
    with pytest.raises(ConfigurationError, match="has no cache"):
        _ = Vendor(thing).cache
    assert repr(vendor.cache).startswith("Cache(SqliteStore(")
    for wrong in (3, "", "redis://x"):
        with pytest.raises(ConfigurationError):
            Vendor(thing, cache=wrong)
    with pytest.raises(ConfigurationError, match="doubts"):
        Vendor(thing, cache=tmp_path / "l", doubts="perhaps")
    with pytest.raises(ConfigurationError, match="cache_searches"):
        Vendor(thing, cache=tmp_path / "l", cache_searches="yes")


async def test_a_view_may_leave_the_cache_out(tmp_path: Path) -> None:
    async with Vendor(thing, cache=tmp_path / "ledger.db") as vendor:
        direct = vendor.with_options(cache=False)
        assert not (await direct.answer("a")).cached
        assert stats(vendor) == (0, 0, 0, 0)
        assert not (await vendor.answer("a")).cached
        assert (await vendor.with_options(deadline=9.0).answer("a")).cached
        assert len(vendor.script.sent) == 2
        with pytest.raises(ConfigurationError, match="cache must be False"):
            vendor.with_options(cache=True)  # type: ignore[arg-type]


async def test_the_personal_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    async with Vendor(thing, cache=True) as vendor:
        await vendor.get("a")
    assert (tmp_path / "lix_async" / "ledger.db").exists()
    Vendor(thing, cache=False)
    with pytest.raises(ConfigurationError, match="sandbox"):
        AsyncLix("key", base_url="http://127.0.0.1:8000", cache=True)


# Callers who leave


async def cuts_of_a_flight(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cut]:
    """One for each await of a flight, until it ends before it comes to that many."""
    work = _Flight._run
    for at in range(1, MOST):
        cut = Cut(at, False)
        with monkeypatch.context() as patched:
            patched.setattr(_Flight, "_run", lambda flight, cut=cut: run_cut(work(flight), cut))
            yield cut
        if not cut.reached:
            assert at > 3
            return
    raise AssertionError("it does not end")


async def run_cut(work: Awaitable[None], cut: Cut) -> None:
    """Run a flight, whose other ones are not cut again."""
    if cut.awaits < cut.at:
        await Steps(work, cut)
    else:
        await work


def server_that_counts(charged: Counter[str]) -> Callable[[HttpRequest], Awaitable[Any]]:
    async def answer(outgoing: HttpRequest) -> Any:
        await anyio.lowlevel.checkpoint()
        charged[outgoing.target] += 1
        await anyio.lowlevel.checkpoint()
        return thing(outgoing)

    return answer


@pytest.mark.parametrize("native", NATIVE)
async def test_the_first_caller_is_cancelled_at_any_await(
    tmp_path: Path, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if native and asyncio_is_missing():
        pytest.skip("trio has only scopes")
    async with aclosing(cuts_of_a_flight(monkeypatch)) as all_cuts:
        async for cut in all_cuts:
            charged: Counter[str] = Counter()
            got: list[Any] = []
            path = tmp_path / f"{cut.at}.db"
            with anyio.fail_after(30):
                async with Vendor(server_that_counts(charged), cache=path) as vendor:

                    async def first() -> None:
                        await vendor.get("a")
                        got.append("first")  # noqa: B023

                    async def second() -> None:
                        got.append((await vendor.get("a")).id)  # noqa: B023

                    async with anyio.create_task_group() as tasks:
                        if native:
                            task = asyncio.ensure_future(first())
                            cut.cancel = task.cancel
                        else:
                            scope = anyio.CancelScope()
                            cut.cancel = scope.cancel

                            async def scoped() -> None:
                                with scope:  # noqa: B023
                                    await first()

                            tasks.start_soon(scoped)
                        await settle(1)
                        tasks.start_soon(second)
                    if native:
                        await asyncio.wait([task])
                    assert charged.total() == 1, cut.at
                    assert (await vendor.answer("a")).cached
            assert cut.reached or "first" in got
            assert got.count("a") == charged.total() == 1, cut.at


async def test_the_only_caller_is_cancelled_at_any_await(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aclosing(cuts_of_a_flight(monkeypatch)) as all_cuts:
        async for cut in all_cuts:
            charged: Counter[str] = Counter()
            path = tmp_path / f"{cut.at}.db"
            with anyio.fail_after(30):
                async with Vendor(server_that_counts(charged), cache=path) as vendor:
                    with anyio.CancelScope() as scope:
                        cut.cancel = scope.cancel
                        await vendor.get("a")
                    await vendor.get("a")
                async with SqliteStore(path) as store:
                    counts = await store.counts()
            assert charged.total() == 1, cut.at
            assert (counts.done, counts.in_doubt, counts.credits, counts.maybe) == (1, 0, 2, 0)


async def test_nothing_is_sent_once_all_callers_have_left(ledger: Open) -> None:
    """Six callers wait for one permit, as those of a web server do, and leave."""
    rate = RateLimit(1, per=3.0)
    async with Vendor(thing, clock=VirtualClock(), cache=ledger(), rate_limit=rate) as vendor:
        await vendor.get("before")
        for steps in range(40):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    for number in range(6):
                        tasks.start_soon(vendor.get, f"{number // 2}")
                    await settle(steps**2)
                    scope.cancel()
        while vendor.cache.flights:
            await anyio.lowlevel.checkpoint()
        assert len(vendor.script.sent) == 1
        assert vendor.credits.total == 2


async def test_what_was_sent_is_kept_once_all_callers_have_left(ledger: Open) -> None:
    server = Server()
    async with Vendor(server, cache=ledger(), retry=ONCE) as vendor:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(vendor.get, "a")
                await server.arrived.wait()
                scope.cancel()
        server.may_answer.set()
        assert (await vendor.answer("a")).cached
    assert server.charged.total() == 1


async def test_a_failure_is_not_repeated_once_all_have_left(tmp_path: Path) -> None:
    server = Server()

    async def fails(outgoing: HttpRequest) -> Any:
        await server(outgoing)
        return refused(500, "api_error")

    async with Vendor(fails, cache=tmp_path / "ledger.db") as vendor:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(vendor.get, "a")
                await server.arrived.wait()
                scope.cancel()
        server.may_answer.set()
        while vendor.cache.flights:
            await anyio.lowlevel.checkpoint()
        assert len(vendor.script.sent) == 1


async def test_each_caller_has_a_deadline_of_its_own(ledger: Open) -> None:
    clock, server = Moving(), Server()
    async with Vendor(server, clock=clock, cache=ledger()) as vendor:

        async def release() -> None:
            await server.arrived.wait()
            await clock.until_timeout()
            await settle()
            server.may_answer.set()

        found = await gathered(
            lambda: vendor.with_options(deadline=1.0).get("a"),
            lambda: vendor.get("a"),
            lambda: vendor.with_options(deadline=60.0).get("a"),
            release,
        )
        assert isinstance(found[0], DeadlineError)
        assert found[0].sent
        assert [one.id for one in found[1:3]] == ["a", "a"]
        assert clock.now() == len(vendor.script.sent) == 1


async def test_a_deadline_that_the_next_permit_exceeds_is_raised_at_once(tmp_path: Path) -> None:
    options: dict[str, Any] = {"clock": VirtualClock(), "rate_limit": RateLimit(1, per=30.0)}
    async with Vendor(thing, cache=tmp_path / "l", deadline=5.0, **options) as vendor:
        await vendor.get("a")
        with pytest.raises(DeadlineError) as caught:
            await vendor.get("b")
        assert caught.value.retry_at is not None
        assert len(vendor.script.sent) == 1


# The end of the client's block


async def test_the_block_waits_for_what_was_sent(ledger: Open) -> None:
    server = Server()
    async with anyio.create_task_group() as tasks:
        got: list[Any] = []

        async def call(vendor: Vendor) -> None:
            got.append(await vendor.get("a"))

        async with Vendor(server, cache=ledger()) as vendor:
            tasks.start_soon(call, vendor)
            await server.arrived.wait()
            server.may_answer.set()
    assert [one.id for one in got] == ["a"]


async def test_what_has_no_answer_at_the_end_of_the_block_is_in_doubt(ledger: Open) -> None:
    clock, server, errors = Moving(), Server(), list[Any]()
    vendor = Vendor(server, cache=ledger(), clock=clock)

    async def call() -> None:
        try:
            await vendor.get("a")
        except BulkError as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        async with vendor:
            tasks.start_soon(call)
            tasks.start_soon(call)
            await server.arrived.wait()
            tasks.start_soon(clock.until_timeout)
        assert clock.now() == 5.0
    assert [type(one) for one in errors] == [InDoubtError] * 2
    async with ledger() as store:
        assert (await store.counts()).in_doubt == 1
        assert await store.get(bytes.fromhex(errors[0].key)) is not None
    server.may_answer.set()
    async with vendor:
        assert (await vendor.get("a")).id == "a", "doubts are asked for again"
    assert server.charged.total() == 2


async def test_what_was_not_sent_at_the_end_of_the_block_is_not_sent(tmp_path: Path) -> None:
    rate = RateLimit(1, per=30.0)
    vendor = Vendor(thing, cache=tmp_path / "l", clock=VirtualClock(), rate_limit=rate)
    errors: list[Any] = []

    async def call() -> None:
        try:
            await vendor.get("b")
        except ConfigurationError as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        async with vendor:
            await vendor.get("a")
            tasks.start_soon(call)
            await settle(20)
    assert len(errors) == len(vendor.script.sent) == 1


async def test_a_cancelled_block_keeps_what_was_sent(ledger: Open) -> None:
    server = Server()

    async def block(vendor: Vendor) -> None:
        async with vendor:
            await vendor.get("a")

    vendor = Vendor(server, cache=ledger())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(block, vendor)
        await server.arrived.wait()
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await settle()
            server.may_answer.set()
    async with vendor:
        assert (await vendor.answer("a")).cached


# What goes wrong


async def test_refusals_are_shared_and_kept(ledger: Open) -> None:
    async with Vendor(refused(404, "not_found", "no such thing"), cache=ledger()) as vendor:
        found = await gathered(*[lambda: vendor.get("a")] * 3)
        assert [type(one) for one in found] == [NotFoundError] * 3
        assert len(set(map(id, found))) == 3, "each has an error of its own"
        assert {(one.status, one.kind) for one in found} == {(404, "not_found")}
        assert stats(vendor) == (0, 2, 0, 0)
        assert sorted(one.cached for one in found) == [False, True, True]
        with pytest.raises(NotFoundError) as again:
            await vendor.get("a")
        assert again.value.cached
        assert stats(vendor) == (1, 2, 0, 0)
        assert len(vendor.script.sent) == 1


async def test_a_transient_failure_is_raised_to_all_and_the_next_call_starts_anew(
    ledger: Open,
) -> None:
    answers = [refused(500, "api_error")] * 4
    async with Vendor(*answers, thing, cache=ledger()) as vendor:
        found = await gathered(*[lambda: vendor.get("a")] * 3)
        assert [type(one) for one in found] == [ServerError] * 3
        assert not any(one.cached for one in found), "it is no answer"
        assert len(vendor.script.sent) == 4, "the policy's attempts"
        assert (await vendor.get("a")).id == "a"
        assert len(vendor.script.sent) == 5


async def test_the_clients_retry_policy_stays_in_force(ledger: Open) -> None:
    async with Vendor(UNREACHED, LOST, refused(500, "api_error"), thing, cache=ledger()) as vendor:
        answer = await vendor.answer("a")
        assert (answer.attempts, answer.lost, answer.credits) == (4, 1, 2)
        assert (vendor.credits.total, vendor.credits.lost) == (2, 2)
    async with Vendor(UNREACHED, thing, cache=ledger(), retry=ONCE) as vendor:
        with pytest.raises(TransportError):
            await vendor.get("b")
        assert (await vendor.get("b")).id == "b"
    async with Vendor(LOST, thing, cache=ledger(), retry=RetryPolicy(repeat_lost=False)) as vendor:
        with pytest.raises(TransportError) as caught:
            await vendor.get("c")
        assert caught.value.sent
        assert len(vendor.script.sent) == 1
        assert (await vendor.get("c")).id == "c"


async def test_doubts_are_held_where_that_is_wanted(ledger: Open) -> None:
    async with Vendor(LOST, thing, cache=ledger(), doubts="hold") as vendor:
        found = await gathered(*[lambda: vendor.get("a")] * 2)
        found += await gathered(lambda: vendor.get("a"))
        assert [type(one) for one in found] == [InDoubtError] * 3
        assert len({one.key for one in found}) == 1
        assert isinstance(found[0].__cause__, TransportError)
        assert len(vendor.script.sent) == 1


async def test_what_cannot_be_read_is_kept_and_not_bought_again(ledger: Open) -> None:
    async with Vendor(reply(200, b'{"size": "x"'), cache=ledger()) as vendor:
        for _ in range(2):
            with pytest.raises(DecodeError) as caught:
                await vendor.get("a")
            assert caught.value.body == b'{"size": "x"'
        assert len(vendor.script.sent) == 1


async def test_a_queued_lookup_is_asked_for_as_the_policy_says(ledger: Open) -> None:
    clock = Skipping()
    answers = [refused(202, "queued"), refused(202, "queued"), thing]
    async with Vendor(*answers, cache=ledger(), clock=clock) as vendor:
        assert (await vendor.get("a")).id == "a"
        assert clock.slept == [60.0, 60.0]
    never = RetryPolicy(queued_attempts=0)
    async with Vendor(refused(202, "queued"), cache=ledger(), retry=never) as vendor:
        for _ in range(2):
            with pytest.raises(QueuedError):
                await vendor.get("b")
        assert len(vendor.script.sent) == 1, "it is not due yet"


async def test_what_stops_every_call_is_raised(ledger: Open) -> None:
    async with Vendor(refused(402, "402", "no credits"), cache=ledger()) as vendor:
        for _ in range(2):
            with pytest.raises(QuotaExceededError):
                await vendor.get("a")
        assert len(vendor.script.sent) == 2


async def test_budgets_hold_and_are_each_views_own(ledger: Open) -> None:
    async with Vendor(thing, cache=ledger(), max_credits=5) as vendor:
        found = await gathered(*[lambda n=n: vendor.get(f"{n}") for n in range(6)])
        assert sum(isinstance(one, Thing) for one in found) == len(vendor.script.sent) == 2
        assert sum(isinstance(one, BudgetError) for one in found) == 4
    async with Vendor(thing, cache=ledger(), max_credits=20) as vendor:
        poor = vendor.with_options(max_credits=1)
        found = await gathered(
            lambda: poor.get("x"), lambda: vendor.get("x"), lambda: poor.get("x")
        )
        assert found[1].id == "x"
        assert all(isinstance(one, BudgetError | Thing) for one in found)
        assert (await poor.get("x")).id == "x", "what is there costs nothing"
        with pytest.raises(BudgetError):
            await poor.get("y")
        assert len(vendor.script.sent) == 1


async def test_a_ledger_that_fails_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with Vendor(thing, cache=path) as vendor:
        await vendor.get("a")
        path.unlink()
        with pytest.raises(BulkError, match="deleted"):
            await vendor.get("b")
        assert len(vendor.script.sent) == 1


async def test_what_this_version_cannot_read_is_not_bought_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with Vendor(thing, cache=path) as vendor:
        await vendor.get("a")
        with sqlite3.connect(path) as database:
            database.execute("UPDATE answer SET body = ?", (b"[1]",))
        database.close()
        with pytest.raises(DecodeError):
            await vendor.get("a")
        assert len(vendor.script.sent) == 1


# Other owners


class Looking(Skipping):
    """A clock whose sleeps end at once, but for those after the seventh."""

    def __init__(self) -> None:
        super().__init__()
        self.looked, self.may_go_on = anyio.Event(), anyio.Event()

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if len(self.slept) > 7:
            self.looked.set()
            await self.may_go_on.wait()


async def test_another_owners_request_is_waited_for(ledger: Open) -> None:
    """As between two processes: each client has opened the ledger by itself."""
    server, clock = Server(), Looking()
    async with (
        Vendor(server, cache=ledger()) as one,
        Vendor(server, cache=ledger(), clock=clock) as two,
    ):

        async def first() -> Thing:
            found = await one.get("a")
            clock.may_go_on.set()
            return found

        async def second() -> Thing:
            await server.arrived.wait()
            return await two.get("a")

        async def release() -> None:
            await clock.looked.wait()
            server.may_answer.set()

        found = await gathered(first, second, release)
        assert [thing.id for thing in found[:2]] == ["a", "a"]
        assert clock.slept[:7] == [0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5]
        assert stats(two) == (1, 0, 0, 2)
    assert server.charged.total() == 1


async def test_it_is_waited_for_only_so_long(ledger: Open) -> None:
    clock = Moving()
    async with ledger() as other, Vendor(thing, cache=ledger(), clock=clock) as vendor:
        call = CallPreparer(vendor.get).call("a")
        spec = LookupSpec(call.key, "thing.get", b'"a"')
        await other.announce(spec, Send(lookup=0, n=0, price=2, now=0))
        hurried, long = vendor.with_options(deadline=2.0), vendor.with_options(deadline=150.0)
        moments: list[float] = []

        async def timed(client: Vendor) -> None:
            try:
                await client.get("a")
            finally:
                moments.append(clock.now())

        found = await gathered(*[lambda c=c: timed(c) for c in (hurried, vendor, long)])
        assert [type(one) for one in found] == [BusyError] * 3
        assert {one.key for one in found} == {call.key.hex()}
        assert [round(moment) for moment in moments] == [2, 120, 150]
        assert not vendor.script.sent


async def test_max_age_buys_again_and_waits(ledger: Open) -> None:
    clock = Skipping()
    sizes = iter(range(100))

    def answer(outgoing: HttpRequest) -> Any:
        return reply(200, {"id": "a", "size": next(sizes)})

    async with Vendor(answer, cache=ledger(), clock=clock) as vendor:
        assert (await vendor.get("a")).size == 0
        clock.time += 3600
        fresh = vendor.with_options(max_age=60.0)
        assert (await vendor.get("a")).size == 0
        found = await gathered(*[lambda: fresh.get("a")] * 5)
        assert {one.size for one in found} == {1}
        assert (await vendor.get("a")).size == (await fresh.get("a")).size == 1
        assert len(vendor.script.sent) == 2
        assert stats(vendor)[2] == 2


async def test_max_age_of_a_listing(ledger: Open) -> None:
    clock = Skipping()
    numbers = iter(range(100))

    def answer(outgoing: HttpRequest) -> Any:
        start = int(outgoing.target.partition("start=")[2].partition("&")[0] or 0)
        paging = {"total": 3, "count": 1, "start": start}
        return reply(200, {"things": [{"id": f"{next(numbers)}"}], "paging": paging})

    options: dict[str, Any] = {"clock": clock, "cache_searches": True, "retry": ONCE}
    async with Vendor(answer, cache=ledger(), **options) as vendor:
        fresh = vendor.with_options(max_age=60.0)

        async def listed(vendor: Any) -> list[int]:
            return [int(one.id) for one in await vendor.list("q").collect()]

        assert await listed(vendor) == await listed(fresh) == [0, 1, 2]
        clock.time += 3600
        assert await listed(vendor) == [0, 1, 2]
        pages = fresh.list("q")
        assert (await anext(pages)).id == "3"
        assert await listed(vendor) == [0, 1, 2], "the older one, until the newer one is complete"
        vendor.script.answers = [refused(500, "api_error"), answer]
        with pytest.raises(ServerError):
            await anext(pages)
        assert await listed(fresh) == [3, 4, 5], "it goes on where it stands"
        assert await listed(vendor) == [3, 4, 5]
        clock.time += 3600
        vendor.script.answers = [refused(500, "api_error"), answer]
        assert await listed(fresh) == [3, 4, 5], "all of the older one"
        assert len(vendor.script.sent) == 8


async def test_an_answer_that_is_too_old_stands_where_no_newer_one_comes(ledger: Open) -> None:
    clock = Skipping()
    async with Vendor(thing, refused(500, "api_error"), cache=ledger(), clock=clock) as vendor:
        await vendor.get("a")
        clock.time += 3600
        answer = await vendor.with_options(max_age=60.0).answer("a")
        assert (answer.value.id, answer.stale, answer.cached) == ("a", True, True)
        assert len(vendor.script.sent) == 5
        assert not (await vendor.answer("a")).stale


async def test_a_map_goes_through_the_cache(tmp_path: Path) -> None:
    async with Vendor(thing, cache=tmp_path / "ledger.db") as vendor:
        await vendor.get("a")
        got = [one async for one in bulk.map(vendor.get, ["a", "b", "b"], ordered=True)]
        assert [(one.value.id, one.cached) for one in got if one.value] == [
            ("a", True),
            ("b", False),
            ("b", True),
        ]
        assert sum(one.credits for one in got) == sum(one.attempts for one in got) * 2 == 2
        assert len(vendor.script.sent) == 2
    async with Vendor(listing, cache=tmp_path / "ledger.db", cache_searches=True) as vendor:
        for _ in range(2):
            (outcome,) = [one async for one in bulk.map(vendor.list, ["q"])]
            assert len(outcome.value or ()) == 4
        assert len(vendor.script.sent) == 4


async def test_a_map_that_is_left_gives_up_what_was_not_sent(tmp_path: Path) -> None:
    rate = RateLimit(1, per=30.0)
    options: dict[str, Any] = {"cache": tmp_path / "l", "clock": VirtualClock()}
    async with Vendor(thing, rate_limit=rate, **options) as vendor:
        async with bulk.map(vendor.get, ["a", "b", "c"], concurrency=3) as outcomes:
            async for _ in outcomes:
                break
        assert len(vendor.script.sent) == 1


async def test_a_refresh_that_fails_is_not_repeated_by_each_caller(tmp_path: Path) -> None:
    clock = Skipping()
    options: dict[str, Any] = {"cache": tmp_path / "ledger.db", "clock": clock, "retry": ONCE}
    async with Vendor(thing, refused(500, "api_error"), **options) as vendor:
        await vendor.get("a")
        clock.time += 3600
        fresh = vendor.with_options(max_age=60.0)
        found = await gathered(*[lambda: fresh.answer("a")] * 20)
        assert [(one.value.id, one.stale) for one in found] == [("a", True)] * 20
        assert len(vendor.script.sent) == 2


async def test_an_unexpected_error_is_raised_to_all(tmp_path: Path) -> None:
    async with Vendor(ValueError("a bug"), thing, cache=tmp_path / "ledger.db") as vendor:
        found = await gathered(*[lambda: vendor.get("a")] * 3)
        assert [type(one) for one in found] == [ValueError] * 3
        assert (await vendor.get("a")).id == "a"


async def test_hits_and_shared_answers_are_events(tmp_path: Path) -> None:
    sources: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, CacheHit):
            sources.append(event.source)

    async with Vendor(thing, cache=tmp_path / "ledger.db", on_event=note) as vendor:
        await gathered(*[lambda: vendor.get("a")] * 3)
        await vendor.get("a")
    assert sources == ["flight", "flight", "ledger"]


async def test_a_page_that_this_version_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with Vendor(listing, cache=path, cache_searches=True) as vendor:
        await vendor.list("q").collect()
        with sqlite3.connect(path) as database:
            database.execute("UPDATE answer SET body = ? WHERE page = 2", (b"[[1]]",))
        database.close()
        pages = vendor.list("q")
        with pytest.raises(DecodeError):
            await pages.collect()
        assert len(pages.collected) == 1
        with sqlite3.connect(path) as database:  # a page of an older version
            database.execute("UPDATE answer SET codec = 2 WHERE page = 2")
        database.close()
        assert len(await vendor.list("q").collect()) == 4
        assert len(vendor.script.sent) == 5


async def test_a_key_refused_without_words_is_asked_for_again(ledger: Open) -> None:
    """It may be a proxy's answer, so it says nothing about the input."""
    async with Vendor(reply(401, b""), thing, cache=ledger()) as vendor:
        with pytest.raises(AuthenticationError):
            await vendor.get("a")
        assert (await vendor.get("a")).id == "a"
    assert (len(vendor.script.sent), vendor.credits.total) == (2, 2)


async def test_a_listing_that_broke_off_goes_on_however_old_its_pages_are(ledger: Open) -> None:
    """Only a complete one is begun again: its first pages are paid for once."""
    clock = Skipping()
    options: dict[str, Any] = {"clock": clock, "cache_searches": True, "retry": ONCE}
    async with Vendor(listing, reply(503), listing, cache=ledger(), **options) as vendor:
        fresh = vendor.with_options(max_age=60.0)
        with pytest.raises(ServerError):
            await fresh.list("q").collect()
        clock.time += 3600.0
        assert len(await fresh.list("q").collect()) == 4
    assert vendor.credits.total == 4
