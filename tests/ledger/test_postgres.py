"""What a server has to do with it: connections that break, privileges, settings, many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import anyio
import anyio.to_thread
import psycopg
import pytest
from psycopg import errors

from lix_async.core.errors import BulkError, ConfigurationError
from lix_async.ledger import Ledger, postgres
from lix_async.ledger.connection import AnnounceJob, LedgerUnreachableError, StatementJob
from lix_async.ledger.postgres import (
    Columns,
    PostgresDatabase,
    PostgresLedgerConnection,
    PostgresStore,
    translated,
)
from lix_async.ledger.records import InputRow
from lix_async.ledger.tables import SqlTables

from .conftest import NUMBERS, OpenPostgres
from .steps import NOW, announce, apply, ask, found, judge, receive, send, spec


class Waiting(PostgresLedgerConnection):
    """Does something instead of waiting between two tries."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)
    waits = 0

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.meanwhile()


def run_sql(dsn: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def break_connections(dsn: str) -> None:
    """End every ledger's connection, as a server that restarts would."""
    run_sql(
        dsn,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name = 'lix_async ledger'",
    )


def as_role(dsn: str, role: str) -> str:
    assert "//postgres:@" in dsn
    run_sql(dsn, f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN")
    return dsn.replace("//postgres:@", f"//{role}:@")


def lose_acknowledgement(
    monkeypatch: pytest.MonkeyPatch, ledger: PostgresLedgerConnection, *, committed: bool
) -> None:
    """Break the connection at the next commit, before or after the server has done it."""
    commit = PostgresDatabase.commit

    def break_once(database: PostgresDatabase) -> None:
        if database is not ledger._database:
            commit(database)
            return
        monkeypatch.undo()
        if committed:
            commit(database)
        database.connection.close()
        raise psycopg.OperationalError("the connection was cut")

    ask(ledger, lambda _: None)
    monkeypatch.setattr(PostgresDatabase, "commit", break_once)


# Connections that break


def test_a_connection_that_breaks_comes_back_under_the_same_owner(
    open_postgres: OpenPostgres, postgres_dsn: str
) -> None:
    ledger = open_postgres()
    (sent,) = announce(ledger, "ada")
    break_connections(postgres_dsn)
    assert apply(ledger, receive(sent))[0].state.status == "received"
    break_connections(postgres_dsn)
    assert apply(ledger, judge(sent))[0].state.status == "done"
    assert ledger.owner == sent.result.owner


def test_every_transaction_may_have_another_connection(open_postgres: OpenPostgres) -> None:
    ledger = open_postgres()
    (sent,) = announce(ledger, "ada")
    ledger._disconnect()
    apply(ledger, receive(sent))
    ledger._disconnect()
    assert apply(ledger, judge(sent))[0].state.status == "done"
    assert ask(ledger, lambda tables: len(tables.owners())) == 1


def test_statements_that_a_pooler_has_prepared_elsewhere(open_postgres: OpenPostgres) -> None:
    ledger = open_postgres(Waiting)
    for number in range(8):
        announce(ledger, f"p{number}")

    assert isinstance(ledger._database, PostgresDatabase)
    ledger._database.connection.pgconn.exec_(b"DEALLOCATE ALL")
    (sent,) = announce(ledger, "ada")
    assert sent.result.applied
    assert ledger.waits == 1
    for number in range(8, 16):
        announce(ledger, f"p{number}")
    assert run_prepared(ledger) == 0


def run_prepared(ledger: PostgresLedgerConnection) -> int:
    def work(tables: SqlTables) -> int:
        (row,) = tables.database.execute("SELECT count(*) FROM pg_prepared_statements")
        assert isinstance(row[0], int)
        return row[0]

    return ask(ledger, work)


@pytest.mark.parametrize("committed", [True, False])
def test_a_commit_without_acknowledgement_counts_once(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    ledger = open_postgres(Waiting)
    lose_acknowledgement(monkeypatch, ledger, committed=committed)
    (sent,) = announce(ledger, "ada")
    assert sent.result.applied
    lose_acknowledgement(monkeypatch, ledger, committed=committed)
    begin = lambda tables: tables.begin_run("r", "m", "{}", None, NOW)  # noqa: E731
    run = ask(ledger, begin, writes=True)
    assert ask(ledger, lambda tables: tables.database.execute("SELECT id FROM run")) == [(run,)]
    for event in (receive(sent), judge(sent)):
        lose_acknowledgement(monkeypatch, ledger, committed=committed)
        assert apply(ledger, event)[0].applied
    state = found(ledger, "ada").state
    assert (state.status, state.n, state.tries) == ("done", 1, 0)
    assert ask(ledger, lambda tables: tables.counts()).credits == 1
    assert ledger.waits == 4


def test_another_request_for_the_same_lookup_is_no_repeated_one(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_postgres(Waiting)
    assert announce(ledger, "ada")[0].result.applied
    lose_acknowledgement(monkeypatch, ledger, committed=True)
    assert not announce(ledger, "ada")[0].result.applied


def test_an_owner_declared_dead_before_it_knows_that_it_announced(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, other = open_postgres(Waiting), open_postgres()
    assert isinstance(ledger, Waiting)
    run = ask(ledger, lambda tables: tables.begin_run("r", "m", "{}", 1, NOW), writes=True)
    first = ledger.owner

    def declare_dead() -> None:
        other._monotonic = iter([0.0, 1000.0]).__next__
        ask(other, other.release_dead, writes=True)
        assert ask(other, other.release_dead, writes=True) == 1

    ledger.meanwhile = declare_dead
    lose_acknowledgement(monkeypatch, ledger, committed=True)
    (sent,) = announce(ledger, "ada", run=run)
    # The other may have decided to buy it anew: this request must not leave.
    assert not sent.result.applied
    assert ledger.owner != first
    assert found(ledger, "ada").state.status == "pending"
    assert ask(ledger, lambda tables: tables.counts()).maybe == 0
    assert announce(ledger, "bob", run=run)[0].result.applied  # the cap has its credit back


@pytest.mark.parametrize("closes", [True, False])
def test_what_was_announced_before_giving_up_is_taken_back(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch, closes: bool
) -> None:
    ledger, other = open_postgres(timeout=0.0), open_postgres()
    lose_acknowledgement(monkeypatch, ledger, committed=True)
    with pytest.raises(LedgerUnreachableError, match="was cut"):
        announce(ledger, "ada")
    assert found(other, "ada").state.status == "sent"
    if closes:
        ledger.close()
    else:
        assert announce(ledger, "bob")[0].result.applied
    assert found(other, "ada").state.status == "pending"
    assert ask(other, lambda tables: tables.counts()).maybe == 0


def test_a_server_that_only_reads_is_waited_for(
    open_postgres: OpenPostgres, postgres_dsn: str, schema: str
) -> None:
    role = f"app_{schema}"
    address = as_role(postgres_dsn, role)
    run_sql(postgres_dsn, f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
    ledger = open_postgres(Waiting, address=address)
    assert isinstance(ledger, Waiting)
    (sent,) = announce(ledger, "ada")

    def fail_over() -> None:
        run_sql(postgres_dsn, f"ALTER ROLE {role} SET default_transaction_read_only = on")
        break_connections(postgres_dsn)

    fail_over()
    assert found(ledger, "ada").state.status == "sent"  # reading goes on
    ledger._timeout = 0.0
    with pytest.raises(LedgerUnreachableError, match="it only reads"):
        apply(ledger, receive(sent))

    ledger._timeout = 10.0

    def promote() -> None:
        run_sql(postgres_dsn, f"ALTER ROLE {role} RESET ALL")

    ledger.meanwhile = promote
    assert apply(ledger, receive(sent))[0].state.status == "received"
    assert ledger.waits >= 1


@pytest.mark.parametrize(
    "error", [errors.DeadlockDetected, errors.SerializationFailure, errors.TooManyConnections]
)
def test_errors_that_pass_are_waited_for(
    open_postgres: OpenPostgres, error: type[psycopg.Error]
) -> None:
    ledger = open_postgres(Waiting)
    tries: list[int] = []

    def work(_: SqlTables) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise error("once more")
        return "done"

    assert ask(ledger, work, writes=True) == "done"
    assert len(tries) == 3


def test_a_full_disk_ends_with_an_error_that_says_so(open_postgres: OpenPostgres) -> None:
    ledger = open_postgres(timeout=0.0)

    def work(_: SqlTables) -> None:
        raise errors.DiskFull("could not extend file")

    with pytest.raises(LedgerUnreachableError, match="could not extend file; its disk is full"):
        ask(ledger, work, writes=True)


def test_an_error_of_one_job_is_not_waited_for(open_postgres: OpenPostgres) -> None:
    ledger = open_postgres(Waiting)
    with pytest.raises(psycopg.DataError) as caught:
        ask(ledger, lambda tables: tables.set_about("nul", "\0"), writes=True)
    with pytest.raises(psycopg.ProgrammingError):
        ask(ledger, lambda tables: tables.database.execute("SELECT nothing FROM lookup"))
    assert ledger.waits == 0
    assert str(ledger.error_for(caught.value)).startswith("the ledger in PostgreSQL cannot be used")
    assert announce(ledger, "ada")[0].result.applied


# Addresses and messages


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:se@cret@127.0.0.1:1/none",
        "postgresql://me:se/cret@127.0.0.1:1/none",
        "postgresql://me:secret@127.0.0.1:1/none?cret=1",
        "postgresql://me:secret@127.0.0.1:secret/none",
        "host=127.0.0.1 password='secret",
        "secret",
    ],
)
def test_what_is_no_connection_string_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        PostgresStore(address)
    texts = f"{caught.value} {caught.value.__context__!r} {caught.value.__cause__!r}"
    assert "secret" not in texts
    assert "cret@" not in texts


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:se:cret@127.0.0.1:1/none",
        "postgresql://me:sec%72et@127.0.0.1:1/none",
        "host=127.0.0.1 port=1 password=secret",
    ],
)
def test_no_message_shows_a_password(open_postgres: OpenPostgres, address: str) -> None:
    ledger = open_postgres(address=address, timeout=0.0)
    with pytest.raises((BulkError, psycopg.Error)) as caught:
        ask(ledger, lambda _: None)
    error: BaseException | None = ledger.error_for(caught.value)
    while error is not None:
        assert "secret" not in str(error)
        error = error.__cause__
    assert "secret" not in repr(ledger) + repr(PostgresStore(address))


def test_a_server_that_was_never_reached_is_not_waited_for_as_long_as_others(
    open_postgres: OpenPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "OPENING_TIMEOUT", 0.0)
    ledger = open_postgres(Waiting, address="postgresql://127.0.0.1:1/none", timeout=3600.0)
    with pytest.raises(LedgerUnreachableError, match="refused"):
        ask(ledger, lambda _: None)
    assert ledger.waits == 0


def test_what_a_connection_will_never_get_is_not_waited_for(
    open_postgres: OpenPostgres, postgres_dsn: str
) -> None:
    elsewhere = postgres_dsn.replace("/postgres?", f"/{quote('nowhere')}?")
    ledger = open_postgres(Waiting, address=elsewhere)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        ask(ledger, lambda _: None)
    assert ledger.waits == 0


# Schemas and tables


def test_a_schema_that_was_made_for_the_role_suffices(
    open_postgres: OpenPostgres, postgres_dsn: str, schema: str
) -> None:
    role = f"app_{schema}"
    address = as_role(postgres_dsn, role)
    run_sql(postgres_dsn, "REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
    with pytest.raises(BulkError, match=f'run CREATE SCHEMA "{schema}" AUTHORIZATION'):
        ask(open_postgres(address=address), lambda _: None)
    run_sql(postgres_dsn, f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
    assert announce(open_postgres(address=address), "ada")[0].result.applied


def test_a_schema_with_a_difficult_name(open_postgres: OpenPostgres, schema: str) -> None:
    name = f'A "50 %s" {schema}'
    one, other = open_postgres(schema=name), open_postgres(schema=name)
    (sent,) = announce(one, "ada")
    apply(other, receive(sent))
    assert apply(one, judge(sent))[0].state.status == "done"


def test_an_older_ledger_is_named(
    open_postgres: OpenPostgres, postgres_dsn: str, schema: str
) -> None:
    run_sql(
        postgres_dsn,
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.about (name text PRIMARY KEY, value text NOT NULL)",
        f"CREATE TABLE {schema}.call (id bigint)",
        f"INSERT INTO {schema}.about VALUES ('version', '1')",
    )
    with pytest.raises(BulkError, match="is a ledger of version 1, written by an older lix_async"):
        ask(open_postgres(), lambda _: None)


@pytest.mark.parametrize("columns", ["name text, value text", "other integer"])
def test_tables_of_something_else_are_left_alone(
    open_postgres: OpenPostgres, postgres_dsn: str, schema: str, columns: str
) -> None:
    run_sql(postgres_dsn, f"CREATE SCHEMA {schema}", f"CREATE TABLE {schema}.about ({columns})")
    with pytest.raises(BulkError, match="use another schema"):
        ask(open_postgres(), lambda _: None)
    tables = f"SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'"
    assert run_sql(postgres_dsn, tables) == [(1,)]


def test_how_tables_are_stored(open_postgres: OpenPostgres, postgres_dsn: str, schema: str) -> None:
    ask(open_postgres(), lambda _: None)
    (body,) = run_sql(
        postgres_dsn,
        f"SELECT attstorage::text FROM pg_attribute WHERE attrelid = '{schema}.answer'::regclass "
        "AND attname = 'body'",
    )
    (lookup,) = run_sql(
        postgres_dsn, f"SELECT reloptions FROM pg_class WHERE oid = '{schema}.lookup'::regclass"
    )
    assert (body, lookup) == (("e",), (["fillfactor=80"],))


def test_announcements_are_on_the_disk(open_postgres: OpenPostgres, postgres_dsn: str) -> None:
    ledger = open_postgres()

    def settings(tables: SqlTables) -> object:
        names = "'synchronous_commit', 'lock_timeout', 'idle_in_transaction_session_timeout'"
        query = f"SELECT name, setting FROM pg_settings WHERE name IN ({names})"
        return dict(tables.database.execute(query))  # type: ignore[arg-type]  # rows of two

    ask(ledger, lambda _: None)
    assert ledger._database is not None
    connection = ledger._database.connection
    connection.execute("SET synchronous_commit = off")  # as somebody behind the same pooler would
    expected = {"lock_timeout": "5000", "idle_in_transaction_session_timeout": "30000"}
    assert ask(ledger, settings, writes=True) == {"synchronous_commit": "on", **expected}
    connection.execute("SET synchronous_commit = remote_apply")
    assert ask(ledger, settings, writes=True) == {"synchronous_commit": "remote_apply", **expected}


def test_statements_are_translated() -> None:
    text, places = translated(
        "SELECT '%' FROM lookup l JOIN answer a ON a.lookup = l.id WHERE id IN (?*) AND n = ? "
        "AND (a, b) IN (?**) FOR UPDATE",
        'odd"name',
    )
    assert text.decode() == (
        'SELECT \'%%\' FROM "odd""name".lookup l JOIN "odd""name".answer a ON a.lookup = '
        "l.id WHERE id = ANY(%s) AND n = %s AND (a, b) IN (SELECT * FROM "
        "unnest(%s::bigint[], %s::bigint[])) FOR UPDATE"
    )
    assert places == ("*", "", "**")


# Many at once


def test_many_that_open_and_announce_at_once(open_postgres: OpenPostgres) -> None:
    names = [f"p{number}" for number in range(120)]
    barrier = threading.Barrier(4)

    def work(place: int) -> int:
        ledger = open_postgres()
        barrier.wait()
        mine = names[place * 7 :] + names[: place * 7]
        return sum(
            sent.result.applied
            for start in range(0, len(mine), 20)
            for sent in announce(ledger, *mine[start : start + 20])
        )

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(work, range(4))) == len(names)
    assert ask(open_postgres(), lambda tables: tables.counts()).sent == len(names)


@pytest.mark.parametrize("default", ["read committed", "serializable"])
def test_it_is_created_once_whatever_the_default_of_the_database_is(
    open_postgres: OpenPostgres, postgres_dsn: str, default: str
) -> None:
    barrier = threading.Barrier(4)

    class Together(PostgresLedgerConnection):
        def _create(self, connection: psycopg.Connection[Columns]) -> None:
            barrier.wait()
            super()._create(connection)

    escaped = default.replace(" ", r"\ ")
    setting = f"-c default_transaction_isolation={escaped}"
    address = psycopg.conninfo.make_conninfo(postgres_dsn, options=setting)

    def work(place: int) -> bool:
        ledger = open_postgres(Together, address=address)
        return announce(ledger, f"p{place}")[0].result.applied

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(4)))


def test_who_declares_an_owner_dead_waits_for_what_it_is_writing(
    open_postgres: OpenPostgres, postgres_dsn: str
) -> None:
    ledger, other = open_postgres(), open_postgres()
    ask(ledger, lambda _: None)
    ask(other, lambda _: None)
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND application_name = 'lix_async ledger'"
    )

    def declare_dead() -> list[int]:
        return ask(other, lambda tables: tables.declare_dead(ledger.owner), writes=True)

    with ThreadPoolExecutor(1) as threads:
        started = []

        def work(_: SqlTables) -> None:
            started.append(threads.submit(declare_dead))
            while run_sql(postgres_dsn, waiting) == [(0,)]:
                assert not started[0].done()

        ledger.run([AnnounceJob(spec("ada"), send()), StatementJob(work)])
        assert started[0].result(10) == [found(ledger, "ada").id]


