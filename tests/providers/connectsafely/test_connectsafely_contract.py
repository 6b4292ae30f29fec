"""The endpoints equal the catalogue, and the models have every field of every sample."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sample_provider import run

from lix_async.core import wire
from lix_async.core.endpoint import FREE, UNKNOWN
from lix_async.core.errors import LixError
from lix_async.providers.connectsafely import params as p
from lix_async.providers.connectsafely.client import AsyncConnectSafely
from lix_async.providers.connectsafely.endpoints import BY_ID, PROFILE, TABLE
from lix_async.providers.connectsafely.provider import CONNECTSAFELY

from .stub import ACCOUNT, SAMPLES, answer, client, sample, sent, tree

CATALOGUE: dict[str, dict[str, Any]] = {
    row["id"]: row
    for row in json.loads((SAMPLES.parent / "catalogue-other.json").read_bytes())
    if row["system"] == "connectsafely"
}
ANSWERS = {
    name.removeprefix("connectsafely."): row["id"]
    for row in CATALOGUE.values()
    for name in row.get("examples", ())
    if not any(word in name for word in ("error", "headers", "request", "not-found"))
}


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


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
    assert list(BY_ID) == [row.id for row in TABLE]
    assert set(BY_ID) == set(CATALOGUE)
    assert len(ANSWERS) == 13


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_an_endpoint_matches_the_catalogue(row: Any) -> None:
    published = CATALOGUE[row.id]
    base = "https://api.connectsafely.ai" if row.rooted else CONNECTSAFELY.base_url
    path = row.path.replace("{account_id}", "{accountId}").replace("{profile_id}", "{profileId}")
    assert (row.method, base + path) == (published["method"], published["url"])
    assert row.idempotent is published["idempotent"]
    assert (row.paging is None) == (published["paging"]["style"] == "none")
    assert row.credits in (UNKNOWN, FREE)
    assert row.docs == published["docs"]
    wired = dict(
        zip(row.params.__struct_fields__, row.params.__struct_encode_fields__, strict=True)
    )
    assert set(wired.values()) - {"paginationToken"} == {x["name"] for x in published["params"]}
    for param in published["params"]:
        name = next(name for name, wire_name in wired.items() if wire_name == param["name"])
        place = "path" if f"{{{name}}}" in row.path else "body" if name in row.body else "query"
        assert place == param["in"], param


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_a_method_has_an_argument_for_each_param(row: Any) -> None:
    method = getattr(AsyncConnectSafely, row.id.removeprefix("connectsafely."))
    signature = inspect.signature(method).parameters
    names = set(signature) - {"self", "options"}
    published = CATALOGUE[row.id]["params"]
    assert {camel(name) for name in names} == {param["name"] for param in published}
    for param in published:
        given = next(x for name, x in signature.items() if camel(name) == param["name"])
        if param["required"] and param["name"] != "accountId":
            assert given.default is inspect.Parameter.empty
        elif "default" in param:
            assert given.default == param["default"]
    assert ("options" in signature) == (row.paging is not None)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_value_of_a_sample_is_reachable(name: str) -> None:
    row = BY_ID[ANSWERS[name]]
    value = wire.decode(CONNECTSAFELY, row, 200, sample(name))
    assert not isinstance(value, LixError), value
    missing = Counter(leaves(tree(name)))
    missing.subtract(leaves(value))
    assert +missing == Counter(), "in the sample and not in the model"
    assert wire.decode(CONNECTSAFELY, row, 200, msgspec.json.encode(value)) == value


def test_every_sample_is_used() -> None:
    there = {path.stem.removeprefix("connectsafely.") for path in SAMPLES.glob("connectsafely.*")}
    tried = {"profile.request", "profile.headers", "profile.not-found"}
    tried |= {name for name in there if name.startswith("error-")}
    assert there == set(ANSWERS) | tried


def test_a_profile_request_equals_the_sample() -> None:
    outgoing = wire.encode(PROFILE, p.ProfileParams(profile_id="example-person-1"), prefix="/x")
    assert (outgoing.method, outgoing.target) == ("POST", "/x/profile")
    assert json.loads(outgoing.body or b"") == tree("profile.request")


def test_flags_are_keyword_only() -> None:
    found = client(answer("profile.full"))
    run(
        found.profile(
            "https://www.linkedin.com/in/example-person-1/?x=y",
            account_id=ACCOUNT,
            include_geo_location=True,
            include_contact=True,
            include_experience=True,
            include_education=True,
            include_skills=True,
            force_refresh=True,
        )
    )
    body = json.loads(sent(found)[0].body)
    assert body.pop("profileId") == "example-person-1"
    assert body.pop("accountId") == ACCOUNT
    assert set(body.values()) == {True}
    assert set(body) == set(tree("profile.request")) - {"profileId"}


def test_a_query_has_only_the_flags_that_are_true() -> None:
    found = client(answer("profile-get.live"))
    run(found.profile_get("jörg", include_contact=True))
    assert sent(found)[0].target == "/linkedin/profile?profileId=j%C3%B6rg&includeContact=true"


def test_paths() -> None:
    found = client(answer("relationship.live"))
    run(found.relationship("jörg"))
    run(found.relationship_by_account(ACCOUNT, profile_id="jörg"))
    run(found.account_status_by_id(ACCOUNT))
    run(found.account_status(ACCOUNT))
    run(found.account_quota(ACCOUNT))
    run(found.health())
    assert [one.target for one in sent(found)] == [
        "/linkedin/relationship/j%C3%B6rg",
        f"/linkedin/relationship/{ACCOUNT}/j%C3%B6rg",
        f"/linkedin/account/{ACCOUNT}/status",
        f"/linkedin/account/status?accountId={ACCOUNT}",
        f"/linkedin/account/{ACCOUNT}/quota",
        "/health",
    ]
