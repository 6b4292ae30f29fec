"""The transition rule: what each event does to a lookup, and to the money of its attempts.

Every store applies these functions to a row that it has locked, so SQLite and PostgreSQL follow
one rule. They are pure: they read a `LookupState`, and return a `Change` or None where the event
does not apply (any more), which is success for an event that is repeated.

```
            send                receive               judge
pending ───────────► sent ───────────────► received ─────────► done, kept, refused,
   ▲                  │                                         queued (until due), pending
   │   not_left       │ lost, release of a dead owner
   └──────────────────┤
   ▲   decide: again  ▼
   └─────────────── in_doubt ──── decide: let be ───► refused
```

Four sentences carry it. A request leaves only after `send`, which is durable. An answer is a
fact: `receive` stores it whoever owns the row by then, before anything is decoded. Only the owner
of an attempt, or whoever releases a dead owner, may say that it ended without an answer. A row
that would become pending, queued, in doubt, refused or kept while a better answer is stored takes
that answer instead (`_or_stored_answer`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

Status = Literal["pending", "sent", "received", "queued", "done", "kept", "refused", "in_doubt"]
"""`kept`: charged, and this version of the package cannot read the answer."""
STATUSES: tuple[Status, ...] = (
    "pending",
    "sent",
    "received",
    "queued",
    "done",
    "kept",
    "refused",
    "in_doubt",
)
"""Statuses by the code that stores keep."""
CODES = {status: code for code, status in enumerate(STATUSES)}
FINAL: frozenset[Status] = frozenset({"done", "kept", "refused"})
Meaning = Literal["usable", "unusable", "refused", "queued", "transient", "unknown"]
"""What a stored answer was judged to be. `unknown` is evidence that may have been charged."""
MEANINGS: tuple[Meaning, ...] = (
    "usable",
    "unusable",
    "refused",
    "queued",
    "transient",
    "unknown",
)
"""Meanings by the code that stores keep."""


class StoredAnswer(NamedTuple):
    """An answer of a lookup, without its body."""

    n: int
    """The attempt that it answers."""
    page: int
    """The page of a listing, from 1; 0 for a single answer."""
    meaning: Meaning | None
    """None until it is judged."""


class LookupState(msgspec.Struct, frozen=True, gc=False):
    """A lookup as the rule sees it."""

    status: Status = "pending"
    owner: int = 0
    """The owner of the attempt in flight, or of the answer being judged; 0 for none."""
    n: int = 0
    """Attempts so far."""
    base: int = 0
    """Answers of attempts up to this one are older versions."""
    cur: int = 0
    """The attempt whose answer stands, or is being judged."""
    tries: int = 0
    """Transient failures since the last answer."""
    due: int | None = None
    """Not before this moment (epoch milliseconds)."""
    page: int = 0
    """The page that a listing needs next; 0 for a single answer."""
    refresh: int | None = None
    """The attempt whose answer still stands while a newer one is bought; else None.

    Of a listing it is the last page of a version that stands until all pages of the newer one are
    there.
    """
    answers: tuple[StoredAnswer, ...] = ()
    """Stored answers of attempts after `base`, and older ones that are not judged yet."""


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """What an answer means for its lookup. See `families.judge`."""

    meaning: Meaning
    charged: int | None
    """Credits; None where it is not known whether the attempt was charged."""
    due: int | None = None
    """Epoch milliseconds before which the lookup is not sent again."""
    counts: bool = True
    """Whether a transient answer counts as a try."""
    hold: bool = False
    """Treat an answer of a gateway that gave up as in doubt."""
    next_page: int | None = None
    """The page that a listing needs after this one; None where it has ended."""


class Settlement(NamedTuple):
    """What becomes of an attempt's money."""

    n: int
    charged: int | None
    """Credits charged; None: it ended, and may have been charged."""
    decided: bool = False
    """A person or a policy decided to go on without knowing."""


class Change(NamedTuple):
    """What an event does: the row afterwards, and the money of its attempts."""

    row: LookupState
    settlements: tuple[Settlement, ...] = ()


