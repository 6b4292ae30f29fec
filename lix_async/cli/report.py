"""The closing page of `lix demo`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..core.bucket import RateLimit
from ..providers.lix.models import Person
from ..providers.lix.provider import LIX
from ..sandbox import Sandbox
from ..sandbox.faults import FAULTS
from .errors import one_line
from .progress import plural
from .times import rate_text, span

if TYPE_CHECKING:
    from .demonstration import Results

ALLOWED = (20, 1.0)
"""Requests and seconds that the demo's sandbox allows; the client keeps just under it."""
_SHOWN = 5
_NEVER_CAME = ("reset_after", "truncated")
_WORDS = {
    "rate_limit": "too fast (429)",
    "unavailable": "unavailable (503)",
    "api_error": "internal error (500)",
    "bad_gateway": "bad gateway (502)",
    "queued": "queued for later",
    "reset": "connection lost before the work",
    "reset_after": "connection lost after the work",
    "truncated": "answer cut in the middle",
    "slow": "answer that came late",
}


def print_report(results: Results, sandbox: Sandbox) -> None:
    """Tell what was found and what it took, in the client's words and in the sandbox's."""
    console = Console(highlight=False)
    stats = results.pages.stats
    console.print(
        f"\n[bold]{stats.items:,} people found, {len(results.profiles):,} profiles read.[/] "
        "Some of them (nobody is real):"
    )
    console.print(_people(results))
    console.print(_facts(results, sandbox))
    console.print("\n[bold]Next[/]\n")
    console.print(_next(), "", sep="\n")


def _people(results: Results) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    rows = [[one_line(cell or "") for cell in _shown(one)] for one in results.profiles[:_SHOWN]]
    table.add_column("name", min_width=max((len(row[0]) for row in rows), default=0))
    table.add_column("headline")
    table.add_column("location")
    for row in rows:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    return table


def _shown(person: Person) -> tuple[str | None, ...]:
    return (person.full_name, person.headline or person.description, person.location)


def _facts(results: Results, sandbox: Sandbox) -> Table:
    struck = [fact.fault for fact in sandbox.requests if fact.fault]
    # Odd pages are told of by what came of them: the duplicates.
    faults = Counter(name for name in struck if FAULTS[name].stage != "page")
    stats = results.pages.stats
    lookups = len(results.profiles) + results.refused
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(
        "Requests",
        f"{results.requests:,}: {stats.pages:,} {plural(stats.pages, 'page')}, {lookups:,} "
        f"{plural(lookups, 'lookup')}, and {results.repeats:,} made again",
    )
    table.add_row("Faults", _faults(faults, results.refused))
    for name, count in faults.most_common():
        table.add_row("", f"[dim]{count:>3} × {_WORDS.get(name, FAULTS[name].text)}[/]")
    twice = f"{stats.duplicates:,} {plural(stats.duplicates, 'row')} came on two pages"
    table.add_row("Duplicates", f"{twice}, and stayed once" if stats.duplicates else "none came")
    table.add_row("Credits", _credits(results, sandbox))
    here = RateLimit(*ALLOWED)
    there = span(results.requests * LIX.rate.interval)
    table.add_row(
        "Time",
        f"{span(results.seconds)} at {rate_text(here)}; "
        f"at the vendor's {rate_text(LIX.rate)} it would be about {there}",
    )
    return table


def _faults(faults: Counter[str], refused: int) -> str:
    if not faults:
        return "none this time: another --seed brings some"
    end = "all survived" if not refused else f"{refused:,} could not be survived"
    return f"{faults.total():,}, {end}"


def _credits(results: Results, sandbox: Sandbox) -> str:
    """The client's count against the sandbox's ledger, lost answers told apart."""
    ledger = sum(sandbox.ledger.totals().values())
    lost = sum(fact.charged for fact in sandbox.requests if fact.fault in _NEVER_CAME)
    counted = f"{results.credits:,} counted by the client"
    if lost:
        counted += f" + {lost:,} for answers lost on the way"
    if results.credits + lost == ledger:
        return f"{counted} = {ledger:,} in the sandbox's ledger: [green]they agree[/]"
    return f"{counted}, but {ledger:,} in the sandbox's ledger: [red]they do not agree[/]"


def _next() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    table.add_row("lix sandbox", "the same, for your own code")
    table.add_row('lix search people "URL" --out people.jsonl', "with LIX_API_KEY set")
    table.add_row("lix enrich people.jsonl --out profiles.csv", "each of them once")
    return table
