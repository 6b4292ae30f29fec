"""`lix ledger …`: what a ledger holds."""

from __future__ import annotations

import glob
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...concurrency.clock import RealClock
from ...core.errors import BulkError
from ...ledger import Ledger
from ...ledger.forgetting import Remainder
from ...ledger.history import SubjectChange
from ...ledger.resolution import SubjectRecord
from ...ledger.rule import STATUSES
from ...ledger.schema import VERSION
from .. import console
from ..errors import OK, REFUSED, CommandError
from ..ledger.address import (
    check_address,
    display_address,
    is_server,
    ledger_address,
    ledger_error,
    opened_read_only,
)
from ..options import ReportFormat, as_table, parse_age
from ..output.rows import row_encoder
from ..output.schema import RowSchema
from ..output.table import print_table
from ..runtime.session import run_until_signal
from ..text import counted, format_duration

StoreOption = Annotated[
    str | None,
    Parameter(
        name="--store",
        help="The ledger: a file, or postgresql://…. Default: LIX_STORE, else your personal "
        "ledger. Use LIX_STORE for an address with a password: other users can see the arguments "
        "of a process.",
    ),
]
ledger = App(
    name="ledger",
    help_epilogue="",
    help="""Look into a ledger, the record of all lookups.

    These commands send nothing to the provider.""",
)


@ledger.command(name="list", sort_key=0)
def list_(*, store: StoreOption = None, style: ReportFormat = None) -> int:
    """List the runs of a ledger: one for each file and each call of `Run`."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as opened:
            runs = await Ledger(opened).runs()
        rows = [msgspec.json.encode(run) for run in runs]
        if not as_table(style):
            console.write_stdout(b"".join(row + b"\n" for row in rows))
            return OK
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        table.add_column("run", overflow="fold")
        table.add_column("began", no_wrap=True)
        for name in ("inputs", "credits", "in doubt"):
            table.add_column(name, justify="right", no_wrap=True)
        now = RealClock.wall()
        for run in runs:
            numbers = (f"{number:,}" for number in (run.inputs, run.credits, run.maybe))
            ago = f"{format_duration(now - run.began)} ago"
            table.add_row(Text(run.name or run.method), ago, *numbers)
        Console().print(table)
        return OK

    return run_until_signal(work)


@ledger.command(sort_key=1)
def size(*, store: StoreOption = None, style: ReportFormat = None) -> int:
    """Show how many lookups and credits a ledger holds, and how large it is."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as opened:
            counts, found = await opened.counts(), await Ledger(opened).size()
        lookups = sum(counts.of(status) for status in STATUSES)
        if not as_table(style):
            report = {"store": display_address(address), "lookups": lookups}
            report |= {"credits": counts.credits, **msgspec.to_builtins(found)}
            console.print_line(msgspec.json.encode(report).decode())
            return OK
        credits = counted(counts.credits, "credit")
        console.print_line(f"{display_address(address)}: {counted(lookups, 'lookup')}, {credits}")
        table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
        for kind, one in found.kinds.items():
            table.add_row(
                kind, counted(one.rows, "row"), "" if one.bytes is None else _mb(one.bytes)
            )
        table.add_row("free", "", _mb(found.free))
        table.add_row("in all", "", _mb(found.bytes))
        Console().print(table)
        return OK

    return run_until_signal(work)


def _mb(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


@ledger.command(name="verify", sort_key=4)
def verify_(*, store: StoreOption = None) -> int:
    """Check that nothing is damaged, and that statuses, answers and sums of credits agree.

    The exit code is 1 where something does not, with a line for each problem.
    """
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as opened:
            problems = await Ledger(opened).verify()
        for problem in problems:
            console.print_line(problem)
        if problems:
            count = f"{counted(len(problems), 'problem')}"
            raise CommandError(
                f"{display_address(address)}: {count}",
                hint="restore a backup, or merge what is left into a new ledger: lix ledger merge",
                code=REFUSED,
            )
        console.print_note(f"{display_address(address)}: everything agrees")
        return OK

    return run_until_signal(work)


@ledger.command(sort_key=5)
def compact(
    *,
    store: StoreOption = None,
    full: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="In PostgreSQL, rewrite the tables; no other process can use them meanwhile.",
        ),
    ] = False,
) -> int:
    """Pack the stored answers without loss, and give the space back."""
    address = ledger_address(store)

    async def work() -> int:
        async with opened_read_only(address) as opened:
            found = await Ledger(opened).compact(full=full)
        console.print_note(
            f"{display_address(address)}: {_mb(found.before)} before, {_mb(found.after)} after; "
            f"{counted(found.packed, 'answer')} packed"
        )
        return OK

    return run_until_signal(work)


