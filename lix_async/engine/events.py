"""What a client does, as one stream of typed events: for logs, traces, progress and tests.

Every event is a frozen struct with the catalogue id of its endpoint and the time. None of them has
parameters, links, keys, or anything of an answer's body, so they may be logged and sent anywhere.

The events of one call have the same `call` and come in this order, `CallEnded` exactly once and
also where the call was cancelled:

    CallStarted (WaitStarted* AttemptStarted AttemptEnded)* WaitStarted* CallEnded

The others, whose `call` is None, may come at any time. Listeners are functions that do not wait.
They are called in the task of the call, so context variables and the current span are those of the
caller. One that raises is logged as a warning, once, and hears no more of that call; it never
costs an answer.
"""

from __future__ import annotations

import inspect
import itertools
import logging
import re
import sys
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from ..concurrency.clock import Clock
from ..core.endpoint import AnyEndpoint, CreditKind
from ..core.errors import ConfigurationError, RefusalError
from ..core.provider import BaseUrl
from ..core.validation import check_type
from ..core.wire import HttpResponse

WaitReason = Literal["permit", "held", "retry", "queued"]
"""What a call waits for: a permit of the rate limiter; the end of a hold after a 429; the next
attempt after another failure; a record that the provider is still preparing."""
CallOutcome = Literal["ok", "error", "cancelled"]
"""How a call ended. `cancelled`: by whoever waited for it, not by an answer or a failure."""


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The base of all events."""

    endpoint: str
    """The catalogue id, such as `search.people`."""
    at: float
    """Epoch seconds, by the wall clock; durations are measured by one that never jumps."""
    call: int | None = None
    """The number of the call, unique in this process; None for what belongs to no single call."""


class CallStarted(Event, frozen=True, kw_only=True):
    """A call was made with valid parameters. Nothing has been sent."""

    provider: str
    """`lix`, `lookc`, `connectsafely`, `letrics` or `meetalfred`."""
    method: str
    """The HTTP method."""
    path: str
    """The path with the names of its parameters in place of their values: `/v1/person`."""
    idempotent: bool
    """Whether the call only reads, so that it may be repeated; False for one that acts."""
    host: str
    """The host of the server."""
    port: int
    """The port of the server, also where it is the usual one."""


class WaitStarted(Event, frozen=True, kw_only=True):
    """The call waits before an attempt.

    Without `call`, a lookup of a run that has no rate limit waits after a 429, for another call.
    """

    reason: WaitReason
    """What it waits for; see `WaitReason`."""
    seconds: float | None
    """How long it waits, for permits an estimate; None if that is unknown."""


class AttemptStarted(Event, frozen=True, kw_only=True):
    """A request is sent now: from here on the provider may charge it."""

    attempt: int
    """The number of the attempt in its call, from 1."""
    waited: float
    """Seconds for which it waited for its permit."""


class AttemptEnded(Event, frozen=True, kw_only=True):
    """An attempt was answered, failed or was cancelled."""

    attempt: int
    """The number of the attempt in its call, from 1."""
    seconds: float
    """Seconds from sending the request to its end."""
    status: int
    """The HTTP status; 0 if no answer was received."""
    error: str | None
    """The class of the error, or `cancelled`; None for a success."""
    kind: str
    """The provider's own word for the error; empty if there is none."""
    received: int
    """Bytes of the body, decompressed."""
    lost: bool
    """Whether the request may have arrived although no answer was received."""


class CallEnded(Event, frozen=True, kw_only=True):
    """The call has ended: with an answer, an error, or because it was cancelled."""

    attempts: int
    """The number of attempts."""
    seconds: float
    """Seconds from the call to its end."""
    waited: float
    """Seconds of them spent waiting for permits and before retries."""
    credits: int
    """Credits charged for its answers, those that could not be used included."""
    credit_kind: CreditKind
    """The kind of these credits."""
    lost: int
    """Attempts that may have arrived and brought no answer."""
    outcome: CallOutcome
    """How it ended; see `CallOutcome`."""
    error: str | None
    """The class of the error that was raised; None otherwise."""


class CacheHit(Event, frozen=True, kw_only=True):
    """A call was answered without a request of its own."""

    source: Literal["flight", "memory", "ledger"]
    """Where the answer came from: an equal call that was under way, the memory, or a ledger."""
    saved: int
    """Credits that a request would have cost."""
    credit_kind: CreditKind
    """The kind of these credits."""


