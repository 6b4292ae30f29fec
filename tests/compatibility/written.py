"""The stored files, and the sandbox and clock under which they were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from lix_async import (
    AsyncConnectSafely,
    AsyncLetrics,
    AsyncLix,
    AsyncLookC,
    AsyncMeetAlfred,
)
from lix_async.sandbox import Sandbox

WRITTEN = Path(__file__).with_name("written_by_bddb656")
CLIENTS: dict[str, Any] = {
    "lix": AsyncLix,
    "lookc": AsyncLookC,
    "connectsafely": AsyncConnectSafely,
    "letrics": AsyncLetrics,
    "meetalfred": AsyncMeetAlfred,
}
L = "https://www.linkedin.com"
EPOCH = 1_700_000_000.0
"""When the files were written."""
WORLD: dict[str, Any] = {
    "seed": 7,
    "people": 60,
    "organisations": 12,
    "rate": None,
    "page_sizes": {
        "search.people": 3,
        "search.jobs": 3,
        "search.posts": 3,
        "search.orgs": 3,
        "sales.search_people": 3,
        "sales.search_people_post": 3,
        "sales.search_orgs": 3,
        "enrich.post_reactions": 3,
        "activity.reactions": 5,
        "enrich.post_comments": 20,
        "organisation.followers": 60,
        "recruiter.search_people": 60,
        "sales.list_orgs": 15,
        "sales.list_people": 15,
        "messages.list": 6,
    },
}
"""The settings of the sandbox that the files were written with: it gives the same rows again."""


class ManualClock:
    """Begins so many seconds after `EPOCH`; moves on only when something sleeps."""

    def __init__(self, after: float = 0.0) -> None:
        self._now = after

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return EPOCH + self._now

    def between(self, low: float, high: float) -> float:
        return low

    def timeout(self, seconds: float) -> anyio.CancelScope:
        return anyio.CancelScope()

    async def sleep(self, seconds: float) -> None:
        self._now += max(seconds, 0.0)
        await checkpoint()


def read(name: str) -> Any:
    """A stored file as JSON."""
    return json.loads((WRITTEN / name).read_bytes())


def method_of(client: Any, name: str) -> Any:
    """`search.people` of a client."""
    for part in name.split("."):
        client = getattr(client, part)
    return client


def requested(sandbox: Sandbox, endpoint: str) -> list[dict[str, Any]]:
    """The params of the requests for an endpoint, in order."""
    return [json.loads(one.input or "{}") for one in sandbox.requests if one.endpoint == endpoint]
