"""The Letrics API as a whole: key, rate, and how it says no.

Contract: letrics.md#authentication, letrics.md#envelope. No address is published, so
the base URL is a setting without a default.
"""

from __future__ import annotations

from typing import cast

from ...core.error_responses import json_object
from ...core.errors import RefusalError, excerpt
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import CLASSES, ErrorItem, LetricsError, LetricsServerError

SAYINGS = {
    401: "the key is missing or not accepted",
    404: "no such path: the paths are not published, see the setting `paths`",
    405: "not by this method: it is not published, see the setting `method`",
    429: "too many requests",
}


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The refusal that an answer is: by its status first, then by a non-empty `errors`."""
    good = 200 <= status < 300
    tree = json_object(body) if b'"errors"' in body else None
    errors = _errors((tree or {}).get("errors"))
    if good and not errors:
        return None
    if status == 407 and not errors:
        return None  # a proxy's: the API answers in JSON
    code = errors[0].code if good else status  # the transport's word is the truth
    cls = CLASSES.get(code or 0) or (LetricsServerError if (code or 0) >= 500 else LetricsError)
    if 300 <= status < 400:
        message = "the server redirects; redirects are never followed"
    else:
        message = "; ".join(map(str, errors)) or SAYINGS.get(status) or f"status {status}"
    kind = next((error.id for error in errors if error.id), str(status))
    found = cls(message, status=status, kind=kind, body=excerpt(body))
    found.errors = errors
    return found


def _errors(listed: object) -> tuple[ErrorItem, ...]:
    items = cast("list[object]", listed) if isinstance(listed, list) else []
    objects = [cast("dict[str, object]", item) for item in items if isinstance(item, dict)]
    return tuple(map(ErrorItem, objects))


LETRICS = Provider(
    name="Letrics",
    base_url="",
    key_variables=("LETRICS_API_KEY",),
    url_variable="LETRICS_BASE_URL",
    credentials={"bearer": AuthScheme("header", "Authorization", "Bearer ")},
    rate=RateLimit(2, per=1.0),
    refusal=refusal,
)
"""`rate`: none is documented; two a second is a guess on the polite side."""
