"""OpenTelemetry: spans and metrics of clients and bulk runs, made from their events.

    from lix_async.integrations.opentelemetry import instrument
    lix = AsyncLix()
    instrument(lix)

A call is an INTERNAL span, its attempts are CLIENT spans below it, named as the semantic
conventions for HTTP say (https://opentelemetry.io/docs/specs/semconv/http/). No attribute has a
parameter, a full URL or anything of an answer, and no trace header is sent to the provider. The
extra `lix_async[otel]` has the API alone: without an SDK nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Literal

from ..core.errors import ConfigurationError
from ..core.validation import check_type
from ..engine.client import Client
from ..engine.events import (
    AttemptEnded,
    AttemptStarted,
    CacheHit,
    CallEnded,
    CallStarted,
    Event,
    RunStarted,
    WaitStarted,
)

try:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import (
        Link,
        Span,
        SpanContext,
        SpanKind,
        Status,
        StatusCode,
        TracerProvider,
        get_tracer,
        set_span_in_context,
    )
except ModuleNotFoundError as error:
    raise ConfigurationError("missing extra: pip install 'lix_async[otel]'") from error

Attributes = dict[str, str | int | float]
SCOPE = "lix_async"
"""The instrumentation scope of all spans and metrics."""
HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Seconds: what the semantic conventions advise for `http.client.request.duration`."""
WAIT_BUCKETS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
"""Seconds: from the gap between two requests to the wait for a limit of the hour."""


def instrument(
    *clients: Client,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    spans: Literal["call", "attempt"] = "attempt",
) -> Callable[[], None]:
    """Record spans and metrics of all calls of these clients and their views from now on.

    A call's span is a child of the span that is current where the call is made. In a bulk run,
    which may last days, each lookup is a root span with a link to the run's span, which ends at
    once.

    Args:
        *clients: The clients.
        tracer_provider: Where spans go. Default: the global provider.
        meter_provider: Where metrics go. Default: the global provider.
        spans: `"attempt"` for a span for each request as well, `"call"` for calls alone.

    Returns:
        A function that ends it. Spans of calls under way end then.

    Raises:
        ConfigurationError: There is no client, or an argument is not valid.

    Example:
        ```python
        async with AsyncLix() as lix:
            instrument(lix)
            await lix.people.get("https://www.linkedin.com/in/example-person-1")
        ```
    """
    if not clients:
        raise ConfigurationError("no client given: pass those to instrument")
    for client in clients:
        check_type("a client", client, Client)
    if spans not in ("call", "attempt"):
        raise ConfigurationError(f"invalid spans {spans!r}: expected 'call' or 'attempt'")
    recorder = _SpanRecorder(tracer_provider, meter_provider, spans == "attempt")
    removals = [client.events.add(recorder.hear) for client in clients]

    def end() -> None:
        for remove in removals:
            remove()
        recorder.close()

    return end


class _CallSpans:
    """A call under way."""

    __slots__ = ("attempt", "http", "span", "waits")

    def __init__(self, span: Span, http: Attributes) -> None:
        self.span = span
        self.http = http
        """The attributes of its requests."""
        self.attempt: Span | None = None
        self.waits: tuple[str, float] | None = None
        """Why it waits, and since when (epoch seconds)."""


