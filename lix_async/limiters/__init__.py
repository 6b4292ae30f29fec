"""Limiters that many processes share, on one machine or on many: one rate for one key.

| class | store | extra | reaches |
|---|---|---|---|
| `RedisLimiter` | Redis 5 or newer: one Lua script | `redis` | whoever reaches the server |
| `PostgresLimiter` | PostgreSQL 12 or newer: one update | `postgres` | whoever reaches the server |
| `SqliteLimiter` | a small file: one transaction | none | the processes of one machine |

`AsyncLix(rate_limit=RedisLimiter(url, "lix", RateLimit(50, per=1.0)))` paces calls that somebody
waits for; `rate_limit=limiter.bulk` paces the calls of a long run, which let the others go first.
"""

from .bulk import BulkLimiter
from .postgres import PostgresLimiter
from .redis import RedisLimiter
from .shared import SharedLimiter
from .sqlite import SqliteLimiter

__all__ = ["BulkLimiter", "PostgresLimiter", "RedisLimiter", "SharedLimiter", "SqliteLimiter"]
