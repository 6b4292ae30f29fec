"""One call: wait for a permit, send, decode, and retry where the error allows it.

The first attempt is made directly; tenacity, which adds 20 µs, is used only after a failure. Every
error is raised from one line in `Engine.send`, outside of any `except`, so that no traceback has a
frame that held the key.

`core.retry.RetryPolicy` decides about retries (lix.md#retries). Where the table says retry, the
error is raised all the same if it is permanent, or if no attempt or no time is left.

| error | idempotent | not idempotent |
|---|---|---|
| not sent (no connection) | retry | retry |
| sent, no usable response | retry if `repeat_lost`, else raise | raise `OutcomeUnknownError` |
| 429 | hold the limiter, retry | hold the limiter, raise |
| 429 with a `Retry-After` over `max_retry_after` | hold the limiter, raise | the same |
| daily or weekly limit | raise | raise |
| 502, 504 and other gateway statuses | retry | raise `OutcomeUnknownError` |
| other 5xx | retry | raise |
| queued | poll again (not a PUT: it would be queued twice) | raise |
| a success that cannot be decoded | raise | raise `OutcomeUnknownError` |
| other refusals | raise | raise |
| limiter unreachable | raise | raise |
| deadline, nothing sent | raise `DeadlineError` | raise `DeadlineError` |
| deadline, an attempt sent | raise `DeadlineError` | raise `OutcomeUnknownError` |
"""

from __future__ import annotations

import copy
import math
from collections.abc import Awaitable
from typing import Protocol, TypeVar

import anyio.lowlevel
import msgspec
from msgspec.structs import replace

from ..concurrency.clock import Clock
from ..core import wire
from ..core.endpoint import AnyEndpoint, Endpoint, P, check_params
from ..core.errors import (
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    LixError,
    NotFoundError,
    OutcomeUnknownError,
    QueuedError,
    RefusalError,
    ServerError,
    TransportError,
    WeeklyLimitError,
)
from ..core.families import GATEWAY_STATUSES, UNKNOWN_ROUTE, family_of, family_without_answer
from ..core.provider import BaseUrl, Provider
from ..core.retry import RetryDelay, retry_after
from ..core.schema_drift import DriftDetector
from ..core.validation import check_type
from ..core.wire import HttpRequest, HttpResponse
from ..limiters.base import Limiter
from .answer import Answer, credits_for, read_headers
from .circuit_breaker import CircuitBreaker
from .credentials import KeyRedactor
from .credits import CreditBudget
from .events import CallEvents, CallOutcome, EventStream, WaitReason
from .observer import CallObservation, CallObserver
from .options import UNSET, CallOptions, reject_empty
from .transport import (
    MAX_URL_LENGTH,
    TOO_LATE,
    Prepare,
    SendTimestamp,
    Transport,
    TransportFailure,
)

R = TypeVar("R")
MAX_TARGET_LENGTH = MAX_URL_LENGTH - 512
"""Characters of path and query: before them come scheme and host, and perhaps the key after."""


RECORDED_LIFETIME = 5.0
"""Seconds for which a permit is good at least where each attempt is recorded first. What is held up
for longer, because the machine was suspended say, is not sent: the record may have been taken for
that of a dead process."""


class AttemptHooks(Protocol):
    """Hear of each attempt of a call: how a ledger records what may be charged."""

    async def departing(self) -> None:
        """An attempt has its permit and is about to be sent. Raising stops it."""

    def departed(self) -> None:
        """The first byte is sent: from here on the attempt may be charged."""

    async def received(self, response: HttpResponse) -> None:
        """A complete answer was received and not decoded yet. The key is redacted in it."""


