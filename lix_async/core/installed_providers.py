"""The installed providers and their endpoints, found by name.

Nothing below the command line imports a provider; a ledger has only the ids of endpoints.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from .endpoint import AnyEndpoint
from .provider import Provider

NAMES = ("lix", "lookc", "connectsafely", "letrics", "meetalfred")
PACKAGE = f"{__name__.partition('.')[0]}.providers"


@cache
def providers() -> tuple[str, ...]:
    """The names of the installed providers."""
    specs = {name: find_spec(f"{PACKAGE}.{name}") for name in NAMES}
    # A deleted package may leave its bytecode behind, which is then a package without a file.
    return tuple(name for name, spec in specs.items() if spec is not None and spec.origin)


@cache
def all_endpoints() -> dict[str, AnyEndpoint]:
    """Every endpoint of every provider by its id."""
    found: dict[str, AnyEndpoint] = {}
    for name in providers():
        table = import_module(f"{PACKAGE}.{name}.endpoints")
        found.update(cast("dict[str, AnyEndpoint]", table.BY_ID))
    return found


def provider_name(endpoint: str) -> str:
    """The name of an endpoint's provider: the ids of Lix have no prefix, all others do."""
    name = endpoint.partition(".")[0]
    return name if name in NAMES else "lix"


@cache
def provider_of(name: str) -> Provider:
    """The `Provider` of an installed provider: base URL, variables, default rate."""
    return cast("Provider", getattr(import_module(f"{PACKAGE}.{name}.provider"), name.upper()))
