"""The sandbox: all providers played on this machine, with an invented world, faults on request.

from lix_async.sandbox import Sandbox, base_url_of, running

with running(Sandbox(seed=7, faults="weather")) as url:
    AsyncLix("key", base_url=url)
    AsyncMeetAlfred("key", base_url=base_url_of(url, "meetalfred"))

`Sandbox().app` is the same thing as an ASGI application, for clients in memory. The world alone
needs no web server; `app`, `running` and `serve` need the extra: `pip install lix_async[sandbox]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .addresses import base_url_of
    from .app import Sandbox
    from .faults import Fault, Faults
    from .ledger import Charge, Ledger
    from .lookups import Lookups
    from .memory import Sent
    from .server import running, serve
    from .webhooks import Webhook
    from .world import World

__all__ = [
    "Charge",
    "Fault",
    "Faults",
    "Ledger",
    "Lookups",
    "Sandbox",
    "Sent",
    "Webhook",
    "World",
    "base_url_of",
    "running",
    "serve",
]

_HOMES = {
    "Charge": "ledger",
    "Fault": "faults",
    "Faults": "faults",
    "Ledger": "ledger",
    "Lookups": "lookups",
    "Sandbox": "app",
    "Sent": "memory",
    "Webhook": "webhooks",
    "World": "world",
    "base_url_of": "addresses",
    "running": "server",
    "serve": "server",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
