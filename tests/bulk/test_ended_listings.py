"""Listings that end before their last page: what a later run hands out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from lix_async import AsyncLix, bulk
from lix_async.cli.output.lookup_rows import LookupRow, row_of_entry
from lix_async.core.errors import DecodeError, InDoubtError, InvalidParamsError, LixError
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
URL = "https://www.linkedin.com/search/results/people/?keywords=x%20total%3A30"


async def ended(lix: AsyncLix, store: Path) -> bulk.Outcome[Any]:
    async with bulk.Run(store, lix.search.people, [URL]) as run:
        [outcome] = [one async for one in run]
        return outcome


async def row(store: Path) -> LookupRow:
    async with bulk.SqliteStore(store) as ledger:
        [found] = [row_of_entry(entry) async for entry in ledger.entries()]
    return found


@pytest.mark.parametrize("pages", [0, 1, 2])
@pytest.mark.parametrize(
    ("fault", "state", "shown", "error"),
    [
        ("params_invalid", "refused", "refused", InvalidParamsError),
        ("broken_json", "kept", "unreadable", DecodeError),
    ],
)
async def test_a_later_run_says_what_ended_it(
    pages: int, fault: str, state: str, shown: str, error: type[LixError], tmp_path: Path
) -> None:
    store = tmp_path / "l.db"
    sandbox = Sandbox(rate=None, faults={"search.people": [*["ok"] * pages, fault]})
    async with memory_client(sandbox) as lix:
        first = await ended(lix, store)
        requests = len(sandbox.requests)
        second = await ended(lix, store)
    assert (first.state, second.state, second.cached) == (state, state, True)
    assert (type(first.error), type(second.error)) == (error, error)
    assert str(first.error) == str(second.error)
    assert len(second.value or ()) == len(first.value or ()) == 10 * pages
    assert second.body == first.body
    assert len(sandbox.requests) == requests
    exported = await row(store)
    assert (exported.status, exported.error) == (shown, str(first.error))
    assert len(msgspec.json.decode(exported.body or b"[]")) == 10 * pages
    assert msgspec.json.decode(exported.encode()).get("complete", True) is (not pages)


async def test_a_doubt_that_was_dropped_keeps_the_pages_before_it(tmp_path: Path) -> None:
    store = tmp_path / "l.db"
    sandbox = Sandbox(rate=None, faults={"search.people": ["ok", "ok", "reset_after"]})
    async with memory_client(sandbox) as lix:
        first = await ended(lix, store)
        assert (first.state, len(first.value or ())) == ("in_doubt", 20)
        again = await ended(lix, store)
        assert (again.state, again.value) == ("in_doubt", first.value)
        async with bulk.SqliteStore(store) as ledger:
            assert await ledger.resolve(bytes.fromhex(first.key), "let_be")
        second = await ended(lix, store)
    assert (second.state, type(second.error)) == ("refused", InDoubtError)
    assert len(second.value or ()) == 20
