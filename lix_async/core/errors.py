"""All exceptions that a call can raise.

LixError
├── ConfigurationError
├── TransportError
│   ├── DeadlineError
│   │   └── PendingError
│   └── OutcomeUnknownError
├── RefusalError
│   ├── InvalidParamsError
│   ├── AuthenticationError
│   ├── QuotaExceededError
│   │   └── BudgetError
│   ├── NotFoundError
│   ├── ViewerError
│   ├── RateLimitError
│   │   ├── DailyLimitError
│   │   └── WeeklyLimitError
│   ├── QueuedError
│   └── ServerError
├── DecodeError
├── PagingError
└── BulkError
    ├── OutageError
    ├── BusyError
    ├── InDoubtError
    └── SuppressedError

Every error can be pickled: its one positional argument is the message, everything else is an
attribute. No error contains the API key: where a server echoes it, in any encoding, the error has
`***` instead, in `body` as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NoReturn, TypeVar

from msgspec import ValidationError

from .bridge import named_schema
from .plurals import plural

if TYPE_CHECKING:
    from .bridge import CoreSchema, SchemaHandler

Family = Literal[
    "",
    "answer",
    "unusable",
    "refused",
    "queued",
    "stop",
    "attested",
    "unattested",
    "gateway",
    "unknown",
    "infrastructure",
    "input",
]
"""By whose fault an attempt ended, see `core.families`; empty where that is not known."""
E = TypeVar("E", bound=BaseException)
EXCERPT = 1024
"""Bytes of a body that an error keeps for people to read."""


def excerpt(body: bytes, limit: int = EXCERPT) -> str:
    """The beginning of a body as text; bytes that are not UTF-8 are shown as escapes."""
    text = body[:limit].decode("utf-8", "backslashreplace")
    return text if len(body) <= limit else f"{text}… ({len(body)} {plural(len(body), 'byte')})"


class LixError(Exception):
    """The base of all exceptions. `endpoint` is a catalogue id or None, `attempts` their number."""

    family: Family = ""
    """By whose fault the call failed: what bulk runs decide by."""
    retry_after: float | None = None
    """Seconds after which to try again, where the provider or the run named them."""
    cached: bool = False
    """Whether it is an answer that this call did not ask for: it was in the ledger, or another call
    asked for it."""

    def __init__(self, message: str, *, endpoint: str | None = None, attempts: int = 0) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.attempts = attempts

    def __str__(self) -> str:
        text = str(self.args[0]) if self.args else type(self).__name__
        return f"{self.endpoint}: {text}" if self.endpoint else text

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: SchemaHandler) -> CoreSchema:
        return named_schema(
            cls, source, lambda: handler.generate_schema(str), read=_not_readable, write=str
        )


def _not_readable(value: object) -> NoReturn:
    raise ValidationError("Expected an error, which cannot be read from JSON")


class ConfigurationError(LixError):
    """An argument or a setting is invalid. Nothing was sent or charged."""


class TransportError(LixError):
    """There was no usable answer. `sent`: whether the request may have reached the server.

    `permanent`: whether a retry would fail the same way.
    """

    def __init__(
        self,
        message: str,
        *,
        sent: bool = False,
        permanent: bool = False,
        endpoint: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempts=attempts)
        self.sent = sent
        self.permanent = permanent


class DeadlineError(TransportError):
    """The call's deadline passed or cannot be met.

    `retry_at` is the moment (epoch seconds) from which a retry makes sense, if it is known.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_at: float | None = None,
        sent: bool = False,
        permanent: bool = True,
        endpoint: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(
            message, sent=sent, permanent=permanent, endpoint=endpoint, attempts=attempts
        )
        self.retry_at = retry_at


