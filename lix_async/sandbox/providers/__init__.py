"""The providers that the sandbox simulates: one module each, all behind one host and port.

A provider is available if its package in `lix_async.providers` is installed; the others work
without it. `base` has the description of a provider, `examples` the example parameters, the other
modules one description each.

May import `protocol`, `world`, `faults`, `state` and `answers`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from .base import PREFIXES, RequestOutcome, SandboxProvider, default_rate

MODULES = ("lix", "lookc", "connectsafely", "letrics", "meetalfred")
"""Modules of this package, each with a `PROVIDER`. The first one answers unknown paths."""


@cache
def providers() -> tuple[SandboxProvider, ...]:
    """Every provider whose package is installed."""
    return tuple(found for name in MODULES if (found := _provider(name)) is not None)


def _provider(name: str) -> SandboxProvider | None:
    try:
        module = import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(f"lix_async.providers.{name}"):
            return None
        raise
    found: SandboxProvider = module.PROVIDER
    return found


__all__ = ["PREFIXES", "RequestOutcome", "SandboxProvider", "default_rate", "providers"]
