"""One lookup, made at most once. Knows no run, no queue, no worker.

```
known? ── a final answer in the ledger ──► return it, pay nothing; held by somebody ──► busy
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
from typing import cast

import anyio
import msgspec
from msgspec.structs import replace

from ..core.endpoint import Endpoint, Listing, Params
from ..core.errors import (
    AuthenticationError,
    BulkError,
    DailyLimitError,
    DecodeError,
    LixError,
    PagingError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    ViewerError,
)
from ..engine.checkpoint import Checkpoint
from ..engine.engine import Engine
from ..engine.walk import Walk, item_type
from ..tolerant import Misfit, read_items, reader
from .calls import Call, Input
from .outcome import Outcome
from .store import Doubts, Entry, Failed, Status, Store

STOPPING = (DailyLimitError, QuotaExceededError, AuthenticationError, ViewerError)
"""Refusals that every other call would meet as well."""
BUSY_FOR = 0.5
"""Seconds after which a key that another worker holds is looked at again."""
QUEUED_FOR = 180.0
"""Seconds after which a queued lookup is asked for again: the vendor says "a few minutes"."""


class Parked(Exception):
    """No further call makes sense before something changes. The input is still owed."""

    def __init__(self, error: RefusalError) -> None:
        super().__init__(str(error))
        self.error = error


class _Taken(Exception):
    """Somebody else has made this call in the meantime, or is about to."""


class Lookup:
    """Makes calls through one engine, with one ledger as the authority on what was paid."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        doubts: Doubts = "hold",
        queued_for: float = QUEUED_FOR,
    ) -> None:
        retry = replace(engine.settings.retry, queued_attempts=0, repeat_lost=doubts == "retry")
        self._engine = engine.with_settings(replace(engine.settings, retry=retry))
        self._store = store
        self._doubts = doubts
        self._queued_for = queued_for

    async def run(self, call: Call, given: Input) -> Outcome[object]:
        """The outcome of one call: from the ledger if it is known, else from the provider.

        `busy` when somebody else is at it: ask again in a moment. Raises `Parked`, and `BulkError`
        (with what it could not keep as `unsaved`) when the ledger fails.
        """
        spelled = msgspec.json.encode(given)
        entry = await self._store.take(call.key, call.row.id, spelled, self._now())
        known = self._known(entry, call, given)
        if known is not None:
            return known
        attempt = _Attempt(self._store, self._engine, call, given, self._queued_for)
        attempt.held = entry.held
        try:
            return await (attempt.walk(entry) if call.listing else attempt.once())
        except _Taken:
            return Outcome(input=given, key=call.key.hex(), state="busy")
        except BulkError:
            raise
        except LixError as error:
            return await attempt.failed(error)
        except BaseException:
            # A ledger that fails now has the key as `sent`: it will be in doubt all the same.
            with anyio.CancelScope(shield=True), contextlib.suppress(BulkError):
                await attempt.abandoned()
            raise

    def _known(self, entry: Entry, call: Call, given: Input) -> Outcome[object] | None:
        found: Outcome[object] = Outcome(
            input=given, key=call.key.hex(), state="done", cached=True, credits=0
        )
        if entry.status == "done":
            found.body = entry.body or b""
            found.value, found.error = _value(call, found.body)
            return found
        error = entry.error.error(call.row.id) if entry.error else None
        if entry.status == "refused":
            return replace(found, state="refused", error=error)
        if entry.status == "queued" and entry.due > self._now():
            return replace(found, state="queued", error=error, due=entry.due)
        if entry.status == "busy":
            return replace(found, state="busy", cached=False)
        if entry.status == "in_doubt":
            choice = self._doubts(entry) if callable(self._doubts) else self._doubts
            if choice != "retry":
                return replace(found, state="in_doubt", error=error)
        return None

    def _now(self) -> float:
        return self._engine.clock.wall()


