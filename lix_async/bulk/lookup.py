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

import anyio
import msgspec
from msgspec.structs import replace

from ..core.checks import must_be
from ..core.errors import (
    BulkError,
    ConfigurationError,
    LixError,
)
from ..engine.engine import Engine
from .attempt import QUEUED_FOR, Attempt, Taken, value_of
from .calls import Call, Input, Row
from .governor import Governor, Parked
from .outcome import Outcome
from .store import Doubts, Entry, Store

BUSY_FOR = 0.5
"""Seconds after which a key that another worker holds is looked at again."""
RECHECK_AFTER = 3600.0
"""Seconds after which an answer that may become better is asked for again: spread over time."""


class Lookup:
    """Makes calls through one engine, with one ledger as the authority on what was paid.

    `recheck`: how often at most an answer that says of itself that it may become better (an
    e-mail address that is only probable) is asked for again, each time `recheck_after` seconds
    later. It stays the answer until a better one is there.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        governor: Governor,
        *,
        doubts: Doubts = "hold",
        queued_for: float = QUEUED_FOR,
        recheck: int = 0,
        recheck_after: float = RECHECK_AFTER,
    ) -> None:
        must_be("recheck", recheck, int)
        if recheck < 0:
            raise ConfigurationError(f"recheck must be a number from 0, not {recheck!r}")
        for name, seconds in (("queued_for", queued_for), ("recheck_after", recheck_after)):
            must_be(name, seconds, float)
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

    async def run(self, call: Call, given: Input) -> Outcome[object]:
        """The outcome of one call: from the ledger if it is known, else from the provider.

        `busy` when somebody else is at it: ask again in a moment. Raises `Parked`, and `BulkError`
        (with what it could not keep as `unsaved`) when the ledger fails.
        """
        spelled = msgspec.json.encode(given)
        entry = await self._store.take(call.key, call.row.id, spelled, self._now())
        known = self._known(entry, call.row, given)
        if known is None:
            known = await self._made(entry, call, given)
        elif entry.held:
            await self._store.release(call.key)
        if self._wanted_again(known, call.row, entry.attempts + known.attempts):
            known.due = self._recheck_after + (self._now() if known.attempts else entry.changed)
            if await self._store.again(call.key, known.due, self._now()):
                known.state = "queued"
        return known

    def final(self, entry: Entry, row: Row, given: Input) -> Outcome[object] | None:
        """The outcome that an entry is for good; None where there is something left to do."""
        found = self._known(entry, row, given)
        if found is None or self._wanted_again(found, row, entry.attempts):
            return None
        return found

    async def _made(self, entry: Entry, call: Call, given: Input) -> Outcome[object]:
        attempt = Attempt(self._store, self._engine, self._governor, call, given)
        attempt.queued_for, attempt.held, attempt.earlier = self._queued_for, entry.held, entry.body
        try:
            return await (attempt.walk(entry) if call.listing else attempt.once())
        except Taken:
            return Outcome(input=given, key=call.key.hex(), state="busy")
        except Parked as parked:
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

    def _wanted_again(self, outcome: Outcome[object], row: Row, attempts: int) -> bool:
        """Whether a better answer may come, and has not been asked for often enough."""
        flag = row.unsure
        unsure = flag is not None and bool(getattr(outcome.value, flag, False))
        return unsure and outcome.state == "done" and attempts <= self._recheck

    def _known(self, entry: Entry, row: Row, given: Input) -> Outcome[object] | None:
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
            found.value, found.error = value_of(row, found.body)
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
