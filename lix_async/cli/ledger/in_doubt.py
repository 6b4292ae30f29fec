"""Lookups that are in doubt: showing them, and settling what becomes of them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Literal, cast

import anyio
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...bulk import LedgerNotFoundError, SqliteStore
from ...bulk.stores.base import DoubtCallback, Entry, Store
from ...concurrency.clock import RealClock
from .. import console
from ..errors import NOT_FOUND, OK, CommandError
from ..input.targets import parse_target, row_kind
from ..output.lookup_rows import input_of
from ..runtime.activity import ActivityMonitor
from ..runtime.session import CommandSession
from ..text import format_duration, one_line, plural
from ..values import text

Decision = Literal["owed", "refused"]
CUT_OFF = "ended before an answer came"
MOST = 200
"""Rows of a table: more are not read on a console."""


async def decide(ledger: Store, given: str | None, choice: Decision) -> int:
    """Settle every doubt, or those about one input; the exit code. One line says how many."""
    count = 0
    async for entry in _held(ledger, given):
        count += await ledger.resolve(entry.key, choice, RealClock.wall())
    if not count:
        return _none(given)
    what = f"{count:,} {plural(count, 'lookup')}"
    if choice == "owed":
        console.print_note(f"{what} owed again: the next run over the same links asks for them")
    else:
        console.print_note(f"{what} dropped: nobody asks for them again")
    return OK


async def listed(ledger: Store, given: str | None, *, table: bool) -> int:
    """Show every doubt, or those about one input; the exit code."""
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    found.add_column("input", overflow="fold", ratio=3)
    found.add_column("kind", no_wrap=True)
    found.add_column("since", no_wrap=True)
    found.add_column("error", ratio=2)
    count = 0
    async for entry in _held(ledger, given):
        count += 1
        error = None if entry.error is None else one_line(entry.error.message)
        shown = input_of(entry)
        kind = row_kind(entry.endpoint)
        if not table:
            row = {"input": shown, "kind": kind, "since": entry.changed, "error": error}
            console.print_line(msgspec.json.encode(row).decode())
        elif count <= MOST:
            ago = format_duration(RealClock.wall() - entry.changed)
            found.add_row(Text(text(shown)), kind, f"{ago} ago", Text(error or CUT_OFF))
    if not count:
        return _none(given)
    if table:
        Console().print(found)
        if count > MOST:
            console.print_note(f"and {count - MOST:,} more: --format jsonl shows them all")
        console.print_note(
            "hint: --retry asks for them again and may pay twice; --drop lets them be;\n"
            "      --input LINK decides about one"
        )
    return OK


def _none(given: str | None) -> int:
    if given is not None:
        raise CommandError(f"nothing about {one_line(given, 80)} is in doubt", code=NOT_FOUND)
    console.print_note("nothing is in doubt")
    return OK


async def _held(ledger: Store, given: str | None) -> AsyncIterator[Entry]:
    wanted = None if given is None else _identity(given)
    async for entry in ledger.entries("in_doubt"):
        if wanted is None or wanted in _identities(entry):
            yield entry


def _identities(entry: Entry) -> set[str]:
    """What an entry's input may be called by."""
    given: object = msgspec.json.decode(entry.given)
    values = cast("Mapping[str, object]", given).values() if isinstance(given, dict) else [given]
    return {_identity(value if isinstance(value, str) else text(value)) for value in values}


def _identity(value: str) -> str:
    found = parse_target(value)
    return value.strip() if found is None else found.key


async def ask_about_doubts(ledger: str, session: CommandSession) -> DoubtCallback:
    """What the person says of each lookup in doubt, as a run wants to know it.

    Those that come into doubt later are held. Raises `CommandError` without a terminal.
    """
    if not sys.stdin.isatty():
        raise CommandError("--doubts ask needs a terminal", hint="say --doubts hold or retry")
    again: set[bytes] = set()
    entries = await _in_doubt(ledger)
    session.progress.stop()
    for entry in entries:
        given = one_line(str(msgspec.json.decode(entry.given)))
        console.print_note(f"{given}\n  was sent, and no answer came: it may have been paid for.")
        if await _yes(session.watch):
            again.add(entry.key)
    if entries:
        session.progress.start()

    def ask(entry: Entry) -> Literal["hold", "retry"]:
        return "retry" if entry.key in again else "hold"

    return ask


async def _in_doubt(ledger: str) -> list[Entry]:
    store = SqliteStore(ledger)
    try:
        await store.open_read_only()
    except LedgerNotFoundError:
        return []
    try:
        # Those that a run was about to send as it died are in doubt too, once it is opened.
        return [entry async for entry in store.entries("in_doubt", "sent")]
    finally:
        await store.close()


async def _yes(watch: ActivityMonitor) -> bool:
    sys.stderr.write("Buy it again? [y/N] ")
    sys.stderr.flush()
    if sys.platform != "win32":
        # A thread that reads would outlive Ctrl-C.
        await watch.unless_stopped(partial(anyio.wait_readable, sys.stdin))
    return sys.stdin.readline().strip().lower() in ("y", "yes")
