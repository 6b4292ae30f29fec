"""Fixtures: a world, a sandbox whose clock does not move, and an HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from lix_async.sandbox import Sandbox
from lix_async.sandbox.world.world import World

from .sandbox_helpers import NOON, AnswerCaller, Client


@pytest.fixture(scope="session")
def world() -> World:
    return World(seed=1, people=600, organisations=60)


@pytest.fixture
def ask(world: World) -> AnswerCaller:
    return AnswerCaller(world)


@pytest.fixture
def client() -> Client:
    @asynccontextmanager
    async def connect(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(sandbox.app),
            base_url="http://sandbox",
            headers={"Authorization": "a-key"},
        ) as made:
            yield made

    return connect


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(people=300, organisations=40, rate=None, clock=lambda: 0.0, wall=lambda: NOON)
