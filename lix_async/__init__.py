"""Async client library for LinkedIn data APIs, for asyncio and trio.

The clients are `AsyncLix` and `AsyncLookC`, and for three other vendors `AsyncConnectSafely`,
`AsyncLetrics` and `AsyncMeetAlfred`. Each one keeps the provider's rate limit, retries, decodes
answers into structs, and returns listings as `Pages`, which can be resumed. `Lix`, `LookC`,
`ConnectSafely`, `Letrics` and `MeetAlfred` are the same clients for programs without asyncio.

Subpackages, imported separately:

* `lix_async.models`: the structs that the methods return, for annotations.
* `lix_async.bulk`: runs over many inputs, with a ledger, so that each lookup is paid once.
* `lix_async.frames`: answers as tables for pandas, polars, DuckDB and pyarrow.
* `lix_async.events`: what `on_event` receives, for logs, traces and progress.
* `lix_async.limiters`: one rate limit for many processes or machines.
* `lix_async.waterfall`: several providers in turn for one lookup.
* `lix_async.linkedin`: LinkedIn links, ids and search URLs.
* `lix_async.sandbox` and `lix_async.testing`: local copies of the providers, for tests.
"""

from typing import TYPE_CHECKING

from .core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from .core.dicts import to_dict
    from .core.errors import (
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
    from .core.models import UnreadableItem
    from .core.rate_limit import RateLimit
    from .core.retry import RetryPolicy
    from .core.schema_drift import Drift
    from .engine.answer import Answer
    from .engine.checkpoint import Checkpoint
    from .engine.pages import Page, Pages
    from .engine.version import __version__
    from .limiters.base import Limiter
    from .limiters.local import LocalLimiter
    from .models import Email, JobPosting, Organisation, Person, Post
    from .providers.connectsafely.client import AsyncConnectSafely
    from .providers.letrics.client import AsyncLetrics
    from .providers.lix.client import AsyncLix
    from .providers.lookc.client import AsyncLookC
    from .providers.meetalfred.client import AsyncMeetAlfred
    from .sync.connectsafely import ConnectSafely
    from .sync.letrics import Letrics
    from .sync.lix import Lix
    from .sync.lookc import LookC
    from .sync.meetalfred import MeetAlfred
else:
    # Imported on first use: a program needs few of them, and `lix --version` only the version.
    __getattr__, __dir__ = lazy_imports(
        __name__,
        {
            "Answer": "engine.answer",
            "AsyncConnectSafely": "providers.connectsafely.client",
            "AsyncLetrics": "providers.letrics.client",
            "AsyncLix": "providers.lix.client",
            "AsyncLookC": "providers.lookc.client",
            "AsyncMeetAlfred": "providers.meetalfred.client",
            "AuthenticationError": "core.errors",
            "BudgetError": "core.errors",
            "BulkError": "core.errors",
            "BusyError": "core.errors",
            "Checkpoint": "engine.checkpoint",
            "ConfigurationError": "core.errors",
            "ConnectSafely": "sync.connectsafely",
            "DailyLimitError": "core.errors",
            "DeadlineError": "core.errors",
            "DecodeError": "core.errors",
            "Drift": "core.schema_drift",
            "Email": "models",
            "InDoubtError": "core.errors",
            "InvalidParamsError": "core.errors",
            "JobPosting": "models",
            "Letrics": "sync.letrics",
            "Limiter": "limiters.base",
            "Lix": "sync.lix",
            "LixError": "core.errors",
            "LocalLimiter": "limiters.local",
            "LookC": "sync.lookc",
            "MeetAlfred": "sync.meetalfred",
            "NotFoundError": "core.errors",
            "Organisation": "models",
            "OutcomeUnknownError": "core.errors",
            "Page": "engine.pages",
            "Pages": "engine.pages",
            "PagingError": "core.errors",
            "PendingError": "core.errors",
            "Person": "models",
            "Post": "models",
            "QueuedError": "core.errors",
            "QuotaExceededError": "core.errors",
            "RateLimit": "core.rate_limit",
            "RateLimitError": "core.errors",
            "RefusalError": "core.errors",
            "RetryPolicy": "core.retry",
            "ServerError": "core.errors",
            "SuppressedError": "core.errors",
            "TransportError": "core.errors",
            "UnreadableItem": "core.models",
            "ViewerError": "core.errors",
            "WeeklyLimitError": "core.errors",
            "__version__": "engine.version",
            "to_dict": "core.dicts",
        },
    )


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
    "BusyError",
    "Checkpoint",
    "ConfigurationError",
    "ConnectSafely",
    "DailyLimitError",
    "DeadlineError",
    "DecodeError",
    "Drift",
    "Email",
    "InDoubtError",
    "InvalidParamsError",
    "JobPosting",
    "Letrics",
    "Limiter",
    "Lix",
    "LixError",
    "LocalLimiter",
    "LookC",
    "MeetAlfred",
    "NotFoundError",
    "Organisation",
    "OutcomeUnknownError",
    "Page",
    "Pages",
    "PagingError",
    "PendingError",
    "Person",
    "Post",
    "QueuedError",
    "QuotaExceededError",
    "RateLimit",
    "RateLimitError",
    "RefusalError",
    "RetryPolicy",
    "ServerError",
    "SuppressedError",
    "TransportError",
    "UnreadableItem",
    "ViewerError",
    "WeeklyLimitError",
    "__version__",
    "to_dict",
]
