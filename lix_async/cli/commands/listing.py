"""Fetching every page of a listing, or continuing an interrupted one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from ...core.endpoint import CreditKind, Endpoint, P, Price
from ...core.errors import PagingError
from ...core.models import Listing
from ...engine.checkpoint import Checkpoint
from ...engine.pages import Pages
from ...engine.raw_items import raw_items
from .. import console
from ..costs import (
    confirm,
    credits_text,
    estimate_of,
    needs_confirmation,
    print_estimate,
)
from ..errors import OK, CommandError
from ..options import ConnectionOptions, ListingOutputOptions
from ..output.answer_columns import chosen_names
from ..output.columns import check_columns
from ..output.destination import (
    FileSink,
    RowSink,
    listing_format,
    listing_state,
    open_row_sink,
    output_path,
    writes_to_screen,
)
from ..output.listing_file import checkpoint_path, is_ended, load_state
from ..output.listing_table import rows_path
from ..output.schema import RowSchema, item_struct
from ..runtime.activity import ActivityMonitor
from ..runtime.clients import base_url, key_for, lix_client
from ..runtime.progress import ProgressCounts, pages_left
from ..runtime.session import CommandSession, run_command
from ..text import counted, format_elapsed, plural

if TYPE_CHECKING:
    from ...providers.lix.client import AsyncLix

Item = TypeVar("Item")


@dataclass(frozen=True)
class ListingJob(Generic[Item]):
    """A listing to fetch."""

    noun: str
    """An item, for messages: `person`."""
    endpoint: str
    struct: type | None
    """The struct of an item."""
    cap: int | None
    """The number of rows that the provider returns at most."""
    price: Price
    """The price of a page."""
    pages: Callable[[AsyncLix, Checkpoint | None], Pages[Item]]
    """Starts the listing, or continues it from a checkpoint."""
    page_size: int = 1
    """Rows of a page, at least as many."""
    if_empty: str = ""
    """What to try where nothing is found."""


def listing_job(
    noun: str,
    endpoint: Endpoint[P, Listing[Item]],
    pages: Callable[[AsyncLix, Checkpoint | None], Pages[Item]],
    page_size: int = 1,
    if_empty: str = "",
) -> ListingJob[Item]:
    """The listing of an endpoint."""
    cap = endpoint.paging.cap if endpoint.paging is not None else None
    struct = item_struct(endpoint.result)
    return ListingJob(noun, endpoint.id, struct, cap, endpoint.credits, pages, page_size, if_empty)


@dataclass(frozen=True)
class RowLookups:
    """Lookups of the rows of a listing, once it has ended."""

    prices: Sequence[Price]
    """The prices of what is looked up for a row."""
    run: Callable[[Path, ConnectionOptions], int]
    """Looks up the rows of a file, and writes the output; returns the exit code."""


def run_listing(
    job: ListingJob[Item],
    output: ListingOutputOptions,
    connection: ConnectionOptions,
    make_client: Callable[[ConnectionOptions, ActivityMonitor], AsyncLix] = lix_client,
    *,
    dry_run: bool = False,
    lookups: RowLookups | None = None,
    prepare: Callable[[CommandSession], Awaitable[None]] | None = None,
) -> int:
    """Fetch a listing and write its rows.

    Args:
        job: The listing.
        output: The output options.
        connection: The connection options.
        make_client: Makes the client.
        dry_run: Whether to print what it costs at most, and fetch nothing.
        lookups: What is looked up for each row afterwards; that is written in place of the rows.
        prepare: What has to be done before the listing can be started; it costs nothing.

    Returns:
        The exit code.

    Raises:
        CommandError: The output options are invalid.
    """
    if output.limit is not None and output.limit < 1:
        raise CommandError("--limit must be at least 1", hint="leave it out for all rows")
    schema = RowSchema(job.struct)
    if lookups is None:
        check_columns(chosen_names(output.columns, listing_format(output), job.struct), schema)
    elif output_path(output) is None:
        raise CommandError(
            "--enrich needs an output file",
            hint="add --out FILE, or pipe the rows into `lix enrich -`",
        )
    if lookups is not None and connection.api_key_stdin:  # it can be read once
        key = key_for(connection, base_url(connection))
        connection = replace(connection, key=key, api_key_stdin=False)
    left = connection

    async def work(session: CommandSession) -> int:
        nonlocal left
        if prepare is not None:
            await prepare(session)
        if dry_run:
            return await _dry_run(job, output, session, lookups)
        sink = open_row_sink(output, schema, job.endpoint, keep_rows=lookups is not None)
        listing = _ListingRun(job, output, connection, session, sink, lookups)
        code = await listing.run()
        left = replace(connection, yes=True)
        if connection.max_credits is not None:
            spent = session.lix.credits.total + session.lix.credits.lost
            left = replace(left, max_credits=max(connection.max_credits - spent, 0))
            if not output.quiet and lookups is not None:
                console.print_note(
                    f"{left.max_credits:,} of --max-credits {connection.max_credits:,} "
                    f"{'is' if left.max_credits == 1 else 'are'} left for the lookups"
                )
        if lookups is not None and sink.written and session.monitor.rate is not None:
            await session.lix.engine.sleep(session.monitor.rate.interval)  # another client follows
        return code

    counts = ProgressCounts(plural(2, job.noun))
    code = run_command(
        work,
        connection,
        counts,
        quiet=output.quiet,
        live=not writes_to_screen(output),
        make_client=make_client,
    )
    if lookups is None or dry_run or code != OK:
        return code
    return _look_up_rows(lookups, output, schema, left)


def _look_up_rows(
    lookups: RowLookups, output: ListingOutputOptions, schema: RowSchema, left: ConnectionOptions
) -> int:
    """Look up the rows that were kept, and delete them once the output has them."""
    path = output_path(output)
    assert path is not None  # checked before the listing
    rows = rows_path(path)
    if not rows.exists() or not rows.stat().st_size:
        sink = open_row_sink(replace(output, resume=False), schema, "")
        sink.close(ended=True)
    else:
        if output.overwrite and path.is_file():
            path.unlink()
        if (code := lookups.run(rows, left)) != OK:
            return code
    state = load_state(rows)
    if state is None or is_ended(state):
        rows.unlink(missing_ok=True)
        checkpoint_path(rows).unlink(missing_ok=True)
    return OK


async def _dry_run(
    job: ListingJob[Item],
    output: ListingOutputOptions,
    session: CommandSession,
    lookups: RowLookups | None,
) -> int:
    """Print what a listing costs at most: how many rows it has is known after its first page."""
    state = listing_state(output, keep_rows=lookups is not None)
    written, size, total = 0, job.page_size, None
    if state is not None:
        stats = Checkpoint.from_json(bytes(state.checkpoint)).stats
        written, total = state.written + len(state.pending), stats.total
        size = max((stats.items + stats.duplicates) // max(stats.pages, 1), 1)
    limits = [limit for limit in (job.cap, output.limit, total) if limit is not None]
    rows = max(min(limits) - written, 0) if limits else None
    pages = 0 if rows is None else math.ceil(rows / size)
    credits: Counter[CreditKind] = Counter()
    credits[job.price.kind] = pages * job.price.amount
    calls = pages
    if lookups is not None and rows is not None:
        for price in lookups.prices:
            credits[price.kind] += (written + rows) * price.amount
            calls += written + rows
    estimate = await estimate_of([session.lix], calls, credits)
    session.progress.stop()
    head: list[tuple[str, str]] = []
    if written:
        head.append(("In the file", f"{counted(written, job.noun)}, at no cost"))
    found = f"{rows:,} at most" if rows is not None else "unknown before the first page"
    head.append((plural(2, job.noun).capitalize(), found))
    each = f"{job.price.amount:,} {plural(job.price.amount, 'credit')} for each page"
    head.append(("Pages", f"{pages:,} at most, {each}" if rows is not None else each))
    if lookups is not None and rows is not None:
        head.append(("To look up", f"{written + rows:,} at most"))
    print_estimate(head, estimate, session.monitor.rate)
    return OK


class _ListingRun(Generic[Item]):
    """One listing that is being fetched."""

    def __init__(
        self,
        job: ListingJob[Item],
        output: ListingOutputOptions,
        connection: ConnectionOptions,
        session: CommandSession,
        sink: RowSink,
        lookups: RowLookups | None,
    ) -> None:
        self.job = job
        self.output = output
        self.connection = connection
        self.session = session
        self.sink = sink
        self.lookups = lookups
        self.as_received = True
        self.asked = False
        """Whether somebody has agreed to any number of credits."""
        self.before = 0
        """The credits of a listing that is continued."""

    async def run(self) -> int:
        clock = self.session.monitor.clock
        start, ended, announced = clock.now(), False, False
        try:
            pages = self._start()
            self.before = pages.stats.credits
            self._update_counts(pages)
            while self._remaining() != 0:
                await self._confirm(pages)
                if (page := await pages.next_page()) is None:
                    break
                page_rows = raw_items(page)
                self.as_received = self.as_received and page_rows.as_received
                self.sink.add_page(page_rows.items, pages.checkpoint)
                self.sink.write(self._remaining())
                self._update_counts(pages)
                if not announced:
                    announced = True
                    self._announce(pages)
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

    def _credits_ahead(self) -> int | None:
        """What the rest of the command costs at most; None where that is not known."""
        counts = self.session.counts
        if counts.requests_left is None or counts.total is None:
            return None
        credits = counts.requests_left * self.job.price.amount
        if self.lookups is not None:
            credits += counts.total * sum(price.amount for price in self.lookups.prices)
        return credits

    @property
    def _at_most(self) -> str:
        """What is added to a price: rows without a link are not looked up."""
        return "" if self.lookups is None else " at most"

    async def _confirm(self, pages: Pages[Item]) -> None:
        """Ask before the next page where this command costs more than the threshold."""
        if self.asked or pages.checkpoint.ended:
            return
        spent, ahead = pages.stats.credits - self.before, self._credits_ahead()
        if ahead is not None:
            what = f"this costs {credits_text(spent + ahead)} in all{self._at_most}"
            what += f", {spent:,} of them so far" if spent else ""
        else:
            ahead = self.job.price.amount
            what = f"{credits_text(spent)} so far, and how many rows there are is not known"
        if needs_confirmation(spent + ahead, self.connection):
            await confirm(spent + ahead, what, self.connection, self.session)
            self.asked = True

    def _announce(self, pages: Pages[Item]) -> None:
        """Say after the first page how many rows there are, and what they cost."""
        counts, stats = self.session.counts, pages.stats
        ahead, spent = self._credits_ahead(), stats.credits - self.before
        over = pages.checkpoint.ended and self.lookups is None
        if self.output.quiet or stats.total is None or over:
            return
        self.session.progress.stop()
        text = f"{counted(stats.total, self.job.noun)} found"
        if counts.total is not None and counts.total < stats.total:
            limited = self.output.limit == counts.total
            why = "--limit" if limited else "the provider returns no more of a search"
            text += f", {counts.total:,} of them are fetched ({why})"
        if ahead is not None and counts.requests_left is not None:
            fetched = stats.pages + counts.requests_left
            part = f"{'for the rest' if self.before else 'in all'}{self._at_most}"
            text += f": {fetched:,} {plural(fetched, 'page')}, {credits_text(spent + ahead)} {part}"
        console.print_note(text)
        self.session.progress.start()

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
            place = self.sink.file.path if self.lookups is not None else self.output.out
            again = () if self.lookups is not None else ("--resume",)
            self.session.resume_hint = (
                f"{counted(counts.items, self.job.noun)} {plural(counts.items, 'is')} in {place}; "
                "continue with:\n"
                f"  {console.command_line(*again)}"
            )
        elif output_path(self.output) is None and counts.items:
            self.session.resume_hint = "with --out FILE, an interrupted listing can be resumed"

    def _print_summary(self, pages: Pages[Item], ended: bool, seconds: float) -> None:
        if self.output.quiet:
            return
        self.session.progress.stop()
        stats = pages.stats
        path = output_path(self.output) if self.lookups is None else None
        parts = [counted(self.sink.written, self.job.noun)]
        parts[0] += f" in {path}" if path else ""
        parts.append(counted(stats.pages, "page"))
        credits = stats.credits - self.before
        parts.append(credits_text(credits, self.session.lix.credits.lost))
        if self.before:
            parts.append(f"{self.before:,} spent before")
        if stats.duplicates:
            parts.append(f"{stats.duplicates:,} {plural(stats.duplicates, 'duplicate')} dropped")
        console.print_note(f"{', '.join(parts)}, {format_elapsed(seconds)}")
        if ended and not self.sink.written and self.job.if_empty:
            console.print_note(f"hint: {self.job.if_empty}")
        if not self.as_received:
            console.print_note("rows are written as this version reads them, not as received")
        if ended and not stats.complete and stats.total is not None:
            console.print_note(
                f"the provider reported {stats.total:,} in total, but returned only these"
            )
        if isinstance(self.sink, FileSink) and (self.sink.pending or not ended):
            again = " and --resume" if self.lookups is None else ""
            console.print_note(
                f"there are more rows: repeat the command with a higher --limit{again}"
            )
