"""Spans and metrics, read back from the exporters of the SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sample_provider import LOST, THING, SampleClient, ThingParams, refused, reply

from lix_async import RateLimit, bulk
from lix_async.core.errors import ConfigurationError, NotFoundError
from lix_async.engine.client import Client
from lix_async.engine.events import CacheHit
from lix_async.integrations.opentelemetry import instrument
from lix_async.sandbox import Sandbox
from lix_async.testing import VirtualClock, memory_client

ONE = ThingParams(id="SENTINEL")
FINE = reply(200, {"id": "a"})
pytestmark = pytest.mark.anyio


class Exported:
    """Providers, and what arrived at their exporters."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._reader])

    def instrument(self, *clients: Client, **options: Any) -> Callable[[], None]:
        providers = {"tracer_provider": self.tracers, "meter_provider": self.meters}
        return instrument(*clients, **providers, **options)

    @property
    def spans(self) -> list[ReadableSpan]:
        return sorted(self._spans.get_finished_spans(), key=lambda one: one.context.span_id)

    def named(self, name: str) -> list[ReadableSpan]:
        return [one for one in self._spans.get_finished_spans() if one.name == name]

    def metrics(self) -> dict[str, Any]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def points(self, name: str) -> list[Any]:
        return list(self.metrics()[name].data.data_points)


@pytest.fixture
def exported() -> Iterator[Exported]:
    found = Exported()
    yield found
    found.tracers.shutdown()
    found.meters.shutdown()


class LowestDraws(VirtualClock):
    def between(self, low: float, high: float) -> float:
        return low


async def test_a_call_below_a_request_and_its_attempts_below_it(exported: Exported) -> None:
    async with LowestDraws() as clock:
        client = SampleClient(
            refused(429, "rate_limit"), reply(503), FINE,
            rate_limit=RateLimit(1, per=3.0), clock=clock,
        )  # fmt: skip
        exported.instrument(client)
        with exported.tracers.get_tracer("app").start_as_current_span("request"):
            await client.send(THING, ONE)
    (request,), (call,) = exported.named("request"), exported.named("lix thing.get")
    attempts = exported.named("GET /v1/things/{id}")
    assert call.parent is not None
    assert call.parent.span_id == request.context.span_id
    assert [one.parent and one.parent.span_id for one in attempts] == [call.context.span_id] * 3
    assert (call.kind, call.status.status_code) == (SpanKind.INTERNAL, StatusCode.UNSET)
    assert dict(call.attributes or {}) == {
        "lix.endpoint": "thing.get",
        "lix.provider": "sample",
        "lix.attempts": 3,
        "lix.credits": 2,
        "lix.credit.kind": "standard",
        "lix.lost": 0,
        "lix.waited": pytest.approx(clock.now()),
        "lix.outcome": "ok",
    }
    waits = [dict(one.attributes or {}) for one in call.events if one.name == "lix.wait"]
    assert [one["lix.wait.reason"] for one in waits] == [
        *("permit", "held", "permit", "retry", "permit")
    ]
    assert waits[1]["lix.wait.seconds"] == 3.0
    assert [one.kind for one in attempts] == [SpanKind.CLIENT] * 3
    found = [dict(one.attributes or {}) for one in attempts]
    assert [one["http.response.status_code"] for one in found] == [429, 503, 200]
    assert [one.get("http.request.resend_count") for one in found] == [None, 1, 2]
    assert [one.get("error.type") for one in found] == ["429", "503", None]
    assert [one.status.status_code for one in attempts] == [
        *(StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET)
    ]
    assert found[2] == {
        "http.request.method": "GET",
        "url.template": "/v1/things/{id}",
        "server.address": "sample.example",
        "server.port": 443,
        "http.response.status_code": 200,
        "http.request.resend_count": 2,
    }
    assert call.start_time == attempts[0].start_time == 1_700_000_000 * 10**9
    assert call.end_time == int(clock.wall() * 1e9)
    assert {one.instrumentation_scope.name for one in (call, *attempts)} == {"lix_async"}


async def test_metrics(exported: Exported) -> None:
    async with LowestDraws() as clock:
        client = SampleClient(
            refused(429, "rate_limit"), LOST, FINE, clock=clock, rate_limit=RateLimit(1, per=3.0)
        )
        exported.instrument(client)
        await client.send(THING, ONE)
    durations = exported.points("http.client.request.duration")
    assert exported.metrics()["http.client.request.duration"].unit == "s"
    assert {
        (one.attributes.get("http.response.status_code"), one.attributes.get("error.type"))
        for one in durations
    } == {(429, "429"), (None, "TransportError"), (200, None)}
    assert durations[0].explicit_bounds[:3] == (0.005, 0.01, 0.025)
    assert all("url.full" not in one.attributes for one in durations)
    waits = {
        one.attributes["lix.wait.reason"]: (one.count, one.sum)
        for one in exported.points("lix.client.wait.duration")
    }
    assert waits.keys() == {"permit", "held", "retry"}
    assert waits["held"] == (1, 3.0)
    assert sum(total for _, total in waits.values()) == pytest.approx(clock.now())
    (credits,) = exported.points("lix.client.credits")
    assert (credits.value, dict(credits.attributes)) == (
        2,
        {"lix.endpoint": "thing.get", "lix.credit.kind": "standard"},
    )
    (lost,) = exported.points("lix.client.lost")
    assert (lost.value, dict(lost.attributes)) == (1, {"lix.endpoint": "thing.get"})


