"""Callers who come, leave and wait, and answers of every kind, in any order.

For each id: never two requests at the same time; none after its answer or refusal came; whoever has
stayed gets that answer, or an error that came while it waited; and the budget holds exactly.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_provider import LOST, Thing, refused, reply, settle

from lix_async.core.errors import (
    BudgetError,
    InDoubtError,
    LixError,
    NotFoundError,
    ServerError,
    TransportError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpRequest

from .test_cache import Moving, Vendor

PRICE = 2
Kind = Literal["answer", "refusal", "failure", "lost"]
NAMES = st.sampled_from("ab")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), NAMES),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("reply"), st.sampled_from(["answer", "refusal", "failure", "lost"])),
        st.tuples(st.just("wait"), st.integers(1, 60)),
    ),
    max_size=25,
)


class Scripted:
    """A server whose requests are answered one by one, as the history says."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, anyio.Event]] = []
        self.replies: dict[anyio.Event, Kind] = {}
        self.settled: set[str] = set()
        self.charged: Counter[str] = Counter()

    async def __call__(self, outgoing: HttpRequest) -> Any:
        name = outgoing.target.rsplit("/", 1)[-1]
        assert name not in self.settled, "it has been answered"
        assert all(other != name for other, _ in self.waiting), "it is being asked for"
        event = anyio.Event()
        self.waiting.append((name, event))
        try:
            await event.wait()
        finally:
            self.waiting.remove((name, event))
        kind = self.replies[event]
        self.charged[name] += PRICE * (kind in ("answer", "lost"))
        if kind in ("answer", "refusal"):
            self.settled.add(name)
        return {
            "answer": reply(200, {"id": name, "size": 1}),
            "refusal": refused(404, "not_found"),
            "failure": refused(500, "api_error"),
            "lost": LOST,
        }[kind]

    def reply(self, kind: Kind) -> None:
        for _, event in self.waiting[:1]:
            self.replies[event] = kind
            event.set()


class Caller:
    """One call, which may be left."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scope = anyio.CancelScope()
        self.left = False
        self.found: Thing | LixError | None = None

    @property
    def waits(self) -> bool:
        return self.found is None and not self.left

    async def run(self, vendor: Vendor) -> None:
        with self.scope:
            try:
                self.found = await vendor.get(self.name)
            except LixError as error:
                self.found = error


async def history(
    steps: list[tuple[str, Any]], limit: int, attempts: int, path: Path
) -> tuple[list[Caller], Scripted, Vendor]:
    server, callers = Scripted(), list[Caller]()
    retry = RetryPolicy(attempts=attempts)
    vendor = Vendor(server, cache=path, max_credits=limit, retry=retry, clock=Moving())
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks, vendor:
            for action, value in steps:
                if action == "call":
                    callers.append(Caller(value))
                    tasks.start_soon(callers[-1].run, vendor)
                elif action == "leave" and value < len(callers):
                    callers[value].left = True
                    callers[value].scope.cancel()
                elif action == "reply":
                    server.reply(value)
                else:
                    await settle(value)
            # Those that are still there get their answer.
            while vendor.cache.flights or any(one.waits for one in callers):
                server.reply("answer")
                await anyio.lowlevel.checkpoint()
    return callers, server, vendor


def check(callers: list[Caller], server: Scripted, vendor: Vendor, limit: int) -> None:
    for caller in callers:
        if caller.found is None:
            assert caller.left
        elif isinstance(caller.found, Thing):
            assert caller.found.id == caller.name
        else:
            expected = (BudgetError, NotFoundError, ServerError, TransportError, InDoubtError)
            assert isinstance(caller.found, expected)
    assert server.charged.total() <= limit
    assert vendor.credits.total + vendor.credits.lost == server.charged.total()
    assert not vendor.cache.flights


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=40, derandomize=True)
@given(steps=STEPS, limit=st.integers(0, 12), attempts=st.integers(1, 3))
def test_any_history(backend: str, steps: list[tuple[str, Any]], limit: int, attempts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work: Callable[[], Awaitable[Any]] = lambda: history(  # noqa: E731
            steps, limit, attempts, Path(folder) / "ledger.db"
        )
        found = anyio.run(work, backend=backend)
    check(*found, limit)