@ledger.command(sort_key=6)
def migrate(*, store: StoreOption = None) -> int:
    """Bring a ledger of an earlier version to this one; a file is copied first.

    Every command does so when it opens the ledger. In PostgreSQL, make a backup first.
    """
    address = ledger_address(store)

    async def work() -> int:
        before = _copies(address)
        async with opened_read_only(address):
            pass
        new = sorted(_copies(address) - before)
        copied = f"; as it was before: {new[0]}" if new else ""
        console.print_note(f"{display_address(address)} is of version {VERSION}{copied}")
        return OK

    return run_until_signal(work)


def _copies(address: str) -> set[str]:
    """The copies of a file as earlier versions left it."""
    if is_server(address):
        return set()
    path = Path(address).absolute()
    return {str(one) for one in path.parent.glob(f"{glob.escape(path.name)}.v*")}


@ledger.command(sort_key=7)
def merge(
    other: Annotated[
        str, Parameter(help="The other ledger: a file, or postgresql://…. Nothing in it changes.")
    ],
    /,
    *,
    store: StoreOption = None,
) -> int:
    """Take in everything that another ledger holds.

    What both have counts once, and ledgers may be merged in any order, and again.
    """
    address, source = ledger_address(store), check_address(other)
    if not is_server(source) and not Path(source).is_file():
        raise CommandError(
            f"{source} is not a file", hint="give a file of a ledger, or postgresql://…"
        )

    async def work() -> int:
        try:
            async with Ledger(address) as into:
                report = await into.merge(source)
        except BulkError as error:
            raise ledger_error(error, address, source) from None
        numbers = (
            f"{counted(report.lookups, 'lookup')}, "
            f"{counted(report.answers, 'answer')} and "
            f"{counted(report.credits, 'credit')}"
        )
        console.print_note(f"{numbers} taken into {display_address(address)}")
        if report.busy:
            console.print_note(f"{report.busy:,} in flight were left out: merge again later")
        return OK

    return run_until_signal(work)


_COLUMNS = SubjectChange.__struct_fields__
_TABLE = ("name", "kind", "before", "after", "at_after")
_ROWS = 100
"""Changes that are written together."""


@ledger.command(sort_key=2)
def changes(
    subject: Annotated[
        str | None,
        Parameter(help="Only of this person or organisation: a link, an id, or a key."),
    ] = None,
    /,
    *,
    since: Annotated[
        str | None,
        Parameter(help="Only what was bought in this time: 12h, 30d, 2y. Default: all of it."),
    ] = None,
    format_: Annotated[
        Literal["jsonl", "csv", "table"] | None,
        Parameter(name="--format", help="Default: a table on the terminal, else JSONL."),
    ] = None,
    store: StoreOption = None,
) -> int:
    """Show what changed in people and organisations, from each answer to the next.

    A row for each change: `kind` (job_started, job_ended, title_changed, company_changed,
    location_changed, slug_moved, name_changed, else field_changed), `subject`, `name`, `field`,
    `before`, `after`, and when both answers were bought.
    """
    address, age = ledger_address(store), parse_age("--since", since)
    chosen = format_ or ("table" if sys.stdout.isatty() else "jsonl")
    schema = RowSchema(None)
    encoder = row_encoder("jsonl" if chosen == "table" else chosen, schema, _COLUMNS)

    async def work() -> int:
        rows: list[bytes] = []
        first = True
        async with opened_read_only(address) as opened:
            async for change in Ledger(opened).changes(since=age, subject=subject):
                rows.append(msgspec.json.encode(change))
                if chosen != "table" and len(rows) == _ROWS:
                    console.write_stdout(encoder.encode(rows, first=first))
                    first, rows = False, []
        if chosen == "table":
            print_table(Console(), rows, schema, _TABLE)
        elif rows or chosen == "csv":
            console.write_stdout(encoder.encode(rows, first=first))
        return OK

    return run_until_signal(work)


@ledger.command(sort_key=3)
def conflicts(*, store: StoreOption = None) -> int:
    """List people and organisations whose ids contradict each other.

    Nothing is found by these ids: a lookup under another one of them is bought.
    """
    address = ledger_address(store)

    async def work() -> int:
        count = 0
        async with opened_read_only(address) as opened:
            async for conflict in Ledger(opened).conflicts():
                count += 1
                console.print_line(f"conflict {count}")
                for subject in conflict.subjects:
                    for line in subject_lines(subject):
                        console.print_line(line)
        if not count:
            console.print_line("no conflicts")
        return OK

    return run_until_signal(work)


