"""Merging ledgers: any order gives the same, credits are conserved, and twice is as once."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.bulk import PostgresStore, SqliteStore
from lix_async.core.errors import BulkError
from lix_async.ledger import Ledger
from lix_async.ledger.forgetting import purge
from lix_async.ledger.identity import alias_of, find_ids
from lix_async.ledger.lookup_copies import LookupCopy, copies
from lix_async.ledger.records import (
    CallQuery,
    InputRow,
    Judge,
    LookupSpec,
    Lose,
    NotLeft,
    Receive,
    Send,
)
from lix_async.ledger.rule import Judgement
from lix_async.ledger.store import Store
from lix_async.providers.lix.endpoints.profiles import PERSON

from .conftest import NUMBERS
from .test_migration import ANSWER, DONE, KEY, old_ledger

NOW = 1_700_000_000_000
NAMES = "abc"
MERGES = int(os.environ.get("LIX_MERGES", "5"))
JUDGED: dict[str, Judgement] = {
    "usable": Judgement("usable", 1),
    "unusable": Judgement("unusable", 1),
    "refused": Judgement("refused", 0),
    "queued": Judgement("queued", 0, due=NOW),
    "transient": Judgement("transient", 0),
}
FATES = (*JUDGED, "lost", "not left", "unjudged", "open")
Step = tuple[str, str, int, str]
"""A lookup, what becomes of its request, its run, and what its answer shows: of which person, and
the kinds of ids."""
ASKED = {
    "a": "https://www.linkedin.com/in/the-slug-1",
    "b": "https://www.linkedin.com/in/ACoAAEXAMPLE000001",
    "c": "https://www.linkedin.com/sales/lead/ACwAAEXAMPLE000002,NAME_SEARCH,undefined",
}
"""What each lookup asks for; the slug is the first or the second person's."""
ALIASES = {name: alias_of(link, "link") for name, link in ASKED.items()}
SHOWN = ("1 ps", "1 psx", "2 ps", "2 psx", "2 px")
steps = st.lists(
    st.tuples(
        *(st.sampled_from(NAMES), st.sampled_from(FATES), st.integers(0, 2)),
        st.sampled_from(SHOWN),
    ),
    max_size=6,
)
with_erasure = st.lists(
    st.tuples(
        st.sampled_from(("a", "a", "a", "b", "c")),
        st.sampled_from(("usable",) * 5 + ("lost", "forget", "forget", "purge")),
        *(st.integers(0, 2), st.sampled_from(SHOWN)),
    ),
    min_size=1,
    max_size=5,
)


SLUG_OF_TWO_PEOPLE: tuple[list[Step], list[Step], list[Step]] = (
    [("c", "forget", 0, "")],
    [("a", "usable", 0, "1 psx"), ("a", "usable", 0, "2 psx")],
    [("a", "usable", 0, "1 ps")],
)
"""One ledger has forgotten the second person, whose slug was the first one's in another."""


def body_of(name: str, shown: str, now: int) -> bytes:
    """An answer to a lookup: of the person whom it asks for, or who has the slug."""
    person, _, kinds = shown.partition(" ")
    person = {"b": "1", "c": "2"}.get(name, person)
    body: dict[str, object] = {"name": name, "at": now}
    if "p" in kinds:
        body["liId"] = f"ACoAAEXAMPLE00000{person}"
    if "s" in kinds:
        body["salesNavLink"] = ASKED["c"].replace("000002", f"00000{person}")
    if "x" in kinds:
        body["link"] = ASKED["a"]
    return json.dumps(body, separators=(",", ":")).encode()


async def write(
    store: Store, history: Sequence[Step], clock: itertools.count[int], variant: bytes
) -> None:
    """Do what a run would do."""
    for name, fate, number, shown in history:
        if fate == "forget":
            # Of a slug that is unknown it depends on the ledger who is found first.
            if name != "a" or (await Ledger(store).resolve(ASKED[name])).subject is not None:
                await Ledger(store).forget([ASKED[name]])
            continue
        if fate == "purge":
            await purge(store, NOW + next(clock) - 4)
            continue
        key, written_as = name.encode().rjust(16, b"."), json.dumps([ASKED[name]]).encode()
        spec = LookupSpec(key, "person.get", written_as, variant)
        run_name = "" if number == 0 else f"run {number}"
        run = await store.begin_run(run_name, "lix get", "{}", 100 if number == 2 else None)
        now = NOW + next(clock)
        if (await store.suppressed_calls([CallQuery(key, "person.get", ALIASES[name])]))[0]:
            continue
        (lookup,) = await store.add_lookups([spec])
        await store.add_inputs(run, [InputRow(number + 1, lookup.id)])
        send = Send(lookup.id, lookup.state.n, 1, now, "standard", run, expired=True)
        (sent,) = await store.apply(send)
        if not sent.applied:
            continue
        n = sent.state.n
        if fate in JUDGED or fate == "unjudged":
            body = body_of(name, shown, now)
            http = 404 if fate == "refused" else 200
            await store.apply(Receive(lookup.id, sent.owner, n, 0, http, body, now))
            if fate in JUDGED:
                found = find_ids(PERSON.ids, body)
                await store.apply(
                    Judge(lookup.id, sent.owner, n, JUDGED[fate], now, fate, found=found)
                )
        elif fate == "lost":
            await store.apply(Lose(lookup.id, sent.owner, n, now, "cut off"))
        elif fate == "not left":
            await store.apply(NotLeft(lookup.id, sent.owner, n, now))


