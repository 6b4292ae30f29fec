"""The Letrics API as a whole: key and default rate.

Contract: letrics.md#authentication. No base URL is published, so it is a setting without a
default.
"""

from __future__ import annotations

from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import has_own_error, refusal

LETRICS = Provider(
    name="Letrics",
    base_url="",
    key_variables=("LETRICS_API_KEY",),
    url_variable="LETRICS_BASE_URL",
    credentials={"bearer": AuthScheme("header", "Authorization", "Bearer ")},
    rate=RateLimit(2, per=1.0),
    refusal=refusal,
    own_error=has_own_error,
)
"""`rate`: none is documented; two requests a second is a cautious guess."""
