"""Bounded work over a stream of inputs: never a task for each, never more answers than asked for.

Workers take inputs one at a time and hand each outcome over before they take the next, so a slow
consumer slows the whole pool down instead of filling the memory.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

import anyio

from ..core.errors import ConfigurationError
from ..core.validation import check_type
from .background import BackgroundTask

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

I = TypeVar("I")  # noqa: E741  # an input
O = TypeVar("O")  # noqa: E741  # an outcome
GRACE = 5.0
"""Seconds that calls in flight get to end by themselves when the pool is closed."""


class WorkerGroup(Generic[I, O]):
    """The workers, and what they have ready. They know nothing of who takes their outcomes.

    `ordered` hands outcomes over in the order of the inputs; finished ones wait for those before
    them, at most `concurrency` at a time. `before` is awaited first of all, `after` at the end of
    a crew whose taker went away; `left` is told of each outcome that nobody took.

    An exception (from the inputs or from `work`) stops the crew; it is raised after what was in
    flight has ended and was handed over.
    """

    def __init__(
        self,
        work: Callable[[I], Awaitable[O | None]],
        take: Callable[[], Awaitable[tuple[int, I]]],
        concurrency: int,
        *,
        ordered: bool = False,
        before: Callable[[], Awaitable[None]] | None = None,
        after: Callable[[], Awaitable[None]] | None = None,
        left: Callable[[O], None] | None = None,
    ) -> None:
        check_type("concurrency", concurrency, int)
        if concurrency < 1:
            raise ConfigurationError(f"concurrency must be at least 1: {concurrency}")
        self._work = work
        self._take = take
        self._concurrency = concurrency
        self._ordered = ordered
        self._before = before
        self._after = after
        self._left = left
        self._dropped = False
        self._background: BackgroundTask | None = None
        self._send: MemoryObjectSendStream[list[O]] | None = None
        self._receive: MemoryObjectReceiveStream[list[O]] | None = None
        self.received: deque[O] = deque()
        """Outcomes that came together with the one that was handed out last."""
        self._error: BaseException | None = None
        self._stopping = False
        self._idle: set[anyio.CancelScope] = set()
        self._turn = 0
        self._moved: anyio.Event | None = None
        self.in_flight = 0

    @property
    def stopping(self) -> bool:
        """Whether no further input is taken."""
        return self._stopping

    def stop(self) -> None:
        """Take no further input. Calls in flight end and are handed over."""
        self._stopping = True
        for scope in self._idle:
            scope.cancel()

    @contextmanager
    def idle(self) -> Generator[None, None, None]:
        """A block that only waits: `stop` leaves it at once."""
        scope = anyio.CancelScope()
        if self._stopping:
            scope.cancel()
        self._idle.add(scope)
        try:
            with scope:
                yield
        finally:
            self._idle.discard(scope)

    async def next(self) -> O:
        """The next outcome; `StopAsyncIteration` when there are no more."""
        if self.received:
            return self.received.popleft()
        if self._background is None:
            self._send, self._receive = anyio.create_memory_object_stream[list[O]](0)
            self._moved = anyio.Event() if self._ordered else None
            self._background = BackgroundTask(self._run)
        assert self._receive is not None  # made together with the background task
        try:
            self.received.extend(await self._receive.receive())
            return self.received.popleft()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            self._receive.close()
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopAsyncIteration

    async def hand_over(self, outcomes: list[O]) -> None:
        """Hand out outcomes that need no work, from within `take`: many at once cost little."""
        assert self._send is not None  # made together with the background task
        if not outcomes:
            return
        try:
            await self._send.send(outcomes)
        except anyio.BrokenResourceError:  # whoever took them has gone away
            self._untaken(outcomes)

    def _untaken(self, outcomes: list[O]) -> None:
        if self._left is not None:
            for outcome in outcomes:
                self._left(outcome)

    async def aclose(self, grace: float = GRACE) -> None:
        """Take no further input, give calls in flight `grace` seconds, then cancel the rest."""
        self.stop()
        if self._background is None or self._receive is None:
            return
        try:
            with anyio.move_on_after(grace), contextlib.suppress(anyio.ClosedResourceError):
                async for outcomes in self._receive:  # closed when the inputs were used up
                    self._untaken(outcomes)
        finally:  # also where it is closed because its block was cancelled
            await self._background.cancel()
            self._receive.close()

    def drop(self) -> None:
        """Whoever took the outcomes has gone away without a word, in whatever thread.

        No further input is taken. Calls in flight end, and `after` follows them; without an
        `after` nobody would keep what they bring, so they are cancelled.
        """
        if self._background is not None:
            self._background.call_soon(self._drop)

    def _drop(self) -> None:
        self._dropped = True
        self.stop()
        if self._receive is not None:
            self._receive.close()
        if self._after is None and self._background is not None:
            self._background.end()

    async def _run(self) -> None:
        assert self._send is not None  # made together with the background task
        try:
            if self._before is not None:
                await self._before()
            async with anyio.create_task_group() as tasks:
                for _ in range(self._concurrency):
                    tasks.start_soon(self._worker)
        except Exception as error:  # noqa: BLE001  # handed to the consumer
            self._error = self._error or error
        finally:
            self._send.close()
            if self._dropped and self._after is not None:
                with contextlib.suppress(Exception):  # there is nobody to be told
                    await self._after()

    async def _worker(self) -> None:
        while not self._stopping:
            try:
                if not await self._one():
                    return
            except Exception as error:  # noqa: BLE001  # handed to the consumer, after the rest
                self._error = self._error or error
                self.stop()

    async def _next(self) -> tuple[int, I] | None:
        with self.idle():
            try:
                return await self._take()
            except StopAsyncIteration:
                pass
        return None

    async def _one(self) -> bool:
        """One input from beginning to end. False when there is none, or no more are wanted."""
        job = await self._next()
        if job is None:
            return False
        number, given = job
        outcome: O | None = None
        failure: Exception | None = None
        self.in_flight += 1
        try:
            outcome = await self._work(given)
        except Exception as error:  # noqa: BLE001  # raised below: those behind it must not hang
            failure = error
        finally:
            self.in_flight -= 1
        while self._ordered and self._turn != number and self._moved is not None:
            await self._moved.wait()
        if outcome is not None:
            await self.hand_over([outcome])
        if self._moved is not None:
            self._turn += 1
            moved, self._moved = self._moved, anyio.Event()
            moved.set()
        if failure is not None:
            raise failure
        return True


class WorkerPool(Generic[I, O]):
    """An async iterator over the outcomes of `work`, done by `concurrency` workers.

    Use it with `async with`, or bare: then the workers live beside the event loop until the
    inputs are used up, or until nobody holds the iterator any more.
    """

    def __init__(
        self,
        work: Callable[[I], Awaitable[O | None]],
        take: Callable[[], Awaitable[tuple[int, I]]],
        concurrency: int,
        *,
        ordered: bool = False,
    ) -> None:
        self._crew: WorkerGroup[I, O] = WorkerGroup(work, take, concurrency, ordered=ordered)

    def __aiter__(self) -> AsyncIterator[O]:
        return self

    def __anext__(self) -> Awaitable[O]:
        return self._crew.next()

    def __del__(self) -> None:
        if (crew := getattr(self, "_crew", None)) is not None:
            crew.drop()

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self._crew.in_flight

    def stop(self) -> None:
        """Take no further input. Calls in flight end and are handed over."""
        self._crew.stop()

    async def aclose(self, grace: float = GRACE) -> None:
        """Take no further input, give calls in flight `grace` seconds, then cancel the rest."""
        await self._crew.aclose(grace)


class InputStream(Generic[I]):
    """Inputs one at a time, from anything that can be iterated, by many tasks."""

    def __init__(self, inputs: Iterable[I] | AsyncIterable[I]) -> None:
        self._plain: Iterator[I] | None = None
        self._async: AsyncIterator[I] | None = None
        if isinstance(inputs, AsyncIterable):
            self._async = aiter(inputs)
        else:
            self._plain = iter(inputs)
        self._lock: anyio.Lock | None = None
        self.taken = 0
        self.ended = False

    @property
    def plain(self) -> bool:
        """Whether nobody has to be waited for."""
        return self._plain is not None

    def many(self, most: int) -> list[I]:
        """The next inputs of a plain iterable; none when there are no more."""
        assert self._plain is not None  # see `plain`
        found = [] if self.ended else list(itertools.islice(self._plain, most))
        self.ended = len(found) < most
        self.taken += len(found)
        return found

    async def next(self) -> tuple[int, I]:
        """The next input and its number, or `StopAsyncIteration`."""
        if self._lock is None:
            self._lock = anyio.Lock(fast_acquire=True)
        async with self._lock:
            if self.ended:
                raise StopAsyncIteration
            try:
                found = next(self._plain) if self._plain is not None else await self._awaited()
            except (StopIteration, StopAsyncIteration):
                self.ended = True
                raise StopAsyncIteration from None
            self.taken += 1
            return self.taken - 1, found

    async def _awaited(self) -> I:
        assert self._async is not None  # one of the two is there
        return await anext(self._async)