@pytest.mark.anyio
async def test_others_use_the_connection_between_transactions(
    postgres_dsn: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PostgresStore(postgres_dsn, schema=schema)
    with pytest.raises(psycopg.OperationalError, match="not open"):
        store.execute("SELECT 1")
    async with store:
        assert store.execute("SELECT %(x)s + 1", {"x": 1}).fetchone() == (2,)
        break_connections(postgres_dsn)
        with pytest.raises(psycopg.OperationalError):
            store.execute("SELECT 1")
        assert store.execute("SELECT 1").fetchone() == (1,), "it connects again"
        monkeypatch.setattr("lix_async.ledger.postgres.LENT_WITHIN", 0.01)
        inside, over = threading.Event(), threading.Event()

        def work(_: SqlTables) -> None:
            inside.set()
            over.wait(10)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.statement, work)
            await anyio.to_thread.run_sync(inside.wait, 10)
            with pytest.raises(psycopg.OperationalError, match="busy"):
                store.execute("SELECT 1")
            over.set()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        store.execute("SELECT 1")


@pytest.mark.anyio
async def test_inputs_that_cannot_be_kept(postgres_dsn: str, schema: str) -> None:
    async with PostgresStore(postgres_dsn, schema=schema) as store:
        run = await store.begin_run("", "people.get", "", None)
        await store.add_inputs(run, [InputRow(1, None, given=b"1")])
        with pytest.raises(BulkError, match="the ledger in PostgreSQL cannot be used"):
            await store.add_inputs(
                run, [InputRow(2, None, given=b"2"), InputRow(1, None, given=b"1")]
            )
        assert [row.row for row in await store.inputs(run, 1, 2)] == [1]


