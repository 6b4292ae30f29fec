"""Error responses of the Letrics API: their exceptions, and which response becomes which.

The API may list several errors at once. Each class here also derives from the general class of the
same meaning: `except InvalidParamsError` catches `LetricsInvalidParamsError`, which has `errors`.

Contract: letrics.md#envelope.
"""

from __future__ import annotations

from typing import cast

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
from ...core.json_text import json_object
from ...core.models import OpenObject


class ErrorItem(OpenObject):
    """One error as the vendor lists it: a mapping, of which three keys are documented."""

    @property
    def id(self) -> str:
        """The stable identifier, such as `invalid_input`; empty if there is none."""
        return self.first_text("id") or ""

    @property
    def code(self) -> int | None:
        """The HTTP status of this error, sent as a number or a text."""
        return self.first_number("code")

    @property
    def details(self) -> str:
        """A readable explanation; empty if there is none."""
        return self.first_text("details") or ""

    def __str__(self) -> str:
        return self.details or self.id or "no details given"


class LetricsError(RefusalError):
    """An error response of Letrics, with every error that it lists in `errors`."""

    errors: tuple[ErrorItem, ...] = ()


class LetricsInvalidParamsError(LetricsError, InvalidParamsError):
    """A filter is not accepted."""


class LetricsAuthenticationError(LetricsError, AuthenticationError):
    """The key is missing or not accepted."""


class LetricsQuotaExceededError(LetricsError, QuotaExceededError):
    """Status 402; no quota is documented."""


class LetricsNotFoundError(LetricsError, NotFoundError):
    """Status 404. The paths are not published: check the argument `paths` of the client first."""


class LetricsRateLimitError(LetricsError, RateLimitError):
    """Status 429; no rate is documented."""


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
    404: "unknown path: the paths are not published, see the argument `paths` of the client",
    405: "wrong method: it is not published, see the argument `method` of the client",
    429: "too many requests",
}


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The error that a response means, by its status and `errors`, or None for a success."""
    good = 200 <= status < 300
    tree = json_object(body) if b'"errors"' in body else None
    errors = _errors((tree or {}).get("errors"))
    if good and not errors:
        return None
    if status == 407 and not errors:
        return None  # from a proxy: the API answers in JSON
    code = errors[0].code if good else status  # the status of the response decides
    cls = CLASSES.get(code or 0) or (LetricsServerError if (code or 0) >= 500 else LetricsError)
    if 300 <= status < 400:
        message = "the server redirects; redirects are never followed"
    else:
        message = "; ".join(map(str, errors)) or STATUS_MESSAGES.get(status) or f"status {status}"
    kind = next((error.id for error in errors if error.id), str(status))
    found = cls(message, status=status, kind=kind, body=excerpt(body))
    found.errors = errors
    return found


def has_own_error(body: bytes) -> bool:
    """Whether a body lists errors as the vendor writes them (letrics.md#envelope)."""
    return bool(_errors((json_object(body) or {}).get("errors")))


def _errors(listed: object) -> tuple[ErrorItem, ...]:
    items = cast("list[object]", listed) if isinstance(listed, list) else []
    objects = [cast("dict[str, object]", item) for item in items if isinstance(item, dict)]
    return tuple(map(ErrorItem, objects))
