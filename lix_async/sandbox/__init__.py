"""The sandbox: all providers simulated locally, with fictitious people and faults on request.

    from lix_async.sandbox import Sandbox, base_url_of, running

    with running(Sandbox(seed=7, faults="weather")) as url:
        AsyncLix("key", base_url=url)
        AsyncMeetAlfred("key", base_url=base_url_of(url, "meetalfred"))

`Sandbox().app` is an ASGI application for clients in memory.

The parts in reading order, each of which imports only those before it: `protocol` (requests and
responses), `world` (the sample records), `faults`, `state` (credits, rate limits, lookups),
`answers` (one function for each endpoint), `providers` (their rules and formats), `openapi`,
`server`. The package may import `lix_async.core` and the data modules of providers; it uses neither
the engine nor `lix_async.linkedin`, so that an error there is noticed by the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from .faults.schedule import Fault, Faults
    from .server.base_urls import base_url_of
    from .server.sandbox import Sandbox
    from .server.server import running, serve
    from .state.background_lookups import BackgroundLookups
    from .state.credit_ledger import Charge, CreditLedger
    from .state.state import SentItem
    from .state.webhooks import Webhook
    from .world.history import WorldChange
    from .world.world import World
else:
    __getattr__, __dir__ = lazy_imports(
        __name__,
        {
            "Charge": "state.credit_ledger",
            "Fault": "faults.schedule",
            "Faults": "faults.schedule",
            "CreditLedger": "state.credit_ledger",
            "BackgroundLookups": "state.background_lookups",
            "Sandbox": "server.sandbox",
            "SentItem": "state.state",
            "Webhook": "state.webhooks",
            "World": "world.world",
            "WorldChange": "world.history",
            "base_url_of": "server.base_urls",
            "running": "server.server",
            "serve": "server.server",
        },
    )

__all__ = [
    "BackgroundLookups",
    "Charge",
    "CreditLedger",
    "Fault",
    "Faults",
    "Sandbox",
    "SentItem",
    "Webhook",
    "World",
    "WorldChange",
    "base_url_of",
    "running",
    "serve",
]
