"""Error responses of the ConnectSafely API: their exceptions, and which response becomes which.

Contract: connectsafely.md#common, connectsafely.md#errors. The API reports errors in four forms:
`error` is a text or an object, `success` may be missing, and an error may come with status 200.
"""

from __future__ import annotations

import re
from typing import cast

from ...core.error_responses import STATUSES
from ...core.errors import (
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    RateLimitError,
    RefusalError,
    ServerError,
    excerpt,
)
from ...core.json_text import json_object
from ...core.models import OpenObject
from ...core.timestamps import parse_timestamp
from .rate_limits import RateState


class Issue(OpenObject):
    """One thing that is wrong with a request, as the vendor's validator (Zod) lists it.

    It is a mapping, because the keys depend on the code; `str()` gives a readable line.
    """

    @property
    def field(self) -> str:
        """The field, such as `filters.industry[0]`; empty when the whole body is meant."""
        name = ""
        path = self.get("path")
        for part in path if isinstance(path, list) else []:  # pyright: ignore[reportUnknownVariableType]  # items are checked one by one
            name += f"[{part}]" if isinstance(part, int) else f".{part}"
        return name.removeprefix(".")

    @property
    def code(self) -> str:
        """The validator's code, such as `invalid_type`."""
        return self.first_text("code") or ""

    @property
    def message(self) -> str:
        """A readable reason."""
        return self.first_text("message") or self.code or "not accepted"

    def __str__(self) -> str:
        facts = [f"{name} {self[name]}" for name in ("expected", "received") if self.get(name)]
        reason = f"{self.message} ({', '.join(facts)})" if facts else self.message
        return f"{self.field}: {reason}" if self.field else reason


class InvalidFieldsError(InvalidParamsError):
    """Fields are missing or wrong; `issues` has one `Issue` for each."""

    issues: tuple[Issue, ...] = ()


class HeldError(RateLimitError):
    """Too many requests: no call of this kind is accepted before `hold_until` (epoch seconds)."""

    hold_until: float | None = None


CODES: dict[str, type[RefusalError]] = {
    "validation_error": InvalidParamsError,
    "rate_limit_exceeded": RateLimitError,
}
"""Exceptions by code, for errors with status 200."""
STATUS_MESSAGES = {
    401: "the key is missing or not accepted",
    403: "no active subscription, or the trial is over",
    404: "not found, or not visible to the account",
    429: "too many requests",
}
# Searching the bytes is cheap: a success without any of these is not parsed a second time.
_SUSPECT = re.compile(rb'"success"\s*:\s*false|"error"\s*:|"profile"\s*:\s*(?:\{\s*\}|null)')


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The error that a response means, or None for a success.

    A response with status 200 is an error when it has `success: false`, or an `error` without
    `success: true`. So is an empty profile, which is the answer for a profile that does not exist.
    """
    good = 200 <= status < 300
    if good and _SUSPECT.search(body) is None:
        return None
    tree = json_object(body)
    if tree is None:
        if good or status == 407:  # a 407 that is not JSON comes from a proxy
            return None
        tree = {}
    if not good or tree.get("success") is False:
        return _error(status, tree, body)
    if tree.get("error") and tree.get("success") is not True:
        return _error(status, tree, body)
    names: tuple[str, ...] = getattr(result, "__struct_fields__", ())
    if "profile" in names and "profile" in tree and not tree["profile"]:
        message = f"no such profile ({tree.get('message') or 'the answer has an empty one'})"
        return NotFoundError(message, status=status, kind="empty_profile", body=excerpt(body))
    return None


def has_own_error(body: bytes) -> bool:
    """Whether a body holds an error in one of the vendor's forms (connectsafely.md#errors)."""
    tree = json_object(body) or {}
    text = tree.get("code") or tree.get("message") or tree.get("errorDetails")
    return bool(tree.get("error") or (tree.get("success") is False and text))


def _error(status: int, tree: dict[str, object], body: bytes) -> RefusalError:
    error = tree.get("error")
    code = tree.get("code")
    issues: tuple[Issue, ...] = ()
    name: object = None
    if isinstance(error, dict):
        inside = cast("dict[str, object]", error)
        name = inside.get("name")
        issues = _issues(inside.get("issues"))
    text = "; ".join(map(str, issues))
    if isinstance(error, str) and error:
        text = error
    elif tree.get("message"):
        text = str(tree["message"])
    details = OpenObject(tree).inside("errorDetails", "message")  # observed with status 500
    if isinstance(details, str) and details not in text:
        text = f"{text}: {details}" if text else details
    if 300 <= status < 400:
        text = "the server redirects; redirects are never followed"
    message = text or STATUS_MESSAGES.get(status) or f"status {status}"
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
    # The headers decide which of the two 429s it is: see `usage.TrackedCall.check`.
    if cls in (RateLimitError, RefusalError) and RateState.from_text(text):
        return DailyLimitError
    return cls


def _issues(found: object) -> tuple[Issue, ...]:
    listed = cast("list[object]", found) if isinstance(found, list) else []
    return tuple(Issue(cast("dict[str, object]", one)) for one in listed if isinstance(one, dict))
