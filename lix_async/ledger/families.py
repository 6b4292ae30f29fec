"""What an answer means for its lookup, by whose fault it is.

| family | what came | lookup | money |
|---|---|---|---|
| answer | a success that can be read, repaired or not | done | the price |
| unusable | a complete success that begins as JSON and cannot be read | kept | the price |
| refused | the API's own refusal of this input | refused | 0 |
| queued | the API's own `queued` | queued | 0 |
| stop | the API's own daily or weekly limit, 401, 402, 403, viewer | pending | 0 |
| attested | the API's own `rate_limit` or `api_error` | pending | 0 |
| unattested | any other status without the API's own error | pending | 0 |
| gateway | 502, 504 or 52x without the API's own error | pending | may be charged |
| unknown | cut off, or a success that is not JSON | in doubt | may be charged |

A status without the API's own error is never final: proxies, captive portals and gateways answer
with any status. Whether an error is the API's own is told by `Provider.own_error`.
"""

from __future__ import annotations

from typing import Literal

from ..core.errors import (
    AuthenticationError,
    DailyLimitError,
    DecodeError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    ViewerError,
    WeeklyLimitError,
)
from .rule import Judgement, Verdict

Family = Literal[
    "answer",
    "unusable",
    "refused",
    "queued",
    "stop",
    "attested",
    "unattested",
    "gateway",
    "unknown",
    "infrastructure",
    "input",
]
STOPS = (
    DailyLimitError,
    WeeklyLimitError,
    QuotaExceededError,
    AuthenticationError,
    ViewerError,
)
"""Refusals that concern every call of an account, not one input."""
TRANSIENT: frozenset[Family] = frozenset({"attested", "unattested", "gateway"})
"""Families whose lookups are repeated, a few times in one run."""
COUNTS: frozenset[Family] = frozenset(
    {"attested", "unattested", "gateway", "unknown", "infrastructure"}
)
"""Families that count towards opening the circuit breaker."""
REFUSED_STATUSES = (400, 404, 422)
GATEWAY_STATUSES = frozenset({502, 504, *range(520, 530)})
_VERDICTS: dict[Family, Verdict] = {
    "answer": "usable",
    "unusable": "unusable",
    "refused": "refused",
    "queued": "queued",
    "unknown": "unknown",
}


def family_of(status: int, outcome: object, *, attested: bool) -> Family:
    """The family of an answer.

    Args:
        status: The HTTP status.
        outcome: What it was read as: a value, or an error.
        attested: Whether its body holds the API's own error.
    """
    if isinstance(outcome, DecodeError):
        return "unusable" if begins_as_json(outcome.body) else "unknown"
    if not isinstance(outcome, RefusalError):
        return "answer" if 200 <= status < 300 else "unattested"
    if not attested:
        return "gateway" if status in GATEWAY_STATUSES else "unattested"
    if isinstance(outcome, QueuedError):
        return "queued"
    if isinstance(outcome, STOPS):
        return "stop"
    if isinstance(outcome, RateLimitError | ServerError):
        return "attested"
    known = 200 <= status < 300 or status in REFUSED_STATUSES
    return "refused" if known else "attested"


def begins_as_json(body: bytes) -> bool:
    """Whether a body begins like an answer of the API: it was paid for, whatever follows."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


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
        charged: Credits that a success of this kind costs.
        due: Epoch milliseconds before which the lookup is not sent again.
        next_page: The page that a listing needs next; None where it has ended.
        hold_gateway: Whether a gateway that gave up leaves a doubt.
    """
    money: int | None = charged if family in ("answer", "unusable") else 0
    if family in ("unknown", "gateway"):
        money = None
    return Judgement(
        _VERDICTS.get(family, "transient"),
        money,
        due=due,
        counts=family in TRANSIENT,
        hold=hold_gateway and family == "gateway",
        next_page=next_page,
    )
