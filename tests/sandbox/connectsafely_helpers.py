"""Helpers of the ConnectSafely tests: clients on a sandbox with a test clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from sample_provider import Skipping

from lix_async.providers.connectsafely.client import AsyncConnectSafely
from lix_async.sandbox import Sandbox

from .sandbox_helpers import small_sandbox as small

__all__ = ["NIGHT", "OTHER", "RIGHT", "bare", "connect", "slugs", "small"]

OTHER = "76543210fedcba9876543210"
RIGHT = {"Authorization": "Bearer a-key"}
NIGHT = datetime(2023, 11, 15, tzinfo=UTC)
"""The end of the first day of `Skipping`, which starts at 22:13:20."""


def connect(sandbox: Sandbox, clock: Skipping | None = None, **options: Any) -> AsyncConnectSafely:
    """The real client on a sandbox in memory, by default without a rate limit."""
    http_client = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app))
    settings = {"rate_limit": None, "daily_profiles": None, **options}
    return AsyncConnectSafely(
        "a-key",
        base_url="http://127.0.0.1/linkedin",
        http_client=http_client,
        clock=clock or Skipping(),
        **settings,
    )


@asynccontextmanager
async def bare(sandbox: Sandbox, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app),
        base_url="http://sandbox/linkedin",
        headers=headers or RIGHT,
    ) as http:
        yield http


def slugs(sandbox: Sandbox, count: int, first: int = 0) -> list[str]:
    return [sandbox.world.person(place).slug for place in range(first, first + count)]