class PendingError(DeadlineError):
    """A lookup was accepted and has not finished in the time that the caller allowed.

    Nothing is lost: its result can be requested later by `request_id`.
    """

    def __init__(
        self,
        message: str,
        *,
        request_id: str = "",
        retry_at: float | None = None,
        endpoint: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(
            message, retry_at=retry_at, sent=True, endpoint=endpoint, attempts=attempts
        )
        self.request_id = request_id


class OutcomeUnknownError(TransportError):
    """A call that acts may or may not have been carried out, so it was not repeated."""


class RefusalError(LixError):
    """The provider answered with an error.

    `status` is the HTTP status, `kind` the provider's name of the error (or the status as text),
    `message` its text, `retry_after` the seconds to wait if the provider gave them, `body` an
    excerpt of the answer, `headers` those of the answer, with names in lower case.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        kind: str = "",
        retry_after: float | None = None,
        body: str = "",
        headers: dict[str, str] | None = None,
        endpoint: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempts=attempts)
        self.status = status
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.body = body
        self.headers = headers or {}

    def __str__(self) -> str:
        parts = dict.fromkeys((str(self.status or ""), self.kind))  # some types are the status
        details = " ".join(part for part in parts if part)
        return f"{super().__str__()} ({details})" if details else super().__str__()


class InvalidParamsError(RefusalError):
    """A parameter is missing or wrong. A retry would fail the same way."""


class AuthenticationError(RefusalError):
    """The key is missing, wrong, or not allowed to use this endpoint."""


class QuotaExceededError(RefusalError):
    """402: the plan's quota or the credits are used up. Never retried."""


class BudgetError(QuotaExceededError):
    """The caller's own `max_credits` would be exceeded. Nothing was sent; status is 0."""


class NotFoundError(RefusalError):
    """There is no such record. The call was carried out; a retry would find none either."""


class ViewerError(RefusalError):
    """The viewer_id is not attached, is wrong, or lacks the needed LinkedIn product."""


class RateLimitError(RefusalError):
    """Too many requests, at the last attempt that the retry policy allows as well.

    `refreshes_at` (epoch seconds) is when the allowance of a day or a week is renewed, if known.
    """

    refreshes_at: float | None = None


class DailyLimitError(RateLimitError):
    """The day's allowance is used up; see `refreshes_at`."""


class WeeklyLimitError(RateLimitError):
    """The weekly quota for connection requests is used up; see `refreshes_at`."""


class QueuedError(RefusalError):
    """The provider is still preparing the record, at the last poll as well."""


class ServerError(RefusalError):
    """The provider failed (5xx or `api_error`), on every attempt that the retry policy allows."""


class DecodeError(LixError):
    """A successful answer that does not fit its struct.

    `path` is the place (`$.people[3].name`), `excerpt` the beginning of the answer, and `body` the
    whole of it, which was charged and is not thrown away. It is as received, except for an echoed
    key.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str = "$",
        body: bytes = b"",
        endpoint: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempts=attempts)
        self.path = path
        self.body = body
        self.excerpt = excerpt(body)


class PagingError(LixError):
    """A listing makes no progress, or was resumed with the checkpoint of another one."""


class BulkError(LixError):
    """A run's ledger cannot be used, or belongs to another run.

    `unsaved` holds outcomes that were charged and that the ledger could not save, for the caller
    to save.
    """

    unsaved: tuple[object, ...] = ()

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}; what was received is in .unsaved" if self.unsaved else text


def combined(first: E | None, second: E) -> E:
    """The one of two errors to raise: the first, unless only the second has `unsaved` outcomes.

    What they have both is in the one that is raised: nothing is worse than to lose what was paid.
    """
    if first is None or not isinstance(second, BulkError) or not second.unsaved:
        return second if first is None else first
    if not isinstance(first, BulkError):
        return second
    if first is not second:
        first.unsaved += second.unsaved
    return first


class OutageError(BulkError):
    """The provider, or the way to it, did not work for too long. All inputs left are pending.

    `__cause__` is the last failure; `retry_after` the seconds after which it is tried again.
    """


class BusyError(BulkError):
    """Another process has sent the same lookup, and its answer was waited for long enough.

    `key` is the lookup's key in the ledger, in hexadecimal digits.
    """

    key: str = ""


class InDoubtError(BulkError):
    """A lookup was sent and no answer was received: it may have been charged.

    `key` is the lookup's key in the ledger, in hexadecimal digits.
    """

    key: str = ""


class SuppressedError(BulkError):
    """What was asked about has been forgotten: the ledger's suppression list has it.

    Nothing was sent; or, where the outcome has credits, the answer turned out to be about somebody
    who was forgotten, and was erased.
    """
