"""The suppression list: who was forgotten, and is not looked up again.

A ledger keeps none of their ids, only codes of them (HMAC-SHA256), so that ids cannot be tried out
without the secret, which is kept outside of the ledger. A check of each secret stands in there:
without the right one nothing is bought, since it could not be known who was forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

from ..core.errors import BulkError
from ..filesystem import (
    NO_FOLLOW,
    create_private_folder,
    fsync_directory,
    fsync_file,
    make_private,
    new_private_file,
    replace_atomically,
)
from .database import Database, chunks

VARIABLE = "LIX_SUPPRESSION_KEY"
"""The environment variable for the secret; several are separated by spaces or commas."""
SETTING = "suppression"
"""The setting with the checks of the secrets that the list was written with."""
OF_LOOKUP = "key"
"""The kind of a lookup's key, beside the kinds of ids."""
SHORTEST = 32
SELECT = "SELECT value FROM about WHERE name = 'suppression'"
SuppressedId = tuple[str, bytes]
"""Kind and digest of an id, or the key of a lookup."""


class SuppressionList:
    """The suppression list of a ledger, inside a transaction.

    Args:
        key_file: The file of the secret.
    """

    def __init__(self, key_file: Callable[[Database], Path]) -> None:
        self._key_file = key_file
        self._checks: tuple[str, ...] = ()
        # Ready to be copied; they do not show their secret.
        self._codes: dict[str, hmac.HMAC] = {}

    @property
    def active(self) -> bool:
        """Whether somebody was forgotten, as of the last statement that read it."""
        return bool(self._checks)

    def read(self, db: Database) -> None:
        """Look whether somebody was forgotten."""
        self.note(db.execute(SELECT))

    def note(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Take over what `SELECT` found."""
        self._checks = tuple(check for (checks,) in rows for check in str(checks).split())

    def has_secrets(self, db: Database) -> bool:
        """Whether the secrets are there."""
        if not self._codes.keys() >= set(self._checks):
            self._codes.update((_check(text), _code(text)) for text in self._texts(db))
        return self._codes.keys() >= set(self._checks)

    def check(self, db: Database) -> list[hmac.HMAC]:
        """See that the secrets are there.

        Raises:
            BulkError: One is not: then it cannot be known who was forgotten.
        """
        if not self.has_secrets(db):
            raise BulkError(
                "the secret of the ledger's suppression list is missing, so nothing is bought: "
                f"restore {self._key_file(db)}, or set {VARIABLE} to the contents that it had"
            )
        return [self._codes[check] for check in self._checks]

    def find(self, db: Database, ids: Iterable[SuppressedId]) -> set[SuppressedId]:
        """Those of some ids and keys that are suppressed."""
        wanted: defaultdict[str, dict[bytes, SuppressedId]] = defaultdict(dict)
        ids = list(ids)
        for code in self.check(db) if ids else ():
            for one in ids:
                wanted[one[0]][_mac(code, one)] = one
        found: set[SuppressedId] = set()
        for kind, of_kind in wanted.items():
            for some in chunks(sorted(of_kind)):
                rows = db.execute(
                    "SELECT mac FROM suppressed WHERE kind = ? AND mac IN (?*)", (kind, some)
                )
                found.update(of_kind[bytes(mac)] for (mac,) in cast("list[tuple[bytes]]", rows))
        return found

    def add(self, db: Database, ids: Iterable[SuppressedId], now: int) -> None:
        """Suppress ids and keys; the secret is made where there is none."""
        self.read(db)
        if not self._checks:
            self._begin(db)
        code = self.check(db)[0]
        rows = sorted({(kind, _mac(code, (kind, value)), now) for kind, value in ids})
        db.insert("suppressed", "kind, mac, at", rows, "(kind, mac) DO NOTHING")

    def secrets(self, db: Database) -> list[str]:
        """The secrets of the list, to be given to the ledger that takes it over."""
        self.read(db)
        self.check(db)
        return [text for text in self._texts(db) if _check(text) in self._checks]

    def adopt(self, db: Database, texts: Iterable[str]) -> None:
        """Take over secrets of another ledger's list."""
        self.read(db)
        texts = list(texts)
        known = self._texts(db)
        if new := [text for text in texts if text not in known]:
            self._save(db, new)
        checks = dict.fromkeys([*self._checks, *map(_check, texts)])
        self._set(db, list(checks))

    def _begin(self, db: Database) -> None:
        texts = self._texts(db)
        if not texts:
            texts = [secrets.token_hex(32)]
            self._save(db, texts)
        self._set(db, [_check(texts[0])])

    def _set(self, db: Database, checks: list[str]) -> None:
        # Locked by whoever comes first, who may have begun the list with another secret.
        db.insert("about", "name, value", [(SETTING, " ".join(checks))], "(name) DO NOTHING")
        db.change(
            "UPDATE about SET value = ? WHERE name = 'suppression' AND value = ?",
            (" ".join(checks), " ".join(self._checks)),
        )
        self.read(db)

    def _texts(self, db: Database) -> list[str]:
        """The secrets at hand: of the variable, then of the file."""
        found = os.environ.get(VARIABLE, "").replace(",", " ").split()
        if any(len(text) < SHORTEST for text in found):
            raise BulkError(f"{VARIABLE} is too short: it needs at least {SHORTEST} characters")
        path = self._key_file(db)
        try:
            make_private(path)
            with os.fdopen(os.open(path, os.O_RDONLY | NO_FOLLOW), "rb") as file:
                found += file.read().decode("ascii", "replace").split()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise BulkError(f"the secret in {path} cannot be read: {error.strerror}") from None
        return found

    def _save(self, db: Database, texts: list[str]) -> None:
        path = self._key_file(db)
        try:
            create_private_folder(path.parent)
            try:
                with new_private_file(path) as file:
                    file.write("".join(f"{text}\n" for text in texts).encode())
                fsync_file(path)
                fsync_directory(path.parent)
            except FileExistsError:
                with os.fdopen(os.open(path, os.O_RDONLY | NO_FOLLOW), "rb") as file:
                    old = file.read()
                replace_atomically(path, old + "".join(f"{text}\n" for text in texts).encode())
        except OSError as error:
            raise BulkError(f"the secret cannot be saved in {path}: {error.strerror}") from None


def _code(text: str) -> hmac.HMAC:
    return hmac.new(text.encode(), digestmod=hashlib.sha256)


def _mac(code: hmac.HMAC, one: SuppressedId) -> bytes:
    code = code.copy()
    code.update(one[0].encode() + b"\0" + one[1])
    return code.digest()


def _check(text: str) -> str:
    return _mac(_code(text), ("check", b"")).hex()[:16]
