"""What a run keeps of its inputs, and how often it asks the ledger for that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sample_provider import LOST, THING, SampleClient, Thing, ThingParams, reply

from lix_async import bulk
from lix_async.core.wire import HttpRequest
from lix_async.ledger.connection import Job, LedgerConnection
from lix_async.ledger.records import InputRow

from .conftest import Open

pytestmark = pytest.mark.anyio


def thing(outgoing: HttpRequest) -> Any:
    return reply(200, {"id": outgoing.target.rsplit("/", 1)[-1]})


class Vendor(SampleClient):
    async def get(self, id: str) -> Thing:
        return (await self.send(THING, ThingParams(id=id))).value


async def kept(ledger: Open, run: int) -> dict[int, InputRow]:
    async with ledger() as store:
        return {row.row: row for row in await store.inputs(run, 1, 99)}


async def test_every_input_is_kept_with_its_lookup(ledger: Open) -> None:
    """New ones, repeated ones, invalid ones, and those that the ledger knows."""
    first = bulk.Run(ledger(), Vendor(thing).get, ["a", "b", "a", ""], concurrency=2)
    assert len([outcome async for outcome in first]) == 4
    second = bulk.Run(ledger(), Vendor(thing).get, ["b", "c", "b"], concurrency=1)
    assert len([outcome async for outcome in second]) == 3
    one, two = await kept(ledger, 1), await kept(ledger, 2)
    assert [(row.lookup is None, row.state) for _, row in sorted(one.items())] == [
        (False, ""),
        (False, ""),
        (False, ""),
        (True, "invalid"),
    ]
    assert one[1].lookup == one[3].lookup
    assert one[2].lookup == two[1].lookup == two[3].lookup
    assert len({one[1].lookup, one[2].lookup, two[2].lookup}) == 3


async def test_processes_that_join_a_run_by_its_name_keep_all_inputs(ledger: Open) -> None:
    """Each numbers its inputs from 1."""
    rows: list[dict[int, bytes | None]] = []
    for names in (["a", "b", "c"], ["d", "b", "a", "e", "d"], ["d", "b", "a", "e", "d"]):
        run = bulk.Run(ledger(), Vendor(thing).get, names, name="both", concurrency=2)
        assert len([outcome async for outcome in run]) == len(names)
        rows.append({row.row: row.given for row in (await kept(ledger, 1)).values()})
    assert {row.given for row in (await kept(ledger, 1)).values()} == {
        b'"a"',
        b'"b"',
        b'"c"',
        b'"d"',
        b'"e"',
    }
    assert [len(found) for found in rows] == [3, len(rows[1]), len(rows[1])]
    assert rows[1].items() >= rows[0].items()
    assert rows[1] == rows[2], "nothing is added when they go on"


async def test_an_input_is_kept_although_its_request_was_lost(ledger: Open) -> None:
    run = bulk.Run(ledger(), Vendor(LOST).get, ["a"], concurrency=1)
    assert [outcome.state async for outcome in run] == ["in_doubt"]
    assert list(await kept(ledger, 1)) == [1]


async def test_a_new_input_takes_one_read_and_three_writes_of_the_ledger(
    ledger: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up, announced, stored and judged, and nothing else."""
    transactions: list[int] = []
    run = LedgerConnection.run

    def counted(self: LedgerConnection, jobs: Sequence[Job]) -> list[object]:
        transactions.append(len(jobs))
        return run(self, jobs)

    jobs: list[int] = []
    for count in (1, 11):
        with monkeypatch.context() as patch:
            patch.setattr(LedgerConnection, "run", counted)
            transactions.clear()
            inputs = [f"{count}-{number}" for number in range(count)]
            bulk_run = bulk.Run(ledger(), Vendor(thing).get, inputs, concurrency=1)
            assert len([outcome async for outcome in bulk_run]) == count
            jobs.append(sum(transactions))
    assert jobs[1] - jobs[0] <= 4 * 10
