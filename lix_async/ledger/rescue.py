"""Answers that a ledger in a file could not store, kept beside it until it is opened again.

A ledger whose file was deleted or replaced, or whose disk is full, cannot take the replies in hand.
They are paid for, so each becomes a line of a private file. The next opening takes them in.
"""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..filesystem import (
    create_private_file,
    create_private_folder,
    fsync_file,
    open_private,
    try_lock,
)
from .owners import lock_path
from .personal import personal_path
from .records import CallQuery, LookupSpec, Lose, Receive, Send
from .tables import SqlTables
from .transaction import apply


class RescuedAnswer(msgspec.Struct, frozen=True, gc=False):
    """An answer with all that is needed to store it in a ledger that may lack its lookup."""

    ledger: str
    """The path of the ledger."""
    key: bytes
    endpoint: str
    written_as: bytes
    variant: bytes
    n: int
    """The attempt that it answers."""
    page: int
    price: int
    kind: str
    sent: int
    """Epoch milliseconds."""
    at: int
    """Epoch milliseconds."""
    http: int
    body: bytes


class RescueFile(NamedTuple):
    """A file of such answers."""

    path: Path
    answers: list[RescuedAnswer]


def rescue(ledger: Path, token: bytes, answers: Sequence[RescuedAnswer]) -> None:
    """Keep answers beside their ledger; where that cannot be written, in the data folder.

    Raises:
        OSError: They can be written nowhere.
    """
    data = b"".join(msgspec.json.encode(one) + b"\n" for one in answers)
    name = f"{ledger.name}.rescue-{token.hex()}.jsonl"
    try:
        _append(ledger.with_name(name), data)
    except OSError:
        folder = personal_path().parent
        create_private_folder(folder)
        _append(folder / name, data)


def _append(path: Path, data: bytes) -> None:
    create_private_file(path)
    file = open_private(path, os.O_WRONLY | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        if os.write(file, data) < len(data):
            os.ftruncate(file, size)  # a full disk: no part of a line stays
            raise OSError("the disk is full")
    finally:
        os.close(file)
    fsync_file(path)


def rescue_files(ledger: Path) -> list[RescueFile]:
    """The answers that were kept for a ledger, but for those of a process that still runs."""
    found: list[RescueFile] = []
    pattern = f"{glob.escape(ledger.name)}.rescue-*.jsonl"
    for folder in dict.fromkeys((ledger.parent, personal_path().parent)):
        for path in sorted(folder.glob(pattern)):
            token = path.name.removeprefix(f"{ledger.name}.rescue-").removesuffix(".jsonl")
            with contextlib.suppress(OSError, ValueError):
                if _is_held(lock_path(ledger, bytes.fromhex(token))):
                    continue
                # In the data folder those of all ledgers meet; beside a ledger, it may have moved.
                own = folder != personal_path().parent
                answers = [one for one in _read(path) if own or one.ledger == str(ledger)]
                if answers:
                    found.append(RescueFile(path, answers))
    return found


def _is_held(lock: Path) -> bool:
    if not lock.exists():
        return False
    file = try_lock(lock)
    if file is not None:
        file.close()
    return file is None


def _read(path: Path) -> Iterable[RescuedAnswer]:
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            yield msgspec.json.decode(line, type=RescuedAnswer)


def take_in(tables: SqlTables, answers: Sequence[RescuedAnswer], owner: int) -> bool:
    """Store rescued answers, to be judged by whoever asks for them next.

    Args:
        tables: The ledger, whose dead owners have been released.
        answers: The answers.
        owner: The owner that opens it.

    Returns:
        Whether the ledger has all of them now.
    """
    queries = [CallQuery(one.key, one.endpoint) for one in answers]
    suppressed = tables.suppressed_calls(queries)
    found = [
        forgotten or _take_in(tables, one, owner)
        for one, forgotten in zip(answers, suppressed, strict=True)
    ]
    return all(found)


def _take_in(tables: SqlTables, one: RescuedAnswer, owner: int) -> bool:
    spec = LookupSpec(one.key, one.endpoint, one.written_as, one.variant, min(one.page, 1))
    (lookup,) = tables.add([spec], one.sent)
    n, sender = one.n, 0
    if lookup.state.n < one.n:  # a copy from before, or a new ledger
        send = Send(lookup.id, lookup.state.n, one.price, one.sent, one.kind)
        (sent,) = apply(tables, [send], owner)
        if not sent.applied:
            return False
        n, sender = sent.state.n, sent.owner
    elif tables.sent_at(lookup.id, n) != one.sent:  # another purchase has taken that number
        return False
    receive = Receive(lookup.id, sender, n, one.page, one.http, one.body, one.at)
    apply(tables, [receive, Lose(lookup.id, sender, n, one.at)] if sender else [receive], owner)
    return True