class Engine:
    """Makes the calls of a client. Copies share the limiter, the connections and the budget."""

    def __init__(
        self,
        provider: Provider,
        address: BaseUrl,
        transport: Transport,
        limiter: Limiter | None,
        clock: Clock,
        options: CallOptions,
        credits: CreditBudget,
        redactor: KeyRedactor,
        drift_detector: DriftDetector | None = None,
        observer: CallObserver | None = None,
        events: EventStream | None = None,
    ) -> None:
        self.credits = credits
        self.drift_detector = drift_detector
        self.observer = observer
        self.provider = provider
        self.transport = transport
        self._prepare: Prepare | None = getattr(transport, "prepare", None)
        self.limiter = limiter
        self.clock = clock
        self.options = options
        self._redactor = redactor
        self.events = events or EventStream()
        self._address = address
        self._prefix = address.prefix
        self._alternates: set[str] = set()
        self._breakers: dict[str | None, CircuitBreaker] = {}

    def with_options(self, options: CallOptions) -> Engine:
        """A copy with other call options and the same limiter, connections and budget."""
        other = copy.copy(self)
        other.options = options
        return other

    def with_budget(self, credits: CreditBudget) -> Engine:
        """A copy that counts in another budget, such as one below this engine's."""
        other = copy.copy(self)
        other.credits = credits
        return other

    def with_events(self, events: EventStream) -> Engine:
        """A copy with another stream of events."""
        other = copy.copy(self)
        other.events = events
        return other

    def start_events(self, endpoint: AnyEndpoint, events: CallEvents) -> None:
        """Emit that a call has begun."""
        if events.active:
            events.started(self.provider.id, self._path(endpoint), self._address)

    def breaker_of(self, account: str | None) -> CircuitBreaker:
        """The circuit breaker of the runs of this client for one account."""
        return self._breakers.setdefault(account, CircuitBreaker())

    def prepare_params(self, endpoint: Endpoint[P, object], params: P) -> P:
        """The parameters as they will be sent: with the client's defaults, and checked.

        Raises:
            ConfigurationError: If a parameter has the wrong type or breaks a rule of the endpoint.
        """
        if not isinstance(endpoint, Endpoint):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
            check_type("endpoint", endpoint, Endpoint)
        for name in self.options.default_names:
            value: object = getattr(params, name, UNSET)
            reject_empty(name, value)
            if value is None and name in self.options.defaults:
                params = replace(params, **{name: self.options.defaults[name]})
        params = check_params(params, endpoint.params)
        params.check()
        return params

    def request_for(self, endpoint: Endpoint[P, object], params: P, path: str = "") -> HttpRequest:
        """The request of prepared parameters; `path` replaces the endpoint's.

        Raises:
            ConfigurationError: If it cannot.
            ValueError: If a text cannot be encoded.
        """
        prefix, endpoint = "" if endpoint.rooted else self._prefix, endpoint.for_params(params)
        request = wire.encode(endpoint, params, prefix=prefix, path=path)
        if len(request.target) > MAX_TARGET_LENGTH:
            raise ConfigurationError(f"{endpoint.id}: a parameter is too long")
        return request

    async def sleep(self, seconds: float) -> None:
        """Wait between two calls."""
        await self.clock.sleep(seconds)

    async def send(
        self,
        endpoint: Endpoint[P, R],
        params: P,
        *,
        hooks: AttemptHooks | None = None,
        request: HttpRequest | None = None,
    ) -> Answer[R]:
        """One call. See `Client.send`, which has the same errors.

        Args:
            endpoint: The endpoint to call.
            params: Its parameters.
            hooks: Hear of each attempt: how a ledger records what may be charged.
            request: What `request_for` made of the parameters, where they are prepared.
        """
        if request is None:
            params = self.prepare_params(endpoint, params)
        endpoint = endpoint.for_params(params)
        deadline = self.options.deadline
        give_up_at = None if deadline is None else self.clock.now() + deadline
        limiter = None if self.limiter is None else self.limiter.for_call(endpoint, params)
        events = self.events.begin_call(endpoint, self.clock)
        call = CallState(self.clock, events, deadline, give_up_at, limiter, hooks, request)
        outcome: Answer[R] | LixError | None = None
        error: LixError | None = None
        ending: tuple[CallOutcome, str | None] = ("cancelled", None)
        try:
            self.start_events(endpoint, events)
            if self.observer is not None:
                call.observation = self.observer.begin(endpoint, params, self.clock.wall())
            if deadline is None:
                outcome = await self._run(endpoint, params, call)
            else:
                with self.clock.timeout(deadline):
                    outcome = await self._run(endpoint, params, call)
            if isinstance(outcome, Answer):
                ending = ("ok", None)
            else:
                error = call.final_error(endpoint, outcome)
                ending = ("error", type(error).__name__)
        except Exception as raised:
            if not call.stopped:
                ending = ("error", type(raised).__name__)
            raise
        finally:
            if call.observation is not None:
                call.observation.end(call.lost)
            events.ended(
                *ending,
                attempts=call.attempts,
                waited=call.waited,
                credits=call.charged,
                lost=call.lost,
            )
        if isinstance(outcome, Answer):
            return outcome
        assert error is not None  # there is an answer or an error
        raise error

    def _path(self, endpoint: AnyEndpoint) -> str:
        """The path of the first attempt, with its parameters' names."""
        prefix = "" if endpoint.rooted else self._prefix
        alternate = endpoint.alternate if endpoint.id in self._alternates else None
        return prefix + (alternate or endpoint.path)

    async def _run(
        self, endpoint: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        outcome = await self._attempt(endpoint, params, call)
        if isinstance(outcome, Answer) or not await self._should_retry(endpoint, call, outcome):
            return outcome
        return await self._retry(endpoint, params, call)

    async def _retry(
        self, endpoint: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        import tenacity  # late, because most processes never need it

        async def should_retry(state: tenacity.RetryCallState) -> bool:
            future = state.outcome
            if future is None or future.failed:  # cancelled: tenacity raises it again
                return False
            outcome = future.result()
            return isinstance(outcome, LixError) and await self._should_retry(
                endpoint, call, outcome
            )

        async def attempt() -> Answer[R] | LixError:  # tenacity awaits coroutine functions only
            return await self._attempt(endpoint, params, call)

        # One object per call: a shared one mixes up the attempts of concurrent tasks.
        retrying = tenacity.AsyncRetrying(
            retry=should_retry, wait=lambda _: call.delay, sleep=self.clock.sleep
        )
        await self.clock.sleep(call.delay)
        return await retrying(attempt)

    def _attempt(
        self, endpoint: Endpoint[P, R], params: P, call: CallState
    ) -> Awaitable[Answer[R] | LixError]:
        """One attempt; where an endpoint has two published paths, with the one that works."""
        if endpoint.alternate is None:
            return self._send_once("", endpoint, params, call)
        return self._try_paths(endpoint.alternate, endpoint, params, call)

    async def _try_paths(
        self, alternate: str, endpoint: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        use_alternate = endpoint.id in self._alternates
        paths = (alternate, "") if use_alternate else ("", alternate)
        outcome = await self._send_once(paths[0], endpoint, params, call)
        if not _is_unknown_route(outcome):
            return outcome
        second = await self._send_once(paths[1], endpoint, params, call)
        if not _is_unknown_route(second):
            (self._alternates.discard if use_alternate else self._alternates.add)(endpoint.id)
        elif isinstance(outcome, NotFoundError):
            return outcome  # this path exists, so its error says more than an unknown route
        return second

    async def _send_once(
        self, path: str, endpoint: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        # Before the permit: a call that waits for credits holds up no other.
        try:
            reservation = await self.credits.reserve(endpoint.credits, endpoint.id)
        except BudgetError as error:
            error.__cause__ = call.error
            return error.with_traceback(None)
        lost, price = call.lost, endpoint.credits.amount
        charged = maybe = 0
        try:
            outcome = await self._exchange(path, endpoint, params, call)
            if isinstance(outcome, Answer):
                charged = outcome.credits
            else:
                call.error = outcome
                charged = price * (outcome.family == "unusable")
                maybe = price * (outcome.family in ("gateway", "unknown"))
        except BaseException:
            maybe = price * (call.lost - lost)
            raise
        finally:
            call.charged += charged
            reservation.settle(charged, maybe)
        return outcome

    async def _exchange(
        self, path: str, endpoint: Endpoint[P, R], params: P, call: CallState
    ) -> Answer[R] | LixError:
        made = None if path else call.request
        request = made or self.request_for(endpoint, params, path)
        began = self.clock.now()
        if (refusal := await self._admit(request, call)) is not None:
            return refusal
        call.permitted_at = self.clock.now()
        waited = call.permitted_at - began
        call.waited += waited
        if call.hooks is not None:
            call.stopped = True  # unless it returns
            try:
                await call.hooks.departing()
                # They may have waited through a cancellation, after which nothing may leave: it
                # would be cancelled on its way.
                await anyio.lowlevel.checkpoint_if_cancelled()
            except BaseException:
                call.refund()
                raise
            call.stopped = False
        call.attempts += 1
        call.events.attempt_started(call.attempts, waited)
        lost = call.lost
        call.response = None
        try:
            outcome = await self._transmit(request, endpoint, call)
        except BaseException:
            call.events.attempt_ended(call.attempts, call.response, None, lost=call.lost > lost)
            raise
        call.events.attempt_ended(call.attempts, call.response, outcome, lost=call.lost > lost)
        return outcome

    async def _transmit(
        self, request: HttpRequest, endpoint: Endpoint[P, R], call: CallState
    ) -> Answer[R] | LixError:
        """Send a request that has its permit, and read the answer."""
        hooks, limiter = call.hooks, call.limiter
        sent_at = SendTimestamp(call.departed)
        try:
            while True:
                lifetime = math.inf if limiter is None else limiter.permit_lifetime
                if hooks is not None:  # recording the attempt takes time as well
                    lifetime = max(lifetime, RECORDED_LIFETIME)
                sent_at.latest = call.permitted_at + lifetime
                response = await self.transport.exchange(request, sent_at)
                if response is not TOO_LATE or hooks is not None or limiter is None:
                    break
                if (error := await self._permit(limiter, call)) is not None:
                    return error
                call.permitted_at = self.clock.now()
            if isinstance(response, HttpResponse):
                response = call.response = self._redactor.redact_response(response)
                if hooks is not None:
                    await hooks.received(response)
        except BaseException:
            if sent_at.at is not None:
                call.was_sent = True
                call.lost += 1
            else:
                call.refund()
            raise
        if isinstance(response, TransportFailure):
            return self._failed(response, call)
        return self._read(endpoint, response, call)

    async def _admit(self, request: HttpRequest, call: CallState) -> TransportError | None:
        """Wait for the first permit of an attempt, with all that the request needs at hand."""
        if call.limiter is None:
            return None
        estimated = call.give_up_at is not None or self._prepare is not None
        wait = call.limiter.estimated_wait() if estimated else 0.0
        if call.exceeds_deadline(wait):
            return TransportError(f"the next permit is expected in {wait:.3g} s")
        # What must be imported or connected is ready before the permit is taken: a request
        # that is sent late may come too close to the next one.
        failure = None
        if self._prepare is not None:
            failure = await self._prepare(request, wait)
        if failure is not None:
            call.attempts += 1
            call.events.attempt_started(call.attempts, 0.0)
            error = self._failed(failure, call)
            call.events.attempt_ended(call.attempts, None, error, lost=False)
            return error
        if call.events.active:
            call.events.wait_started("permit", _expected_wait(call.limiter))
        return await self._permit(call.limiter, call)

    async def _permit(self, limiter: Limiter, call: CallState) -> TransportError | None:
        """Wait for a permit; the error of a shared limiter that could not be reached in time."""
        try:
            await limiter.acquire()
        except TransportError as error:
            call.limiter_unreachable = True
            error.family = "infrastructure"
            error.sent = call.lost > 0
            return error.with_traceback(None)
        return None

    def _failed(self, failure: TransportFailure, call: CallState) -> TransportError:
        call.lost += failure.sent
        message = self._redactor.redact_text(failure.message)
        error = TransportError(message, sent=failure.sent, permanent=failure.permanent)
        error.family = family_without_answer(error)
        return error

    def _read(
        self, endpoint: Endpoint[P, R], response: HttpResponse, call: CallState
    ) -> Answer[R] | LixError:
        value = wire.decode(self.provider, endpoint, response.status, response.body)
        if isinstance(value, RefusalError):
            value.headers = read_headers(response.headers)
            named, date = value.headers.get("retry-after"), value.headers.get("date")
            value.retry_after = retry_after(named, self.clock.wall(), date)
        if call.observation is not None:
            headers = read_headers(response.headers)
            value = call.observation.check(value, headers, self.clock.wall()) or value
        if isinstance(value, LixError):
            attested = self.provider.own_error(response.body)
            value.family = family_of(response.status, value, attested=attested)
            return value
        if self.drift_detector is not None:
            self.drift_detector.observe(endpoint.id, endpoint.result, response.body)
        return Answer(
            value=value,
            body=response.body,
            status=response.status,
            raw_headers=response.headers,
            attempts=call.attempts,
            waited=call.waited,
            credits=credits_for(endpoint.credits, value),
            lost=call.lost,
        )

    async def _should_retry(
        self, endpoint: Endpoint[P, R], call: CallState, error: LixError
    ) -> bool:
        """Whether to retry; sets `call.delay`, and holds the limiter after a 429."""
        if call.retry_at is not None or call.limiter_unreachable:
            return False
        if isinstance(error, QueuedError):
            call.polls += 1
        else:
            call.failures += 1
        delay = self.options.retry.next_delay(
            error,
            failures=call.failures,
            polls=call.polls,
            # lix.md#retries: a PUT is repeated after a failure, but not while it is queued.
            idempotent=endpoint.idempotent
            and not (endpoint.method == "PUT" and isinstance(error, QueuedError)),
            window=self.provider.window,
        )
        if delay is None:
            hold = self.options.retry.hold(error, self.provider.window)
            if hold:
                await self._hold(hold, call)
            return False
        call.delay = await self._choose_delay(delay, call)
        if call.retry_at is not None:
            return False
        reason: WaitReason = "held" if delay.hold_limiter else "retry"
        call.events.wait_started("queued" if isinstance(error, QueuedError) else reason, call.delay)
        return True

    @staticmethod
    async def _hold(seconds: float, call: CallState) -> None:
        if call.limiter is not None:
            await call.limiter.hold(seconds)
            call.events.held(seconds)

    async def _choose_delay(self, delay: RetryDelay, call: CallState) -> float:
        seconds = self.clock.between(delay.low, delay.high)
        if delay.hold_limiter:
            await self._hold(seconds, call)
        if call.give_up_at is not None:
            wait = 0.0 if call.limiter is None else call.limiter.estimated_wait()
            call.exceeds_deadline(max(seconds, wait))
        call.waited += seconds
        return seconds


def _is_unknown_route(outcome: object) -> bool:
    return isinstance(outcome, RefusalError) and outcome.kind == UNKNOWN_ROUTE


def _expected_wait(limiter: Limiter) -> float | None:
    """Seconds until the next permit; None for a limiter that cannot say."""
    unknown = type(limiter).estimated_wait is Limiter.estimated_wait
    return None if unknown else limiter.estimated_wait()


def _may_be_carried_out(error: LixError) -> bool:
    """Whether a call that acts may have been carried out although it ended with an error.

    A gateway answers 502 or 504 when it lost the API's own answer; an answer of success that
    cannot be decoded is still one (lix.md#retries).
    """
    if isinstance(error, ServerError):
        return error.status in GATEWAY_STATUSES
    return isinstance(error, DecodeError) or getattr(error, "sent", False)


class CallState(msgspec.Struct):
    """The state of one call."""

    clock: Clock
    events: CallEvents
    deadline: float | None
    give_up_at: float | None
    limiter: Limiter | None
    hooks: AttemptHooks | None = None
    request: HttpRequest | None = None
    """Where it has been made before."""
    attempts: int = 0
    failures: int = 0
    polls: int = 0
    lost: int = 0
    charged: int = 0
    """Credits of its answers."""
    waited: float = 0.0
    permitted_at: float = 0.0
    was_sent: bool = False
    """Whether an attempt was cancelled after its first byte was sent."""
    stopped: bool = False
    """Whether the hooks let no request leave: whoever set them has given the call up."""
    response: HttpResponse | None = None
    """What the last attempt received."""
    limiter_unreachable: bool = False
    delay: float = 0.0
    retry_at: float | None = None
    """Set when a wait would have exceeded the deadline: the end of that wait (epoch seconds)."""
    observation: CallObservation | None = None
    error: LixError | None = None
    """The error of the last attempt."""

    def refund(self) -> None:
        """Return the permit of a request that is not sent."""
        if self.limiter is not None:
            self.limiter.refund()

    def departed(self, at: float) -> None:
        """The first byte of an attempt was sent."""
        if self.limiter is not None:
            self.limiter.report_delay(at - self.permitted_at)
        if self.hooks is not None:
            self.hooks.departed()

    def exceeds_deadline(self, seconds: float) -> bool:
        """Whether a wait of so many seconds would end after the deadline. Sets `retry_at`."""
        if self.give_up_at is None or self.clock.now() + seconds < self.give_up_at:
            return False
        self.retry_at = self.clock.wall() + seconds
        return True

    def final_error(self, endpoint: Endpoint[P, object], error: LixError | None) -> LixError:
        """The error to raise, with what the caller has to know about the whole call.

        Args:
            endpoint: The endpoint called.
            error: The error of the last attempt; None if the deadline ended the call.
        """
        unknown = self.was_sent if error is None else _may_be_carried_out(error)
        if not endpoint.idempotent and unknown:
            reason = "the deadline passed" if error is None else str(error.args[0])
            cause = error
            error = OutcomeUnknownError(
                f"{reason}; the request may have been carried out and was not retried: check "
                "before you repeat it",
                sent=True,
            )
            error.__cause__ = cause
        elif error is None:
            error = DeadlineError(f"the deadline of {self.deadline:g} s passed", sent=self.lost > 0)
        elif self.retry_at is not None:
            error = DeadlineError(
                f"the deadline of {self.deadline:g} s cannot be met: {error.args[0]}",
                retry_at=self.retry_at,
                sent=self.lost > 0,
            )
        error.family = error.family or family_without_answer(error)
        if self.lost and error.family in ("", "infrastructure"):
            error.family = "unknown"  # an earlier attempt may have been charged
            if isinstance(error, TransportError):
                error.sent = True
        if isinstance(error, DailyLimitError | WeeklyLimitError) and error.retry_after:
            error.refreshes_at = error.refreshes_at or self.clock.wall() + error.retry_after
        error.endpoint = endpoint.id
        error.attempts = self.attempts
        return error
