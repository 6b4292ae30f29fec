"""One lookup, made at most once. Knows no run, no queue, no worker.

```
known? ── a final answer in the ledger ──► return it, pay nothing; held by somebody ──► busy
asked  ── the governor: budget, balances, the day's allowance, parked by somebody
turn   ── at the client's limiter
intent ── "sent" is durable BEFORE the first byte leaves
call
   ├── answer                  ► kept as received, then returned
   ├── refused for good        ► kept
   ├── queued                  ► the intent is undone, due in minutes; no slot is held
   ├── daily limit, 402, key   ► the intent is undone, `Parked` is raised: the run must wait
   └── nobody knows            ► in doubt: held for a decision, never bought again silently
```

This coroutine is what other engines (Temporal, Celery, Ray, …) call inside a task of their own.
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
from .prepared_call import Input, PreparedCall, walks
from .stores.base import DoubtPolicy, Entry, Status, Store, StoredError

QUEUED_FOR = 180.0
"""Seconds after which a queued lookup is asked for again: the vendor says "a few minutes"."""
BUSY_FOR = 0.5
"""Seconds after which a key that another worker holds is looked at again."""
RECHECK_AFTER = 3600.0
"""Seconds after which an answer that may become better is asked for again: spread over time."""


class LookupExecutor:
    """Makes calls through one engine, with one ledger as the authority on what was paid.

    `recheck`: how often at most an answer that says of itself that it may become better (an
    e-mail address that is only probable) is asked for again, each time `recheck_after` seconds
    later. It stays the answer until a better one is there.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        governor: AdmissionController,
        *,
        doubts: DoubtPolicy = "hold",
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
    ) -> None:
        check_type("recheck", recheck, int)
        if recheck < 0:
            raise ConfigurationError(f"recheck must be a number from 0, not {recheck!r}")
        for name, seconds in (("queued_for", queued_for), ("recheck_after", recheck_after)):
            check_type(name, seconds, float)
            if not 0 <= seconds < float("inf"):
                raise ConfigurationError(f"{name} must be a number of seconds, not {seconds}")
        if doubts not in ("hold", "retry") and not callable(doubts):
            raise ConfigurationError(
                f'doubts must be "hold", "retry" or a function, not {doubts!r}'
            )
        retry = replace(engine.settings.retry, queued_attempts=0, repeat_lost=doubts == "retry")
        self._engine = engine.with_settings(replace(engine.settings, retry=retry))
        self._store = store
        self._doubts = doubts
        self._governor = governor
        self._queued_for = queued_for
        self._recheck = recheck
        self._recheck_after = recheck_after

    async def run(self, call: PreparedCall, given: Input) -> Outcome[object]:
        """The outcome of one call: from the ledger if it is known, else from the provider.

        `busy` when somebody else is at it: ask again in a moment. Raises `Parked`, and `BulkError`
        (with what it could not keep as `unsaved`) when the ledger fails.
        """
        spelled = msgspec.json.encode(given)
        entry = await self._store.claim(call.key, call.row.id, spelled, self._now())
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
        """The outcome that an entry is for good; None where there is something left to do."""
        found = self._known(entry, row, given)
        if found is None or self._wanted_again(found, row, entry.attempts):
            return None
        return found

    async def _made(self, entry: Entry, call: PreparedCall, given: Input) -> Outcome[object]:
        attempt = LookupAttempt(self._store, self._engine, self._governor, call, given)
        attempt.queued_for, attempt.held, attempt.earlier = self._queued_for, entry.held, entry.body
        try:
            return await (attempt.walk(entry) if call.listing else attempt.once())
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
            # A ledger that fails now has the key as `sent`: it will be in doubt all the same.
            with anyio.CancelScope(shield=True), contextlib.suppress(BulkError):
                await attempt.abandoned()
            raise

    def _wanted_again(self, outcome: Outcome[object], row: AnyEndpoint, attempts: int) -> bool:
        """Whether a better answer may come, and has not been asked for often enough."""
        flag = row.unsure
        unsure = flag is not None and bool(getattr(outcome.value, flag, False))
        return unsure and outcome.state == "done" and attempts <= self._recheck

    def _known(self, entry: Entry, row: AnyEndpoint, given: Input) -> Outcome[object] | None:
        """The outcome of a call that need not be made (now); None for one that must be."""
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
        """Whether a better answer is waited for, or there is none at all yet."""
        if entry.status == "in_doubt" and entry.body is not None:
            return self._choice(entry) == "retry"
        return entry.body is None or self._recheck > 0

    def _choice(self, entry: Entry) -> str:
        return self._doubts(entry) if callable(self._doubts) else self._doubts

    def _now(self) -> float:
        return self._engine.clock.wall()


