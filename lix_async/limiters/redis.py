"""A rate shared by all processes that reach one Redis (5 or newer; also Valkey), by Lua scripts.

redis-py's blocking client is used in the limiter's own thread, on both event loops: its asyncio
client does not run on trio, and a permit is refunded from code that cannot await. The detour costs
about 50 µs.
"""

from __future__ import annotations

import contextlib
import importlib
import re
from typing import TYPE_CHECKING, Protocol, Unpack, cast

from ..core.errors import ConfigurationError, LixError
from ..core.rate_limit import GcraDecision, GcraParameters, RateLimit
from ..core.server_address import address_problem
from ..core.validation import check_attributes
from .backend import rejected_error, unavailable_error
from .shared import SharedLimiter, SharedLimiterOptions

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT = 2.0
"""Seconds for connecting and for each answer."""
FINAL_CODES = frozenset({"", "ERR", "WRONGTYPE", "NOPERM", "NOPROTO"})
"""The codes of error answers that asking again does not change. With others Redis refuses for a
while: READONLY, NOREPLICAS, MISCONF, OOM, LOADING, BUSY, CLUSTERDOWN and what may be added (see
https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors)."""
# Redis 6 and older put the code of an error inside a script behind a hyphen.
_CODE = re.compile(r"(?:^|-)([A-Z]{3,})\b")
# A script is atomic: Redis runs nothing else meanwhile. Numbers are written with %.0f, because
# Lua's tostring drops digits from the fifteenth on. The key expires a minute after its numbers have
# no effect any more. `asked` is where the clock was: see rebase_state.
HEAD = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local s = redis.call('HMGET', KEYS[1], 'full_at', 'held', 'asked')
local back = math.max((tonumber(s[3]) or 0) - now, 0)
local full, held = (tonumber(s[1]) or 0) - back, (tonumber(s[2]) or 0) - back
local function keep()
  redis.call('HSET', KEYS[1], 'full_at', string.format('%.0f', full),
             'held', string.format('%.0f', held), 'asked', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(full - now, held - now, 0) / 1000) + 60000)
end
local function count(at, interval, tolerance)
  if at - tolerance - full > interval then return at + interval end
  return math.max(full, at - tolerance) + interval
end
if back > 0 then keep() end
local a, b, c, d = unpack(ARGV)
"""
TAKE = """
local interval, slack, tolerance, max_wait = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
-- Deleted, since it cannot have expired: what was taken from it is not known any more.
if not s[1] and now - tonumber(ARGV[5]) < 60000000 then
  full = now + slack + interval
  keep()
end
local permit_at = math.max(full - slack, held, now)
if permit_at - now <= max_wait then
  full = count(permit_at, interval, tolerance)
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
full = math.min(full + a, count(now, tonumber(b), tonumber(c)))
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
        if isinstance(where, str) and (problem := address_problem(where)):
            del where  # a traceback may show local variables
            raise ConfigurationError(problem)
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
        self._full_at = -(10**15)
        """When the key had no effect any more, as this process has last heard; long ago at first.
        The server keeps it a minute longer."""
        if self._url is None:
            if "asyncio" in type(where).__module__:
                raise ConfigurationError(
                    "where must be a URL (redis://…) or a redis.Redis, not a redis.asyncio client"
                )
            check_attributes(
                "where", where, "a URL (redis://…) or a redis.Redis", "evalsha", "script_load"
            )
        self._client = self._open() if self._url is not None else cast("_RedisClient", where)

    def take(self, params: GcraParameters[int], max_wait: int) -> GcraDecision:
        arguments = (params.interval, params.slack, params.tolerance, max_wait, self._full_at)
        now, permit_at, full_at = cast("list[int]", self._run(TAKE, *arguments))
        self._full_at = full_at
        return GcraDecision(now, permit_at, full_at)

    def hold(self, params: GcraParameters[int], length: int) -> None:
        self._run(HOLD, length, params.slack)

    def refund(self, params: GcraParameters[int], full_at: int) -> bool:
        return bool(self._run(REFUND, full_at, params.interval))

    def delay(self, params: GcraParameters[int], length: int) -> None:
        self._run(DELAY, length, params.interval, params.tolerance)

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
        except (self._errors.RedisError, OSError) as error:
            failure = self._failure(error)
        raise failure

    def _failure(self, error: Exception) -> LixError:
        code = next(iter(_CODE.findall(str(error))), "")
        # The client knows some codes, and has exceptions of their own for them.
        final = isinstance(error, self._errors.AuthenticationError | self._errors.NoPermissionError)
        if final or (type(error) is self._errors.ResponseError and code in FINAL_CODES):
            return rejected_error("Redis", error, code)
        return unavailable_error("Redis", error, code)

    def _evaluate(self, body: str, args: tuple[int, ...]) -> object:
        if body not in self._shas:
            self._shas[body] = self._client.script_load(HEAD + body)
        try:
            return self._client.evalsha(self._shas[body], 1, self._key, *args)
        except self._errors.NoScriptError:  # the server was restarted
            self._client.script_load(HEAD + body)
            return self._client.evalsha(self._shas[body], 1, self._key, *args)
