"""The ConnectSafely API as a whole: base URL, key and default rate.

Contract: connectsafely.md#common.
"""

from __future__ import annotations

from ...core.json_text import json_object
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import has_own_error, refusal
from .models import Health


def normalise_body(body: bytes, result: type) -> bytes:
    """Replace a text answer of `/health`, which is not documented, by an empty object."""
    return b"{}" if result is Health and json_object(body) is None else body


CONNECTSAFELY = Provider(
    name="ConnectSafely",
    base_url="https://api.connectsafely.ai/linkedin",
    key_variables=("CONNECTSAFELY_API_KEY",),
    url_variable="CONNECTSAFELY_BASE_URL",
    credentials={"bearer": AuthScheme("header", "Authorization", "Bearer ")},
    rate=RateLimit(60, per=60.0),
    refusal=refusal,
    own_error=has_own_error,
    window=15.0,
    normalise=normalise_body,
)
"""`window`: a 429 without `Retry-After` means that the permits of a minute are used, so retries
wait 15, 30 and 60 s."""
