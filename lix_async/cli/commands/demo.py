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
from ..runtime import clients
from ..runtime.activity import ActivityMonitor
from ..runtime.progress import ProgressCounts, pages_left
from ..runtime.session import CommandSession, run_command
from ..text import format_duration, one_line, plural, rate_text

if TYPE_CHECKING:
    from ...sandbox import Sandbox


def demo(
    *,
    people: Annotated[int, Parameter(help="How many people the search finds, 1 to 1000.")] = 400,
    seed: Annotated[int, Parameter(help="Another number, other people and other faults.")] = 5,
) -> int:
    """See everything at work in a quarter of a minute: no key, no account, no network.

    Starts a sandbox on this machine, walks a search of several hundred invented people, and looks
    up fifty of them, while requests are refused, lookups queued, and connections lost.
    """
    if not 1 <= people <= 1000:
        raise CommandError("--people must be from 1 to 1000: LinkedIn shows no more of a search")
    return play(people, seed)


PROFILES = 50
"""How many of the people found are looked up."""


WORKERS = 8


_QUICKER = {"rate_limit": "rate_limit;retry-after=1", "slow;seconds=2": "slow;seconds=1"}


DEMO_FAULTS = {_QUICKER.get(name, name): share for name, share in PRESETS["weather"].items()}
"""An ordinary day, its pauses shortened: nobody should wait for a demonstration."""


DEMO_FAULTS["overlap"] = 0.05  # a page that begins with the last row of the one before


# A queued lookup is ready after "a few minutes" at the vendor's; here it need not bore anybody.
PATIENCE = RetryPolicy(attempts=6, backoff=0.2, queued_interval=0.5)


@dataclass
class DemoResults:
    """What a demo brought, and what it took on the client's side."""

    pages: Pages[Person]
    people: list[Person] = field(default_factory=list[Person])
    profiles: list[Person] = field(default_factory=list[Person])
    refused: int = 0
    credits: int = 0
    lost: int = 0
    requests: int = 0
    repeats: int = 0
    seconds: float = 0.0


def play(people: int, seed: int) -> int:
    """Walk, look up, and tell what happened; the exit code."""
    # The sandbox and its web server: no other command needs them.
    from ...sandbox import Sandbox, running

    sandbox = Sandbox(seed, max(people, 2000), rate=ALLOWED, faults=Faults(seed, DEMO_FAULTS))
    words = quote(f"engineer total:{people}")
    url = f"https://www.linkedin.com/search/results/people/?keywords={words}"

    async def work(session: CommandSession) -> int:
        session.go_on = "the demo begins anew with: lix demo"
        results = DemoResults(session.lix.search.people(url))
        clock, began = session.watch.clock, session.watch.clock.now()
        await _walk(session, results)
        await _look_up(session, results)
        results.seconds = clock.now() - began
        results.credits = session.lix.credits.total
        results.lost = session.lix.credits.lost
        results.requests = session.watch.requests
        results.repeats = session.watch.failures.total()
        session.progress.stop()
        print_report(results, sandbox)
        return OK

    with running(sandbox) as address:
        console.print_note(f"A sandbox plays the API at {address}: seed {seed}, faults on.")
        # Through a viewer the rows of a search come in the same order each time.
        connection = ConnectionOptions(
            base_url=address, rate=f"{ALLOWED[0]}/{ALLOWED[1]:g}s", viewer="sandbox-viewer"
        )
        return run_command(work, connection, ProgressCounts("people"), quiet=False, make=_client)


def _client(connection: ConnectionOptions, watch: ActivityMonitor) -> AsyncLix:
    return clients.client_with_retry(connection, watch, PATIENCE, clients.SANDBOX_KEY)


async def _walk(session: CommandSession, results: DemoResults) -> None:
    tally, pages = session.tally, results.pages
    session.watch.state = "searching"
    async for page in pages.by_page():
        results.people += page.items
        stats = pages.stats
        tally.items, tally.total = stats.items, stats.total
        tally.credits, tally.duplicates = stats.credits, stats.duplicates
        tally.requests_left = pages_left(stats.items, stats.pages, stats.total)


async def _look_up(session: CommandSession, results: DemoResults) -> None:
    links = [url for person in results.people if (url := person.profile_url)][:PROFILES]
    tally, line = session.tally, iter(links)
    tally.what, tally.items, tally.total = "profiles", 0, len(links)
    tally.duplicates = 0
    tally.requests_left = len(links)
    stopped: list[Interrupted] = []

    async def work() -> None:
        for link in line:
            try:
                results.profiles.append(await session.lix.people.get(link))
            except LixError:
                results.refused += 1
            except Interrupted as stop:
                stopped.append(stop)
                return
            tally.items += 1
            tally.credits = session.lix.credits.total
            tally.requests_left = max(len(links) - tally.items, 0)

    session.watch.state = "looking up"
    async with anyio.create_task_group() as tasks:
        for _ in range(WORKERS):
            tasks.start_soon(work)
    if stopped:
        raise stopped[0]


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


def print_report(results: DemoResults, sandbox: Sandbox) -> None:
    """Tell what was found and what it took, in the client's words and in the sandbox's."""
    terminal = Console(highlight=False)
    stats = results.pages.stats
    terminal.print(
        f"\n[bold]{stats.items:,} people found, {len(results.profiles):,} profiles read.[/] "
        "Some of them (nobody is real):"
    )
    terminal.print(_people(results))
    terminal.print(_facts(results, sandbox))
    terminal.print("\n[bold]Next[/]\n")
    terminal.print(_next(), "", sep="\n")


def _people(results: DemoResults) -> Table:
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


def _facts(results: DemoResults, sandbox: Sandbox) -> Table:
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
        table.add_row("", f"[dim]{count:>3} × {_WORDS.get(name, FAULTS[name].description)}[/]")
    twice = f"{stats.duplicates:,} {plural(stats.duplicates, 'row')} came on two pages"
    table.add_row("Duplicates", f"{twice}, and stayed once" if stats.duplicates else "none came")
    table.add_row("Credits", _credits(results, sandbox))
    here = RateLimit(*ALLOWED)
    there = format_duration(results.requests * LIX.rate.interval)
    table.add_row(
        "Time",
        f"{format_duration(results.seconds)} at {rate_text(here)}; "
        f"at the vendor's {rate_text(LIX.rate)} it would be about {there}",
    )
    return table


def _faults(faults: Counter[str], refused: int) -> str:
    if not faults:
        return "none this time: another --seed brings some"
    end = "all survived" if not refused else f"{refused:,} could not be survived"
    return f"{faults.total():,}, {end}"


def _credits(results: DemoResults, sandbox: Sandbox) -> str:
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
