"""Refusals with everything that the vendor said: it may list several errors at once.

Each class stands beside the common one of its meaning: `except InvalidParamsError` catches it,
and `.errors` is there.
"""

from __future__ import annotations

from ...core.decoding import OpenObject
from ...core.errors import (
    AuthenticationError,
    InvalidParamsError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
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
