"""Rate limiters: who may send a request when.

Limiters that several processes share, on one machine or on many, keep one rate for one key:

| class | server | extra | shared by |
|---|---|---|---|
| `RedisLimiter` | Redis 5 or newer: a Lua script per step | `redis` | all that reach it |
| `PostgresLimiter` | PostgreSQL 12 or newer: an update per step | `postgres` | all that reach it |
| `SqliteLimiter` | a small file: a transaction per step | none | the processes of one machine |

`AsyncLix(rate_limit=RedisLimiter(url, "lix", RateLimit(50, per=1.0)))` is for calls whose results
are waited for; `rate_limit=limiter.bulk` is for the calls of a long run, which let the others go
first.

Modules in reading order: `base` (`Limiter`), `local` (`LocalLimiter` for one process), `keyed`
(several limits at once), `shared` (`SharedLimiter`, `BulkLimiter`), `backend` (what a server must
do), `redis`, `postgres`, `sqlite`. The package may import `core`, `filesystem` and `concurrency`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from .postgres import PostgresLimiter
    from .redis import RedisLimiter
    from .shared import BulkLimiter, SharedLimiter
    from .sqlite import SqliteLimiter
else:
    # The engine imports this package for `Limiter`: the shared limiters are imported when needed.
    __getattr__, __dir__ = lazy_imports(
        __name__,
        {
            "BulkLimiter": "shared",
            "PostgresLimiter": "postgres",
            "RedisLimiter": "redis",
            "SharedLimiter": "shared",
            "SqliteLimiter": "sqlite",
        },
    )

__all__ = ["BulkLimiter", "PostgresLimiter", "RedisLimiter", "SharedLimiter", "SqliteLimiter"]
