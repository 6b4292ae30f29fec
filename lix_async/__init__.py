"""Async-first Python SDK for the Lix and LookC APIs: paced, resumable, paid once."""

from .core.bucket import RateLimit
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
from .core.retry import RetryPolicy
from .engine.answer import Answer
from .engine.checkpoint import Checkpoint
from .engine.limiter import Limiter, LocalLimiter
from .engine.pages import Pages
from .engine.walk import Page
from .providers.lix.client import AsyncLix
from .providers.lookc.client import AsyncLookC

__all__ = [
    "Answer",
    "AsyncLix",
    "AsyncLookC",
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
