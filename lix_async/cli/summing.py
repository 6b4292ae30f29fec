"""What is said of a run when it is over: what failed and why, and how long answers took."""

from __future__ import annotations

import math

from rich.table import Table

from ..bulk import Report
from . import screen
from .progress import plural

_WORDS = {
    "TransportError": "no answer came",
    "DeadlineError": "the deadline passed",
    "DecodeError": "the answer cannot be read",
    "503": "the provider was unavailable",
}
BAR = 24
"""Characters of the longest bar."""


def show_summary(report: Report, ledger: str, abandoned: int = 0) -> None:
    """Reasons of failures, doubts, and a histogram of latencies, on stderr; nothing for nothing.

    `abandoned`: lookups in doubt beside those of the report, whose answers nobody waited for.
    """
    out = screen.console()
    if report.reasons:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for reason, count in report.reasons.items():
            table.add_row("", f"{count:,}", f"× {_WORDS.get(reason, reason)}")
        out.print("What failed, and why:", table, sep="\n")
    doubts = report.progress.in_doubt + abandoned
    if doubts:
        it = "it" if doubts == 1 else "they"
        screen.note(
            f"{doubts:,} {plural(doubts, 'lookup')} in doubt: {it} may have been paid for, and "
            f"will not be bought again by itself.\n  lix run doubts {ledger}"
        )
    if sum(report.latencies.values()) > 1:
        out.print("How long answers took:", _histogram(report.latencies), sep="\n")


def _histogram(latencies: dict[float, int]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    most = max(latencies.values())
    for top, count in latencies.items():
        upto = "longer" if math.isinf(top) else f"≤ {top:g} s"
        table.add_row("", upto, f"{count:,}", "▇" * max(round(BAR * count / most), 1))
    return table
