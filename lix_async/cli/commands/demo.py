"""`lix demo`: a whole run in a few seconds, without a key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import anyio
from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...core.errors import LixError
from ...core.rate_limit import RateLimit
from ...core.retry import RetryPolicy
from ...engine.pages import Pages
from ...providers.lix.client import AsyncLix
from ...providers.lix.models import Person
from ...providers.lix.provider import LIX
from ...sandbox.faults.schedule import FAULTS, PRESETS, Faults
from .. import console
from ..errors import OK, CommandError, Interrupted
from ..options import ConnectionOptions
from ..providers import SANDBOX_KEY
from ..runtime import clients
from ..runtime.activity import ActivityMonitor
from ..runtime.progress import ProgressCounts, pages_left
from ..runtime.session import CommandSession, run_command
from ..text import counted, format_duration, one_line, plural, rate_text

if TYPE_CHECKING:
    from ...sandbox import Sandbox


def demo(
    *,
    people: Annotated[
        int, Parameter(help="The number of people that the search finds, 1 to 1000.")
    ] = 400,
    seed: Annotated[int, Parameter(help="Another seed gives other people and other faults.")] = 5,
) -> int:
    """Try a complete run in about 15 seconds: no key, no account, no network.

    Starts a sandbox on this machine, fetches every page of a search with several hundred made-up
    people, and looks up fifty of them, while requests are rejected, lookups are queued, and
    connections are lost.
    """
    if not 1 <= people <= 1000:
        raise CommandError(
            "--people must be from 1 to 1000",
            hint="1000 is the most that LinkedIn returns of a search",
        )
    return run_demo(people, seed)


PROFILES = 50
"""The number of people that are looked up."""


WORKERS = 8


_SHORTER = {"rate_limit": "rate_limit;retry-after=1", "slow;seconds=2": "slow;seconds=1"}


DEMO_FAULTS = {_SHORTER.get(name, name): share for name, share in PRESETS["weather"].items()}
"""The faults of an ordinary day, with shorter pauses, and duplicates."""


DEMO_FAULTS["overlap"] = 0.05  # a page that repeats the last row of the page before


# A queued lookup takes a few minutes at Lix (lix.md#retries); the demo's sandbox is faster.
RETRY_POLICY = RetryPolicy(attempts=6, backoff=0.2, queued_interval=0.5)


@dataclass
class DemoResults:
    """The results of a demo, and the client's counts."""

    pages: Pages[Person]
    people: list[Person] = field(default_factory=list[Person])
    profiles: list[Person] = field(default_factory=list[Person])
    refused: int = 0
    credits: int = 0
    requests: int = 0
    repeats: int = 0
    seconds: float = 0.0


def run_demo(people: int, seed: int) -> int:
    """Run the search and the lookups, and print a report; returns the exit code."""
    # Late: other commands need no sandbox.
    from ...sandbox import Sandbox, running

    sandbox = Sandbox(seed, max(people, 2000), rate=RATE, faults=Faults(seed, DEMO_FAULTS))
    words = quote(f"engineer total:{people}")
    url = f"https://www.linkedin.com/search/results/people/?keywords={words}"

    async def work(session: CommandSession) -> int:
        session.resume_hint = "start it again with: lix demo"
        results = DemoResults(session.lix.search.people(url))
        clock, began = session.monitor.clock, session.monitor.clock.now()
        await _search(session, results)
        await _look_up(session, results)
        results.seconds = clock.now() - began
        results.credits = session.lix.credits.total
        results.requests = session.monitor.requests
        results.repeats = session.monitor.failures.total()
        session.progress.stop()
        print_report(results, sandbox)
        return OK

    with running(sandbox) as address:
        console.print_note(f"A sandbox simulates the API at {address}: seed {seed}, with faults.")
        # With a viewer, the rows of a search are in the same order each time.
        connection = ConnectionOptions(
            base_url=address, rate=f"{RATE[0]}/{RATE[1]:g}s", viewer="sandbox-viewer"
        )
        return run_command(
            work, connection, ProgressCounts("people"), quiet=False, make_client=_client
        )


def _client(connection: ConnectionOptions, monitor: ActivityMonitor) -> AsyncLix:
    return clients.lix_client(connection, monitor, retry=RETRY_POLICY, key=SANDBOX_KEY)


async def _search(session: CommandSession, results: DemoResults) -> None:
    counts, pages = session.counts, results.pages
    session.monitor.state = "searching"
    async for page in pages.by_page():
        results.people += page.items
        stats = pages.stats
        counts.items, counts.total = stats.items, stats.total
        counts.credits, counts.duplicates = stats.credits, stats.duplicates
        counts.requests_left = pages_left(stats.items, stats.pages, stats.total)


