"""Who was forgotten is in no byte of a ledger, and is not looked up again."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import msgspec
import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async import AsyncLix, AsyncLookC, SuppressedError, bulk
from lix_async.core.errors import BulkError, ConfigurationError
from lix_async.integrations.chunk_worker import Chunk, ChunkWorker
from lix_async.ledger import Ledger
from lix_async.ledger.records import InputRow, Judge, LookupSpec, Lose, Receive, Send
from lix_async.ledger.rule import Judgement
from lix_async.ledger.schema import column_types
from lix_async.ledger.sqlite import SqliteStore
from lix_async.ledger.store import Store
from lix_async.ledger.suppression import VARIABLE
from lix_async.waterfall import Waterfall

from .conftest import NUMBERS

pytestmark = pytest.mark.anyio
Open = Callable[[], Store]
NOW = 1_700_000_000_000


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Gives a store over one ledger each time it is called."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "ledger.db")
    from lix_async.ledger.postgres import PostgresStore

    dsn, schema = request.getfixturevalue("postgres_dsn"), f"forgetting_{next(NUMBERS)}"
    return lambda: PostgresStore(dsn, schema=schema, timeout=5.0)


def slug(n: int) -> str:
    return f"jürgen-{n:03}-meier" if n % 7 == 3 else f"person-{n:03}-x"


def link(n: int) -> str:
    return f"https://www.linkedin.com/in/{slug(n)}"


def sales(n: int) -> str:
    return f"https://www.linkedin.com/sales/lead/ACwAAEXAMPLE{n:06},NAME_SEARCH,abcd"


def profile(n: int) -> str:
    return f"https://www.linkedin.com/in/ACoAAEXAMPLE{n:06}"


def forms(n: int) -> list[str]:
    urn = f"urn:li:fsd_profile:ACoAAEXAMPLE{n:06}"
    quoted = f"https://linkedin.com/in/{quote(slug(n))}/"
    return [link(n), sales(n), profile(n), urn, quoted, link(n).upper().replace("HTTPS", "https")]


def person(n: int, **more: Any) -> dict[str, Any]:
    ids = {"link": link(n), "salesNavLink": sales(n), "liId": f"ACoAAEXAMPLE{n:06}"}
    return {"name": f"Person {n}", **ids, **more}


class Provider:
    """Answers by the number in the link, each person with the next two; counts what is paid."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.escapes = self.refuses = False
        self.before: Callable[[], Awaitable[None]] | None = None
        self.lix = self.client()

    def client(self, **options: Any) -> AsyncLix:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return AsyncLix("k" * 20, rate_limit=None, http_client=http, **options)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        asked = next(iter(request.url.params.values()))
        self.asked.append(asked)
        if self.before is not None:
            await self.before()
        if self.refuses:
            refusal = {"error": {"type": "not_found", "message": "gone"}}
            return httpx.Response(404, json=refusal)
        if "search" in request.url.path:
            rows = [person(n) for n in range(100, 105)]
            found = {
                "searchResponse": {"people": rows, "paging": {"total": 5, "start": 0, "count": 10}}
            }
            return httpx.Response(200, json=found)
        n = int(re.findall(r"(\d{3,})", asked)[-1])
        text = f"as {link(n + 1)} said, and {slug(n + 2)}"
        body = person(n, relatedPersons=[person(n + 1), person(n + 2)], description=text)
        data = json.dumps(body, ensure_ascii=self.escapes)
        return httpx.Response(200, content=data.encode())


async def run(store: Store, provider: Provider, *inputs: Any, name: str | None = None) -> list[Any]:
    method = provider.lix.people.get
    async with bulk.Run(store, method, inputs, check_balances=False, name=name) as outcomes:
        return [outcome async for outcome in outcomes]


async def all_bytes(store: Store) -> bytes:
    """Every byte of the files beside a ledger, or of a dump of its tables."""
    if isinstance(store, SqliteStore):
        beside = sorted(store.path.parent.glob(f"{store.path.name}*"))
        return b"\n".join(one.read_bytes() for one in beside)

    await store.flush()
    return await anyio.to_thread.run_sync(dumped, store)


