"""The installed providers, their endpoints and their clients."""

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
    """The names of the installed providers."""
    specs = {name: find_spec(f"{_PROVIDERS}.{name}") for name in _CLIENTS}
    # A deleted package may leave its bytecode behind, which is then a package without a file.
    return tuple(name for name, spec in specs.items() if spec is not None and spec.origin)


@cache
def all_endpoints() -> dict[str, AnyEndpoint]:
    """Every endpoint of every provider by its id."""
    found: dict[str, AnyEndpoint] = {}
    for name in providers():
        table = import_module(f"{_PROVIDERS}.{name}.endpoints")
        found.update(cast("dict[str, AnyEndpoint]", table.BY_ID))
    return found


def provider_name(endpoint: str) -> str:
    """The name of an endpoint's provider: the ids of Lix have no prefix, all others do."""
    name = endpoint.partition(".")[0]
    return name if name in _CLIENTS else "lix"


def client_class_for(endpoint: str) -> type[Client]:
    """The client class for an endpoint id."""
    return client_class(provider_name(endpoint))


def client_class(name: str) -> type[Client]:
    """The client class of an installed provider."""
    module = import_module(f"{_PROVIDERS}.{name}.client")
    return cast("type[Client]", getattr(module, _CLIENTS[name]))


def provider_of(name: str) -> Provider:
    """The `Provider` of an installed provider: base URL, variables, default rate."""
    return client_class(name).provider
