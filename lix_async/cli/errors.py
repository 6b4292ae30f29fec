"""What went wrong, in a line that helps a person, and the exit code that helps a script."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.errors import (
    AuthenticationError,
    BudgetError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    LixError,
    NotFoundError,
    PagingError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)
from .text import format_until, one_line

OK, REFUSED, USAGE, AUTH, QUOTA, NOT_FOUND, NETWORK = range(7)
INTERRUPTED, TERMINATED = 130, 143

EXIT_CODES: Mapping[int, str] = {
    OK: "done (also when the reader of a pipe had enough)",
    REFUSED: "the provider refused, or something else failed",
    USAGE: "wrong arguments, or a file that cannot be used",
    AUTH: "no key, or the provider does not accept it",
    QUOTA: "out of credits, or the daily limit is used up",
    NOT_FOUND: "no such record",
    NETWORK: "no usable answer: network, or the deadline passed",
    INTERRUPTED: "stopped by Ctrl-C",
    TERMINATED: "stopped by SIGTERM",
}
"""What `lix` ends with, and what it means."""

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
    (AuthenticationError, "check LIX_API_KEY; a temporary token may need --auth bearer"),
    (BudgetError, "raise --max-credits to go on"),
    (QuotaExceededError, "`lix account` shows what is left"),
    (WeeklyLimitError, "connection requests are counted by the week, from Monday 00:00 UTC"),
    (DailyLimitError, "`lix account` shows when the allowance is full again"),
    (RateLimitError, "another program may use this key, or the plan is slower: try --rate 1/6s"),
    (ViewerError, "--viewer must be attached to your team: see `lix call linkedin_account.list`"),
    (QueuedError, "the provider is still preparing the record: ask again in a few minutes"),
    (NotFoundError, "check the spelling; deleted and hidden records are not found either"),
    (ServerError, "this is on the provider's side: try again later"),
    (DeadlineError, "allow more time with --deadline, or leave it out"),
    (PagingError, "what came before is complete; trying again later may help"),
    (DecodeError, "`lix call` with --format jsonl prints the answer as it came"),
    (TransportError, "check the network, and --base-url or LIX_BASE_URL if you use them"),
)


class CommandError(Exception):
    """A command cannot go on: a message, an exit code, and what the person can do."""

    def __init__(self, message: str, *, hint: str = "", code: int = USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def no_key(variable: str = "LIX_API_KEY") -> CommandError:
    """The one line that everybody sees who has no key yet."""
    return CommandError(
        f"no API key: set {variable}, or use --api-key-stdin (`lix demo` needs no key)",
        code=AUTH,
    )


def command_error_for(error: LixError) -> CommandError:
    """An error of the library as a line, a hint and an exit code."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), REFUSED)
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    if isinstance(error, DailyLimitError) and error.refreshes_at is not None:
        hint = f"the allowance is full again {format_until(error.refreshes_at)}"
    elif isinstance(error, DeadlineError) and error.retry_at is not None:
        hint = f"a repeat makes sense from {format_until(error.retry_at)}"
    elif isinstance(error, RefusalError) and error.retry_after is not None:
        hint = f"the provider asks to wait {error.retry_after:g} s"
    return CommandError(one_line(str(error)), hint=hint, code=code)


class Interrupted(Exception):
    """The person, or the system, asked to stop."""
