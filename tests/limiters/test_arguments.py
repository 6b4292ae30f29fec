"""Arguments of shared limiters are checked at construction."""

from __future__ import annotations

import math

import pytest
import redis
import redis.asyncio

from lix_async import ConfigurationError, RateLimit
from lix_async.limiters import PostgresLimiter, RedisLimiter, SqliteLimiter

RATE = RateLimit(1, per=3.0)
REDIS = "redis://:hunter2@127.0.0.1:1/0"
DSN = "postgresql://u:hunter2@127.0.0.1:1/x"


class AsyncPool:
    """Has the methods of psycopg_pool.AsyncConnectionPool."""

    def connection(self, timeout: float) -> None: ...
    async def __aenter__(self) -> None: ...


@pytest.fixture(params=[(RedisLimiter, REDIS), (PostgresLimiter, DSN), (SqliteLimiter, "x")])
def make(request, tmp_path):
    kind, where = request.param
    where = tmp_path / where if kind is SqliteLimiter else where

    def made(name="x", rate=RATE, **options):
        return kind(where, name, rate, **options)

    return made


@pytest.mark.parametrize("name", [None, 5, b"x", "", "a b", "x" * 201, "a\n"])
def test_an_invalid_name_is_rejected(make, name):
    with pytest.raises(ConfigurationError, match=r"^name must be (a text|1 to 200 printable)"):
        make(name)


@pytest.mark.parametrize("rate", [None, 5, "1/3s", RateLimit])
def test_an_invalid_rate_is_rejected(make, rate):
    with pytest.raises(ConfigurationError, match=r"^rate must be a RateLimit, not "):
        make(rate=rate)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": "0.1"}, "margin must be a number or None, not str"),
        ({"margin": True}, "margin must be a number or None, not bool"),
        ({"margin": -1}, "margin must be a share from 0 to 10, not -1"),
        ({"margin": math.nan}, "margin must be a share from 0 to 10, not nan"),
        ({"give_up_after": None}, "give_up_after must be a number, not None"),
        ({"give_up_after": "5"}, "give_up_after must be a number, not str"),
        ({"give_up_after": 0}, "give_up_after must be a positive number of seconds, not 0"),
        (
            {"give_up_after": math.nan},
            "give_up_after must be a positive number of seconds, not nan",
        ),
        ({"fallback": 0}, "fallback must be the number of processes that share the rate, not 0"),
        ({"fallback": 1.5}, "fallback must be a whole number or None, not float"),
        ({"clock": 5}, "clock must be a Clock, not int"),
    ],
)
def test_an_invalid_option_is_rejected(make, options, message):
    with pytest.raises(ConfigurationError) as caught:
        make(**options)
    assert str(caught.value) == message


def test_valid_arguments_are_accepted_and_nothing_is_opened(make, tmp_path):
    make(margin=0, give_up_after=math.inf, fallback=3)
    assert not list(tmp_path.iterdir()), "nothing is opened before the first permit"


@pytest.mark.parametrize("where", [None, 5, b"redis://x", object(), redis.Redis])
def test_an_invalid_redis_is_rejected(where):
    message = r"^where must be a URL \(redis://…\) or a redis.Redis, not "
    with pytest.raises(ConfigurationError, match=message):
        RedisLimiter(where, "x", RATE)


def test_an_asyncio_redis_and_another_url_are_rejected():
    with pytest.raises(ConfigurationError, match=r"^where must be .*, not a redis\.asyncio client"):
        RedisLimiter(redis.asyncio.Redis(), "x", RATE)
    with pytest.raises(ConfigurationError, match=r"^invalid Redis URL: expected") as caught:
        RedisLimiter("http://:hunter2@x", "x", RATE)
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize("where", [None, 5, b"host=x", object(), AsyncPool()])
def test_an_invalid_postgres_is_rejected(where):
    message = r"^where must be a connection string or a psycopg_pool\.ConnectionPool, not "
    with pytest.raises(ConfigurationError, match=message):
        PostgresLimiter(where, "x", RATE)


@pytest.mark.parametrize("path", [None, 5, b"x"])
def test_an_invalid_path_is_rejected(path):
    with pytest.raises(ConfigurationError, match=r"^path must be a text or a PathLike, not "):
        SqliteLimiter(path, "x", RATE)
