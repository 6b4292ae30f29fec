"""One lookup, by kind: which endpoint is asked, with which params."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..core.endpoint import Endpoint, Params
from ..engine.answer import Answer
from ..providers.lix.client import AsyncLix
from ..providers.lix.endpoints import BY_ID
from ..providers.lix.params import EmailParams, OrganisationParams, PersonParams
from .kinds import ROWS, Kind
from .links import Target

Row = Endpoint[Params, object]
TAKES: Mapping[Kind, frozenset[Kind]] = {
    "person": frozenset({"person", "email"}),
    "org": frozenset({"org"}),
    "email": frozenset({"person"}),
}
"""What may be given to each kind of lookup: people are found by link or address."""


def row_of(kind: Kind) -> Row:
    """The row of the table behind a kind of lookup."""
    return cast("Row", BY_ID[ROWS[kind]])


def params_of(kind: Kind, target: Target) -> Params:
    """What goes out for a target; links go as they were given."""
    if kind == "email":
        return EmailParams(url=target.sent)
    if kind == "org":
        if target.sales:
            return OrganisationParams(sales_nav_url=target.sent)
        return OrganisationParams(linkedin_url=target.sent)
    if target.kind == "email":
        return PersonParams(email=target.sent)
    return PersonParams(profile_link=target.sent)


async def ask(lix: AsyncLix, kind: Kind, target: Target) -> Answer[object]:
    """Look one target up."""
    return await lix.send(row_of(kind), params_of(kind, target))