OLD_TABLES = """
CREATE TABLE about (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE call (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key bytea NOT NULL UNIQUE,
    endpoint text NOT NULL, given bytea NOT NULL, status integer NOT NULL,
    attempts integer NOT NULL DEFAULT 0, credits integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0, due double precision NOT NULL DEFAULT 0,
    changed double precision NOT NULL, owner integer, error bytea, body bytea, point bytea
);
CREATE TABLE page (
    key bytea NOT NULL, number integer NOT NULL, items bytea NOT NULL, PRIMARY KEY (key, number)
);
INSERT INTO about VALUES ('version', '2');
"""


@pytest.mark.anyio
@pytest.mark.parametrize("gone", [(), (3,)])
async def test_a_ledger_of_version_2_migrates(postgres_dsn: str, gone: tuple[int, ...]) -> None:
    schema = f"old_{next(NUMBERS)}"
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
        connection.execute(f'SET search_path TO "{schema}"'.encode())
        connection.execute(OLD_TABLES)  # type: ignore[arg-type]  # a constant
        for n in range(1, 7):
            connection.execute(
                "INSERT INTO call (key, endpoint, given, status, attempts, credits, changed, body) "
                "VALUES (%s, 'person.get', %s, 3, 1, 1, 1700000000, %s)",
                (b"%016d" % n, b'"%d"' % n, b'{"name": "%d"}' % n),
            )
        connection.execute("DELETE FROM call WHERE id = ANY(%s)", (list(gone),))
    async with Ledger(PostgresStore(postgres_dsn, schema=schema, timeout=5.0)) as ledger:
        entries = [entry async for entry in ledger.store.entries()]
        assert [(one.body, one.credits) for one in entries] == [
            (b'{"name": "%d"}' % n, 1) for n in range(1, 7) if n not in gone
        ]
        assert await ledger.verify() == []
        assert (await ledger.compact(full=True)).packed == 0