def send(row: LookupState, *, now: int, expired: bool = False) -> Change | None:
    """Announce a request: the only event after which one may leave.

    Args:
        row: The lookup.
        now: Epoch milliseconds.
        expired: The answer or the refusal that stands is older than the caller accepts.

    Returns:
        The row as `sent`, with its owner still to be filled in by the store; None when the
        lookup is another's, needs no request, or an answer waits to be judged.
    """
    if row.status == "refused" and expired and (reopened := again(row, row.n)) is not None:
        row = reopened.row
    ready = (
        row.status == "pending"
        or (row.status == "queued" and (row.due is None or row.due <= now))
        or (row.status == "done" and expired)
    )
    if row.owner or not ready or any(a.meaning is None and a.n > row.base for a in row.answers):
        return None
    if row.status == "done":  # a further version; a listing begins at its first page again
        page = 1 if row.page else 0
        row = replace(row, base=row.n, refresh=row.cur, page=page)
    return Change(replace(row, status="sent", n=row.n + 1, due=None))


def receive(row: LookupState, owner: int, n: int, page: int) -> Change:
    """Store an answer. Always applies: that an answer came is a fact.

    The row follows it where it is the answer that the row waits for, or where the attempt was
    given up meanwhile; else the answer is judged as a late one.
    """
    if any(a.n == n and a.page == page for a in row.answers):
        return Change(row)
    answers = (*row.answers, StoredAnswer(n, page, None))
    waited_for = row.status == "sent" and row.owner == owner
    # Not an answer for another page than the one that is needed now, nor one of an older version:
    # stores do not load those once they are judged, and a repeated event would not be noticed.
    given_up = row.status in ("in_doubt", "pending") and page == row.page and n > row.base
    if n == row.n and (waited_for or given_up):
        return Change(replace(row, answers=answers, status="received", cur=n))
    return Change(replace(row, answers=answers))


def judge(row: LookupState, owner: int, n: int, judgement: Judgement) -> Change | None:
    """Say what a stored answer means. None where somebody else judges it, or has done so."""
    found = next((a for a in row.answers if a.n == n), None)
    if row.status == "received" and row.cur == n and found is not None:
        if row.owner not in (0, owner):
            return None
        return _judged(_marked(row, found, judgement.meaning), found, judgement)
    if found is None or found.meaning is not None:
        return None
    return _judged_late(_marked(row, found, judgement.meaning), found, judgement)


def lose(row: LookupState, owner: int, n: int) -> Change | None:
    """The owner's request ended without an answer: it may have been charged.

    Where its answer has been received, and its owner gives up before it is judged, anybody may
    judge it from here on.
    """
    if row.status == "received" and row.owner == owner and row.cur == n:
        return Change(replace(row, owner=0))
    if not (row.status == "sent" and row.owner == owner and row.n == n):
        return None
    row = _or_stored_answer(replace(row, owner=0), "in_doubt")
    return Change(row, (Settlement(n, None),))


def not_left(row: LookupState, owner: int, n: int) -> Change | None:
    """The announced request never left: nothing was charged. A fact, so it also ends a doubt."""
    money = (Settlement(n, 0),)
    mine = row.status == "sent" and row.owner == owner
    if row.n == n and (mine or row.status == "in_doubt"):
        return Change(_unbought(replace(row, owner=0)), money)
    in_flight = row.n == n and row.status == "sent"
    if in_flight or n > row.n or any(a.n == n for a in row.answers):
        return None
    return Change(row, money)  # the row went on without it: only its money comes back


def release(row: LookupState, dead: int) -> Change | None:
    """Take a row from a dead owner: what it had sent is in doubt."""
    if row.owner != dead:
        return None
    if row.status == "sent":
        return Change(
            _or_stored_answer(replace(row, owner=0), "in_doubt"), (Settlement(row.n, None),)
        )
    return Change(replace(row, owner=0))


def decide(row: LookupState, n: int, *, again: bool) -> Change | None:
    """Decide what becomes of a lookup in doubt: buy it again, or let it be."""
    if not (row.status == "in_doubt" and row.n == n):
        return None
    status: Status = "pending" if again else "refused"
    if not again and _falls_back(row):
        return Change(_unbought(row), (Settlement(n, None, True),))
    return Change(replace(row, status=status, due=None), (Settlement(n, None, True),))


def reconcile(row: LookupState, n: int, charged: int) -> Change | None:
    """Enter what an attempt without a usable answer has cost, as the account's balances show it.

    What is in doubt and was charged is kept: it is not bought again unasked. What was not charged
    is pending again. None where an answer is still to tell.
    """
    in_flight = n == row.n and row.status in ("sent", "received")
    if n > row.n or in_flight or any(a.n == n and a.meaning is None for a in row.answers):
        return None
    money = (Settlement(n, charged),)
    if not (row.status == "in_doubt" and row.n == n):
        return Change(row, money)
    if charged:
        return Change(_or_stored_answer(replace(row, cur=n, due=None), "kept"), money)
    return Change(_unbought(row), money)


