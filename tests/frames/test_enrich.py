"""A table of one's own, with the answers beside its rows."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sample_provider import THING, SampleClient, Thing, ThingParams, refused, reply

from lix_async import BudgetError, ConfigurationError, Lix, bulk
from lix_async.concurrency.loop_thread import Backend
from lix_async.core.wire import HttpRequest
from lix_async.frames import RunOptions, enrich_frame
from lix_async.frames import enrich as module
from lix_async.frames.enrich import MOST_ROWS
from lix_async.sandbox import Sandbox
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
SECRET = "own-column-of-a-stranger"
DATA: dict[str, list[Any]] = {
    "account": [SECRET, "b", "c", "d", "e"],
    "li": ["a", None, "gone", "a", "b"],
    "n": [1, 2, None, 4, 5],
}


def thing(outgoing: HttpRequest) -> Any:
    name = outgoing.target.rsplit("/", 1)[-1]
    return refused(404, "not_found") if name == "gone" else reply(200, {"id": name, "size": 1})


class Vendor(SampleClient):
    def __init__(self) -> None:
        super().__init__(thing)

    async def get(self, id: str, *, note: str | None = None) -> Thing:
        return (await self.send(THING, ThingParams(id=id, note=note))).value

    async def untyped(self, id: str):  # type: ignore[no-untyped-def]
        return (await self.send(THING, ThingParams(id=id))).value


class Wrapped(pd.DataFrame):
    """What pandas is without pyarrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise ImportError("pyarrow>=14.0.0 is required")


def rows() -> list[dict[str, Any]]:
    return [dict(zip(DATA, values, strict=True)) for values in zip(*DATA.values(), strict=True)]


TABLES = {
    "pandas": lambda: pd.DataFrame(DATA),
    "chosen rows of pandas": lambda: pd.DataFrame([{}, *rows()])[1:],
    "pandas without pyarrow": lambda: Wrapped(DATA),
    "polars": lambda: pl.DataFrame(DATA),
    "pyarrow": lambda: pa.table(DATA),
    "duckdb": lambda: duckdb.from_arrow(pa.table(DATA)),
    "dicts": rows,
}


@pytest.mark.parametrize("table", TABLES)
async def test_rows_and_columns_stay_as_they_are(table: str, tmp_path: Path) -> None:
    vendor = Vendor()
    for expected in (1, 0):
        found = await enrich_frame(
            TABLES[table](), vendor.get, on="li", store=tmp_path / "x.db", columns=["id", "size"]
        )
        assert found.column_names == [
            *("account", "li", "n", "lix_status", "lix_credits", "lix_reason", "lix_id", "lix_size")
        ]
        got = found.to_dicts()
        assert [row["account"] for row in got] == DATA["account"]
        assert [row["n"] for row in got] == DATA["n"]
        assert [row["lix_status"] for row in got] == [
            *("done", "invalid", "refused", "done", "done")
        ]
        assert [row["lix_id"] for row in got] == ["a", None, None, "a", "b"]
        assert sum(int(str(row["lix_credits"])) for row in got) == 2 * expected * 2
        assert got[1]["lix_reason"] == "on='li': nothing is there"
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())  # noqa: ASYNC240
    assert SECRET.encode() not in kept
    assert len(vendor.script.sent) == 3


async def test_arguments_by_name(tmp_path: Path) -> None:
    vendor = Vendor()
    table = [{"link": "a", "remark": "x"}, {"link": "b"}]
    found = await enrich_frame(
        table, vendor.get, on={"id": "link", "note": "remark"}, store=tmp_path / "x.db", prefix=""
    )
    assert found.column_names[:5] == ["link", "remark", "status", "credits", "reason"]
    assert sorted("note=x" in one.target for one in vendor.script.sent) == [False, True]


async def test_own_columns_keep_their_types(tmp_path: Path) -> None:
    at, day = datetime(2026, 1, 2, tzinfo=UTC), date(2026, 1, 2)
    table = [
        {"li": "a", "at": at, "day": day, "flag": True, "x": 1, "any": {"k": 1}, "f": float("nan")},
        {"li": "b", "x": 1.5, "any": [1], "late": None},
        {"li": "b", "any": at},
        {"li": "b", "any": at.replace(tzinfo=None)},
    ]
    found = await enrich_frame(table, Vendor().get, on="li", store=tmp_path / "x.db", columns=[])
    first, second, *times = found.to_dicts()
    own = {name: first[name] for name in table[0]}
    assert own == {
        "li": "a",
        "at": at,
        "day": day,
        "flag": True,
        "x": 1.0,
        "any": '{"k":1}',
        "f": None,
    }
    assert second["at"] is second["late"] is None
    assert (second["x"], second["any"]) == (1.5, "[1]")
    assert [row["any"] for row in times] == ["2026-01-02 00:00:00+00:00", "2026-01-02 00:00:00"]
    assert found.column_names[-3:] == ["lix_status", "lix_credits", "lix_reason"]


