"""A bounded number of workers over a stream of inputs.

Each worker takes one input at a time and delivers its outcome before it takes the next, so a slow
consumer slows the workers down instead of filling the memory. All of it runs on one event loop;
only `drop` may be called from another thread.
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
import anyio.lowlevel

from ..core.errors import BulkError, ConfigurationError, combined
from ..core.validation import check_type
from .background import BackgroundTask
from .event_loop import WaitableEvent, new_event, raisable, running_loop

if TYPE_CHECKING:
    from .event_loop import Loop

I = TypeVar("I")  # noqa: E741  # an input
O = TypeVar("O")  # noqa: E741  # an outcome
GRACE = 5.0
"""Seconds that calls in flight get to end by themselves when the pool is closed."""


class CallScope:
    """A block for calls: given up when its consumer leaves, unless a request is on its way.

    It can be the hooks of the call: what has not been sent is not sent, and what has been sent is
    waited for.
    """

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.left = False
        """Whether its consumer has left."""
        self.on_its_way = False
        self.attempts = 0
        """Requests that were sent, or were about to be."""
        self.uncounted = 0
        """Credits of their answers, until whoever makes the calls has counted them."""

    def leave(self) -> None:
        """Give the call up, or what comes after the request that is on its way."""
        self.left = True
        if not self.on_its_way:
            self.scope.cancel()

    async def departing(self) -> None:
        """The request is about to be sent; this does not return where it must not be."""
        if self.left:
            self.scope.cancel()
            await anyio.lowlevel.checkpoint()
        self.on_its_way = True
        self.attempts += 1

    def departed(self) -> None:
        """The first byte is sent."""

    async def received(self, response: object) -> None:
        """A complete answer was received. Reading it awaits nothing; another attempt would."""
        self.on_its_way = False
        if self.left:
            self.scope.cancel()


class WorkerGroup(Generic[I, O]):
    """Workers, and the outcomes that they have ready for a consumer.

    An exception of `work` stops the workers. It is raised after the calls in flight have ended and
    their outcomes were delivered, with the `unsaved` outcomes of all of them.

    Args:
        work: Makes an outcome of an input; None: there is nothing to deliver. Its scope is
            cancelled when the consumer leaves while nothing is on its way.
        take: Returns the next input with its number, or raises `StopAsyncIteration`.
        concurrency: The number of workers.
        take_ready: Returns the next input with its number where that needs no waiting, else None.
        ordered: Deliver outcomes in the order of the inputs. Finished ones wait for those before
            them, at most `concurrency` at a time.
        before: Awaited before the first input is taken.
        after: Awaited at the end of workers whose consumer was dropped.
        on_undelivered: Called with each outcome that no consumer received.

    Raises:
        ConfigurationError: `concurrency` is not a whole number of at least 1.

    """

    def __init__(
        self,
        work: Callable[[I, CallScope], Awaitable[O | None]],
        take: Callable[[], Awaitable[tuple[int, I]]],
        concurrency: int,
        *,
        take_ready: Callable[[], tuple[int, I] | None] = lambda: None,
        ordered: bool = False,
        before: Callable[[], Awaitable[None]] | None = None,
        after: Callable[[], Awaitable[None]] | None = None,
        on_undelivered: Callable[[O], None] | None = None,
    ) -> None:
        check_type("concurrency", concurrency, int)
        if concurrency < 1:
            raise ConfigurationError(f"concurrency must be at least 1, not {concurrency}")
        self._work = work
        self._take = take
        self._take_ready = take_ready
        self._concurrency = concurrency
        self._ordered = ordered
        self._before = before
        self._after = after
        self._on_undelivered = on_undelivered
        self._dropped = self._closed = False
        self._background: BackgroundTask | None = None
        self._loop: Loop | None = None
        self._ready: deque[tuple[O, WaitableEvent | None]] = deque()
        """Outcomes; the last one of those delivered together has the event that it was taken."""
        self._arrived: anyio.Event | None = None
        self._ended = False
        self._error: BaseException | None = None
        self._stopping = False
        self._idle: set[CallScope] = set()
        self._scopes: set[CallScope] = set()
        """The block of each worker: one for all its calls, since making one costs as much as a
        call's other bookkeeping."""
        self._next_number = 0
        self._order_changed: anyio.Event | None = None
        self.in_flight = 0

    def stop(self) -> None:
        """Take no more inputs. Calls in flight end, and their outcomes are delivered."""
        self._stopping = True
        for call in self._idle:
            call.scope.cancel()

    def release(self) -> None:
        """Take no more inputs, and give up the calls of which no request is on its way.

        The outcomes of the others are delivered, as are those that are there.
        """
        self.stop()
        for call in self._scopes:
            call.leave()

    @contextmanager
    def idle(self, call: CallScope) -> Generator[None, None, None]:
        """A block that only waits, and that `stop` cancels, with its worker."""
        self._begin_idle(call)
        try:
            yield
        finally:
            self._idle.discard(call)

    def _begin_idle(self, call: CallScope) -> None:
        if self._stopping:
            call.scope.cancel()
        self._idle.add(call)

    async def next(self) -> O:
        """Return the next outcome; the first call starts the workers.

        Raises:
            StopAsyncIteration: There are no more.

        """
        if self._background is None:
            self._order_changed = anyio.Event() if self._ordered else None
            self._loop = running_loop()
            self._background = BackgroundTask(self._run)
        while not self._ready:
            if self._ended:
                error, self._error = self._error, None
                if error is not None:
                    raise error
                raise StopAsyncIteration
            if self._arrived is None or self._arrived.is_set():
                self._arrived = anyio.Event()
            await self._arrived.wait()
        # No await between here and the caller: a cancellation leaves the outcome where it is.
        outcome, taken = self._ready.popleft()
        if taken is not None:
            taken.set()
        return outcome

    async def deliver(self, outcomes: list[O]) -> None:
        """Make outcomes available, and wait until the consumer has taken them.

        Called by `take` as well, for inputs that need no work, many at once.
        """
        if not outcomes:
            return
        taken = new_event(self._loop)
        if len(outcomes) > 1:
            self._ready.extend((outcome, None) for outcome in outcomes[:-1])
        self._ready.append((outcomes[-1], taken))
        self._wake_consumer()
        if not (self._dropped or self._closed):
            await taken.wait()

    def _wake_consumer(self) -> None:
        if self._arrived is not None:
            self._arrived.set()

    def _wake_workers(self) -> None:
        """Wait for the consumer no more, nor for outcomes that come before in the order."""
        if self._order_changed is not None:
            self._order_changed.set()
        for _, taken in self._ready:
            if taken is not None:
                taken.set()

    def _report_undelivered(self) -> None:
        while self._ready:
            outcome, _ = self._ready.popleft()
            if self._on_undelivered is not None:
                self._on_undelivered(outcome)

    async def aclose(self, grace: float = GRACE) -> None:
        """Send no more, give requests on their way `grace` seconds, then cancel the rest.

        They get that time also where the caller is cancelled: they are paid for.

        Raises:
            BulkError: Answers that were paid could not be saved; see its `unsaved`.
        """
        self._closed = True
        self._leave()
        if self._background is None:
            return
        self._background.end(grace)
        try:
            await self._background.join()  # however often the caller is cancelled
        finally:
            self._report_undelivered()
        error, self._error = self._error, None
        if isinstance(error, BulkError) and error.unsaved:
            raise error

    def drop(self) -> None:
        """Stop because the consumer was garbage collected, in whatever thread that happened.

        Calls in flight end, followed by `after`. Without `after` nothing would save their
        outcomes, so they are cancelled.
        """
        if self._background is not None:
            self._background.call_soon(self._drop)

    def _drop(self) -> None:
        self._dropped = True
        self._leave()
        if self._after is None and self._background is not None:
            self._background.end()

    def _leave(self) -> None:
        self.release()
        self._wake_workers()

    async def _run(self) -> None:
        try:
            if self._before is not None:
                await self._before()
            async with anyio.create_task_group() as tasks:
                for _ in range(self._concurrency):
                    tasks.start_soon(self._worker)
        except BaseException as error:  # noqa: BLE001  # raised to the consumer
            self._fail(error)
        finally:
            self._ended = True
            self._wake_consumer()
            if self._dropped:
                self._report_undelivered()
            if self._dropped and self._after is not None:
                with contextlib.suppress(Exception):  # there is no consumer to raise it to
                    await self._after()

    async def _worker(self) -> None:
        call = CallScope()
        self._scopes.add(call)
        with call.scope:
            while not self._stopping:
                try:
                    if not await self._run_one(call):
                        break
                except BaseException as error:  # noqa: BLE001  # raised to the consumer at the end
                    self._fail(error)
        self._scopes.discard(call)

    def _fail(self, error: BaseException) -> None:
        self._error = combined(self._error, raisable(error))
        self.stop()

    async def _run_one(self, call: CallScope) -> bool:
        """Process one input. False if there was none, or no more are taken."""
        job = self._take_ready()
        if job is None:
            self._begin_idle(call)
            try:
                job = await self._take()
            except StopAsyncIteration:
                return False
            finally:
                self._idle.discard(call)
        number, value = job
        del job  # while it is worked on, each object that is kept makes garbage collection dearer
        outcome: O | None = None
        failure: BaseException | None = None
        self.in_flight += 1
        call.attempts = call.uncounted = 0
        try:
            outcome = await self._work(value, call)
        except BaseException as error:  # noqa: BLE001  # raised below: others wait for this place
            failure = raisable(error)
        finally:
            self.in_flight -= 1
        call.on_its_way = True  # an outcome that is there is delivered
        while self._next_number != number and self._order_changed is not None and not call.left:
            await self._order_changed.wait()
        if outcome is not None:
            await self.deliver([outcome])
        call.on_its_way = False
        if self._order_changed is not None:
            self._next_number += 1
            changed, self._order_changed = self._order_changed, anyio.Event()
            changed.set()
        if failure is not None:
            raise failure
        return True


