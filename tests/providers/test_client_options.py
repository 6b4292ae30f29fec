"""The options that the clients of all providers have in common."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest

import lix_async
from lix_async import LocalLimiter, RateLimit, RetryPolicy
from lix_async.engine.client import Client
from lix_async.engine.options import UNSET, ClientOptions
from lix_async.testing import VirtualClock

CLIENTS = ["AsyncLix", "AsyncLookC", "AsyncConnectSafely", "AsyncLetrics", "AsyncMeetAlfred"]


@pytest.fixture(params=CLIENTS)
def kind(request: pytest.FixtureRequest) -> type[Client]:
    return getattr(lix_async, request.param)


def options(kind: type[Client]) -> ClientOptions:
    return ClientOptions(
        auth=next(iter(kind.provider.credentials)),
        base_url="https://api.example",
        viewer_id="v",
        rate_limit=RateLimit(7, per=1.0),
        retry=RetryPolicy(attempts=2),
        deadline=9.0,
        timeout=8.0,
        http_client=None,
        verify=None,
        max_credits={"org": 3},
        on_drift=lambda drift: None,
        max_age=timedelta(days=90),
        refused_age=86_400.0,
        cache="unused.db",
        cache_searches=True,
        doubts="hold",
        on_event=lambda event: None,
        clock=VirtualClock(),
    )


def test_every_client_accepts_every_option(kind: type[Client]) -> None:
    given = options(kind)
    assert given.keys() == ClientOptions.__annotations__.keys()
    client = kind("key", **given)
    assert "api.example" in repr(client)
    assert "7" in repr(client)
    assert client.clock is given["clock"]
    assert client.engine.options.deadline == 9.0
    assert client.engine.options.max_age == timedelta(days=90)
    assert client.engine.options.refused_age == 86_400.0
    assert "unused.db" in repr(client.cache)
    assert client.engine.options.retry == RetryPolicy(attempts=2)
    assert client.engine.options.defaults["viewer_id"] == "v"


def test_an_unknown_option_is_a_type_error(kind: type[Client]) -> None:
    with pytest.raises(TypeError, match="unknown"):
        kind("key", unknown=1)  # type: ignore[call-arg]  # the error under test


def test_without_options_the_provider_decides(kind: type[Client]) -> None:
    by_default = kind("key", base_url="https://api.example")
    explicitly = kind("key", base_url="https://api.example", auth=UNSET, rate_limit=UNSET)
    assert repr(by_default) == repr(explicitly)
    scheme = next(iter(kind.provider.credentials))
    assert repr(by_default).endswith(f"auth={scheme!r}>")
    assert by_default.engine.limiter is not None
    if isinstance(by_default.engine.limiter, LocalLimiter):
        assert by_default.engine.limiter.rate == kind.provider.rate


def test_none_means_no_rate_limit(kind: type[Client]) -> None:
    assert kind("key", base_url="https://api.example", rate_limit=None).engine.limiter is None


def test_help_shows_a_default_for_which_none_is_a_value() -> None:
    options = inspect.signature(lix_async.AsyncConnectSafely.with_options)
    assert "deadline: 'float | Unset | None' = UNSET" in str(options)