class Strange:
    def __str__(self) -> str:
        return "strange"


ODD: dict[str, tuple[list[Any], list[Any]]] = {
    "text and number": (["01234", 5], ["01234", "5"]),
    "list and text": ([["a"], "b"], ['["a"]', "b"]),
    "lists": ([["a"], ["b", "c"]], [["a"], ["b", "c"]]),
    "strange lists": ([[Strange()], []], ['["strange"]', "[]"]),
    "no JSON": ([{"a": "\ud800"}, None], ["{'a': '\\ud800'}", None]),
    "more than 64 bits": ([2**70, 1], [str(2**70), "1"]),
    "numpy": ([np.int64(3), np.float64(1.5)], [3.0, 1.5]),
    "arrays": ([np.array([1, 2]), None], [[1, 2], None]),
    "objects": ([Strange(), 1], ["strange", "1"]),
    "bytes": ([b"x", b"\xff"], [b"x", b"\xff"]),
    "times without a zone": ([datetime(2026, 1, 2), None], [datetime(2026, 1, 2), None]),
}


@pytest.mark.parametrize("kind", ["dicts", "pandas", "pandas without pyarrow"])
@pytest.mark.parametrize("odd", ODD)
async def test_own_columns_of_any_values_stay(odd: str, kind: str, tmp_path: Path) -> None:
    given, expected = ODD[odd]
    columns = {"li": ["a", "b"], "own": pd.Series(given, dtype="object")}
    make = Wrapped if kind == "pandas without pyarrow" else pd.DataFrame
    table = [{"li": "a", "own": value} for value in given] if kind == "dicts" else make(columns)
    found = await enrich_frame(table, Vendor().get, on="li", store=tmp_path / "x.db", columns=[])
    assert [row["own"] for row in found.to_dicts()] == expected


@pytest.mark.parametrize("make", [pd.DataFrame, Wrapped])
async def test_the_named_index_of_a_table_is_a_column(
    make: type[pd.DataFrame], tmp_path: Path
) -> None:
    table = make({"li": ["a"], "n": [1], "account": ["x"]}).set_index("account")
    found = await enrich_frame(
        make(table), Vendor().get, on="li", store=tmp_path / "x.db", columns=[]
    )
    assert found.column_names[:3] == ["li", "n", "account"]
    assert found.to_dicts()[0]["account"] == "x"


