"""`--doubts ask`: the person decides about each lookup whose end nobody knows."""

from __future__ import annotations

import sys
from functools import partial
from typing import Literal

import anyio
import msgspec

from ..bulk import AbsentLedgerError, Entry, SqliteStore
from ..bulk.store import Ask
from . import screen
from .errors import CommandError, one_line
from .session import Session
from .watch import Watch


async def asked_for(ledger: str, session: Session) -> Ask:
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
        screen.note(f"{given}\n  was sent, and no answer came: it may have been paid for.")
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
        await store.look()
    except AbsentLedgerError:
        return []
    try:
        # Those that a run was about to send as it died are in doubt too, once it is opened.
        return [entry async for entry in store.entries("in_doubt", "sent")]
    finally:
        await store.close()


async def _yes(watch: Watch) -> bool:
    sys.stderr.write("Buy it again? [y/N] ")
    sys.stderr.flush()
    if sys.platform != "win32":
        # A thread that reads would outlive Ctrl-C.
        await watch.unless_stopped(partial(anyio.wait_readable, sys.stdin))
    return sys.stdin.readline().strip().lower() in ("y", "yes")
