"""Many lookups: `bulk.map` without a ledger, `bulk.Run` with one, so that each is paid once.

Modules in reading order: `run` (`Run`), `prepared_call` (what a method would send for an input),
`admission` (budget, balances, daily allowance), `progress`, `preview`, `map`, `chunk` (for job
queues). One lookup, charged at most once, is in `engine.lookup`.

May import `core`, `linkedin`, `concurrency`, `ledger` and `engine`; never a provider.
"""

from typing import TYPE_CHECKING

from ..engine.outcome import Outcome
from ..ledger.connection import LedgerNotFoundError
from ..ledger.sqlite import SqliteStore
from ..ledger.store import Entry, Store
from .admission import AdmissionController
from .chunk import LedgerParkedError, chunk
from .map import Outcomes, map  # noqa: A004  # read as `bulk.map`
from .preview import Preview, preview
from .progress import Progress, Report
from .run import Run

if TYPE_CHECKING:
    from ..ledger.postgres import PostgresStore
else:

    def __getattr__(name: str) -> object:
        if name != "PostgresStore":  # imported when it is asked for: it needs the extra `postgres`
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from ..ledger.postgres import PostgresStore

        return PostgresStore


__all__ = [
    "AdmissionController",
    "Entry",
    "LedgerNotFoundError",
    "LedgerParkedError",
    "Outcome",
    "Outcomes",
    "PostgresStore",
    "Preview",
    "Progress",
    "Report",
    "Run",
    "SqliteStore",
    "Store",
    "chunk",
    "map",
    "preview",
]
