"""Lookups that a person decides about: those in doubt, and those that have ended."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Literal, cast

import anyio
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...bulk import LedgerNotFoundError, SqliteStore
from ...concurrency.clock import RealClock
from ...engine.doubts import DoubtCallback
from ...ledger.reconciliation import Reconciliation, empty_answers
from ...ledger.rule import Status
from ...ledger.store import Entry, Store
from .. import console
from ..errors import NOT_FOUND, OK, CommandError
from ..input.lookup_kinds import row_kind
from ..input.targets import parse_target, parse_website
from ..output.lookup_rows import input_of
from ..runtime.activity import ActivityMonitor
from ..runtime.session import CommandSession
from ..text import counted, format_duration, one_line
from ..values import cell_text

NO_ANSWER = "stopped before an answer was received"
MAX_TABLE_ROWS = 200
"""Rows in the table at most; the others are only counted."""


async def resolve_doubts(ledger: Store, given: str | None, *, retry: bool) -> int:
    """Retry or give up all lookups in doubt, or those of one input.

    Args:
        ledger: The open ledger.
        given: The input; None for all.
        retry: Whether a later run looks them up again.

    Returns:
        The exit code.

    Raises:
        CommandError: No lookup of that input is in doubt.
    """
    count = 0
    async for entry in _matching(ledger, given, "in_doubt"):
        count += await ledger.resolve(entry.key, "again" if retry else "let_be")
    if not count:
        return _print_none(given)
    what = f"{counted(count, 'lookup')}"
    if retry:
        console.print_note(f"{what} pending again; the next run over the same links retries them")
    else:
        console.print_note(f"{what} dropped; they will not be retried")
    return OK


async def buy_again(ledger: Store, given: str | None) -> int:
    """Let the next run look up again what was refused or cannot be read; returns the exit code.

    Args:
        ledger: The open ledger.
        given: The input; None for all that were refused without the provider's own error.

    Raises:
        CommandError: There is no such lookup.
    """
    if given is None:
        keys = await ledger.unattested()
        message = "no lookup was refused without the provider's own error"
    else:
        keys = [entry.key async for entry in _matching(ledger, given, "refused", "kept")]
        message = f"no lookup of {one_line(given, 80)} is refused or unreadable"
    count = sum([await ledger.buy_again(key) for key in keys])
    if not count:
        raise CommandError(
            message, hint="`lix run status` counts the lookups of a ledger", code=NOT_FOUND
        )
    console.print_note(
        f"{counted(count, 'lookup')} pending again; the next run over the same links makes them"
    )
    return OK


async def list_doubts(ledger: Store, given: str | None, *, table: bool) -> int:
    """List all lookups in doubt, or those of one input; returns the exit code."""
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    rows.add_column("input", overflow="fold", ratio=3)
    rows.add_column("kind", no_wrap=True)
    rows.add_column("since", no_wrap=True)
    rows.add_column("error", ratio=2)
    count = 0
    async for entry in _matching(ledger, given, "in_doubt"):
        count += 1
        reason = one_line(entry.note) if entry.note else None
        source = input_of(entry)
        kind = row_kind(entry.endpoint)
        if not table:
            row = {"input": source, "kind": kind, "since": entry.changed, "error": reason}
            console.print_line(msgspec.json.encode(row).decode())
        elif count <= MAX_TABLE_ROWS:
            ago = format_duration(RealClock.wall() - entry.changed)
            rows.add_row(Text(cell_text(source)), kind, f"{ago} ago", Text(reason or NO_ANSWER))
    if not count:
        return _print_none(given)
    if table:
        Console().print(rows)
        if count > MAX_TABLE_ROWS:
            console.print_note(f"{count - MAX_TABLE_ROWS:,} more: --format jsonl lists all")
        console.print_note(
            "hint: --retry looks them up again, which may charge twice; --drop gives them up;\n"
            "      --input LINK selects one"
        )
    return OK


_DECISIONS = {
    "charged": "all were charged: unreadable, not bought again unasked",
    "not_charged": "none was charged: pending again",
    None: "still in doubt",
}


def print_reconciliations(found: Sequence[Reconciliation], *, table: bool) -> None:
    """Print what the balances say about the lookups in doubt."""
    for one in found:
        if not table:
            row = msgspec.to_builtins(one) | {"difference": one.difference}
            console.print_line(msgspec.json.encode(row).decode())
            continue
        what = f"{counted(one.doubts, 'call')} in doubt, {one.maybe:,} {one.kind}"
        differ = (
            "" if one.difference is None else f"; account and ledger differ by {one.difference:,}"
        )
        reason = f" ({one.reason})" if one.reason else ""
        console.print_line(f"{what}{differ}: {_DECISIONS[one.decision]}{reason}")
    if not found:
        console.print_note("no lookups are in doubt")


async def list_empty(ledger: Store) -> int:
    """List the lookups that were charged and whose answer holds nothing; returns the exit code."""
    count = credits = 0
    async for entry in empty_answers(ledger):
        count, credits = count + 1, credits + entry.credits
        row = {
            "input": input_of(entry),
            "kind": row_kind(entry.endpoint),
            "status": entry.status,
            "credits": entry.credits,
        }
        console.print_line(msgspec.json.encode(row).decode())
    what = f"{counted(count, 'answer')} {'holds' if count == 1 else 'hold'} nothing"
    console.print_note(f"{what}, {counted(credits, 'credit')}")
    return OK


def _print_none(given: str | None) -> int:
    if given is not None:
        raise CommandError(
            f"no lookup of {one_line(given, 80)} is in doubt",
            hint="`lix run doubts` lists those that are",
            code=NOT_FOUND,
        )
    console.print_note("no lookups are in doubt")
    return OK


async def _matching(ledger: Store, given: str | None, *statuses: Status) -> AsyncIterator[Entry]:
    """The entries in some statuses; those of one input where it is given."""
    wanted = None if given is None else _identity(given)
    async for entry in ledger.entries(*statuses):
        if wanted is None or wanted in _identities(entry):
            yield entry


def _identities(entry: Entry) -> set[str]:
    """The identities of the values in an entry's input."""
    given: object = msgspec.json.decode(entry.given)
    values = cast("Mapping[str, object]", given).values() if isinstance(given, dict) else [given]
    return {_identity(value if isinstance(value, str) else cell_text(value)) for value in values}


