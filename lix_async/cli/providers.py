"""The providers that the command line knows, by their tables; only those that are there."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from ..core.endpoint import AnyEndpoint
from ..core.provider import Provider
from ..engine.client import Client

_CLIENTS = {
    "lix": "AsyncLix",
    "lookc": "AsyncLookC",
    "connectsafely": "AsyncConnectSafely",
    "letrics": "AsyncLetrics",
    "meetalfred": "AsyncMeetAlfred",
}
_PROVIDERS = f"{__name__.partition('.')[0]}.providers"


@cache
def providers() -> tuple[str, ...]:
    """The providers that are there, by the names of their folders."""
    specs = {name: find_spec(f"{_PROVIDERS}.{name}") for name in _CLIENTS}
    # A folder that was deleted may leave its bytecode behind, and is a package without a file then.
    return tuple(name for name, spec in specs.items() if spec is not None and spec.origin)


@cache
def all_endpoints() -> dict[str, AnyEndpoint]:
    """Every endpoint of every provider, by its id."""
    found: dict[str, AnyEndpoint] = {}
    for name in providers():
        table = import_module(f"{_PROVIDERS}.{name}.endpoints")
        found.update(cast("dict[str, AnyEndpoint]", table.BY_ID))
    return found


def provider_name(endpoint: str) -> str:
    """The provider of an endpoint: the others' ids begin with its name, Lix's do not."""
    name = endpoint.partition(".")[0]
    return name if name in _CLIENTS else "lix"


def client_of(endpoint: str) -> type[Client]:
    """The client class that an endpoint is called with."""
    return client_kind(provider_name(endpoint))


def client_kind(name: str) -> type[Client]:
    """The client class of a provider that is there."""
    module = import_module(f"{_PROVIDERS}.{name}.client")
    return cast("type[Client]", getattr(module, _CLIENTS[name]))


def provider_of(name: str) -> Provider:
    """The provider itself: its address, its variables, its pace."""
    return client_kind(name).provider
