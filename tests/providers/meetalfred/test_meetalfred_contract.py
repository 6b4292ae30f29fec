"""The endpoints equal the catalogue, and the models have every field of every sample."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from lix_async.core import wire
from lix_async.core.endpoint import UNKNOWN
from lix_async.core.errors import LixError
from lix_async.providers.meetalfred.client import AsyncMeetAlfred
from lix_async.providers.meetalfred.endpoints import BY_ID, TABLE
from lix_async.providers.meetalfred.models import TeamMember
from lix_async.providers.meetalfred.provider import MEETALFRED

from .stub import SAMPLES, sample, tree

CATALOGUE: dict[str, dict[str, Any]] = {
    row["id"]: row
    for row in json.loads((SAMPLES.parent / "catalogue-other.json").read_bytes())
    if row["system"] == "meetalfred"
}
ANSWERS = [
    (name.removeprefix("meetalfred."), row["id"])
    for row in CATALOGUE.values()
    for name in row["examples"]
]


def leaves(value: object) -> Iterator[str]:
    """Every value except null and empty text, which both mean absence."""
    if isinstance(value, TeamMember):
        key = value.webhook_key
        yield repr(key.reveal() if key else None)
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from leaves(getattr(value, name))
    elif isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    elif value not in (None, ""):
        yield repr(value)


def test_the_table_equals_the_catalogue() -> None:
    assert [row.id for row in TABLE] == list(BY_ID)
    assert set(BY_ID) == set(CATALOGUE)
    assert {name for name, _ in ANSWERS} == {
        path.stem.removeprefix("meetalfred.") for path in SAMPLES.glob("meetalfred.*")
    }


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_an_endpoint_matches_the_catalogue(row: Any) -> None:
    published = CATALOGUE[row.id]
    assert (row.method, MEETALFRED.base_url + row.path) == (published["method"], published["url"])
    assert (row.idempotent, row.credits) == (published["idempotent"], UNKNOWN)
    paging = published["paging"]
    assert (row.paging is None) == (paging["style"] == "none")
    if row.paging:
        assert (row.paging.param, row.paging.size) == (paging["page_param"], paging["size_param"])
        assert (row.paging.first, row.paging.repeat_ends) == (paging["first_page"], True)
    names = {"columns" if p["name"] == "csv_*" else p["name"] for p in published["params"]}
    assert set(row.params.__struct_encode_fields__) == names
    places = {param["in"] for param in published["params"]}
    assert (set(row.body) == names) if places == {"body"} else row.body == ()
    key = MEETALFRED.credentials["query"]
    assert (key.place, key.name) == (published["auth"]["in"], published["auth"]["name"])


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_a_method_has_an_argument_for_each_param(row: Any) -> None:
    method = getattr(AsyncMeetAlfred, row.id.removeprefix("meetalfred."))
    signature = inspect.signature(method).parameters
    options = {"options"} if row.paging else set()
    assert set(signature) - {"self"} == {*row.params.__struct_fields__, *options}
    for param in CATALOGUE[row.id]["params"]:
        given = signature.get(param["name"])
        if given is not None and param["required"]:
            assert given.default is inspect.Parameter.empty
        elif given is not None and "default" in param:
            assert given.default == param["default"]


@pytest.mark.parametrize(("name", "id_"), ANSWERS)
def test_every_value_of_a_sample_is_reachable(name: str, id_: str) -> None:
    row = BY_ID[id_]
    value = wire.decode(MEETALFRED, row, 200, sample(name))
    assert not isinstance(value, LixError), value
    assert Counter(leaves(value)) == Counter(leaves(tree(name)))
    assert wire.decode(MEETALFRED, row, 200, msgspec.json.encode(value)) == value
