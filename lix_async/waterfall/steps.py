"""One lookup of one provider, as a waterfall sees it: what it takes, what it gives, its price."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from ..core.endpoint import UNKNOWN, Endpoint, P, Price
from ..core.errors import LixError
from ..engine.answer import Answer
from ..engine.client import Client
from .targets import About, Target

R = TypeVar("R")

LINK = frozenset({"linkedin_url"})
EMAIL = frozenset({"email"})
NAME = frozenset({"name", "company"})
"""What a step may need: `needs=(LINK, EMAIL)` is either."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer brought, under the names of the results' fields, and what it took."""

    values: Mapping[str, str | None]
    """Empty ones count as not there."""
    endpoint: str
    at: datetime
    """When the answer came; aware."""
    credits: int = 0
    """What it cost."""
    lost: int = 0
    """What attempts whose answers never came may have cost besides."""
    error: LixError | None = None
    """What went wrong after the part that was paid for."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One lookup of one provider. Make your own for a source of yours, such as a database.

    `look` gets a target that has what `needs` says and returns a `Found`. It may raise any
    `LixError`: that is kept on the result and stops nobody; anything else is a bug and is raised.
    """

    name: str
    """Unique within a waterfall; by convention `provider.what`."""
    provider: str
    endpoint: str
    """Catalogue id."""
    fills: frozenset[str]
    """The fields that it may fill: the names of `Profile`, `Email` or `Company`."""
    needs: tuple[frozenset[str], ...]
    """What it can be asked with, as alternatives."""
    look: Callable[[Target], Awaitable[Found]]
    about: About = "person"
    price: Price = UNKNOWN
    """Of one ask, at most: this much is reserved in the budget."""

    def ready(self, target: Target) -> bool:
        """Whether enough is known to ask."""
        return any(target.has(need) for need in self.needs)

    async def ask(self, target: Target) -> Found:
        """Look the target up: the partial result, and what it took.

        Costs `price` at most for an answer that comes at the first attempt. Raises what the
        provider's client raises.
        """
        return await self.look(target)


def found(
    client: Client,
    row: Endpoint[P, object],
    answer: Answer[R],
    values: Mapping[str, str | None],
    error: LixError | None = None,
) -> Found:
    """What an answer brought, as a step hands it on; its moment is read from the client's clock."""
    return Found(
        values=values,
        endpoint=row.id,
        at=datetime.fromtimestamp(client.clock.wall(), UTC),
        credits=answer.credits,
        lost=answer.lost * row.credits.amount,
        error=error,
    )
