"""Third floor: many calls, survivable. `bulk.map` for one sitting, `bulk.Run` for days."""

from .chunk import LedgerParkedError, chunk
from .governor import Governor
from .map import Outcomes, map  # noqa: A004  # read as `bulk.map`
from .outcome import Outcome, Progress, Report
from .preview import Preview, preview
from .run import Run
from .sqlite import SqliteStore
from .store import AbsentLedgerError, Entry, Store

__all__ = [
    "AbsentLedgerError",
    "Entry",
    "Governor",
    "LedgerParkedError",
    "Outcome",
    "Outcomes",
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
