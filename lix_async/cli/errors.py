"""Errors as a message, a hint and an exit code."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.errors import (
    AuthenticationError,
    BudgetError,
    BulkError,
    BusyError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    InDoubtError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    OutageError,
    OutcomeUnknownError,
    PagingError,
    PendingError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    SuppressedError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)
from ..core.installed_providers import provider_name, provider_of
from .text import format_until, one_line

OK, REFUSED, USAGE, AUTH, QUOTA, NOT_FOUND, NETWORK = range(7)
INTERRUPTED, TERMINATED = 130, 143

EXIT_CODES: Mapping[int, str] = {
    OK: "success, also when the reader of a pipe closed it",
    REFUSED: "the provider refused the request, or something else failed",
    USAGE: "invalid arguments, or a file that cannot be used",
    AUTH: "no API key, or the provider rejected it",
    QUOTA: "out of credits, or a daily or weekly limit is reached",
    NOT_FOUND: "no such record",
    NETWORK: "no usable answer: a network error, or the deadline passed",
    INTERRUPTED: "stopped by Ctrl-C",
    TERMINATED: "stopped by SIGTERM",
}
"""The exit codes of `lix` and their meanings."""

_CODES: tuple[tuple[type[LixError], int], ...] = (
    (ConfigurationError, USAGE),
    (AuthenticationError, AUTH),
    (QuotaExceededError, QUOTA),
    (DailyLimitError, QUOTA),
    (WeeklyLimitError, QUOTA),
    (NotFoundError, NOT_FOUND),
    (TransportError, NETWORK),
)

_HINTS: tuple[tuple[type[LixError], str], ...] = (
    (AuthenticationError, "check LIX_API_KEY; a temporary token needs --auth bearer"),
    (BudgetError, "raise --max-credits to continue"),
    (QuotaExceededError, "`lix account` shows the remaining credits"),
    (WeeklyLimitError, "the limit of connection requests resets on Monday at 00:00 UTC"),
    (DailyLimitError, "`lix account` shows when the allowance is renewed"),
    (
        RateLimitError,
        "the plan may be slower, or another program uses the same key: try --rate 1/6s",
    ),
    (
        ViewerError,
        "--viewer must be attached to your team: `lix call linkedin_account.list` lists them",
    ),
    (QueuedError, "the provider is still preparing the record: try again in a few minutes"),
    (NotFoundError, "check the link; deleted and hidden records are not found either"),
    (ServerError, "the error is on the provider's side: try again later"),
    (PendingError, "the lookup goes on: ask again later, which costs nothing more"),
    (DeadlineError, "allow more time with --deadline, or omit it"),
    (PagingError, "the pages before are complete; try again later"),
    (DecodeError, "`lix call` with --format jsonl prints the answer as received"),
    (OutcomeUnknownError, "look at LinkedIn whether it happened; it is not repeated on its own"),
    (TransportError, "check the network, and --base-url or LIX_BASE_URL if you use them"),
    (InvalidParamsError, "check the values; `lix call ENDPOINT --help` explains them"),
    (ConfigurationError, "`--help` after the command explains its options"),
    (OutageError, "the provider is not available: run the same command again later"),
    (BusyError, "another program does the same lookup: run the same command again"),
    (InDoubtError, "`lix run doubts` lists such lookups, and `lix run reconcile` decides them"),
    (SuppressedError, "it was forgotten with `lix ledger forget`, and is not looked up again"),
    (BulkError, "--store FILE keeps the ledger in another place; `lix run status` shows its state"),
    (LixError, "run the command again; if it fails again, with other values"),
)


class CommandError(Exception):
    """A command cannot continue: a message, a hint for the user, and an exit code."""

    def __init__(self, message: str, *, hint: str = "", code: int = USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def missing_key_error(variable: str = "LIX_API_KEY") -> CommandError:
    """The error for a missing API key."""
    return CommandError(
        f"no API key: set {variable}, or use --api-key-stdin",
        hint="`lix demo` and `lix sandbox` need no key",
        code=AUTH,
    )


def command_error_for(error: LixError) -> CommandError:
    """The message, hint and exit code for an error of the library."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), REFUSED)
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    if isinstance(error, DailyLimitError) and error.refreshes_at is not None:
        hint = f"the allowance is renewed {format_until(error.refreshes_at)}"
    elif isinstance(error, AuthenticationError):
        name = provider_name(error.endpoint or "")
        hint = hint if name == "lix" else f"check {provider_of(name).key_variables[0]}"
    elif isinstance(error, DeadlineError) and error.retry_at is not None:
        hint = f"retry {format_until(error.retry_at)}"
    elif isinstance(error, RefusalError) and error.retry_after is not None:
        hint = f"the provider asks to wait {error.retry_after:g} s"
    return CommandError(one_line(str(error)), hint=hint, code=code)


def refusal_error(error: LixError, text: str) -> CommandError:
    """The error of a run in which a provider was not asked any more.

    Args:
        error: What the provider said.
        text: What is missing.
    """
    failure = command_error_for(error)
    failure.message += f"; {text}"
    return failure


class Interrupted(Exception):
    """The user or the system asked the command to stop."""
