"""What `lix demo` does: a search and fifty lookups against a sandbox in bad weather."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

import anyio

from ..core.errors import LixError
from ..core.retry import RetryPolicy
from ..engine.pages import Pages
from ..providers.lix.client import AsyncLix
from ..providers.lix.models import Person
from ..sandbox import Faults, Sandbox, running
from ..sandbox.faults import PRESETS
from . import connect, screen
from .errors import OK
from .options import Connection
from .progress import Tally, pages_left
from .report import ALLOWED, print_report
from .session import Session, run
from .watch import Stopped, Watch

PROFILES = 50
"""How many of the people found are looked up."""
WORKERS = 8
_QUICKER = {"rate_limit": "rate_limit;retry-after=1", "slow;seconds=2": "slow;seconds=1"}
FAULTS = {_QUICKER.get(name, name): share for name, share in PRESETS["weather"].items()}
"""An ordinary day, its pauses shortened: nobody should wait for a demonstration."""
FAULTS["overlap"] = 0.05  # a page that begins with the last row of the one before
# A queued lookup is ready after "a few minutes" at the vendor's; here it need not bore anybody.
PATIENCE = RetryPolicy(attempts=6, backoff=0.2, queued_interval=0.5)


@dataclass
class Results:
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
    sandbox = Sandbox(seed, max(people, 2000), rate=ALLOWED, faults=Faults(seed, FAULTS))
    words = quote(f"engineer total:{people}")
    url = f"https://www.linkedin.com/search/results/people/?keywords={words}"

    async def work(session: Session) -> int:
        session.go_on = "the demo begins anew with: lix demo"
        results = Results(session.lix.search.people(url))
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
        screen.note(f"A sandbox plays the API at {address}: seed {seed}, faults on.")
        # Through a viewer the rows of a search come in the same order each time.
        connection = Connection(
            base_url=address, rate=f"{ALLOWED[0]}/{ALLOWED[1]:g}s", viewer="sandbox-viewer"
        )
        return run(work, connection, Tally("people"), quiet=False, make=_client)


def _client(connection: Connection, watch: Watch) -> AsyncLix:
    return connect.patient_client(connection, watch, PATIENCE, connect.SANDBOX_KEY)


async def _walk(session: Session, results: Results) -> None:
    tally, pages = session.tally, results.pages
    session.watch.state = "searching"
    async for page in pages.by_page():
        results.people += page.items
        stats = pages.stats
        tally.items, tally.total = stats.items, stats.total
        tally.credits, tally.duplicates = stats.credits, stats.duplicates
        tally.requests_left = pages_left(stats.items, stats.pages, stats.total)


async def _look_up(session: Session, results: Results) -> None:
    links = [url for person in results.people if (url := person.profile_url)][:PROFILES]
    tally, line = session.tally, iter(links)
    tally.what, tally.items, tally.total = "profiles", 0, len(links)
    tally.duplicates = 0
    tally.requests_left = len(links)
    stopped: list[Stopped] = []

    async def work() -> None:
        for link in line:
            try:
                results.profiles.append(await session.lix.people.get(link))
            except LixError:
                results.refused += 1
            except Stopped as stop:
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