def _identity(value: str) -> str:
    target = parse_target(value) or parse_website(value)
    return value.strip() if target is None else target.key


async def ask_about_doubts(ledger: str, session: CommandSession, keys: set[bytes]) -> DoubtCallback:
    """Ask the user about each lookup in doubt.

    Args:
        ledger: The address of the ledger.
        session: The command's session.
        keys: The lookups of this command.

    Returns:
        The decisions, for a run. Lookups that come into doubt later are held.

    Raises:
        CommandError: stdin is not a terminal.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            "--doubts ask needs a terminal", hint="use --doubts hold or --doubts retry"
        )
    again: set[bytes] = set()
    entries = [one for one in await _doubtful_entries(ledger) if one.key in keys]
    session.progress.stop()
    for entry in entries:
        given = one_line(str(msgspec.json.decode(entry.given)))
        console.print_note(
            f"{given}\n  was sent, but no answer was received; it may have been charged."
        )
        if await _confirm(session.monitor):
            again.add(entry.key)
    if entries:
        session.progress.start()

    def ask(entry: Entry) -> Literal["hold", "retry"]:
        return "retry" if entry.key in again else "hold"

    return ask


async def _doubtful_entries(ledger: str) -> list[Entry]:
    store = SqliteStore(ledger)
    try:
        await store.open_read_only()
    except LedgerNotFoundError:
        return []
    try:
        # Lookups that a dead run was sending come into doubt when the next run opens the ledger.
        return [entry async for entry in store.entries("in_doubt", "sent")]
    finally:
        await store.close()


async def _confirm(monitor: ActivityMonitor) -> bool:
    sys.stderr.write("Look it up again? [y/N] ")
    sys.stderr.flush()
    if sys.platform != "win32":
        # A reading thread would not end on Ctrl-C.
        await monitor.unless_stopped(partial(anyio.wait_readable, sys.stdin))
    return sys.stdin.readline().strip().lower() in ("y", "yes")
