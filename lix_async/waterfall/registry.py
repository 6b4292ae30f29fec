"""The adapters of the waterfall, one for each provider, found in the package `adapters`.

A provider is available if its package and its adapter exist. No list names them, so either can be
deleted and the rest still works.
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
    """The names that the module of an adapter defines."""

    CLIENT: type[Client]
    """The client class of the provider."""
    NO_STEPS_REASON: str
    """Why the provider has no ready-made steps; empty if it has some."""

    def steps(self, client: Client, /) -> tuple[Step, ...]:
        """The steps that use this client."""
        ...


def installed() -> Mapping[str, ProviderAdapter]:
    """The available adapters by the names of their providers, in alphabetical order."""
    path = import_module(_ADAPTERS).__path__
    names = [module.name for module in pkgutil.iter_modules(path)]
    return {name: _load(name) for name in names if _exists(f"{_PROVIDERS}.{name}")}


def adapter_of(client: Client) -> ProviderAdapter | None:
    """The adapter for a client or an instance of a subclass; None if there is none."""
    for cls in type(client).__mro__:
        before, _, rest = cls.__module__.partition(f"{_PROVIDERS}.")
        name = rest.partition(".")[0]
        if not before and name and _exists(f"{_ADAPTERS}.{name}"):
            return _load(name)
    return None


def steps_of(client: Client) -> tuple[Step, ...]:
    """The ready-made steps of a client; empty if its provider has no lookup by an input.

    Nothing is sent. The steps use the client's limiter, retry policy and deadline.
    """
    adapter = adapter_of(client)
    return () if adapter is None else adapter.steps(client)


def skip_reason(client: Client) -> str:
    """Why a client has no ready-made steps."""
    adapter = adapter_of(client)
    return (
        adapter.NO_STEPS_REASON if adapter is not None else f"{client.provider.name} has no adapter"
    )


def _load(name: str) -> ProviderAdapter:
    return cast("ProviderAdapter", import_module(f"{_ADAPTERS}.{name}"))


def _exists(module: str) -> bool:
    # A deleted package may leave its bytecode behind; then it is a namespace without a file.
    spec = find_spec(module)
    return spec is not None and spec.origin is not None
