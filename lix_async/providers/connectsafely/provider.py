"""The ConnectSafely API as a whole: base URL, key and default rate.

Contract: connectsafely.md#common.
"""

from __future__ import annotations

from ...core.error_responses import json_object
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import refusal
from .models import Health


def shape(body: bytes, result: type) -> bytes:
    """What `/health` answers is not documented: a text is as good as an object."""
    return b"{}" if result is Health and json_object(body) is None else body


CONNECTSAFELY = Provider(
    name="ConnectSafely",
    base_url="https://api.connectsafely.ai/linkedin",
    key_variables=("CONNECTSAFELY_API_KEY",),
    url_variable="CONNECTSAFELY_BASE_URL",
    credentials={"bearer": AuthScheme("header", "Authorization", "Bearer ")},
    rate=RateLimit(60, per=60.0),
    refusal=refusal,
    window=15.0,
    shape=shape,
)
"""`window`: a 429 that names no pause is about a minute's turns, so it pauses 15, 30, 60 s."""
