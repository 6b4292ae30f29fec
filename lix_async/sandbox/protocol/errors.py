"""What an answer raises when the provider would refuse, and the body that goes out then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ErrorReply(Exception):
    """A request that will not be answered: status, error type and a message for a person.

    `kind` is the provider's error type (`params_invalid`, `unknown_record`, ...) or None where the
    contract names none (401, 402, 503). `headers` go out with the answer, `Retry-After` for
    example. `more` stands beside type and message.
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
        """The wire body `{"error": {"type": ..., "message": ...}}`, each key only when known."""
        error = {"type": self.error_type, "message": self.message, **self.extra}
        return {"error": {name: value for name, value in error.items() if value is not None}}


def is_missing(name: str) -> bool:
    """Whether a slug, id or domain of the world stands for something that is not there.

    True for a text that begins with `missing-` or `not-found`, and for digits that begin with 404.
    """
    return name.lower().startswith(("missing-", "not-found")) or (
        name.isdigit() and name.startswith("404")
    )


def params_invalid(message: str) -> ErrorReply:
    """400: a parameter is missing or wrong."""
    return ErrorReply(400, "params_invalid", message)


def unknown_record(what: str) -> ErrorReply:
    """404: the thing asked for does not exist."""
    return ErrorReply(404, "unknown_record", f"no {what} could be found")


def unknown_route() -> ErrorReply:
    """404: no such path. The documented body has no message."""
    return ErrorReply(404, "unknown_route")


def method_not_allowed(allowed: Iterable[str]) -> ErrorReply:
    """405: the path exists, and is not asked by this method. No type is documented for it."""
    return ErrorReply(405, "unknown_route", headers={"Allow": ", ".join(sorted(allowed))})


def viewer_invalid(message: str = "viewer is not connected") -> ErrorReply:
    """407: the LinkedIn account named by `viewer_id` is not attached."""
    return ErrorReply(407, "viewer_invalid", message)


def unauthorized() -> ErrorReply:
    """401: no key, or one that is not known."""
    return ErrorReply(401, None, "the API key is missing or not valid")


def quota_exceeded() -> ErrorReply:
    """402: the credits of this kind are used up."""
    return ErrorReply(402, None, "no credits left")


def rate_limit() -> ErrorReply:
    """429: too fast. No `Retry-After`: only the weekly quota has one (lix.md#rate-limits)."""
    return ErrorReply(429, "rate_limit", "too many requests")


def weekly_limit(seconds: int) -> ErrorReply:
    """429: the invitations of this week are used up; `Retry-After` is the seconds to Monday."""
    return ErrorReply(
        429, "rate_limit", "weekly connection request limit reached", {"Retry-After": str(seconds)}
    )
