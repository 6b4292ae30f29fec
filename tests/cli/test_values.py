"""Cells: formulas are escaped reversibly, and no received value is lost."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.cli.output.rows import CsvEncoder, JsonlEncoder, parse_row
from lix_async.cli.output.schema import OTHER, LookupSchema, RowSchema, item_struct
from lix_async.cli.values import (
    csv_cell,
    escape_formula,
    get_path,
    leaf_paths,
    remaining_fields,
    unescape_formula,
)
from lix_async.providers.lix.endpoints import TABLE
from lix_async.providers.lix.models import JobPosting, Organisation, Person

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "'=1",
    "''=1",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_escaped_and_unescaped(formula: str) -> None:
    assert escape_formula(formula) == f"'{formula}"
    assert unescape_formula(escape_formula(formula)) == formula


@given(st.text())
def test_every_text_is_restored_from_its_cell(given: str) -> None:
    assert unescape_formula(escape_formula(given)) == given
    assert escape_formula(given)[:1] not in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-5, "-5"),
        (-0.5, "-0.5"),
        (True, "true"),
        (None, ""),
        ([], ""),
        ({}, ""),
        ("'t Hooft", "'t Hooft"),
        (["a", "b"], "a; b"),
        (["=a"], "'=a"),
        ([""], '[""]'),
        (["a", ""], '["a",""]'),
        ([0, False], "0; false"),
        ([{"a": 1}], '[{"a":1}]'),
    ],
)
def test_values_as_cells(value: object, shown: str) -> None:
    assert csv_cell(value) == shown


def test_a_dotted_path_finds_objects_lists_and_keys_with_dots() -> None:
    tree = {"a": [{"b": 1}], "com.x.Y": {"z": 2}, "c": {"com.v": {"w": 3}}}
    assert get_path(tree, "a.0.b") == 1
    assert get_path(tree, "com.x.Y.z") == 2
    assert get_path(tree, "c.com.v.w") == 3
    assert [get_path(tree, name) for name in ("a.1.b", "a.x", "q", "a.0.b.c", "a.-1")] == [None] * 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


def leaves(
    tree: Mapping[str, object], depth: int = 3, prefix: str = ""
) -> Iterator[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value and depth > 1:
            yield from leaves(value, depth - 1, f"{prefix}{key}.")
        else:
            yield prefix + key, value


@given(
    st.dictionaries(st.text("abc.", max_size=3), JSON, max_size=4),
    st.sets(st.text("abc.", min_size=1, max_size=3)),
)
def test_every_value_is_in_a_column_or_in_the_rest(
    tree: dict[str, object], columns: set[str]
) -> None:
    """Where two values have one path, as in `{"a.b": 1, "a": {"b": 2}}`, either may be in it."""
    rest = remaining_fields(tree, sorted(columns))
    values: dict[str, list[object]] = {}
    for name, value in leaves(tree):
        values.setdefault(name, []).append(value)
    for name, found in values.items():
        shown = any(name == column or name.startswith(f"{column}.") for column in columns)
        assert (name in rest) == (not shown and any(value not in (None, "") for value in found))
    assert leaf_paths(tree).keys() == values.keys()


def test_columns_are_known_before_the_first_row() -> None:
    columns = RowSchema(Person).columns
    assert {"name", "link", "experience", "experience.0.title", "viewerConnection.saved"} <= set(
        columns
    )
    assert columns[-1] == OTHER
    assert {"profile.name", "liOrganisation.liEmployeeCount"} <= set(
        RowSchema(Organisation).columns
    )
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_every_endpoint_has_a_schema(row: object) -> None:
    kind = item_struct(row.result)  # type: ignore[attr-defined]
    schema = RowSchema(kind)
    assert schema.columns_for([{"a": 1}])[-1] == OTHER
    assert schema.normalised({"some": "thing"})["some"] == "thing"


def written(
    rows: list[dict[str, object]], schema: RowSchema, columns: tuple[str, ...] | None = None
) -> list[dict[str, str]]:
    form = CsvEncoder(schema, columns)
    data = b"".join(
        form.encode([msgspec.json.encode(row)], first=not at) for at, row in enumerate(rows)
    )
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_a_field_that_first_appears_late_is_not_lost() -> None:
    rows: list[dict[str, object]] = [{"name": f"Person {n}"} for n in range(500)]
    rows.append({"name": "Late", "twitter": "late", "brandNew": {"deep": [1, 2]}})
    last = written(rows, RowSchema(Person))[-1]
    assert last["twitter"] == "late"
    assert json.loads(last["other"]) == {"brandNew.deep": [1, 2]}


def test_without_a_struct_the_first_rows_determine_the_columns() -> None:
    rows: list[dict[str, object]] = [
        {"title": "=cmd", "place": {"city": "X"}},
        {"title": "b", "pay": 5},
    ]
    first, second = written(rows, RowSchema(JobPosting))
    assert (first["title"], first["place.city"], first["other"]) == ("'=cmd", "X", "")
    assert (second["title"], second["other"]) == ("b", '{"pay":5}')
    assert list(first)[:3] == ["title", "company", "company_link"]


def test_a_short_name_of_an_open_object_hides_no_other_value() -> None:
    row = msgspec.json.encode({"title": "T", "location": "L", "formattedLocation": "Leeds, GB"})
    (found,) = [RowSchema(JobPosting).values(row, ("title", "location", "other"))]
    assert found == ["T", "Leeds, GB", {"location": "L", "formattedLocation": "Leeds, GB"}]


def test_numbers_in_strings_are_normalised_and_nested_unknown_keys_kept() -> None:
    row: dict[str, object] = {
        "skills": [{"name": "Go", "numOfEndorsement": "57", "fresh": 1}],
        "numOfConnections": "12",
    }
    (found,) = written([row], RowSchema(Person))
    assert found["connections"] == "12"
    assert json.loads(found["skills"]) == [{"name": "Go", "numOfEndorsement": 57, "fresh": 1}]


def test_entries_next_to_a_null_are_kept() -> None:
    row: dict[str, object] = {
        "experience": [None, {"title": "t", "nest": 1}, None, {"title": "u", "fresh": {"a": []}}],
        "numOfConnections": "500+",
        "emails": [""],
        "brandNew": {"list": [], "object": {}, "texts": ["", ""], "nothing": None, "empty": ""},
    }
    (found,) = written([row], RowSchema(Person))
    entries = json.loads(found["experience"])
    assert [entry is None for entry in entries] == [True, False, True, False]
    assert (entries[1]["nest"], entries[3]["fresh"]) == (1, {"a": []})
    assert found["connections"] == "500+"
    other = json.loads(found["other"])
    assert {name: other[f"brandNew.{name}"] for name in ("list", "object", "texts")} == {
        "list": [],
        "object": {},
        "texts": ["", ""],
    }
    assert len([name for name in other if name.startswith("brandNew")]) == 3
    assert other["emails"] == [""]


def test_jsonl_is_as_received_or_has_the_requested_columns() -> None:
    row = b'{"name":"A","big":12345678901234567890.125,"experience":[{"title":"T"}]}'
    assert JsonlEncoder(RowSchema(Person)).encode([row], first=True) == row + b"\n"
    cut = JsonlEncoder(RowSchema(Person), ("name", "experience.0.title", "nothing")).encode(
        [row], first=True
    )
    assert parse_row(cut) == {"name": "A", "experience.0.title": "T", "nothing": None}


def test_lookups_of_two_kinds_have_one_heading() -> None:
    schema = LookupSchema({"person": Person, "org": Organisation})
    rows: list[dict[str, object]] = [
        {"input": "a", "kind": "person", "status": "found", "error": None, "result": {"name": "A"}},
        {
            "input": "b",
            "kind": "org",
            "status": "found",
            "error": None,
            "result": {"profile": {"name": "B"}},
        },
        {"input": "c", "kind": "org", "status": "not_found", "error": "no", "result": None},
    ]
    first, second, third = written(rows, schema)
    assert (first["result.name"], second["result.profile.name"]) == ("A", "B")
    assert (third["status"], third["error"], third["other"]) == ("not_found", "no", "")
