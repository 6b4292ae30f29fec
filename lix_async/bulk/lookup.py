"""One lookup, charged at most once.

```
claim    a final answer in the ledger ► returned for free; claimed by another worker ► `busy`
admit    budget, balances, daily allowance, parked ledger (`AdmissionController`)
permit   of the client's limiter
intent   "sent" is durable BEFORE the first byte is sent
call
   ├── answer                        ► saved as received, then returned
   ├── permanent error               ► saved
   ├── queued                        ► the intent is undone; due in some minutes
   ├── daily limit, 402, wrong key   ► the intent is undone; `CallsParked` is raised
   └── no answer                     ► in doubt: never bought again without a decision
```

Runs, queues and workers are not its subject.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import anyio
import msgspec
from msgspec.structs import replace

from ..core.decoding import SchemaMismatch, TolerantDecoder, decoder_for
from ..core.endpoint import AnyEndpoint, Endpoint
from ..core.errors import (
    BulkError,
    ConfigurationError,
    DecodeError,
    LixError,
    PagingError,
    QueuedError,
    RateLimitError,
    RefusalError,
    ServerError,
)
from ..core.models import Listing, Params, item_type
from ..core.validation import check_type
from ..engine.checkpoint import Checkpoint
from ..engine.engine import Engine
from ..engine.pages import Paginator
from ..engine.raw_items import raw_items
from .admission import STOPPING, AdmissionController, CallsParked
from .outcome import Outcome
from .prepared_call import Input, PreparedCall
from .stores.base import DoubtPolicy, Entry, Status, Store, StoredError

QUEUED_FOR = 180.0
"""Seconds after which a queued lookup is requested again: the vendor says "a few minutes"."""
BUSY_FOR = 0.5
"""Seconds after which a key that another worker has claimed is checked again."""
RECHECK_AFTER = 3600.0
"""Seconds after which an answer that may become better is requested again."""


class LookupExecutor:
    """Makes lookups through one engine, and records in one ledger what was paid.

    See `bulk.Run` for the arguments. With `recheck`, an answer stays in the ledger until a better
    one replaces it.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        admission: AdmissionController,
        *,
        doubts: DoubtPolicy = "hold",
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
    ) -> None:
        check_type("recheck", recheck, int)
        if recheck < 0:
            raise ConfigurationError(f"recheck must not be negative: {recheck}")
        for name, seconds in (("queued_for", queued_for), ("recheck_after", recheck_after)):
            check_type(name, seconds, float)
            if not 0 <= seconds < float("inf"):
                raise ConfigurationError(f"{name} must be a finite number of seconds: {seconds}")
        if doubts not in ("hold", "retry") and not callable(doubts):
            raise ConfigurationError(
                f"invalid doubts {doubts!r}: expected 'hold', 'retry' or a function"
            )
        retry = replace(engine.options.retry, queued_attempts=0, repeat_lost=doubts == "retry")
        self._engine = engine.with_options(replace(engine.options, retry=retry))
        self._store = store
        self._doubts = doubts
        self._admission = admission
        self._queued_for = queued_for
        self._recheck = recheck
        self._recheck_after = recheck_after

    async def run(self, call: PreparedCall, given: Input) -> Outcome[object]:
        """The outcome of one lookup, from the ledger or from the provider.

        Its state is `busy` if another worker has claimed the key: try again later.

        Raises:
            CallsParked: If no call may be sent at the moment.
            BulkError: If the ledger cannot be used; its `unsaved` has what could not be saved.
        """
        written = msgspec.json.encode(given)
        entry = await self._store.claim(call.key, call.row.id, written, self._now())
        known = self._known(entry, call.row, given)
        if known is None:
            known = await self._made(entry, call, given)
        elif entry.held:
            await self._store.release(call.key)
        if self._wanted_again(known, call.row, entry.attempts + known.attempts):
            known.due = self._recheck_after + (self._now() if known.attempts else entry.changed)
            if await self._store.schedule_recheck(call.key, known.due, self._now()):
                known.state = "queued"
        return known

    def final(self, entry: Entry, row: AnyEndpoint, given: Input) -> Outcome[object] | None:
        """The outcome of an entry that is final; None if a call is to be made."""
        found = self._known(entry, row, given)
        if found is None or self._wanted_again(found, row, entry.attempts):
            return None
        return found

    async def _made(self, entry: Entry, call: PreparedCall, given: Input) -> Outcome[object]:
        attempt = LookupAttempt(self._store, self._engine, self._admission, call, given)
        attempt.queued_for, attempt.held, attempt.earlier = self._queued_for, entry.held, entry.body
        try:
            return await (attempt.pages(entry) if call.listing else attempt.once())
        except AlreadyClaimed:
            return Outcome(input=given, key=call.key.hex(), state="busy")
        except CallsParked as parked:
            parked.spent = attempt.credits
            await attempt.abandoned()
            raise
        except BulkError:
            raise
        except LixError as error:
            return await attempt.failed(error)
        except BaseException:
            # If the ledger fails now, it has the key as `sent`: it will be in doubt anyway.
            with anyio.CancelScope(shield=True), contextlib.suppress(BulkError):
                await attempt.abandoned()
            raise

    def _wanted_again(self, outcome: Outcome[object], row: AnyEndpoint, attempts: int) -> bool:
        """Whether to request a better answer again."""
        flag = row.unsure
        unsure = flag is not None and bool(getattr(outcome.value, flag, False))
        return unsure and outcome.state == "done" and attempts <= self._recheck

    def _known(self, entry: Entry, row: AnyEndpoint, given: Input) -> Outcome[object] | None:
        """The outcome, if no call is to be made now; otherwise None."""
        found: Outcome[object] = Outcome(
            input=given, key=entry.key.hex(), state="done", cached=True, credits=0
        )
        error = entry.error.error(row.id) if entry.error else None
        if entry.status == "busy":
            return replace(found, state="busy", cached=False)
        if entry.status == "refused":
            return replace(found, state="refused", error=error)
        if entry.status == "queued" and entry.due > self._now() and self._awaited(entry):
            return replace(found, state="queued", error=error, due=entry.due)
        if entry.status == "in_doubt" and entry.body is None and self._choice(entry) != "retry":
            return replace(found, state="in_doubt", error=error)
        if entry.status == "done" or (entry.body is not None and not self._awaited(entry)):
            found.body = entry.body or b""
            found.value, found.error = decode_saved_answer(row, found.body)
            return found
        return None

    def _awaited(self, entry: Entry) -> bool:
        """Whether the lookup waits for an answer, or for a better one."""
        if entry.status == "in_doubt" and entry.body is not None:
            return self._choice(entry) == "retry"
        return entry.body is None or self._recheck > 0

    def _choice(self, entry: Entry) -> str:
        return self._doubts(entry) if callable(self._doubts) else self._doubts

    def _now(self) -> float:
        return self._engine.clock.wall()


