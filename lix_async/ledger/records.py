"""What goes into a ledger and comes out of it.

None of these can be part of a cycle of references, so the garbage collector need not look at them
(`gc=False`): there are thousands at a time.
"""

from __future__ import annotations

import zlib
from typing import Literal, NamedTuple

import msgspec

from ..core.bridge import ReadableStruct
from .identity import FoundIds
from .rule import Judgement, LookupState, Meaning, Status

PACKED = 1
"""Part of a codec: the body is packed with zlib."""
REDACTED = 4
"""Part of a codec: somebody who was forgotten has been cut out of the body."""


def unpacked(body: bytes, codec: int) -> bytes:
    """A body as it was received."""
    return zlib.decompress(body) if codec & PACKED else bytes(body)


class LookupSpec(msgspec.Struct, frozen=True, gc=False):
    """A call to be made, as a ledger identifies it."""

    key: bytes
    """16 bytes: equal for calls that ask the same thing."""
    endpoint: str
    written_as: bytes
    """The first input that led to this key, as JSON."""
    variant: bytes = b""
    """Hash of the parameters besides those that name the subject."""
    page: int = 0
    """1 for a listing, which is stored page by page; 0 for a single answer."""
    subject: int | None = None
    """Whom it asks about, as far as that is known."""


class CallQuery(NamedTuple):
    """What is needed to find a call in a ledger, also where it was bought under another id."""

    key: bytes
    endpoint: str
    asked: tuple[str, bytes] | None = None
    """The id of the person or organisation that it asks about, as an alias."""
    variant: bytes = b""
    """See `LookupSpec.variant`."""


class StoredLookup(msgspec.Struct, gc=False):
    """A lookup as the ledger has it."""

    id: int
    key: bytes
    endpoint: str
    written_as: bytes
    state: LookupState
    position: bytes | None = None
    """Where a listing stands, as a checkpoint in JSON."""
    subject: int | None = None
    """The person or organisation that its answer is about, as far as that is known."""
    variant: bytes = b""
    """Hash of the parameters besides those that name the subject."""
    pause: int = 0
    """The pause that `state.due` was computed from, in milliseconds: no wait is longer."""
    changed: int = 0
    """Epoch milliseconds of the last change."""
    moved: bool = False
    """Whether the slug that was asked for is another one's since: its answer does not stand."""
    suppressed: bool = False
    """Whether its subject was forgotten: the ledger has no such lookup, and none is made."""

    @property
    def has_ended(self) -> bool:
        """Whether its answer stands, and nothing is to be done about it."""
        state = self.state
        return (
            state.status in ("done", "kept", "refused")
            and state.refresh is None
            and not (self.moved or self.suppressed)
            and all(answer.meaning is not None for answer in state.answers)
        )


class AnswerRow(ReadableStruct, msgspec.Struct, gc=False):
    """One reply as it was received; refusals too."""

    lookup: int
    """The number of the lookup in its ledger."""
    n: int
    """The number of the attempt among those of the lookup."""
    page: int
    """The number of the page in a listing, from 0."""
    at: int
    """When it was received, in epoch milliseconds."""
    http: int
    """The HTTP status."""
    body: bytes
    """The body as it is stored; see `codec`."""
    meaning: Meaning | None = None
    """What it means for the lookup, such as an answer or a refusal."""
    rows: bytes | None = None
    """Of a listing's page, its new rows as a JSON array; None where that is all of its rows."""
    codec: int = 0
    """How it is stored. 0: as received; 2: the rows of a page as an array, from an older ledger."""
    redacted: bool = False
    """Whether somebody who was forgotten has been cut out of it."""


class StoredVersion(NamedTuple):
    """A usable answer, without its body, and the ids of those that may come before it."""

    id: int
    key: bytes
    endpoint: str
    written_as: bytes
    before: tuple[int, ...]
    """The versions about the same subject before it: of the same lookup, of other lookups about
    the subject, and of lookups that are about another one by now."""


class Named(NamedTuple):
    """The subjects that a text names."""

    lookups: list[int]
    """Lookups that are about them, and those that were asked for with the text."""
    subjects: list[int]


class StoredBody(NamedTuple):
    """An answer of a lookup."""

    id: int
    at: int
    http: int
    body: bytes


class InputRow(msgspec.Struct, frozen=True, gc=False):
    """A row of a file, or an input of a run."""

    row: int
    lookup: int | None
    state: Literal["", "invalid", "suppressed"] = ""
    note: str = ""
    given: bytes | None = None
    """The input as JSON, where it differs from the lookup's first one."""
    ref: bytes | None = None
    """The caller's own id or row, as JSON."""


class InputAnswer(NamedTuple):
    """An input of a run, with the one answer that stands of its lookup."""

    row: int
    lookup: int | None
    state: Literal["", "invalid", "suppressed"]
    note: str
    given: bytes | None
    """What was given, as JSON."""
    endpoint: str
    at: int
    """Epoch milliseconds of the answer."""
    body: bytes | None
    """None where the lookup is a listing, or has no usable answer, or a newer one is bought."""