class Held(Event, frozen=True, kw_only=True):
    """The rate limiter gives no permit to any call for a while, after a 429."""

    seconds: float
    """How long no permit is given."""


class RunStarted(Event, frozen=True, kw_only=True):
    """A bulk run has begun, or goes on in this process. `endpoint` is not known yet and empty.

    It is emitted in a task from which all tasks of the run inherit their context variables.
    """

    run: int
    """The number of the run in its ledger."""
    name: str
    """The name that was given to it; empty if none was."""
    method: str
    """The provider and the method, as the ledger has them."""


class OutcomeReady(Event, frozen=True, kw_only=True):
    """A bulk run has the outcome of an input, which its loop gets next."""

    run: int
    """The number of the run in its ledger."""
    state: str
    """What became of the input; see `bulk.State`."""
    credits: int
    """Credits that the run spent on it."""
    cached: bool
    """Whether the answer was in the ledger."""


class RunParked(Event, frozen=True, kw_only=True):
    """A bulk run waits until `RunResumed`, or takes no more inputs."""

    run: int
    """The number of the run in its ledger."""
    reason: str
    """`daily limit`, `queued`, `outage:` with the class of the error, the class of the error that
    stopped the run, or the reason that somebody gave for parking it."""
    until: float | None
    """When it goes on by itself, or tries again (epoch seconds); None where it does neither."""


class RunResumed(Event, frozen=True, kw_only=True):
    """A bulk run that waited goes on."""

    run: int
    """The number of the run in its ledger."""


class RunEnded(Event, frozen=True, kw_only=True):
    """A bulk run has ended or was stopped. The counts are those of this process."""

    run: int
    """The number of the run in its ledger."""
    inputs: int
    """Inputs that it has dealt with."""
    done: int
    """Those with an answer."""
    failed: int
    """Those that got no answer for now."""
    in_doubt: int
    """Those that were sent, got no answer and may have been charged."""
    credits: int
    """Credits that it has spent."""


OnEvent: TypeAlias = Callable[[Event], None]
"""A listener."""

LOG = logging.getLogger("lix_async.calls")
LIMITER_LOG = logging.getLogger("lix_async.limiter")
RUN_LOG = logging.getLogger("lix_async.bulk")
_NUMBERS = itertools.count(1)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class _Listener:
    """A listener that was added to a stream."""

    __slots__ = ("active", "failed", "function")

    def __init__(self, function: OnEvent) -> None:
        self.function = function
        self.active = True
        """Whether it was not removed since."""
        self.failed = False
        """Whether it has raised, which is logged once."""

    def hear(self, event: Event) -> bool:
        """Pass an event on; False if the listener raised."""
        if self.active:
            try:
                self.function(event)
            except Exception as error:  # noqa: BLE001  # it may raise anything
                if not self.failed:
                    self.failed = True
                    # The class alone: the message of foreign code may contain anything.
                    LOG.warning(
                        "a listener raised %s (%s) and receives no more events of that call",
                        type(error).__name__,
                        type(event).__name__,
                    )
                return False
        return True


