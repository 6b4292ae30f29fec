"""Cancelled at any await: what was charged is handed out once, now or by the next run."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sample_provider import LOST, THING, SampleClient, Thing, ThingParams, reply, settle

from lix_async import bulk
from lix_async.bulk import SqliteStore
from lix_async.core.wire import HttpRequest
from lix_async.engine.pages import Pages

from .test_run import LIST, ListParams, Vendor, drained

pytestmark = pytest.mark.anyio
NAMES = [f"n{number}" for number in range(4)]
MOST = 400
"""More awaits than any of these ways has."""


class Server(SampleClient):
    """Counts what it charges, and takes a while to answer."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.charged: Counter[str] = Counter()

    async def answer(self, outgoing: HttpRequest) -> Any:
        await anyio.lowlevel.checkpoint()
        name = outgoing.target.rsplit("/", 1)[-1]
        self.charged[name] += 1
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        if "list" in name:
            start = int(name.partition("start=")[2].partition("&")[0] or 0)
            rows = [{"id": f"{start}"}]
            return reply(200, {"things": rows, "paging": {"total": 4, "count": 1, "start": start}})
        return reply(200, {"id": name, "size": 1})

    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value

    def list(self, q: str, prefetch: int = 0) -> Pages[Thing]:
        return self.pages(LIST, ListParams(q=q), prefetch=prefetch)


class Cut:
    """Cancels what runs in it at its k-th await, through the scope or as asyncio does.

    As asyncio does `native` times: at the next awaits again.
    """

    def __init__(self, at: int, native: int) -> None:
        self.at, self.native = at, native
        self.awaits = 0
        self.reached = False

    async def __call__(self, work: Callable[[], Awaitable[None]]) -> None:
        if self.native:
            task = asyncio.ensure_future(self._counted(work))
            self.cancel: Callable[[], object] = task.cancel
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()
        else:
            with anyio.CancelScope() as scope:
                self.cancel = scope.cancel
                await self._counted(work)

    def _counted(self, work: Callable[[], Awaitable[None]]) -> Any:
        return Steps(work(), self)


class Steps:
    """A coroutine that is cancelled while it waits for the k-th time."""

    def __init__(self, work: Awaitable[None], cut: Cut) -> None:
        self._work, self._cut = work, cut

    def __await__(self) -> Any:
        inner, value, error = self._work.__await__(), None, None
        while True:
            try:
                found = inner.send(value) if error is None else inner.throw(error)
            except StopIteration:
                return
            self._cut.awaits += 1
            if 0 <= self._cut.awaits - self._cut.at < (self._cut.native or 1):
                self._cut.reached = True
                self._cut.cancel()
            value = error = None
            try:
                value = yield found
            except BaseException as thrown:  # given to the coroutine
                error = thrown


class Stream:
    """Inputs that come one by one. No generator: those have to be closed by whoever made them."""

    def __init__(self) -> None:
        self.names = iter(NAMES)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> str:
        await anyio.lowlevel.checkpoint()
        for name in self.names:
            return name
        raise StopAsyncIteration


Way = Callable[[Server, Path, list[Any]], Awaitable[None]]


async def in_a_bare_loop(server: Server, path: Path, got: list[Any]) -> None:
    async with server:
        await drained(bulk.Run(path, server.get, NAMES, concurrency=2), got)


async def in_the_block_of_the_run(server: Server, path: Path, got: list[Any]) -> None:
    async with bulk.Run(path, server.get, NAMES, concurrency=2) as run:
        await drained(run, got)


async def of_listings(server: Server, path: Path, got: list[Any]) -> None:
    async with bulk.Run(path, server.list, ["a", "b"], concurrency=2) as run:
        await drained(run, got)


async def in_a_block_that_is_left_early(server: Server, path: Path, got: list[Any]) -> None:
    async with server, bulk.Run(path, server.get, NAMES, concurrency=2) as run:
        async for outcome in run:
            got.append(outcome)
            break


async def of_a_stream(server: Server, path: Path, got: list[Any]) -> None:
    async with bulk.Run(path, server.get, Stream(), concurrency=2) as run:
        await drained(run, got)


async def in_a_chunk(server: Server, path: Path, got: list[Any]) -> None:
    async with SqliteStore(path) as store:
        got += await bulk.chunk(store, server.get, NAMES, concurrency=2)


NATIVE = [
    pytest.param(0, id="scope"),
    pytest.param(1, id="native"),
    pytest.param(3, id="native again"),
]


async def cuts(native: int) -> AsyncIterator[Cut]:
    """One for each await, until the work ends before it comes to that many."""
    if native and asyncio_is_missing():
        pytest.skip("trio has only scopes")
    for at in range(1, MOST):
        cut = Cut(at, native)
        yield cut
        if not cut.reached:
            assert at > 2
            return
    raise AssertionError("it does not end")


def asyncio_is_missing() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


