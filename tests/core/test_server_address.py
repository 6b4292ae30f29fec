"""Addresses of servers: a password that a driver would split is refused and never shown."""

from __future__ import annotations

import traceback
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from lix_async import AsyncLix, RateLimit, bulk
from lix_async.cli.errors import CommandError
from lix_async.cli.ledger.address import check_address
from lix_async.core.errors import ConfigurationError
from lix_async.core.server_address import check_server_address
from lix_async.integrations import pgqueuer, procrastinate
from lix_async.ledger.ledger import Ledger, open_store
from lix_async.ledger.postgres import PostgresStore, check_postgres_address
from lix_async.ledger.sqlite import SqliteStore
from lix_async.limiters import PostgresLimiter, RedisLimiter

RATE = RateLimit(1, per=1)
PARTS = ("s3cret", "w0rd")
SPLIT = [
    f"s3cret{char}w0rd"
    for char in ("@", "/", "?", "#", "[", "%", "%4", "@@", "/@", "?a=", "%zz", "%ff")
]
PLACES = ["postgresql://me:{}@db.example:5432/lix", "postgres://me:{}@a,b:1/lix?sslmode=require"]
WELL_FORMED = [
    "postgresql://",
    "postgresql:///lix?host=/var/run/postgresql",
    "postgresql://me@%2Fvar%2Frun/lix",
    "postgresql://me:p%40ss:word@[::1]:5432,b.example/lix?options=-csearch_path%3Da",
    "redis://:p%2Fss@127.0.0.1:6379/0",
    "rediss://cache.example",
    "unix:///tmp/redis@1.sock?db=1",
    "unix://me:p@/tmp/redis.sock",
    "host=db.example password=s3cret",
    "ledger.db",
]


def refusals(address: str):
    yield ConfigurationError, lambda: check_server_address(address)
    if address.startswith("redis"):
        yield ConfigurationError, lambda: RedisLimiter(address, "lix", RATE)
        return
    yield ConfigurationError, lambda: open_store(address)
    yield ConfigurationError, lambda: PostgresLimiter(address, "lix", RATE)
    yield CommandError, lambda: check_address(address)


def assert_hidden(error: BaseException) -> None:
    texts = [str(error), repr(error), repr(vars(error)), repr(error.__context__)]
    texts += traceback.format_exception(error)
    assert not [text for text in texts for part in PARTS if part in text]


@pytest.mark.parametrize("password", SPLIT)
@pytest.mark.parametrize("place", [*PLACES, "redis://:{}@cache.example:6379/0"])
def test_a_password_with_a_raw_delimiter_is_refused_without_being_shown(place, password):
    for kind, refused in refusals(place.format(password)):
        with pytest.raises(kind, match="percent-encoded password") as caught:
            refused()
        assert_hidden(caught.value)


def assert_not_in_locals(error: BaseException) -> None:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if frame.f_globals["__name__"].startswith("lix_async")]
    assert own
    assert "s3cret" not in repr([frame.f_locals for frame in own])


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("address", [PLACES[0].format("s3cret@w0rd"), "mysql://me:s3cret@h/x"])
async def test_a_preview_that_is_refused_has_it_in_no_local_variable(address):
    with pytest.raises(ConfigurationError) as caught:
        await bulk.preview(address, AsyncLix("key").people.get, [])
    assert_hidden(caught.value)
    assert_not_in_locals(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("adapter", [pgqueuer, procrastinate])
@pytest.mark.parametrize("address", [PLACES[0].format("s3cret@w0rd"), "password='s3cret w0rd"])
async def test_a_queue_refuses_it_as_well(adapter, address):
    with pytest.raises(ConfigurationError) as caught:
        await adapter.submit(address, "people.get", ["x"])
    assert_hidden(caught.value)
    assert_not_in_locals(caught.value)


@pytest.mark.parametrize("address", WELL_FORMED)
def test_a_well_formed_address_is_accepted(address):
    check_server_address(address)


@given(st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text))
def test_an_encoded_password_is_accepted_and_found(password):
    encoded = quote(password.encode("utf-8", "replace"), safe="")
    address = f"postgresql://me:{encoded}@db.example:5432/lix"
    check_server_address(address)
    assert conninfo_to_dict(address)["password"] == unquote(encoded)
    assert unquote(urlsplit(address).password or "") == unquote(encoded)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
def test_what_is_accepted_has_the_same_parts_for_every_driver(password):
    """A raw password is either refused, or read as it is by libpq and by `urlsplit`."""
    for scheme in ("postgresql", "redis"):
        address = f"{scheme}://me:{password}@db.example:5432/lix"
        try:
            check_server_address(address)
        except ConfigurationError:
            assert set("@/?#%[]") & set(password)
            continue
        if scheme == "postgresql":
            given = conninfo_to_dict(address)
            assert (given["host"], given.get("password", "")) == ("db.example", unquote(password))
        else:
            parts = urlsplit(address)
            assert (parts.hostname, parts.password) == ("db.example", password)


NO_FILES = [
    "postgresql:/me:s3cret@h/lix",
    "postgres:me:s3cret@h",
    "me:s3cret@h/lix",
    "host=h password=s3cret",
    "mysql://me:s3cret@h/lix",
]


@pytest.mark.parametrize("address", [PLACES[0].format(one) for one in SPLIT] + NO_FILES)
def test_no_local_variable_of_a_refusal_has_the_password(address: str) -> None:
    """Crash reporters print them."""
    makers = [open_store, Ledger, lambda where: AsyncLix("key", cache=where)]
    makers += [lambda where: bulk.Run(where, AsyncLix("key").people.get, [])]
    if address not in NO_FILES:
        makers += [PostgresStore, check_server_address, check_postgres_address]
        makers += [lambda where: PostgresLimiter(where, "n", RATE)]
        makers += [lambda where: RedisLimiter(where, "n", RATE)]
    for make in makers:
        with pytest.raises(ConfigurationError) as caught:
            make(address)
        assert "s3cret" not in str(caught.value)
        assert_not_in_locals(caught.value)


@pytest.mark.parametrize("path", ["ledger.db", "a=b.db", "/x/host=1.db", "C:\\x@y.db", "x/a:b@c"])
def test_unusual_names_of_files_are_files(path: str) -> None:
    assert isinstance(open_store(path), SqliteStore)
