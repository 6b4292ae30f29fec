"""What a ledger must do, wherever it is kept. It is the only authority on what was paid.

The life of a key: `owed` (known, nothing sent) → `sent` (written down BEFORE the call) → `done`,
`refused`, back to `owed` (certainly not charged), `queued` until a moment, or `in_doubt`. A key
that is found `sent` by nobody who is alive becomes `in_doubt`. Each change is durable when its
method returns; one that cannot be made durable raises `BulkError`.

A ledger may be shared. Whoever takes a key that is to be called holds it until the attempt ends
(`done`, `walked`, `settle` or `release`); to everybody else it is `busy` meanwhile. No clock ends
a hold, only the death of its holder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Literal, Protocol

import msgspec

from ...core import errors
from ...core.errors import BulkError, LixError

Status = Literal["owed", "sent", "queued", "done", "refused", "in_doubt", "busy"]
"""`busy` is never stored: it is what others see of a key that somebody alive holds."""
STATUSES: tuple[Status, ...] = ("owed", "sent", "queued", "done", "refused", "in_doubt")
CODES: dict[Status, int] = {status: code for code, status in enumerate(STATUSES)}
"""Statuses as the stores of this package keep them."""
MAX_BATCH = 500
"""Jobs in one commit at most."""


class LedgerNotFoundError(BulkError):
    """There is no ledger (yet) at that place."""


class StoredError(msgspec.Struct, frozen=True):
    """An error as the ledger keeps it."""

    type: str
    message: str
    status: int = 0
    kind: str = ""

    @classmethod
    def of(cls, error: LixError) -> StoredError:
        """What is worth keeping of an error."""
        message = str(error.args[0]) if error.args else ""
        status, kind = getattr(error, "status", 0), getattr(error, "kind", "")
        return cls(type(error).__name__, message, status, kind)

    def error(self, endpoint: str) -> LixError:
        """The error again, as far as it was kept."""
        kind: type[LixError] = getattr(errors, self.type, LixError)
        if issubclass(kind, errors.RefusalError):
            return kind(self.message, status=self.status, kind=self.kind, endpoint=endpoint)
        return kind(self.message, endpoint=endpoint)


class Entry(msgspec.Struct, kw_only=True):
    """What the ledger knows of one key."""

    key: bytes
    endpoint: str
    given: bytes
    """The first input that led to this key, as JSON."""
    status: Status
    attempts: int = 0
    credits: int = 0
    due: float = 0.0
    """`queued`: ask again from this moment (epoch seconds)."""
    changed: float = 0.0
    error: StoredError | None = None
    body: bytes | None = None
    point: bytes | None = None
    """A walk's checkpoint, as JSON."""
    held: bool = False
    """Whether whoever got this entry holds the key from here on."""


class LedgerCounts(msgspec.Struct, frozen=True):
    """Keys by status, and the credits paid for them."""

    owed: int = 0
    sent: int = 0
    queued: int = 0
    done: int = 0
    refused: int = 0
    in_doubt: int = 0
    credits: int = 0
    lost: int = 0
    """Attempts that may have been paid for besides, whatever became of their keys: those that were
    in doubt until it was decided to buy again, or to let be."""


def counts_from_rows(rows: Iterable[tuple[int, int, int, int]]) -> LedgerCounts:
    """Counts from (status, keys, credits, lost), a row for each status."""
    rows = list(rows)
    return LedgerCounts(
        **{STATUSES[status]: keys for status, keys, _, _ in rows},
        credits=sum(credits for _, _, credits, _ in rows),
        lost=sum(lost for _, _, _, lost in rows),
    )


COLUMNS = "key, endpoint, given, status, attempts, credits, due, changed, error, body, point"
"""An entry's columns in a table."""
EntryColumns = tuple[
    bytes, str, bytes, int, int, int, float, float, bytes | None, bytes | None, bytes | None
]


def entry_from_row(row: EntryColumns) -> Entry:
    """An entry from its columns."""
    key, endpoint, given, status, attempts, credits, due, changed, error, body, point = row
    return Entry(
        key=key,
        endpoint=endpoint,
        given=given,
        status=STATUSES[status],
        attempts=attempts,
        credits=credits,
        due=due,
        changed=changed,
        error=None if error is None else msgspec.json.decode(error, type=StoredError),
        body=body,
        point=point,
    )


