"""The types of the columns of a Parquet output, which do not depend on the values of one file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lix_async.cli.output.answer_columns import AnswerColumns
from lix_async.cli.output.arrow_schema import durations
from lix_async.cli.output.basic_columns import basic_names
from lix_async.cli.output.declared_types import declared_type
from lix_async.cli.output.schema import all_columns
from lix_async.cli.providers import all_endpoints
from lix_async.core.models import Listing, item_type
from lix_async.providers.lix.models.contact import Email
from lix_async.providers.lix.models.organisations import Organisation
from lix_async.providers.lix.models.people import Person

from .conftest import Lix
from .sandbox_helpers import ObservedSandbox

TYPES = {"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"}


def types_of(path: str) -> dict[str, str]:
    rows: Iterable[tuple[str, str]] = duckdb.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
    return {row[0]: row[1] for row in rows}


def links(sandbox: ObservedSandbox, numbers: Iterable[int], path: str) -> None:
    rows = (f"https://www.linkedin.com/in/{sandbox.world.person(n).slug}" for n in numbers)
    with open(path, "w") as file:
        file.write("\n".join(["link", *rows, ""]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("connections", "BIGINT"),
        ("premium", "BOOLEAN"),
        ("experience.0.title", "VARCHAR"),
        ("skills", "VARCHAR[]"),
        ("birthDate.year", "BIGINT"),
        ("birthDate.nothing", "VARCHAR"),
        ("experience.title", "VARCHAR"),
        ("name.first", "VARCHAR"),
        ("other", "VARCHAR"),
    ],
)
def test_a_column_without_a_value_has_the_type_of_its_definition(name: str, expected: str) -> None:
    assert declared_type([Person], name) == expected


def test_the_type_is_that_of_the_first_kind_that_has_the_column() -> None:
    assert declared_type([Email, Organisation], "founded") == "BIGINT"
    assert AnswerColumns({"email": Email}, "is_valid").type_of("is_valid") == "BOOLEAN"


def test_columns_of_the_waterfall_without_a_value(lix: Lix, sandbox: ObservedSandbox) -> None:
    links(sandbox, range(2), "in.csv")
    done = lix("waterfall", "in.csv", "--want", "headline,phone", "--out", "out.parquet")
    assert done.code == 0, done.err
    found = types_of("out.parquet")
    (empty,) = duckdb.execute("SELECT count(lix_phone_credits) FROM 'out.parquet'").fetchall()
    assert empty == (0,)
    credits = {name: kind for name, kind in found.items() if name.endswith("_credits")}
    assert set(credits.values()) == {"BIGINT"}
    assert {kind for name, kind in found.items() if name not in credits} == {"VARCHAR"}


def test_enrich_writes_the_same_types_with_and_without_answers(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    links(sandbox, range(20), "in.csv")
    links(sandbox, [], "none.csv")
    with open("none.csv", "a") as file:
        file.write("n/a\nhttps://www.linkedin.com/in/no-such-person-0\n")
    for name in ("in", "none"):
        chosen = ("--columns", "basic", "--out", f"{name}.parquet")
        assert lix("enrich", f"{name}.csv", *chosen).code == 0
    assert types_of("none.parquet") == types_of("in.parquet")
    assert types_of("none.parquet")["lix_connections"] == "BIGINT"


@pytest.mark.parametrize("name", all_endpoints())
def test_every_column_of_every_endpoint_has_a_type(name: str) -> None:
    struct: type = all_endpoints()[name].result
    kind: type = item_type(struct) if Listing in struct.__mro__ else struct
    for column in (*basic_names(kind), *all_columns(kind)):
        assert declared_type([kind], column).removesuffix("[]") in TYPES


DURATIONS = pa.table(
    {
        "link": ["https://www.linkedin.com/in/no-such-person-0", "n/a"],
        "took": pa.array([timedelta(hours=30), None], pa.duration("us")),
        "exact": pa.array([1, 2], pa.duration("ns")),
        "long": pa.array([1, 2], pa.duration("s")),
        "none": pa.nulls(2),
        "at": pa.array([datetime(2026, 1, 2), None], pa.timestamp("us")),
        "there": pa.array([datetime(2026, 1, 2), None], pa.timestamp("us", "UTC")),
        "then": pa.array([1, None], pa.timestamp("ns", "UTC")),
        "parts": [[{"a": 1, "b": "x"}], None],
        "size": pa.array([1, 2], pa.uint16()),
        "share": pa.array([1.5, None], pa.float32()),
        "price": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
        "day": pa.array([date(2026, 1, 2), None]),
        "hour": pa.array([time(1, 2, 3), None], pa.time64("us")),
        "data": [b"x", None],
        "is": [True, None],
    }
)


@pytest.mark.parametrize("command", ["enrich", "waterfall"])
def test_durations_and_other_own_columns_come_back_as_they_were(
    lix: Lix, sandbox: ObservedSandbox, command: str
) -> None:
    pq.write_table(DURATIONS, "in.parquet")
    assert lix(command, "in.parquet", "--out", "out.parquet").code == 0
    found = pq.read_table("out.parquet")
    own = found.select(DURATIONS.column_names)
    assert own.to_pylist() == DURATIONS.to_pylist()
    for field in DURATIONS.schema:
        if field.name != "parts":  # whose list has another name for its items
            assert own.schema.field(field.name).type == field.type
    assert "lix_status" in found.column_names


def test_files_with_types_that_the_schema_has_no_place_for(
    lix: Lix, sandbox: ObservedSandbox
) -> None:
    rows = DURATIONS.select(["link", "took"])
    rows = rows.append_column("id", pa.array([bytes(16), None], pa.uuid()))
    pq.write_table(rows, "in.parquet")
    assert lix("enrich", "in.parquet", "--out", "out.parquet").code == 0
    found = pq.read_table("out.parquet")
    assert found.column("took").to_pylist() == [108_000_000_000, None]
    assert found.schema.field("id").type == pa.uuid()


@pytest.mark.parametrize("metadata", ["", "A", "bm9uZQ==", "/////wgAAAA="])
def test_metadata_of_others_has_no_durations(metadata: str) -> None:
    assert durations(metadata) == {}
