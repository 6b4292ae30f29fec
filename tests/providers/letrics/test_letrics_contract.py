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
from lix_async.providers.letrics.client import AsyncLetrics
from lix_async.providers.letrics.endpoints import BY_ID, COMPANIES, CONTACTS, TABLE
from lix_async.providers.letrics.models import CompaniesPage, Company, Contact, ContactsPage
from lix_async.providers.letrics.provider import LETRICS

from .stub import SAMPLES, sample, tree

CATALOGUE: dict[str, dict[str, Any]] = {
    row["id"]: row
    for row in json.loads((SAMPLES.parent / "catalogue-other.json").read_bytes())
    if row["system"] == "letrics"
}
ANSWERS = [
    ("contacts", CONTACTS),
    ("companies", COMPANIES),
    ("empty", CONTACTS),
    ("empty", COMPANIES),
]
METHODS = {
    "letrics.contacts": AsyncLetrics.contacts,
    "letrics.contacts.newer": AsyncLetrics.contacts,
    "letrics.companies": AsyncLetrics.companies,
}
ASSUMED = {"functions", "industries", "locations", "technologies", "tlds"}


def leaves(value: object) -> Iterator[str]:
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from leaves(getattr(value, name))
    elif isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    elif value is not None:
        yield repr(value)


def test_the_table_equals_the_catalogue() -> None:
    assert [row.id for row in TABLE] == list(CATALOGUE)
    assert set(BY_ID) == set(METHODS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_an_endpoint_matches_the_catalogue(row: Any) -> None:
    published = CATALOGUE[row.id]
    assert row.method == published["method"]
    assert (row.idempotent, row.credits) == (published["idempotent"], UNKNOWN)
    assert (row.paging.param, row.paging.first, row.paging.size) == ("page", 1, "per_page")
    wired = set(row.params.__struct_encode_fields__)
    names = {param["name"] for param in published["params"]}
    assert names <= wired
    newer = {f"exclude_{name}" for name in ASSUMED}
    if row.id == "letrics.contacts":
        newer = {name for name in wired if name.startswith(("exclude_", "company_has_"))}
    assert wired - names == (set() if row.id.endswith("newer") else newer)
    assert set(row.body) == set(row.params.__struct_fields__)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_a_method_has_an_argument_for_each_param(row: Any) -> None:
    method = METHODS[row.id]
    names = set(inspect.signature(method).parameters) - {"self"}
    assert names == {*row.params.__struct_fields__, "options"}
    assert row.docs == CATALOGUE[row.id]["docs"]


@pytest.mark.parametrize(("name", "row"), ANSWERS)
def test_every_value_of_a_sample_is_reachable(name: str, row: Any) -> None:
    value = wire.decode(LETRICS, row, 200, sample(name))
    assert not isinstance(value, LixError), value
    assert Counter(leaves(value)) == Counter(leaves(tree(name)))
    assert wire.decode(LETRICS, row, 200, msgspec.json.encode(value)) == value


def test_every_sample_is_used() -> None:
    there = {path.stem.removeprefix("letrics.") for path in SAMPLES.glob("letrics.*")}
    assert {name for name in there if not name.startswith("error-")} == {x for x, _ in ANSWERS}


def test_properties_of_items() -> None:
    page = wire.decode(LETRICS, CONTACTS, 200, sample("contacts"))
    assert isinstance(page, ContactsPage)
    first, second = page.items
    assert (first.id, first.name, first.job_title) == (
        "example-contact-1",
        "Example Person 1",
        "Example Finance Manager",
    )
    assert first.personal_emails == ["person1@example.com"]
    assert first.linkedin_profile == "https://www.linkedin.com/in/example-person-1"
    assert first.company is not None
    assert first.company.name == "Example Company 1"
    assert first.company.location == "city:Example City||||Example Country"
    assert (second.company, second.personal_emails, second.job_title) == (None, [], None)
    companies = wire.decode(LETRICS, COMPANIES, 200, sample("companies"))
    assert isinstance(companies, CompaniesPage)
    assert companies.items[0].technologies == ["Example Technology 1", "Example Technology 2"]
    assert (companies.items[1].domain, companies.items[1].location) == ("example.org", None)
    assert companies.total == 2


def test_properties_of_other_items() -> None:
    odd = Contact(id=7, full_name="A B", personal_email="a@example.com", technologies="x")
    assert (odd.id, odd.name, odd.personal_emails) == ("7", "A B", ["a@example.com"])
    assert (Contact().id, Contact().name, Contact().company) == (None, None, None)
    assert Contact(id="").id is None
    assert Company(technologies=["x", 1, None]).technologies == ["x"]
    assert Contact(company={"name": "C"})["company"] == {"name": "C"}


@pytest.mark.parametrize("meta", [None, {}, {"total": "?"}, {"total": -1}, {"pages": 3}])
def test_meta_may_contain_anything(meta: Any) -> None:
    body = msgspec.json.encode({"data": [], "meta": meta})
    page = wire.decode(LETRICS, CONTACTS, 200, body)
    assert isinstance(page, ContactsPage)
    assert page.total is None