class AlreadyClaimed(Exception):
    """Another worker has claimed the key."""


class LookupAttempt:
    """One attempt at one lookup, with its entry in the ledger."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        admission: AdmissionController,
        call: PreparedCall,
        given: Input,
    ) -> None:
        self._store = store
        self._engine = engine
        self._admission = admission
        self._call = call
        self.queued_for = QUEUED_FOR
        self.held = False
        self.earlier: bytes | None = None
        """The saved answer that a better one would replace."""
        self._sent = False
        self._noted = False
        self._began = 0.0
        self._outcome: Outcome[object] = Outcome(input=given, key=call.key.hex(), state="done")

    async def before_send(self) -> None:
        """Save the intent, just before the request is sent."""
        self._admission.check()
        self._sent = self._noted = True  # from here on an interruption leaves the key in doubt
        if not await self._store.mark_sent(self._call.key, self.held, self._wall()):
            raise AlreadyClaimed
        self.held = True
        self._outcome.attempts += 1
        self._began = self._engine.clock.now()

    def on_not_charged(self) -> None:
        """The attempt was refused or not sent: the key is not in doubt until the next one."""
        self._sent = False

    @property
    def credits(self) -> int:
        """Credits spent so far."""
        return self._outcome.credits

    async def once(self) -> Outcome[object]:
        """Make a single call."""
        call, outcome = self._call, self._outcome
        async with self._paid_for():
            answer = await self._engine.send(
                call.row,
                call.params,
                before_send=self.before_send,
                on_not_charged=self.on_not_charged,
            )
            outcome.credits = answer.credits
        outcome.seconds = self._engine.clock.now() - self._began
        outcome.value, outcome.body = answer.value, answer.body
        await self._keep(answer.body, answer.credits)
        self._sent = False
        return outcome

    @asynccontextmanager
    async def _paid_for(self) -> AsyncGenerator[None]:
        """A call that was admitted. One whose outcome is unknown counts as paid."""
        price, outcome = self._call.row.credits, self._outcome
        await self._admission.admit(price)
        before, asked = outcome.credits, outcome.attempts
        spent = price.amount
        try:
            yield
            spent = outcome.credits - before
        except RefusalError:
            spent = 0
            raise
        except BaseException as error:
            left = self._sent and getattr(error, "sent", True)
            spent = price.amount if left else 0
            raise
        finally:
            self._admission.settle(price, spent, outcome.attempts - asked)

    async def _keep(self, body: bytes, credits: int) -> None:
        try:
            await self._store.done(self._call.key, body, credits, self._wall())
        except BulkError as error:
            raise _unsaved(error, self._outcome) from error

    async def pages(self, entry: Entry) -> Outcome[object]:
        """Fetch a listing page by page, from where the ledger has it."""
        call, outcome = self._call, self._outcome
        row = cast("Endpoint[Params, Listing[object]]", call.row)
        point = None if entry.point is None else Checkpoint.from_json(entry.point)
        pages: Paginator[object] = Paginator(self._engine, row, call.params, point)
        pages.before_send, pages.on_not_charged = self.before_send, self.on_not_charged
        while not pages.ended and (remaining := call.remaining(pages.stats.items)) != 0:
            spent = pages.stats.credits
            async with self._paid_for():
                await pages.fetch_next()
                outcome.credits += pages.stats.credits - spent
            outcome.seconds = max(outcome.seconds, self._engine.clock.now() - self._began)
            rows = [row for page in pages.ready for row in raw_items(page).items][:remaining]
            pages.ready.clear()
            pages.stats.items += len(rows)
            spent = pages.stats.credits - spent
            page = b"[%b]" % b",".join(rows)
            try:
                checkpoint = pages.checkpoint().to_json()
                await self._store.add_page(call.key, page, checkpoint, spent, self._wall())
            except BulkError as error:
                saved = replace(
                    outcome, state="in_doubt", value=decode_saved_answer(row, page)[0], body=page
                )
                raise _unsaved(error, saved) from error
            self._sent = self._noted = False
        outcome.body = await self._store.finish_listing(call.key, self._wall())
        outcome.value, outcome.error = decode_saved_answer(call.row, outcome.body)
        return outcome

    # What an error means for the key. `sent`: the intent was saved and not undone.
    #
    # | error                                  | status in the ledger | outcome          |
    # |----------------------------------------|----------------------|------------------|
    # | body is not JSON (a proxy's page)      | in_doubt             | in_doubt         |
    # | JSON does not fit the struct, a call   | done                 | done with error  |
    # | JSON does not fit the struct, a page   | refused              | refused          |
    # | queued                                 | queued until due     | queued           |
    # | daily limit, 402, wrong key or viewer  | pending              | CallsParked      |
    # | 429, 5xx                               | pending              | failed           |
    # | other error response                   | refused              | refused          |
    # | the same, when rechecking an answer    | done, earlier answer | done             |
    # | repeated page                          | refused              | refused          |
    # | no answer, request may have been sent  | in_doubt             | in_doubt         |
    # | no answer, request was not sent        | pending              | failed           |
    # | invalid argument                       | pending              | invalid          |
    #
    # An error response is never in doubt: the provider does not charge it. A body that is JSON is
    # saved even if it cannot be decoded, because it was paid and a later version may read it; one
    # that is not may come from a proxy, charged or not.
    async def failed(self, error: LixError) -> Outcome[object]:
        """Record what an error means for the key, and return the outcome.

        Raises:
            CallsParked: If every other call would get the same error.
        """
        outcome, sent = self._outcome, self._sent
        outcome.error = error
        outcome.seconds = self._engine.clock.now() - self._began if outcome.attempts else 0.0
        self._sent = False
        if isinstance(error, DecodeError) and not _is_json(error.body):
            outcome.state = "in_doubt"
            await self._set_outcome("in_doubt", error)
        elif isinstance(error, DecodeError) and not self._call.listing:  # a later version reads it
            outcome.body, outcome.credits = error.body, self._call.row.credits.amount
            await self._keep(error.body, outcome.credits)
        elif isinstance(error, QueuedError):
            outcome.state = "queued"
            outcome.due = self._wall() + max(self.queued_for, error.retry_after or 0.0)
            await self._set_outcome("queued", error, outcome.due)
        elif isinstance(error, STOPPING):
            await self._set_outcome("pending", error)
            raise CallsParked(error, outcome.credits)
        elif isinstance(error, RefusalError):
            passing = isinstance(error, RateLimitError | ServerError)
            outcome.state = "failed" if passing else "refused"
            if (
                self.earlier is not None and not passing
            ):  # no better answer came: the earlier one stands
                outcome.state, outcome.body = "done", self.earlier
                outcome.value, outcome.error = decode_saved_answer(self._call.row, self.earlier)
                await self._keep(self.earlier, 0)
                return outcome
            await self._set_outcome("pending" if passing else "refused", error)
        elif isinstance(error, PagingError | DecodeError):  # its pages so far are saved
            outcome.state = "refused"
            await self._set_outcome("refused", error)
        elif sent and getattr(error, "sent", True):
            outcome.state = "in_doubt"
            await self._set_outcome("in_doubt", error)
        else:
            outcome.state = "invalid" if isinstance(error, ConfigurationError) else "failed"
            await self._set_outcome("pending", error)
        return outcome

    async def abandoned(self) -> None:
        """Record a cancellation: in doubt if the request may have been sent, else pending."""
        if self._sent:
            await self._set_outcome("in_doubt", None)
        elif self._noted:
            await self._set_outcome("pending", None)
        elif self.held:
            await self._store.release(self._call.key)

    async def _set_outcome(self, status: Status, error: LixError | None, due: float = 0.0) -> None:
        saved = None if error is None else StoredError.of(error)
        await self._store.set_outcome(self._call.key, status, saved, due, self._wall())

    def _wall(self) -> float:
        return self._engine.clock.wall()


def _unsaved(error: BulkError, outcome: Outcome[object]) -> BulkError:
    """The error, with the paid answer that could not be saved."""
    failure = BulkError(
        f"{error.args[0]}; the answers that were paid are in .unsaved", endpoint=error.endpoint
    )
    failure.unsaved = (outcome,)
    return failure


_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    except RecursionError:  # too deep to be read, but whole
        pass
    return True


def decode_saved_answer(row: AnyEndpoint, body: bytes) -> tuple[object, LixError | None]:
    """A saved answer, decoded, or the error why it cannot be."""
    try:
        if row.is_listing:
            item: TolerantDecoder[object] = decoder_for(item_type(row.result))
            return [item.read(bytes(one)) for one in _ROWS.decode(body)], None
        return decoder_for(row.result).read(body), None
    except (SchemaMismatch, msgspec.DecodeError) as mismatch:
        message = str(mismatch)
    return None, DecodeError(message, body=body, endpoint=row.id)