class EventStream:
    """The listeners of a client and its views: `lix.events`.

    Args:
        listeners: The first listeners.
        log: The listener that writes the log; None for no log.

    Raises:
        ConfigurationError: A listener cannot be called, or is a coroutine function.
    """

    def __init__(self, listeners: OnEvent | Sequence[OnEvent] = (), log: OnEvent | None = None):
        self._has_log = log is not None
        self._listeners: tuple[_Listener, ...] = () if log is None else (_Listener(log),)
        """The log, if there is one, and those that were added. Replaced and never changed."""
        check_type("on_event", listeners, Callable | Sequence)
        for listener in (listeners,) if callable(listeners) else listeners:
            self.add(listener)

    def add(self, listener: OnEvent) -> Callable[[], None]:
        """Call a function with every event of calls that begin from now on, in all views.

        Args:
            listener: The function. It must not wait.

        Returns:
            A function that removes it. It is called with no event after that.

        Raises:
            ConfigurationError: It cannot be called, or is a coroutine function.
        """
        check_type("a listener", listener, Callable)
        if inspect.iscoroutinefunction(listener):
            raise ConfigurationError(
                "a listener must be a plain function, not a coroutine function"
            )
        added = _Listener(listener)
        self._listeners = (*self._listeners, added)

        def remove() -> None:
            added.active = False
            self._listeners = tuple(one for one in self._listeners if one is not added)

        return remove

    @property
    def active(self) -> bool:
        """Whether there is a listener, or the log is on, so that events have to be made.

        Those that a log has at any level are made anyway: errors, and what runs do.
        """
        if len(self._listeners) > self._has_log:
            return True
        return self._has_log and (
            LOG.isEnabledFor(logging.INFO)
            or RUN_LOG.isEnabledFor(logging.DEBUG)
            or LIMITER_LOG.isEnabledFor(logging.INFO)
        )

    def emit(self, event: Event) -> None:
        """Call all listeners with an event that belongs to no single call."""
        for listener in self._listeners:
            listener.hear(event)

    def begin_call(self, endpoint: AnyEndpoint, clock: Clock) -> CallEvents:
        """The events of a call that begins now."""
        return CallEvents(self._listeners, self.active, endpoint, clock)

    def join_calls(self, endpoint: AnyEndpoint, clock: Clock) -> JoinedCalls:
        """A stream for an engine whose calls of an endpoint are attempts of one call."""

        def make() -> JoinedCallEvents:
            return JoinedCallEvents(self._listeners, self.active, endpoint, clock)

        return JoinedCalls(self, endpoint, make)


class CallEvents:
    """Makes the events of one call, for the listeners that there were when it began.

    Without any, its methods return at once, and only an error at the end is logged.
    """

    __slots__ = ("_attempt_at", "_began", "_clock", "_endpoint", "_listeners", "active", "number")

    def __init__(
        self,
        listeners: tuple[_Listener, ...],
        active: bool,
        endpoint: AnyEndpoint,
        clock: Clock,
    ) -> None:
        self.active = active
        """Whether the events are made at all."""
        self.number = next(_NUMBERS)
        """The number of the call, unique in this process."""
        self._listeners = listeners
        self._endpoint = endpoint
        self._clock = clock
        self._began = self._attempt_at = clock.now()

    def _emit(self, event: Event) -> None:
        for listener in self._listeners:
            if not listener.hear(event):
                self._listeners = tuple(one for one in self._listeners if one is not listener)

    def started(self, provider: str, path: str, address: BaseUrl) -> None:
        """The call was made. Call this only while `active`: its arguments take time to make."""
        self._emit(
            CallStarted(
                call=self.number,
                endpoint=self._endpoint.id,
                at=self._clock.wall(),
                provider=provider,
                method=self._endpoint.method,
                path=path,
                idempotent=self._endpoint.idempotent,
                host=address.host,
                port=address.port or (443 if address.scheme == "https" else 80),
            )
        )

    def wait_started(self, reason: WaitReason, seconds: float | None) -> None:
        """The call waits from now on."""
        if self.active:
            self._emit(
                WaitStarted(
                    call=self.number,
                    endpoint=self._endpoint.id,
                    at=self._clock.wall(),
                    reason=reason,
                    seconds=seconds,
                )
            )

    def held(self, seconds: float) -> None:
        """The limiter gives no permits from now on."""
        if self.active:
            self._emit(Held(endpoint=self._endpoint.id, at=self._clock.wall(), seconds=seconds))

    def attempt_started(self, attempt: int, waited: float) -> None:
        """A request is sent now."""
        if self.active:
            self._attempt_at = self._clock.now()
            self._emit(
                AttemptStarted(
                    call=self.number,
                    endpoint=self._endpoint.id,
                    at=self._clock.wall(),
                    attempt=attempt,
                    waited=waited,
                )
            )

    def attempt_ended(
        self, attempt: int, response: HttpResponse | None, outcome: object, *, lost: bool
    ) -> None:
        """An attempt has ended; its outcome is an answer, an error, or None where it raises."""
        if self.active:
            raised = sys.exception() if outcome is None else outcome
            kind = raised.kind if isinstance(raised, RefusalError) else ""
            error = type(raised).__name__ if isinstance(raised, Exception) else None
            self._emit(
                AttemptEnded(
                    call=self.number,
                    endpoint=self._endpoint.id,
                    at=self._clock.wall(),
                    attempt=attempt,
                    seconds=self._clock.now() - self._attempt_at,
                    status=0 if response is None else response.status,
                    error="cancelled" if error is None and outcome is None else error,
                    kind=kind if _WORD.fullmatch(kind) else "",  # a server may write anything there
                    received=0 if response is None else len(response.body),
                    lost=lost,
                )
            )

    def ended(
        self,
        outcome: CallOutcome,
        error: str | None,
        *,
        attempts: int,
        waited: float,
        credits: int,
        lost: int,
    ) -> None:
        """The call has ended. An error is logged also where no other event was made."""
        if self.active or outcome == "error":
            self._emit(
                CallEnded(
                    call=self.number,
                    endpoint=self._endpoint.id,
                    at=self._clock.wall(),
                    attempts=attempts,
                    seconds=self._clock.now() - self._began,
                    waited=waited,
                    credits=credits,
                    credit_kind=self._endpoint.credits.kind,
                    lost=lost,
                    outcome=outcome,
                    error=error,
                )
            )


