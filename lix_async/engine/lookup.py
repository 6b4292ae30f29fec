"""One lookup, charged at most once: from the ledger where it is known, else from the provider.

```
find      a final answer in the ledger: return it, pay nothing; another owner's: busy
admit     budget, balances, the day's allowance, a parked ledger
permit    of the client's limiter
announce  durable before the first byte leaves; fails where another owner was quicker
exchange
receive   the whole answer, durable before anything decodes or judges it
judge     by whose fault it is: see `core.families`
```

This coroutine is what a run, a chunk and other job engines (Temporal, Celery, Ray, …) call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeVar, cast

import msgspec
from msgspec.structs import replace

from ..concurrency.worker_pool import CallScope
from ..core import wire
from ..core.decoding import decoder_for, read_items
from ..core.endpoint import AnyEndpoint, Endpoint, Price, StatusCall
from ..core.errors import (
    BudgetError,
    BulkError,
    ConfigurationError,
    DeadlineError,
    DecodeError,
    Family,
    InDoubtError,
    LixError,
    PagingError,
    QueuedError,
    RefusalError,
    SuppressedError,
    TransportError,
)
from ..core.families import REFUSED_STATUSES, UNKNOWN_ROUTE, family_of, family_without_answer
from ..core.freshness import Freshness, freshness
from ..core.json_text import SchemaMismatch
from ..core.models import Listing, Params, item_type
from ..core.provider import Provider
from ..core.validation import check_type
from ..core.wire import HttpResponse
from ..ledger.families import judgement
from ..ledger.history import SubjectChange, changes_of
from ..ledger.identity import FoundIds, find_ids
from ..ledger.records import (
    AnswerRow,
    Decide,
    InputRow,
    Judge,
    JudgeAgain,
    LookupSpec,
    Lose,
    NotLeft,
    Receive,
    Send,
    StoredBody,
    StoredLookup,
    StoredVersion,
)
from ..ledger.rule import LookupState
from ..ledger.store import Store
from ..ledger.tables import SqlTables
from .answer import Answer, credits_for
from .call_key import Input, PreparedCall, input_json
from .checkpoint import Checkpoint
from .credits import CreditBudget
from .doubts import DoubtPolicy, check_doubts
from .engine import Engine
from .outcome import Outcome, State, state_of
from .pages import Page, Paginator
from .polling import FIRST_INTERVAL, MAX_INTERVAL
from .raw_items import raw_items
from .recording import replaying_engine

R = TypeVar("R")
OutcomeT = TypeVar("OutcomeT", bound="Outcome[object] | Postponed")
QUEUED_FOR = 180.0
"""Seconds after which a queued lookup is asked for again: "a few minutes" (lix.md#retries)."""
BUSY_FOR = 0.5
"""Seconds after which a lookup that another owner works on is read again."""
RECHECK_AFTER = 3600.0
"""Seconds after which an answer that may become better is asked for again."""
FINAL = ("done", "kept", "refused")
ONCE = (400, 401, 402, 403, 404, 422)
"""Statuses that are asked for once in a run where they come without the API's own error."""
FINAL_AFTER = 3
"""Runs, each on another day, after which such a 400, 404 or 422 is final."""
DAY = 24 * 60 * 60 * 1000
"""Milliseconds of a UTC day."""


class CallsParked(Exception):
    """No call may be sent at the moment. The input stays pending.

    `error` is the provider's error, if there was one: pass it to the admission's `refused`.
    """

    def __init__(self, error: LixError | None = None, spent: int = 0) -> None:
        super().__init__(str(error or "parked"))
        self.error = error
        self.spent = spent
        """Credits that the lookup has spent: pages of its listing, which are saved."""


class Admission:
    """Whether a call may be sent at all. This one admits every call that its budget can pay."""

    waits_for_outages = False
    """Whether lookups are repeated for as long as an outage lasts, instead of a few times."""

    def __init__(self, budget: CreditBudget) -> None:
        self.budget = budget
        """The credits that were spent, and their limit."""
        self.stop: LixError | None = None
        """The error that ends all calls."""
        self.not_before = 0
        """The moment (epoch milliseconds) that is not before the last reading of the balances."""

    async def admit(self, price: Price, key: bytes) -> None:
        """Wait until a call may be sent. Report its end with `ended`.

        Raises:
            CallsParked: If no call may be sent at the moment.
            BulkError: If the ledger cannot be read.
        """

    def ended(self, price: Price, key: bytes, *, credits: int, requests: int) -> None:
        """An admitted call has ended.

        Args:
            price: The price that it was admitted with.
            key: Its key.
            credits: What it has cost, as far as that is known.
            requests: How many requests were sent.
        """

    def check(self, key: bytes, *, reserved: bool = False) -> None:
        """Raise `CallsParked` if a call may not be sent now.

        Args:
            key: The lookup.
            reserved: The credits of the call are reserved: that others get none does not stop it.
        """

    def over_budget(self, price: Price) -> None:
        """The cap of the run, which its workers share in the ledger, is reached."""

    def report(self, family: Family, key: bytes, error: LixError | None = None) -> bool:
        """Take what came of an attempt into account.

        Returns:
            Whether there is an outage now: the lookup waits, and its attempt counts as none.
        """
        return False

    async def is_rejected(self) -> bool:
        """Whether a free endpoint refuses the key as well, after a 401 or 403 without words."""
        return False


class Postponed(NamedTuple):
    """A lookup that has to wait: come back to it after a pause."""

    pause: float
    """Seconds."""
    reason: Literal["busy", "queued", "failed", "outage"]
    """Another owner works on it; the provider prepares it; a transient failure of this lookup, or
    one of all."""
    outcome: Outcome[object]
    """What it is until then, with the credits spent so far."""


class LookupExecutor:
    """Makes calls through one engine, with one ledger as the authority on what was paid.

    Args:
        store: The ledger, open.
        engine: The client's engine.
        admission: Decides whether a call may be sent at all.
        doubts: What becomes of lookups in doubt.
        queued_for: Seconds until a queued lookup is asked for again, at least.
        recheck: How often at most an answer is bought again that says that it may become better
            (an e-mail address that is only probable); it stays until a better one is there.
        recheck_after: Seconds between two such purchases.
        fresh: Which answers are new enough; older ones are bought again. Default: by the options of
            the engine.

    Raises:
        ConfigurationError: An argument has the wrong type or value.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        admission: Admission,
        *,
        doubts: DoubtPolicy = "hold",
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
        fresh: Freshness | None = None,
    ) -> None:
        check_type("recheck", recheck, int)
        if recheck < 0:
            raise ConfigurationError(f"recheck must be at least 0, not {recheck!r}")
        for name, seconds in (("queued_for", queued_for), ("recheck_after", recheck_after)):
            check_type(name, seconds, float)
            if not 0 <= seconds < float("inf"):
                raise ConfigurationError(f"{name} must be a number of seconds, not {seconds}")
        check_doubts(doubts)
        # The ledger does the repeating: each attempt is announced, and a pause holds no worker.
        once = replace(engine.options.retry, attempts=1, queued_attempts=0)
        options = replace(engine.options, retry=once)
        self.engine = engine.with_options(options).with_budget(admission.budget)
        self.retry = engine.options.retry
        self.store = store
        self.admission = admission
        self.queued_for = queued_for
        self.run_id: int | None = None
        """The ledger's number of the run that pays."""
        self._doubts = doubts
        self._recheck = recheck
        self._recheck_after = recheck_after
        self.fresh = fresh or freshness(options.max_age, options.refused_age, self.now)
        """Which answers are new enough."""

    async def run(
        self,
        call: PreparedCall,
        given: Input,
        *,
        lookup: StoredLookup | None = None,
        read: bool = False,
        row: int | None = None,
        tries: int = 0,
        waited: bool = False,
        scope: CallScope | None = None,
        last_page: int | None = None,
        fresh: Freshness | None = None,
    ) -> Outcome[object] | Postponed:
        """The outcome of one call: from the ledger if it is known, else from the provider.

        Args:
            call: The call.
            given: The input it was made from.
            lookup: What the ledger holds of it, where the caller has just read it.
            read: Whether the caller has just read the ledger: without `lookup` it holds nothing.
            row: The row of the run that led to it, where the ledger is still to note that.
            tries: Transient failures of this lookup in this run so far.
            waited: Whether the caller has waited for the pause of a `Postponed`. The wall clock,
                by which the ledger has the due time, may have been set meanwhile.
            scope: The block of the call, which its consumer may leave.
            last_page: The page of a listing after which to stop; its rows are left in the ledger.
            fresh: Which answers are new enough for this call, where others are than usual.

        Returns:
            The outcome, or when to come back.

        Raises:
            CallsParked: No call makes sense before something changes.
            BulkError: The ledger failed; `unsaved` holds what it could not keep.
        """
        fresh = fresh or self.fresh
        if lookup is None and not read:
            lookup = await self._find(call)
        while True:
            if lookup is not None and lookup.suppressed:
                return self._suppressed(call, given, row)
            found = _NOTHING
            if lookup is not None:
                found = await self._read_ledger(call, given, lookup, fresh, row=row, waited=waited)
            lookup, own, newer_than, asks, known = found
            if known is not None:
                return await self.or_older(known, call, fresh) if _stands(lookup) else known
            attempt = _Attempts(
                *(self, call, given, own, tries, row, scope, asks), newer_than=newer_than
            )
            outcome = await (attempt.listing(last_page) if call.listing else attempt.once())
            if not attempt.elsewhere:
                break
            lookup = (await self.store.by_id([attempt.elsewhere])).get(attempt.elsewhere)
        if attempt.suppressed:
            return self._suppressed(call, given, row)
        is_done = isinstance(outcome, Outcome) and outcome.state == "done"
        if lookup is not None and newer_than is not None and is_done:
            await self._move_input(given, lookup.id, attempt.id)
        if isinstance(outcome, Outcome) and self._wanted_again(outcome, call.row, attempt.n):
            outcome.due = self.wall() + self._recheck_after
            return Postponed(self._recheck_after, "queued", replace(outcome, state="queued"))
        if lookup is None or not _stands(lookup) or isinstance(outcome, Postponed):
            return outcome
        if outcome.state == "done" and not call.listing:
            outcome.changes = await self._changes(attempt.id, attempt.n, call.row)
        return await self.or_older(outcome, call, fresh)

    async def _find(self, call: PreparedCall) -> StoredLookup | None:
        """What the ledger holds of a call, also under another id of its subject."""
        return (await self.store.find_calls([call.query], self.now))[0]

    async def _read_ledger(
        self,
        call: PreparedCall,
        given: Input,
        lookup: StoredLookup,
        fresh: Freshness,
        *,
        row: int | None,
        waited: bool,
    ) -> _Found:
        """What the ledger has of a call, and what is to be sent for it."""
        elsewhere, newer_than = lookup.key != call.key, None
        if not elsewhere:
            self._note(row, lookup, call, given)
        found: StoredLookup | None
        own: StoredLookup | None
        found = own = lookup = await self._judge_left(lookup, call, given)
        asks = await self._status_call(lookup, call.row)
        known = await self._known(lookup, call, given, fresh, waited=waited, free=asks is not None)
        if elsewhere and (known is not None or asks is not None):
            self._note(row, lookup, call, given)
        elif elsewhere:  # what is asked for may have changed hands: not under another id
            own, known = await self._of_own_key(call, given, row)
            newer_than = lookup.changed
        if known is None and own is not None and own.state.status == "in_doubt":
            own = (await self.store.by_id([own.id])).get(own.id)  # to be bought again
            found = found if elsewhere else own
        return _Found(found, own, newer_than, asks, known)

    async def _of_own_key(
        self, call: PreparedCall, given: Input, row: int | None
    ) -> tuple[StoredLookup | None, Outcome[object] | None]:
        """The lookup of the id that is asked about, and its outcome where it is held in doubt."""
        own, held = (await self.store.find([call.key])).get(call.key), None
        if own is not None:
            self._note(row, own, call, given)
            if own.state.status == "in_doubt":
                found = _from_ledger(own, call.key, given)
                held = await self._in_doubt(own, call.row, found, free=False)
        return own, held

    def _note(
        self, row: int | None, lookup: StoredLookup, call: PreparedCall, given: Input
    ) -> None:
        """Keep which lookup a row of the run leads to, where that is still to be noted."""
        if row is not None and self.run_id is not None:
            self.store.post_inputs(self.run_id, [input_row(row, lookup, call.key, given)])

    async def _move_input(self, given: Input, lookup: int, other: int) -> None:
        """Let the input lead to what was bought for it, and not to what was too old."""
        run, text = self.run_id, input_json(given)
        if run is not None:
            await self.store.statement(lambda tables: tables.move_inputs(run, text, lookup, other))

    def _suppressed(self, call: PreparedCall, given: Input, row: int | None) -> Outcome[object]:
        if row is not None and self.run_id is not None:
            self.store.post_inputs(self.run_id, [InputRow(row, None, "suppressed")])
        return suppressed(call.key, call.row, given)

    async def _changes(self, lookup: int, n: int, row: AnyEndpoint) -> list[SubjectChange]:
        """What an answer of a lookup says that the one before it, about the same, does not."""
        if row.fields is None:
            return []

        def read(tables: SqlTables) -> tuple[StoredVersion | None, dict[int, StoredBody]]:
            found = tables.version(lookup, n, row.id)
            return found, {} if found is None else tables.version_bodies([found.id, *found.before])

        version, bodies = await self.store.statement(read, writes=False)
        return [] if version is None else list(changes_of(version, bodies, row))

    async def or_older(
        self, outcome: OutcomeT, call: PreparedCall, fresh: Freshness | None = None
    ) -> OutcomeT | Outcome[object]:
        """The outcome; where a refresh brought nothing newer, with the answer that still stands."""
        if isinstance(outcome, Postponed) or outcome.state == "done":
            return outcome
        lookup = await self._find(call)
        if lookup is None or not _stands(lookup):
            return outcome  # forgotten
        answers = (await self.store.answers([lookup.id])).get(lookup.id, [])
        found = self._stored(lookup, call.key, call.row, outcome.input, answers)
        found.stale = found.stale or _is_expired(found, fresh or self.fresh)
        if found.stale:
            found.refresh, found.error = outcome.state, outcome.error
        found.credits, found.maybe = outcome.credits, outcome.maybe
        found.attempts, found.seconds = outcome.attempts, outcome.seconds
        return found

    async def finished(
        self, found: Sequence[tuple[bytes, AnyEndpoint, object, StoredLookup]]
    ) -> list[Outcome[object] | None]:
        """The outcomes of lookups that need no call; None for each one that does.

        Args:
            found: The key of each call, its endpoint, the input of its outcome, and what the ledger
                has of it.
        """
        ids = [one.id for *_, one in found if _is_answered(one) and not one.suppressed]
        answers = await self.store.answers(ids) if ids else {}
        outcomes: list[Outcome[object] | None] = []
        for key, row, given, lookup in found:
            outcome = None
            if lookup.suppressed:
                outcome = suppressed(key, row, given)
            elif _is_answered(lookup):
                stored = answers.get(lookup.id, [])
                outcome = self._stored(lookup, key, row, given, stored)
                if self._open(outcome, row, lookup.state.n, self.fresh) or (
                    outcome.state == "kept"
                    and stored
                    and self._can_be_read_now(lookup, row, stored[-1])
                ):
                    outcome = None
            outcomes.append(outcome)
        return outcomes

    def wall(self) -> float:
        """Epoch seconds."""
        return self.engine.clock.wall()

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        return max(int(self.wall() * 1000), self.admission.not_before)

    async def _judge_left(
        self, lookup: StoredLookup, call: PreparedCall, given: Input
    ) -> StoredLookup:
        """Judge stored answers that wait for it: who received them was stopped, say."""
        while lookup.state.owner == 0 and (
            lookup.state.status == "received" or _has_unjudged(lookup)
        ):
            answers = await self.store.unjudged(lookup.id)
            if not answers:  # judged meanwhile
                break
            asks = await self._status_call(lookup, call.row, until=answers[0].n)
            await _Attempts(self, call, given, lookup, 0, asks=asks).judge_stored(answers[0])
            moved = lookup.moved
            lookup = (await self.store.by_id([lookup.id]))[lookup.id]
            lookup.moved = moved
        if lookup.state.status == "kept" and not lookup.moved:
            answers = (await self.store.answers([lookup.id])).get(lookup.id, [])
            if answers and self._can_be_read_now(lookup, call.row, answers[-1]):
                await _Attempts(self, call, given, lookup, 0, again=True).judge_stored(answers[-1])
                lookup = (await self.store.by_id([lookup.id]))[lookup.id]
        return lookup

    def _can_be_read_now(self, lookup: StoredLookup, row: AnyEndpoint, answer: AnswerRow) -> bool:
        """Whether this version reads an answer that an earlier version could not read."""
        if (answer.n, answer.meaning) != (lookup.state.cur, "unusable"):
            return False
        value = read_answer(self.engine.provider, row, answer.http, answer.body)
        return not isinstance(value, LixError | StatusCall)

    async def _status_call(
        self, lookup: StoredLookup, row: AnyEndpoint, until: int | None = None
    ) -> StatusCall | None:
        """The call that asks for the result, where an answer said that it is being prepared.

        lookc.md#errors: it is preferred to the first call, which may be charged again.

        Args:
            lookup: The lookup.
            row: The endpoint of its first call.
            until: Only answers of attempts before this one count.
        """
        asks: StatusCall | None = None
        for one in await self.store.history(lookup.id) if row.poll is not None else ():
            if one.meaning in (None, "transient", "unknown") or (until or one.n + 1) <= one.n:
                continue
            endpoint = row if asks is None else asks.endpoint
            found = read_answer(self.engine.provider, endpoint, one.http, one.body)
            if isinstance(found, StatusCall):
                asks = found
            elif one.meaning != "queued":  # it has ended: another one is a new lookup
                asks = None
        return asks

    async def _known(
        self,
        lookup: StoredLookup,
        call: PreparedCall,
        given: Input,
        fresh: Freshness,
        *,
        waited: bool,
        free: bool,
    ) -> Outcome[object] | Postponed | None:
        """What a lookup is that need not be sent now; None for one that must be."""
        state, found = lookup.state, _from_ledger(lookup, call.key, given)
        if lookup.moved and state.status in FINAL:
            return None if state.status == "done" else replace(found, state="kept")
        if state.status in FINAL or (state.refresh is not None and not lookup.moved):
            answers = (await self.store.answers([lookup.id])).get(lookup.id, [])
            outcome = self._stored(lookup, call.key, call.row, given, answers)
            if not self._open(outcome, call.row, state.n, fresh):
                return outcome
            if state.status in FINAL:
                if outcome.state == "queued" or _is_expired(outcome, fresh):
                    return None
                age = self.wall() - answers[-1].at / 1000
                pause = self._recheck_after - max(age, 0.0)
                if pause <= 0 or waited:
                    return None
                outcome.due = self.wall() + pause
                return Postponed(pause, "queued", replace(outcome, state="queued"))
        if state.status == "in_doubt":
            return await self._in_doubt(lookup, call.row, found, free=free)
        if state.owner or state.status in ("sent", "received"):
            return Postponed(BUSY_FOR, "busy", replace(found, state="failed"))
        pause = 0.0 if waited else self._pause(lookup)
        if pause > 0:
            queued = state.status == "queued"
            waiting = replace(found, state="queued" if queued else "failed")
            waiting.due = self.wall() + pause
            return Postponed(pause, "queued" if queued else "busy", waiting)
        return None

    async def _in_doubt(
        self, lookup: StoredLookup, row: AnyEndpoint, found: Outcome[object], *, free: bool
    ) -> Outcome[object] | None:
        entry = await self.store.get(lookup.key)
        choice = "retry" if free else self._doubts
        if callable(choice):
            choice = "hold" if entry is None else choice(entry)
        if choice == "retry":
            await self.store.apply(Decide(lookup.id, lookup.state.n, True, self.now))
            return None
        note = entry.note if entry is not None else ""
        found.error = _in_doubt_error(note, row.id)
        found.maybe = entry.maybe if entry is not None else 0
        if lookup.state.page:
            await self.add_pages(found, row, lookup.id)
        return replace(found, state="in_doubt")

    def _stored(
        self,
        lookup: StoredLookup,
        key: bytes,
        row: AnyEndpoint,
        given: object,
        answers: Sequence[AnswerRow],
    ) -> Outcome[object]:
        """The outcome of a final lookup, from its stored answers."""
        found, provider = _from_ledger(lookup, key, given), self.engine.provider
        state = found.state = cast("State", lookup.state.status)
        last = answers[-1] if answers else None
        if last is not None:
            found.bought_at = _time(last.at)
        if lookup.state.refresh is not None:  # the older answer stands
            found.stale = True
            if state in ("in_doubt", "kept", "refused"):
                found.refresh = state
            state = found.state = "done"
        value: object = None
        if last is not None and (state != "done" or not lookup.state.page):
            value = read_answer(provider, row, last.http, last.body)
        if isinstance(value, StatusCall):  # of a version that took this for the result
            found.state, value = "queued", None
        if lookup.state.page:
            self._join_pages(found, row, answers)
            if state == "kept" and not isinstance(value, LixError):
                value = DecodeError("a page is not the one that was asked for", endpoint=row.id)
        elif last is not None and state != "refused":
            found.body = last.body
            found.value = None if isinstance(value, LixError) else value
        if isinstance(value, LixError):
            found.error = value
        elif state == "refused":
            found.error = InDoubtError("in doubt, and decided not to be bought again")
        elif state == "kept" and last is None:
            found.error = InDoubtError("charged, as the balances show, and no answer was received")
        return found

    async def add_pages(self, outcome: Outcome[object], row: AnyEndpoint, lookup: int) -> None:
        """Add the pages of a listing that were paid for, however it has ended."""
        answers = (await self.store.answers([lookup])).get(lookup, [])
        self._join_pages(outcome, row, answers)

    def _join_pages(
        self, outcome: Outcome[object], row: AnyEndpoint, answers: Sequence[AnswerRow]
    ) -> None:
        provider = self.engine.provider
        usable = [one for one in answers if one.meaning == "usable"]
        outcome.body = join_json_arrays([rows_of_page(provider, row, one) for one in usable])
        outcome.value, error = decode_saved_answer(row, outcome.body)
        outcome.error = outcome.error or error

    def _open(
        self, outcome: Outcome[object], row: AnyEndpoint, attempts: int, fresh: Freshness
    ) -> bool:
        """Whether a stored outcome needs another call."""
        return (
            outcome.state == "queued"
            or _is_expired(outcome, fresh)
            or self._wanted_again(outcome, row, attempts)
        )

    def _wanted_again(self, outcome: Outcome[object], row: AnyEndpoint, attempts: int) -> bool:
        """Whether a better answer may come, and was not asked for often enough."""
        flag = row.unsure
        unsure = flag is not None and bool(getattr(outcome.value, flag, False))
        return unsure and outcome.state == "done" and attempts <= self._recheck

    def _pause(self, lookup: StoredLookup) -> float:
        """Seconds until a lookup is due, at most the pause that was once decided.

        The due time is the wall clock's, which may have been set since.
        """
        if lookup.state.due is None:
            return 0.0
        return max(min(lookup.state.due / 1000 - self.wall(), lookup.pause / 1000), 0.0)


class _AlreadyClaimed(Exception):
    """Another owner has announced this call, or its answer has come meanwhile."""


class _Found(NamedTuple):
    """What the ledger has of a call, and what is to be sent for it."""

    lookup: StoredLookup | None = None
    """The lookup that was found, perhaps that of another id of the subject."""
    own: StoredLookup | None = None
    """The one to send."""
    newer_than: int | None = None
    """The time of the answer under another id that is too old."""
    asks: StatusCall | None = None
    """The call that asks for the result, where it is being prepared."""
    known: Outcome[object] | Postponed | None = None
    """What it is where nothing need be sent now."""


_NOTHING = _Found()


class _Attempts:
    """The attempts of one call in one visit, and what the ledger hears of them.

    It is the engine's `AttemptHooks`.
    """

    def __init__(
        self,
        executor: LookupExecutor,
        call: PreparedCall,
        given: Input,
        lookup: StoredLookup | None,
        tries: int,
        row: int | None = None,
        scope: CallScope | None = None,
        asks: StatusCall | None = None,
        again: bool = False,
        newer_than: int | None = None,
    ) -> None:
        self._newer_than = newer_than
        self._again = again
        """Whether a kept answer is read again, by a newer version of the package."""
        self.elsewhere = 0
        """The lookup under which its subject is known, or in flight; 0 where it is not."""
        self.suppressed = False
        """Whether its subject was forgotten."""
        self._asks = asks
        self._endpoint = call.row if asks is None else asks.endpoint
        self._params = call.params if asks is None else asks.params
        self._request = call.request if asks is None else None
        self._scope = scope or CallScope()
        state = LookupState(page=1 if call.listing else 0) if lookup is None else lookup.state
        self.n = state.n
        self._executor = executor
        self._store = executor.store
        self._engine = executor.engine
        self._call = call
        page = 1 if call.listing else 0
        self._spec = LookupSpec(
            call.key, call.row.id, input_json(given), variant=call.variant, page=page
        )
        self._position = None if lookup is None else lookup.position
        self._page = max(state.page, self._spec.page)
        self._row = row
        # An older ledger may not tell yet that this is a listing: then it is announced as if new.
        known = lookup is not None and state.page >= page
        self.id = lookup.id if lookup is not None and known else 0
        """The lookup; 0 for a new one."""
        # From here on only where the answer or the refusal that stands is to be bought again.
        self._expired = state.status in ("done", "refused")
        if state.status == "done":  # a listing begins at its first page again
            self._position, self._page = None, page
        self._tries = tries
        self._due = state.due or 0
        self._owner = 0
        self._departed = False
        self._reply: HttpResponse | None = None
        self._replays = False
        self._charged = 0
        self._began = 0.0
        key = call.key if lookup is None else lookup.key
        self._outcome: Outcome[object] = Outcome(
            input=given, endpoint=call.row.id, key=key.hex(), state="done"
        )

    # What the engine reports

    async def departing(self) -> None:
        """Announce the request, at the last moment before it leaves."""
        if self._replays:
            return
        if self._reply is not None:  # the other path of the endpoint is tried
            self._judge("attested", 0, counts=False)
        admission, price = self._executor.admission, self._endpoint.credits
        await self._scope.departing()
        admission.check(self._call.key, reserved=True)
        send = Send(
            lookup=self.id,
            n=self.n,
            price=price.amount,
            now=max(self._executor.now, self._due),
            kind=price.kind,
            run=self._executor.run_id,
            expired=self._expired,
            asked=self._call.asked,
            variant=self._call.variant,
            newer_than=self._newer_than,
        )
        if self.id:  # the store shields both
            (result,) = await self._store.apply(send)
        else:
            result, lookup = await self._store.announce(self._spec, send, self._row)
            self.id = 0 if lookup is None else lookup.id
        if result.applied:
            self._owner, self.n = result.owner, result.state.n
            self._departed, self._reply, self._expired = False, None, False
        run = self._executor.run_id
        if result.over_budget and run and await self._store.is_spent(run, price.amount):
            admission.over_budget(price)  # else it waits for calls in flight, of any process
        if not result.applied:
            self.elsewhere, self.suppressed = result.elsewhere, result.suppressed
            raise _AlreadyClaimed
        self._outcome.attempts += 1
        self._began = self._engine.clock.now()

    def departed(self) -> None:
        """The first byte leaves."""
        self._departed = True

    async def received(self, response: HttpResponse) -> None:
        """Store the answer before anything looks at it."""
        self._reply = response
        if self._replays:
            return
        self._outcome.bought_at = _time(self._executor.now)
        event = Receive(
            lookup=self.id,
            owner=self._owner,
            n=self.n,
            page=self._page,
            http=response.status,
            body=response.body,
            now=self._executor.now,
        )
        try:
            await self._store.apply(event)
        except BulkError as error:
            self._charged = self._endpoint.credits.amount
            raise _unsaved(error, self._outcome, self._call.row, response) from error

    # Calls

    async def judge_stored(self, answer: AnswerRow) -> None:
        """Judge an answer of an earlier attempt as if it came now."""
        call, reply = self._call, HttpResponse(answer.http, [], answer.body)
        self._replays = True
        self.id, self.n = answer.lookup, answer.n
        engine = replaying_engine(self._engine, reply)
        try:
            if not call.listing:
                await self._answered(
                    await engine.send(
                        self._endpoint, self._params, hooks=self, request=self._request
                    )
                )
            elif answer.page == self._page:
                pages = self._pages(engine)
                await pages.fetch_next()
                self._finish_page(pages)
            else:  # of a page that the listing has already: only its money counts
                self._reply = reply
                value = wire.decode(engine.provider, call.row, reply.status, reply.body)
                if isinstance(value, LixError):
                    raise value
                self._judge("answer", call.row.credits.amount)
        except LixError as error:
            with contextlib.suppress(CallsParked):  # that reason to stop has passed since
                await self._failed(error)

    def once(self) -> Awaitable[Outcome[object] | Postponed]:
        """A single call."""
        return self._admitted(self._sent)

    async def _sent(self) -> Outcome[object] | Postponed:
        try:
            answer = await self._engine.send(
                self._endpoint, self._params, hooks=self, request=self._request
            )
        except _AlreadyClaimed:
            return self._busy()
        except (BulkError, BudgetError, CallsParked):
            raise
        except LixError as error:
            return await self._failed(error)
        return await self._answered(answer)

    async def listing(self, last: int | None = None) -> Outcome[object] | Postponed:
        """A listing; however it ends, with its pages so far."""
        outcome = await self._all_pages(last)
        if isinstance(outcome, Outcome) and last is None:
            await self._executor.add_pages(outcome, self._call.row, self.id)
        return outcome

    async def _all_pages(self, last: int | None) -> Outcome[object] | Postponed:
        """A listing, page by page, on from where the ledger has it."""
        call, pages = self._call, self._pages(self._engine)
        while not pages.ended and call.left(pages.stats.items) != 0:
            if last is not None and self._page > last:
                break
            ended = await self._admitted(lambda: self._next_page(pages))
            if ended is not None:
                return ended
        return self._outcome

    async def _next_page(self, pages: Paginator[object]) -> Outcome[object] | Postponed | None:
        """Buy a page of a listing; what the call ends with where none came."""
        try:
            await pages.fetch_next()
        except _AlreadyClaimed:
            return self._busy()
        except (BulkError, BudgetError, CallsParked):
            raise
        except LixError as error:
            return await self._failed(error)
        self._finish_page(pages)
        return None

    def _pages(self, engine: Engine) -> Paginator[object]:
        row = cast("Endpoint[Params, Listing[object]]", self._call.row)
        position = Checkpoint.from_json(self._position) if self._position else None
        pages: Paginator[object] = Paginator(engine, row, self._call.params, position)
        pages.hooks = self
        return pages

    def _finish_page(self, pages: Paginator[object]) -> None:
        """Judge a page that was read, and note where the listing stands after it."""
        left = self._call.left(pages.stats.items)
        page = pages.ready.popleft() if pages.ready else None
        rows: list[bytes] = []
        every_row = False
        if page is not None:
            raw = raw_items(page)
            rows = raw.items[:left]
            every_row = raw.as_received and len(rows) == page.count
        pages.stats.items += len(rows)
        self._report("answer")
        goes_on = not pages.ended and self._call.left(pages.stats.items) != 0
        self._judge(
            "answer",
            self._call.row.credits.amount,
            next_page=self._page + 1 if goes_on else None,
            position=pages.checkpoint().to_json(),
            rows=None if every_row else b"[%b]" % b",".join(rows),
        )
        self._page += 1
        self._reply = None
        self._outcome.seconds += self._engine.clock.now() - self._began

    async def _admitted(self, send: Callable[[], Awaitable[R]]) -> R:
        """Send a call, once it may be sent."""
        outcome, admission = self._outcome, self._executor.admission
        price, key = self._endpoint.credits, self._call.key
        attempts, self._charged = outcome.attempts, 0
        try:
            await admission.admit(price, key)
            try:
                return await send()
            finally:
                sent = outcome.attempts - attempts
                admission.ended(price, key, credits=self._charged, requests=sent)
        except BudgetError as error:
            admission.stop = admission.stop or error
            raise CallsParked(spent=outcome.credits) from None
        except CallsParked as parked:
            parked.spent = outcome.credits
            raise
        except LixError:
            raise
        except BaseException as error:
            self._abandoned(error)
            raise
        finally:
            self._scope.on_its_way = False

    # Ends

    def _busy(self) -> Postponed:
        return Postponed(BUSY_FOR, "busy", replace(self._outcome, state="failed"))

    async def _answered(self, answer: Answer[object]) -> Outcome[object] | Postponed:
        """The end of a call that was answered: its value, or its status is to be asked for."""
        found = self._endpoint.result_of(answer.value, answer.status, answer.body)
        if isinstance(found, LixError):
            return await self._failed(found)
        outcome = self._outcome
        outcome.seconds = self._engine.clock.now() - self._began
        self._report("answer")
        charged = credits_for(self._endpoint.credits, answer.value)
        if isinstance(found, StatusCall):
            interval = min(FIRST_INTERVAL * 2.0 ** min(self.n - 1, 60), MAX_INTERVAL)
            return self._queued(min(interval, self._executor.queued_for), charged)
        outcome.value, outcome.body = found, answer.body
        self._judge("answer", charged)
        return await self._without_forgotten() if self._store.suppresses else outcome

    async def _without_forgotten(self) -> Outcome[object]:
        """The outcome, as the ledger has it: who was forgotten has been erased."""
        outcome, call = self._outcome, self._call
        await self._store.flush()
        found = await self._store.statement(
            lambda tables: (tables.by_id([self.id]), tables.current([self.id])), writes=False
        )
        lookup, answers = found[0].get(self.id), found[1].get(self.id, [])
        redacted = [one for one in answers if one.redacted and one.n == self.n]
        erased = lookup is None or (not call.listing and all(one.n != self.n for one in answers))
        if erased or redacted:
            await self._store.empty_log()
        if erased:
            gone = suppressed(call.key, call.row, cast("Input", outcome.input))
            outcome.state, outcome.error = gone.state, gone.error
            outcome.value, outcome.body = None, b""
        elif redacted:
            outcome.body = redacted[-1].body
            outcome.value, outcome.error = decode_saved_answer(call.row, outcome.body, pages=False)
        return outcome

    def _queued(self, pause: float, charged: int, note: str | None = None) -> Postponed:
        outcome = self._outcome
        outcome.state, outcome.due = "queued", self._executor.wall() + pause
        self._judge("queued", charged, pause=pause, note=note)
        return Postponed(pause, "queued", outcome)

    async def _failed(self, error: LixError) -> Outcome[object] | Postponed:
        """The end of a call that raised: judged by its answer where there is one."""
        outcome, reply = self._outcome, self._reply
        outcome.error = error
        outcome.seconds = self._engine.clock.now() - self._began if outcome.attempts else 0.0
        if reply is None:
            return self._unanswered(error)
        row, provider = self._endpoint, self._engine.provider
        value: object = error
        if isinstance(error, PagingError):  # the provider does not move on: its pages are kept
            value = DecodeError(str(error.args[0]), body=reply.body, endpoint=row.id)
        elif isinstance(error, TransportError):  # a deadline, after the answer had come
            value = wire.decode(provider, row, reply.status, reply.body)
            if not isinstance(value, LixError) and self._call.listing:
                self._abandoned(error)  # the listing goes on with this page when it is read again
                return self._busy()
            if not isinstance(value, LixError):
                outcome.error = None
                return await self._answered(_as_answer(value, reply.status, reply.body))
        family = family_of(reply.status, value, attested=provider.own_error(reply.body))
        if family == "unattested" and reply.status in (401, 403):
            with contextlib.suppress(LixError):
                if await self._executor.admission.is_rejected():
                    family = "stop"
        return await self._refused(family, error, reply)

    async def _refused(
        self, family: Family, error: LixError, reply: HttpResponse
    ) -> Outcome[object] | Postponed:
        outcome, price = self._outcome, self._endpoint.credits.amount
        note = str(error.args[0]) if error.args else type(error).__name__
        once = family == "unattested" and reply.status in ONCE
        # Read first: nothing may come between the report and what it leads to.
        final = once and await self._refused_for_days(reply.status)
        outage = self._report(family, error)
        outcome.state = state_of(family)
        if self._asks is not None and family in ("unusable", "unknown"):
            family = "unattested"  # a status that cannot be read is no end of the lookup
        if family == "unusable":
            outcome.body = reply.body
            self._judge(family, price, note=note)
            return outcome
        if family == "unknown":
            outcome.maybe += price
            self._judge(family, price, note=note)
            return outcome
        if family == "stop":
            self._judge(family, 0, note=note)
            raise CallsParked(error, outcome.credits)
        if family == "queued":
            named = error.retry_after if isinstance(error, QueuedError) else None
            pause = max(self._executor.queued_for, named or 0.0)
            return self._queued(pause, 0, note)
        if family in ("refused", "input"):
            outcome.state = "refused"
            self._judge(family, 0, note=note)
            return outcome
        if family == "gateway":
            outcome.maybe += price
        delay = self._pause_after(error)
        if final and not outage:
            outcome.state = "refused"
            self._judge(family, 0, note=note, final=True)
            return outcome
        if once or getattr(error, "kind", "") == UNKNOWN_ROUTE:
            delay = None
        self._judge(family, 0, pause=delay or 0.0, note=note, counts=not outage)
        return self._transient(delay, outage=outage or family == "infrastructure")

    async def _refused_for_days(self, status: int) -> bool:
        """Whether the lookup was refused without the API's own error often enough to be final."""
        if self._replays or status not in REFUSED_STATUSES or self.n < FINAL_AFTER:
            return False
        earlier = await self._store.statement(
            lambda tables: tables.unattested_refusals(self.id, REFUSED_STATUSES), writes=False
        )
        attempts = [*earlier, (self._executor.run_id, self._executor.now)]
        days = {sent // DAY for _, sent in attempts}
        # Calls outside of a run count as one run a day.
        runs = {("day", sent // DAY) if run is None else ("run", run) for run, sent in attempts}
        return min(len(days), len(runs)) >= FINAL_AFTER

    def _unanswered(self, error: LixError) -> Outcome[object] | Postponed:
        """The end of a call without an answer."""
        outcome, now = self._outcome, self._executor.now
        error.family = error.family or family_without_answer(error)
        family = error.family or "infrastructure"
        if outcome.attempts and self._owner:
            left = error.sent if isinstance(error, TransportError) else self._departed
            family = "unknown" if left else "infrastructure"
            if left:
                self._report(family, error)
                self._lose(str(error.args[0]) if error.args else "")
                if self._asks is not None:  # it costs nothing to ask again
                    return self._transient(self._pause_after(error))
                outcome.state = "in_doubt"
                return outcome
            self._store.post(NotLeft(self.id, self._owner, self.n, now))
            self._owner = 0
        if isinstance(error, DeadlineError):  # the caller's own limit
            return self._transient(self._pause_after(error))
        self._report(family, error)
        if family == "stop":
            raise CallsParked(error, outcome.credits)
        return self._transient(self._pause_after(error), outage=True)

    def _report(self, family: Family, error: LixError | None = None) -> bool:
        """Tell what came of this attempt; whether there is an outage now."""
        if self._replays:
            return False
        return self._executor.admission.report(family, self._call.key, error)

    def _transient(
        self, pause: float | None, *, outage: bool = False
    ) -> Outcome[object] | Postponed:
        """The lookup is asked for again after a pause; during an outage as often as it takes."""
        self._outcome.state = "failed"
        if outage and self._executor.admission.waits_for_outages:
            return Postponed(pause or self._executor.retry.backoff, "outage", self._outcome)
        return self._outcome if pause is None else Postponed(pause, "failed", self._outcome)

    def _pause_after(self, error: LixError) -> float | None:
        """Seconds until a transient failure is repeated; None when it was often enough."""
        retry, engine = self._executor.retry, self._engine
        tries = self._tries + 1
        delay = retry.next_delay(
            error, failures=tries, polls=0, idempotent=True, window=engine.provider.window
        )
        named = error.retry_after if isinstance(error, RefusalError) else None
        too_long = named is not None and named > retry.max_retry_after
        if delay is None and tries < retry.attempts and self._reply is not None and not too_long:
            top = min(retry.backoff * 2.0 ** min(tries - 1, 60), retry.max_backoff)
            return engine.clock.between(0.0, top)
        return None if delay is None else engine.clock.between(delay.low, delay.high)

    def _lose(self, note: str) -> None:
        price = self._endpoint.credits.amount
        self._charged = price
        self._outcome.maybe += price
        self._store.post(Lose(self.id, self._owner, self.n, self._executor.now, note))
        self._owner = 0

    def _abandoned(self, error: BaseException) -> None:
        """Cancelled: in doubt where the request has left, else as if nothing had been."""
        if not self._owner:
            return
        if self._reply is not None:  # stored; whoever comes next judges it
            self._charged = self._endpoint.credits.amount
            self._store.post(Lose(self.id, self._owner, self.n, self._executor.now))
        elif self._departed:
            self._lose(f"interrupted ({type(error).__name__})")
        else:
            self._store.post(NotLeft(self.id, self._owner, self.n, self._executor.now))

    def _judge(
        self,
        family: Family,
        charged: int,
        *,
        pause: float = 0.0,
        next_page: int | None = None,
        position: bytes | None = None,
        rows: bytes | None = None,
        note: str | None = None,
        counts: bool = True,
        final: bool = False,
    ) -> None:
        """Write the meaning with the next commit: where it is lost, it is computed again."""
        due = int((self._executor.wall() + pause) * 1000) if pause else None
        meaning = judgement(family, charged, due=due, next_page=next_page)
        if final:
            meaning = replace(meaning, meaning="refused")
        if not counts:
            meaning = replace(meaning, counts=False)
        if meaning.charged is None:
            self._charged = self._endpoint.credits.amount
        else:
            self._charged = meaning.charged
            self._outcome.credits += meaning.charged
            self._scope.uncounted += meaning.charged
        found = self._ids() if family == "answer" else ()
        if self._again:
            now = self._executor.now
            self._store.post(JudgeAgain(self.id, self.n, meaning, now, position, rows, found))
            return
        self._store.post(
            Judge(
                lookup=self.id,
                owner=self._owner,
                n=self.n,
                judgement=meaning,
                now=self._executor.now,
                family=family,
                position=position,
                pause=int(pause * 1000),
                rows=rows,
                note=note,
                found=found,
            )
        )
        self._owner = 0

    def _ids(self) -> tuple[FoundIds, ...]:
        """The ids in the answer; where an answer never has any, the one that was asked for."""
        row, reply = self._endpoint, self._reply
        if row.subject is not None and not row.ids and self._call.asked is not None:
            return (FoundIds((self._call.asked,)),)
        return () if reply is None else find_ids(row.ids, reply.body)


def suppressed(key: bytes, row: AnyEndpoint, given: object) -> Outcome[object]:
    """The outcome of an input whose subject was forgotten."""
    error = SuppressedError("forgotten, and not looked up again", endpoint=row.id)
    return Outcome(input=given, endpoint=row.id, key=key.hex(), state="suppressed", error=error)


def _has_unjudged(lookup: StoredLookup) -> bool:
    return any(answer.meaning is None for answer in lookup.state.answers)


def _is_answered(lookup: StoredLookup) -> bool:
    """Whether there is an answer that stands, perhaps an older one, and none waits to be judged."""
    answered = lookup.state.status in FINAL or lookup.state.refresh is not None
    return answered and not (lookup.moved or _has_unjudged(lookup))


def _stands(lookup: StoredLookup | None) -> bool:
    """Whether an answer stands, also while a newer one is bought."""
    return (
        lookup is not None
        and not lookup.moved
        and (lookup.state.status == "done" or lookup.state.refresh is not None)
    )


def _is_expired(outcome: Outcome[object], fresh: Freshness) -> bool:
    """Whether a stored answer is older than the caller accepts.

    What was charged and cannot be read is bought again at a person's request only, also where it
    was a refresh.
    """
    if outcome.bought_at is None or outcome.refresh == "kept":
        return False
    return fresh.is_expired(outcome.state, outcome.bought_at)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _from_ledger(lookup: StoredLookup, key: bytes, given: object) -> Outcome[object]:
    via = "" if lookup.key == key else written_text(lookup.written_as)
    return Outcome(
        input=given,
        endpoint=lookup.endpoint,
        key=lookup.key.hex(),
        state="done",
        cached=True,
        via=via,
    )


def written_text(written_as: bytes) -> str:
    """An input as it was written; of one with several arguments its JSON."""
    given: object = msgspec.json.decode(written_as)
    return given if isinstance(given, str) else written_as.decode()


def input_row(row: int, lookup: StoredLookup, key: bytes, given: Input) -> InputRow:
    """The row of a run that led to a lookup, with its input where that is another one's."""
    return InputRow(row, lookup.id, given=None if lookup.key == key else input_json(given))


def _in_doubt_error(note: str, endpoint: str) -> InDoubtError:
    text = f"in doubt: {note}" if note else "in doubt: sent, no answer received"
    return InDoubtError(text, endpoint=endpoint)


def _unsaved(
    error: BulkError, outcome: Outcome[object], row: AnyEndpoint, reply: HttpResponse
) -> BulkError:
    """The ledger's error, with the paid answer that it would have lost."""
    outcome.state, outcome.body = "in_doubt", reply.body
    outcome.value, outcome.error = decode_saved_answer(row, reply.body, pages=False)
    found = type(error)(*error.args)
    found.unsaved = (outcome,)
    return found


def join_json_arrays(arrays: Sequence[bytes]) -> bytes:
    """JSON arrays as one."""
    inner = [array.strip()[1:-1] for array in arrays]
    return b"[" + b",".join(part for part in inner if part.strip()) + b"]"


def rows_of_page(provider: Provider, row: AnyEndpoint, answer: AnswerRow) -> bytes:
    """The new rows of a listing's stored page, as a JSON array."""
    if answer.rows is not None:
        return answer.rows
    if answer.codec == 2:  # rows, from a ledger of version 2
        return answer.body
    value = wire.decode(provider, row, answer.http, answer.body)
    if isinstance(value, LixError):
        return b"[]"
    listing = cast("Listing[object]", value)
    items = listing.rows()
    read = _as_answer(listing, answer.http, answer.body)
    page: Page[object] = Page(items, 0, len(items), None, None, read)
    return b"[%b]" % b",".join(raw_items(page).items)


def _as_answer(value: R, status: int, body: bytes) -> Answer[R]:
    """A stored answer, decoded."""
    return Answer(
        value=value,
        body=body,
        status=status,
        raw_headers=[],
        attempts=1,
        waited=0.0,
        credits=0,
        lost=0,
    )


def read_answer(provider: Provider, endpoint: AnyEndpoint, status: int, body: bytes) -> object:
    """What a stored answer comes to: a value, a `StatusCall`, or a `LixError`."""
    value = wire.decode(provider, endpoint, status, body)
    return value if isinstance(value, LixError) else endpoint.result_of(value, status, body)


def decode_saved_answer(
    row: AnyEndpoint, body: bytes, *, pages: bool = True
) -> tuple[object, LixError | None]:
    """An answer that was stored, read; or why it cannot be.

    Args:
        row: The endpoint.
        body: The body; of a listing its rows as an array.
        pages: False where the body of a listing is one page as received.
    """
    try:
        if row.is_listing and pages:
            items: list[object] = read_items(item_type(row.result), body)
            return items, None
        return decoder_for(row.result).read(body), None
    except SchemaMismatch as error:
        message = str(error)
    return None, DecodeError(message, body=body, endpoint=row.id)
