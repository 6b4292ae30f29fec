"""A lookup has the key that it always had: else a ledger would pay for everything again."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from lix_async import bulk
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

from .written import CLIENTS, method_of, read

pytestmark = pytest.mark.anyio
KEYS: list[dict[str, Any]] = read("keys.json")


@pytest.mark.parametrize("provider", CLIENTS)
async def test_keys_of_lookups(provider: str, sandbox: Sandbox) -> None:
    rows = [row for row in KEYS if row["provider"] == provider]
    assert rows
    async with memory_client(sandbox, CLIENTS[provider]) as client:
        for name, same in groupby(rows, key=lambda row: str(row["method"])):
            expected = [(row["input"], row["key"]) for row in same]
            method = method_of(client, name)
            found = bulk.map(method, [given for given, _ in expected], concurrency=1, ordered=True)
            assert [(one.input, one.key) async for one in found] == expected, name