def dumped(store: Any) -> bytes:
    """What a dump of the tables in PostgreSQL has, as the bytes themselves."""
    import psycopg

    found: list[bytes] = []
    with psycopg.connect(store.address) as connection:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [store.schema]
        )
        names = [name for (name,) in rows]
        assert set(names) >= set(column_types())
        for name in names:
            out = f'COPY "{store.schema}"."{name}" TO STDOUT (FORMAT binary)'
            with connection.cursor().copy(out.encode()) as copied:
                found += [bytes(data) for data in copied]
    return b"".join(found)


def written(texts: Sequence[str]) -> list[bytes]:
    """Texts in all the ways in which bytes may have them."""
    found: set[bytes] = set()
    for text in texts:
        found |= {text.encode(), json.dumps(text)[1:-1].encode(), text.encode("utf-16-le")}
        found |= {quote(text).encode(), quote(text).lower().encode()}
    return sorted(found)


def contained(parts: Sequence[bytes], data: bytes) -> list[bytes]:
    """The parts that are in the data. Where it lacks what several begin with, it lacks them all."""
    if not parts:
        return []
    first, last = min(parts), max(parts)  # what these begin with, all between them do
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    start = first[: len(list(same))]
    if start not in data:
        return []
    further: dict[bytes, list[bytes]] = {}
    for part in parts:
        if part != start:
            further.setdefault(part[len(start) : len(start) + 1], []).append(part)
    found = [start] if start in parts else []
    return found + [one for group in further.values() for one in contained(group, data)]


def test_contained() -> None:
    parts = [b"ab", b"abc", b"abd", b"abde", b"x", b"abce"]
    assert sorted(contained(parts, b"..abde.abc")) == [b"ab", b"abc", b"abd", b"abde"]
    assert contained(parts, b"a.b.d") == contained([], b"ab") == []


@pytest.mark.parametrize("packed", [False, True])
async def test_nothing_of_a_hundred_people_is_left(ledger: Open, packed: bool) -> None:
    provider = Provider()
    everybody = [link(n) for n in range(150)]
    async with ledger() as store:
        provider.escapes = packed
        await run(store, provider, *everybody, name="all")
        await run(store, provider, *[sales(n) for n in range(150)], name="again")
        await store.add_export("/tmp/out.csv", f"lix people get {link(7)}")
        gone = list(range(100))
        opened = Ledger(store)
        if packed:
            await opened.compact()
        before = await store.counts()
        theirs = {json.dumps(link(n), ensure_ascii=False).encode() for n in gone}
        bodies = [
            bytes(body)
            for given, body in await store.statement(
                lambda tables: tables.database.execute(
                    "SELECT l.written_as, a.body FROM answer a JOIN lookup l ON l.id = a.lookup"
                )
            )
            if bytes(given) in theirs
        ]
        assert len(bodies) == 100
        found = await opened.forget([link(n) for n in gone])
        assert (found.lookups, found.remainder.found, found.remainder.held_by) == (100, [], [])
        assert [export.place for export in found.exports] == ["/tmp/out.csv"]
        assert await opened.verify() == []
        after = await store.counts()
        assert (after.credits, after.done) == (before.credits, 50)
        entries = [entry async for entry in store.entries()]
        assert len(entries) == 50
        data = await all_bytes(store)
        ids = [f"{kind}EXAMPLE{n:06}" for n in gone for kind in ("ACoAA", "ACwAA")]
        ids += [slug(n) for n in gone]
        assert contained(written(ids), data) == []
        names = [f'Person {n}"'.encode() for n in gone]
        assert [name for name in names if name in data] == []
        assert [body for body in bodies if body in data] == []
        asked = len(provider.asked)
        outcomes = await run(store, provider, *[form for n in gone for form in forms(n)])
        assert {outcome.state for outcome in outcomes} == {"suppressed"}
        assert all(isinstance(outcome.error, SuppressedError) for outcome in outcomes)
        assert len(provider.asked) == asked
        again = await run(store, provider, *[link(n) for n in range(100, 150)])
        assert {(outcome.state, outcome.cached) for outcome in again} == {("done", True)}
        data = await all_bytes(store)
        assert contained(written(ids), data) == []