class WorkerPool(Generic[I, O]):
    """An async iterator over the outcomes of `work`, computed by `concurrency` workers.

    The workers run in a background task until the inputs are used up, the pool is closed, or the
    iterator is garbage collected. What the inputs end with is raised after their outcomes.
    """

    def __init__(
        self,
        work: Callable[[I, CallScope], Awaitable[O | None]],
        inputs: InputStream[I],
        concurrency: int,
        *,
        ordered: bool = False,
    ) -> None:
        self._inputs = inputs
        self._group: WorkerGroup[I, O] = WorkerGroup(
            work, inputs.next, concurrency, ordered=ordered
        )

    def __aiter__(self) -> AsyncIterator[O]:
        return self

    async def __anext__(self) -> O:
        try:
            return await self._group.next()
        except StopAsyncIteration:
            self._inputs.raise_failure()
            raise

    def __del__(self) -> None:
        if (group := getattr(self, "_group", None)) is not None:  # None after a failed __init__
            group.drop()

    @property
    def in_flight(self) -> int:
        """The number of calls in flight."""
        return self._group.in_flight

    def stop(self) -> None:
        """Take no more inputs. Calls in flight end, and their outcomes are delivered."""
        self._group.stop()

    async def aclose(self, grace: float = GRACE) -> None:
        """Send no more, give requests on their way `grace` seconds, then cancel the rest."""
        await self._group.aclose(grace)


