"""Which providers a waterfall knows: one adapter for each, found in the folder `adapters`.

A provider is known when its own folder and its adapter are there. Nothing lists them, so either
can be deleted and the rest goes on.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from ..engine.client import Client
from .steps import Step

_PACKAGE = __name__.partition(".")[0]
_PROVIDERS = f"{_PACKAGE}.providers"
_ADAPTERS = f"{_PACKAGE}.waterfall.adapters"


class ProviderAdapter(Protocol):
    """What an adapter's module has."""

    CLIENT: type[Client]
    """The provider's client."""
    NO_STEPS_REASON: str
    """Why the provider has no ready-made steps; empty where it has some."""

    def steps(self, client: Client, /) -> tuple[Step, ...]:
        """The lookups that the client can do."""
        ...


def installed() -> Mapping[str, ProviderAdapter]:
    """The adapters by the names of their providers' folders, in alphabetical order."""
    folder = import_module(_ADAPTERS).__path__
    names = [module.name for module in pkgutil.iter_modules(folder)]
    return {name: _load(name) for name in names if _is_there(f"{_PROVIDERS}.{name}")}


def adapter_of(client: Client) -> ProviderAdapter | None:
    """The adapter of a client, also of a subclass of it; None for a client that has none."""
    for cls in type(client).__mro__:
        house, _, rest = cls.__module__.partition(f"{_PROVIDERS}.")
        name = rest.partition(".")[0]
        if not house and name and _is_there(f"{_ADAPTERS}.{name}"):
            return _load(name)
    return None


def steps_of(client: Client) -> tuple[Step, ...]:
    """The ready-made steps of a client, none where its provider looks nothing up by an input.

    Nothing is sent. They use the client's own limiter, retry policy and deadline.
    """
    adapter = adapter_of(client)
    return () if adapter is None else adapter.steps(client)


def skip_reason(client: Client) -> str:
    """Why a client has no ready-made steps."""
    adapter = adapter_of(client)
    return adapter.NO_STEPS_REASON if adapter is not None else "no adapter is known for it"


def _load(name: str) -> ProviderAdapter:
    return cast("ProviderAdapter", import_module(f"{_ADAPTERS}.{name}"))


def _is_there(module: str) -> bool:
    # A folder that was deleted may leave its bytecode behind, and is a package without a file then.
    spec = find_spec(module)
    return spec is not None and spec.origin is not None