async def test_someone_found_in_a_new_answer_is_erased_before_it_is_handed_out(
    ledger: Open,
) -> None:
    provider = Provider()
    async with ledger() as store:
        await Ledger(store).forget([profile(21), profile(30)])
        # Asked for under an id that was unknown: it is paid, and nothing of it stays.
        (own,) = await run(store, provider, link(21))
        assert (own.state, own.value, own.body, own.credits) == ("suppressed", None, b"", 1)
        (other,) = await run(store, provider, link(20))
        assert [one.name for one in other.value.related_persons] == ["Person 22"]
        (pages,) = [one async for one in store.entries()]
        assert pages.body == other.body
        assert slug(21).encode() not in await all_bytes(store)
        asked = len(provider.asked)
        outcomes = await run(store, provider, *forms(21))
        assert {one.state for one in outcomes} == {"suppressed"}
        assert len(provider.asked) == asked
        assert await Ledger(store).verify() == []
        assert (await store.counts()).credits == 2


async def test_a_cached_call_raises(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        await Ledger(store).forget([link(1)])
        async with provider.client(cache=store) as lix:
            with pytest.raises(SuppressedError, match="forgotten"):
                await lix.people.get(link(1))
            async with bulk.map(lix.people.get, [link(1), link(2)]) as outcomes:
                states = [outcome.state async for outcome in outcomes]
            assert sorted(states) == ["done", "suppressed"]
            (chunked,) = await bulk.chunk(store, lix.people.get, [link(1)])
            assert chunked.state == "suppressed"
    assert len(provider.asked) == 1


async def test_a_lookup_in_flight_is_waited_for(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store, ledger() as other, anyio.create_task_group() as group:
        left, goes_on = anyio.Event(), anyio.Event()

        async def wait() -> None:
            left.set()
            await goes_on.wait()

        provider.before = wait
        outcomes: list[Any] = []

        async def buy() -> None:
            outcomes.extend(await run(store, provider, link(5)))

        async def forget() -> None:
            found = await Ledger(other).forget([link(5)])
            assert found.remainder.found == []

        group.start_soon(buy)
        await left.wait()
        group.start_soon(forget)
        while not await other.about("suppression"):
            await anyio.lowlevel.checkpoint()
        goes_on.set()
    assert [one.state for one in outcomes] == ["suppressed"]
    async with ledger() as store:
        assert [one async for one in store.entries()] == []
        assert (await store.counts()).credits == 1
        assert slug(5).encode() not in await all_bytes(store)


async def test_without_the_secret_nothing_is_bought(
    ledger: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider()
    async with ledger() as store:
        await Ledger(store).forget([link(1)])
    (key,) = tmp_path.rglob("*.key")  # noqa: ASYNC240  # a test may wait
    assert key.stat().st_mode & 0o777 == 0o600
    secret = key.read_text()
    key.unlink()
    async with ledger() as store:
        with pytest.raises(BulkError, match=VARIABLE) as raised:
            await run(store, provider, link(2))
    assert secret.strip() not in str(raised.value)
    assert provider.asked == []
    monkeypatch.setenv(VARIABLE, "x" * 40)
    async with ledger() as store:
        with pytest.raises(BulkError, match="restore"):
            await run(store, provider, link(2))
    monkeypatch.setenv(VARIABLE, "short")
    async with ledger() as store:
        with pytest.raises(BulkError, match="32 characters"):
            await run(store, provider, link(2))
    monkeypatch.setenv(VARIABLE, secret)
    async with ledger() as store:
        outcomes = await run(store, provider, link(1), link(2))
    assert sorted(one.state for one in outcomes) == ["done", "suppressed"]
    assert not key.exists()


async def test_a_merge_brings_who_was_forgotten(ledger: Open, tmp_path: Path) -> None:
    provider = Provider()
    path = tmp_path / "other.db"
    async with SqliteStore(path) as other:
        await run(other, provider, link(1), link(50), name="file")
    shutil.copy(path, tmp_path / "old.db")
    async with ledger() as store:
        mine = Ledger(store)
        await mine.merge(path)
        await run(store, provider, link(60))
        async with SqliteStore(path) as other:
            await Ledger(other).forget([link(50)])
        for source in (path, tmp_path / "old.db", path):
            await mine.merge(source)
            assert await mine.verify() == []
            counts = await store.counts()
            assert (counts.credits, counts.done) == (3, 2)
            assert slug(50).encode() not in await all_bytes(store)
        asked = len(provider.asked)
        outcomes = await run(store, provider, *forms(50))
        assert {one.state for one in outcomes} == {"suppressed"}
        assert len(provider.asked) == asked


async def test_what_is_old_is_purged_and_its_money_stays(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        bought = await run(store, provider, *[link(n) for n in range(10)], name="all")
        assert [one.state for one in bought] == ["done"] * 10
        old = int(store.now - timedelta(days=800).total_seconds() * 1000)
        await store.statement(
            lambda tables: tables.database.change(
                "UPDATE answer SET at = ? WHERE lookup <= 4", (old,)
            )
        )
        found = await Ledger(store).purge(timedelta(days=730))
        assert (found.lookups, found.answers) == (4, 4)
        counts = await store.counts()
        assert (counts.credits, counts.done) == (10, 6)
        assert await Ledger(store).verify() == []
        again = await run(store, provider, *[link(n) for n in range(10)])
        assert sum(one.credits for one in again) == 4
        assert (await Ledger(store).purge(timedelta(days=730))).lookups == 0


async def test_what_is_not_an_id_is_refused(ledger: Open) -> None:
    async with ledger() as store:
        with pytest.raises(ConfigurationError, match="no id"):
            await Ledger(store).forget(["https://example.com/"])
        with pytest.raises(ConfigurationError, match="list of texts"):
            await Ledger(store).forget(link(1))
        assert not await store.about("suppression")


async def test_open_attempts_and_refusals_are_erased_as_amounts(ledger: Open) -> None:
    async with ledger() as store:
        run_id = await store.begin_run("capped", "lix get", "", 100)
        for n, fate in enumerate(("pending", "lost", "received", "refused")):
            spec = LookupSpec(bytes([n] * 16), "person.get", msgspec.json.encode(link(n)))
            (lookup,) = await store.add_lookups([spec])
            if fate == "pending":
                continue
            (sent,) = await store.apply(Send(lookup.id, 0, 1, NOW, "standard", run_id))
            if fate == "lost":
                await store.apply(Lose(lookup.id, sent.owner, 1, NOW, f"no answer for {link(n)}"))
                continue
            body = json.dumps({"error": {"type": "not_found", "message": link(n)}}).encode()
            await store.apply(Receive(lookup.id, sent.owner, 1, 0, 404, body, NOW))
            if fate == "received":
                await store.apply(Lose(lookup.id, sent.owner, 1, NOW))
            else:
                judged = Judgement("refused", 0)
                await store.apply(
                    Judge(lookup.id, sent.owner, 1, judged, NOW, "refused", note=link(n))
                )
        opened = Ledger(store)
        assert (await opened.forget([link(n) for n in range(4)])).lookups == 4
        assert await opened.verify() == []
        counts = await store.counts()
        assert (counts.credits, counts.maybe) == (0, 2)
        data = await all_bytes(store)
        assert [n for n in range(4) if slug(n).encode() in data] == []


async def test_organisations(ledger: Open) -> None:
    provider = Provider()
    page = "https://www.linkedin.com/company/acme-works"
    async with ledger() as store:
        await Ledger(store).forget([page, "https://www.linkedin.com/company/1035"])
        method = provider.lix.organisations.get
        inputs = [
            page,
            "https://www.linkedin.com/company/1035/",
            "https://linkedin.com/company/acme-works/about",
        ]
        async with bulk.Run(store, method, inputs, check_balances=False) as outcomes:
            assert [one.state async for one in outcomes] == ["suppressed"] * 3
    assert provider.asked == []


async def test_pages_lose_the_rows_of_who_is_forgotten(ledger: Open) -> None:
    provider = Provider()
    search = "https://www.linkedin.com/search/results/people/?keywords=chief"

    async def found(store: Store) -> list[str | None]:
        method = provider.lix.search.people
        async with bulk.Run(store, method, [search], check_balances=False) as outcomes:
            (outcome,) = [one async for one in outcomes]
        return [row.name for row in outcome.value]

    async with ledger() as store:
        assert await found(store) == [f"Person {n}" for n in range(100, 105)]
        forgotten = await Ledger(store).forget([link(102)])
        assert (forgotten.redacted, forgotten.remainder.found) == (1, [])
        left = [f"Person {n}" for n in (100, 101, 103, 104)]
        assert await found(store) == left
        (entry,) = [one async for one in store.entries()]
        assert [page.redacted for page in entry.pages] == [True]
        assert await Ledger(store).verify() == []
        # A new search shows the others only, as it comes and later.
        search = search.replace("chief", "head")
        asked = len(provider.asked)
        assert await found(store) == left
        assert await found(store) == left
        assert len(provider.asked) == asked + 1
        assert slug(102).encode() not in await all_bytes(store) or isinstance(store, SqliteStore)
        async with provider.client(cache=store, cache_searches=True) as lix:
            names = [row.name async for row in lix.search.people(search.replace("head", "lead"))]
        assert names == left
        await Ledger(store).forget([link(104)])
        assert slug(102).encode() not in await all_bytes(store)


async def test_workers_skip_who_is_forgotten(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        run_id = await store.begin_run("queue", "people.get", "", None)
        given = [InputRow(n, None, given=msgspec.json.encode(link(n))) for n in (1, 2, 3)]
        await store.add_inputs(run_id, given)
        forgotten = await Ledger(store).forget([link(2)])
        assert forgotten.inputs == 1
        await store.add_inputs(run_id, [InputRow(4, None, given=msgspec.json.encode(profile(2)))])
        await Ledger(store).forget([profile(2)])
        await store.add_inputs(run_id, [InputRow(5, None, given=msgspec.json.encode(sales(2)))])
        async with provider.lix as lix:
            worker = ChunkWorker(store, lix, 1, "hold")
            await worker.run(Chunk("people.get", schema=store.schema, run=run_id, first=1, last=4))
        rows = await store.inputs(run_id, 1, 4)
        assert [(row.state, row.given is None) for row in rows] == [
            ("", False),
            ("suppressed", True),
            ("", False),
            ("suppressed", True),
        ]
        assert len(provider.asked) == 2


async def test_nothing_is_sent_about_someone_forgotten_meanwhile(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store, ledger() as other:

        async def forget() -> None:
            provider.before = None
            await Ledger(other).forget([link(2)])

        provider.before = forget
        method = provider.lix.people.get
        run = bulk.Run(
            store, method, [link(1), link(2)], concurrency=1, check_balances=False, name="run"
        )
        async with run as outcomes:
            states = {one.input: one.state async for one in outcomes}
            assert states == {link(1): "done", link(2): "suppressed"}
            assert run.progress().suppressed == 1
        assert provider.asked == [link(1)]
        rows = await store.inputs(1, 1, 2)
        assert [(row.state, row.given) for row in rows if row.row == 2] == [("suppressed", None)]


async def test_a_reader_that_holds_the_log_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lix_async.ledger.sqlite.READERS_FOR", 0.0)
    provider = Provider()
    path = tmp_path / "ledger.db"
    (tmp_path / "ledger.db.v2-2026-01-01").write_bytes(b"")
    async with SqliteStore(path) as store:
        await run(store, provider, link(1), name=f"{tmp_path}/people.csv 0123abcd")
        (tmp_path / "people.csv.ledger").write_bytes(b"")
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM answer").fetchall()
        found = (await Ledger(store).forget([link(1)])).remainder
        assert found.held_by == [os.getpid()]
        assert str(path) + "-wal" in found.note
        assert [Path(copy).name for copy in found.copies] == [
            "ledger.db.v2-2026-01-01",
            "people.csv.ledger",
        ]
        reader.close()
        found = (await Ledger(store).forget([link(1)])).remainder
        assert (found.held_by, found.found) == ([], [])


async def test_what_an_older_version_left_in_the_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with SqliteStore(path) as store:
        await run(store, Provider(), link(1))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE old (body)")
        connection.execute("INSERT INTO old VALUES (?)", (f"x {link(1)} " * 5000,))
        connection.execute("DROP TABLE old")
        connection.commit()
    assert slug(1).encode() in path.read_bytes()
    async with SqliteStore(path) as store:
        assert (await Ledger(store).forget([link(1)])).remainder.found == []
        assert slug(1).encode() not in await all_bytes(store)


async def test_a_waterfall_asks_no_other_provider(tmp_path: Path) -> None:
    provider = Provider()
    async with SqliteStore(tmp_path / "ledger.db") as store:
        await Ledger(store).forget([link(1)])
        http = httpx.AsyncClient(transport=httpx.MockTransport(provider.answer))
        other = AsyncLookC("k" * 20, rate_limit=None, http_client=http)
        async with provider.client(cache=store) as cached, other:
            falls = Waterfall([cached, other], want=("headline", "email"))
            found = await falls.profile(link(1))
    assert [type(error) for error in found.errors.values()] == [SuppressedError]
    assert provider.asked == []


async def bought_twice(store: Store, provider: Provider, *inputs: Any) -> None:
    """Look them up, and again: what comes is the same."""
    await run(store, provider, *inputs)
    method = provider.lix.people.get
    async with bulk.Run(store, method, inputs, check_balances=False, max_age=-1) as again:
        assert {one.value.link async for one in again} == set(inputs)


async def own_bodies(store: Store) -> list[int]:
    """How many answers have a body, and how many have that of another one."""
    query = "SELECT count(body), count(same_as) FROM answer"
    ((bodies, shared),) = await store.statement(lambda tables: tables.database.execute(query))
    return [int(str(bodies)), int(str(shared))]


async def test_an_answer_that_is_equal_to_the_one_before_is_stored_once(
    ledger: Open, tmp_path: Path
) -> None:
    provider = Provider()
    async with ledger() as store:
        await bought_twice(store, provider, link(1), link(2))
        await bought_twice(store, provider, link(1))
        assert await own_bodies(store) == [2, 3]
        assert [(await Ledger(store).compact()).packed for _ in range(2)] == [2, 0]
        assert await own_bodies(store) == [2, 3]
        versions = [one async for one in Ledger(store).history(link(1))]
        assert [one.value.link for one in versions] == [link(1)] * 3  # type: ignore[attr-defined]
        assert [one async for one in Ledger(store).changes()] == []
        assert await Ledger(store).verify() == []
        resolved = await Ledger(store).resolve(sales(1))
        assert resolved.subject is not None
        assert {one.id for one in resolved.subject.ids} > {slug(1)}
        async with Ledger(tmp_path / "other.db") as other:
            await other.merge(store)
            assert await own_bodies(other.store) == [5, 0]
            assert [(await other.compact()).packed for _ in range(2)] == [3, 0]
            assert await own_bodies(other.store) == [2, 3]
            assert await other.verify() == []
            (entry, _) = [one async for one in other.store.entries()]
            assert json.loads(entry.body or b"")["link"] == link(1)


async def test_equal_answers_are_redacted_and_forgotten_alike(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        await bought_twice(store, provider, link(1), link(2), link(5))
        await Ledger(store).forget([link(2)])
        assert not [one for one in written([link(2), slug(2)]) if one in await all_bytes(store)]
        versions = [one async for one in Ledger(store).history(link(1))]
        related = [[x.link for x in one.value.related_persons] for one in versions]  # type: ignore[attr-defined]
        assert related == [[link(3)], [link(3)]]
        assert await Ledger(store).verify() == []
        assert await own_bodies(store) == [3, 1]


async def test_an_equal_answer_outlives_the_purge_of_the_one_before(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        await bought_twice(store, provider, link(1))
        await store.statement(
            lambda tables: tables.database.change("UPDATE answer SET at = 1 WHERE n = 1")
        )
        found = await Ledger(store).purge(timedelta(days=730))
        assert (found.lookups, found.answers) == (0, 1)
        assert await own_bodies(store) == [1, 0]
        assert await Ledger(store).verify() == []
        (outcome,) = await run(store, provider, link(1))
        assert (outcome.cached, outcome.value.link) == (True, link(1))


async def test_what_stands_is_not_purged_where_its_refresh_brought_nothing(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        await run(store, provider, link(1))
        provider.refuses = True
        method = provider.lix.people.get
        async with bulk.Run(store, method, [link(1)], check_balances=False, max_age=-1) as again:
            assert [one.stale async for one in again] == [True]
        await store.statement(
            lambda tables: tables.database.change("UPDATE answer SET at = 1 WHERE n = 1")
        )
        assert (await Ledger(store).purge(timedelta(days=730))).answers == 0
        assert await Ledger(store).verify() == []


async def test_older_versions_are_purged_and_the_newest_stays(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        await run(store, provider, link(1))
        method = provider.lix.people.get
        async with bulk.Run(store, method, [link(1)], check_balances=False, max_age=-1) as again:
            assert [one.credits async for one in again] == [1]
        await store.statement(
            lambda tables: tables.database.change("UPDATE answer SET at = 1 WHERE n = 1")
        )
        found = await Ledger(store).purge(timedelta(days=730))
        assert (found.lookups, found.answers) == (0, 1)
        assert await Ledger(store).verify() == []
        counts = await store.counts()
        assert (counts.credits, counts.done) == (2, 1)
