"""Reading a refusal: what `{"error": {"type", "message"}}` means, by type first, status second.

The words are a provider's own and stand in its `provider.py`; how they are found in an answer,
and what an HTTP status means where no word is readable, is the same for all who answer so.
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
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    ViewerError,
    WeeklyLimitError,
    excerpt,
)

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
    """How one provider says no. Called with status, body and result type, like any `Refusal`.

    `types`: the class for each of its error types. `sayings`: what to tell a person for a
    status whose answer has no message.
    """

    types: Mapping[str, type[RefusalError]]
    messages: Mapping[int, str]

    def __call__(self, status: int, body: bytes, result: type) -> RefusalError | None:
        """The refusal that an answer is, or None.

        `queued` and `daily_limit` may come with any status, 200 included: a body with an `error`
        object that says something is a refusal. An `error` text is one too, unless data stands
        beside it (some results have a field of that name).
        """
        tree = json_object(body) if b'"error"' in body or status == 407 else {}
        said = tree.get("error") if tree else None
        good = 200 <= status < 300
        if isinstance(said, dict):
            said = cast("dict[str, object]", said)
            kind, message = said.get("type"), said.get("message")
            if kind or message:
                return self._refusal(status, _text(kind), _text(message), body, said)
        if isinstance(said, str) and said and not (good and _has_data(tree or {}, result)):
            return self._refusal(status, "", said, body)
        if good or (status == 407 and tree is None):
            return None  # a 407 without a JSON body comes from a proxy, not from the API
        return self._refusal(status, "", "", body)

    def _refusal(
        self,
        status: int,
        kind: str,
        message: str,
        body: bytes,
        said: Mapping[str, object] | None = None,
    ) -> RefusalError:
        cls = self.types.get(kind)
        if cls is None:
            cls = STATUSES.get(status, ServerError if status >= 500 else RefusalError)
        if cls is RateLimitError and "week" in message.lower():
            cls = WeeklyLimitError
        if 300 <= status < 400:
            message = "the server redirects; redirects are never followed"
        told = message or self.messages.get(status) or kind.replace("_", " ") or f"status {status}"
        error = cls(told, status=status, kind=kind or str(status), body=excerpt(body))
        if isinstance(error, DailyLimitError):  # no sample says where it stands
            for place in (said or {}, json_object(body) or {}):
                if isinstance(refreshes := place.get("refreshesAt"), int):
                    error.refreshes_at = float(refreshes)
                    break
        return error


def json_object(body: bytes) -> dict[str, object] | None:
    """A body that is a JSON object, as plain objects; None for any other."""
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _has_data(tree: dict[str, object], result: type) -> bool:
    """Whether a body holds anything of what the call asks for, beside its `error` text."""
    known = set(getattr(result, "__struct_encode_fields__", tree))
    for beside in ("__markers__", "__aliases__", "__envelopes__"):
        known |= set(getattr(result, beside, ()))
    return any(tree.get(name) for name in known - {"error"})
