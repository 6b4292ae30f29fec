"""Everything that a call can raise.

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

Every error survives pickling: its one positional argument is the message, all other facts are
attributes. None of them ever holds the API key: where a server echoes it, in whatever spelling,
an error says `***` instead, also in `body`.
"""

EXCERPT = 1024
"""Bytes of a body that an error keeps for a person to read."""


def excerpt(body: bytes, limit: int = EXCERPT) -> str:
    """The beginning of a body as text; bytes that are not UTF-8 are shown as escapes."""
    text = body[:limit].decode("utf-8", "backslashreplace")
    return text if len(body) <= limit else f"{text}… ({len(body)} bytes)"


class LixError(Exception):
    """The root of the tree. `endpoint` is a catalogue id or None, `attempts` the tries made."""

    def __init__(self, message: str, *, endpoint: str | None = None, attempts: int = 0) -> None:
        super().__init__(message)
        self.endpoint = endpoint
        self.attempts = attempts

    def __str__(self) -> str:
        text = str(self.args[0]) if self.args else type(self).__name__
        return f"{self.endpoint}: {text}" if self.endpoint else text


class ConfigurationError(LixError):
    """The call or the client is set up wrongly. Nothing was sent, nothing was paid."""


class TransportError(LixError):
    """No usable answer came. `sent` tells whether the request may have reached the server."""

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
    """The call's deadline passed, or cannot be met.

    `retry_at` is the moment (seconds since the epoch) from which a repeat makes sense, if known.
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
    """A lookup was accepted, and still runs at the end of the time that the caller gave it.

    Nothing is lost: `request_id` names the lookup, and asking for its result goes on with it.
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
    """A send may or may not have been carried out, so it was not repeated."""


class RefusalError(LixError):
    """The provider answered, and said no.

    `kind` is the provider's own word for it (or the status as text), `retry_after` seconds when
    the provider named a pause, `body` an excerpt of the answer.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        kind: str = "",
        retry_after: float | None = None,
        body: str = "",
        endpoint: str | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message, endpoint=endpoint, attempts=attempts)
        self.status = status
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.body = body

    def __str__(self) -> str:
        facts = " ".join(part for part in (str(self.status or ""), self.kind) if part)
        return f"{super().__str__()} ({facts})" if facts else super().__str__()


class InvalidParamsError(RefusalError):
    """A parameter is missing or wrong. A repeat would fail the same way."""


class AuthenticationError(RefusalError):
    """The key is missing, wrong, or has no right to this endpoint."""


class QuotaExceededError(RefusalError):
    """402: the plan's quota or the credits are used up. Never repeated."""


class BudgetError(QuotaExceededError):
    """The caller's own `max_credits` would be exceeded. Nothing was sent; status is 0."""


class NotFoundError(RefusalError):
    """No such record. The call was carried out; a repeat would find nothing either."""


class ViewerError(RefusalError):
    """The viewer_id is not attached, is wrong, or lacks the needed LinkedIn product."""


class RateLimitError(RefusalError):
    """Too fast: still refused after the last attempt that the policy allows."""


class DailyLimitError(RateLimitError):
    """The day's allowance is used up. `refreshes_at` (epoch seconds) when it is known."""

    refreshes_at: float | None = None


class WeeklyLimitError(RateLimitError):
    """The weekly quota for connection requests is used up."""


class QueuedError(RefusalError):
    """The provider is still preparing the record: queued even at the last poll."""


class ServerError(RefusalError):
    """The provider failed (5xx or `api_error`), on every attempt that the policy allows."""


class DecodeError(LixError):
    """A success that does not fit its struct.

    `path` names the place (`$.people[3].name`), `excerpt` shows the beginning, `body` is the
    whole answer: it was paid for and is not thrown away. As received, but for an echoed key.
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
    """A walk that stands still, or that was resumed with another search's checkpoint."""


class BulkError(LixError):
    """A run's ledger cannot be used, or belongs to another run.

    `unsaved` holds the outcomes that were paid for and that the ledger could not keep: save them
    yourself. Empty where nothing is at stake.
    """

    unsaved: tuple[object, ...] = ()
