"""Reading and writing the tables of a ledger, in SQL that both databases understand.

A `Database` is a connection inside a transaction. Statements use `?` for values; the databases
differ only in how rows are locked (`for_update`), which SQLite does for the whole file when a
writing transaction begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar, cast

from .records import Answer, Counts, Input, Lookup, LookupSpec, RunTotals
from .rule import STATUSES, VERDICTS, LookupState, StoredAnswer
from .transaction import Attempt, Writes

V = TypeVar("V")
Columns = tuple[object, ...]
CODES = {status: code for code, status in enumerate(STATUSES)}
VERDICT_CODES = {verdict: code for code, verdict in enumerate(VERDICTS)}
CHUNK = 500
"""Values in one `IN (…)`."""
LOOKUP = (
    "id, key, endpoint, spelled, status, owner, n, base, cur, tries, due, page, refresh, pause, "
    "changed"
)


class Database(Protocol):
    """A connection to either database."""

    for_update: str
    """What follows a SELECT to lock its rows."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[Columns]:
        """Run a statement; its rows."""
        ...

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement; how many rows it changed."""
        ...

    def many(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        """Run a statement for each sequence of values."""
        ...


class SqlTables:
    """The tables of a ledger behind one connection."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # Rows for the rule

    def load(self, ids: Sequence[int]) -> dict[int, Lookup]:
        """Lock and load lookups, with the answers that the rule looks at."""
        found: dict[int, Lookup] = {}
        rows: list[Columns] = []
        for some in _chunks(ids):
            # Ordered: two transactions that lock the same rows must lock them in one order.
            rows += self._db.execute(
                f"SELECT {LOOKUP} FROM lookup WHERE id IN ({_marks(some)}) ORDER BY id"
                f"{self._db.for_update}",
                some,
            )
        answers = self._answers([cast("int", row[0]) for row in rows if row[6]])
        for row in rows:
            lookup = _lookup(row, answers.get(cast("int", row[0]), ()))
            found[lookup.id] = lookup
        return found

    def _answers(self, ids: Sequence[int]) -> dict[int, tuple[StoredAnswer, ...]]:
        found: dict[int, list[StoredAnswer]] = defaultdict(list)
        for some in _chunks(ids):
            rows = self._db.execute(
                "SELECT a.lookup, a.n, a.page, a.verdict FROM answer a JOIN lookup l "
                f"ON l.id = a.lookup WHERE l.id IN ({_marks(some)}) "
                "AND (a.n > l.base OR a.verdict IS NULL) ORDER BY a.n, a.page",
                some,
            )
            for lookup, n, page, verdict in cast("list[tuple[int, int, int, int | None]]", rows):
                named = None if verdict is None else VERDICTS[verdict]
                found[lookup].append(StoredAnswer(n, page, named))
        return {lookup: tuple(answers) for lookup, answers in found.items()}

    def attempts(self, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Attempt]:
        """Attempts by (lookup, n)."""
        found: dict[tuple[int, int], Attempt] = {}
        for some in _chunks(keys):
            rows = self._db.execute(
                "SELECT lookup, n, run, price, kind, sent, owner, ended, family, http, charged, "
                f"decided, note FROM attempt WHERE (lookup, n) IN (VALUES {_pairs(some)})",
                [value for key in some for value in key],
            )
            for row in rows:
                values = (*row[:11], bool(row[11]), row[12])
                attempt = Attempt(*cast("tuple[int, int, None, int, str, int, int]", values))
                found[attempt.lookup, attempt.n] = attempt
        return found

    def runs(self, ids: Sequence[int]) -> dict[int, RunTotals]:
        """Lock and load the totals of runs that have a cap."""
        rows = self._db.execute(
            f"SELECT id, cap, held, spent, maybe FROM run WHERE id IN ({_marks(ids)}) "
            f"AND cap IS NOT NULL ORDER BY id{self._db.for_update}",
            ids,
        )
        return {
            run: RunTotals(cap, held, spent, maybe)
            for run, cap, held, spent, maybe in cast("list[tuple[int, int, int, int, int]]", rows)
        }

    def write(self, writes: Writes) -> None:
        """Write everything that a batch of events changed."""
        db = self._db
        if writes.lookups:
            db.many(
                "UPDATE lookup SET status = ?, owner = ?, n = ?, base = ?, cur = ?, tries = ?, "
                "due = ?, page = ?, refresh = ?, pause = ?, changed = ? WHERE id = ?",
                [_lookup_values(one) for _, one in sorted(writes.lookups.items())],
            )
        positions = [(x.id, x.position) for x in writes.lookups.values() if x.position is not None]
        if positions:
            db.many(
                "INSERT INTO listing (lookup, position) VALUES (?, ?) "
                "ON CONFLICT (lookup) DO UPDATE SET position = excluded.position",
                positions,
            )
        if writes.new_attempts:
            db.many(
                "INSERT INTO attempt (lookup, n, run, owner, price, kind, sent) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (a.lookup, a.n, a.run, a.owner, a.price, a.kind, a.sent)
                    for a in writes.new_attempts
                ],
            )
        if writes.answers:
            db.many(
                "INSERT INTO answer (lookup, n, page, at, http, body) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (lookup, n, page) DO NOTHING",
                [(a.lookup, a.n, a.page, a.now, a.http, a.body) for a in writes.answers],
            )
        if writes.verdicts:
            db.many(
                "UPDATE answer SET verdict = ?, rows = ? WHERE lookup = ? AND n = ?",
                [(VERDICT_CODES[v], rows, *key) for key, (v, rows) in writes.verdicts.items()],
            )
        if writes.attempts:
            db.many(
                "UPDATE attempt SET ended = ?, family = ?, charged = ?, decided = ?, note = ? "
                "WHERE lookup = ? AND n = ?",
                [
                    (a.ended, a.family, a.charged, int(a.decided), a.note, a.lookup, a.n)
                    for a in writes.attempts.values()
                ],
            )
        if writes.runs:
            db.many(
                "UPDATE run SET held = ?, spent = ?, maybe = ? WHERE id = ?",
                [(t.held, t.spent, t.maybe, run) for run, t in writes.runs.items()],
            )

    # Inputs and runs

    def add(self, specs: Sequence[LookupSpec], now: int) -> list[Lookup]:
        """The lookups of calls, made where they are new, in the order of the calls."""
        self._db.many(
            "INSERT INTO lookup (key, endpoint, spelled, variant, page, changed) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            [(s.key, s.endpoint, s.spelled, s.variant, s.page, now) for s in specs],
        )
        found = self.find([spec.key for spec in specs])
        return [found[spec.key] for spec in specs]

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Lookup]:
        """The lookups of keys that the ledger has, unlocked."""
        rows: list[Columns] = []
        for some in _chunks(keys):
            rows += self._db.execute(
                f"SELECT {LOOKUP} FROM lookup WHERE key IN ({_marks(some)})", some
            )
        answers = self._answers([cast("int", row[0]) for row in rows if row[6]])
        found = [_lookup(row, answers.get(cast("int", row[0]), ())) for row in rows]
        self._positions(found)
        return {lookup.key: lookup for lookup in found}

    def by_id(self, ids: Sequence[int]) -> dict[int, Lookup]:
        """Lookups by id, unlocked."""
        found: dict[int, Lookup] = {}
        for some in _chunks(ids):
            rows = self._db.execute(
                f"SELECT {LOOKUP} FROM lookup WHERE id IN ({_marks(some)})", some
            )
            answers = self._answers(some)
            for row in rows:
                lookup = _lookup(row, answers.get(cast("int", row[0]), ()))
                found[lookup.id] = lookup
        self._positions(list(found.values()))
        return found

    def _positions(self, lookups: Sequence[Lookup]) -> None:
        listings = {lookup.id: lookup for lookup in lookups if lookup.state.page > 1}
        for some in _chunks(list(listings)):
            rows = self._db.execute(
                f"SELECT lookup, position FROM listing WHERE lookup IN ({_marks(some)})", some
            )
            for lookup, position in cast("list[tuple[int, bytes]]", rows):
                listings[lookup].position = bytes(position)

    def begin_run(self, name: str, method: str, options: str, cap: int | None, now: int) -> int:
        """A new run; its id."""
        rows = self._db.execute(
            "INSERT INTO run (name, method, options, cap, began) VALUES (?, ?, ?, ?, ?) "
            "RETURNING id",
            (name, method, options, cap, now),
        )
        return cast("int", rows[0][0])

    def end_run(self, run: int, now: int) -> None:
        """Note that a run has ended."""
        self._db.change("UPDATE run SET ended = ? WHERE id = ?", (now, run))

    def add_inputs(self, run: int, inputs: Sequence[Input]) -> None:
        """Keep which row of a run led to which lookup."""
        self._db.many(
            "INSERT INTO input (run, row, lookup, given, state, note, ref) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, row) DO NOTHING",
            [(run, x.row, x.lookup, x.given, x.state, x.note, x.ref) for x in inputs],
        )

    # Answers

    def current(self, ids: Sequence[int]) -> dict[int, list[Answer]]:
        """The answers that stand, with the pages of a listing in their order.

        Of a lookup that is being refreshed it is the older answer until the newer one is there.
        """
        wanted: list[tuple[int, int]] = []
        for some in _chunks(ids):
            rows = self._db.execute(
                "SELECT a.lookup, a.n, a.page, l.page, CASE WHEN l.status = 4 OR l.refresh "
                "IS NOT NULL THEN 1 ELSE 0 END, a.verdict "
                f"FROM answer a JOIN lookup l ON l.id = a.lookup WHERE l.id IN ({_marks(some)}) "
                "AND (l.page > 0 OR a.n = coalesce(l.refresh, l.cur)) "
                "AND a.n <= coalesce(l.refresh, l.cur) ORDER BY a.lookup, a.n DESC",
                some,
            )
            wanted += _standing(cast("list[tuple[int, int, int, int, int, int | None]]", rows))
        found: dict[int, list[Answer]] = defaultdict(list)
        for pairs in _chunks(wanted):
            rows = self._db.execute(
                "SELECT lookup, n, page, at, http, verdict, body, rows, codec FROM answer "
                f"WHERE (lookup, n) IN (VALUES {_pairs(pairs)}) ORDER BY lookup, page",
                [value for pair in pairs for value in pair],
            )
            for lookup, n, page, at, http, verdict, body, new, codec in cast(
                "list[tuple[int, int, int, int, int, int | None, bytes, bytes | None, int]]", rows
            ):
                named = None if verdict is None else VERDICTS[verdict]
                kept = None if new is None else bytes(new)
                answer = Answer(lookup, n, page, at, http, bytes(body), named, kept, codec)
                found[lookup].append(answer)
        return found

    def versions(self, lookup: int) -> list[Answer]:
        """Every usable answer of a lookup, oldest first."""
        rows = self._db.execute(
            "SELECT lookup, n, page, at, http, verdict, body FROM answer "
            "WHERE lookup = ? AND verdict = 0 ORDER BY n, page",
            (lookup,),
        )
        return [
            Answer(a, n, page, at, http, bytes(body), "usable")
            for a, n, page, at, http, _, body in cast(
                "list[tuple[int, int, int, int, int, int, bytes]]", rows
            )
        ]

    def unjudged(self, limit: int) -> list[Answer]:
        """Answers that nobody has judged and whose lookup no owner has."""
        rows = self._db.execute(
            "SELECT a.lookup, a.n, a.page, a.at, a.http, a.body FROM answer a JOIN lookup l "
            "ON l.id = a.lookup WHERE a.verdict IS NULL "
            "AND NOT (l.status = 2 AND l.cur = a.n AND l.owner <> 0) ORDER BY a.id LIMIT ?",
            (limit,),
        )
        return [
            Answer(lookup, n, page, at, http, bytes(body))
            for lookup, n, page, at, http, body in cast(
                "list[tuple[int, int, int, int, int, bytes]]", rows
            )
        ]

    # Lists

    def page_of(
        self, after: int, limit: int, statuses: Sequence[int], endpoint: str | None
    ) -> list[Lookup]:
        """Lookups in some statuses, in the order of their ids, after one."""
        # Codes stand in the statement as numbers, else the partial indexes are of no use.
        among = f"IN ({', '.join(map(str, statuses))})"
        rows = self._db.execute(
            f"SELECT {LOOKUP} FROM lookup WHERE id > ? AND status {among} "
            "AND endpoint = coalesce(?, endpoint) ORDER BY id LIMIT ?",
            (after, endpoint, limit),
        )
        found = [_lookup(row, ()) for row in rows]
        self._positions(found)
        return found

    def counts(self) -> Counts:
        """Lookups by status, and the credits of all attempts."""
        rows = self._db.execute("SELECT status, count(*) FROM lookup GROUP BY status")
        money = self._db.execute(
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
        for some in _chunks(ids):
            rows = self._db.execute(
                "SELECT lookup, count(*), coalesce(sum(charged), 0), coalesce(sum(CASE WHEN "
                "charged IS NULL AND ended IS NOT NULL THEN price END), 0), "
                "coalesce((SELECT b.note FROM attempt b WHERE b.lookup = a.lookup "
                "ORDER BY b.n DESC LIMIT 1), '') "
                f"FROM attempt a WHERE lookup IN ({_marks(some)}) GROUP BY lookup",
                some,
            )
            for lookup, attempts, credits, maybe, note in cast(
                "list[tuple[int, int, int, int, str]]", rows
            ):
                found[lookup] = int(attempts), int(credits), int(maybe), note
        return found

    def next_due(self) -> tuple[int, int] | None:
        """When the first waiting lookup is due, and the pause it was decided with."""
        rows = self._db.execute(
            "SELECT due, pause FROM lookup WHERE status IN (0, 3) AND due IS NOT NULL "
            "ORDER BY due LIMIT 1"
        )
        return cast("tuple[int, int]", rows[0]) if rows else None

    def about(self, name: str) -> str | None:
        """A setting of the ledger."""
        rows = self._db.execute("SELECT value FROM about WHERE name = ?", (name,))
        return cast("str", rows[0][0]) if rows else None

    def set_about(self, name: str, value: str) -> None:
        """Change a setting of the ledger."""
        self._db.change(
            "INSERT INTO about (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    # Owners

    def add_owner(self, token: bytes, boot: str, pid: int, now: int) -> int:
        """A new owner; its number, which is never used again."""
        rows = self._db.execute(
            "INSERT INTO owner (token, boot, pid, born) VALUES (?, ?, ?, ?) RETURNING no",
            (token, boot, pid, now),
        )
        return cast("int", rows[0][0])

    def owner_lives(self, no: int, token: bytes) -> bool:
        """Whether an owner is known and has not been declared dead."""
        rows = self._db.execute(
            "SELECT 1 FROM owner WHERE no = ? AND token = ? AND dead = 0", (no, token)
        )
        return bool(rows)

    def beat(self, no: int) -> None:
        """Raise an owner's beat."""
        self._db.change("UPDATE owner SET beat = beat + 1 WHERE no = ?", (no,))

    def owners(self) -> list[tuple[int, bytes, str, int]]:
        """Owners that are not known to be dead: number, token, boot, beat."""
        rows = self._db.execute("SELECT no, token, boot, beat FROM owner WHERE dead = 0")
        return [
            (no, bytes(token), boot, beat)
            for no, token, boot, beat in cast("list[tuple[int, bytes, str, int]]", rows)
        ]

    def declare_dead(self, no: int) -> list[int]:
        """Declare an owner dead; the lookups that it had."""
        self._db.change("UPDATE owner SET dead = 1 WHERE no = ?", (no,))
        rows = self._db.execute(
            "SELECT id FROM lookup WHERE status IN (1, 2) AND owner = ? ORDER BY id", (no,)
        )
        return [cast("int", row[0]) for row in rows]


def _standing(
    answers: Iterable[tuple[int, int, int, int, int, int | None]],
) -> list[tuple[int, int]]:
    """Of answers (lookup, n, page, page needed next, is complete, verdict) those that stand.

    They come with the newest first. A page is asked for only after the one before it was taken,
    so the attempts of the pages of one version rise, and from its last page back the newest answer
    of each page is the one.
    """
    standing: list[tuple[int, int]] = []
    next_pages: dict[int, int] = {}
    for lookup, n, page, needed, complete, verdict in answers:
        if not needed:
            standing.append((lookup, n))
            continue
        first = page if complete else needed - 1
        if verdict == 0 and page == next_pages.get(lookup, first):
            standing.append((lookup, n))
            next_pages[lookup] = page - 1
    return standing


def _lookup(row: Columns, answers: tuple[StoredAnswer, ...]) -> Lookup:
    values = cast(
        "tuple[int, bytes, str, bytes, int, int, int, int, int, int, int | None, int, "
        "int | None, int, int]",
        row,
    )
    ident, key, endpoint, spelled, status, owner, n, base, cur, tries, due, page = values[:12]
    refresh, pause, changed = values[12:]
    state = LookupState(STATUSES[status], owner, n, base, cur, tries, due, page, refresh, answers)
    return Lookup(ident, bytes(key), endpoint, bytes(spelled), state, None, pause, changed)


def _lookup_values(lookup: Lookup) -> tuple[object, ...]:
    s = lookup.state
    return (
        *(CODES[s.status], s.owner, s.n, s.base, s.cur, s.tries, s.due, s.page, s.refresh),
        *(lookup.pause, lookup.changed, lookup.id),
    )


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _pairs(values: Sequence[object]) -> str:
    return ", ".join(["(?, ?)"] * len(values))


def _chunks(values: Sequence[V]) -> Iterable[Sequence[V]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
