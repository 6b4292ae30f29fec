"""One call from beginning to end: a turn, an exchange, a decode, a verdict; again if it helps.

The first attempt is made by hand; tenacity takes over after a failure, which is when it earns
its 20 µs. Every error is raised from one line in `Engine.send`, outside of any `except`, so that
tracebacks hold no frame that ever saw the key.
"""

from __future__ import annotations

import copy
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from ..concurrency.clock import Clock
from ..core import wire
from ..core.endpoint import Endpoint, P, check_params
from ..core.errors import (
    DailyLimitError,
    DeadlineError,
    LixError,
    NotFoundError,
    OutcomeUnknownError,
    QueuedError,
    RefusalError,
    TransportError,
)
from ..core.provider import Provider
from ..core.retry import RetryDelay, retry_after
from ..core.schema_drift import DriftDetector
from ..core.validation import check_type
from ..core.wire import HttpResponse
from ..limiters.base import Limiter
from ..limiters.keyed import estimated_wait, for_call, refund, report_delay
from .answer import Answer, credits_for, read_headers
from .credentials import KeyRedactor
from .credits import CreditBudget
from .observer import CallObservation, CallObserver
from .options import UNSET, CallOptions, reject_empty
from .transport import SendTimestamp, Transport, TransportFailure

R = TypeVar("R")


class AttemptHooks(Protocol):
    """Hears of each attempt of a call: how a ledger keeps account of what may be charged."""

    async def departing(self) -> None:
        """An attempt has its permit and is about to leave. What is raised here stops it."""

    def departed(self) -> None:
        """Its first byte leaves: from here on it may be charged."""

    async def received(self, reply: HttpResponse) -> None:
        """A complete answer came; nothing has looked at it yet. The key is redacted in it."""


