"""Helpers: a fixed time, sandboxes with a test clock, and answers without a server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
from sample_provider import Skipping

from lix_async.sandbox import Sandbox
from lix_async.sandbox.answers.context import AnswerContext, Envelope
from lix_async.sandbox.answers.lix import ANSWERS
from lix_async.sandbox.protocol.params import RequestParams
from lix_async.sandbox.state.credit_ledger import CreditLedger
from lix_async.sandbox.state.rate_limits import Allowance
from lix_async.sandbox.state.state import SandboxState
from lix_async.sandbox.world.world import World

NOON = 1_750_075_200.0
"""Monday 2025-06-16, 12:00 UTC."""

Client = Callable[[Sandbox], AbstractAsyncContextManager[httpx.AsyncClient]]


def small_sandbox(clock: Skipping | None = None, **settings: Any) -> Sandbox:
    clock = clock or Skipping()
    given = {"people": 300, "organisations": 12, "rate": None, **settings}
    return Sandbox(**given, clock=clock.now, wall=clock.wall, sleep=clock.sleep)


class AnswerCaller:
    """Calls the answer function of an endpoint without a server."""

    def __init__(self, world: World, envelope: Envelope = "flat") -> None:
        self.world = world
        self.state = SandboxState()
        self.envelope: Envelope = envelope
        self.epoch = NOON
        self.page_sizes: dict[str, int] = {}
        self._count = 0

    def __call__(self, endpoint: str, /, **params: object) -> dict:  # type: ignore[type-arg]
        self._count += 1
        context = AnswerContext(
            endpoint_id=endpoint,
            seed=self.world.seed,
            request=self._count,
            epoch=self.epoch,
            state=self.state,
            ledger=CreditLedger(),
            allowance=Allowance(100),
            envelope=self.envelope,
            page_sizes=self.page_sizes,
        )
        return ANSWERS[endpoint](self.world, RequestParams(params), context)  # type: ignore[return-value]