class _SpanRecorder:
    """The listener of `instrument`."""

    def __init__(
        self,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
        attempts: bool,
    ) -> None:
        self._tracer = get_tracer(SCOPE, tracer_provider=tracer_provider)
        self._attempts = attempts
        self._calls: dict[int, _CallSpans] = {}
        # The tasks of a run inherit it, because its first event is emitted where they begin.
        self._run: ContextVar[SpanContext | None] = ContextVar("lix_async_run", default=None)
        meter = get_meter(SCOPE, meter_provider=meter_provider)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=HTTP_BUCKETS,
        )
        self._wait = meter.create_histogram(
            "lix.client.wait.duration",
            "s",
            "Duration of waits for permits and before further attempts.",
            explicit_bucket_boundaries_advisory=WAIT_BUCKETS,
        )
        self._credits = meter.create_counter(
            "lix.client.credits", "{credit}", "Credits charged for answers."
        )
        self._lost = meter.create_counter(
            "lix.client.lost", "{attempt}", "Attempts that may be charged and got no answer."
        )
        self._saved = meter.create_counter(
            "lix.client.cache.saved", "{credit}", "Credits saved by cached and shared answers."
        )

    def close(self) -> None:
        """End the spans of calls under way."""
        calls, self._calls = self._calls, {}
        for call in calls.values():
            if call.attempt is not None:
                call.attempt.end()
            call.span.end()

    def hear(self, event: Event) -> None:
        """Record an event."""
        if isinstance(event, CallStarted):
            self._call_started(event)
        elif isinstance(event, RunStarted):
            self._run_started(event)
        elif isinstance(event, CacheHit):
            self._cache_hit(event)
        elif event.call is not None and (call := self._calls.get(event.call)) is not None:
            if isinstance(event, CallEnded):
                del self._calls[event.call]
            self._of_call(event, call)

    def _of_call(self, event: Event, call: _CallSpans) -> None:
        if call.waits is not None:
            reason, since = call.waits
            call.waits = None
            self._wait.record(
                max(event.at - since, 0.0),
                {"lix.endpoint": event.endpoint, "lix.wait.reason": reason},
            )
        match event:
            case WaitStarted():
                call.waits = event.reason, event.at
                attributes: Attributes = {"lix.wait.reason": event.reason}
                if event.seconds is not None:
                    attributes["lix.wait.seconds"] = event.seconds
                call.span.add_event("lix.wait", attributes, _nanoseconds(event.at))
            case AttemptStarted():
                self._attempt_started(event, call)
            case AttemptEnded():
                self._attempt_ended(event, call)
            case CallEnded():
                self._call_ended(event, call)
            case _:
                pass

    def _call_started(self, event: CallStarted) -> None:
        run = self._run.get()
        span = self._tracer.start_span(
            f"lix {event.endpoint}",
            context=None if run is None else Context(),
            kind=SpanKind.INTERNAL,
            links=None if run is None else [Link(run)],
            start_time=_nanoseconds(event.at),
            attributes={"lix.endpoint": event.endpoint, "lix.provider": event.provider},
        )
        http: Attributes = {
            "http.request.method": event.method,
            "url.template": event.path,
            "server.address": event.host,
            "server.port": event.port,
        }
        assert event.call is not None  # every call has a number
        self._calls[event.call] = _CallSpans(span, http)

    def _attempt_started(self, event: AttemptStarted, call: _CallSpans) -> None:
        if self._attempts:
            attributes = call.http
            if event.attempt > 1:
                attributes = attributes | {"http.request.resend_count": event.attempt - 1}
            call.attempt = self._tracer.start_span(
                f"{call.http['http.request.method']} {call.http['url.template']}",
                context=set_span_in_context(call.span),
                kind=SpanKind.CLIENT,
                start_time=_nanoseconds(event.at),
                attributes=attributes,
            )

    def _attempt_ended(self, event: AttemptEnded, call: _CallSpans) -> None:
        result: Attributes = {}
        if event.status:
            result["http.response.status_code"] = event.status
        if event.error is not None:
            result["error.type"] = str(event.status) if event.status >= 400 else event.error
        self._duration.record(event.seconds, call.http | result)
        if call.attempt is not None:
            call.attempt.set_attributes(result)
            if event.error is not None:
                call.attempt.set_status(Status(StatusCode.ERROR))
            call.attempt.end(_nanoseconds(event.at))
            call.attempt = None

    def _call_ended(self, event: CallEnded, call: _CallSpans) -> None:
        attributes: Attributes = {
            "lix.attempts": event.attempts,
            "lix.credits": event.credits,
            "lix.credit.kind": event.credit_kind,
            "lix.lost": event.lost,
            "lix.waited": event.waited,
            "lix.outcome": event.outcome,
        }
        if event.error is not None:
            attributes["error.type"] = event.error
            call.span.set_status(Status(StatusCode.ERROR))
        call.span.set_attributes(attributes)
        call.span.end(_nanoseconds(event.at))
        if event.credits:
            kinds = {"lix.endpoint": event.endpoint, "lix.credit.kind": event.credit_kind}
            self._credits.add(event.credits, kinds)
        if event.lost:
            self._lost.add(event.lost, {"lix.endpoint": event.endpoint})

    def _cache_hit(self, event: CacheHit) -> None:
        attributes: Attributes = {
            "lix.endpoint": event.endpoint,
            "lix.credit.kind": event.credit_kind,
            "lix.cache.source": event.source,
        }
        self._saved.add(event.saved, attributes)

    def _run_started(self, event: RunStarted) -> None:
        span = self._tracer.start_span(
            "lix run",
            start_time=_nanoseconds(event.at),
            attributes={
                "lix.run.number": event.run,
                "lix.run.name": event.name,
                "lix.run.method": event.method,
            },
        )
        span.end(_nanoseconds(event.at))
        self._run.set(span.get_span_context())


def _nanoseconds(seconds: float) -> int:
    """Epoch seconds as OpenTelemetry has them."""
    return int(seconds * 1e9)
