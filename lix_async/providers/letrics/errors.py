"""Refusals with everything that the vendor said: it may list several errors at once.

Each class stands beside the common one of its meaning: `except InvalidParamsError` catches it,
and `.errors` is there.
"""

from __future__ import annotations

from typing import cast

from ...core.decoding import OpenObject
from ...core.error_responses import json_object
from ...core.errors import (
    AuthenticationError,
    InvalidParamsError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    excerpt,
)


class ErrorItem(OpenObject):
    """One error as the vendor lists it: a mapping, of which three keys are documented."""

    @property
    def id(self) -> str:
        """The stable identifier to branch on, such as `invalid_input`; empty if there is none."""
        return self.first_text("id") or ""

    @property
    def code(self) -> int | None:
        """The HTTP status that goes with it, also where it comes as a text."""
        return self.first_number("code")

    @property
    def details(self) -> str:
        """What went wrong, for people; empty if nothing is said."""
        return self.first_text("details") or ""

    def __str__(self) -> str:
        return self.details or self.id or "no details given"


class LetricsError(RefusalError):
    """A refusal by Letrics, with every error that it lists in `errors`."""

    errors: tuple[ErrorItem, ...] = ()


class LetricsInvalidParamsError(LetricsError, InvalidParamsError):
    """A filter is not accepted."""


class LetricsAuthenticationError(LetricsError, AuthenticationError):
    """The key is missing or not accepted."""


class LetricsQuotaExceededError(LetricsError, QuotaExceededError):
    """402, should it ever come: no quota is documented."""


class LetricsNotFoundError(LetricsError, NotFoundError):
    """404: as the paths are not published, look at the `paths` setting first."""


class LetricsRateLimitError(LetricsError, RateLimitError):
    """429: no rate is documented."""


class LetricsServerError(LetricsError, ServerError):
    """The service failed."""


CLASSES: dict[int, type[LetricsError]] = {
    400: LetricsInvalidParamsError,
    401: LetricsAuthenticationError,
    402: LetricsQuotaExceededError,
    403: LetricsAuthenticationError,
    404: LetricsNotFoundError,
    422: LetricsInvalidParamsError,
    429: LetricsRateLimitError,
}
"""The class for each status; 5xx is `LetricsServerError`, any other `LetricsError`."""

STATUS_MESSAGES = {
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
        message = "; ".join(map(str, errors)) or STATUS_MESSAGES.get(status) or f"status {status}"
    kind = next((error.id for error in errors if error.id), str(status))
    found = cls(message, status=status, kind=kind, body=excerpt(body))
    found.errors = errors
    return found


def _errors(listed: object) -> tuple[ErrorItem, ...]:
    items = cast("list[object]", listed) if isinstance(listed, list) else []
    objects = [cast("dict[str, object]", item) for item in items if isinstance(item, dict)]
    return tuple(map(ErrorItem, objects))