class AlreadyClaimed(Exception):
    """Somebody else has made this call in the meantime, or is about to."""


class LookupAttempt:
    """One try at one call, and the books about it."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        governor: AdmissionController,
        call: PreparedCall,
        given: Input,
    ) -> None:
        self._store = store
        self._engine = engine
        self._governor = governor
        self._call = call
        self.queued_for = QUEUED_FOR
        self.held = False
        self.earlier: bytes | None = None
        """The answer that is to be bettered."""
        self._sent = False
        self._noted = False
        self._began = 0.0
        self._outcome: Outcome[object] = Outcome(input=given, key=call.key.hex(), state="done")

    async def departing(self) -> None:
        """Write the intent down, at the last moment before the call leaves."""
        self._governor.check()
        self._sent = self._noted = True  # from here on an interruption leaves a doubt
        if not await self._store.mark_sent(self._call.key, self.held, self._wall()):
            raise AlreadyClaimed
        self.held = True
        self._outcome.attempts += 1
        self._began = self._engine.clock.now()

    def returned(self) -> None:
        """The attempt was refused, or never left: until the next one there is nothing to doubt."""
        self._sent = False

    @property
    def credits(self) -> int:
        """Credits that it has spent so far."""
        return self._outcome.credits

    async def once(self) -> Outcome[object]:
        """A single call."""
        call, outcome = self._call, self._outcome
        async with self._paid_for():
            answer = await self._engine.send(
                call.row, call.params, departing=self.departing, returned=self.returned
            )
            outcome.credits = answer.credits
        outcome.seconds = self._engine.clock.now() - self._began
        outcome.value, outcome.body = answer.value, answer.body
        await self._keep(answer.body, answer.credits)
        self._sent = False
        return outcome

    @asynccontextmanager
    async def _paid_for(self) -> AsyncGenerator[None]:
        """A call under the governor's eyes. One whose end nobody knows counts as paid."""
        price, outcome = self._call.row.credits, self._outcome
        await self._governor.admit(price)
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
            self._governor.settle(price, spent, outcome.attempts - asked)

    async def _keep(self, body: bytes, credits: int) -> None:
        try:
            await self._store.done(self._call.key, body, credits, self._wall())
        except BulkError as error:
            raise _unsaved(error, self._outcome) from error

    async def walk(self, entry: Entry) -> Outcome[object]:
        """A listing, page by page, on from where the ledger has it."""
        call, outcome = self._call, self._outcome
        row = cast("Endpoint[Params, Listing[object]]", call.row)
        point = None if entry.point is None else Checkpoint.from_json(entry.point)
        walk: Paginator[object] = Paginator(self._engine, row, call.params, point)
        walk.departing, walk.returned = self.departing, self.returned
        while not walk.ended and (room := call.room(walk.stats.items)) != 0:
            spent = walk.stats.credits
            async with self._paid_for():
                await walk.fetch_next()
                outcome.credits += walk.stats.credits - spent
            outcome.seconds = max(outcome.seconds, self._engine.clock.now() - self._began)
            rows = [row for page in walk.ready for row in raw_items(page).rows][:room]
            walk.ready.clear()
            walk.stats.items += len(rows)
            spent = walk.stats.credits - spent
            page = b"[%b]" % b",".join(rows)
            try:
                standing = walk.checkpoint().to_json()
                await self._store.add_page(call.key, page, standing, spent, self._wall())
            except BulkError as error:
                kept = replace(
                    outcome, state="in_doubt", value=decode_saved_answer(row, page)[0], body=page
                )
                raise _unsaved(error, kept) from error
            self._sent = self._noted = False
        outcome.body = await self._store.finish_listing(call.key, self._wall())
        outcome.value, outcome.error = decode_saved_answer(call.row, outcome.body)
        return outcome

    async def failed(self, error: LixError) -> Outcome[object]:
        """Write down what the error means for the key."""
        outcome, sent = self._outcome, self._sent
        outcome.error = error
        outcome.seconds = self._engine.clock.now() - self._began if outcome.attempts else 0.0
        self._sent = False
        if isinstance(error, DecodeError) and not _is_json(error.body):
            # A proxy's page, or half an answer: nothing to keep, and nobody knows whether it cost.
            outcome.state = "in_doubt"
            await self._settle("in_doubt", error)
        elif isinstance(error, DecodeError) and not self._call.listing:  # a later version reads it
            outcome.body, outcome.credits = error.body, self._call.row.credits.amount
            await self._keep(error.body, outcome.credits)
        elif isinstance(error, QueuedError):
            outcome.state = "queued"
            outcome.due = self._wall() + max(self.queued_for, error.retry_after or 0.0)
            await self._settle("queued", error, outcome.due)
        elif isinstance(error, STOPPING):
            await self._settle("owed", error)
            raise CallsParked(error, outcome.credits)
        elif isinstance(error, RefusalError):
            passing = isinstance(error, RateLimitError | ServerError)
            outcome.state = "failed" if passing else "refused"
            if self.earlier is not None and not passing:  # nothing better came: it was that
                outcome.state, outcome.body = "done", self.earlier
                outcome.value, outcome.error = decode_saved_answer(self._call.row, self.earlier)
                await self._keep(self.earlier, 0)
                return outcome
            await self._settle("owed" if passing else "refused", error)
        elif isinstance(error, PagingError | DecodeError):  # its pages so far are kept
            outcome.state = "refused"
            await self._settle("refused", error)
        elif sent and getattr(error, "sent", True):
            outcome.state = "in_doubt"
            await self._settle("in_doubt", error)
        else:
            outcome.state = "invalid" if isinstance(error, ConfigurationError) else "failed"
            await self._settle("owed", error)
        return outcome

    async def abandoned(self) -> None:
        """Cancelled: in doubt if it may have left, else as if nothing had been."""
        if self._sent:
            await self._settle("in_doubt", None)
        elif self._noted:
            await self._settle("owed", None)
        elif self.held:
            await self._store.release(self._call.key)

    async def _settle(self, status: Status, error: LixError | None, due: float = 0.0) -> None:
        kept = None if error is None else StoredError.of(error)
        await self._store.set_outcome(self._call.key, status, kept, due, self._wall())

    def _wall(self) -> float:
        return self._engine.clock.wall()


def _unsaved(error: BulkError, outcome: Outcome[object]) -> BulkError:
    """The error, with the paid answer that it would have lost."""
    told = BulkError(f"{error.args[0]}; what was paid for is in .unsaved", endpoint=error.endpoint)
    told.unsaved = (outcome,)
    return told


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
    """An answer that was kept, read; or why it cannot be."""
    try:
        if walks(row):
            item: TolerantDecoder[object] = decoder_for(item_type(row.result))
            return [item.read(bytes(one)) for one in _ROWS.decode(body)], None
        return decoder_for(row.result).read(body), None
    except (SchemaMismatch, msgspec.DecodeError) as misfit:
        message = str(misfit)
    return None, DecodeError(message, body=body, endpoint=row.id)
