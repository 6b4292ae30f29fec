"""Limiters that many processes share, on one machine or on many: one rate for one key.

| class | store | extra | reaches |
|---|---|---|---|
| `RedisLimiter` | Redis 5 or newer: one Lua script | `redis` | whoever reaches the server |
| `PostgresLimiter` | PostgreSQL 12 or newer: one update | `postgres` | whoever reaches the server |
| `SqliteLimiter` | a small file: one transaction | none | the processes of one machine |

`AsyncLix(rate_limit=RedisLimiter(url, "lix", RateLimit(50, per=1.0)))` paces calls that somebody
waits for; `rate_limit=limiter.bulk` paces the calls of a long run, which let the others go first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .postgres import PostgresLimiter
    from .redis import RedisLimiter
    from .shared import BulkLimiter, SharedLimiter
    from .sqlite import SqliteLimiter

__all__ = ["BulkLimiter", "PostgresLimiter", "RedisLimiter", "SharedLimiter", "SqliteLimiter"]

_MODULES = {
    "BulkLimiter": "shared",
    "PostgresLimiter": "postgres",
    "RedisLimiter": "redis",
    "SharedLimiter": "shared",
    "SqliteLimiter": "sqlite",
}


def __getattr__(name: str) -> object:
    # The engine imports this package for its base class; the backends are for who asks for them.
    if name in _MODULES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
