"""Third floor: many calls, survivable. `bulk.map` for one sitting, `bulk.Run` for days."""

from .chunk import chunk
from .map import Outcomes, map  # noqa: A004  # read as `bulk.map`
from .outcome import Outcome, Progress, Report
from .run import Run
from .sqlite import SqliteStore
from .store import Entry, Store

__all__ = [
    "Entry",
    "Outcome",
    "Outcomes",
    "Progress",
    "Report",
    "Run",
    "SqliteStore",
    "Store",
    "chunk",
    "map",
]