class _Attempt:
    """One try at one call, and the books about it."""

    def __init__(
        self, store: Store, engine: Engine, call: Call, given: Input, queued_for: float
    ) -> None:
        self._store = store
        self._engine = engine
        self._call = call
        self._queued_for = queued_for
        self.held = False
        self._sent = False
        self._began = 0.0
        self._outcome: Outcome[object] = Outcome(input=given, key=call.key.hex(), state="done")

    async def departing(self) -> None:
        self._sent = True  # from here on an interruption leaves a doubt
        if not await self._store.sent(self._call.key, self.held, self._wall()):
            raise _Taken
        self.held = True
        self._outcome.attempts += 1
        self._began = self._engine.clock.now()

    async def once(self) -> Outcome[object]:
        call, outcome = self._call, self._outcome
        answer = await self._engine.send(call.row, call.params, departing=self.departing)
        outcome.seconds = self._engine.clock.now() - self._began
        outcome.value, outcome.body, outcome.credits = answer.value, answer.body, answer.credits
        await self._keep(answer.body, answer.credits)
        self._sent = False
        return outcome

    async def _keep(self, body: bytes, credits: int) -> None:
        try:
            await self._store.done(self._call.key, body, credits, self._wall())
        except BulkError as error:
            raise _unsaved(error, self._outcome) from error

    async def walk(self, entry: Entry) -> Outcome[object]:
        call, outcome = self._call, self._outcome
        row = cast("Endpoint[Params, Listing[object]]", call.row)
        point = None if entry.point is None else Checkpoint.from_json(entry.point)
        walk: Walk[object] = Walk(self._engine, row, call.params, point)
        walk.departing = self.departing
        while not walk.ended:
            spent = walk.stats.credits
            await walk.turn()
            outcome.seconds = max(outcome.seconds, self._engine.clock.now() - self._began)
            items = [item for page in walk.ready for item in page.items]
            walk.ready.clear()
            walk.stats.items += len(items)
            spent = walk.stats.credits - spent
            outcome.credits += spent
            page = msgspec.json.encode(items)
            try:
                standing = walk.checkpoint().to_json()
                await self._store.page(call.key, page, standing, spent, self._wall())
            except BulkError as error:
                kept = replace(outcome, state="in_doubt", value=items, body=page)
                raise _unsaved(error, kept) from error
            self._sent = False
        outcome.body = await self._store.walked(call.key, self._wall())
        outcome.value, outcome.error = _value(call, outcome.body)
        return outcome

    async def failed(self, error: LixError) -> Outcome[object]:
        """Write down what the error means for the key."""
        outcome, sent = self._outcome, self._sent
        outcome.error = error
        outcome.seconds = self._engine.clock.now() - self._began if outcome.attempts else 0.0
        self._sent = False
        if isinstance(error, DecodeError) and not self._call.listing:  # paid for: keep what came
            outcome.body = error.body
            await self._keep(error.body, 0)
        elif isinstance(error, QueuedError):
            outcome.state = "queued"
            outcome.due = self._wall() + max(self._queued_for, error.retry_after or 0.0)
            await self._settle("queued", error, outcome.due)
        elif isinstance(error, STOPPING):
            await self._settle("owed", error)
            raise Parked(error)
        elif isinstance(error, RefusalError):
            passing = isinstance(error, RateLimitError | ServerError)
            outcome.state = "failed" if passing else "refused"
            await self._settle("owed" if passing else "refused", error)
        elif isinstance(error, PagingError | DecodeError):  # its pages so far are kept
            outcome.state = "refused"
            await self._settle("refused", error)
        elif sent and getattr(error, "sent", True):
            outcome.state = "in_doubt"
            await self._settle("in_doubt", error)
        else:
            outcome.state = "failed" if outcome.attempts else "invalid"
            await self._settle("owed", error)
        return outcome

    async def abandoned(self) -> None:
        """Cancelled: in doubt if it may have left, else as if nothing had been."""
        if self._sent:
            await self._settle("in_doubt", None)
        elif self.held:
            await self._store.release(self._call.key)

    async def _settle(self, status: Status, error: LixError | None, due: float = 0.0) -> None:
        kept = None if error is None else Failed.of(error)
        await self._store.settle(self._call.key, status, kept, due, self._wall())

    def _wall(self) -> float:
        return self._engine.clock.wall()


def _unsaved(error: BulkError, outcome: Outcome[object]) -> BulkError:
    """The error, with the paid answer that it would have lost."""
    told = BulkError(f"{error.args[0]}; what was paid for is in .unsaved", endpoint=error.endpoint)
    told.unsaved = (outcome,)
    return told


def _value(call: Call, body: bytes) -> tuple[object, LixError | None]:
    try:
        if call.listing:
            items: list[object] = read_items(item_type(call.row.result), body)
            return items, None
        return reader(call.row.result).read(body), None
    except (Misfit, msgspec.DecodeError) as misfit:
        message = str(misfit)
    return None, DecodeError(message, body=body, endpoint=call.row.id)
