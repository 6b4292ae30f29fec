"""What came of an attempt, by whose fault it is.

| family | what came | lookup | money |
|---|---|---|---|
| answer | a success that can be read, repaired or not | done | the price |
| unusable | a success that begins as JSON and cannot be read | kept | the price |
| refused | the API's own refusal of this input | refused | 0 |
| queued | the API's own `queued` | queued | 0 |
| stop | the API's own daily or weekly limit, 401, 402, 403, viewer | pending | 0 |
| attested | the API's own `rate_limit`, `api_error` or `unknown_route` | pending | 0 |
| unattested | any other status without the API's own error | pending | 0 |
| gateway | 502, 504 or 52x without the API's own error | pending | may be charged |
| unknown | cut off, or a success that is not JSON | in doubt | may be charged |
| infrastructure | no connection, or the limiter cannot be used | pending | 0 |
| input | nothing was sent: the input cannot be | none | 0 |

A status without the API's own error is never final: proxies, captive portals and gateways answer
with any status. `Provider.own_error` says whether an error is the API's own. Neither is an
`unknown_route` (lix.md#errors), since the fault is not the input's.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from .errors import (
    AuthenticationError,
    BudgetError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    Family,
    InvalidParamsError,
    LixError,
    NotFoundError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)

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
PROXY_STATUS = 407
"""Without the API's own error it is a proxy's, which let nothing through."""
GATEWAY_STATUSES = frozenset({502, 504, *range(520, 530)})
"""Statuses of a gateway without an answer of the API: those of RFC 9110, and those of Cloudflare
for an answer that was invalid or did not come (see
https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/).
"""
UNKNOWN_ROUTE = "unknown_route"
_PHRASES = "|".join(status.phrase for status in HTTPStatus)
_REASONS = re.compile(
    rf"\s*(?:[0-9]{{3}}\W*)?(?:{_PHRASES}|page not found|no healthy upstream|cannot [a-z]+ /.*"
    r"|(?:no|default) (?:route|backend)\b.*)\W*",
    re.IGNORECASE | re.DOTALL,
)
"""Texts of servers and gateways for any path. They say no more than a status does."""


def family_of(status: int, outcome: object, *, attested: bool) -> Family:
    """The family of an answer.

    Args:
        status: The HTTP status.
        outcome: What it was read as: a value, or an error.
        attested: Whether its body holds the API's own error.
    """
    success = 200 <= status < 300
    if isinstance(outcome, DecodeError):
        return "unusable" if begins_as_json(outcome.body) else "unknown"
    if not isinstance(outcome, RefusalError) and success:
        return "answer"
    # In a success only the API's own words are taken for an error, in whatever form.
    if not isinstance(outcome, RefusalError) or not (attested or success):
        if status == PROXY_STATUS:
            return "infrastructure"
        return "gateway" if status in GATEWAY_STATUSES else "unattested"
    if isinstance(outcome, QueuedError):
        return "queued"
    if isinstance(outcome, STOPS):
        return "stop"
    if isinstance(outcome, RateLimitError | ServerError):
        return "attested"
    if not success and outcome.kind == str(status) and _REASONS.fullmatch(outcome.message):
        return "unattested"
    if isinstance(outcome, InvalidParamsError | NotFoundError):
        return "refused"
    if outcome.kind == UNKNOWN_ROUTE:
        return "attested"
    return "refused" if success or status in REFUSED_STATUSES else "attested"


def family_without_answer(error: LixError) -> Family:
    """The family of an attempt that ended without an answer."""
    if isinstance(error, BudgetError) or (isinstance(error, DeadlineError) and not error.sent):
        return ""  # the caller's own limit
    if isinstance(error, STOPS):  # a limit that the client counts itself: nothing was sent
        return "stop"
    return "unknown" if isinstance(error, TransportError) and error.sent else "infrastructure"


def begins_as_json(body: bytes) -> bool:
    """Whether a body begins like an answer of the API: it was paid for, whatever follows."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
