"""One rate for whoever reaches a Redis (5 or newer; also Valkey): short Lua scripts.

redis-py's sync client in the limiter's own thread, on both event loops: its asyncio client knows
no trio, and a turn is given back from code that cannot wait. The detour costs some 50 µs.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Protocol, cast

from ..concurrency.clock import Clock
from ..core.errors import ConfigurationError, LixError
from ..core.rate_limit import RateLimit
from ..core.validation import check_attributes
from .backend import refused, unreachable
from .gcra import LONGEST_HOLD, GcraDecision, GcraParameters
from .shared import GIVE_UP_AFTER, SharedLimiter

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 2.0
"""Seconds for connecting and for each answer."""
# Numbers are written with %.0f: Lua's own way drops digits from the fifteenth on. The key leaves
# the server a minute after its numbers have no more to say.
HEAD = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local s = redis.call('HMGET', KEYS[1], 'full_at', 'held')
local full, held = tonumber(s[1]) or 0, tonumber(s[2]) or 0
local function keep()
  redis.call('HSET', KEYS[1], 'full_at', string.format('%.0f', full),
             'held', string.format('%.0f', held))
  redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(full - now, held - now, 0) / 1000) + 60000)
end
local a, b, c, d, e = unpack(ARGV)
"""
ASK = """
local interval, slack, tolerance, horizon, ahead =
  tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e)
if full - now > horizon then full, held = 0, 0 end
local turn = math.max(full - slack, held, now)
if turn - now <= ahead then
  full = math.max(full, turn - tolerance) + interval
  keep()
end
return {now, turn, full}
"""
HOLD = """
held = math.max(held, now + a)
full = math.max(full, now + a + b)
keep()
return 0
"""
GIVE_BACK = """
if full ~= tonumber(a) then return 0 end
full = full - b
keep()
return 1
"""
PUSH = """
full = full + a
keep()
return 0
"""
HELD = "return math.max(held - now, 0)"


class RedisLimiter(SharedLimiter):
    """A rate shared by whoever uses the same Redis and name. Needs the extra `redis`.

    `where`: a URL (`redis://…`, `rediss://…`, `unix://…`), or a `redis.Redis` of your own, which
    is not closed (give it a `socket_timeout`; not `redis.asyncio`: see above). The key is
    `lix_async:{name}`. Other arguments: see `SharedLimiter`.
    """

    def __init__(
        self,
        where: str | Redis,
        name: str,
        rate: RateLimit,
        *,
        margin: float | None = None,
        give_up_after: float = GIVE_UP_AFTER,
        fallback: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            RedisBackend(where, name),
            name,
            rate,
            margin=margin,
            give_up_after=give_up_after,
            fallback=fallback,
            clock=clock,
        )


class _RedisClient(Protocol):
    """What is used of `redis.Redis`, whose own annotations cover the asyncio client too."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: str | int) -> object: ...
    def script_load(self, script: str) -> str: ...
    def close(self) -> None: ...


class RedisBackend:
    """The numbers in a hash; each step is one script."""

    def __init__(self, where: str | Redis, name: str) -> None:
        try:
            self._errors = importlib.import_module("redis.exceptions")
        except ImportError:
            raise ConfigurationError("RedisLimiter needs: pip install 'lix_async[redis]'") from None
        self._key = f"lix_async:{name}"
        self._url = where if isinstance(where, str) else None
        self._shas: dict[str, str] = {}
        if self._url is None:
            if "asyncio" in type(where).__module__:
                raise ConfigurationError("where must be a redis.Redis or a URL, not redis.asyncio")
            check_attributes(
                "where", where, "a URL (redis://…) or a redis.Redis", "evalsha", "script_load"
            )
        self._client = self._open() if self._url is not None else cast("_RedisClient", where)

    def ask(self, pace: GcraParameters, ahead: int) -> GcraDecision:
        pacing = (pace.interval, pace.slack, pace.tolerance, pace.horizon, ahead)
        now, turn, full_at = cast("list[int]", self._run(ASK, *pacing))
        return GcraDecision(now, turn, full_at)

    def hold(self, pace: GcraParameters, length: int) -> None:
        self._run(HOLD, min(length, LONGEST_HOLD), pace.slack)

    def refund(self, pace: GcraParameters, stamp: int) -> bool:
        return bool(self._run(GIVE_BACK, stamp, pace.interval))

    def push(self, length: int) -> None:
        self._run(PUSH, length)

    def held(self) -> int:
        return cast("int", self._run(HELD))

    def close(self) -> None:
        if self._url is not None:
            self._client.close()

    def _open(self) -> _RedisClient:
        # By name: redis-py's annotation of from_url is not complete.
        redis = importlib.import_module("redis")
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client: _RedisClient | None = None
        with contextlib.suppress(ValueError):  # left behind: it would show the URL's password
            client = redis.Redis.from_url(
                self._url,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),  # the limiter itself tries again
            )
        if client is None:
            raise ConfigurationError("where is no URL of a Redis: redis://, rediss:// or unix://")
        return client

    def _run(self, body: str, *args: int) -> object:
        failure: LixError
        try:
            return self._called(body, args)
        except self._errors.AuthenticationError as error:
            failure = refused("Redis", error)
        except (
            self._errors.ConnectionError,
            self._errors.TimeoutError,
            self._errors.ReadOnlyError,
            OSError,
        ) as error:
            failure = unreachable("Redis", error)
        except self._errors.RedisError as error:
            failure = refused("Redis", error)
        raise failure

    def _called(self, body: str, args: tuple[int, ...]) -> object:
        if body not in self._shas:
            self._shas[body] = self._client.script_load(HEAD + body)
        try:
            return self._client.evalsha(self._shas[body], 1, self._key, *args)
        except self._errors.NoScriptError:  # the server was restarted
            self._client.script_load(HEAD + body)
            return self._client.evalsha(self._shas[body], 1, self._key, *args)
