"""Rows with columns of their own: `on=` says which part a method takes, and only that is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import pytest
from sample_provider import LOST, THING, SampleClient, Thing, ThingParams, refused, reply

from lix_async import ConfigurationError, bulk
from lix_async.bulk import SqliteStore
from lix_async.core.errors import BulkError
from lix_async.core.wire import HttpRequest
from lix_async.ledger.records import EventResult, LedgerEvent, Receive

from .conftest import Open

pytestmark = pytest.mark.anyio
SECRET = "own-column-of-a-stranger"


def thing(outgoing: HttpRequest) -> Any:
    name = outgoing.target.rsplit("/", 1)[-1]
    if name.startswith("gone"):
        return refused(404, "not_found")
    return LOST if name.startswith("lost") else reply(200, {"id": name.split("?")[0], "size": 1})


class Vendor(SampleClient):
    def __init__(self) -> None:
        super().__init__(thing)

    async def get(self, id: str | int, *, note: str | None = None) -> Thing:
        return (await self.send(THING, ThingParams(id=str(id), note=note))).value


class Account(msgspec.Struct):
    link: str
    owner: str


class Named(NamedTuple):
    link: str
    owner: str


@dataclass
class Lead:
    link: str
    owner: str


def database_row() -> sqlite3.Row:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row: sqlite3.Row = connection.execute("SELECT 'a' AS link, 'me' AS owner").fetchone()
    connection.close()
    return row


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def outcomes_of(run: Any) -> list[bulk.Outcome[Any]]:
    return [outcome async for outcome in run]


ROWS: list[dict[str, Any]] = [
    {"link": "a", "owner": SECRET, "n": 1},
    {"link": "b", "owner": SECRET, "n": 2},
    {"link": "a", "owner": SECRET, "n": 3},
    {"link": "", "owner": SECRET, "n": 4},
    {"link": "gone", "owner": SECRET, "n": 5},
    {"link": "lost", "owner": SECRET, "n": 6},
    {"owner": SECRET, "n": 7},
]


async def test_every_row_comes_back_whole_also_repeated_and_after_a_resume(ledger: Open) -> None:
    vendor = Vendor()
    for _ in range(2):
        run = bulk.Run(ledger(), vendor.get, ROWS, on="link")
        found = {row["n"]: outcome for outcome in await outcomes_of(run) for row in [outcome.input]}
        assert [found[row["n"]].input for row in ROWS] == ROWS
        assert [found[number].state for number in range(1, 8)] == [
            *("done", "done", "done", "invalid", "refused", "in_doubt", "invalid")
        ]
        assert str(found[4].error) == "on='link': nothing is there"
        assert str(found[7].error) == "on='link': the row does not have it (KeyError)"
    assert len(vendor.script.sent) == 4  # a, b, gone, lost


async def test_a_ledger_keeps_the_part_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    everything = [*ROWS, {"link": SECRET, "n": 8}]
    for on in ("link", {"id": "link"}, lambda row: row.get("link") and {"id": row["link"]}):
        await outcomes_of(bulk.Run(path, Vendor().get, everything[:-1], on=on))
    assert SECRET.encode() not in bytes_in(tmp_path)
    await outcomes_of(bulk.Run(path, Vendor().get, everything, on="link"))
    assert SECRET.encode() in bytes_in(tmp_path)  # what the method takes is kept


@pytest.mark.parametrize(
    "row",
    [
        {"link": "a", "owner": "me"},
        Account("a", "me"),
        Named("a", "me"),
        Lead("a", "me"),
        database_row(),
        next(pd.DataFrame({"link": ["a"], "owner": ["me"]}).itertuples()),
        pd.Series({"link": "a", "owner": "me"}),
    ],
    ids=lambda row: type(row).__name__,
)
@pytest.mark.parametrize("on", ["link", {"id": "link", "note": "owner"}])
async def test_rows_of_every_kind(row: object, on: Any) -> None:
    vendor = Vendor()
    (outcome,) = await outcomes_of(bulk.map(vendor.get, [row], on=on))
    assert outcome.value == Thing(id="a", size=1)
    assert outcome.input is row
    assert ("note=me" in vendor.script.sent[0].target) == (on != "link")


@pytest.mark.parametrize(
    "value", [None, "", "  ", float("nan"), np.float32("nan"), pd.NA, pd.NaT], ids=repr
)
async def test_what_counts_as_nothing(value: object) -> None:
    rows: list[dict[str, Any]] = [{"li": value}]
    found = await outcomes_of(bulk.map(Vendor().get, rows, on="li"))
    found += await outcomes_of(bulk.map(Vendor().get, rows, on={"id": "li"}))
    found += await outcomes_of(bulk.map(Vendor().get, rows, on=lambda row: row["li"]))
    assert [outcome.state for outcome in found] == ["invalid"] * 3
    assert all(str(outcome.error).endswith(": nothing is there") for outcome in found)


@pytest.mark.parametrize(
    ("value", "sent"),
    [(5, "5"), (5.0, "5"), (np.int64(5), "5"), (np.float64(5), "5"), ("5", "5")],
    ids=repr,
)
async def test_numbers_of_a_table(value: object, sent: str) -> None:
    (outcome,) = await outcomes_of(bulk.map(Vendor().get, [{"id": value}], on="id"))
    assert outcome.value == Thing(id=sent, size=1)


@pytest.mark.parametrize("value", [5.5, 2.0**53, True, [1], object()], ids=lambda v: str(type(v)))
async def test_other_values_are_invalid_and_not_in_the_message(value: object) -> None:
    (outcome,) = await outcomes_of(bulk.map(Vendor().get, [{"id": value}], on="id"))
    assert outcome.state == "invalid"
    kind = type(value).__name__
    assert str(outcome.error) == f"on='id': expected a text or a number, not {kind}"


async def test_an_argument_without_a_value_is_left_out() -> None:
    vendor = Vendor()
    rows = [{"li": "a", "remark": None}, {"li": None, "remark": "x"}]
    on = {"id": "li", "note": "remark"}
    first, second = await outcomes_of(bulk.map(vendor.get, rows, on=on, ordered=True))
    assert first.state == "done"
    assert "note" not in vendor.script.sent[0].target
    assert second.state == "invalid"


async def test_what_a_function_raises_is_about_its_row() -> None:
    def fails(row: dict[str, Any]) -> str:
        raise TypeError(f"never seen {row['owner']}")

    (outcome,) = await outcomes_of(bulk.map(Vendor().get, [ROWS[0]], on=fails))
    assert str(outcome.error) == "on=fails: the row cannot be used (TypeError)"


@pytest.mark.parametrize("on", ["", {}, {"id": ""}, {"id": 3}, 3, [], b"x"], ids=repr)
@pytest.mark.parametrize("call", [bulk.map, bulk.Run])
async def test_on_of_another_type(tmp_path: Path, on: Any, call: Callable[..., Any]) -> None:
    first = () if call is bulk.map else (tmp_path / "x.db",)
    with pytest.raises(ConfigurationError, match="on must be the name of a column"):
        call(*first, Vendor().get, ROWS, on=on)


async def test_a_preview_counts_the_parts(ledger: Open) -> None:
    vendor = Vendor()
    seen = await bulk.preview(ledger(), vendor.get, ROWS, on="link")
    assert (seen.inputs, seen.distinct, seen.invalid, seen.calls) == (7, 4, 2, 4)
    await outcomes_of(bulk.Run(ledger(), vendor.get, ROWS[:2], on="link"))
    seen = await bulk.preview(ledger(), vendor.get, ROWS, on="link")
    assert (seen.answered, seen.calls) == (2, 2)


async def test_a_refresh_returns_the_rows(ledger: Open) -> None:
    vendor = Vendor()
    await outcomes_of(bulk.Run(ledger(), vendor.get, ["a", "b"]))
    run = bulk.Run(ledger(), vendor.get, ROWS[:3], on="link", refresh=1)
    found = await outcomes_of(run)
    assert sorted(outcome.input["n"] for outcome in found) == [1, 2, 3]


async def test_answers_that_could_not_be_saved_come_with_their_rows(tmp_path: Path) -> None:
    class Failing(SqliteStore):
        async def apply(self, *events: LedgerEvent) -> list[EventResult]:
            if any(isinstance(event, Receive) for event in events):
                raise BulkError("the ledger cannot be written: disk full")
            return await super().apply(*events)

    with pytest.raises(BulkError) as caught:
        await outcomes_of(bulk.Run(Failing(tmp_path / "x.db"), Vendor().get, ROWS[:1], on="link"))
    (unsaved,) = caught.value.unsaved
    assert isinstance(unsaved, bulk.Outcome)
    assert unsaved.input is ROWS[0]
