"""The houses that the sandbox plays: one per provider, all behind one host and port.

A house is found when its module stands in this folder and its provider is installed; a provider
that is not there is left out, and the others go on.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ..state.rate_limits import Standing
from .base import House, Outcome

MODULES = ("lix", "lookc", "connectsafely", "letrics", "meetalfred")
"""Modules of this folder, each with a `HOUSE`. The first that is there answers unknown paths."""


@cache
def houses() -> tuple[House, ...]:
    """Every house whose provider is there."""
    return tuple(house for name in MODULES if (house := _house(name)) is not None)


def _house(name: str) -> House | None:
    try:
        module = import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(f"lix_async.providers.{name}"):
            return None
        raise
    house: House = module.HOUSE
    return house


__all__ = ["House", "Outcome", "Standing", "houses"]
