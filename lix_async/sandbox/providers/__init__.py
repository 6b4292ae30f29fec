"""The houses that the sandbox plays: one per provider, all behind one host and port.

A house is found when its module stands in this folder and its provider is installed; a provider
that is not there is left out, and the others go on.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ..state.rate_limits import RateLimitStatus
from .base import RequestOutcome, SandboxProvider

MODULES = ("lix", "lookc", "connectsafely", "letrics", "meetalfred")
"""Modules of this folder, each with a `HOUSE`. The first that is there answers unknown paths."""


@cache
def houses() -> tuple[SandboxProvider, ...]:
    """Every house whose provider is there."""
    return tuple(house for name in MODULES if (house := _house(name)) is not None)


def _house(name: str) -> SandboxProvider | None:
    try:
        module = import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(f"lix_async.providers.{name}"):
            return None
        raise
    house: SandboxProvider = module.HOUSE
    return house


__all__ = ["RateLimitStatus", "RequestOutcome", "SandboxProvider", "houses"]
