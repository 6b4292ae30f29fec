"""The LookC API as a whole: address, credential styles, rate, and the words it refuses with.

LookC is the sister of Lix and takes the same key; an account may have a second key for it.
Contract: lookc.md#basics, lookc.md#errors; error words as in lix.md#errors.
"""

from __future__ import annotations

from ...core.error_responses import ErrorResponseParser
from ...core.errors import (
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    QueuedError,
    RateLimitError,
    RefusalError,
    ServerError,
)
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .models import RequestStatus

TYPES: dict[str, type[RefusalError]] = {
    "params_invalid": InvalidParamsError,
    "unknown_record": NotFoundError,
    "not_found": NotFoundError,
    "unknown_route": RefusalError,
    "queued": QueuedError,
    "rate_limit": RateLimitError,
    "daily_limit": DailyLimitError,
    "api_error": ServerError,
}
SAYINGS = {
    401: "the key is not authorised for LookC",
    402: "the organisation credits are used up",
    404: "no such organisation, request or record",
    429: "too many requests",
}
_said = ErrorResponseParser(TYPES, SAYINGS)


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The refusal that an answer of LookC is, or None.

    Any 404 of the status call counts as `unknown_route`: two paths are published for it
    (lookc.md#lookc.request_status), and this word makes the engine try the other one.
    """
    error = _said(status, body, result)
    if error is not None and status == 404 and result is RequestStatus:
        error.kind = "unknown_route"
    return error


LOOKC = Provider(
    name="LookC",
    base_url="https://api.lookc.io",
    key_variables=("LOOKC_API_KEY", "LIX_API_KEY"),
    url_variable="LOOKC_BASE_URL",
    credentials={
        "raw": AuthScheme("header", "Authorization"),
        "bearer": AuthScheme("header", "Authorization", "Bearer "),
        "x-api-key": AuthScheme("header", "X-Api-Key"),
        "query": AuthScheme("query", "api_key"),
    },
    rate=RateLimit(50, per=1.0),
    refusal=refusal,
    window=1.0,
)
