"""What an answer of a family means for its lookup; see `core.families`."""

from __future__ import annotations

from ..core.errors import Family
from ..core.families import TRANSIENT
from .rule import Judgement, Meaning

_MEANINGS: dict[Family, Meaning] = {
    "answer": "usable",
    "unusable": "unusable",
    "refused": "refused",
    "queued": "queued",
    "unknown": "unknown",
}


def judgement(
    family: Family,
    charged: int,
    *,
    due: int | None = None,
    next_page: int | None = None,
    hold_gateway: bool = False,
) -> Judgement:
    """The judgement of an answer of a family.

    Args:
        family: The family.
        charged: Credits that an answer of the families `answer`, `unusable` and `queued` costs.
        due: Epoch milliseconds before which the lookup is not sent again.
        next_page: The page that a listing needs next; None where it has ended.
        hold_gateway: Whether a gateway that gave up leaves a doubt.
    """
    money: int | None = charged if family in ("answer", "unusable", "queued") else 0
    if family in ("unknown", "gateway"):
        money = None
    return Judgement(
        _MEANINGS.get(family, "transient"),
        money,
        due=due,
        counts=family in TRANSIENT,
        hold=hold_gateway and family == "gateway",
        next_page=next_page,
    )