async def test_answers_from_a_cache(exported: Exported) -> None:
    client = SampleClient(FINE)
    exported.instrument(client)
    for source in ("flight", "ledger", "ledger"):
        client.events.emit(
            CacheHit(endpoint="thing.get", at=1.0, source=source, saved=2, credit_kind="standard")  # type: ignore[arg-type]
        )
    saved = {
        one.attributes["lix.cache.source"]: one.value
        for one in exported.points("lix.client.cache.saved")
    }
    assert saved == {"flight": 2, "ledger": 4}


async def test_an_error_and_a_cancellation(exported: Exported) -> None:
    async def never(_: object) -> object:
        await anyio.sleep_forever()
        return None

    client = SampleClient(refused(404, "not_found"), never)
    exported.instrument(client)
    with pytest.raises(NotFoundError):
        await client.send(THING, ONE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.send, THING, ONE)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    error, cancelled = exported.named("lix thing.get")
    assert error.status.status_code is StatusCode.ERROR
    assert error.status.description is None
    assert (error.attributes or {})["error.type"] == "NotFoundError"
    assert cancelled.status.status_code is StatusCode.UNSET
    assert (cancelled.attributes or {})["lix.outcome"] == "cancelled"
    attempt = exported.named("GET /v1/things/{id}")[1]
    assert (attempt.attributes or {})["error.type"] == "cancelled"


async def test_spans_of_calls_alone(exported: Exported) -> None:
    client = SampleClient(reply(503), FINE)
    exported.instrument(client, spans="call")
    await client.send(THING, ONE)
    assert [one.name for one in exported.spans] == ["lix thing.get"]
    assert sum(one.count for one in exported.points("http.client.request.duration")) == 2


async def test_the_end_ends_the_spans_of_calls_under_way(exported: Exported) -> None:
    async def never(_: object) -> object:
        end()
        return FINE

    client = SampleClient(never, LOST, FINE)
    end = exported.instrument(client, client.with_options(deadline=9.0))
    await client.send(THING, ONE)
    assert {one.name for one in exported.spans} == {"lix thing.get", "GET /v1/things/{id}"}
    count = len(exported.spans)
    await client.send(THING, ONE)
    assert len(exported.spans) == count
    clock = VirtualClock()  # stands still
    client = SampleClient(FINE, rate_limit=RateLimit(1, per=9.0), clock=clock)
    end = exported.instrument(client)
    await client.send(THING, ONE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.send, THING, ONE)
        await anyio.wait_all_tasks_blocked()
        before = len(exported.spans)
        end()
        assert len(exported.spans) == before + 1
        tasks.cancel_scope.cancel()


async def test_no_trace_header_and_nothing_personal_is_sent_or_recorded(
    exported: Exported,
) -> None:
    key = "SENTINEL-0123456789abcdef"
    sandbox = Sandbox(rate=None)
    async with memory_client(sandbox, api_key=key) as lix:
        exported.instrument(lix)
        with exported.tracers.get_tracer("app").start_as_current_span("request"):
            page = lix.search.people(
                "https://www.linkedin.com/search/results/people/?keywords=SENTINEL", max_items=2
            )
            await page.collect()
            await lix.people.get("https://www.linkedin.com/in/SENTINEL")
    everything = "".join(one.to_json() for one in exported.spans) + repr(exported.metrics())
    assert "SENTINEL" not in everything
    assert "linkedin.com/in/" not in everything


async def test_no_header_of_a_trace_leaves(exported: Exported) -> None:
    client = SampleClient(FINE)
    exported.instrument(client)
    with exported.tracers.get_tracer("app").start_as_current_span("request") as span:
        await client.send(THING, ONE)
        number = trace.format_trace_id(span.get_span_context().trace_id)
    builder = SampleClient(http_client=None).engine.transport.request_builder  # type: ignore[attr-defined]
    (sent,) = client.script.sent
    assert number not in repr(sent)
    names = {name.lower() for name, _ in builder.headers(sent)}
    assert not names & {b"traceparent", b"tracestate", b"baggage"}


async def test_lookups_of_a_run_are_roots_with_a_link_to_the_run(
    exported: Exported, tmp_path: Path
) -> None:
    async with memory_client(Sandbox(rate=None)) as lix:
        links = [f"https://www.linkedin.com/in/sandbox-person-{n}" for n in range(3)]
        exported.instrument(lix)
        with exported.tracers.get_tracer("app").start_as_current_span("job"):
            async with bulk.Run(tmp_path / "a.db", lix.people.get, links, name="crm") as run:
                async for outcome in run:
                    assert outcome.ok
            await lix.people.get(links[0])  # not in the run
    (job,), (started,) = exported.named("job"), exported.named("lix run")
    assert started.parent is not None
    assert started.parent.span_id == job.context.span_id
    assert dict(started.attributes or {}) == {
        "lix.run.number": 1,
        "lix.run.name": "crm",
        "lix.run.method": "Lix people.get",
    }
    *lookups, outside = exported.named("lix person.get")
    assert len(lookups) == 3
    balances = exported.named("lix account.balances")
    assert len(balances) == 2, "the second reading is made when the run has ended"
    for one in [*lookups, *balances]:
        assert one.parent is None
        assert [link.context.span_id for link in one.links] == [started.context.span_id]
    assert outside.parent is not None
    assert (outside.parent.span_id, list(outside.links)) == (job.context.span_id, [])


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        ((), {}, "no client given"),
        ((3,), {}, "a client"),
        ((SampleClient(FINE),), {"spans": "all"}, "invalid spans"),
    ],
)
def test_arguments(arguments: Any, options: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(text)):
        instrument(*arguments, **options)


async def test_without_an_sdk_nothing_happens() -> None:
    client = SampleClient(FINE)
    instrument(client)()
    instrument(client)
    assert (await client.send(THING, ONE)).value.id == "a"
