"""Walking a listing from its first page to its last, or on from where an earlier walk stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ...core.endpoint import Endpoint, P
from ...core.errors import PagingError
from ...core.models import Listing
from ...engine.checkpoint import Checkpoint
from ...engine.pages import Pages
from ...engine.raw_items import raw_items
from .. import console
from ..errors import OK, CommandError
from ..options import ConnectionOptions, ListingOutputOptions, parsed_columns
from ..output.columns import check_columns
from ..output.destination import FileSink, RowSink, file_of, open_row_sink, writes_to_screen
from ..output.schema import RowSchema, item_struct
from ..runtime.activity import ActivityMonitor
from ..runtime.clients import client
from ..runtime.progress import ProgressCounts, pages_left
from ..runtime.session import CommandSession, run_command
from ..text import format_elapsed, plural

if TYPE_CHECKING:
    from ...providers.lix.client import AsyncLix

Item = TypeVar("Item")


@dataclass(frozen=True)
class ListingJob(Generic[Item]):
    """A walk that a command is about."""

    what: str
    """The items in the plural, as people call them."""
    endpoint: str
    kind: type | None
    """The struct of an item."""
    cap: int | None
    """Rows that the provider gives at most."""
    pages: Callable[[AsyncLix, Checkpoint | None], Pages[Item]]
    """Begins the walk, or goes on with it."""


def listing_job(
    what: str,
    row: Endpoint[P, Listing[Item]],
    pages: Callable[[AsyncLix, Checkpoint | None], Pages[Item]],
) -> ListingJob[Item]:
    """A walk over a row of the table."""
    cap = row.paging.cap if row.paging is not None else None
    return ListingJob(what, row.id, item_struct(row.result), cap, pages)


def run_listing(
    job: ListingJob[Item],
    output: ListingOutputOptions,
    connection: ConnectionOptions,
    make: Callable[[ConnectionOptions, ActivityMonitor], AsyncLix] = client,
) -> int:
    """Carry it out; the exit code."""
    if output.limit is not None and output.limit < 1:
        raise CommandError("--limit must be at least 1")
    schema = RowSchema(job.kind)
    check_columns(parsed_columns(output.columns), schema)

    async def work(session: CommandSession) -> int:
        there = open_row_sink(output, schema, job.endpoint)
        return await _ListingRun(job, output, session, there).to_the_end()

    tally = ProgressCounts(job.what)
    return run_command(
        work, connection, tally, quiet=output.quiet, live=not writes_to_screen(output), make=make
    )


class _ListingRun(Generic[Item]):
    """One walk under way."""

    def __init__(
        self,
        job: ListingJob[Item],
        output: ListingOutputOptions,
        session: CommandSession,
        there: RowSink,
    ) -> None:
        self.job = job
        self.output = output
        self.session = session
        self.there = there
        self.whole = True

    async def to_the_end(self) -> int:
        clock = self.session.watch.clock
        began, ended = clock.now(), False
        try:
            pages = self._begun()
            self._tell(pages)
            while self._room() != 0 and (page := await pages.next_page()) is not None:
                found = raw_items(page)
                self.whole = self.whole and found.as_received
                self.there.put(found.items, pages.checkpoint)
                self.there.write(self._room())
                self._tell(pages)
            ended = pages.checkpoint.ended
        finally:
            self.session.progress.stop()  # a table may come
            self.there.close(ended=ended)
        self._close(pages, ended, clock.now() - began)
        return OK

    def _begun(self) -> Pages[Item]:
        try:
            pages = self.job.pages(self.session.lix, self.there.walk)
        except PagingError:
            raise CommandError(
                f"the checkpoint beside {self.output.out} belongs to another search",
                hint="repeat the first command with --resume, or begin anew by --overwrite",
            ) from None
        self.there.write(self._room())
        return pages

    def _room(self) -> int | None:
        limit = self.output.limit
        return None if limit is None else max(limit - self.there.written, 0)

    def _tell(self, pages: Pages[Item]) -> None:
        """Bring the tally, and what to say after an interruption, up to date."""
        stats, tally = pages.stats, self.session.tally
        bounds = (stats.total, self.job.cap, self.output.limit)
        known = [bound for bound in bounds if bound is not None]
        tally.total = min(known) if known and (stats.total or self.output.limit) else None
        tally.items = self.there.written
        tally.credits = stats.credits
        tally.duplicates = stats.duplicates
        rows = stats.items + stats.duplicates
        wanted = None if tally.total is None else tally.total + stats.duplicates
        tally.requests_left = pages_left(rows, stats.pages, wanted)
        if isinstance(self.there, FileSink) and self.there.walk is not None:
            self.session.go_on = (
                f"{tally.items:,} {self.job.what} are in {file_of(self.output)}; go on with:\n"
                f"  {console.command_line('--resume')}"
            )
        elif file_of(self.output) is None and tally.items:
            self.session.go_on = "with --out FILE a walk can go on where it stopped"

    def _close(self, pages: Pages[Item], ended: bool, seconds: float) -> None:
        if self.output.quiet:
            return
        self.session.progress.stop()
        stats, path = pages.stats, file_of(self.output)
        facts = [f"{self.there.written:,} {self.job.what}"]
        facts[0] += f" in {path}" if path else ""
        facts.append(f"{stats.pages:,} {plural(stats.pages, 'page')}")
        facts.append(f"{stats.credits:,} {plural(stats.credits, 'credit')}")
        if stats.duplicates:
            facts.append(f"{stats.duplicates:,} that came twice dropped")
        console.print_note(f"{', '.join(facts)}, {format_elapsed(seconds)}")
        if not self.whole:
            console.print_note("rows are as this version reads them: the pages list them otherwise")
        if ended and not stats.complete and stats.total is not None:
            console.print_note(
                f"the provider speaks of {stats.total:,} and gives no more than these"
            )
        if isinstance(self.there, FileSink) and (self.there.owed or not ended):
            console.print_note(
                "there is more: the same command with a higher --limit, and --resume"
            )
