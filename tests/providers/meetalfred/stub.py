"""Samples of Meet Alfred for the tests, and a client with scripted responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sample_provider import Script, Skipping, reply

from lix_async.core.wire import HttpResponse
from lix_async.providers.meetalfred.client import AsyncMeetAlfred

SAMPLES = Path(__file__).parents[2] / "contract" / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / f"meetalfred.{name}.json").read_bytes()


def tree(name: str) -> Any:
    return json.loads(sample(name))


def answer(name: str, status: int = 200) -> HttpResponse:
    return HttpResponse(status, [], sample(name))


def rows(*ids: object, **beside: Any) -> HttpResponse:
    """A page of rows with ids; None is a row without one."""
    return reply(200, {"actions": [{} if x is None else {"id": x} for x in ids], **beside})


def client(*answers: Any, **settings: Any) -> AsyncMeetAlfred:
    """A client without a rate limit and with a clock that skips, unless options say otherwise."""
    given: dict[str, Any] = {"rate_limit": None, "clock": Skipping()} | settings
    return AsyncMeetAlfred("key", http_client=Script(*answers), **given)


def sent(of: AsyncMeetAlfred) -> list[Any]:
    """The requests that were sent."""
    transport = of._engine.transport
    assert isinstance(transport, Script)
    return list(transport.sent)


def queries(of: AsyncMeetAlfred) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(one.target).query)) for one in sent(of)]
