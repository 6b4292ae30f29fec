"""Fetching every page of a listing, or continuing an interrupted one."""

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
from ..options import ConnectionOptions, ListingOutputOptions, parse_columns
from ..output.columns import check_columns
from ..output.destination import FileSink, RowSink, open_row_sink, output_path, writes_to_screen
from ..output.schema import RowSchema, item_struct
from ..runtime.activity import ActivityMonitor
from ..runtime.clients import lix_client
from ..runtime.progress import ProgressCounts, pages_left
from ..runtime.session import CommandSession, run_command
from ..text import format_elapsed, plural

if TYPE_CHECKING:
    from ...providers.lix.client import AsyncLix

Item = TypeVar("Item")


@dataclass(frozen=True)
class ListingJob(Generic[Item]):
    """A listing to fetch."""

    noun: str
    """The items in the plural, for messages."""
    endpoint: str
    struct: type | None
    """The struct of an item."""
    cap: int | None
    """The number of rows that the provider returns at most."""
    pages: Callable[[AsyncLix, Checkpoint | None], Pages[Item]]
    """Starts the listing, or continues it from a checkpoint."""


def listing_job(
    noun: str,
    endpoint: Endpoint[P, Listing[Item]],
    pages: Callable[[AsyncLix, Checkpoint | None], Pages[Item]],
) -> ListingJob[Item]:
    """The listing of an endpoint."""
    cap = endpoint.paging.cap if endpoint.paging is not None else None
    return ListingJob(noun, endpoint.id, item_struct(endpoint.result), cap, pages)


def run_listing(
    job: ListingJob[Item],
    output: ListingOutputOptions,
    connection: ConnectionOptions,
    make_client: Callable[[ConnectionOptions, ActivityMonitor], AsyncLix] = lix_client,
) -> int:
    """Fetch a listing and write its rows.

    Args:
        job: The listing.
        output: The output options.
        connection: The connection options.
        make_client: Makes the client.

    Returns:
        The exit code.

    Raises:
        CommandError: The output options are invalid.
    """
    if output.limit is not None and output.limit < 1:
        raise CommandError("--limit must be at least 1", hint="leave it out for all rows")
    schema = RowSchema(job.struct)
    check_columns(parse_columns(output.columns), schema)

    async def work(session: CommandSession) -> int:
        sink = open_row_sink(output, schema, job.endpoint)
        return await _ListingRun(job, output, session, sink).run()

    counts = ProgressCounts(job.noun)
    return run_command(
        work,
        connection,
        counts,
        quiet=output.quiet,
        live=not writes_to_screen(output),
        make_client=make_client,
    )


class _ListingRun(Generic[Item]):
    """One listing that is being fetched."""

    def __init__(
        self,
        job: ListingJob[Item],
        output: ListingOutputOptions,
        session: CommandSession,
        sink: RowSink,
    ) -> None:
        self.job = job
        self.output = output
        self.session = session
        self.sink = sink
        self.as_received = True

    async def run(self) -> int:
        clock = self.session.monitor.clock
        start, ended = clock.now(), False
        try:
            pages = self._start()
            self._update_counts(pages)
            while self._remaining() != 0 and (page := await pages.next_page()) is not None:
                page_rows = raw_items(page)
                self.as_received = self.as_received and page_rows.as_received
                self.sink.add_page(page_rows.items, pages.checkpoint)
                self.sink.write(self._remaining())
                self._update_counts(pages)
            ended = pages.checkpoint.ended
        finally:
            self.session.progress.stop()  # before a table is printed
            self.sink.close(ended=ended)
        self._print_summary(pages, ended, clock.now() - start)
        return OK

    def _start(self) -> Pages[Item]:
        try:
            pages = self.job.pages(self.session.lix, self.sink.checkpoint)
        except PagingError:
            raise CommandError(
                f"the checkpoint of {self.output.out} belongs to another search",
                hint="repeat the first command with --resume, or start over with --overwrite",
            ) from None
        self.sink.write(self._remaining())
        return pages

    def _remaining(self) -> int | None:
        limit = self.output.limit
        return None if limit is None else max(limit - self.sink.written, 0)

    def _update_counts(self, pages: Pages[Item]) -> None:
        """Update the progress line, and what is printed after an interruption."""
        stats, counts = pages.stats, self.session.counts
        limits = (stats.total, self.job.cap, self.output.limit)
        totals = [limit for limit in limits if limit is not None]
        counts.total = min(totals) if totals and (stats.total or self.output.limit) else None
        counts.items = self.sink.written
        counts.credits = stats.credits
        counts.duplicates = stats.duplicates
        rows = stats.items + stats.duplicates
        wanted = None if counts.total is None else counts.total + stats.duplicates
        counts.requests_left = pages_left(rows, stats.pages, wanted)
        if isinstance(self.sink, FileSink) and self.sink.checkpoint is not None:
            self.session.resume_hint = (
                f"{counts.items:,} {self.job.noun} are in {self.output.out}; continue with:\n"
                f"  {console.command_line('--resume')}"
            )
        elif output_path(self.output) is None and counts.items:
            self.session.resume_hint = "with --out FILE, an interrupted listing can be resumed"

    def _print_summary(self, pages: Pages[Item], ended: bool, seconds: float) -> None:
        if self.output.quiet:
            return
        self.session.progress.stop()
        stats, path = pages.stats, output_path(self.output)
        parts = [f"{self.sink.written:,} {self.job.noun}"]
        parts[0] += f" in {path}" if path else ""
        parts.append(f"{stats.pages:,} {plural(stats.pages, 'page')}")
        parts.append(f"{stats.credits:,} {plural(stats.credits, 'credit')}")
        if stats.duplicates:
            parts.append(f"{stats.duplicates:,} {plural(stats.duplicates, 'duplicate')} dropped")
        console.print_note(f"{', '.join(parts)}, {format_elapsed(seconds)}")
        if not self.as_received:
            console.print_note("rows are written as this version reads them, not as received")
        if ended and not stats.complete and stats.total is not None:
            console.print_note(
                f"the provider reported {stats.total:,} in total, but returned only these"
            )
        if isinstance(self.sink, FileSink) and (self.sink.pending or not ended):
            console.print_note(
                "there are more rows: repeat the command with a higher --limit and --resume"
            )
