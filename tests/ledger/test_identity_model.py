"""Whom lookups are about, in every state that answers in any order bring about.

See `identity_model.py`; `nox -s model` checks the large configurations too (`LIX_MODEL=1`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lix_async.ledger import aliases, connection, tables, transaction
from lix_async.ledger.aliases import Sibling
from lix_async.ledger.database import Database
from lix_async.ledger.identity import Alias, Identities
from lix_async.ledger.records import CallQuery, EventResult, Send, StoredLookup
from lix_async.ledger.transaction import Writes
from lix_async.linkedin.subject_ids import AliasKey

from .identity_model import FULL, Config, Form, check

SLUG = Form("slug x", FULL)
SALES, PROFILE, OTHER = Form("sales a", FULL), Form("profile a", FULL), Form("sales b", FULL)
PARTS = (
    Form("slug x", "slug profile"),
    Form("sales a", "sales recruiter"),
    Form("profile a", "profile sales"),
)
FORMS = Config("forms of a person", (SLUG, SALES), "loss, refusal, 2 together")
MERGED = Config("answers that show some of the ids", PARTS)
MOVES = Config("a slug changes hands", (SLUG, SALES, OTHER), "move")
OLD = Config("an old slug", (SLUG, SALES), "half-year")
ALONE = Config("a slug stands alone", (Form("slug x", "slug"), OTHER), "late-move")
WRONG = Config(
    "ids of two people in one answer",
    (Form("recruiter a", FULL + " recruiter"), Form("sales a", FULL + " recruiter")),
    "mixed",
)
ASKS = Config("two questions", (SLUG, SALES, Form("profile a", FULL, b"v")))
AGAIN = Config("bought again", (SLUG, SALES), "2 expiry")
SMALL = (FORMS, MERGED, MOVES, OLD, ALONE, WRONG, ASKS, AGAIN)
LARGE = (
    Config("three forms of a person", (SLUG, SALES, PROFILE), "loss, refusal, together"),
    Config("some of the ids, together", PARTS, "2 together, loss"),
    Config("a slug changes hands, and half a year", (SLUG, SALES, OTHER), "move, half-year"),
    Config("a slug changes hands, bought again", (SLUG, SALES, OTHER), "move, expiry"),
    Config("a slug stands alone, three forms", (Form("slug x", "slug"), SALES, OTHER), "late-move"),
    Config(
        "ids of two people, a slug",
        (SLUG, Form("sales a", FULL + " recruiter"), Form("sales b", FULL + " recruiter")),
        "mixed, move",
    ),
)


@pytest.mark.parametrize(
    "config", (*SMALL, *LARGE) if os.environ.get("LIX_MODEL") else SMALL, ids=lambda one: one.name
)
def test_no_state_breaks_an_invariant(config: Config, tmp_path: Path) -> None:
    found = check(config, tmp_path)
    assert found.violation == "", " -> ".join(found.path)
    assert found.states > 10


def test_what_is_not_visited_is_no_success(tmp_path: Path) -> None:
    assert check(FORMS, tmp_path, limit=5).violation == "too many states"


Mutation = tuple[Config, Callable[[pytest.MonkeyPatch], None]]
MUTATIONS: dict[str, Mutation] = {}
Maker = Callable[[pytest.MonkeyPatch], None]


def mutation(config: Config) -> Callable[[Maker], Maker]:
    """Note a deliberate fault, and a configuration in which it shows."""

    def note(make: Maker) -> Maker:
        MUTATIONS[make.__name__.replace("_", " ")] = config, make
        return make

    return note


@mutation(MERGED)
def nothing_is_turned_away(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transaction, "bought_elsewhere", lambda lookup, siblings, newer_than=None: 0)


@mutation(AGAIN)
def what_is_in_flight_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    right = aliases.bought_elsewhere

    def wrong(
        lookup: StoredLookup, siblings: Sequence[Sibling], newer_than: int | None = None
    ) -> int:
        return right(lookup, [one for one in siblings if one.status not in (1, 2)], newer_than)

    patch.setattr(transaction, "bought_elsewhere", wrong)


@mutation(Config("together", (Form("slug x", FULL, b"v"), SALES, PROFILE), "together"))
def announced_together_is_not_seen(patch: pytest.MonkeyPatch) -> None:
    class Forgetful(list[Sibling]):
        def append(self, one: Sibling, /) -> None:
            pass

    right = transaction._Batch.find_siblings

    def wrong(self: transaction._Batch, *given: object) -> None:
        right(self, *given)  # type: ignore[arg-type]  # passed on
        self._siblings = {
            lookup: (subject, Forgetful(found))
            for lookup, (subject, found) in self._siblings.items()
        }

    patch.setattr(transaction._Batch, "find_siblings", wrong)


@mutation(FORMS)
def requests_leave_before_answers_of_their_group_are_judged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(connection, "_to_learn_first", lambda jobs: [])


@mutation(Config("together", (Form("slug x", FULL, b"v"), SALES, PROFILE), "together"))
def announced_lookups_have_no_subject(patch: pytest.MonkeyPatch) -> None:
    right = transaction._Batch._send

    def wrong(self: transaction._Batch, lookup: StoredLookup, event: Send) -> EventResult:
        before = lookup.subject
        found = right(self, lookup, event)
        lookup.subject = before
        return found

    patch.setattr(transaction._Batch, "_send", wrong)


@mutation(FORMS)
def answers_tell_nothing(patch: pytest.MonkeyPatch) -> None:
    right = tables.SqlTables.write

    def wrong(self: tables.SqlTables, writes: Writes) -> None:
        writes.learned.clear()
        right(self, writes)

    patch.setattr(tables.SqlTables, "write", wrong)


@mutation(MERGED)
def merged_subjects_keep_their_lookups(patch: pytest.MonkeyPatch) -> None:
    right = aliases._store

    def wrong(db: Database, learned: Identities) -> object:
        before = db.execute("SELECT subject, id FROM lookup ORDER BY id")
        found = right(db, learned)
        if learned.merged:
            db.update("lookup", "subject", "id", before)
        return found

    patch.setattr(aliases, "_store", wrong)


@mutation(MERGED)
def subjects_are_never_merged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Identities, "_merge", lambda self, younger, older: None)


@mutation(WRONG)
def conflicts_are_merged(patch: pytest.MonkeyPatch) -> None:
    def wrong(self: Identities, subjects: Sequence[int], also: int = 0) -> None:
        for one in {*subjects} - {subjects[-1]}:
            self._merge(one, subjects[-1])

    patch.setattr(Identities, "_conflict", wrong)


@mutation(WRONG)
def conflicts_are_not_marked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Identities, "_conflict", lambda self, subjects, also=0: None)


@mutation(MOVES)
def a_slug_stays_with_its_first_subject(patch: pytest.MonkeyPatch) -> None:
    right = Identities._set

    def wrong(self: Identities, key: AliasKey, alias: Alias) -> None:
        if key not in self.aliases:
            right(self, key, alias)

    patch.setattr(Identities, "_set", wrong)


@mutation(MOVES)
def a_slug_that_has_moved_keeps_its_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables, "moved", lambda db, lookups: set())


@mutation(MOVES)
def a_slug_connects_people_with_strong_ids(patch: pytest.MonkeyPatch) -> None:
    right = Identities._show

    def wrong(self: Identities, key: AliasKey, subject: int, at: int, answer: int | None) -> None:
        alias = self.aliases.get(key)
        if alias is not None and alias.subject != subject:
            self._merge(alias.subject, subject)
        right(self, key, subject, at, answer)

    patch.setattr(Identities, "_show", wrong)


@mutation(OLD)
def a_slug_is_believed_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(aliases, "slug_age", lambda db: 1 << 60)


@mutation(ALONE)
def an_old_slug_connects(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        aliases,
        "Identities",
        lambda known, subjects, _: Identities(known, subjects, lambda: 1 << 60),
    )


@mutation(ASKS)
def other_questions_are_taken_for_the_same(patch: pytest.MonkeyPatch) -> None:
    right = aliases.find_siblings

    def wrong(
        db: Database, queries: Sequence[CallQuery], now: int, *, lock: bool = False
    ) -> object:
        for variant in (b"", b"v"):
            queries = [query._replace(variant=variant) for query in queries]
            found = right(db, queries, now, lock=lock)
            if any(siblings for _, siblings in found):
                break
        return found

    patch.setattr(tables, "find_siblings", wrong)


@mutation(AGAIN)
def an_older_answer_makes_a_refresh_needless(patch: pytest.MonkeyPatch) -> None:
    def wrong(
        lookup: StoredLookup, siblings: Sequence[Sibling], newer_than: int | None = None
    ) -> int:
        other = aliases.choose(one for one in siblings if one.id != lookup.id)
        return 0 if other is None else other.id

    patch.setattr(transaction, "bought_elsewhere", wrong)


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config, make = MUTATIONS[name]
    make(monkeypatch)
    assert check(config, tmp_path).violation[:2] in {"J1", "J2", "J3", "J4", "J5"}
