"""From an answer like `{"error": {"type", "message"}}` to an exception.

The error's type decides, or the HTTP status where there is no known type. How the type is found in
an answer, and what types and statuses mean, is the same for all providers that answer like this
(lix.md#errors, lix.md#statuses); a provider may add types of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from .errors import (
    AuthenticationError,
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    ViewerError,
    WeeklyLimitError,
    excerpt,
)
from .json_text import json_object
from .timestamps import parse_moment

ERROR_TYPES: dict[str, type[RefusalError]] = {
    "params_invalid": InvalidParamsError,
    "unknown_record": NotFoundError,
    "not_found": NotFoundError,
    "unknown_route": RefusalError,
    "queued": QueuedError,
    "rate_limit": RateLimitError,
    "daily_limit": DailyLimitError,
    "api_error": ServerError,
}
"""The exceptions for the error types of Lix and LookC, whose answers have the same form."""

STATUSES: dict[int, type[RefusalError]] = {
    400: InvalidParamsError,
    401: AuthenticationError,
    402: QuotaExceededError,
    403: AuthenticationError,
    404: NotFoundError,
    407: ViewerError,
    422: InvalidParamsError,
    429: RateLimitError,
}


class ErrorResponseParser(msgspec.Struct, frozen=True):
    """Turns one provider's error answers into exceptions; a `Refusal` of `core/provider.py`."""

    types: Mapping[str, type[RefusalError]]
    """The exception for each of the provider's error types."""
    messages: Mapping[int, str]
    """The message for a status whose answer has none."""

    def __call__(self, status: int, body: bytes, result: type) -> RefusalError | None:
        """Return the exception for an answer; None for a success.

        `queued` and `daily_limit` may come with any status, even 200: a body whose `error` object
        has a type or a message is an error. So is one with an `error` text, unless there is data
        as well, because some results have a field of that name.
        """
        tree = json_object(body) if b'"error"' in body or status == 407 else {}
        error = tree.get("error") if tree else None
        success = 200 <= status < 300
        if isinstance(error, dict):
            error = cast("dict[str, object]", error)
            kind, message = error.get("type"), error.get("message")
            if kind or message:
                return self._refusal(status, _text(kind), _text(message), body, error)
        if isinstance(error, str) and error and not (success and _has_data(tree or {}, result)):
            return self._refusal(status, "", error, body)
        if success or (status == 407 and tree is None):
            return None  # a 407 without a JSON body comes from a proxy, not from the API
        return self._refusal(status, "", "", body)

    def _refusal(
        self,
        status: int,
        kind: str,
        message: str,
        body: bytes,
        details: Mapping[str, object] | None = None,
    ) -> RefusalError:
        cls = self.types.get(kind)
        if cls is None:
            cls = STATUSES.get(status, ServerError if status >= 500 else RefusalError)
        if cls is RateLimitError and "week" in message.lower():
            cls = WeeklyLimitError
        if 300 <= status < 400:
            message = "the server redirects; redirects are never followed"
        text = message or self.messages.get(status) or kind.replace("_", " ") or f"status {status}"
        error = cls(text, status=status, kind=kind or str(status), body=excerpt(body))
        if isinstance(error, DailyLimitError | WeeklyLimitError):
            error.refreshes_at = _refreshes_at(details or {}, json_object(body) or {})
        return error


def _refreshes_at(*places: Mapping[str, object]) -> float | None:
    """When the allowance is renewed. No sample shows in which object it is (lix.md#errors)."""
    for place in places:
        for name in ("refreshesAt", "refreshesAtISO"):
            if (moment := parse_moment(place.get(name))) is not None:
                return moment
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _has_data(tree: dict[str, object], result: type) -> bool:
    """Whether a body has any field of the result, besides its `error` text."""
    names = set(getattr(result, "__struct_encode_fields__", tree))
    for attribute in ("__markers__", "__aliases__", "__envelopes__"):
        names |= set(getattr(result, attribute, ()))
    return any(tree.get(name) for name in names - {"error"})
