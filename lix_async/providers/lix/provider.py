"""The Lix API as a whole: base URL, authentication schemes and default rate.

Contract: lix.md#authentication, lix.md#rate-limits.
"""

from __future__ import annotations

from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import refusal

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
