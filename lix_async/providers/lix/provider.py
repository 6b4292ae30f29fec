"""The Lix API as a whole: address, credential styles, rate, and the words it refuses with.

Contract: lix.md#errors, lix.md#statuses, lix.md#authentication, lix.md#rate-limits.
"""

from __future__ import annotations

import msgspec

from ...core.decoding import SchemaMismatch, decoder_for
from ...core.error_responses import ErrorResponseParser
from ...core.errors import (
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    QueuedError,
    RateLimitError,
    RefusalError,
    ServerError,
    ViewerError,
    excerpt,
)
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .models.connections import Invitation
from .models.organisations import Organisation

TYPES: dict[str, type[RefusalError]] = {
    "params_invalid": InvalidParamsError,
    "unknown_record": NotFoundError,
    "not_found": NotFoundError,
    "unknown_route": RefusalError,
    "queued": QueuedError,
    "rate_limit": RateLimitError,
    "daily_limit": DailyLimitError,
    "api_error": ServerError,
    "viewer_invalid": ViewerError,
}
SAYINGS = {
    401: "the key is not authorised for this endpoint",
    402: "the plan's quota or the credits are used up",
    404: "no such record",
    407: "the viewer_id is not attached or wrong",
    429: "too many requests",
}
PROFILE_KEYS = frozenset({"organisationIds", "liOrganisation", "profile", "links"})
_said = ErrorResponseParser(TYPES, SAYINGS)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The refusal that an answer of Lix is, or None. Two results have a rule of their own."""
    refused = _said(status, body, result)
    if not 200 <= status < 300:
        return refused
    if result is Organisation and refused is not None and _described(body):
        return None
    if result is Invitation and refused is None and _denied(body):
        message = "the provider says that it did not send the connection request"
        return RefusalError(message, status=status, kind="not_sent", body=excerpt(body))
    return refused


def _described(body: bytes) -> bool:
    """An organisation with an `error` text beside its other keys (lix.md#errors)."""
    keys = _KEYS.decode(body)
    return bytes(keys["error"])[:1] == b'"' and len(keys.keys() & PROFILE_KEYS) > 0


def _denied(body: bytes) -> bool:
    """A connection request that was not sent although the status is 200.

    Contract: lix.md#connections.send
    """
    try:
        return decoder_for(Invitation).read(body).success is False
    except SchemaMismatch:
        return False


LIX = Provider(
    name="Lix",
    base_url="https://api.lix-it.com",
    key_variables=("LIX_API_KEY",),
    url_variable="LIX_BASE_URL",
    credentials={
        "raw": AuthScheme("header", "Authorization"),
        "bearer": AuthScheme("header", "Authorization", "Bearer "),
        "x-api-key": AuthScheme("header", "X-Api-Key"),
        "query": AuthScheme("query", "api_key"),
    },
    rate=RateLimit(1, per=3.0),
    refusal=refusal,
)
