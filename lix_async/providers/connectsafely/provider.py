"""The ConnectSafely API as a whole: address, key, rate, and its four ways to say no.

Contract: connectsafely.md#common, connectsafely.md#errors. `error` is a text or an object,
`success` may be missing, and a status of 200 can be a refusal too.
"""

from __future__ import annotations

import re
from typing import cast

from ...core.error_responses import STATUSES, json_object
from ...core.errors import (
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    RateLimitError,
    RefusalError,
    ServerError,
    excerpt,
)
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from ...core.timestamps import parse_timestamp
from .errors import HeldError, InvalidFieldsError, Issue
from .models import Health
from .rate_limits import RateState

CODES: dict[str, type[RefusalError]] = {
    "validation_error": InvalidParamsError,
    "rate_limit_exceeded": RateLimitError,
}
"""Classes for coded refusals whose status says nothing (200)."""
SAYINGS = {
    401: "the key is missing or not accepted",
    403: "no active subscription, or the trial is over",
    404: "not found, or not visible to the account",
    429: "too many requests",
}
# A cheap look at the bytes: without one of these a success is read once, not twice.
_SUSPECT = re.compile(rb'"success"\s*:\s*false|"error"\s*:|"profile"\s*:\s*(?:\{\s*\}|null)')


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The refusal that an answer is, or None.

    A success that says `success: false`, or brings an `error` and no `success: true`, is one; so
    is an empty profile, which is how a profile that does not exist is answered.
    """
    good = 200 <= status < 300
    if good and _SUSPECT.search(body) is None:
        return None
    tree = json_object(body)
    if tree is None:
        if good or status == 407:  # a 407 without a body of the API's is a proxy's
            return None
        tree = {}
    if not good or tree.get("success") is False:
        return _refused(status, tree, body)
    if tree.get("error") and tree.get("success") is not True:
        return _refused(status, tree, body)
    names: tuple[str, ...] = getattr(result, "__struct_fields__", ())
    if "profile" in names and "profile" in tree and not tree["profile"]:
        said = f"no such profile ({tree.get('message') or 'the answer holds an empty one'})"
        return NotFoundError(said, status=status, kind="empty_profile", body=excerpt(body))
    return None


def _refused(status: int, tree: dict[str, object], body: bytes) -> RefusalError:
    error = tree.get("error")
    code = tree.get("code")
    issues: tuple[Issue, ...] = ()
    name: object = None
    if isinstance(error, dict):
        inside = cast("dict[str, object]", error)
        name = inside.get("name")
        issues = _issues(inside.get("issues"))
    if 300 <= status < 400:
        message = "the server redirects; redirects are never followed"
    elif isinstance(error, str) and error:
        message = error
    elif tree.get("message"):
        message = str(tree["message"])
    else:
        message = "; ".join(map(str, issues)) or SAYINGS.get(status) or f"status {status}"
    kind = next((word for word in (code, name) if isinstance(word, str) and word), str(status))
    held = parse_timestamp(str(tree.get("holdUntil") or ""))
    cls = _class(status, kind, message, bool(issues), held is not None)
    found = cls(message, status=status, kind=kind, body=excerpt(body))
    if isinstance(found, InvalidFieldsError):
        found.issues = issues
    elif isinstance(found, HeldError) and held is not None:
        found.hold_until = held.timestamp()
    elif isinstance(found, DailyLimitError):
        state = RateState.from_text(message)
        found.refreshes_at = state.reset.timestamp() if state and state.reset else None
    return found


def _class(status: int, kind: str, text: str, issues: bool, held: bool) -> type[RefusalError]:
    if status >= 500:
        return ServerError
    if issues:
        return InvalidFieldsError
    if held:
        return HeldError
    cls = STATUSES.get(status) or CODES.get(kind, RefusalError)
    # The headers have the last word on which of the two 429s it is: see `books.Call.look`.
    if cls in (RateLimitError, RefusalError) and RateState.from_text(text):
        return DailyLimitError
    return cls


def _issues(found: object) -> tuple[Issue, ...]:
    listed = cast("list[object]", found) if isinstance(found, list) else []
    return tuple(Issue(cast("dict[str, object]", one)) for one in listed if isinstance(one, dict))


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
    normalise=shape,
)
"""`window`: a 429 that names no pause is about a minute's turns, so it pauses 15, 30, 60 s."""
