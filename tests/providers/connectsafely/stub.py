"""Samples of ConnectSafely for the tests, and a client with scripted responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from sample_provider import Script, Skipping, reply

from lix_async.core.wire import HttpResponse
from lix_async.providers.connectsafely.client import AsyncConnectSafely

SAMPLES = Path(__file__).parents[2] / "contract" / "samples"
ACCOUNT = "0123456789abcdef01234567"
OTHER = "76543210fedcba9876543210"


def sample(name: str) -> bytes:
    return (SAMPLES / f"connectsafely.{name}.json").read_bytes()


def tree(name: str) -> Any:
    return json.loads(sample(name))


def answer(name: str, status: int = 200, headers: str | None = None) -> HttpResponse:
    """A sample as a response, with the headers of another sample."""
    given: dict[str, str] = {} if headers is None else tree(headers)
    raw = [(key.encode(), value.encode()) for key, value in given.items()]
    return HttpResponse(status, raw, sample(name))


def profile(slug: str = "someone", **fields: Any) -> HttpResponse:
    """A response with an uncached profile."""
    headers = fields.pop("headers", {})
    body = {
        "success": True,
        "profileId": slug,
        "accountId": ACCOUNT,
        "profile": {"firstName": "Example", "publicIdentifier": slug},
        "message": "Example: profile fetched",
        **fields,
    }
    return reply(200, body, **headers)


def fresh(outgoing: Any) -> HttpResponse:
    """The response to a profile request, uncached."""
    return profile(msgspec.json.decode(outgoing.body)["profileId"])


def client(*answers: Any, **settings: Any) -> AsyncConnectSafely:
    """A client without a rate limit and with a clock that skips, unless options say otherwise."""
    given: dict[str, Any] = {"rate_limit": None, "clock": Skipping()} | settings
    return AsyncConnectSafely("key", http_client=Script(*answers), **given)


def sent(of: AsyncConnectSafely) -> list[Any]:
    """The requests that were sent."""
    transport = of._engine.transport
    assert isinstance(transport, Script)
    return list(transport.sent)