class Store(Protocol):
    """A ledger. Methods may be called by many tasks at once."""

    async def open(self, name: str, now: float) -> int:
        """Take the ledger for a run named `name`; keys `sent` by the dead become `in_doubt`.

        Returns how many did. A `name` of "" is mixed work, and fits any run. Raises `BulkError`
        when it belongs to another kind of run, is damaged or out of reach.
        """
        ...

    async def open_read_only(self) -> None:
        """Open to look on and to decide, beside the runs that work; takes nothing, ends no hold.

        For `find`, `known`, `entries`, `counts`, `soonest`, `parked`, `park` and `decide`. Raises
        `BulkError` when there is no ledger, or it is damaged or out of reach.
        """

    async def get(self, key: bytes) -> Entry | None:
        """What is known of a key, body included; nothing is made, nothing held."""
        ...

    async def final_entries(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """Those of the keys that are `done` or `refused`, bodies included; some hundreds a time."""
        ...

    async def parked(self) -> str:
        """Why runs and workers over this ledger are to stand still; empty when they may work."""
        ...

    async def park(self, reason: str) -> None:
        """Let every run and worker over this ledger stand still; an empty reason lets them go on.

        It outlives them: a run that starts later stands still too.
        """

    async def resolve(self, key: bytes, status: Literal["owed", "refused"], now: float) -> bool:
        """Settle a key that is in doubt: buy it again with the next run, or let it be.

        False when it is not in doubt (any more); nothing is changed then.
        """
        ...

    async def claim(self, key: bytes, endpoint: str, given: bytes, now: float) -> Entry:
        """What is known of a key, made `owed` if it is new. `body` comes along when done.

        A key that is to be called now (`owed`, or `queued` and due) is held from here on.
        """
        ...

    async def mark_sent(self, key: bytes, held: bool, now: float) -> bool:
        """Write down that a call is about to be made. False: somebody else has the key, do not.

        `held`: the caller holds the key; else it is taken here (one in doubt, to be bought again).
        """
        ...

    async def done(self, key: bytes, body: bytes, credits: int, now: float) -> None:
        """The answer, as received."""

    async def add_page(
        self, key: bytes, items: bytes, point: bytes, credits: int, now: float
    ) -> None:
        """One page of a walk and where it stands now; the key is `owed` again, and held."""

    async def finish_listing(self, key: bytes, now: float) -> bytes:
        """A walk has reached its end. All its items, as a JSON array."""
        ...

    async def schedule_recheck(self, key: bytes, due: float, now: float) -> bool:
        """A key that is `done` is to be asked for again: `queued` until `due`.

        Its answer stays until another one is kept. False when it is not `done` (any more).
        """
        ...

    async def set_outcome(
        self, key: bytes, status: Status, error: StoredError | None, due: float, now: float
    ) -> None:
        """Any other end of an attempt."""

    async def release(self, key: bytes) -> None:
        """Nothing was sent: let others have the key."""

    async def counts(self) -> LedgerCounts:
        """Keys by status."""
        ...

    async def next_due(self) -> float | None:
        """When the first queued key is due, or None."""
        ...

    def entries(self, *statuses: Status, endpoint: str | None = None) -> AsyncIterator[Entry]:
        """Every entry in those statuses (all, for none), in the order of their inputs.

        `endpoint`: only those of this one.
        """
        ...

    async def close(self) -> None:
        """Let go of the ledger."""


DoubtCallback = Callable[[Entry], Literal["hold", "retry"]]
DoubtPolicy = Literal["hold", "retry"] | DoubtCallback
"""What to do with a key that is in doubt."""


def join_json_arrays(pages: Sequence[bytes]) -> bytes:
    """JSON arrays as one."""
    inner = [page.strip()[1:-1] for page in pages]
    return b"[" + b",".join(part for part in inner if part.strip()) + b"]"


class LedgerUnreachableError(BulkError):
    """The ledger itself is out of reach: no job has to be tried alone."""


def ledger_error(error: Exception, description: str) -> BulkError:
    """A new error for one of the callers whose jobs failed together."""
    copied = type(error)(error.args[0]) if isinstance(error, BulkError) else BulkError(description)
    copied.__cause__ = error
    return copied
