"""The `Store` protocol: what a ledger must do, wherever it is stored.

States of a key: `pending` (nothing was sent) → `sent` (recorded before the call) → `done`,
`refused`, back to `pending` (certainly not charged), `queued` until a time, or `in_doubt`. A key
that is `sent` and whose owner is dead becomes `in_doubt`. Each change is durable when its
method returns; if it cannot be made durable, `BulkError` is raised.

A ledger may be shared. A worker that is going to call claims the key until the attempt has ended
(`done`, `finish_listing`, `set_outcome` or `release`); for other workers it is `busy` meanwhile.
Claims do not expire; only the death of their owner ends them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Literal, Protocol

import msgspec

from ...core import errors
from ...core.errors import BulkError, LixError

Status = Literal["pending", "sent", "queued", "done", "refused", "in_doubt", "busy"]
"""`busy` is never stored: it is what other workers see of a claimed key."""
STATUSES: tuple[Status, ...] = ("pending", "sent", "queued", "done", "refused", "in_doubt")
CODES: dict[Status, int] = {status: code for code, status in enumerate(STATUSES)}
"""The stored codes of statuses."""
MAX_BATCH = 500
"""Jobs in one commit at most."""


class LedgerNotFoundError(BulkError):
    """No ledger exists at this address."""


class StoredError(msgspec.Struct, frozen=True):
    """An error as it is stored in a ledger."""

    type: str
    message: str
    status: int = 0
    kind: str = ""

    @classmethod
    def of(cls, error: LixError) -> StoredError:
        """The stored form of an error."""
        message = str(error.args[0]) if error.args else ""
        status, kind = getattr(error, "status", 0), getattr(error, "kind", "")
        return cls(type(error).__name__, message, status, kind)

    def error(self, endpoint: str) -> LixError:
        """The error, as far as it was stored."""
        kind: type[LixError] = getattr(errors, self.type, LixError)
        if issubclass(kind, errors.RefusalError):
            return kind(self.message, status=self.status, kind=self.kind, endpoint=endpoint)
        return kind(self.message, endpoint=endpoint)


class Entry(msgspec.Struct, kw_only=True):
    """The entry of one key in a ledger."""

    key: bytes
    endpoint: str
    given: bytes
    """The first input that led to this key, as JSON."""
    status: Status
    attempts: int = 0
    credits: int = 0
    due: float = 0.0
    """When a `queued` key is to be requested again (epoch seconds)."""
    changed: float = 0.0
    error: StoredError | None = None
    body: bytes | None = None
    point: bytes | None = None
    """The checkpoint of a listing, as JSON."""
    held: bool = False
    """Whether the caller has claimed the key."""


class LedgerCounts(msgspec.Struct, frozen=True):
    """Keys by status, and the credits paid for them."""

    pending: int = 0
    sent: int = 0
    queued: int = 0
    done: int = 0
    refused: int = 0
    in_doubt: int = 0
    credits: int = 0
    lost: int = 0
    """Attempts that may have been charged in addition: those of keys that were in doubt until they
    were bought again or given up."""


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
    """A ledger. Methods may be called by many tasks at once, and raise `BulkError`."""

    async def open(self, name: str, now: float) -> int:
        """Open the ledger for a run. Keys that dead owners have `sent` become `in_doubt`.

        Args:
            name: The kind of run; "" for mixed work, which fits any ledger.
            now: The time in seconds since the epoch.

        Returns:
            The number of keys that became `in_doubt`.

        Raises:
            BulkError: If the ledger belongs to another kind of run, is damaged or unreachable.
        """
        ...

    async def open_read_only(self) -> None:
        """Open the ledger beside running workers, to read it and to resolve doubts. Claims nothing.

        For `get`, `final_entries`, `entries`, `counts`, `next_due`, `parked`, `park` and `resolve`.

        Raises:
            LedgerNotFoundError: If there is no ledger.
            BulkError: If the ledger is damaged or unreachable.
        """

    async def get(self, key: bytes) -> Entry | None:
        """The entry of a key with its body, or None. Creates and claims nothing."""
        ...

    async def final_entries(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """The entries of those keys that are `done` or `refused`, for some hundreds of keys."""
        ...

    async def parked(self) -> str:
        """The reason why the ledger is parked; empty if it is not."""
        ...

    async def park(self, reason: str) -> None:
        """Stop all runs and workers of this ledger, also later ones; an empty reason resumes it."""

    async def resolve(self, key: bytes, status: Literal["pending", "refused"], now: float) -> bool:
        """Resolve a key in doubt: `pending` to buy it again in the next run, `refused` to give up.

        Returns:
            False if the key is not in doubt; nothing is changed then.
        """
        ...

    async def claim(self, key: bytes, endpoint: str, given: bytes, now: float) -> Entry:
        """The entry of a key, created if it is new, with its body if it is done.

        A key that is to be called now (`pending`, or `queued` and due) is claimed.
        """
        ...

    async def mark_sent(self, key: bytes, held: bool, now: float) -> bool:
        """Record that a call is about to be made.

        Args:
            key: The key.
            held: Whether the caller has claimed the key; otherwise it is claimed here (a key in
                doubt that is bought again).
            now: The time in seconds since the epoch.

        Returns:
            False if another worker has the key; then the call must not be made.
        """
        ...

    async def done(self, key: bytes, body: bytes, credits: int, now: float) -> None:
        """Save the answer as received."""

    async def add_page(
        self, key: bytes, items: bytes, point: bytes, credits: int, now: float
    ) -> None:
        """Save a page of a listing and its checkpoint. The key is `pending` and stays claimed."""

    async def finish_listing(self, key: bytes, now: float) -> bytes:
        """Record the end of a listing and return all its items as a JSON array."""
        ...

    async def schedule_recheck(self, key: bytes, due: float, now: float) -> bool:
        """Set a key that is `done` to `queued` until `due`. Its answer stays until it is replaced.

        Returns:
            False if the key is not `done`.
        """
        ...

    async def set_outcome(
        self, key: bytes, status: Status, error: StoredError | None, due: float, now: float
    ) -> None:
        """Record any other end of an attempt."""

    async def release(self, key: bytes) -> None:
        """Release the claim of a key for which nothing was sent."""

    async def counts(self) -> LedgerCounts:
        """The number of keys by status."""
        ...

    async def next_due(self) -> float | None:
        """When the next queued key is due, or None."""
        ...

    def entries(self, *statuses: Status, endpoint: str | None = None) -> AsyncIterator[Entry]:
        """All entries with these statuses (none given: all), in the order of their inputs.

        Args:
            *statuses: The statuses.
            endpoint: Only entries of this endpoint.
        """
        ...

    async def close(self) -> None:
        """Release all claims and close the ledger."""


DoubtCallback = Callable[[Entry], Literal["hold", "retry"]]
DoubtPolicy = Literal["hold", "retry"] | DoubtCallback
"""What to do with a key in doubt."""


def join_json_arrays(pages: Sequence[bytes]) -> bytes:
    """Several JSON arrays as one."""
    inner = [page.strip()[1:-1] for page in pages]
    return b"[" + b",".join(part for part in inner if part.strip()) + b"]"


class LedgerUnreachableError(BulkError):
    """The ledger is unreachable, so no job of a batch has to be tried on its own."""


def ledger_error(error: Exception, description: str) -> BulkError:
    """A new error for one of the callers whose jobs failed together."""
    copied = type(error)(error.args[0]) if isinstance(error, BulkError) else BulkError(description)
    copied.__cause__ = error
    return copied
