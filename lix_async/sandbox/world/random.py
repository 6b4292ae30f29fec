"""Reproducible random numbers: every number in the world comes from a seed and a name.

A value is drawn from the hash of its name, not from one stream of numbers. So it does not depend on
earlier requests, and nothing has to be built in advance.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TypeVar

T = TypeVar("T")


def number(*parts: object) -> int:
    """A whole number from 0 to 2**64 - 1; always the same for the same parts."""
    name = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")


def rng_for(*parts: object) -> Random:
    """A random number generator for the value that is named by the parts."""
    return Random(number(*parts))


def pick(options: Sequence[T], *parts: object) -> T:
    """One of the options; always the same for the same parts."""
    return options[number(*parts) % len(options)]


def chance(share: float, *parts: object) -> bool:
    """True for about `share` (0 to 1) of all names; always the same for the same parts."""
    return number(*parts) % 1_000_000 < share * 1_000_000
