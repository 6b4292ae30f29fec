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
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
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
from ..linkedin.subject_ids import WEAK
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


def with_kind(one: SuppressedId, kind: str) -> SuppressedId:
    """What the list has where the person of a slug, or of a lookup, has a strong id of a kind."""
    return f"{one[0]} {kind}", one[1]


def is_strong(one: SuppressedId) -> bool:
    """Whether an id never changes hands."""
    return one[0] not in WEAK and one[0] != OF_LOOKUP


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
        return set(self.moments(db, ids))

    def moments(self, db: Database, ids: Iterable[SuppressedId]) -> dict[SuppressedId, int]:
        """Those of some ids and keys that are suppressed, each with its moment.

        Of a slug it is the last one at which an answer showed it with whoever was forgotten.
        """
        wanted: defaultdict[str, dict[bytes, SuppressedId]] = defaultdict(dict)
        ids = list(ids)
        for code in self.check(db) if ids else ():
            for one in ids:
                wanted[one[0]][_mac(code, one)] = one
        found: dict[SuppressedId, int] = {}
        for kind, of_kind in wanted.items():
            for some in chunks(sorted(of_kind)):
                rows = db.execute(
                    "SELECT mac, at FROM suppressed WHERE kind = ? AND mac IN (?*)", (kind, some)
                )
                found.update(
                    (of_kind[bytes(mac)], at) for mac, at in cast("list[tuple[bytes, int]]", rows)
                )
        return found

    def find_people(
        self, db: Database, groups: Sequence[Set[SuppressedId]]
    ) -> list[set[SuppressedId]]:
        """Of ids that belong together, those by which they are of somebody who was forgotten.

        Strong ids decide. A slug, or the lookup that was made by it, is another one's by now where
        the ids beside it have a strong one of a kind of which the forgotten one has another.
        """
        found = self.find(db, {one for group in groups for one in group})
        people = [found.intersection(group) for group in groups]
        unclear = [
            (theirs, {with_kind(one, kind): one for one in theirs for kind, _ in strong})
            for theirs, group in zip(people, groups, strict=True)
            if theirs and not any(map(is_strong, theirs))
            if (strong := [one for one in group if is_strong(one)])
        ]
        kinds = self.find(db, {one for _, wanted in unclear for one in wanted})
        for theirs, wanted in unclear:
            theirs.difference_update(wanted[one] for one in kinds.intersection(wanted))
        return people

    def add(self, db: Database, ids: Mapping[SuppressedId, int]) -> None:
        """Suppress ids and keys, each with its moment; the secret is made where there is none."""
        self.read(db)
        if not self._checks:
            self._begin(db)
        code = self.check(db)[0]
        rows = sorted((kind, _mac(code, (kind, value)), at) for (kind, value), at in ids.items())
        self.insert(db, rows)

    @staticmethod
    def insert(db: Database, rows: Sequence[Sequence[object]]) -> None:
        """Insert rows of the list, also those of another one; the later moment counts."""
        later = "CASE WHEN excluded.at > suppressed.at THEN excluded.at ELSE suppressed.at END"
        conflict = f"(kind, mac) DO UPDATE SET at = {later}"
        db.insert("suppressed", "kind, mac, at", rows, conflict)

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
