"""Generated programs over both databases: identity, freshness, changes, forgetting, retention.

See `program.py`. `LIX_PROGRAMS` says how many are run over each database (`nox -s campaign`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path

import anyio
import pytest
from servers import postgres_dsn  # noqa: F401  # a fixture

from lix_async.core.errors import BulkError
from lix_async.engine import lookup
from lix_async.ledger import erased_rows, forgetting, tables
from lix_async.ledger.aliases import moved
from lix_async.ledger.database import Database
from lix_async.ledger.sqlite import SqliteDatabase, SqliteStore
from lix_async.ledger.store import Store
from lix_async.ledger.suppression import OF_LOOKUP, SuppressedId, SuppressionList

from .conftest import NUMBERS
from .program import DAY, Program

PROGRAMS = int(os.environ.get("LIX_PROGRAMS", "3"))
STEPS = 40
Open = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Gives a store over a new ledger each time it is called."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / f"{next(NUMBERS)}.db")
    from lix_async.ledger.postgres import PostgresStore

    dsn = request.getfixturevalue("postgres_dsn")
    return lambda: PostgresStore(dsn, schema=f"program_{next(NUMBERS)}", timeout=5.0)


@pytest.mark.anyio
@pytest.mark.parametrize("seed", range(PROGRAMS))
async def test_a_program_finds_what_the_reference_says(ledger: Open, seed: int) -> None:
    async with ledger() as store:
        await Program(store, seed).run(STEPS)


Maker = Callable[[pytest.MonkeyPatch], None]
MUTATIONS: dict[str, Maker] = {}


def mutation(make: Maker) -> Maker:
    """Note a deliberate fault of one of the parts."""
    MUTATIONS[make.__name__.replace("_", " ")] = make
    return make


def without(patch: pytest.MonkeyPatch, beginning: str) -> None:
    """Leave out the statements that begin like this."""
    right = SqliteDatabase.change

    def wrong(self: SqliteDatabase, statement: str, values: Sequence[object] = ()) -> int:
        return 0 if statement.startswith(beginning) else right(self, statement, values)

    patch.setattr(SqliteDatabase, "change", wrong)


def in_statement(patch: pytest.MonkeyPatch, name: str, right: str, wrong: str) -> None:
    """Put something else in the place of a part of a statement."""
    statement: str = getattr(tables, name)
    assert right in statement
    patch.setattr(tables, name, statement.replace(right, wrong))


@mutation
def other_ids_lead_nowhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables, "find_siblings", lambda db, queries, now, lock=False: [(None, [])] * len(queries))  # fmt: skip


@mutation
def a_slug_that_has_moved_keeps_its_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables, "moved", lambda db, lookups: set())


@mutation
def every_answer_is_new_enough(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lookup, "_is_expired", lambda outcome, fresh: False)


@mutation
def what_is_too_old_is_sent_under_another_id(patch: pytest.MonkeyPatch) -> None:
    async def wrong(self: object, call: object, given: object, row: object) -> object:
        (found,) = await self.store.find_calls([call.query], self.now)  # type: ignore[attr-defined]
        return found, None

    patch.setattr(lookup.LookupExecutor, "_of_own_key", wrong)


@mutation
def versions_of_other_lookups_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    in_statement(patch, "VERSIONS", "m.subject = ", "m.subject = 0 * ")


@mutation
def versions_of_others_are_compared(patch: pytest.MonkeyPatch) -> None:
    own = "coalesce(b.subject, l.subject, 0) = coalesce(a.subject, l.subject, 0)"
    in_statement(patch, "VERSIONS", own, "1 = 1")


@mutation
def versions_that_were_somebodys_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    in_statement(patch, "VERSIONS", "b.subject = coalesce", "b.subject = 0 * coalesce")


@mutation
def whom_older_answers_are_about_is_lost(patch: pytest.MonkeyPatch) -> None:
    without(patch, "UPDATE answer SET subject = ? WHERE lookup")


@mutation
def a_merged_subject_keeps_its_answers(patch: pytest.MonkeyPatch) -> None:
    without(patch, "UPDATE answer SET subject = ? WHERE subject")


@mutation
def the_history_has_answers_about_others(patch: pytest.MonkeyPatch) -> None:
    in_statement(patch, "OF_SUBJECT", "a.subject IS NULL AND ", "")


@mutation
def ids_of_who_is_forgotten_are_not_suppressed(patch: pytest.MonkeyPatch) -> None:
    right = SuppressionList.add

    def wrong(self: SuppressionList, db: Database, ids: Mapping[SuppressedId, int]) -> None:
        right(self, db, {one: at for one, at in ids.items() if one[0] == OF_LOOKUP})

    patch.setattr(SuppressionList, "add", wrong)


@mutation
def who_is_forgotten_may_come_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables.SqlTables, "_forgotten", lambda self, writes: None)


@mutation
def whoever_shows_a_forgotten_slug_is_erased(patch: pytest.MonkeyPatch) -> None:
    def wrong(
        self: SuppressionList, db: Database, groups: Sequence[Set[SuppressedId]]
    ) -> list[set[SuppressedId]]:
        return [self.find(db, group) for group in groups]

    patch.setattr(SuppressionList, "find_people", wrong)


@mutation
def answers_about_others_go_with_the_lookup(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(erased_rows, "_about_others", lambda db, lookups, erased: {})


@mutation
def a_forgotten_slug_leads_to_who_had_it_before(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables.SqlTables, "_moved", lambda self, slugs: moved(self.database, slugs))


@mutation
def older_answers_of_who_is_forgotten_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(erased_rows, "redact", lambda db, answers, now, erased: None)
    patch.setattr(forgetting, "redact", lambda db, answers, now, erased: None)


@mutation
def the_purge_takes_what_is_younger(patch: pytest.MonkeyPatch) -> None:
    right = forgetting._purge
    patch.setattr(
        forgetting,
        "_purge",
        lambda db, after, before, now: right(db, after, before + 50 * DAY, now),
    )


@mutation
def purged_people_stay_known(patch: pytest.MonkeyPatch) -> None:
    without(patch, "DELETE FROM alias WHERE seen")


@mutation
def equal_answers_lose_their_body(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forgetting, "separate_bodies", lambda db, which, values: None)


MOST = 60
FOUND_BY = {
    "a slug that has moved keeps its answer": 16,
    "versions of others are compared": 18,
    "versions that were somebodys are not compared": 16,
    "whom older answers are about is lost": 6,
    "the history has answers about others": 6,
    "older answers of who is forgotten stay": 27,
    "equal answers lose their body": 17,
}
"""Faults that show in few programs, with one of these."""


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    MUTATIONS[name](monkeypatch)

    async def run(seed: int) -> None:
        async with SqliteStore(tmp_path / f"{seed}.db") as store:
            await Program(store, seed).run(STEPS)

    seeds = range(MOST)
    with pytest.raises((AssertionError, BulkError)):
        for seed in sorted(seeds, key=lambda one: one != FOUND_BY.get(name)):
            anyio.run(run, seed)
