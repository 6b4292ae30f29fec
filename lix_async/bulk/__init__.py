"""Third floor: many calls, survivable. `bulk.map` for one sitting, `bulk.Run` for days."""

from typing import TYPE_CHECKING

from ..ledger.connection import LedgerNotFoundError
from ..ledger.sqlite import SqliteStore
from ..ledger.store import Entry, Store
from .admission import AdmissionController
from .chunk import LedgerParkedError, chunk
from .map import Outcomes, map  # noqa: A004  # read as `bulk.map`
from .outcome import Outcome, Progress, Report
from .preview import Preview, preview
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
