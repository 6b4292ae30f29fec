"""Samples of Letrics for the tests, and a client with scripted responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from sample_provider import Script, Skipping, reply

from lix_async.core.wire import HttpResponse
from lix_async.providers.letrics.client import AsyncLetrics

SAMPLES = Path(__file__).parents[2] / "contract" / "samples"
BASE = "https://letrics.example/api"


def sample(name: str) -> bytes:
    return (SAMPLES / f"letrics.{name}.json").read_bytes()


def tree(name: str) -> Any:
    return json.loads(sample(name))


def answer(name: str, status: int = 200) -> HttpResponse:
    return HttpResponse(status, [], sample(name))


def rows(*names: object, **beside: Any) -> HttpResponse:
    """A page of items without ids."""
    return reply(200, {"data": [{"name": name} for name in names], **beside})


def client(*answers: Any, **settings: Any) -> AsyncLetrics:
    """A client without a rate limit and with a clock that skips, unless options say otherwise."""
    given: dict[str, Any] = {"rate_limit": None, "clock": Skipping(), "base_url": BASE} | settings
    return AsyncLetrics("key", http_client=Script(*answers), **given)


def sent(of: AsyncLetrics) -> list[Any]:
    """The requests that were sent."""
    transport = of._engine.transport
    assert isinstance(transport, Script)
    return list(transport.sent)


def bodies(of: AsyncLetrics) -> list[Any]:
    return [msgspec.json.decode(one.body) for one in sent(of)]