@pytest.mark.parametrize("native", NATIVE)
@pytest.mark.parametrize(
    "way",
    [
        in_a_bare_loop,
        in_the_block_of_the_run,
        in_a_block_that_is_left_early,
        of_listings,
        of_a_stream,
        in_a_chunk,
    ],
)
async def test_a_cancelled_run(tmp_path: Path, way: Way, native: int) -> None:
    async for cut in cuts(native):
        path, server, got = tmp_path / f"{cut.at}.db", Server(), list[Any]()
        with anyio.fail_after(30):
            await cut(lambda: way(server, path, got))  # noqa: B023
            before = Counter(outcome.input for outcome in got if outcome.state == "done")
            assert len(got) == before.total() == len(before), (cut.at, got)
            async with SqliteStore(path) as store:
                counts = await store.counts()
                assert (counts.in_doubt, counts.sent, counts.maybe) == (0, 0, 0), cut.at
                charged = server.charged.total()
                assert counts.credits == charged * (1 if way is of_listings else 2)
                method, inputs = (
                    (server.list, ["a", "b"]) if way is of_listings else (server.get, NAMES)
                )
                rest = await drained(bulk.Run(store, method, inputs, concurrency=2))
        assert [(one.state, one.credits * one.cached) for one in rest] == [("done", 0)] * len(rest)
        assert sorted(one.input for one in rest) == sorted(inputs)
        assert set(server.charged.values()) == {1}, (cut.at, server.charged)
        assert set(before) <= {one.input for one in rest if one.cached}


async def test_pages_of_listings_that_are_left_are_on_the_bill(tmp_path: Path) -> None:
    class Slow(Server):
        left = False

        async def answer(self, outgoing: HttpRequest) -> Any:
            while "q=0" not in outgoing.target and not self.left:
                await anyio.lowlevel.checkpoint()
            return await super().answer(outgoing)

    server = Slow()
    path, inputs = tmp_path / "ledger.db", ["0", "1", "2"]
    async with bulk.Run(path, server.list, inputs, concurrency=3) as run:
        async for _ in run:
            server.left = True
            break
    assert server.charged.total() == 4 + 2, "the pages of one, and two that were on their way"
    assert run.progress().credits == server.credits.total == 6


@pytest.mark.parametrize("native", NATIVE)
@pytest.mark.parametrize("durable", [True, False])
async def test_a_cancelled_step_of_a_loop(tmp_path: Path, durable: bool, native: int) -> None:
    async for cut in cuts(native):
        server, got = Server(), list[Any]()
        run = (
            bulk.Run(tmp_path / f"{cut.at}.db", server.get, NAMES, concurrency=2)
            if durable
            else bulk.map(server.get, NAMES, concurrency=2)
        )

        async def steps() -> None:
            async for outcome in run:  # noqa: B023
                got.append(outcome)  # noqa: B023

        with anyio.fail_after(30):
            await cut(steps)
            await drained(run, got)
            await run.aclose()
        assert sorted(one.input for one in got) == NAMES, cut.at
        assert server.charged == Counter(NAMES), cut.at


@pytest.mark.parametrize("native", NATIVE)
async def test_a_cancelled_map_sends_no_more(native: int) -> None:
    async for cut in cuts(native):
        server, got = Server(), list[Any]()

        async def work() -> None:
            async with bulk.map(server.get, NAMES, concurrency=2) as outcomes:  # noqa: B023
                await drained(outcomes, got)  # noqa: B023

        with anyio.fail_after(30):
            await cut(work)
        charged = server.charged.total()
        assert charged <= len(got) + 4, "two in flight, and two that wait to be taken"
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        assert server.charged.total() == charged


@pytest.mark.parametrize("prefetch", [None, 0, 1])
@pytest.mark.parametrize("native", NATIVE)
async def test_a_cancelled_listing(native: int, prefetch: int | None) -> None:
    """With a block and without one; it may be continued from its checkpoint, or as it is."""
    async for cut in cuts(native):
        server, got = Server(), list[Any]()
        pages = server.list("q", prefetch=prefetch or 0)

        async def work() -> None:
            async with contextlib.nullcontext() if prefetch is None else pages:  # noqa: B023
                async for item in pages:  # noqa: B023
                    got.append(item.id)  # noqa: B023

        with anyio.fail_after(30):
            await cut(work)
            resumed = server.pages(LIST, ListParams(q="q"), resume=pages.checkpoint)
            got += [item.id async for item in (pages if cut.at % 2 else resumed)]
        assert got == ["0", "1", "2", "3"], cut.at
        assert set(server.charged.values()) == {1}, (cut.at, server.charged)


async def test_an_attempt_that_fails_is_not_repeated_for_a_consumer_that_has_left() -> None:
    may_answer = anyio.Event()

    async def answer(outgoing: HttpRequest) -> Any:
        await may_answer.wait()
        return LOST

    vendor = Vendor(answer)
    outcomes = bulk.map(vendor.get, NAMES, concurrency=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drained, outcomes)
        await settle(20)
        tasks.start_soon(outcomes.aclose)
        await settle(20)
        may_answer.set()
    assert len(vendor.script.sent) == 1


async def test_a_request_that_is_cancelled_before_it_leaves_is_not_in_doubt(
    tmp_path: Path,
) -> None:
    """As while the connection is made: nothing was sent, so nothing was paid."""
    connecting = anyio.Event()

    async def hang(outgoing: HttpRequest) -> Any:
        connecting.set()
        await anyio.sleep_forever()

    client = Server()
    client.script.answers = [hang]
    client.script.departs = False
    run = bulk.Run(tmp_path / "l.db", client.get, ["a"])

    async def go() -> None:
        async with run:
            async for _ in run:
                pass

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go)
        await connecting.wait()
        tasks.cancel_scope.cancel()
    async with SqliteStore(tmp_path / "l.db") as store:
        counts = await store.counts()
        assert (counts.pending, counts.in_doubt, counts.maybe) == (1, 0, 0)
        client.script.answers, client.script.departs = [client.answer], True
        outcomes = [outcome async for outcome in bulk.Run(store, client.get, ["a"])]
    assert [outcome.state for outcome in outcomes] == ["done"]
    assert client.charged.total() == 1