async def contents(store: Store) -> dict[str, object]:
    """All that a ledger holds, without the numbers that only it knows."""

    def read(tables: object) -> dict[str, object]:
        database = tables.database  # type: ignore[attr-defined]
        runs = {
            ident: (name or "", began if not name else 0)
            for ident, name, began in database.execute("SELECT id, name, began FROM run")
        }
        found: list[LookupCopy] = copies(
            tables,  # type: ignore[arg-type]
            [ident for (ident,) in database.execute("SELECT id FROM lookup ORDER BY id")],
        )
        lookups = {}
        for one in found:
            attempts = {
                ident: (a.charged, a.ended, a.decided, a.note, a.price, runs[a.run or 0])
                for ident, a in one.attempts.items()
            }
            answers = {key: (a.http, a.body, a.meaning) for key, a in one.answers.items()}
            stands = one.attempt_at(one.cur if one.refresh is None else one.refresh)
            names = one.written_as, one.variant
            lookups[one.key] = (one.status, stands, names, attempts, answers)
        inputs = sorted(
            (runs[run], row, bytes(key))
            for run, row, key in database.execute(
                "SELECT i.run, i.row, l.key FROM input i JOIN lookup l ON l.id = i.lookup"
            )
        )
        money = sorted(
            (runs[run], held, spent, maybe)
            for run, held, spent, maybe in database.execute(
                "SELECT id, held, spent, maybe FROM run WHERE cap IS NOT NULL"
            )
        )
        amounts = sorted(
            (sent, bytes(token), price, charged or 0, runs[run])
            for sent, token, price, charged, run in database.execute(
                "SELECT a.sent, o.token, a.price, a.charged, a.run FROM attempt a "
                "JOIN owner o ON o.no = a.owner"
            )
        )
        return {"lookups": lookups, "inputs": inputs, "money": money, "amounts": amounts}

    return await store.statement(read, writes=False)


@asynccontextmanager
async def fresh(kind: str, folder: Path, address: str) -> AsyncIterator[Store]:
    number = next(NUMBERS)
    store: Store = SqliteStore(folder / f"{number}.db")
    if kind == "postgres":
        store = PostgresStore(address, schema=f"merge_{number}")
    async with store:
        yield store


def comparable(found: dict[str, object], *, erased: bool) -> dict[str, object]:
    """What does not depend on the order of merges.

    Where somebody was forgotten, an attempt may be one of a lookup, or an amount that was left of
    it; and an input has the lookup as long as that is there. An older answer stands by itself, or
    while a newer one is in doubt.
    """
    if not erased:
        return found
    lookups = {
        key: (
            *("done" if (stands, 0) in answers and answers[stands, 0][2] == 0 else status, stands),
            *(written_as, answers),
        )
        for key, (status, stands, (written_as, _), _, answers) in found["lookups"].items()  # type: ignore[attr-defined]
    }
    return {"lookups": lookups, "money": found["money"], "amounts": found["amounts"]}


def copy_files(folder: Path, name: str, other: str) -> None:
    """Copy a ledger, with the secret of its suppression list."""
    for path in folder.glob(f"{name}.db*"):
        shutil.copy(path, folder / path.name.replace(name, other))


