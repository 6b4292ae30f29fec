"""A rate shared by all processes that reach one Redis (5 or newer; also Valkey), by Lua scripts.

redis-py's blocking client is used in the limiter's own thread, on both event loops: its asyncio
client does not run on trio, and a permit is refunded from code that cannot await. The detour costs
about 50 µs.
"""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Protocol, Unpack, cast

from ..core.errors import ConfigurationError, LixError
from ..core.rate_limit import GcraDecision, GcraParameters, RateLimit
from ..core.server_address import check_server_address
from ..core.validation import check_attributes
from .backend import rejected_error, unreachable_error
from .shared import SharedLimiter, SharedLimiterOptions

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 2.0
"""Seconds for connecting and for each answer."""
# A script is atomic: Redis runs nothing else meanwhile. Numbers are written with %.0f, because
# Lua's tostring drops digits from the fifteenth on. The key expires a minute after its numbers have
# no effect any more.
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
TAKE = """
local interval, slack, tolerance, horizon, max_wait =
  tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e)
if full - now > horizon then full, held = 0, 0 end
local permit_at = math.max(full - slack, held, now)
if permit_at - now <= max_wait then
  full = math.max(full, permit_at - tolerance) + interval
  keep()
end
return {now, permit_at, full}
"""
HOLD = """
held = math.max(held, now + a)
full = math.max(full, now + a + b)
keep()
return 0
"""
REFUND = """
if full ~= tonumber(a) then return 0 end
full = full - b
keep()
return 1
"""
DELAY = """
full = full + a
keep()
return 0
"""
HOLD_LEFT = "return math.max(held - now, 0)"


class RedisLimiter(SharedLimiter):
    """A rate shared by all who use the same Redis and name. Needs the extra `redis`.

    Args:
        where: A URL (`redis://…`, `rediss://…`, `unix://…`), or a `redis.Redis` of your own, which
            is not closed. Give it a `socket_timeout`. `redis.asyncio` is not supported.
        name: Name of the rate. The key is `lix_async:{name}`.
        rate: The rate.
        **options: See `SharedLimiter`.

    Raises:
        ConfigurationError: An argument is invalid, or redis-py is not installed.

    """

    def __init__(
        self,
        where: str | Redis,
        name: str,
        rate: RateLimit,
        **options: Unpack[SharedLimiterOptions],
    ) -> None:
        super().__init__(RedisBackend(where, name), name, rate, **options)


class _RedisClient(Protocol):
    """The used methods of `redis.Redis`, whose own annotations include the asyncio client."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: str | int) -> object: ...
    def script_load(self, script: str) -> str: ...
    def close(self) -> None: ...


class RedisBackend:
    """The state in a hash; each step is one script."""

    def __init__(self, where: str | Redis, name: str) -> None:
        try:
            self._errors = importlib.import_module("redis.exceptions")
        except ImportError:
            raise ConfigurationError("RedisLimiter needs: pip install 'lix_async[redis]'") from None
        self._key = f"lix_async:{name}"
        self._url = where if isinstance(where, str) else None
        self._shas: dict[str, str] = {}
        if self._url is not None:
            check_server_address(self._url)
        else:
            if "asyncio" in type(where).__module__:
                raise ConfigurationError(
                    "where must be a URL (redis://…) or a redis.Redis, not a redis.asyncio client"
                )
            check_attributes(
                "where", where, "a URL (redis://…) or a redis.Redis", "evalsha", "script_load"
            )
        self._client = self._open() if self._url is not None else cast("_RedisClient", where)

    def take(self, params: GcraParameters[int], max_wait: int) -> GcraDecision:
        arguments = (params.interval, params.slack, params.tolerance, params.horizon, max_wait)
        now, permit_at, full_at = cast("list[int]", self._run(TAKE, *arguments))
        return GcraDecision(now, permit_at, full_at)

    def hold(self, params: GcraParameters[int], length: int) -> None:
        self._run(HOLD, length, params.slack)

    def refund(self, params: GcraParameters[int], full_at: int) -> bool:
        return bool(self._run(REFUND, full_at, params.interval))

    def delay(self, length: int) -> None:
        self._run(DELAY, length)

    def hold_left(self) -> int:
        return cast("int", self._run(HOLD_LEFT))

    def close(self) -> None:
        if self._url is not None:
            self._client.close()

    def _open(self) -> _RedisClient:
        # By name: redis-py's annotation of from_url is not complete.
        redis = importlib.import_module("redis")
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client: _RedisClient | None = None
        with contextlib.suppress(ValueError):  # not raised on: it would show the URL's password
            client = redis.Redis.from_url(
                self._url,
                socket_timeout=TIMEOUT,
                socket_connect_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),  # the limiter itself tries again
            )
        if client is None:
            raise ConfigurationError("invalid Redis URL: expected redis://, rediss:// or unix://")
        return client

    def _run(self, body: str, *args: int) -> object:
        failure: LixError
        try:
            return self._evaluate(body, args)
        except self._errors.AuthenticationError as error:
            failure = rejected_error("Redis", error)
        except (
            self._errors.ConnectionError,
            self._errors.TimeoutError,
            self._errors.ReadOnlyError,
            OSError,
        ) as error:
            failure = unreachable_error("Redis", error)
        except self._errors.RedisError as error:
            failure = rejected_error("Redis", error)
        raise failure

    def _evaluate(self, body: str, args: tuple[int, ...]) -> object:
        if body not in self._shas:
            self._shas[body] = self._client.script_load(HEAD + body)
        try:
            return self._client.evalsha(self._shas[body], 1, self._key, *args)
        except self._errors.NoScriptError:  # the server was restarted
            self._client.script_load(HEAD + body)
            return self._client.evalsha(self._shas[body], 1, self._key, *args)
