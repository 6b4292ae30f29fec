"""`lix enrich --dry-run`: what a run would cost, before the first credit."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from ..bulk import Preview
from ..core.bucket import RateLimit
from .inputs import Inputs
from .progress import plural
from .times import rate_text, span, until


def show_preview(told: Preview, inputs: Inputs, rate: RateLimit | None) -> None:
    """Print it, on stdout."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Links", _links(told, inputs))
    table.add_row("In the ledger", f"{told.known:,}, which cost nothing" if told.known else "none")
    if told.in_doubt:
        table.add_row("In doubt", f"{told.in_doubt:,}, held unless --doubts says otherwise")
    table.add_row("To ask", f"{told.calls:,}")
    costs = [f"{n:,} {kind} {plural(n, 'credit')}" for kind, n in told.credits.items()]
    table.add_row("Cost", ", ".join(costs) + " at most" if costs else "nothing")
    if told.balances is not None:
        have = [f"{n:,} {kind}" for kind, n in told.balances.items()]
        table.add_row("Balance", ", ".join(have))
    for kind, lack in told.lacking.items():
        table.add_row("Missing", f"{lack:,} {kind} {plural(lack, 'credit')}")
    if told.requests_left is not None:
        full = "" if told.refreshes_at is None else f"; full again {until(told.refreshes_at)}"
        table.add_row("Today", f"{told.requests_left:,} requests left{full}")
    if told.seconds is not None:
        table.add_row("Time", f"about {span(told.seconds)} at {rate_text(rate)}")
    Console(highlight=False).print(table)


def _links(told: Preview, inputs: Inputs) -> str:
    words = [f"{told.distinct:,} distinct in {inputs.rows:,} {plural(inputs.rows, 'row')}"]
    if inputs.unusable:
        words.append(f"{inputs.unusable:,} rows without a usable link")
    return ", ".join(words)