async def _look_up(session: CommandSession, results: DemoResults) -> None:
    links = [url for person in results.people if (url := person.profile_url)][:PROFILES]
    counts, remaining = session.counts, iter(links)
    counts.noun, counts.items, counts.total = "profiles", 0, len(links)
    counts.duplicates = 0
    counts.requests_left = len(links)
    stopped: list[Interrupted] = []

    async def work() -> None:
        for link in remaining:
            try:
                results.profiles.append(await session.lix.people.get(link))
            except LixError:
                results.refused += 1
            except Interrupted as stop:
                stopped.append(stop)
                return
            counts.items += 1
            counts.credits = session.lix.credits.total
            counts.requests_left = max(len(links) - counts.items, 0)

    session.monitor.state = "looking up"
    async with anyio.create_task_group() as tasks:
        for _ in range(WORKERS):
            tasks.start_soon(work)
    if stopped:
        raise stopped[0]


RATE = (20, 1.0)
"""Requests and seconds that the demo's sandbox allows."""


_SHOWN = 5


_LOST_ANSWERS = ("reset_after", "truncated")


_FAULT_TEXT = {
    "rate_limit": "too fast (429)",
    "unavailable": "unavailable (503)",
    "api_error": "internal error (500)",
    "bad_gateway": "bad gateway (502)",
    "queued": "queued",
    "reset": "connection lost before processing",
    "reset_after": "connection lost after processing",
    "truncated": "truncated answer",
    "slow": "slow answer",
}


def print_report(results: DemoResults, sandbox: Sandbox) -> None:
    """Print what was found and what it took, by the client's and the sandbox's counts."""
    terminal = Console(highlight=False)
    stats = results.pages.stats
    terminal.print(
        f"\n[bold]{counted(stats.items, 'person')} found, "
        f"{counted(len(results.profiles), 'profile')} read.[/] "
        "Some of them (all made up):"
    )
    terminal.print(_people(results))
    terminal.print(_summary(results, sandbox))
    terminal.print("\n[bold]Next[/]\n")
    terminal.print(_next_commands(), "", sep="\n")


def _people(results: DemoResults) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    rows = [
        [one_line(cell or "") for cell in _person_cells(one)] for one in results.profiles[:_SHOWN]
    ]
    table.add_column("name", min_width=max((len(row[0]) for row in rows), default=0))
    table.add_column("headline")
    table.add_column("location")
    for row in rows:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    return table


def _person_cells(person: Person) -> tuple[str | None, ...]:
    return (person.full_name, person.headline or person.description, person.location)


def _summary(results: DemoResults, sandbox: Sandbox) -> Table:
    all_faults = [request.fault for request in sandbox.requests if request.fault]
    # Faults of pages are reported by their effect: the duplicates.
    faults = Counter(name for name in all_faults if FAULTS[name].stage != "page")
    stats = results.pages.stats
    lookups = len(results.profiles) + results.refused
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(
        "Requests",
        f"{results.requests:,}: {counted(stats.pages, 'page')}, {lookups:,} "
        f"{plural(lookups, 'lookup')}, {results.repeats:,} repeated",
    )
    table.add_row("Faults", _faults_text(faults, results.refused))
    for name, count in faults.most_common():
        table.add_row("", f"[dim]{count:>3} × {_FAULT_TEXT.get(name, FAULTS[name].description)}[/]")
    duplicates = f"{counted(stats.duplicates, 'row')} received twice, kept once"
    table.add_row("Duplicates", duplicates if stats.duplicates else "none")
    table.add_row("Credits", _credits_text(results, sandbox))
    rate = RateLimit(*RATE)
    duration = format_duration(results.requests * LIX.rate.interval)
    table.add_row(
        "Time",
        f"{format_duration(results.seconds)} at {rate_text(rate)}; "
        f"at the rate of Lix, {rate_text(LIX.rate)}, about {duration}",
    )
    return table


def _faults_text(faults: Counter[str], refused: int) -> str:
    if not faults:
        return "none with this --seed"
    end = "all handled" if not refused else f"{counted(refused, 'lookup')} failed"
    return f"{faults.total():,}, {end}"


def _credits_text(results: DemoResults, sandbox: Sandbox) -> str:
    """The client's credits and those of lost answers, compared with the sandbox's ledger."""
    ledger = sum(sandbox.ledger.totals().values())
    lost = sum(request.charged for request in sandbox.requests if request.fault in _LOST_ANSWERS)
    counted = f"{results.credits:,} counted by the client"
    if lost:
        counted += f" + {lost:,} for lost answers"
    if results.credits + lost == ledger:
        return f"{counted} = {ledger:,} in the sandbox's ledger: [green]equal[/]"
    return f"{counted}, but {ledger:,} in the sandbox's ledger: [red]different[/]"


def _next_commands() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    table.add_row("lix sandbox", "a sandbox for your own code")
    table.add_row('lix search people "URL" --out people.jsonl', "with LIX_API_KEY set")
    table.add_row("lix enrich people.jsonl --out profiles.csv", "look up each of them once")
    return table
