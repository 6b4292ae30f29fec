"""What an earlier version wrote under a key of its own is found: else it would be paid for again."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from lix_async import bulk
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .written import CLIENTS, WRITTEN, method_of, read

pytestmark = pytest.mark.anyio
KEYS: list[dict[str, Any]] = read("keys.json")
EARLIER = (WRITTEN / "ledgers" / "complete.sqlite.sql").read_text()
REFUSED = 4
REASON = b'{"type":"NotFoundError","message":"no such thing","status":404,"kind":"not_found"}'


@pytest.mark.parametrize("provider", CLIENTS)
async def test_keys_of_lookups(provider: str, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [row for row in KEYS if row["provider"] == provider]
    assert rows
    async with memory_client(sandbox, CLIENTS[provider]) as client:
        for name, same in groupby(rows, key=lambda row: str(row["method"])):
            method = method_of(client, name)
            stored = list(same)
            inputs = [row["input"] for row in stored]
            path = ledger_of(stored, tmp_path / f"{provider} {name}.db")
            for _ in range(2):  # at the first time the lookups get their keys of today
                async with bulk.Run(path, method, inputs) as run:
                    found = {json.dumps(one.input): one async for one in run}
                assert {one.state for one in found.values()} == {"refused"}, name
            today = bulk.map(method, inputs, concurrency=1, ordered=True)
            keys = {json.dumps(one.input): one.key async for one in today}
            assert {given: one.key for given, one in found.items()} == keys, name
            output = await bulk.preview(path, method, inputs)
            assert (output.calls, output.invalid) == (0, 0)


def ledger_of(rows: list[dict[str, Any]], path: Path) -> Path:
    """A ledger of the earlier version, in which the lookups were refused."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(EARLIER)
        connection.execute("DELETE FROM call")
        connection.execute("DELETE FROM page")
        for key, row in {row["key"]: row for row in reversed(rows)}.items():
            given = json.dumps(row["input"]).encode()
            values = bytes.fromhex(key), "any", given, REFUSED, 1, REASON
            connection.execute(
                "INSERT INTO call (key, endpoint, given, status, attempts, error, changed) "
                "VALUES (?, ?, ?, ?, ?, ?, 0)",
                values,
            )
    return path