class EndedCall(NamedTuple):
    """A lookup whose answer stands, and about which nothing is to be done."""

    lookup: int
    key: bytes
    """Its key: another one than that of the call, where it was bought under another id."""
    at: int | None
    """Epoch milliseconds of its answer."""


class RunTotals(msgspec.Struct):
    """The money of a run, in credits."""

    cap: int | None = None
    held: int = 0
    """Reserved by requests in flight."""
    spent: int = 0
    maybe: int = 0
    """Sent, no answer received; may have been charged."""


class Send(msgspec.Struct, frozen=True, gc=False):
    """Announce a request. Its result is `applied` only when the request may leave."""

    lookup: int
    n: int
    """Attempts of the lookup when the caller read it."""
    price: int
    now: int
    kind: str = ""
    run: int | None = None
    expired: bool = False
    asked: tuple[str, bytes] | None = None
    """The id that it asks about: not sent where its subject was bought under another one."""
    variant: bytes = b""
    newer_than: int | None = None
    """Where what was bought under another id is too old: when that was (epoch milliseconds)."""


class Receive(msgspec.Struct, frozen=True, gc=False):
    """Store an answer."""

    lookup: int
    owner: int
    n: int
    page: int
    http: int
    body: bytes
    now: int


class Judge(msgspec.Struct, frozen=True, gc=False):
    """Say what a stored answer means."""

    lookup: int
    owner: int
    n: int
    judgement: Judgement
    now: int
    family: str = ""
    position: bytes | None = None
    """Where a listing stands after this page."""
    pause: int = 0
    rows: bytes | None = None
    note: str | None = None
    """What the answer says, for people."""
    found: tuple[FoundIds, ...] = ()
    """The ids in the answer."""


class Lose(msgspec.Struct, frozen=True, gc=False):
    """A request ended without an answer."""

    lookup: int
    owner: int
    n: int
    now: int
    note: str | None = None
    """What went wrong, for people."""


class NotLeft(msgspec.Struct, frozen=True, gc=False):
    """An announced request never left."""

    lookup: int
    owner: int
    n: int
    now: int


class Decide(msgspec.Struct, frozen=True, gc=False):
    """Decide about a lookup in doubt."""

    lookup: int
    n: int
    again: bool
    now: int


class Reconcile(msgspec.Struct, frozen=True, gc=False):
    """Enter what an attempt that ended without knowing has cost."""

    lookup: int
    n: int
    charged: int
    now: int


class Again(msgspec.Struct, frozen=True, gc=False):
    """Buy anew what ended refused or unusable."""

    lookup: int
    n: int
    now: int


class JudgeAgain(msgspec.Struct, frozen=True, gc=False):
    """Read a kept answer with a newer version."""

    lookup: int
    n: int
    judgement: Judgement
    now: int
    position: bytes | None = None
    rows: bytes | None = None
    found: tuple[FoundIds, ...] = ()


LedgerEvent = Send | Receive | Judge | Lose | NotLeft | Decide | Reconcile | Again | JudgeAgain


class EventResult(msgspec.Struct, frozen=True, gc=False):
    """What an event did."""

    applied: bool
    state: LookupState
    owner: int = 0
    """`Send`: the owner that the following events of this attempt name."""
    over_budget: bool = False
    """`Send`: the run's cap does not allow it."""
    elsewhere: int = 0
    """`Send`: the lookup under which its subject is known, or in flight."""
    suppressed: bool = False
    """`Send`: its subject was forgotten."""


class Counts(msgspec.Struct, frozen=True):
    """Lookups by status, and the credits of their attempts."""

    pending: int = 0
    sent: int = 0
    received: int = 0
    queued: int = 0
    done: int = 0
    kept: int = 0
    refused: int = 0
    in_doubt: int = 0
    credits: int = 0
    maybe: int = 0
    """Credits of attempts that may have been charged."""

    def of(self, status: Status) -> int:
        """How many lookups have a status."""
        count: int = getattr(self, status)
        return count


class RunEntry(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """A run as people see it."""

    name: str
    """Empty for a run without a name."""
    method: str
    """The provider and the method, such as `Lix people.get`."""
    began: float
    """Epoch seconds."""
    ended: float | None
    """Epoch seconds; None while it is under way, and where it was interrupted."""
    inputs: int
    """The number of its inputs."""
    credits: int
    """Credits that its requests have cost."""
    maybe: int
    """Credits of its requests without an answer, which may have been charged."""


class Export(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """A file or a stream that answers were written to."""

    at: float
    """Epoch seconds."""
    place: str
    """The absolute path of the file, or `stdout`."""
    what: str
    """What was written: the command and its input."""
