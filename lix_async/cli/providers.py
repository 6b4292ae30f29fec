"""The installed providers, their endpoints and their clients."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from ..core.installed_providers import (
    PACKAGE,
    all_endpoints,
    provider_name,
    provider_of,
    providers,
)

if TYPE_CHECKING:
    from ..engine.client import Client

__all__ = [
    "SANDBOX_KEY",
    "all_endpoints",
    "client_class",
    "client_class_for",
    "provider_name",
    "provider_of",
    "providers",
]
SANDBOX_KEY = "sandbox-key"
"""The key for a sandbox on this machine, which accepts any key."""
_CLIENTS = {
    "lix": "AsyncLix",
    "lookc": "AsyncLookC",
    "connectsafely": "AsyncConnectSafely",
    "letrics": "AsyncLetrics",
    "meetalfred": "AsyncMeetAlfred",
}


def client_class_for(endpoint: str) -> type[Client]:
    """The client class for an endpoint id."""
    return client_class(provider_name(endpoint))


def client_class(name: str) -> type[Client]:
    """The client class of an installed provider."""
    module = import_module(f"{PACKAGE}.{name}.client")
    return cast("type[Client]", getattr(module, _CLIENTS[name]))