@pytest.mark.parametrize("make", [pd.DataFrame, Wrapped])
async def test_names_of_columns_of_pandas(make: type[pd.DataFrame], tmp_path: Path) -> None:
    vendor = Vendor()
    for table, message in (
        (make([["a", 1, 2]], columns=["li", "n", "n"]), "several columns of the name 'n'"),
        (make({"li": ["a"], 1: [2]}), "names of columns must be texts, not 1"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            await enrich_frame(table, vendor.get, on="li", store=tmp_path / "x.db")
    assert not vendor.script.sent
    empty = await enrich_frame(
        make({"li": []}), vendor.get, on="li", store=tmp_path / "x.db", columns=["id"]
    )
    assert empty.column_names == ["li", "lix_status", "lix_credits", "lix_reason", "lix_id"]


class Broken:
    """A table of another library, whose export fails."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        raise ValueError("no such file")


async def test_an_export_that_fails_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        await enrich_frame(Broken(), Vendor().get, on="li", store=tmp_path / "x.db")


async def test_an_empty_table(tmp_path: Path) -> None:
    empty = pl.DataFrame(schema={"li": pl.String})
    found = await enrich_frame(
        empty, Vendor().get, on="li", store=tmp_path / "x.db", columns=["id"]
    )
    assert found.column_names == ["li", "lix_status", "lix_credits", "lix_reason", "lix_id"]
    assert len(found) == 0


class Endless(Mapping[str, object]):
    def __getitem__(self, name: str) -> object:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (rows(), {"on": "link"}, "on: unknown column 'link'; available columns: account, li, n"),
        (rows(), {"on": {"id": "x"}}, "on: unknown column 'x'"),
        (rows(), {"on": lambda row: row["li"]}, "on must be a text or a mapping to a text"),
        (rows(), {"on": ""}, "on must be the name of a column"),
        (rows(), {"columns": ["nam"]}, "unknown column 'nam' in columns"),
        (rows(), {"prefix": 3}, "prefix must be a text"),
        ([{"li": "a", "id": 1}], {"prefix": ""}, "already has the column 'id': pass another pref"),
        ([{"li": "a", "lix_status": 1}], {}, "already has the column 'lix_status'"),
        (pa.table([["a"], ["b"]], names=["li", "li"]), {}, "several columns of the name 'li'"),
        ([{"li": "a"}] * (MOST_ROWS + 1), {}, r"100,001 rows.*bulk\.Run\(store.*lix run export"),
        (pl.DataFrame({"li": ["a"] * (MOST_ROWS + 1)}).lazy().collect(), {}, "100,001 rows"),
        ("text", {}, "frame must be a table or a list of dicts, not str"),
        ({"li": ["a"]}, {}, "frame must be a table or a list of dicts, not dict"),
        (Endless(), {}, "frame must be a table or a list of dicts, not Endless"),
        (["a"], {}, "a row of the frame must be a mapping, not str"),
        ([{1: "a"}], {}, "names of columns must be texts, not 1"),
    ],
)
async def test_nothing_is_paid_for_arguments_that_are_not_valid(
    table: Any, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    vendor = Vendor()
    given: dict[str, Any] = {"on": "li", "store": tmp_path / "x.db", **options}
    with pytest.raises(ConfigurationError, match=message):
        await enrich_frame(table, vendor.get, **given)
    assert not vendor.script.sent


async def test_a_method_has_to_return_one_struct(tmp_path: Path) -> None:
    async with memory_client(Sandbox(rate=None), rate_limit=None) as lix:
        for method in (lix.search.people, lix.people.employment, Vendor().untyped):
            with pytest.raises(ConfigurationError, match=r"does not return one struct: use bulk"):
                await enrich_frame(rows(), method, on="li", store=tmp_path / "x.db")
    with Lix("key-for-tests") as blocking:
        method = cast("Any", blocking.people.get)
        with pytest.raises(
            ConfigurationError, match=r"get returns without .* use lix\.enrich_frame"
        ):
            await enrich_frame(rows(), method, on="li", store=tmp_path / "x.db")
        with pytest.raises(
            ConfigurationError, match=r"'SyncPeople\.get': .* AsyncLix; .* lix\.run"
        ):
            bulk.Run(tmp_path / "x.db", method, ["x"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_same_without_asyncio(backend: Backend, tmp_path: Path) -> None:
    links = [f"https://www.linkedin.com/in/example-person-{number}" for number in (1, 2, 1)]
    table = pd.DataFrame({"link": [*links, None], "owner": [SECRET, "y", "z", "w"]})
    store = tmp_path / "people.db"
    with memory_client(Sandbox(rate=None), Lix, rate_limit=None, backend=backend) as lix:
        options: dict[str, Any] = {"on": "link", "store": store, "columns": ["name"]}
        found = lix.enrich_frame(table, lix.people.get, **options)
        assert found.column_names == [
            *("link", "owner", "lix_status", "lix_credits", "lix_reason", "lix_name")
        ]
        rows = found.to_dicts()
        assert [row["owner"] for row in rows] == [SECRET, "y", "z", "w"]
        assert [row["lix_status"] for row in rows] == ["done", "done", "done", "invalid"]
        assert rows[0]["lix_name"] == rows[2]["lix_name"] == "Example Person"
        assert lix.credits.total == 2
        again = lix.enrich_frame(table, lix.aio.people.get, **options)
        assert [row["lix_name"] for row in again.to_dicts()] == [row["lix_name"] for row in rows]
        with pytest.raises(ConfigurationError, match="already has the column 'lix_status'"):
            lix.enrich_frame(found, lix.people.get, **options)
        with pytest.raises(ConfigurationError, match="people does not return one struct"):
            lix.enrich_frame(table, lix.search.people, **options)
        with pytest.raises(BudgetError):
            lix.enrich_frame(
                [{"link": f"{links[0]}{number}"} for number in range(3)],
                lix.people.get,
                max_credits=1,
                concurrency=1,
                **options,
            )
        assert lix.credits.total == 3


async def test_a_stop_is_raised_and_the_next_call_continues(tmp_path: Path) -> None:
    vendor = Vendor()
    options: RunOptions = {"max_credits": 2, "concurrency": 1}
    with pytest.raises(BudgetError):
        await enrich_frame(rows(), vendor.get, on="li", store=tmp_path / "x.db", **options)
    await enrich_frame(rows(), vendor.get, on="li", store=tmp_path / "x.db")
    targets = [one.target for one in vendor.script.sent]
    assert len(targets) == len(set(targets))


async def test_all_options_of_a_run_are_passed_on() -> None:
    own = {"self", "store", "method", "inputs", "on", "rows"}
    assert set(inspect.signature(bulk.Run.__init__).parameters) - own == set(
        RunOptions.__annotations__
    )


async def test_people_beside_a_table(tmp_path: Path) -> None:
    links = [f"https://www.linkedin.com/in/example-person-{number}" for number in (1, 2, 1)]
    frame = pd.DataFrame({"linkedin_url": links, "owner": ["x", "y", "z"]})
    async with memory_client(Sandbox(rate=None), rate_limit=None) as lix:
        found = await enrich_frame(
            frame,
            lix.people.get,
            on="linkedin_url",
            store=tmp_path / "people.db",
            columns=["name", "profile_url", "birth_date_year"],
            flatten=True,
        )
        assert lix.credits.total == 2
    got = found.to_pandas()
    assert got["owner"].tolist() == ["x", "y", "z"]
    assert got["lix_name"][0] == got["lix_name"][2]
    assert module.MOST_ROWS == 100_000
