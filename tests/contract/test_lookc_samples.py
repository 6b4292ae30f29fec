"""Every published LookC sample is decoded, and every value in it can be reached."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from lix_async.core.wire import decode
from lix_async.providers.lookc import webhooks
from lix_async.providers.lookc.endpoints import BY_ID
from lix_async.providers.lookc.models import EmployeesPage, LookupAnswer, RequestStatus
from lix_async.providers.lookc.provider import LOOKC

SAMPLES = Path(__file__).parent / "samples"
FILES = {
    path.stem: path
    for folder in (SAMPLES, SAMPLES / "variants")
    for path in sorted(folder.glob("lookc.*.json"))
}
ANSWERS = sorted(set(FILES) - {"lookc.webhook"})


def leaves(tree: object) -> Iterator[str]:
    """Every value of a tree that is neither a container nor null."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value)
    elif tree is not None:
        yield repr(tree)


def read(name: str) -> object:
    row = BY_ID[".".join(name.split(".")[:2])]
    return decode(LOOKC, row, 200, FILES[name].read_bytes())


def test_every_endpoint_has_samples() -> None:
    assert {".".join(name.split(".")[:2]) for name in ANSWERS} == set(BY_ID)
    assert len(FILES) == 11


@pytest.mark.parametrize("name", ANSWERS)
def test_every_value_is_reachable(name: str) -> None:
    value = read(name)
    assert isinstance(value, BY_ID[".".join(name.split(".")[:2])].result), value
    missing = Counter(leaves(json.loads(FILES[name].read_bytes())))
    missing.subtract(leaves(msgspec.to_builtins(value)))
    assert +missing == Counter(), "in the sample and not in the model"


@pytest.mark.parametrize("name", ANSWERS)
def test_decoded_samples_can_be_encoded_and_decoded_again(name: str) -> None:
    value = read(name)
    row = BY_ID[".".join(name.split(".")[:2])]
    assert decode(LOOKC, row, 200, msgspec.json.encode(value)) == value


def test_the_lookup() -> None:
    value = read("lookc.person_by_email")
    assert isinstance(value, LookupAnswer)
    assert not value.pending
    assert value.org is not None
    assert value.domain_info is not None
    assert value.org.li_profile_url == "https://linkedin.com/company/example-org"
    assert value.domain_info.is_free_email_domain is False
    assert (value.hits[0].name, value.hits[0].sales_nav_id) == (
        "Example Person 1",
        "ACwAAEXAMPLE0001",
    )


def test_a_free_domain() -> None:
    value = read("lookc.person_by_email.free_domain")
    assert isinstance(value, LookupAnswer)
    assert value.domain_info is not None
    assert (value.hits, value.org, value.pending) == ([], None, False)
    assert value.domain_info.is_free_email_domain is True


def test_the_older_keys_are_read_too() -> None:
    assert read("lookc.person_by_email.older_keys") == read("lookc.person_by_email")


def test_a_lookup_in_the_background() -> None:
    value = read("lookc.person_by_email.pending")
    assert isinstance(value, LookupAnswer)
    assert value.pending
    assert value.request_id == "00000000-0000-4000-8000-000000000003"


def test_the_status() -> None:
    complete, pending = read("lookc.request_status"), read("lookc.request_status.pending")
    assert isinstance(complete, RequestStatus)
    assert isinstance(pending, RequestStatus)
    assert (complete.complete, complete.pending) == (True, False)
    assert (pending.complete, pending.pending, pending.data) == (False, True, None)
    lookup = read("lookc.person_by_email")
    assert isinstance(lookup, LookupAnswer)
    assert complete.data == lookup.result()


@pytest.mark.parametrize(
    ("name", "cursor", "rows"),
    [
        ("lookc.org_employees", "EXAMPLECURSOR0001", 2),
        ("lookc.org_employees.relative_link", "EXAMPLECURSOR0002", 1),
        ("lookc.org_employees.snake", "EXAMPLECURSOR0001", 1),
        ("lookc.org_employees.last_page", None, 1),
    ],
)
def test_the_employees(name: str, cursor: str | None, rows: int) -> None:
    value = read(name)
    assert isinstance(value, EmployeesPage)
    assert (value.cursor, len(value.rows()), value.total) == (cursor, rows, None)


def test_an_employee_without_details() -> None:
    value = read("lookc.org_employees")
    assert isinstance(value, EmployeesPage)
    former = value.items[1]
    assert former.current_org_id("asked") is None
    assert (former.months_at_org, former.months_in_role) == (None, None)
    assert former.links is not None
    assert former.links.sales_nav is None


def test_the_webhook_has_the_result_of_the_lookup() -> None:
    event = webhooks.parse(FILES["lookc.webhook"].read_bytes())
    lookup = read("lookc.person_by_email")
    assert isinstance(lookup, LookupAnswer)
    assert (event.type, event.data) == ("search.person.by-email", lookup.result())
