"""The LookC API as a whole: base URL, authentication schemes and default rate.

LookC belongs to the vendor of Lix and takes the same key; an account may have a second key for it.

Contract: lookc.md#basics.
"""

from __future__ import annotations

from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import refusal

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