async def check(kind: str, address: str, histories: Sequence[Sequence[Step]], folder: Path) -> None:
    clock = itertools.count(1)
    erased = any(fate in ("forget", "purge") for history in histories for _, fate, *_ in history)
    sources: list[SqliteStore] = []
    for number, history in enumerate(histories):
        source = SqliteStore(folder / f"source{number}.db")
        # A ledger of version 2 did not tell the other parameters of its lookups.
        variant, half = b"" if number == 0 else b"v", len(history) // 2
        async with source:
            await write(source, history[:half], clock, variant)
        if number == 0:  # the last one is a copy of the first one, which went on by itself
            copy_files(folder, "source0", "source2")
        async with source:
            await write(source, history[half:], clock, variant)
        sources.append(source)
    results: list[dict[str, object]] = []
    for order in itertools.permutations(sources):
        async with fresh(kind, folder, address) as target:
            ledger = Ledger(target)
            for source in order:
                await ledger.merge(source.path)
            first = await contents(target)
            for source in order:  # once more: nothing is new
                report = await ledger.merge(source)
                new = (report.lookups, report.answers, report.credits)
                assert erased or new == (0, 0, 0)
            assert comparable(await contents(target), erased=erased) == comparable(
                first, erased=erased
            )
            assert await ledger.verify() == []
            results.append(comparable(first, erased=erased))
            credits = (await target.counts()).credits
        together = {}
        for source in sources:
            async with source:
                for sent, token, _, charged, _ in (await contents(source))["amounts"]:  # type: ignore[attr-defined]
                    together[sent, token] = max(together.get((sent, token), 0), charged)
        assert credits == sum(together.values())
    assert all(one == results[0] for one in results)
    # In two steps: first some of them together, then that into another one.
    async with fresh("sqlite", folder, address) as middle, fresh(kind, folder, address) as target:
        await Ledger(middle).merge(sources[1])
        await Ledger(middle).merge(sources[2])
        await Ledger(target).merge(sources[0])
        await Ledger(target).merge(middle)
        assert comparable(await contents(target), erased=erased) == results[0]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@settings(
    max_examples=MERGES,
    phases=[Phase.explicit, Phase.generate],  # each example takes a while
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(histories=SLUG_OF_TWO_PEOPLE)
@given(
    histories=st.tuples(steps, steps, steps) | st.tuples(with_erasure, with_erasure, with_erasure)
)
def test_merging_keeps_credits_in_any_order_and_repeated(
    kind: str,
    histories: tuple[list[Step], list[Step], list[Step]],
    request: pytest.FixtureRequest,
) -> None:
    address = request.getfixturevalue("postgres_dsn") if kind == "postgres" else ""
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(partial(check, kind, address, histories, Path(folder)))


NEW_KEY = b"n" * 16


@pytest.mark.anyio
async def test_a_ledger_of_version_2_is_taken_in_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old" / "l.db"
    path.parent.mkdir()
    old_ledger(path, {"status": DONE, "attempts": 2, "credits": 1, "lost": 1, "body": ANSWER})
    before = path.read_bytes()
    async with Ledger(tmp_path / "target.db") as target:
        report = await target.merge(path)
        assert (report.lookups, report.answers, report.credits) == (1, 1, 1)
        assert target.store.has_old_keys
        # Somebody asks for it with a client, which tells its key of today.
        await target.store.rekey({KEY: NEW_KEY})
        assert (await target.merge(path)).lookups == 0
        entry = await target.store.get(NEW_KEY)
        assert entry is not None
        assert (entry.status, entry.body, entry.attempts, entry.maybe) == ("done", ANSWER, 2, 1)
        counts = await target.store.counts()
        assert (counts.done, counts.credits, counts.maybe) == (1, 1, 1)
        assert await target.verify() == []
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if ".v2-" in one.name] == []


@pytest.mark.anyio
async def test_two_keys_of_one_lookup_become_one(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    old_ledger(path, {"status": DONE, "attempts": 1, "credits": 1, "body": ANSWER})
    async with Ledger(tmp_path / "target.db") as target:
        store = target.store
        (lookup,) = await store.add_lookups([LookupSpec(NEW_KEY, "person.get", b'"y"')])
        run = await store.begin_run("", "lix get", "{}", None)
        await store.add_inputs(run, [InputRow(1, lookup.id)])
        await target.merge(path)
        await store.rekey({KEY: NEW_KEY})
        counts = await store.counts()
        assert (counts.done, counts.pending, counts.credits) == (1, 0, 1)
        (row,) = await store.inputs(run, 1, 1)
        assert (row.lookup, row.given) == (lookup.id, b'"y"')
        assert (await target.merge(path)).credits == 0
        assert await target.verify() == []


@pytest.mark.anyio
async def test_a_ledger_is_not_merged_into_itself(tmp_path: Path) -> None:
    async with Ledger(tmp_path / "l.db") as ledger:
        with pytest.raises(BulkError, match="cannot be merged into itself"):
            await ledger.merge(tmp_path / "l.db")
