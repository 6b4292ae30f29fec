"""Lookups without the numbers of their ledger, so that two ledgers can be compared.

An attempt is known again by its moment and by the token of the owner that sent it, which is never
given twice, an answer by its attempt and page. So the same purchase is never counted twice, over
whatever ledgers it comes.

What becomes of a lookup that two ledgers have follows from all its attempts and answers together:
the newest usable answer stands, else an unreadable one, else a refusal; a request whose answer
neither of them has is in doubt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import msgspec
from msgspec.structs import replace

from .database import Columns, Database, chunks
from .rule import CODES, STATUSES, Status
from .schema import BODY, CODEC
from .tables import SqlTables

FINAL_RANK: Mapping[Status, int] = {"queued": 1, "refused": 2, "kept": 3, "done": 4}
"""Which of two ledgers tells what a lookup is: the higher one; what is not here is 0."""


class AttemptId(NamedTuple):
    """What an attempt is known by in every ledger."""

    sent: int
    token: bytes
    """Of its owner; empty in a ledger that version 2 wrote."""
    place: int
    """Among those of the same moment and owner."""


class AttemptCopy(msgspec.Struct, frozen=True, gc=False):
    """An attempt without the numbers of its ledger."""

    sent: int
    token: bytes
    run: int | None
    """The run, by its number in the ledger that is merged into."""
    price: int
    kind: str
    ended: int | None
    family: str | None
    http: int | None
    charged: int | None
    decided: int
    note: str | None


class AnswerCopy(msgspec.Struct, frozen=True, gc=False):
    """An answer of an attempt."""

    page: int
    at: int
    http: int
    meaning: int | None
    judge: str | None
    codec: int
    body: bytes | None
    rows: bytes | None


class LookupCopy(msgspec.Struct, frozen=True):
    """All that a ledger holds of a lookup."""

    key: bytes
    endpoint: str
    written_as: bytes
    variant: bytes
    status: Status
    base: int
    cur: int
    tries: int
    due: int | None
    pause: int
    page: int
    refresh: int | None
    changed: int
    position: bytes | None
    busy: bool
    """Whether an owner works on it."""
    attempts: dict[AttemptId, AttemptCopy]
    """In their order."""
    answers: dict[tuple[AttemptId, int], AnswerCopy]
    """By attempt and page."""
    id: int = 0
    answer_ids: dict[tuple[AttemptId, int], int] = {}
    """The numbers of its answers in the ledger that it was read from."""

    def attempt_at(self, n: int) -> AttemptId | None:
        """The attempt of a number."""
        ids = list(self.attempts)
        return ids[n - 1] if 0 < n <= len(ids) else None


# Two copies of a lookup as one


def combined(one: LookupCopy, other: LookupCopy) -> LookupCopy:
    """What both ledgers know of a lookup, whichever of them is asked first."""
    if _knows_all(one, other):
        return one
    if _knows_all(other, one):
        return other
    first, second = sorted((one, other), key=_precedence, reverse=True)
    answers = dict(first.answers)
    for key, answer in second.answers.items():
        known = answers.get(key)
        answers[key] = answer if known is None else _more_judged(known, answer)
    joined = dict(first.attempts)
    for ident, attempt in second.attempts.items():
        known_attempt = joined.get(ident)
        joined[ident] = attempt if known_attempt is None else _later(known_attempt, attempt)
    answered = {ident for ident, _ in answers}
    joined = {
        ident: attempt
        if attempt.ended is not None or ident in answered
        else replace(attempt, ended=attempt.sent)
        for ident, attempt in joined.items()
    }
    status = first.status
    doubt = None
    if not _rank(first):
        status = "pending"
        doubts = {_doubt(first, joined, answers), _doubt(second, joined, answers)} - {None}
        doubt = max(cast("set[AttemptId]", doubts), default=None)
    order = _order(first, joined, doubt)
    places = {ident: n for n, ident in enumerate(order, 1)}
    stands = first.attempt_at(first.cur if first.refresh is None else first.refresh)
    cur = places[stands] if stands else 0
    extra = len(order) - len(first.attempts) if first.page else 0
    bases = [copy.attempt_at(copy.base) for copy in (one, other) if not copy.page]
    base = max([extra + first.base if first.page else 0, *(places[b] for b in bases if b)])
    if first.refresh is not None or first.status == "done":
        status = "done"
        if not first.page:
            base = max(cur - 1, 0)
    if status == "pending":
        waiting = [
            places[ident]
            for (ident, page), answer in answers.items()
            if answer.meaning is None and page == first.page and places[ident] > base
        ]
        if waiting:
            status, cur = "received", max(waiting)
        elif doubt is not None:
            status = "in_doubt"
    return replace(
        first,
        written_as=min(one.written_as, other.written_as),
        variant=max(one.variant, other.variant),  # a ledger of version 2 has none
        status=status,
        base=base,
        cur=cur,
        refresh=None,
        due=first.due if status in ("pending", "queued") else None,
        changed=max(one.changed, other.changed),
        busy=False,
        attempts={ident: joined[ident] for ident in order},
        answers=answers,
    )


def taken_over(copy: LookupCopy) -> LookupCopy:
    """A lookup as a ledger has it that takes it over: no owner there works on it."""
    if copy.status != "sent" and not copy.busy:
        return copy
    answered = {ident for ident, _ in copy.answers}
    attempts = {
        ident: one if one.ended is not None or ident in answered else replace(one, ended=one.sent)
        for ident, one in copy.attempts.items()
    }
    status: Status = "in_doubt" if copy.status == "sent" else copy.status
    return replace(copy, status=status, busy=False, attempts=attempts)


def _knows_all(one: LookupCopy, other: LookupCopy) -> bool:
    """Whether a copy adds nothing to another one: most merges meet what was taken in before."""
    return (
        other.written_as >= one.written_as
        and other.variant <= one.variant
        and other.changed <= one.changed
        and _precedence(other) <= _precedence(one)
        and all(
            ident in one.attempts and _later(one.attempts[ident], attempt) == one.attempts[ident]
            for ident, attempt in other.attempts.items()
        )
        and all(
            key in one.answers and _more_judged(one.answers[key], answer) == one.answers[key]
            for key, answer in other.answers.items()
        )
    )


def _rank(copy: LookupCopy) -> int:
    return 4 if copy.refresh is not None else FINAL_RANK.get(copy.status, 0)


def _precedence(copy: LookupCopy) -> tuple[object, ...]:
    """Orders copies by what they tell: the one that is the last of them says what a lookup is."""
    rank = _rank(copy)
    cur = copy.attempt_at(copy.cur if copy.refresh is None else copy.refresh)
    return (
        *(rank, 0 if rank > 1 else copy.page, cur or AttemptId(0, b"", 0)),
        *(len(copy.attempts), copy.changed, copy.tries, copy.due or 0, copy.position or b""),
    )


def _doubt(
    copy: LookupCopy,
    attempts: Mapping[AttemptId, AttemptCopy],
    answers: Mapping[tuple[AttemptId, int], AnswerCopy],
) -> AttemptId | None:
    """The last request of a copy, where neither ledger has its answer."""
    ident = copy.attempt_at(len(copy.attempts))
    if ident is None or copy.status not in ("sent", "in_doubt"):
        return None
    if attempts[ident].charged is not None or attempts[ident].decided:
        return None
    judged = [one.meaning for (of, _), one in answers.items() if of == ident]
    return ident if set(judged) <= {None, 5} else None


def _order(
    first: LookupCopy, attempts: Mapping[AttemptId, AttemptCopy], doubt: AttemptId | None
) -> list[AttemptId]:
    """The attempts in the order in which they are numbered.

    By their moments; those of the listing that stands stay together, with the newest page last.
    One in doubt is the last, as decisions are about that one.
    """
    order = sorted(attempts)
    if first.page:
        order = [*sorted(attempts.keys() - first.attempts.keys()), *first.attempts]
    if doubt is not None:
        order.remove(doubt)
        order.append(doubt)
    return order


def _later(one: AttemptCopy, other: AttemptCopy) -> AttemptCopy:
    """The copy of an attempt that knows more of its end."""
    if one == other:
        return one
    last = max(one, other, key=_knowledge)
    return replace(
        last,
        ended=max((end for end in (one.ended, other.ended) if end is not None), default=None),
        decided=max(one.decided, other.decided),
        run=max((run for run in (one.run, other.run) if run is not None), default=None),
    )


def _knowledge(one: AttemptCopy) -> tuple[object, ...]:
    return (
        *(one.charged is not None, one.charged or 0, one.family is not None, one.family or ""),
        *(one.http or 0, one.note is not None, one.note or "", one.price, one.kind),
    )


def _more_judged(one: AnswerCopy, other: AnswerCopy) -> AnswerCopy:
    """The first copy of an answer, with the better meaning of both."""
    if one.meaning == other.meaning or other.meaning is None:
        return one
    if one.meaning is not None and one.meaning < other.meaning:
        return one
    return replace(one, meaning=other.meaning, judge=other.judge, rows=other.rows)


# From tables and back

COPY = (
    "l.id, l.key, l.endpoint, l.written_as, l.variant, l.status, l.base, l.cur, l.tries, l.due, "
    "l.pause, l.page, l.refresh, l.changed, l.owner, p.position"
)
# fmt: off
CopyColumns = tuple[
    int, bytes, str, bytes, bytes, int, int, int, int, int | None, int, int, int | None, int, int,
    bytes | None
]
# fmt: on
ATTEMPT = (
    "a.lookup, a.sent, o.token, a.run, a.price, a.kind, a.ended, a.family, a.http, a.charged, "
    "a.decided, a.note"
)
ANSWER = f"a.lookup, a.n, a.page, a.at, a.http, a.meaning, a.judge, {CODEC}, {BODY}, a.rows, a.id"


def copies(
    tables: SqlTables, ids: Sequence[int], runs: Mapping[int, int] | None = None
) -> list[LookupCopy]:
    """Lookups as copies, in the order of their ids.

    Args:
        tables: The ledger.
        ids: The lookups.
        runs: The runs that the attempts are to name instead of their own; None for their own.
    """
    database = tables.database
    attempts: defaultdict[int, dict[AttemptId, AttemptCopy]] = defaultdict(dict)
    answers: defaultdict[int, dict[tuple[AttemptId, int], AnswerCopy]] = defaultdict(dict)
    numbers: defaultdict[int, dict[tuple[AttemptId, int], int]] = defaultdict(dict)
    found: list[LookupCopy] = []
    for some in chunks(ids):
        rows = database.execute(
            f"SELECT {ATTEMPT} FROM attempt a LEFT JOIN owner o ON o.no = a.owner "
            "WHERE a.lookup IN (?*) ORDER BY a.lookup, a.n",
            (some,),
        )
        places: Counter[tuple[int, int, bytes]] = Counter()
        for lookup, *values in cast("list[tuple[int, *tuple[object, ...]]]", rows):
            attempt = _attempt(values, runs)
            place = lookup, attempt.sent, attempt.token
            ident = AttemptId(attempt.sent, attempt.token, places[place])
            places[place] += 1
            attempts[lookup][ident] = attempt
        order = {lookup: list(ones) for lookup, ones in attempts.items()}
        rows = database.execute(f"SELECT {ANSWER} FROM answer a WHERE a.lookup IN (?*)", (some,))
        for row in rows:
            lookup, n = cast("tuple[int, int]", row[:2])
            answer = _answer_copy(row[2:10])
            key = order[lookup][n - 1], answer.page
            answers[lookup][key], numbers[lookup][key] = answer, cast("int", row[10])
        rows = database.execute(
            f"SELECT {COPY} FROM lookup l LEFT JOIN listing p ON p.lookup = l.id "
            "WHERE l.id IN (?*) ORDER BY l.id",
            (some,),
        )
        found += [_copy(row, attempts, answers, numbers) for row in rows]
    return found


def _attempt(values: Sequence[object], runs: Mapping[int, int] | None) -> AttemptCopy:
    sent, token, run, *rest = values
    if runs is not None and run is not None:
        run = runs.get(cast("int", run))
    values = (sent, b"" if token is None else bytes(cast("bytes", token)), run, *rest)
    return AttemptCopy(
        *cast("tuple[int, bytes, None, int, str, None, None, None, None, int, None]", values)
    )


def _answer_copy(row: Columns) -> AnswerCopy:
    values = cast("tuple[int, int, int, int | None, str | None, int, bytes, bytes]", row)
    return AnswerCopy(*values[:6], as_bytes(values[6]), as_bytes(values[7]))


def _copy(
    row: Columns,
    attempts: Mapping[int, dict[AttemptId, AttemptCopy]],
    answers: Mapping[int, dict[tuple[AttemptId, int], AnswerCopy]],
    numbers: Mapping[int, dict[tuple[AttemptId, int], int]],
) -> LookupCopy:
    values = cast("CopyColumns", row)
    ident, key, endpoint, written_as, variant, status = values[:6]
    base, cur, tries, due, pause, page, refresh, changed, owner, position = values[6:]
    return LookupCopy(
        *(bytes(key), endpoint, bytes(written_as), bytes(variant), STATUSES[status]),
        base=base,
        cur=cur,
        tries=tries,
        due=due,
        pause=pause,
        page=page,
        refresh=refresh,
        changed=changed,
        position=as_bytes(position),
        busy=bool(owner),
        attempts=attempts.get(ident, {}),
        answers=answers.get(ident, {}),
        id=ident,
        answer_ids=numbers.get(ident, {}),
    )


def as_bytes(value: bytes | None) -> bytes | None:
    """A value of a database as bytes."""
    return None if value is None else bytes(value)


def write_copy(
    database: Database, mine: LookupCopy, copy: LookupCopy, owners: Mapping[bytes, int]
) -> None:
    """Make a lookup that the ledger has what a copy says."""
    lookup, numbers = mine.id, mine.answer_ids
    database.change("DELETE FROM attempt WHERE lookup = ?", (lookup,))
    # No two may have one number for a moment: numbers below 0 are free.
    database.change("UPDATE answer SET n = -id WHERE lookup = ?", (lookup,))
    places = {ident: n for n, ident in enumerate(copy.attempts, 1)}
    database.update(
        "answer",
        "n, meaning, judge, rows",
        "id",
        [
            (places[key[0]], one.meaning, one.judge, one.rows, numbers[key])
            for key, one in copy.answers.items()
            if key in numbers
        ],
    )
    new = {key: one for key, one in copy.answers.items() if key not in numbers}
    if new:  # whom they are about is learned again
        database.change("UPDATE lookup SET subject = NULL WHERE id = ?", (lookup,))
        database.change("UPDATE answer SET subject = NULL WHERE lookup = ?", (lookup,))
    insert_parts(database, [(lookup, replace(copy, answers=new))], owners)
    if copy.written_as != mine.written_as:  # its inputs were written as it was
        database.change(
            "UPDATE input SET given = ? WHERE lookup = ? AND given IS NULL",
            (mine.written_as, lookup),
        )
    database.update(
        "lookup",
        f"written_as, variant, owner, {STATE}",
        "id",
        [(copy.written_as, copy.variant, 0, *state_of(copy), lookup)],
    )


STATE = "status, n, base, cur, tries, due, pause, page, refresh, changed"


def state_of(copy: LookupCopy) -> tuple[object, ...]:
    """The values of `STATE`."""
    return (
        *(CODES[copy.status], len(copy.attempts), copy.base, copy.cur, copy.tries, copy.due),
        *(copy.pause, copy.page, copy.refresh, copy.changed),
    )


def insert_parts(
    database: Database, lookups: Sequence[tuple[int, LookupCopy]], owners: Mapping[bytes, int]
) -> None:
    """Insert the attempts, the answers and the positions of lookups."""
    attempts: list[tuple[object, ...]] = []
    answers: list[tuple[object, ...]] = []
    for lookup, copy in lookups:
        places = {ident: n for n, ident in enumerate(copy.attempts, 1)}
        attempts += [
            (
                *(lookup, n, a.run, owners.get(a.token, 0), a.price, a.kind, a.sent, a.ended),
                *(a.family, a.http, a.charged, a.decided, a.note),
            )
            for n, a in enumerate(copy.attempts.values(), 1)
        ]
        answers += [
            (
                *(lookup, places[ident], a.page, a.at, a.http, a.meaning, a.judge, a.codec),
                *(a.body, a.rows),
            )
            for (ident, _), a in copy.answers.items()
        ]
    database.insert(
        "attempt",
        "lookup, n, run, owner, price, kind, sent, ended, family, http, charged, decided, note",
        attempts,
    )
    database.insert(
        "answer", "lookup, n, page, at, http, meaning, judge, codec, body, rows", answers
    )
    database.insert(
        "listing",
        "lookup, position",
        [(lookup, copy.position) for lookup, copy in lookups if copy.position is not None],
        "(lookup) DO UPDATE SET position = excluded.position",
    )


def credits_of(copy: LookupCopy) -> int:
    """What the attempts of a lookup have cost."""
    return sum(one.charged or 0 for one in copy.attempts.values())


def rekey(tables: SqlTables, keys: Mapping[bytes, bytes]) -> None:
    """Give lookups other keys, by their present ones, and remember those.

    Where a lookup has the new key already, they become one: merged ledgers had either key.
    """
    database = tables.database
    for old, new in sorted(keys.items()):
        rows = database.execute(
            f"SELECT key, id FROM lookup WHERE key IN (?*) ORDER BY id{database.for_update}",
            ([old, new],),
        )
        ids = {bytes(key): ident for key, ident in cast("list[tuple[bytes, int]]", rows)}
        if old not in ids:
            continue
        if new not in ids:
            database.change("UPDATE lookup SET key = ? WHERE key = ?", (new, old))
        elif not _fold(
            database, *sorted(copies(tables, list(ids.values())), key=lambda one: one.key == old)
        ):
            continue
        database.insert("old_key", "old, key", [(old, new)], "(old) DO NOTHING")


def _fold(database: Database, mine: LookupCopy, old: LookupCopy) -> bool:
    """Make one lookup of two; False while an owner works on one of them."""
    if any(one.busy or one.status == "sent" for one in (mine, old)):
        return False
    tokens = {a.token for one in (mine, old) for a in one.attempts.values()}
    owners = owner_numbers(database, tokens)
    of_old = "answer IN (SELECT id FROM answer WHERE lookup = ?)"
    database.change(f"UPDATE alias SET answer = NULL WHERE {of_old}", (old.id,))
    database.change(f"DELETE FROM mention WHERE {of_old}", (old.id,))
    for table in ("attempt", "answer", "listing"):
        database.change(f"DELETE FROM {table} WHERE lookup = ?", (old.id,))
    database.change(
        "UPDATE input SET lookup = ?, given = coalesce(given, ?) WHERE lookup = ?",
        (mine.id, old.written_as, old.id),
    )
    database.change("DELETE FROM lookup WHERE id = ?", (old.id,))
    write_copy(database, mine, combined(mine, replace(old, key=mine.key)), owners)
    return True


def owner_numbers(database: Database, tokens: set[bytes]) -> dict[bytes, int]:
    """The numbers of owners here, made where they are new: dead, as they do not work here."""
    found: dict[bytes, int] = {}
    for some in chunks(sorted(tokens - {b""})):
        rows = [(token, "", 0, 0, 1) for token in some]
        database.insert("owner", "token, boot, pid, born, dead", rows, "(token) DO NOTHING")
        numbers = database.execute("SELECT token, no FROM owner WHERE token IN (?*)", (some,))
        found.update((bytes(t), no) for t, no in cast("list[tuple[bytes, int]]", numbers))
    return found
