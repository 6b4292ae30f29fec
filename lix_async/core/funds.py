"""Where an account's means are told: what a bulk run reads before it spends anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .endpoint import Endpoint, Kind, Params


@dataclass(frozen=True)
class Funds:
    """The rows of a provider's table that tell what is left, and how their answers are read.

    `credits` gives the balance by kind of credit; a kind that is not in it is unknown, or is
    bought by itself when it runs out. `left` gives the requests left today and when the allowance
    is full again (epoch seconds), each None where the answer does not say.
    """

    params: Params
    balances: Endpoint[Params, object]
    credits: Callable[[object], Mapping[Kind, int]]
    allowance: Endpoint[Params, object]
    left: Callable[[object], tuple[int | None, float | None]]