def again(row: LookupState, n: int) -> Change | None:
    """Buy anew what ended refused or unusable after n attempts, at a person's request.

    Charged answers are an older version from here on. A later attempt that is still without an
    answer is not: its answer may come before another request is sent.
    """
    if row.n != n or row.status not in ("kept", "refused"):
        return None
    if any(a.meaning is None and a.n > row.base for a in row.answers):
        return None  # what waits to be judged may be the answer
    base = max(row.base, *(a.n for a in row.answers if a.meaning in ("usable", "unusable")), 0)
    return Change(replace(row, status="pending", base=base, tries=0, due=None))


def judge_again(row: LookupState, n: int, judgement: Judgement) -> Change | None:
    """Read a kept answer with a newer version of the package: free, and only ever better."""
    if not (row.status == "kept" and row.cur == n):
        return None
    found = next((a for a in row.answers if a.n == n), None)
    if found is None or judgement.meaning != "usable":
        return None
    return Change(_judged(_marked(row, found, "usable"), found, judgement).row)


def _marked(row: LookupState, answer: StoredAnswer, meaning: Meaning) -> LookupState:
    answers = tuple(StoredAnswer(a.n, a.page, meaning) if a == answer else a for a in row.answers)
    return replace(row, answers=answers)


def _judged(row: LookupState, answer: StoredAnswer, judgement: Judgement) -> Change:
    money = (Settlement(answer.n, judgement.charged),) if answer.meaning is None else ()
    meaning = judgement.meaning
    if meaning == "usable":
        row = replace(row, owner=0, tries=0, due=None)
        if judgement.next_page is None:
            return Change(replace(row, status="done", refresh=None), money)
        # A listing goes on; its pages so far are kept. An older one stands until it is complete.
        return Change(_or_stored_answer(replace(row, page=judgement.next_page), "pending"), money)
    row = replace(row, owner=0)
    if meaning == "unusable":
        return Change(_or_stored_answer(replace(row, tries=0, due=None), "kept"), money)
    if meaning == "queued":
        return Change(_or_stored_answer(replace(row, due=judgement.due), "queued"), money)
    if meaning == "unknown" or judgement.hold:
        return Change(_or_stored_answer(row, "in_doubt"), money)
    if meaning == "refused":
        if _falls_back(row):
            return Change(_unbought(row), money)
        return Change(_or_stored_answer(replace(row, due=None), "refused"), money)
    tries = row.tries + judgement.counts
    return Change(_unbought(replace(row, tries=tries, due=judgement.due), judgement.due), money)


def _judged_late(row: LookupState, answer: StoredAnswer, judgement: Judgement) -> Change:
    money = (Settlement(answer.n, judgement.charged),)
    wanted = answer.page == row.page and answer.n > row.base
    open_to = row.status in ("pending", "in_doubt", "queued", "refused")
    # A refresh was given up, and was bought all the same: its answer is the newer one.
    newer = row.status == "done" and row.cur <= row.base and not row.page
    taken = {"usable": open_to or newer or row.status == "kept", "unusable": open_to}
    if wanted and taken.get(judgement.meaning):
        return Change(_judged(replace(row, cur=answer.n), answer, judgement).row, money)
    return Change(row, money)


def _falls_back(row: LookupState) -> bool:
    """Whether the older answer alone is left where nothing newer is bought.

    Not of a listing that has pages of a newer version: those are paid for, and it goes on there.
    """
    return row.refresh is not None and row.page < 2


def _unbought(row: LookupState, due: int | None = None) -> LookupState:
    """The row after an attempt that bought nothing: pending again, or its older answer stands."""
    taken = _or_stored_answer(row, "pending")
    if taken.status == "pending" and _falls_back(row):
        return replace(taken, status="done", cur=row.refresh, refresh=None, due=None)
    return replace(taken, due=due)


def _or_stored_answer(row: LookupState, status: Status) -> LookupState:
    """The row in a status, unless a better answer is stored and not used: then that one.

    An answer may come after its attempt was given up and another one was sent. Whatever that one
    ends with, nothing is bought or given up while such an answer is there.
    """
    stored = [
        (a.meaning == "usable", a.n)
        for a in row.answers
        if a.n > row.base
        and a.page == row.page
        and (a.meaning == "usable" or (a.meaning == "unusable" and status != "kept"))
    ]
    if stored:
        return replace(row, status="received", cur=max(stored)[1])
    return replace(row, status=status)
