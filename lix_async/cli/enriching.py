"""Looking many targets up, each once: what comes of each, and when to stop asking.

`Lookups` is the seam: a command hands targets in and takes outcomes out as they come, whoever
does the asking. `Straight` asks the provider directly and remembers nothing between runs; what
is in the output file already is not handed in again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

import anyio
import msgspec

from ..core.errors import (
    AuthenticationError,
    DailyLimitError,
    DecodeError,
    LixError,
    NotFoundError,
    QueuedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    TransportError,
    ViewerError,
    WeeklyLimitError,
)
from ..providers.lix.client import AsyncLix
from .asking import ask
from .errors import CommandError, explained, one_line
from .formats import compact
from .links import Kind, Target
from .watch import Stopped

WORKERS = 16
"""Lookups under way at once. The limiter sets the pace; these only bridge queued ones."""
OUTAGE = 5
"""Unanswered lookups in a row after which the rest is not even tried."""

Status = Literal["found", "not_found", "refused", "unreadable"]
# These would be said to every further target too.
_FOR_ALL = (
    AuthenticationError,
    QuotaExceededError,
    DailyLimitError,
    WeeklyLimitError,
    ViewerError,
)
_FOR_NOW = (TransportError, RateLimitError, QueuedError, ServerError)


class Outcome(msgspec.Struct, frozen=True):
    """What came of one target, for good: asking again would cost again and say the same."""

    target: Target
    kind: Kind
    status: Status
    error: str | None = None
    body: bytes | None = None
    """The answer as it came, on one line."""
    credits: int = 0

    def row(self) -> bytes:
        """The outcome as a row of the output."""
        return msgspec.json.encode(
            {
                "input": self.target.text,
                "kind": self.kind,
                "status": self.status,
                "error": self.error,
                "result": None if self.body is None else msgspec.Raw(self.body),
            }
        )


class Report(msgspec.Struct):
    """How a run ended."""

    open: int = 0
    """Targets without an outcome: handed in again, they are asked for again."""
    trouble: CommandError | None = None
    """Why they are open, where there is one reason."""
    stopped: bool = False
    """The person asked to stop."""
    enough: bool = False
    """The reader of the output went away."""


class Lookups(Protocol):
    """Somebody who looks targets up."""

    @abstractmethod
    async def run(
        self, targets: Sequence[tuple[Kind, Target]], deliver: Callable[[Outcome], None]
    ) -> Report:
        """Ask for each target once, hand every outcome over as it comes, and say how it ended."""


class Straight:
    """Asks the provider, several targets at a time."""

    def __init__(self, lix: AsyncLix, workers: int = WORKERS) -> None:
        self._lix = lix
        self._workers = workers
        self._silent = 0

    async def run(
        self, targets: Sequence[tuple[Kind, Target]], deliver: Callable[[Outcome], None]
    ) -> Report:
        report = Report(open=len(targets))
        line = iter(targets)
        self._silent = 0
        async with anyio.create_task_group() as tasks:
            for _ in range(min(self._workers, len(targets))):
                tasks.start_soon(self._work, line, deliver, report)
        return report

    async def _work(
        self,
        line: Iterator[tuple[Kind, Target]],
        deliver: Callable[[Outcome], None],
        report: Report,
    ) -> None:
        for kind, target in line:
            if report.stopped or report.enough or report.trouble is not None:
                return
            try:
                outcome = await self._outcome(kind, target)
            except Stopped:
                report.stopped = True
                return
            except _FOR_ALL as error:
                report.trouble = report.trouble or explained(error)
                return
            except _FOR_NOW as error:
                self._unanswered(error, report)
                continue
            self._silent = 0
            try:
                deliver(outcome)
                report.open -= 1
            except CommandError as error:  # the disk is full: stop asking for what cannot be kept
                report.trouble = report.trouble or error
            except BrokenPipeError:
                report.enough = True

    def _unanswered(self, error: LixError, report: Report) -> None:
        self._silent += not isinstance(error, QueuedError)
        if self._silent >= OUTAGE and report.trouble is None:
            report.trouble = explained(error)

    async def _outcome(self, kind: Kind, target: Target) -> Outcome:
        try:
            answer = await ask(self._lix, kind, target)
        except NotFoundError as error:
            return Outcome(target, kind, "not_found", one_line(error.message))
        except DecodeError as error:
            return Outcome(target, kind, "unreadable", one_line(str(error)), _json(error.body))
        except (*_FOR_ALL, *_FOR_NOW):
            raise
        except LixError as error:
            return Outcome(target, kind, "refused", one_line(str(error)))
        return Outcome(target, kind, "found", None, compact(answer.body), answer.credits)


def _json(body: bytes) -> bytes | None:
    """A body that was paid for and does not fit its struct, if it is JSON at all."""
    try:
        msgspec.json.decode(body)
        return compact(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
