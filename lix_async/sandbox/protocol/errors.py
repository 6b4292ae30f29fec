"""Error responses: the exception that an answer raises, and the errors of the contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .dates import next_midnight, next_monday


class ErrorReply(Exception):
    """Raised to answer a request with an error response.

    Args:
        status: The HTTP status.
        error_type: The provider's error type (`params_invalid`, `unknown_record`, ...), or None
            where the contract has none (401, 402, 503).
        message: The message for people.
        headers: Headers of the response, for example `Retry-After`.
        extra: Further keys beside type and message.
    """

    def __init__(
        self,
        status: int,
        error_type: str | None,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message or error_type or str(status))
        self.status = status
        self.error_type = error_type
        self.message = message
        self.headers: dict[str, str] = dict(headers or {})
        self.extra: dict[str, object] = dict(extra or {})

    @property
    def body(self) -> dict[str, object]:
        """The JSON body `{"error": {"type": ..., "message": ...}}`, without empty keys."""
        error = {"type": self.error_type, "message": self.message, **self.extra}
        return {"error": {name: value for name, value in error.items() if value is not None}}


def is_missing(name: str) -> bool:
    """Whether a slug, id or domain stands for a record that does not exist.

    True for texts that begin with `missing-` or `not-found`, and for digits that begin with 404.
    """
    return name.lower().startswith(("missing-", "not-found")) or (
        name.isdigit() and name.startswith("404")
    )


def params_invalid(message: str) -> ErrorReply:
    """400: a parameter is missing or wrong."""
    return ErrorReply(400, "params_invalid", message)


def unknown_record(what: str) -> ErrorReply:
    """404: the requested record does not exist."""
    return ErrorReply(404, "unknown_record", f"no {what} could be found")


def unknown_route() -> ErrorReply:
    """404: no such path. The documented body has no message."""
    return ErrorReply(404, "unknown_route")


def method_not_allowed(allowed: Iterable[str]) -> ErrorReply:
    """405: the path does not accept this method. The contract documents no type for it."""
    return ErrorReply(405, "unknown_route", headers={"Allow": ", ".join(sorted(allowed))})


def viewer_invalid(message: str = "viewer is not connected") -> ErrorReply:
    """407: the LinkedIn account named by `viewer_id` is not attached."""
    return ErrorReply(407, "viewer_invalid", message)


def unauthorized() -> ErrorReply:
    """401: the API key is missing or rejected."""
    return ErrorReply(401, None, "the API key is missing or not valid")


def quota_exceeded() -> ErrorReply:
    """402: no credits of this kind are left."""
    return ErrorReply(402, None, "no credits left")


def rate_limit() -> ErrorReply:
    """429: too many requests. Only the weekly quota sends `Retry-After` (lix.md#rate-limits)."""
    return ErrorReply(429, "rate_limit", "too many requests")


def weekly_limit(epoch: float) -> ErrorReply:
    """429: this week's invitations are used up; `Retry-After` is the number of seconds to Monday.

    Args:
        epoch: The current time in seconds since the epoch.
    """
    seconds = next_monday(epoch) - int(epoch)
    return ErrorReply(
        429, "rate_limit", "weekly connection request limit reached", {"Retry-After": str(seconds)}
    )


def daily_limit(epoch: float) -> ErrorReply:
    """429: today's requests are used up. `refreshesAt` is in epoch seconds, as in the allowance.

    No published body shows where the refresh time stands; inside the error is a guess.

    Args:
        epoch: The current time in seconds since the epoch.
    """
    extra = {"refreshesAt": next_midnight(epoch)}
    return ErrorReply(429, "daily_limit", "daily limit reached", extra=extra)
