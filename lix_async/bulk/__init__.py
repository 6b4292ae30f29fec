"""Third floor: many calls, survivable. `bulk.map` for one sitting, `bulk.Run` for days."""

from typing import TYPE_CHECKING

from .chunk import LedgerParkedError, chunk
from .governor import Governor
from .map import Outcomes, map  # noqa: A004  # read as `bulk.map`
from .outcome import Outcome, Progress, Report
from .preview import Preview, preview
from .run import Run
from .sqlite import SqliteStore
from .store import AbsentLedgerError, Entry, Store

if TYPE_CHECKING:
    from .postgres import PostgresStore
else:

    def __getattr__(name: str) -> object:
        if name != "PostgresStore":  # imported when it is asked for: it needs the extra `postgres`
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from .postgres import PostgresStore

        return PostgresStore


__all__ = [
    "AbsentLedgerError",
    "Entry",
    "Governor",
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