class Engine:
    """Does all the waiting, for any provider. Limiter and connections are shared by its copies."""

    def __init__(
        self,
        provider: Provider,
        prefix: str,
        transport: Transport,
        limiter: Limiter | None,
        clock: Clock,
        settings: CallOptions,
        credits: CreditBudget,
        mask: KeyRedactor,
        radar: DriftDetector | None = None,
        watch: CallObserver | None = None,
    ) -> None:
        self.credits = credits
        self.radar = radar
        self.watch = watch
        self.provider = provider
        self.transport = transport
        self.limiter = limiter
        self.clock = clock
        self.settings = settings
        self._mask = mask
        self._prefix = prefix
        self._alternates: set[str] = set()

    def with_settings(self, settings: CallOptions) -> Engine:
        """The same engine, limiter and connections under other settings."""
        other = copy.copy(self)
        other.settings = settings
        return other

    def prepared(self, row: Endpoint[P, object], params: P) -> P:
        """The params as they will be sent: the client's defaults filled in, everything checked."""
        if not isinstance(row, Endpoint):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            check_type("endpoint", row, Endpoint)
        for name in self.settings.names:
            given: object = getattr(params, name, UNSET)
            reject_empty(name, given)
            if given is None and name in self.settings.defaults:
                params = replace(params, **{name: self.settings.defaults[name]})
        params = check_params(params, row.params)
        params.check()
        return params

    async def send(
        self,
        row: Endpoint[P, R],
        params: P,
        *,
        hooks: AttemptHooks | None = None,
    ) -> Answer[R]:
        """One call. See `AsyncLix.send`.

        `hooks` hear of each attempt: when it is about to leave, when it has left, and what was
        received, before it is decoded.
        """
        params = self.prepared(row, params)
        row = row.sent_with(params)
        seconds = self.settings.deadline
        until = None if seconds is None else self.clock.now() + seconds
        line = for_call(self.limiter, row, params)
        call = CallState(self.clock, seconds, until, line, hooks)
        outcome: Answer[R] | LixError | None = None
        self.credits.reserve(row.credits, row.id)
        try:
            if self.watch is not None:
                call.watched = self.watch.begin(row, params, self.clock.wall())
            if seconds is None:
                outcome = await self._run(row, params, call)
            else:
                with self.clock.timeout(seconds):
                    outcome = await self._run(row, params, call)
        finally:
            spent = outcome.credits if isinstance(outcome, Answer) else 0
            self.credits.settle(row.credits, spent, call.lost * row.credits.amount)
            if call.watched is not None:
                call.watched.end(call.lost)
        if isinstance(outcome, Answer):
            return outcome
        raise call.final_error(row, outcome)

    async def _run(self, row: Endpoint[P, R], params: P, call: CallState) -> Answer[R] | LixError:
        outcome = await self._attempt(row, params, call)
        if isinstance(outcome, Answer) or not await self._again(row, call, outcome):
            return outcome
        return await self._patiently(row, params, call)

    async def _patiently(
        self, row: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        import tenacity  # late, for a quick import: most processes never need it

        async def again(state: tenacity.RetryCallState) -> bool:
            done = state.outcome
            if done is None or done.failed:  # cancelled: tenacity raises it again
                return False
            outcome = done.result()
            return isinstance(outcome, LixError) and await self._again(row, call, outcome)

        # One object per call: a shared one mixes up the attempts of concurrent tasks.
        patient = tenacity.AsyncRetrying(
            retry=again, wait=lambda _: call.pause, sleep=self.clock.sleep
        )
        await self.clock.sleep(call.pause)
        return await patient(self._attempt, row, params, call)

    async def _attempt(
        self, row: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        """One attempt; where a row has two published paths, over the one that works."""
        other = row.id in self._alternates
        paths = (row.alternate or "", "") if other else ("", row.alternate or "")
        outcome = await self._over(paths[0], row, params, call)
        if row.alternate is None or not _no_route(outcome):
            return outcome
        second = await self._over(paths[1], row, params, call)
        if not _no_route(second):
            (self._alternates.discard if other else self._alternates.add)(row.id)
        elif isinstance(outcome, NotFoundError):
            return outcome  # that path is there and looked: it tells more than one that is not
        return second

    async def _over(
        self, path: str, row: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        prefix = "" if row.rooted else self._prefix
        outgoing = wire.encode(row, params, prefix=prefix, path=path)
        began = self.clock.now()
        if call.limiter is not None:
            wait = estimated_wait(call.limiter) if call.give_up_at is not None else 0.0
            if call.overdue(wait):
                return TransportError(f"the next turn comes in {wait:.3g} s")
            try:
                await call.limiter.acquire()
            except TransportError as error:  # a shared one cannot be reached, and was patient
                call.stalled = True
                error.sent = call.lost > 0
                return error.with_traceback(None)
        turn = self.clock.now()
        hooks = call.hooks

        def left(at: float) -> None:
            report_delay(call.limiter, at - turn)
            if hooks is not None:
                hooks.departed()

        departure = SendTimestamp(left)
        call.waited += turn - began
        call.attempts += 1
        try:
            if hooks is not None:
                await hooks.departing()
            reply = await self.transport.exchange(outgoing, departure)
            if hooks is not None and isinstance(reply, HttpResponse):
                await hooks.received(self._mask.reply(reply))
        except BaseException:
            if departure.at is None:
                refund(call.limiter)
            else:
                call.departed = True
                call.lost += 1
            raise
        if isinstance(reply, TransportFailure):
            call.lost += reply.sent
            message = self._mask.text(reply.message)
            return TransportError(message, sent=reply.sent, permanent=reply.permanent)
        return self._read(row, reply, call)

    def _read(
        self, row: Endpoint[P, R], reply: HttpResponse, call: CallState
    ) -> Answer[R] | LixError:
        value = wire.decode(self.provider, row, reply.status, reply.body)
        if isinstance(value, LixError) and (masked := self._mask.reply(reply)) is not reply:
            reply = masked  # all of the error's facts come from an answer without the key
            value = wire.decode(self.provider, row, reply.status, reply.body)
        if isinstance(value, RefusalError):
            named = read_headers(reply.headers).get("retry-after")
            value.retry_after = retry_after(named, self.clock.wall())
        if call.watched is not None:
            headers = read_headers(reply.headers)
            value = call.watched.check(value, headers, self.clock.wall()) or value
        if isinstance(value, LixError):
            return value
        if self.radar is not None:
            self.radar.observe(row.id, row.result, reply.body)
        return Answer(
            value=value,
            body=reply.body,
            status=reply.status,
            raw_headers=reply.headers,
            attempts=call.attempts,
            waited=call.waited,
            credits=credits_for(row.credits, value),
            lost=call.lost,
        )

    async def _again(self, row: Endpoint[P, R], call: CallState, error: LixError) -> bool:
        """Whether to try again; sets `call.pause`, and holds the limiter after a 429."""
        if call.too_late is not None or call.stalled:
            return False
        if isinstance(error, QueuedError):
            call.polls += 1
        else:
            call.failures += 1
        pause = self.settings.retry.next_delay(
            error,
            failures=call.failures,
            polls=call.polls,
            # lix.md#retries: a PUT is repeated after a failure, but not while it is queued.
            idempotent=row.idempotent
            and not (row.method == "PUT" and isinstance(error, QueuedError)),
            window=self.provider.window,
        )
        if pause is None:
            hold = self.settings.retry.hold(error, self.provider.window)
            if hold and call.limiter is not None:
                await call.limiter.hold(hold)
            return False
        call.pause = await self._chosen(pause, call)
        return call.too_late is None

    async def _chosen(self, pause: RetryDelay, call: CallState) -> float:
        seconds = self.clock.between(pause.low, pause.high)
        if pause.everybody and call.limiter is not None:
            await call.limiter.hold(seconds)
        if call.give_up_at is not None:
            call.overdue(max(seconds, estimated_wait(call.limiter)))
        call.waited += seconds
        return seconds


def _no_route(outcome: object) -> bool:
    return isinstance(outcome, RefusalError) and outcome.kind == "unknown_route"


class CallState(msgspec.Struct):
    """What happened to a call so far."""

    clock: Clock
    deadline: float | None
    give_up_at: float | None
    limiter: Limiter | None
    hooks: AttemptHooks | None = None
    attempts: int = 0
    failures: int = 0
    polls: int = 0
    lost: int = 0
    waited: float = 0.0
    departed: bool = False
    stalled: bool = False
    """The limiter has given up: it cannot be reached."""
    pause: float = 0.0
    too_late: float | None = None
    """When the wait that the deadline forbids would have ended, in seconds since the epoch."""
    watched: CallObservation | None = None

    def overdue(self, seconds: float) -> bool:
        """Whether the deadline is over when so many seconds are: then no wait is begun."""
        if self.give_up_at is None or self.clock.now() + seconds < self.give_up_at:
            return False
        self.too_late = self.clock.wall() + seconds
        return True

    def final_error(self, row: Endpoint[P, object], error: LixError | None) -> LixError:
        """The error to raise: what happened, told from the caller's point of view.

        None: the deadline ended the call.
        """
        unknown = self.departed if error is None else getattr(error, "sent", False)
        if not row.idempotent and unknown:
            why = "the deadline passed" if error is None else str(error.args[0])
            error = OutcomeUnknownError(
                f"{why}; it may have been carried out and was not repeated: look before you do",
                sent=True,
            )
        elif error is None:
            error = DeadlineError(f"the deadline of {self.deadline:g} s passed", sent=self.lost > 0)
        elif self.too_late is not None:
            error = DeadlineError(
                f"the deadline of {self.deadline:g} s cannot be met: {error.args[0]}",
                retry_at=self.too_late,
                sent=self.lost > 0,
            )
        if isinstance(error, DailyLimitError) and error.refreshes_at is None and error.retry_after:
            error.refreshes_at = self.clock.wall() + error.retry_after
        error.endpoint = row.id
        error.attempts = self.attempts
        return error
