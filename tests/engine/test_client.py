"""Settings: what is taken, what is refused before anything is sent, and what is shared."""

from __future__ import annotations

import asyncio
import importlib.metadata
import math
import re

import anyio
import httpx
import pytest
import trio
from loopback import answer, saying, serve
from reference_server import Vendor, things
from sample_provider import (
    LIST,
    THING,
    ListParams,
    SampleClient,
    Script,
    Skipping,
    ThingParams,
    reply,
)

import lix_async
from lix_async.concurrency.clock import RealClock
from lix_async.core.errors import ConfigurationError, ServerError
from lix_async.core.rate_limit import RateLimit
from lix_async.core.retry import RetryPolicy
from lix_async.core.schema_drift import Drift
from lix_async.engine.transport import ClientTransport, HttpTransport
from lix_async.limiters.local import LocalLimiter

pytestmark = pytest.mark.anyio
ONE = ThingParams(id="1")


class OnlyAcquires:
    async def acquire(self) -> None: ...


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"api_key": ""}, "api_key is empty"),
        (
            {"auth": "basic"},
            "invalid auth: expected one of 'raw', 'bearer', 'x-api-key', 'query'",
        ),
        (
            {"base_url": "http://sample.example"},
            r"base_url must use https \(http only for this machine",
        ),
        ({"rate_limit": 5}, "rate_limit must be a RateLimit, a Limiter or None, not int"),
        ({"rate_limit": OnlyAcquires()}, "rate_limit must be a RateLimit, a Limiter or None"),
        ({"retry": 3}, "retry must be a RetryPolicy, not int"),
        ({"deadline": 0}, "deadline must be a positive number of seconds: 0"),
        ({"deadline": math.nan}, "deadline must be a positive number of seconds: nan"),
        ({"timeout": -1}, "timeout must be a positive number of seconds: -1"),
        ({"timeout": "5"}, "timeout must be seconds or an httpx.Timeout, not str"),
        ({"timeout": True}, "timeout must be seconds or an httpx.Timeout, not bool"),
        ({"api_key": 5}, "api_key must be a text, not int"),
        ({"auth": []}, "invalid auth: expected one of"),
        ({"base_url": 5}, "base_url must be a text or None, not int"),
        ({"viewer_id": 5}, "viewer_id must be a text or None, not int"),
        ({"viewer_id": ""}, "viewer_id must not be empty: leave it out or pass None"),
        ({"rate_limit": LocalLimiter}, "rate_limit must be .* not the class LocalLimiter itself"),
        ({"deadline": "5"}, "deadline must be a number or None, not str"),
        ({"deadline": True}, "deadline must be a number or None, not bool"),
        ({"max_credits": "5"}, "max_credits must be a whole number or a mapping to a whole number"),
        ({"max_credits": True}, "max_credits must be .* not bool"),
        ({"max_credits": {"org": "5"}}, "max_credits must be .* not dict"),
        ({"on_drift": "print"}, "on_drift must be a Callable or None, not str"),
        ({"clock": "now"}, "clock must be a Clock, not str"),
        ({"http_client": "x"}, "http_client must be an AsyncClient .* not str"),
        ({"http_client": httpx.AsyncClient}, "not the class AsyncClient itself"),
        ({"http_client": Script}, "http_client must be .* not the class Script itself"),
        ({"http_client": 5}, "http_client must be an AsyncClient of httpx or httpx2, .* not int"),
        ({"http_client": math}, "http_client must be an AsyncClient .* not module"),
        ({"http_client": httpx.Client()}, "http_client must be an AsyncClient .* not Client"),
        ({"max_credits": -1}, "max_credits must not be negative"),
    ],
)
def test_impossible_settings_are_refused_by_name(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        SampleClient(**settings)


def test_key_and_address_may_come_from_the_environment(monkeypatch):
    for name in ("SAMPLE_API_KEY", "OTHER_API_KEY", "SAMPLE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        ConfigurationError, match="pass api_key= or set SAMPLE_API_KEY or OTHER_API_KEY"
    ):
        SampleClient(api_key=None)
    monkeypatch.setenv("OTHER_API_KEY", "other")
    monkeypatch.setenv("SAMPLE_API_KEY", "")
    assert "sample.example" in repr(SampleClient(api_key=None))
    monkeypatch.setenv("SAMPLE_BASE_URL", "https://env.example/base")
    assert "env.example" in repr(SampleClient(api_key=None))
    assert "given.example" in repr(SampleClient(base_url="https://given.example"))
    with pytest.raises(ConfigurationError, match="is empty"):
        SampleClient(api_key="")


def test_a_client_shows_host_rate_and_auth_style():
    assert repr(SampleClient(reply())) == "<SampleClient sample.example no limit auth='raw'>"
    paced = SampleClient(rate_limit=RateLimit(1, per=3.0), auth="query", base_url="http://[::1]:80")
    assert re.fullmatch(r"<SampleClient \[::1\]:80 RateLimit\(.*\) auth='query'>", repr(paced))
    assert "OnlyActs" in repr(SampleClient(reply(), rate_limit=OnlyActs()))


class OnlyActs(OnlyAcquires):
    async def hold(self, seconds: float) -> None: ...

    def __repr__(self) -> str:
        return "OnlyActs()"


def test_what_is_given_as_a_client_decides_the_transport():
    assert type(SampleClient().engine.transport) is HttpTransport
    assert type(SampleClient(http_client=httpx).engine.transport) is HttpTransport
    assert type(SampleClient(http_client=httpx.AsyncClient()).engine.transport) is ClientTransport
    assert type(SampleClient(reply()).engine.transport) is Script


@pytest.mark.parametrize(
    ("timeout", "read"), [(None, 90.0), (5, 5.0), (0.5, 0.5), (httpx.Timeout(7, read=3), 3)]
)
def test_a_timeout_is_for_each_operation(timeout, read):
    assert SampleClient(timeout=timeout).engine.transport.timeout["read"] == read


async def test_a_prefix_of_the_address_goes_before_every_path():
    client = SampleClient(reply(), base_url="https://sample.example/api/")
    await client.send(THING, ONE)
    assert client.script.targets == ["/api/v1/things/1"]


async def test_a_view_shares_limiter_connections_and_credits_and_has_its_own_options():
    client = SampleClient(reply(500), rate_limit=RateLimit(1, per=3.0, margin=0))
    view = client.with_options(retry=RetryPolicy(attempts=2), deadline=99, viewer_id="me")
    assert type(view) is SampleClient
    assert view.engine.limiter is client.engine.limiter
    assert view.engine.transport is client.engine.transport
    assert (view.credits is client.credits, view.clock is client.clock) == (True, True)
    for one, attempts in ((view, 2), (client, 4)):
        with pytest.raises(ServerError) as caught:
            await one.send(THING, ONE)
        assert caught.value.attempts == attempts
    assert client.clock_used.now() == 3 * 5
    assert client.script.targets[1::4] == ["/v1/things/1?viewer_id=me", "/v1/things/1"]
    again = view.with_options()
    assert again.engine.options == view.engine.options
    for bad in (
        *({"retry": 3}, {"deadline": -1}, {"deadline": "5"}, {"deadline": True}),
        *({"viewer_id": 5}, {"viewer_id": ""}),
    ):
        with pytest.raises(ConfigurationError, match=next(iter(bad))):
            client.with_options(**bad)


async def test_only_endpoints_are_sent_and_only_listings_paginated():
    client = SampleClient(reply())
    with pytest.raises(ConfigurationError, match="endpoint must be an Endpoint, not str"):
        await client.send("thing.get", ONE)
    with pytest.raises(ConfigurationError, match="endpoint must be an Endpoint, not None"):
        client.pages(None, ONE)
    with pytest.raises(ConfigurationError, match=r"thing.get is not a listing: use send\(\)"):
        client.pages(THING, ONE)
    assert client.script.sent == []


async def test_what_a_callback_raises_costs_no_answer(caplog):
    """The warning leaves the text out: it may hold personal data of an answer."""

    def raises(drift: Drift) -> None:
        raise KeyError(f"Ada Example {drift.path} key")

    client = SampleClient(reply(200, {"id": "a", "new": 1}), on_drift=raises)
    assert (await client.send(THING, ONE)).value.id == "a"
    assert [record.name for record in caplog.records] == ["lix_async.drift"]
    assert caplog.messages == ["on_drift raised KeyError, which is ignored"]
    await client.aclose()
    assert len(caplog.messages) > 1
    assert "Ada" not in caplog.text
    assert caplog.records[0].exc_info is None


async def test_two_clients_may_share_one_limiter():
    clock = Skipping()
    limiter = LocalLimiter(RateLimit(1, per=3.0, margin=0), clock=clock)
    for client in (SampleClient(reply(), rate_limit=limiter, clock=clock) for _ in range(2)):
        await client.send(THING, ONE)
    assert clock.now() == 3


async def test_a_client_works_again_after_it_was_closed():
    async with serve(saying(answer(b'{"id": "1"}'))) as server:
        client = SampleClient(base_url=server.url)
        async with client as same:
            assert same is client
            await client.send(THING, ONE)
        await client.send(THING, ONE)
        await client.aclose()
        await client.aclose()
        assert server.connections == 2


def test_a_client_works_under_one_loop_after_the_other_with_real_connections():
    client = SampleClient(base_url="http://127.0.0.1:1", rate_limit=RateLimit(100, per=1))

    async def visit() -> int:
        async with serve(saying(answer(b'{"id": "1"}'))) as server:
            client.engine.transport.request_builder.address = SampleClient(
                base_url=server.url
            )._address
            async with client:
                return (await client.send(THING, ONE)).attempts

    assert [asyncio.run(visit()), trio.run(visit), asyncio.run(visit())] == [1, 1, 1]


async def test_pages_take_their_limits():
    client = SampleClient(Vendor(things(25), total=25))
    pages = client.pages(LIST, ListParams(), max_items=12)
    point = pages.checkpoint
    assert len(await pages.collect()) == 12
    assert len(await client.pages(LIST, ListParams(), resume=point, prefetch=1).collect()) == 25


async def test_schema_drift_is_reported_once_and_at_the_end():
    seen: list[Drift] = []
    client = SampleClient(reply(200, {"id": "a", "new": 1}), on_drift=seen.append)
    for _ in range(2):
        await client.send(THING, ONE)
    assert [(drift.kind, drift.path) for drift in seen] == [("new", "new")]
    await client.aclose()
    assert {(drift.kind, drift.path) for drift in seen[1:]} >= {("missing", "size")}


def test_the_agent_names_this_library_and_its_version():
    assert (lambda header: (header[0], header[1].split()[0]))(
        SampleClient().engine.transport.request_builder._fixed_headers[1]
    ) == (b"User-Agent", f"lix_async/{lix_async.__version__}".encode())


def test_the_version_is_that_of_the_installed_package():
    assert lix_async.__version__ == importlib.metadata.version("lix_async")


async def test_the_real_clock_is_the_machines():
    clock = RealClock()
    before = clock.now()
    await clock.sleep(0)
    await clock.sleep(-5)
    assert before <= clock.now() < before + 60
    assert clock.wall() > 1_700_000_000
    assert 1 <= clock.between(1, 2) <= 2
    with clock.timeout(0) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def test_callbacks_are_awaited_when_the_block_of_a_client_ends():
    ended = []

    async def end(name):
        ended.append(name)

    async with SampleClient(Script()) as client:
        client.before_close(lambda: end("a"))
        client.before_close(lambda: end("b"))()  # withdrawn
    assert ended == ["a"]
