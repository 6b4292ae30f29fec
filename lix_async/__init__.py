"""Async-first Python SDK for LinkedIn data: paced, resumable, paid once.

`AsyncLix` and `AsyncLookC`, and the sister systems `AsyncConnectSafely`, `AsyncLetrics` and
`AsyncMeetAlfred`. Long runs are in `lix_async.bulk`, one rate for many processes in
`lix_async.limiters`, several providers in turn in `lix_async.waterfall`, links and search URLs in
`lix_async.linkedin`; `lix_async.sandbox` plays the providers locally, for `lix_async.testing`.
"""

from typing import TYPE_CHECKING

from .core.errors import (
    AuthenticationError,
    BudgetError,
    BulkError,
    ConfigurationError,
    DailyLimitError,
    DeadlineError,
    DecodeError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    OutcomeUnknownError,
    PagingError,
    PendingError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)
from .core.rate_limit import RateLimit
from .core.retry import RetryPolicy
from .engine.answer import Answer
from .engine.checkpoint import Checkpoint
from .engine.pages import Page, Pages
from .limiters.base import Limiter
from .limiters.local import LocalLimiter
from .providers.lix.client import AsyncLix
from .providers.lookc.client import AsyncLookC

if TYPE_CHECKING:
    from .providers.connectsafely.client import AsyncConnectSafely
    from .providers.letrics.client import AsyncLetrics
    from .providers.meetalfred.client import AsyncMeetAlfred
else:
    _LATE = {  # imported when they are asked for: most programs use none of them
        "AsyncConnectSafely": "connectsafely",
        "AsyncLetrics": "letrics",
        "AsyncMeetAlfred": "meetalfred",
    }

    def __getattr__(name: str) -> object:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.providers.{_LATE[name]}.client"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATE})


__all__ = [
    "Answer",
    "AsyncConnectSafely",
    "AsyncLetrics",
    "AsyncLix",
    "AsyncLookC",
    "AsyncMeetAlfred",
    "AuthenticationError",
    "BudgetError",
    "BulkError",
    "Checkpoint",
    "ConfigurationError",
    "DailyLimitError",
    "DeadlineError",
    "DecodeError",
    "InvalidParamsError",
    "Limiter",
    "LixError",
    "LocalLimiter",
    "NotFoundError",
    "OutcomeUnknownError",
    "Page",
    "Pages",
    "PagingError",
    "PendingError",
    "QueuedError",
    "QuotaExceededError",
    "RateLimit",
    "RateLimitError",
    "RefusalError",
    "RetryPolicy",
    "ServerError",
    "TransportError",
    "ViewerError",
    "WeeklyLimitError",
]
