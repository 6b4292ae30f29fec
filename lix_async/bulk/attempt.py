"""One try at one call, and the books about it: what each end means for its key."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

import msgspec
from msgspec.structs import replace

from ..core.endpoint import Endpoint, Listing, Params
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
from ..engine.checkpoint import Checkpoint
from ..engine.engine import Engine
from ..engine.walk import Walk, item_type
from ..tolerant import Misfit, Reader, reader
from .calls import Call, Input, Row, walks
from .governor import STOPPING, Governor, Parked
from .outcome import Outcome
from .raw import rows_of
from .store import Entry, Failed, Status, Store

QUEUED_FOR = 180.0
"""Seconds after which a queued lookup is asked for again: the vendor says "a few minutes"."""


class Taken(Exception):
    """Somebody else has made this call in the meantime, or is about to."""


class Attempt:
    """One try at one call, and the books about it."""

    def __init__(
        self, store: Store, engine: Engine, governor: Governor, call: Call, given: Input
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
        if not await self._store.sent(self._call.key, self.held, self._wall()):
            raise Taken
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
        walk: Walk[object] = Walk(self._engine, row, call.params, point)
        walk.departing, walk.returned = self.departing, self.returned
        while not walk.ended and (room := call.room(walk.stats.items)) != 0:
            spent = walk.stats.credits
            async with self._paid_for():
                await walk.turn()
                outcome.credits += walk.stats.credits - spent
            outcome.seconds = max(outcome.seconds, self._engine.clock.now() - self._began)
            rows = [row for page in walk.ready for row in rows_of(page).rows][:room]
            walk.ready.clear()
            walk.stats.items += len(rows)
            spent = walk.stats.credits - spent
            page = b"[%b]" % b",".join(rows)
            try:
                standing = walk.checkpoint().to_json()
                await self._store.page(call.key, page, standing, spent, self._wall())
            except BulkError as error:
                kept = replace(outcome, state="in_doubt", value=value_of(row, page)[0], body=page)
                raise _unsaved(error, kept) from error
            self._sent = self._noted = False
        outcome.body = await self._store.walked(call.key, self._wall())
        outcome.value, outcome.error = value_of(call.row, outcome.body)
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
            raise Parked(error, outcome.credits)
        elif isinstance(error, RefusalError):
            passing = isinstance(error, RateLimitError | ServerError)
            outcome.state = "failed" if passing else "refused"
            if self.earlier is not None and not passing:  # nothing better came: it was that
                outcome.state, outcome.body = "done", self.earlier
                outcome.value, outcome.error = value_of(self._call.row, self.earlier)
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
        kept = None if error is None else Failed.of(error)
        await self._store.settle(self._call.key, status, kept, due, self._wall())

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


def value_of(row: Row, body: bytes) -> tuple[object, LixError | None]:
    """An answer that was kept, read; or why it cannot be."""
    try:
        if walks(row):
            item: Reader[object] = reader(item_type(row.result))
            return [item.read(bytes(one)) for one in _ROWS.decode(body)], None
        return reader(row.result).read(body), None
    except (Misfit, msgspec.DecodeError) as misfit:
        message = str(misfit)
    return None, DecodeError(message, body=body, endpoint=row.id)
