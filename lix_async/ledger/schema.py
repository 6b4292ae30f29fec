"""The tables of a ledger, written once for both databases.

`AUTO`, `BLOB`, `BIG` and `BY_KEY` stand for what the databases write differently. Times are epoch
milliseconds and are for people and for freshness only: no wait is computed from two of them.
There is no index on `lookup.owner`: PostgreSQL would then find a single row by its owner instead
of by its id, which was measured to be ten times slower.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

VERSION = "5"
_WHOSE = "ALTER TABLE answer ADD COLUMN subject BIGINT"
EARLIER: Mapping[str, tuple[str, ...]] = {"2": (), "3": (_WHOSE,), "4": (_WHOSE,)}
"""The earlier versions that are migrated, each with the `ALTER TABLE` statements that give its
tables the columns of today; tables that it lacks are created."""

TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS owner (
    no AUTO, token BLOB NOT NULL UNIQUE, boot TEXT NOT NULL, pid BIG NOT NULL,
    born BIG NOT NULL, beat BIG NOT NULL DEFAULT 0, batch BIG NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS lookup (
    id AUTO, key BLOB NOT NULL UNIQUE, endpoint TEXT NOT NULL, written_as BLOB NOT NULL,
    variant BLOB NOT NULL, subject BIG, status INTEGER NOT NULL DEFAULT 0,
    owner BIG NOT NULL DEFAULT 0, n INTEGER NOT NULL DEFAULT 0, base INTEGER NOT NULL DEFAULT 0,
    cur INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0, due BIG,
    pause BIG NOT NULL DEFAULT 0, page INTEGER NOT NULL DEFAULT 0, refresh INTEGER,
    changed BIG NOT NULL
);
CREATE TABLE IF NOT EXISTS attempt (
    lookup BIG NOT NULL, n INTEGER NOT NULL, run BIG, owner BIG NOT NULL,
    price INTEGER NOT NULL, kind TEXT NOT NULL, sent BIG NOT NULL, ended BIG, family TEXT,
    http INTEGER, charged INTEGER, decided INTEGER NOT NULL DEFAULT 0, note TEXT,
    PRIMARY KEY (lookup, n)
) BY_KEY;
CREATE TABLE IF NOT EXISTS answer (
    id AUTO, lookup BIG NOT NULL, n INTEGER NOT NULL, page INTEGER NOT NULL, at BIG NOT NULL,
    http INTEGER NOT NULL, meaning INTEGER, judge TEXT, codec INTEGER NOT NULL DEFAULT 0,
    body BLOB, rows BLOB, same_as BIG, subject BIG, UNIQUE (lookup, n, page)
);
CREATE TABLE IF NOT EXISTS listing (lookup BIG PRIMARY KEY, position BLOB);
CREATE TABLE IF NOT EXISTS alias (
    kind TEXT NOT NULL, id BLOB NOT NULL, subject BIG NOT NULL, seen BIG NOT NULL, answer BIG,
    PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS subject (
    id AUTO, merged_into BIG, ambiguous INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS mention (
    id BLOB NOT NULL, answer BIG NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (id, answer, row)
);
CREATE TABLE IF NOT EXISTS run (
    id AUTO, name TEXT NOT NULL, method TEXT NOT NULL, options TEXT NOT NULL, cap INTEGER,
    held INTEGER NOT NULL DEFAULT 0, spent INTEGER NOT NULL DEFAULT 0,
    maybe INTEGER NOT NULL DEFAULT 0, began BIG NOT NULL, ended BIG
);
CREATE TABLE IF NOT EXISTS input (
    run BIG NOT NULL, row BIG NOT NULL, lookup BIG, given BLOB, state TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '', ref BLOB, PRIMARY KEY (run, row)
) BY_KEY;
CREATE TABLE IF NOT EXISTS suppressed (
    kind TEXT NOT NULL, mac BLOB NOT NULL, at BIG NOT NULL, PRIMARY KEY (kind, mac)
);
CREATE TABLE IF NOT EXISTS old_key (old BLOB PRIMARY KEY, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS export (
    id AUTO, at BIG NOT NULL, place TEXT NOT NULL, what TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reading (
    id AUTO, account TEXT NOT NULL, began BIG NOT NULL, ended BIG NOT NULL, kind TEXT NOT NULL,
    balance BIG NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS run_name ON run (name) WHERE name <> '';
CREATE INDEX IF NOT EXISTS lookup_due ON lookup (due) WHERE status IN (0, 3) AND due IS NOT NULL;
CREATE INDEX IF NOT EXISTS lookup_in_flight ON lookup (id) WHERE status IN (1, 2);
CREATE INDEX IF NOT EXISTS lookup_in_doubt ON lookup (id) WHERE status = 7;
CREATE INDEX IF NOT EXISTS lookup_subject ON lookup (subject, endpoint, variant)
    WHERE subject IS NOT NULL;
CREATE INDEX IF NOT EXISTS answer_subject ON answer (subject) WHERE subject IS NOT NULL;
CREATE INDEX IF NOT EXISTS alias_subject ON alias (subject);
CREATE INDEX IF NOT EXISTS mention_answer ON mention (answer);
CREATE INDEX IF NOT EXISTS input_lookup ON input (lookup) WHERE lookup IS NOT NULL;
"""


SHARED = "(SELECT s.{} FROM answer s WHERE s.id = a.same_as)"
BODY = f"coalesce(a.body, {SHARED.format('body')})"
"""The body of an answer `a`: one that is equal to the version before it has that one's."""
CODEC = f"coalesce({SHARED.format('codec')}, a.codec)"
"""The codec of that body."""
WHOSE = "coalesce(a.subject, l.subject)"
"""Whom an answer `a` of a lookup `l` is about; null where that is not known."""
SqlType = Literal["AUTO", "BIG", "INTEGER", "TEXT", "BLOB"]


def column_types() -> dict[str, dict[str, SqlType]]:
    """The types of all columns, by table and name."""
    found: dict[str, dict[str, SqlType]] = {}
    for table, body in re.findall(
        r"CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\)[ A-Z_]*;", TABLES, re.DOTALL
    ):
        columns = re.findall(r"(?:^|,)\s*(\w+) (AUTO|BIG|INTEGER|TEXT|BLOB)\b", body)
        found[table] = cast("dict[str, SqlType]", dict(columns))
    return found


def version_error(place: str, version: object) -> str:
    """What to say about a ledger of another version."""
    name = f"{place} is a ledger of version {version}"
    if str(version).isdecimal() and int(str(version)) > int(VERSION):
        return f"{name}, written by a newer lix_async: update lix_async to use it"
    return f"{name}, written by an older lix_async, which this one (version {VERSION}) cannot read"


def tables(*, auto: str, blob: str, big: str, by_key: str = "") -> str:
    """The statements in the words of one database."""
    text = TABLES.replace(" AUTO", f" {auto}").replace(" BIG", f" {big}")
    return text.replace(" BLOB", f" {blob}").replace(" BY_KEY", by_key)