class JoinedCallEvents(CallEvents):
    """The events of several calls as those of one, whose attempts they are."""

    __slots__ = ("_attempts", "_begun", "_credits", "_last", "_lost", "waited")

    def __init__(
        self,
        listeners: tuple[_Listener, ...],
        active: bool,
        endpoint: AnyEndpoint,
        clock: Clock,
    ) -> None:
        super().__init__(listeners, active, endpoint, clock)
        self.waited = 0.0
        """Seconds spent waiting so far."""
        self._attempts = self._credits = self._lost = 0
        self._begun = False
        self._last: tuple[CallOutcome, str | None] = ("cancelled", None)

    def started(self, provider: str, path: str, address: BaseUrl) -> None:
        """One of the calls was made."""
        if not self._begun:
            self._begun = True
            super().started(provider, path, address)

    def attempt_started(self, attempt: int, waited: float) -> None:
        """A request is sent now."""
        self._attempts += 1
        super().attempt_started(self._attempts, waited)

    def attempt_ended(
        self, attempt: int, response: HttpResponse | None, outcome: object, *, lost: bool
    ) -> None:
        """An attempt has ended."""
        super().attempt_ended(self._attempts, response, outcome, lost=lost)

    def ended(
        self,
        outcome: CallOutcome,
        error: str | None,
        *,
        attempts: int,
        waited: float,
        credits: int,
        lost: int,
    ) -> None:
        """One of the calls has ended."""
        self._begun = True
        self._last = outcome, error
        self.waited += waited
        self._credits += credits
        self._lost += lost

    @property
    def is_answered(self) -> bool:
        """Whether the last of the calls has got an answer."""
        return self._last[0] == "ok"

    def pause_started(self, reason: WaitReason, seconds: float) -> None:
        """The whole waits before the next call."""
        self.waited += seconds
        self.wait_started(reason, seconds)

    def all_ended(self, outcome: CallOutcome | None, error: str | None) -> None:
        """The whole has ended; None: as the last of the calls."""
        if self._begun:
            super().ended(
                *(self._last if outcome is None else (outcome, error)),
                attempts=self._attempts,
                waited=self.waited,
                credits=self._credits,
                lost=self._lost,
            )


class JoinedCalls(EventStream):
    """The stream of an engine whose calls of one endpoint are attempts of one call.

    After one that has got its answer, such as a page, the next one begins another call.

    Args:
        stream: The stream of the client, which has the calls of other endpoints as they are.
        endpoint: The endpoint.
        make: Makes the events of one call.
    """

    def __init__(
        self, stream: EventStream, endpoint: AnyEndpoint, make: Callable[[], JoinedCallEvents]
    ) -> None:
        super().__init__()
        self.call = make()
        """The one call."""
        self._stream = stream
        self._endpoint = endpoint.id
        self._make = make

    @property
    def active(self) -> bool:
        """Whether events have to be made."""
        return self._stream.active

    def emit(self, event: Event) -> None:
        """Call all listeners with an event that belongs to no single call."""
        self._stream.emit(event)

    def begin_call(self, endpoint: AnyEndpoint, clock: Clock) -> CallEvents:
        """The events of a call that begins now."""
        if endpoint.id != self._endpoint:
            return self._stream.begin_call(endpoint, clock)
        if self.call.is_answered:
            self.call.all_ended("ok", None)
            self.call = self._make()
        return self.call
