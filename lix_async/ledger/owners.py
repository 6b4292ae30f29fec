"""Who works on a ledger, and who of them has died.

Every opening of a ledger is an owner with a token of 16 random bytes, so no owner is ever taken
for another one. Two witnesses tell that an owner is dead; either suffices:

* its lock file beside a SQLite ledger is there and not locked, in the same boot of the same
  machine: the system releases a lock when its process dies;
* its beat, a number that it raises every few seconds, has not changed for a while on the
  monotonic clock of whoever watches it.

A missing lock file proves nothing: removing lock files costs waiting, not money.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

from ..filesystem import try_lock

BEAT_EVERY = 5.0
"""Seconds between two beats of an owner."""


class Owner(NamedTuple):
    """An owner as the ledger has it."""

    no: int
    token: bytes
    boot: str
    beat: int


def new_token() -> bytes:
    """The token of a new owner: never derived from a number that is free again."""
    return secrets.token_bytes(16)


@cache
def boot_id() -> str:
    """The id of this boot of this machine; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def lock_path(ledger: Path, token: bytes) -> Path:
    """The lock file of an owner, beside its ledger."""
    return ledger.with_name(f"{ledger.name}-owner-{token.hex()}")


def is_unlocked(ledger: Path, owner: Owner) -> bool:
    """Whether an owner's lock file proves that its process is gone."""
    path = lock_path(ledger, owner.token)
    if not owner.boot or owner.boot != boot_id() or not path.exists():
        return False
    lock: IO[bytes] | None = None
    try:
        lock = try_lock(path)
    except OSError:
        return False
    if lock is None:
        return False
    lock.close()
    return True


class BeatMonitor:
    """Follows the beats of other owners on a monotonic clock of its own."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._seen: dict[int, tuple[int, float]] = {}

    def silent(self, owners: Iterable[Owner], now: float) -> set[int]:
        """The owners whose beat has not changed for the grace period.

        Args:
            owners: All owners but this one that are not known to be dead.
            now: Monotonic seconds.
        """
        silent: set[int] = set()
        seen: dict[int, tuple[int, float]] = {}
        for owner in owners:
            beat, since = self._seen.get(owner.no, (owner.beat, now))
            if beat != owner.beat:
                beat, since = owner.beat, now
            seen[owner.no] = beat, since
            if now - since >= self._grace:
                silent.add(owner.no)
        self._seen = seen
        return silent


def process_id() -> int:
    """The id of this process, for people who look into a ledger."""
    return os.getpid()
