"""The types of the columns of a Parquet output, which do not depend on the values of one file."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pytest

from lix_async.cli.output.answer_columns import AnswerColumns
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
