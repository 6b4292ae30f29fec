"""What only a shared ledger has to do: several workers at once, and connections that break."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import psycopg
import pytest

from lix_async import AsyncLix, bulk
from lix_async.bulk.stores.postgres import PostgresStore
from lix_async.core.errors import BulkError
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.engine.transport import SendTimestamp
from lix_async.providers.lix.models import Person


class Memory:
    """A vendor that has every profile, and can be made to wait with its answers."""

    def __init__(self) -> None:
        self.calls = 0
        self.asked = anyio.Event()
        self.answers: anyio.Event | None = None

    async def exchange(self, outgoing: HttpRequest, departure: SendTimestamp) -> HttpResponse:
        departure.at = 0.0
        self.calls += 1
        if self.answers is not None:
            self.asked.set()
            await self.answers.wait()
        return HttpResponse(200, [], b'{"name": "Some One"}')

    async def aclose(self) -> None: ...


pytestmark = pytest.mark.anyio
KEY = b"k" * 16
CONNECT = psycopg.connect


@asynccontextmanager
async def workers(dsn: str, schema: str, count: int) -> AsyncIterator[list[PostgresStore]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                PostgresStore(dsn, schema=schema, reconnect_timeout=5.0)
            )
            for _ in range(count)
        ]


def break_lines(dsn: str) -> None:
    """End every ledger's connection, as a server that restarts would."""
    with CONNECT(dsn, autocommit=True) as line:
        line.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'lix_async ledger'"
        )


async def test_a_line_that_breaks_comes_back_under_the_same_owner(
    postgres_dsn: str, schema: str
) -> None:
    async with workers(postgres_dsn, schema, 1) as (store,):
        await store.claim(KEY, "e", b"1", 1.0)
        break_lines(postgres_dsn)
        assert await store.mark_sent(KEY, True, 2.0)
        break_lines(postgres_dsn)
        await store.done(KEY, b"{}", 1, 3.0)
        assert (await store.counts()).done == 1


async def test_a_worker_taken_for_dead_does_not_call_and_its_answer_counts(
    postgres_dsn: str, schema: str
) -> None:
    lost = b"l" * 16
    async with workers(postgres_dsn, schema, 2) as (one, other):
        await one.claim(KEY, "e", b"1", 1.0)
        await one.claim(lost, "e", b"2", 1.0)
        await one.mark_sent(lost, True, 1.0)
        break_lines(postgres_dsn)
        assert (await other.claim(KEY, "e", b"1", 2.0)).held
        assert (await other.claim(lost, "e", b"2", 2.0)).status == "in_doubt"
        assert not await one.mark_sent(KEY, True, 3.0)
        await one.done(lost, b"{}", 1, 3.0)
        assert (await other.claim(lost, "e", b"2", 4.0)).status == "done"


async def ended(run: bulk.Run[Person]) -> None:
    async for _ in run:
        pass


async def test_answers_that_a_lost_server_cannot_keep_come_with_the_error_at_once(
    schema: str, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PostgresStore(postgres_dsn, schema=schema, reconnect_timeout=0.2)
    memory = Memory()
    vendor = AsyncLix("demo", rate_limit=None, http_client=memory)
    links = [f"https://www.linkedin.com/in/p-{number}" for number in range(40)]
    run = bulk.Run(store, vendor.people.get, links, concurrency=20, check_balances=False)

    def gone(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("no route to the server")

    with anyio.fail_after(10):
        await anext(run)
        memory.answers = anyio.Event()
        async with anyio.create_task_group() as tasks:

            async def cut() -> None:
                await memory.asked.wait()
                monkeypatch.setattr(
                    "lix_async.bulk.stores.postgres_connection.psycopg.connect", gone
                )
                break_lines(postgres_dsn)
                memory.answers.set()

            tasks.start_soon(cut)
            with pytest.raises(BulkError, match="no route") as caught:
                await ended(run)
    assert 1 <= len(caught.value.unsaved) <= 20
    monkeypatch.undo()
    async with workers(postgres_dsn, schema, 1) as (store,):
        counts = await store.counts()
    assert counts.done + counts.in_doubt == memory.calls
    assert counts.in_doubt == len(caught.value.unsaved)


async def test_a_server_out_of_reach_is_an_error_without_its_password() -> None:
    store = PostgresStore("postgresql://me:secret@127.0.0.1:1/none", reconnect_timeout=0.1)
    assert "secret" not in repr(store)
    with pytest.raises(BulkError, match="cannot be used") as caught:
        await store.open("", 1.0)
    assert "secret" not in str(caught.value)


async def test_a_bad_job_does_not_take_the_others_along(postgres_dsn: str, schema: str) -> None:
    async with workers(postgres_dsn, schema, 1) as (store,):
        failed: list[str] = []

        async def bad() -> None:
            try:
                await store.claim(b"b" * 16, "nul \0 in text", b"1", 1.0)
            except BulkError as error:
                failed.append(str(error))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bad)
            for number in range(5):
                tasks.start_soon(store.claim, bytes([number]) * 16, "e", b"1", 1.0)
        assert len(failed) == 1
        assert (await store.counts()).pending == 5


def test_an_address_opens_it() -> None:
    from lix_async.bulk.stores import open_store

    assert isinstance(open_store("postgresql://127.0.0.1/x"), PostgresStore)
    assert isinstance(open_store("x.db"), bulk.SqliteStore)


async def test_another_version_is_refused(postgres_dsn: str, schema: str) -> None:
    async with workers(postgres_dsn, schema, 1):
        pass
    with psycopg.connect(postgres_dsn) as line:
        line.execute(f"UPDATE {schema}.about SET value = '99'")
    with pytest.raises(BulkError, match="version"):
        async with workers(postgres_dsn, schema, 1):
            pass


async def test_two_ledgers_in_one_database_do_not_wait_for_each_other(
    postgres_dsn: str,
) -> None:  # the fixture
    """Both number their workers from 1."""
    async with PostgresStore(postgres_dsn, schema="ledger_one", reconnect_timeout=0.5) as one:
        async with PostgresStore(postgres_dsn, schema="ledger_two", reconnect_timeout=0.5) as two:
            for store in (one, two):
                assert (await store.claim(b"k" * 16, "thing.get", b'"x"', 1.0)).held