def subject_lines(subject: SubjectRecord) -> Iterator[str]:
    """What is known of a person or an organisation: a line for each id and each lookup."""
    note = ", in conflict with another one: not used" if subject.ambiguous else ""
    yield f"  subject {subject.id}{note}"
    for one in subject.ids:
        text = one.link or one.id or "(erased)"
        yield f"    {one.kind:<12} {text}  since {one.seen_at:%Y-%m-%d}"
    for bought in subject.lookups:
        yield f"    {bought.endpoint}: {bought.status} {bought.changed_at:%Y-%m-%d}, {bought.given}"


FullOption = Annotated[
    bool,
    Parameter(
        name="--vacuum",
        negative="",
        show_default=False,
        help="In PostgreSQL, rewrite the tables; no other process can use them meanwhile.",
    ),
]


@ledger.command(name="forget", sort_key=8)
def forget_(
    *ids: Annotated[str, Parameter(help="Links, URNs or encoded ids of people and organisations.")],
    store: StoreOption = None,
    yes: Annotated[
        bool, Parameter(negative="", show_default=False, help="Do not ask; needed in a script.")
    ] = False,
    vacuum: FullOption = False,
) -> int:
    """Erase people or organisations, and never look them up again.

    All their ids that are known are suppressed; their lookups and answers go, and what other
    answers, inputs and texts say of them. What was paid stays, as amounts. The secret of the
    suppression list is kept beside the file, in NAME.key, or in LIX_SUPPRESSION_KEY.
    """
    address = ledger_address(store)
    if not ids:
        raise CommandError(
            "no ids were given", hint="pass the links or addresses of those to forget"
        )
    if not yes and not sys.stdin.isatty():
        raise CommandError("this cannot be undone", hint="pass --yes when stdin is not a terminal")
    if not yes:
        console.print_note(
            f"erase all that {display_address(address)} has of "
            f"{counted(len(ids), 'subject')}? This cannot be undone. [y/N]"
        )
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            console.print_note("nothing was erased")
            return REFUSED

    async def work() -> int:
        async with opened_read_only(address) as opened:
            found = await Ledger(opened).forget(ids, full=vacuum)
        console.print_note(
            f"{display_address(address)}: {counted(found.ids, 'id')} suppressed; "
            f"{counted(found.lookups, 'lookup')} and "
            f"{counted(found.answers, 'answer')} erased, {found.redacted:,} redacted, "
            f"{counted(found.inputs, 'input')} cleared"
        )
        for export in found.exports:
            when = datetime.fromtimestamp(export.at, UTC).date().isoformat()
            console.print_line(f"exported on {when}: {export.place} ({export.what})")
        return _report(found.remainder)

    return run_until_signal(work)


def _report(remainder: Remainder) -> int:
    """Tell what is left on the disk; the exit code."""
    for copy in remainder.copies:
        console.print_line(f"another file that may have it: {copy}")
    if remainder.note:
        console.print_note(remainder.note)
    if remainder.held_by:
        processes = ", ".join(map(str, remainder.held_by))
        raise CommandError(
            f"the log may still have what was erased: in use by the processes {processes}",
            hint="close them, and repeat the command",
            code=REFUSED,
        )
    if remainder.found:
        raise CommandError(
            f"still found in: {', '.join(remainder.found)}",
            hint="repeat the command when no program uses the ledger",
            code=REFUSED,
        )
    console.print_note("searched afterwards: 0 hits")
    return OK


@ledger.command(name="slug-age", sort_key=9)
def slug_age_(
    age: Annotated[str, Parameter(help="A duration: 90d, 1y.")], /, *, store: StoreOption = None
) -> int:
    """Set for how long a slug is believed to be of whom an answer showed it with.

    180 days where it was never set. After that time, asking by the slug costs a lookup.
    """
    address, believed = ledger_address(store), parse_age("AGE", age)
    assert believed is not None  # there is a text

    async def work() -> int:
        async with opened_read_only(address) as opened:
            await Ledger(opened).set_slug_age(believed)
        return OK

    return run_until_signal(work)


@ledger.command(name="purge", sort_key=10)
def purge_(
    *,
    older_than: Annotated[str, Parameter(help="The age of what is deleted: 90d, 2y.")],
    store: StoreOption = None,
    vacuum: FullOption = False,
) -> int:
    """Delete versions and answers by their age; what was paid stays, as amounts.

    A lookup without a newer answer goes with its inputs, and is bought again when it is asked for.
    """
    address, age = ledger_address(store), parse_age("--older-than", older_than)
    assert age is not None  # there is a text

    async def work() -> int:
        async with opened_read_only(address) as opened:
            found = await Ledger(opened).purge(age, full=vacuum)
        console.print_note(
            f"{display_address(address)}: {counted(found.answers, 'answer')} and "
            f"{counted(found.lookups, 'lookup')} deleted"
        )
        return _report(found.remainder)

    return run_until_signal(work)
