"""Reading and writing the tables of a ledger, in SQL that both databases understand."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from msgspec.structs import replace

from ..core.subject_ids import IdGroup
from ..linkedin.subject_ids import WEAK, AliasKey
from .aliases import (
    AskedLookup,
    LearnedAnswer,
    Sibling,
    choose,
    find_siblings,
    learn,
    load_aliases,
    load_subjects,
    moved,
)
from .database import CHUNK, Columns, Database, chunks
from .erased_rows import Erased, erase_subjects
from .identity import FoundIds, find_ids
from .records import (
    PACKED,
    REDACTED,
    AnswerRow,
    CallQuery,
    Counts,
    EndedCall,
    Export,
    InputAnswer,
    InputRow,
    LookupSpec,
    Named,
    Receive,
    RunEntry,
    RunTotals,
    Send,
    StoredBody,
    StoredLookup,
    StoredVersion,
    unpacked,
)
from .resolution import ids_anywhere
from .rule import CODES, MEANINGS, STATUSES, LookupState, Meaning, StoredAnswer, send
from .schema import BODY, CODEC, WHOSE
from .suppression import OF_LOOKUP, SELECT, SuppressedId, SuppressionList, is_strong
from .transaction import Attempt, Loaded, Writes

# fmt: off
LookupColumns = tuple[
    int, bytes, str, bytes, int, int, int, int, int, int, int | None, int, int | None, int, int,
    int | None, bytes,
]
# fmt: on
EndedColumns = tuple[bytes, int, int | None, int, int | None, int | None, int | None]
InputColumns = tuple[int, int | None, Literal["", "invalid", "suppressed"], str, bytes | None]
# fmt: off
InputAnswerColumns = tuple[
    int, int | None, Literal["", "invalid", "suppressed"], str, bytes | None, str | None,
    int | None, int, bytes | None,
]
# fmt: on
MEANING_CODES = {meaning: code for code, meaning in enumerate(MEANINGS)}
LOOKUP = (
    "id, key, endpoint, written_as, status, owner, n, base, cur, tries, due, page, refresh, pause, "
    "changed, subject, variant"
)
ANSWER = f"a.lookup, a.n, a.page, a.at, a.http, a.meaning, {BODY}, a.rows, {CODEC}"
BY_ID = f"SELECT {LOOKUP} FROM lookup WHERE id IN (?*)"
ANSWERS = """
SELECT a.lookup, a.n, a.page, a.meaning FROM lookup l JOIN answer a ON a.lookup = l.id
WHERE l.id IN (?*) AND (a.n > l.base OR a.meaning IS NULL) ORDER BY a.n, a.page
"""
ATTEMPTS = """
SELECT a.lookup, a.n, a.run, a.price, a.kind, a.sent, a.owner, a.ended, a.family, a.http,
    a.charged, a.decided, a.note, r.cap
FROM attempt a LEFT JOIN run r ON r.id = a.run WHERE (a.lookup, a.n) IN (?**)
"""
_BEFORE = """
    m.endpoint = l.endpoint AND m.variant = l.variant AND m.id <> l.id AND b.meaning = 0
        AND b.page = 0 AND (b.at < a.at OR (b.at = a.at AND b.id < a.id))
    ORDER BY b.at DESC, b.id DESC LIMIT 1
"""
VERSIONS = f"""
SELECT a.id, l.key, l.endpoint, l.written_as,
    (SELECT b.id FROM answer b WHERE b.lookup = a.lookup AND b.n < a.n AND b.meaning = 0
        AND b.page = 0 AND coalesce(b.subject, l.subject, 0) = coalesce(a.subject, l.subject, 0)
        ORDER BY b.n DESC LIMIT 1),
    CASE WHEN {WHOSE} IS NOT NULL THEN (
        SELECT b.id FROM lookup m JOIN answer b ON b.lookup = m.id
        WHERE m.subject = {WHOSE} AND b.subject IS NULL AND {_BEFORE}) END,
    CASE WHEN {WHOSE} IS NOT NULL THEN (
        SELECT b.id FROM answer b JOIN lookup m ON m.id = b.lookup
        WHERE b.subject = {WHOSE} AND {_BEFORE}) END
FROM answer a JOIN lookup l ON l.id = a.lookup
WHERE a.id > ? AND a.at >= ? AND a.meaning = 0 AND a.page = 0 AND l.endpoint IN (?*)
    AND (a.n > 1 OR {WHOSE} IS NOT NULL)
"""
OF_SUBJECT = "((a.subject IS NULL AND l.id IN (?*)) OR a.subject IN (?*))"
"""The condition of an answer `a` that is about some subjects, with lookups that are about them."""
EARLIER_BODIES = """
SELECT a.lookup, a.page, a.id, a.codec, a.body FROM answer a
WHERE a.lookup IN (?*) AND (a.lookup, a.page) IN (?**) AND a.meaning = 0 AND a.same_as IS NULL
    AND NOT EXISTS (SELECT 1 FROM answer b WHERE b.lookup = a.lookup AND b.page = a.page
        AND b.meaning = 0 AND b.same_as IS NULL AND b.n > a.n)
"""
"""Of the pages of lookups, the newest bodies that are stored."""
CONFIRM = """
UPDATE owner SET batch = ?, beat = beat + 1
WHERE no = ? AND token = ? AND dead = 0 AND batch < ? RETURNING no
"""
INPUT_ANSWERS = f"""
SELECT i.row, i.lookup, i.state, i.note, coalesce(i.given, l.written_as), l.endpoint,
    a.at, {CODEC}, {BODY}
FROM input i LEFT JOIN lookup l ON l.id = i.lookup
LEFT JOIN answer a ON a.lookup = l.id AND a.n = l.cur AND a.page = 0
    AND l.status = {CODES["done"]} AND l.page = 0 AND l.refresh IS NULL
WHERE i.run = ? AND i.row BETWEEN ? AND ? ORDER BY i.row
"""
ENDED = f"""
SELECT i.row FROM input i LEFT JOIN lookup l ON l.id = i.lookup
WHERE i.run = ? AND i.row > ?
    AND (i.state = 'invalid' OR l.status IN ({CODES["done"]}, {CODES["kept"]}, {CODES["refused"]}))
ORDER BY i.row LIMIT ?
"""
ENDED_CALLS = f"""
SELECT l.key, l.id, CASE WHEN l.status = {CODES["done"]} THEN l.subject END, l.changed,
    a.n, CASE WHEN a.n = l.cur THEN a.at END, a.meaning
FROM lookup l LEFT JOIN answer a ON a.lookup = l.id
WHERE l.key IN (?*) AND l.refresh IS NULL
    AND l.status IN ({CODES["done"]}, {CODES["kept"]}, {CODES["refused"]})