class InputStream(Generic[I]):
    """Inputs from any iterable, sync or async, taken one at a time by several tasks.

    An iterable that raises, whatever it is, has ended. `raise_failure` raises it, once the inputs
    before it are done.
    """

    def __init__(self, inputs: Iterable[I] | AsyncIterable[I]) -> None:
        self._sync: Iterator[I] | None = None
        self._async: AsyncIterator[I] | None = None
        if isinstance(inputs, AsyncIterable):
            self._async = aiter(inputs)
        else:
            self._sync = iter(inputs)
        self._lock: anyio.Lock | None = None
        self._failure: BaseException | None = None
        self.taken = 0
        self.ended = False

    @property
    def is_sync(self) -> bool:
        """Whether the next input is there without awaiting."""
        return self._sync is not None

    def take_many(self, most: int) -> list[I]:
        """The next inputs of a sync iterable: `most` of them, or all that are left."""
        assert self._sync is not None  # callers check `is_sync`
        found: list[I] = []
        if not self.ended:
            try:
                found.extend(itertools.islice(self._sync, most))
                self.ended = len(found) < most
            except BaseException as error:  # noqa: BLE001  # raised after what came before it
                self._failure, self.ended = raisable(error), True
        self.taken += len(found)
        return found

    async def next(self) -> tuple[int, I]:
        """Return the number of the next input and the input.

        Raises:
            StopAsyncIteration: There are no more.

        """
        if self._lock is None:
            self._lock = anyio.Lock(fast_acquire=True)
        async with self._lock:
            if self.ended:
                raise StopAsyncIteration
            try:
                found = next(self._sync) if self._sync is not None else await self._awaited()
            except (StopIteration, StopAsyncIteration):
                self.ended = True
            except BaseException as error:  # noqa: BLE001  # raised after what came before it
                self._failure, self.ended = raisable(error), True
            else:
                self.taken += 1
                return self.taken - 1, found
            raise StopAsyncIteration

    def raise_failure(self) -> None:
        """Raise what the inputs have ended with, once; without effect where they just ended."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _awaited(self) -> I:
        assert self._async is not None  # one of the two is there
        return await anext(self._async)