"""
CAPPED = "SELECT id FROM run WHERE id IN (?*) AND cap IS NOT NULL"
RUNS = "SELECT id, cap, held, spent, maybe FROM run WHERE id IN (?*) AND cap IS NOT NULL"


@dataclass(slots=True)
class InFlight:
    """Rows as the last transaction left them, so that the next one need not read them again.

    Only of lookups in flight, which are few. Where another connection may have written since, it
    must be cleared.
    """

    lookups: dict[int, StoredLookup] = field(default_factory=dict[int, StoredLookup])
    attempts: dict[tuple[int, int], Attempt] = field(default_factory=dict[tuple[int, int], Attempt])
    capped: set[int] = field(default_factory=set[int])
    """The runs of these attempts that have a cap."""

    def keep(self, writes: Writes) -> None:
        """Take over what a transaction has written."""
        for ident, lookup in writes.lookups.items():
            # A listing's row has parts that are not loaded.
            state = lookup.state
            if state.owner and not state.page:
                self.lookups[ident] = lookup
                if state.base:  # older versions are not loaded
                    answers = [a for a in state.answers if a.n > state.base or a.meaning is None]
                    lookup.state = replace(state, answers=tuple(answers))
            elif self.lookups.pop(ident, None) is not None:
                self.attempts.pop((ident, state.n), None)
        for attempt in writes.new_attempts:
            if attempt.lookup in self.lookups:
                self.attempts[attempt.lookup, attempt.n] = attempt
        self.capped.update(writes.runs)

    def clear(self) -> None:
        """Forget it all."""
        self.lookups.clear()
        self.attempts.clear()
        self.capped.clear()


class SqlTables:
    """The tables of a ledger behind one connection.

    Args:
        database: The connection.
        suppression: The suppression list of the ledger.
        in_flight: What need not be read again.
    """

    def __init__(
        self,
        database: Database,
        suppression: SuppressionList,
        in_flight: InFlight | None = None,
    ) -> None:
        self.database = database
        self.suppression = suppression
        self._in_flight = InFlight() if in_flight is None else in_flight
        self._new: dict[int, StoredLookup] = {}
        """Lookups that this transaction has made: no other owner can have changed them."""
        self._inserted: dict[int, LookupState] = {}
        """The rows of those as they were inserted: as they are once they are announced, perhaps."""

    # Rows for the rule

    def load(
        self,
        ids: Sequence[int],
        *,
        unanswered: Container[int] = (),
        attempts: Sequence[tuple[int, int]] = (),
        runs: Sequence[int] = (),
    ) -> Loaded:
        """Lock and load lookups, in one exchange with the server, and what their events need.

        Args:
            ids: The lookups, in ascending order.
            unanswered: Lookups whose answers are not needed.
            attempts: Attempts, as (lookup, n).
            runs: Runs whose totals are needed besides those of the attempts.

        Returns:
            The lookups by id, with the stored answers that the rule looks at; the attempts by
            (lookup, n); the totals by id of the runs that have a cap.
        """
        loaded = Loaded({}, {}, {})
        # Ordered: two transactions that lock the same rows must lock them in one order. What else
        # is needed is read after the rows are locked, else it may be older than the rows.
        lock = f"{BY_ID} ORDER BY id{self.database.for_update}"
        kept = self._in_flight
        for known in (self._new, kept.lookups):
            loaded.lookups.update((ident, known[ident]) for ident in ids if ident in known)
        if loaded.lookups:
            ids = [ident for ident in ids if ident not in loaded.lookups]
        loaded.attempts.update(
            (key, kept.attempts[key]) for key in attempts if key in kept.attempts
        )
        capped_runs = {a.run for a in loaded.attempts.values() if a.run in kept.capped}
        if loaded.attempts:
            attempts = [key for key in attempts if key not in loaded.attempts]
        answered = [ident for ident in ids if ident not in unanswered]
        rows, answers, money, capped = self._select(
            (lock, ids), (ANSWERS, answered), (ATTEMPTS, attempts), (CAPPED, runs)
        )
        of_lookup = _answers(answers)
        for row in rows:
            lookup = _lookup(row, of_lookup.get(cast("int", row[0]), ()))
            loaded.lookups[lookup.id] = lookup
        for row in money:
            values = (*row[:11], bool(row[11]), row[12])
            attempt = Attempt(*cast("tuple[int, int, None, int, str, int, int]", values))
            loaded.attempts[attempt.lookup, attempt.n] = attempt
        # Few runs have a cap, which never changes: only those are locked.
        used = {row[2] for row in money if row[13] is not None}.union(row[0] for row in capped)
        if wanted := sorted(cast("set[int]", used | capped_runs)):
            totals = self.database.execute(
                f"{RUNS} ORDER BY id{self.database.for_update}", (wanted,)
            )
            for run, cap, held, spent, maybe in cast(
                "list[tuple[int, int, int, int, int]]", totals
            ):
                loaded.runs[run] = RunTotals(cap, held, spent, maybe)
        return loaded

    def _select(self, *queries: tuple[str, Sequence[object]]) -> list[list[Columns]]:
        """The rows of statements that take one list each, in one exchange for all of them."""
        parts = [
            (place, (statement, (some,)))
            for place, (statement, values) in enumerate(queries)
            for some in chunks(values)
        ]
        found: list[list[Columns]] = [[] for _ in queries]
        selected = self.database.select([query for _, query in parts])
        for (place, _), rows in zip(parts, selected, strict=True):
            found[place] += rows
        return found

    def write(self, writes: Writes) -> None:
        """Write everything that a batch of events changed."""
        db = self.database
        positions = [(x.id, x.position) for x in writes.lookups.values() if x.position is not None]
        if positions:
            conflict = "(lookup) DO UPDATE SET position = excluded.position"
            db.insert("listing", "lookup, position", positions, conflict)
        if writes.new_attempts:
            db.insert(
                "attempt",
                "lookup, n, run, owner, price, kind, sent, ended, family, charged, decided, note",
                [
                    (
                        *(a.lookup, a.n, a.run, a.owner, a.price, a.kind, a.sent),
                        *(a.ended, a.family, a.charged, int(a.decided), _text(a.note)),
                    )
                    for a in writes.new_attempts
                ],
            )
        meanings = writes.meanings
        if writes.answers:
            self._write_answers(writes)
        if meanings:
            rows = [(*_meaning(meaning), *key) for key, meaning in meanings.items()]
            db.update("answer", "meaning, rows", "lookup, n", rows)
        forgotten = self._forgotten(writes) if self.suppression.active else None
        if writes.learned:
            self._learn(writes)
        if changed := self._changed(writes):
            db.update(
                "lookup",
                "status, owner, n, base, cur, tries, due, page, refresh, pause, changed, subject",
                "id",
                [_lookup_values(one) for _, one in sorted(changed.items())],
            )
        new = {(a.lookup, a.n) for a in writes.new_attempts}
        ended = [a for key, a in writes.attempts.items() if key not in new]
        if ended:
            db.update(
                "attempt",
                "ended, family, charged, decided, note",
                "lookup, n",
                [
                    (a.ended, a.family, a.charged, int(a.decided), _text(a.note), a.lookup, a.n)
                    for a in ended
                ],
            )
        if writes.runs:
            totals = [(t.held, t.spent, t.maybe, run) for run, t in writes.runs.items()]
            db.update("run", "held, spent, maybe", "id", totals)
        self._in_flight.keep(writes)
        if forgotten is not None:
            now = max(one.changed for one in writes.lookups.values())
            erase_subjects(db, self.suppression, (), now, forgotten)
            self._in_flight.clear()

    def _changed(self, writes: Writes) -> dict[int, StoredLookup]:
        """The lookups that are not in the table as they are now."""
        inserted, self._inserted = self._inserted, {}
        if not inserted:
            return writes.lookups
        lookups = {ident: self._new[ident] for ident in inserted} | writes.lookups
        return {ident: one for ident, one in lookups.items() if inserted.get(ident) != one.state}

    def _write_answers(self, writes: Writes) -> None:
        """Insert answers; one that is judged in its own transaction with its meaning."""
        same = self._equal_to_earlier(writes)
        rows: list[tuple[object, ...]] = []
        shared: list[tuple[object, ...]] = []
        for a in writes.answers:
            judged = _meaning(writes.meanings.pop((a.lookup, a.n), None))
            values = a.lookup, a.n, a.page, a.now, a.http, *judged
            if (earlier := same.get(a)) is None:
                rows.append((*values, a.body))
            else:
                shared.append((*values, earlier))
        for column, some in (("body", rows), ("same_as", shared)):
            self.database.insert(
                "answer",
                f"lookup, n, page, at, http, meaning, rows, {column}",
                some,
                "(lookup, n, page) DO NOTHING",
            )

    def _equal_to_earlier(self, writes: Writes) -> dict[Receive, int]:
        """New answers that are equal to the version before them, with the answer of that."""
        again = [
            a
            for a in writes.answers
            if (lookup := writes.lookups.get(a.lookup)) is not None and lookup.state.base
        ]
        earlier: dict[tuple[int, int], tuple[int, bytes]] = {}
        for pairs in chunks(sorted({(a.lookup, a.page) for a in again})):
            rows = self.database.execute(EARLIER_BODIES, ([lookup for lookup, _ in pairs], pairs))
            for of, page, ident, codec, body in cast(
                "list[tuple[int, int, int, int, bytes]]", rows
            ):
                if not codec & ~PACKED:  # as it was received
                    earlier[of, page] = ident, unpacked(body, codec)
        return {
            a: found[0]
            for a in again
            if (found := earlier.get((a.lookup, a.page))) is not None and found[1] == a.body
        }

    def _forgotten(self, writes: Writes) -> Erased | None:
        """The ids in judged answers that are of somebody who was forgotten.

        They are learned from no more, and so are those beside them, which are suppressed as well.
        """
        if not writes.learned and not self.suppression.has_secrets(self.database):
            return None  # those of dead owners, say: whoever has the secret erases them
        free = {one.key for one in writes.lookups.values() if not one.state.owner}
        found = Erased()
        keys = self.suppression.find(self.database, [(OF_LOOKUP, key) for key in free])
        found.keys.update(key for _, key in keys)
        shown = [(one, group) for one in writes.learned for group in one.found]
        ids: list[set[SuppressedId]] = [
            {*group.aliases}
            if group.row
            else {(OF_LOOKUP, writes.lookups[one.lookup].key), *group.aliases}
            for one, group in shown
        ]
        theirs: defaultdict[tuple[int, int], list[FoundIds]] = defaultdict(list)
        for (one, group), of_group, by in zip(
            shown, ids, self.suppression.find_people(self.database, ids), strict=True
        ):
            key = writes.lookups[one.lookup].key
            if not by:
                if not group.row:
                    found.keys.discard(key)  # a slug that is another one's by now
                continue
            theirs[one.lookup, one.n].append(group)
            found.aliases.update(group.aliases)
            found.slugs.update(alias for alias in group.aliases if alias[0] in WEAK)
            strong = {kind for kind, _ in filter(is_strong, group.aliases)}
            for weak in itertools.filterfalse(is_strong, of_group):
                found.kinds[weak].update(strong)
            if not group.row:
                found.keys.add(key)
                found.own.add((one.lookup, one.n))
                asked = ids_anywhere(writes.lookups[one.lookup].written_as)
                found.slugs.update(ident.alias for ident in asked if not ident.is_strong)
        for place, one in enumerate(writes.learned if theirs else ()):
            groups = theirs[one.lookup, one.n]
            own = any(not group.row for group in groups)
            left = tuple(group for group in one.found if group not in groups)
            writes.learned[place] = one._replace(found=() if own else left)
            # What only mentions them is found by that when they are cut out.
            self._mention(one, [group for group in groups if group.row])
        return found if found.keys or found.aliases else None

    def _mention(self, one: LearnedAnswer, groups: Sequence[FoundIds]) -> None:
        for group in groups:
            for _, digest in group.aliases:
                self.database.change(
                    "INSERT INTO mention (id, answer, row) SELECT ?, a.id, ? FROM answer a "
                    "WHERE a.lookup = ? AND a.n = ? ON CONFLICT DO NOTHING",
                    (digest, group.row, one.lookup, one.n),
                )

    def suppressed(self, ids: Sequence[SuppressedId]) -> set[SuppressedId]:
        """Those of some ids and keys whose subject was forgotten."""
        return self.suppression.find(self.database, ids) if self.suppression.active else set()

    def count_suppressed(self) -> int:
        """How many ids were forgotten, and are not looked up again."""
        ((count,),) = self.database.execute(
            "SELECT count(*) FROM suppressed WHERE kind NOT LIKE '% %'"
        )
        return cast("int", count)

    def suppressed_calls(self, queries: Sequence[CallQuery]) -> list[bool]:
        """Of calls, whether what they ask about was forgotten."""
        self.suppression.read(self.database)
        return self.blocked(queries)

    def blocked(self, queries: Sequence[CallQuery]) -> list[bool]:
        """Of calls, whether what they ask about was forgotten, as of the list that was read last.

        A slug that is known to be another one's by now may be asked for.
        """
        if not self.suppression.active:
            return [False] * len(queries)
        ids: list[set[SuppressedId]] = [
            {(OF_LOOKUP, query.key), *filter(None, [query.asked])} for query in queries
        ]
        found = self.suppressed([one for some in ids for one in some])
        blocked = [not found.isdisjoint(some) for some in ids]
        slugs = {
            place: asked
            for place, query in enumerate(queries)
            if blocked[place] and (asked := query.asked) is not None and asked[0] in WEAK
        }
        known = load_aliases(self.database, slugs.values()) if slugs else {}
        subjects = load_subjects(self.database, {one.subject for one in known.values()})
        places = [place for place, asked in slugs.items() if asked in known]
        people = self.suppression.find_people(
            self.database,
            [ids[p] | {*subjects[known[slugs[p]].subject].strong.items()} for p in places],
        )
        for place, theirs in zip(places, people, strict=True):
            blocked[place] = bool(theirs)
        return blocked

    def _learn(self, writes: Writes) -> None:
        """Learn which ids belong together, and whom the judged answers are about."""
        subjects, merged = learn(self.database, writes.learned)
        in_flight = self._in_flight.lookups.values()
        for lookup in (*writes.lookups.values(), *in_flight) if merged else ():
            if lookup.subject in merged:
                lookup.subject = merged[lookup.subject]
        for one in writes.learned:
            lookup = writes.lookups[one.lookup]
            if (one.lookup, one.n) not in subjects:
                continue
            subject = subjects[one.lookup, one.n]
            if lookup.state.cur != one.n:  # late, and not the one that stands
                if subject not in (None, lookup.subject):
                    self.database.update(
                        "answer", "subject", "lookup, n", [(subject, one.lookup, one.n)]
                    )
                continue
            if lookup.subject not in (None, subject):  # a slug has changed hands, say
                self.database.change(
                    "UPDATE answer SET subject = ? WHERE lookup = ? AND n < ? AND subject IS NULL",
                    (lookup.subject, lookup.id, one.n),
                )
            lookup.subject = subject

    def learn_stored(
        self,
        after: int,
        groups: Mapping[str, Sequence[IdGroup]],
        variant: Callable[[StoredLookup], bytes],
    ) -> int | None:
        """See `Store.learn_stored`."""
        rows = self.database.execute(
            f"SELECT {LOOKUP} FROM lookup WHERE id > ? AND (status = {CODES['done']} "
            "OR refresh IS NOT NULL) ORDER BY id LIMIT ?",
            (after, CHUNK),
        )
        lookups = {one.id: one for one in (_lookup(row, ()) for row in rows)}
        if not lookups:
            return None
        self._positions([*lookups.values()])
        unlearned = [one.id for one in lookups.values() if one.subject is None]
        answers = [*self._older(unlearned)]
        answers += (one for some in self.current(unlearned).values() for one in some)
        found = [
            LearnedAnswer(one.lookup, one.n, ids)
            for one in answers
            if (ids_of := groups.get(lookups[one.lookup].endpoint))
            and (ids := find_ids(ids_of, one.body))
        ]
        learned, _ = learn(self.database, found)
        subjects = {one.id: one.subject for one in lookups.values()}
        of_older: list[tuple[int, int, int]] = []
        for (ident, n), subject in learned.items():
            state = lookups[ident].state
            if n == (state.cur if state.refresh is None else state.refresh):
                subjects[ident] = subject
            elif subject is not None:
                of_older.append((subject, ident, n))
        rows = [(subjects[one.id], variant(one) or one.variant, one.id) for one in lookups.values()]
        self.database.update("lookup", "subject, variant", "id", rows)
        of_others = [row for row in of_older if row[0] != subjects[row[1]]]
        self.database.update("answer", "subject", "lookup, n", of_others)
        return max(lookups)

    def _older(self, lookups: Sequence[int]) -> Iterator[AnswerRow]:
        """Usable answers of lookups that do not stand any more, but for pages."""
        for some in chunks(lookups):
            rows = self.database.execute(
                f"SELECT {ANSWER} FROM answer a JOIN lookup l ON l.id = a.lookup "
                "WHERE l.id IN (?*) AND a.n <> coalesce(l.refresh, l.cur) AND a.meaning = 0 "
                "AND a.page = 0 "
                "ORDER BY a.lookup, a.n",
                (some,),
            )
            yield from map(_answer, rows)

    def forget_learned(self) -> None:
        """Note that there are answers which nothing was learned from."""
        self.database.change("DELETE FROM about WHERE name LIKE 'identity%'")

    # Inputs and runs

    def add(
        self,
        specs: Sequence[LookupSpec],
        now: int,
        *,
        sends: Sequence[Send] = (),
        owner: int = 0,
    ) -> list[StoredLookup]:
        """The lookups of calls, made where they are new, in the order of the calls.

        Args:
            specs: The calls.
            now: Epoch milliseconds.
            sends: What announces each of them in this transaction: a new row is inserted as it is
                then, which saves an update. `write` comes next, and corrects those not sent.
            owner: The owner that announces them; 0 announces none.
        """
        states = {page: _new_state(page, owner) for page in {spec.page for spec in specs}}
        times = [one.now for one in sends] or [now] * len(specs)
        # The first of equal calls counts.
        new = {
            spec.key: (spec, at) for spec, at in zip(reversed(specs), reversed(times), strict=True)
        }
        # Ordered: two transactions that insert the same keys must do it in one order.
        rows = [
            (
                *(s.key, s.endpoint, s.written_as, s.variant, s.subject, s.page, at),
                *(CODES[states[s.page].status], states[s.page].owner, states[s.page].n),
            )
            for _, (s, at) in sorted(new.items())
        ]
        columns = "key, endpoint, written_as, variant, subject, page, changed, status, owner, n"
        found: dict[bytes, StoredLookup] = {}
        for some in chunks(rows):
            inserted = self.database.insert_new("lookup", columns, some, "key")
            for key, ident in cast("list[tuple[bytes, int]]", inserted):
                s, at = new[bytes(key)]
                lookup = StoredLookup(
                    *(ident, s.key, s.endpoint, s.written_as, LookupState(page=s.page)),
                    variant=s.variant,
                    subject=s.subject,
                    changed=at,
                )
                found[s.key] = self._new[ident] = lookup
                self._inserted[ident] = states[s.page]
        found.update(self.find([key for key in new if key not in found]))
        # A ledger of version 2 did not tell that a listing is one before it had a page.
        for ident in sorted({found[s.key].id for s in specs if s.page > found[s.key].state.page}):
            self.database.change(
                "UPDATE lookup SET page = 1 WHERE id = ? AND page = 0 AND status IN (0, 3, 7)",
                (ident,),
            )
        return [found[spec.key] for spec in specs]

    def sent_at(self, lookup: int, n: int) -> int | None:
        """When an attempt was announced, in epoch milliseconds; None where there is none."""
        rows = self.database.execute(
            "SELECT sent FROM attempt WHERE lookup = ? AND n = ?", (lookup, n)
        )
        return cast("int", rows[0][0]) if rows else None

    def add_calls(
        self, specs: Sequence[LookupSpec], asked: Sequence[AliasKey | None], now: int
    ) -> list[StoredLookup]:
        """The lookups of calls, made where they are new and not known under another id."""
        queries = [
            CallQuery(spec.key, spec.endpoint, one, spec.variant)
            for spec, one in zip(specs, asked, strict=True)
        ]
        found = self.find_calls(queries, now)
        new = [spec for spec, one in zip(specs, found, strict=True) if one is None]
        lookups = iter(self.add(new, now))
        return [next(lookups) if one is None else one for one in found]

    def remove_unsent(self, keys: Sequence[bytes]) -> None:
        """Remove lookups that were never sent and that no input leads to."""
        for some in chunks(keys):
            self.database.execute(
                "DELETE FROM lookup WHERE key IN (?*) AND n = 0 AND NOT EXISTS "
                "(SELECT 1 FROM input i WHERE i.lookup = lookup.id) RETURNING id",
                (some,),
            )

    def find(self, keys: Sequence[bytes], *, answers: bool = True) -> dict[bytes, StoredLookup]:
        """The lookups of keys that the ledger has, unlocked.

        Args:
            keys: The keys.
            answers: Whether their answers are read, without bodies.
        """
        rows = [
            row
            for some in chunks(keys)
            for row in self.database.execute(
                f"SELECT {LOOKUP} FROM lookup WHERE key IN (?*)", (some,)
            )
        ]
        of_lookup: dict[int, tuple[StoredAnswer, ...]] = {}
        for ids in chunks([cast("int", row[0]) for row in rows if row[6] and answers]):
            of_lookup.update(_answers(self.database.execute(ANSWERS, (ids,))))
        found = [_lookup(row, of_lookup.get(cast("int", row[0]), ())) for row in rows]
        self._positions(found)
        return {lookup.key: lookup for lookup in found}

    def find_calls(
        self, queries: Sequence[CallQuery], now: int, *, answers: bool = True
    ) -> list[StoredLookup | None]:
        """See `Store.find_calls`."""
        known = self.find([query.key for query in queries], answers=answers)
        found = [known.get(query.key) for query in queries]
        slugs = [
            AskedLookup(one.id, one.subject, one.changed, query.asked)
            for one, query in zip(found, queries, strict=True)
            if one is not None
            and query.asked is not None
            and query.asked[0] in WEAK
            and one.subject is not None
            and (one.state.status == "done" or one.state.refresh is not None)
        ]
        if gone := self._moved(slugs) if slugs else ():
            for one in known.values():
                one.moved = one.id in gone
        places = [
            place
            for place, one in enumerate(found)
            if queries[place].asked is not None
            and (one is None or one.moved or one.state.status == "pending")
        ]
        others: dict[int, int] = {}
        asked = [queries[place] for place in places]
        siblings = find_siblings(self.database, asked, now) if asked else []
        for place, (_, of_subject) in zip(places, siblings, strict=True):
            own = found[place]
            other = choose(one for one in of_subject if own is None or one.id != own.id)
            if other is not None:
                others[place] = other.id
        by_id = self.by_id(sorted(set(others.values()))) if others else {}
        for place, ident in others.items():
            found[place] = by_id[ident]
        open_ones = [
            place
            for place, one in enumerate(found)
            if one is None or one.state.status == "pending" or one.moved
        ]
        blocked = self.suppressed_calls([queries[place] for place in open_ones])
        for place in itertools.compress(open_ones, blocked):
            query = queries[place]
            state = LookupState("refused")
            found[place] = StoredLookup(
                *(0, query.key, query.endpoint, b"null", state), suppressed=True
            )
        return found

    def ended_calls(self, queries: Sequence[CallQuery], now: int) -> list[EndedCall | None]:
        """See `Store.ended_calls`."""
        found: dict[bytes, EndedCall] = {}
        subjects: dict[int, tuple[int, int]] = {}
        again: set[int] = set()
        for some in chunks([query.key for query in queries]):
            rows = self.database.execute(ENDED_CALLS, (some,))
            for key, ident, subject, changed, n, at, meaning in cast("list[EndedColumns]", rows):
                if n is not None and meaning is None:
                    again.add(ident)
                if subject is not None:
                    subjects[ident] = subject, changed
                if at is not None or key not in found:
                    found[key] = EndedCall(ident, bytes(key), at)
        ended = [found.get(query.key) for query in queries]
        slugs = [
            AskedLookup(one.lookup, *subjects[one.lookup], query.asked)
            for query, one in (zip(queries, ended, strict=True) if subjects else ())
            if one is not None
            and one.lookup in subjects
            and query.asked is not None
            and query.asked[0] in WEAK
        ]
        again |= self._moved(slugs) if slugs else set()
        places = [place for place, one in enumerate(ended) if one is None or one.lookup in again]
        others = self.find_calls([queries[place] for place in places], now) if places else []
        times = self.answer_times([one.id for one in others if one is not None and one.has_ended])
        for place, one in zip(places, others, strict=True):
            ended[place] = None
            if one is not None and one.has_ended:
                ended[place] = EndedCall(one.id, one.key, times.get(one.id))
        return ended

    def _moved(self, slugs: Sequence[AskedLookup]) -> set[int]:
        """The lookups whose slug is another one's by now, who may have been forgotten."""
        found = moved(self.database, slugs)
        self.suppression.read(self.database)
        if self.suppression.active and self.suppression.has_secrets(self.database):
            suppressed = self.suppressed([one.asked for one in slugs])
            known = load_aliases(self.database, suppressed)
            found |= {
                one.id
                for one in slugs
                if one.asked in suppressed
                and (one.asked not in known or known[one.asked].subject != one.subject)
            }
        return found

    def siblings(
        self, queries: Sequence[CallQuery], now: int
    ) -> list[tuple[int | None, list[Sibling]]]:
        """The subjects of calls that are to be announced, locked, and the lookups of those."""
        return find_siblings(self.database, queries, now, lock=True)

    def by_id(self, ids: Sequence[int]) -> dict[int, StoredLookup]:
        """Lookups by id, unlocked."""
        rows, answers = self._select((BY_ID, ids), (ANSWERS, ids))
        of_lookup = _answers(answers)
        found = [_lookup(row, of_lookup.get(cast("int", row[0]), ())) for row in rows]
        self._positions(found)
        return {lookup.id: lookup for lookup in found}

    def _positions(self, lookups: Sequence[StoredLookup]) -> None:
        listings = {lookup.id: lookup for lookup in lookups if lookup.state.page > 1}
        for some in chunks(list(listings)):
            rows = self.database.execute(
                "SELECT lookup, position FROM listing WHERE lookup IN (?*)", (some,)
            )
            for lookup, position in cast("list[tuple[int, bytes]]", rows):
                listings[lookup].position = bytes(position)

    def begin_run(self, name: str, method: str, options: str, cap: int | None, now: int) -> int:
        """A new run, or the one that has this name, with its own cap where none is given."""
        rows = self.database.execute(
            "INSERT INTO run (name, method, options, cap, began) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (name) WHERE name <> '' DO UPDATE SET ended = NULL, "
            "cap = coalesce(excluded.cap, run.cap) RETURNING id",
            (name, method, options, cap, now),
        )
        return cast("int", rows[0][0])

    def is_spent(self, run: int, price: int) -> bool:
        """Whether a run cannot pay this price, whatever comes of its calls in flight."""
        rows = cast("list[tuple[int, ...]]", self.database.execute(RUNS, ([run],)))
        return any(spent + maybe + price > cap for _, cap, _, spent, maybe in rows)

    def end_run(self, run: int, now: int) -> None:
        """Note that a run has ended."""
        self.database.change("UPDATE run SET ended = ? WHERE id = ?", (now, run))

    def add_inputs(self, run: int, inputs: Sequence[InputRow]) -> None:
        """Keep which row of a run led to which lookup.

        Processes that work on one run by its name may number different inputs alike: what finds its
        number taken gets the next free one, unless the run has its lookup already.
        """
        while inputs:
            inserted = self.database.insert(
                "input",
                "run, row, lookup, given, state, note, ref",
                [(run, x.row, x.lookup, x.given, x.state, _text(x.note), x.ref) for x in inputs],
                "(run, row) DO NOTHING",
            )
            inputs = self._displaced(run, inputs) if inserted < len(inputs) else ()

    def _displaced(self, run: int, inputs: Sequence[InputRow]) -> list[InputRow]:
        """Inputs of a named run whose numbers are those of others, with new numbers."""
        rows = {one.row: (one.lookup, one) for one in inputs if one.lookup is not None}
        lost: dict[int, InputRow] = {}
        for some in chunks(list(rows)):
            found = self.database.execute(
                "SELECT i.row, i.lookup FROM input i JOIN run r ON r.id = i.run "
                "WHERE r.id = ? AND r.name <> '' AND i.row IN (?*)",
                (run, some),
            )
            for row, lookup in cast("list[tuple[int, int | None]]", found):
                wanted, one = rows[row]
                if lookup != wanted:
                    lost[wanted] = one
        for ids in chunks(list(lost)):
            there = "SELECT DISTINCT lookup FROM input WHERE run = ? AND lookup IN (?*)"
            for (found_id,) in self.database.execute(there, (run, ids)):
                del lost[cast("int", found_id)]
        if not lost:
            return []
        ((last,),) = self.database.execute("SELECT max(row) FROM input WHERE run = ?", (run,))
        free = itertools.count(cast("int", last) + 1)
        return [replace(one, row=next(free)) for one in lost.values()]

    def inputs(self, run: int, first: int, last: int) -> list[InputRow]:
        """The inputs of a run from one row to another, each with what was given."""
        rows = self.database.execute(
            "SELECT i.row, i.lookup, i.state, i.note, coalesce(i.given, l.written_as) FROM input i "
            "LEFT JOIN lookup l ON l.id = i.lookup WHERE i.run = ? AND i.row BETWEEN ? AND ? "
            "ORDER BY i.row",
            (run, first, last),
        )
        return [
            InputRow(row, lookup, state, note, None if given is None else bytes(given))
            for row, lookup, state, note, given in cast("list[InputColumns]", rows)
        ]

    def run_named(self, name: str) -> int | None:
        """The run that has a name."""
        rows = self.database.execute("SELECT id FROM run WHERE name = ?", (name,))
        return cast("int", rows[0][0]) if rows else None

    def input_answers(self, run: int, first: int, last: int) -> list[InputAnswer]:
        """The inputs of a run from one row to another, each with the answer that stands."""
        rows = self.database.execute(INPUT_ANSWERS, (run, first, last))
        return [
            InputAnswer(
                *(row, lookup, state, note, None if given is None else bytes(given)),
                *(endpoint or "", at or 0, None if body is None else unpacked(body, codec)),
            )
            for row, lookup, state, note, given, endpoint, at, codec, body in cast(
                "list[InputAnswerColumns]", rows
            )
        ]

    def ended_inputs(self, run: int, after: int, limit: int) -> list[int]:
        """The rows of a run after one whose lookups have ended, in their order."""
        rows = self.database.execute(ENDED, (run, after, limit))
        return [cast("int", row[0]) for row in rows]

    def resolve_inputs(self, run: int, inputs: Sequence[InputRow]) -> None:
        """Keep which lookups queued inputs lead to, and which of them are invalid."""
        rows = [(x.lookup, x.given, x.state, _text(x.note), run, x.row) for x in inputs]
        self.database.update("input", "lookup, given, state, note", "run, row", rows)

    def move_inputs(self, run: int, given: bytes, lookup: int, other: int) -> None:
        """Let an input of a run lead to another lookup than it did."""
        self.database.change(
            "UPDATE input SET lookup = ? WHERE lookup = ? AND run = ? AND given = ? "
            "AND EXISTS (SELECT 1 FROM lookup WHERE id = ?)",
            (other, lookup, run, given, other),
        )

    def runs(self) -> list[RunEntry]:
        """The runs, oldest first."""
        inputs = dict(
            cast(
                "list[tuple[int, int]]",
                self.database.execute("SELECT run, count(*) FROM input GROUP BY run"),
            )
        )
        money = {
            run: (int(credits), int(maybe))
            for run, credits, maybe in cast(
                "list[tuple[int, int, int]]",
                self.database.execute(
                    "SELECT run, coalesce(sum(charged), 0), "
                    "coalesce(sum(CASE WHEN charged IS NULL AND ended IS NOT NULL THEN price END), "
                    "0) FROM attempt WHERE run IS NOT NULL GROUP BY run"
                ),
            )
        }
        rows = self.database.execute(
            "SELECT id, name, method, began, ended FROM run ORDER BY began, id"
        )
        return [
            RunEntry(
                name=name,
                method=method,
                began=began / 1000,
                ended=None if ended is None else ended / 1000,
                inputs=inputs.get(ident, 0),
                credits=money.get(ident, (0, 0))[0],
                maybe=money.get(ident, (0, 0))[1],
            )
            for ident, name, method, began, ended in cast(
                "list[tuple[int, str, str, int, int | None]]", rows
            )
        ]

    def add_export(self, place: str, what: str, now: int) -> None:
        """Keep what was exported where."""
        self.database.insert("export", "at, place, what", [(now, place, what)])

    def exports(self) -> list[Export]:
        """What was exported, oldest first."""
        rows = self.database.execute("SELECT at, place, what FROM export ORDER BY at, id")
        return [
            Export(at=at / 1000, place=place, what=what)
            for at, place, what in cast("list[tuple[int, str, str]]", rows)
        ]

    # Answers

    def current(self, ids: Sequence[int], *, newest: bool = False) -> dict[int, list[AnswerRow]]:
        """The answers that stand, with the pages of a listing in their order.

        Of a listing that was refused or cannot be read, the answer that ended it is the last one.
        Of a lookup that is being refreshed it is the older answer until the newer one is there.

        Args:
            ids: The lookups.
            newest: Of a listing that is being refreshed the new pages so far.
        """
        found: defaultdict[int, list[AnswerRow]] = defaultdict(list)
        for some in chunks(ids):
            rows = self.database.execute(
                f"SELECT {ANSWER} FROM lookup l JOIN answer a ON a.lookup = l.id "
                "AND a.n = coalesce(l.refresh, l.cur) WHERE l.id IN (?*) AND l.page = 0",
                (some,),
            )
            for answer in map(_answer, rows):
                found[answer.lookup].append(answer)
        wanted: list[tuple[int, int]] = []
        refresh = "CAST(NULL AS INTEGER)" if newest else "l.refresh"
        for some in chunks([ident for ident in ids if ident not in found]):  # listings
            rows = self.database.execute(
                "SELECT a.lookup, a.n, a.page, l.page, CASE WHEN l.status = 4 "
                f"OR {refresh} IS NOT NULL THEN 1 ELSE 0 END, a.meaning, "
                "CASE WHEN l.status IN (5, 6) AND a.n = l.cur AND a.meaning <> 0 THEN 1 ELSE 0 END "
                "FROM answer a JOIN lookup l "
                "ON l.id = a.lookup WHERE l.id IN (?*) "
                f"AND a.n <= coalesce({refresh}, l.cur) ORDER BY a.lookup, a.n DESC",
                (some,),
            )
            wanted += _current_answers(
                cast("list[tuple[int, int, int, int, int, int | None, int]]", rows)
            )
        for pairs in chunks(wanted):
            rows = self.database.execute(
                f"SELECT {ANSWER} FROM answer a WHERE (lookup, n) IN (?**) ORDER BY lookup, page",
                (pairs,),
            )
            for answer in map(_answer, rows):
                found[answer.lookup].append(answer)
        return found

    def history(self, lookup: int) -> list[AnswerRow]:
        """Every answer of a lookup, oldest attempt first."""
        rows = self.database.execute(
            f"SELECT {ANSWER} FROM answer a WHERE lookup = ? ORDER BY n, page",
            (lookup,),
        )
        return list(map(_answer, rows))

    def versions(
        self,
        after: int,
        since: int,
        endpoints: Sequence[str],
        about: Named | None,
        limit: int,
    ) -> list[StoredVersion]:
        """Usable answers, each with those before it, in the order of their ids, after one.

        Args:
            after: The id.
            since: Only answers from this moment on.
            endpoints: Only of these endpoints.
            about: Only about these subjects; None for all.
            limit: How many at most.
        """
        among = "" if about is None else f"AND {OF_SUBJECT} "
        values = () if about is None else (about.lookups, about.subjects)
        rows = self.database.execute(
            f"{VERSIONS} {among}ORDER BY a.id LIMIT ?", (after, since, endpoints, *values, limit)
        )
        return list(map(_version, rows))

    def version(self, lookup: int, n: int, endpoint: str) -> StoredVersion | None:
        """A usable answer of a lookup, with those before it."""
        rows = self.database.execute(
            f"{VERSIONS} AND a.lookup = ? AND a.n = ?",
            (0, 0, [endpoint], lookup, n),
        )
        return _version(rows[0]) if rows else None

    def usable(self, about: Named, after: int, limit: int) -> list[tuple[bytes, str, AnswerRow]]:
        """The usable answers about subjects, each with the key and the endpoint of its lookup.

        Args:
            about: The subjects.
            after: How many of them are left out.
            limit: How many at most.
        """
        rows = self.database.execute(
            f"SELECT l.key, l.endpoint, {ANSWER} FROM answer a JOIN lookup l ON l.id = a.lookup "
            f"WHERE a.meaning = 0 AND {OF_SUBJECT} ORDER BY a.lookup, a.n, a.page LIMIT ? OFFSET ?",
            (about.lookups, about.subjects, limit, after),
        )
        return [
            (bytes(cast("bytes", row[0])), cast("str", row[1]), _answer(row[2:])) for row in rows
        ]

    def version_bodies(self, ids: Sequence[int]) -> dict[int, StoredBody]:
        """Answers with their bodies, by id."""
        found: dict[int, StoredBody] = {}
        for some in chunks(ids):
            rows = self.database.execute(
                f"SELECT a.id, a.at, a.http, {CODEC}, {BODY} FROM answer a WHERE a.id IN (?*)",
                (some,),
            )
            for ident, at, http, codec, body in cast(
                "list[tuple[int, int, int, int, bytes]]", rows
            ):
                found[ident] = StoredBody(ident, at, http, unpacked(body, codec))
        return found

    def all_versions(self, lookups: Sequence[int]) -> dict[int, list[StoredBody]]:
        """Every usable answer of lookups about whom they are now, the oldest first."""
        found: defaultdict[int, list[StoredBody]] = defaultdict(list)
        for some in chunks(lookups):
            rows = self.database.execute(
                f"SELECT a.lookup, a.id, a.at, a.http, {CODEC}, {BODY} FROM answer a "
                "WHERE a.lookup IN (?*) AND a.meaning = 0 AND a.page = 0 AND a.subject IS NULL "
                "ORDER BY a.lookup, a.n",
                (some,),
            )
            for lookup, ident, at, http, codec, body in cast(
                "list[tuple[int, int, int, int, int, bytes]]", rows
            ):
                found[lookup].append(StoredBody(ident, at, http, unpacked(body, codec)))
        return found

    def answer_times(self, lookups: Sequence[int]) -> dict[int, int]:
        """When the answers that stand were received, of a listing its last page."""
        found: dict[int, int] = {}
        for some in chunks(lookups):
            rows = self.database.execute(
                "SELECT l.id, a.at FROM lookup l JOIN answer a ON a.lookup = l.id "
                "AND a.n = coalesce(l.refresh, l.cur) WHERE l.id IN (?*)",
                (some,),
            )
            found.update(cast("list[tuple[int, int]]", rows))
        return found

    def given_after(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        """Lookups by id: the endpoint, and what was first given."""
        rows = self.database.execute(
            "SELECT id, endpoint, written_as FROM lookup WHERE id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [
            (ident, endpoint, bytes(given))
            for ident, endpoint, given in cast("list[tuple[int, str, bytes]]", rows)
        ]

    def named_by(self, aliases: Sequence[AliasKey]) -> Named:
        """The subjects that ids are of."""
        subjects = {one.subject for one in load_aliases(self.database, aliases).values()}
        return self._named(set(), subjects)

    def named_by_lookups(self, ids: Sequence[int], also: Sequence[int] = ()) -> Named:
        """Lookups, with the subjects that they are about, and others."""
        subjects = set(also)
        for some in chunks(ids):
            rows = self.database.execute(
                "SELECT DISTINCT subject FROM lookup WHERE id IN (?*) AND subject IS NOT NULL",
                (some,),
            )
            subjects.update(cast("int", row[0]) for row in rows)
        return self._named(set(ids), subjects)

    def _named(self, lookups: set[int], subjects: set[int]) -> Named:
        for some in chunks(sorted(subjects)):
            rows = self.database.execute("SELECT id FROM lookup WHERE subject IN (?*)", (some,))
            lookups.update(cast("int", row[0]) for row in rows)
        return Named(sorted(lookups), sorted(subjects))

    def unjudged(self, lookup: int) -> list[AnswerRow]:
        """Answers of a lookup that wait to be judged, except one that its owner is about to judge.

        Besides those that are not judged yet, it is one that was judged while another request was
        in flight, and that the lookup took up when that one brought nothing better.
        """
        rows = self.database.execute(
            f"SELECT {ANSWER} FROM answer a JOIN lookup l ON l.id = a.lookup "
            "WHERE a.lookup = ? AND CASE WHEN l.status = 2 AND l.cur = a.n "
            "THEN l.owner = 0 ELSE a.meaning IS NULL END ORDER BY a.id",
            (lookup,),
        )
        return list(map(_answer, rows))

    def unattested_refusals(
        self, lookup: int, statuses: Sequence[int]
    ) -> list[tuple[int | None, int]]:
        """Attempts that ended in one of some statuses without the API's own error.

        Returns:
            The run of each, and when it was sent (epoch milliseconds).
        """
        rows = self.database.execute(
            "SELECT a.run, a.sent FROM attempt a JOIN answer b ON b.lookup = a.lookup "
            "AND b.n = a.n WHERE a.lookup = ? AND a.family = 'unattested' AND b.http IN (?*)",
            (lookup, statuses),
        )
        return cast("list[tuple[int | None, int]]", rows)

    # Lists

    def unattested(self) -> list[bytes]:
        """The keys of lookups that are refused without the API's own error."""
        rows = self.database.execute(
            "SELECT l.key FROM lookup l JOIN attempt a ON a.lookup = l.id AND a.n = l.n "
            f"WHERE l.status = {CODES['refused']} AND a.family = 'unattested' ORDER BY l.id"
        )
        return [bytes(cast("bytes", row[0])) for row in rows]

    def page_of(
        self, after: int, limit: int, statuses: Sequence[int], endpoint: str | None
    ) -> list[StoredLookup]:
        """Lookups in some statuses, in the order of their ids, after one."""
        # Codes stand in the statement as numbers, else the partial indexes are of no use.
        among = f"IN ({', '.join(map(str, statuses))})"
        rows = self.database.execute(
            f"SELECT {LOOKUP} FROM lookup WHERE id > ? AND status {among} "
            "AND endpoint = coalesce(?, endpoint) ORDER BY id LIMIT ?",
            (after, endpoint, limit),
        )
        found = [_lookup(row, ()) for row in rows]
        self._positions(found)
        return found

    def counts(self) -> Counts:
        """Lookups by status, and the credits of all attempts."""
        rows = self.database.execute("SELECT status, count(*) FROM lookup GROUP BY status")
        money = self.database.execute(
            "SELECT coalesce(sum(charged), 0), "
            "coalesce(sum(CASE WHEN charged IS NULL AND ended IS NOT NULL THEN price END), 0) "
            "FROM attempt"
        )[0]
        by_status = {STATUSES[code]: count for code, count in cast("list[tuple[int, int]]", rows)}
        credits, maybe = cast("tuple[int, int]", money)
        return Counts(**by_status, credits=int(credits), maybe=int(maybe))

    def notes(self, ids: Sequence[int]) -> dict[int, tuple[int, int, int, str]]:
        """Of lookups: attempts, credits, credits that may have been charged, the last note."""
        found: dict[int, tuple[int, int, int, str]] = {}
        for some in chunks(ids):
            rows = self.database.execute(
                "SELECT lookup, count(*), coalesce(sum(charged), 0), coalesce(sum(CASE WHEN "
                "charged IS NULL AND ended IS NOT NULL THEN price END), 0), "
                "coalesce((SELECT b.note FROM attempt b WHERE b.lookup = a.lookup "
                "ORDER BY b.n DESC LIMIT 1), '') "
                "FROM attempt a WHERE lookup IN (?*) GROUP BY lookup",
                (some,),
            )
            for lookup, attempts, credits, maybe, note in cast(
                "list[tuple[int, int, int, int, str]]", rows
            ):
                found[lookup] = int(attempts), int(credits), int(maybe), note
        return found

    def next_due(self) -> tuple[int, int] | None:
        """When the first waiting lookup is due, and the pause it was decided with."""
        rows = self.database.execute(
            "SELECT due, pause FROM lookup WHERE status IN (0, 3) AND due IS NOT NULL "
            "ORDER BY due LIMIT 1"
        )
        return cast("tuple[int, int]", rows[0]) if rows else None

    def about(self, name: str) -> str | None:
        """A setting of the ledger."""
        rows = self.database.execute("SELECT value FROM about WHERE name = ?", (name,))
        return cast("str", rows[0][0]) if rows else None

    def set_about(self, name: str, value: str) -> None:
        """Change a setting of the ledger."""
        self.database.change(
            "INSERT INTO about (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    # Owners

    def add_owner(self, token: bytes, boot: str, pid: int, now: int) -> int:
        """A new owner; its number, which is never used again."""
        rows = self.database.execute(
            "INSERT INTO owner (token, boot, pid, born) VALUES (?, ?, ?, ?) RETURNING no",
            (token, boot, pid, now),
        )
        return cast("int", rows[0][0])

    def confirm_owner(self, no: int, token: bytes, batch: int) -> Literal["yes", "dead", "done"]:
        """Confirm that an owner may write, and lock it until the transaction ends.

        Locked, because whoever declares it dead must wait until what it writes here can be seen.

        Args:
            no: The owner.
            token: Its token.
            batch: The number of its transaction, higher than those before.

        Returns:
            "dead" for an owner that was declared dead; "done" where the transaction of this number
            was committed before, although the connection broke before that was known.
        """
        # Read after the row is locked: whoever forgets somebody waits for that, so an announcement
        # that does not see it is seen there.
        changed, forgotten = self.database.select(
            [
                (CONFIRM, (batch, no, token, batch)),
                (SELECT, ()),
            ]
        )
        self.suppression.note(forgotten)
        if changed:
            return "yes"
        found = self.database.execute(
            "SELECT batch FROM owner WHERE no = ? AND token = ?", (no, token)
        )
        return "done" if found and cast("int", found[0][0]) >= batch else "dead"

    def owner_lives(self, no: int, token: bytes) -> bool:
        """Whether an owner is known and has not been declared dead."""
        query = "SELECT 1 FROM owner WHERE no = ? AND token = ? AND dead = 0"
        return bool(self.database.execute(query, (no, token)))

    def beat(self, no: int) -> None:
        """Raise an owner's beat."""
        self.database.change("UPDATE owner SET beat = beat + 1 WHERE no = ?", (no,))

    def owners(self) -> list[tuple[int, bytes, str, int]]:
        """Owners that are not known to be dead: number, token, boot, beat."""
        rows = self.database.execute("SELECT no, token, boot, beat FROM owner WHERE dead = 0")
        return [
            (no, bytes(token), boot, beat)
            for no, token, boot, beat in cast("list[tuple[int, bytes, str, int]]", rows)
        ]

    def declare_dead(self, no: int) -> list[int]:
        """Declare an owner dead; the lookups that it had."""
        self.database.change("UPDATE owner SET dead = 1 WHERE no = ?", (no,))
        rows = self.database.execute(
            "SELECT id FROM lookup WHERE status IN (1, 2) AND owner = ? ORDER BY id", (no,)
        )
        return [cast("int", row[0]) for row in rows]


def _current_answers(
    answers: Iterable[tuple[int, int, int, int, int, int | None, int]],
) -> list[tuple[int, int]]:
    """Of answers those that stand, as (lookup, n).

    They come with the newest first. A page is asked for only after the one before it was taken,
    so the attempts of the pages of one version rise, and from its last page back the newest answer
    of each page is the one.

    Args:
        answers: Lookup, n, page, the page that is needed next, whether the listing is complete,
            the meaning, and whether this answer ended it as refused or unreadable.
    """
    current: list[tuple[int, int]] = []
    next_pages: dict[int, int] = {}
    for lookup, n, page, needed, complete, meaning, ended in answers:
        if not needed or ended:
            current.append((lookup, n))
            continue
        first = page if complete else needed - 1
        if meaning == 0 and page == next_pages.get(lookup, first):
            current.append((lookup, n))
            next_pages[lookup] = page - 1
    return current


def _new_state(page: int, owner: int) -> LookupState:
    """A new lookup, as it is once an owner has announced it; 0 announces none."""
    state = LookupState(page=page)
    change = send(state, now=0) if owner else None
    return state if change is None else replace(change.row, owner=owner)


def _lookup(row: Columns, answers: tuple[StoredAnswer, ...]) -> StoredLookup:
    values = cast("LookupColumns", row)
    ident, key, endpoint, written_as, status, owner, n, base, cur, tries, due, page = values[:12]
    refresh, pause, changed, subject, variant = values[12:]
    state = LookupState(STATUSES[status], owner, n, base, cur, tries, due, page, refresh, answers)
    return StoredLookup(
        *(ident, bytes(key), endpoint, bytes(written_as), state, None, subject, bytes(variant)),
        *(pause, changed),
    )


def _lookup_values(lookup: StoredLookup) -> tuple[object, ...]:
    s = lookup.state
    return (
        *(CODES[s.status], s.owner, s.n, s.base, s.cur, s.tries, s.due, s.page, s.refresh),
        *(lookup.pause, lookup.changed, lookup.subject, lookup.id),
    )


def _version(row: Columns) -> StoredVersion:
    ident, key, endpoint, written_as, *earlier = row
    values = cast("tuple[int, bytes, str, bytes]", (ident, key, endpoint, written_as))
    before = tuple(one for one in cast("list[int | None]", earlier) if one is not None)
    return StoredVersion(values[0], bytes(values[1]), values[2], bytes(values[3]), before)


def _text(note: str | None) -> str | None:
    """A note as both databases store it: a provider's text may hold a NUL or half a surrogate."""
    return note and note.replace("\0", "").encode(errors="replace").decode()


def _meaning(judged: tuple[Meaning, bytes | None] | None) -> tuple[int | None, bytes | None]:
    return (None, None) if judged is None else (MEANING_CODES[judged[0]], judged[1])


def _answer(row: Columns) -> AnswerRow:
    values = cast("tuple[int, int, int, int, int, int | None, bytes, bytes | None, int]", row)
    lookup, n, page, at, http, meaning, body, rows, codec = values
    named = None if meaning is None else MEANINGS[meaning]
    kept = None if rows is None else bytes(rows)
    received = unpacked(body, codec)
    kind, redacted = codec & ~(PACKED | REDACTED), bool(codec & REDACTED)
    return AnswerRow(lookup, n, page, at, http, received, named, kept, kind, redacted)


def _answers(rows: list[Columns]) -> dict[int, tuple[StoredAnswer, ...]]:
    found: dict[int, list[StoredAnswer]] = defaultdict(list)
    for lookup, n, page, meaning in cast("list[tuple[int, int, int, int | None]]", rows):
        named = None if meaning is None else MEANINGS[meaning]
        found[lookup].append(StoredAnswer(n, page, named))
    return {lookup: tuple(answers) for lookup, answers in found.items()}
