"""The endpoints and methods of Lix equal the catalogue."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from lix_methods import CATALOGUE, METHODS, Recorder, arguments, method

from lix_async.core.endpoint import FREE, UNKNOWN, Price
from lix_async.core.errors import ConfigurationError
from lix_async.core.pagination import Cursor, Offset, OffsetInUrl, PageInUrl, PageNumber, SinglePage
from lix_async.core.wire import encode, read
from lix_async.providers.lix.endpoints import BY_ID, TABLE
from lix_async.providers.lix.params import Cookie, SkillFilter

ROWS = pytest.mark.parametrize("entry", CATALOGUE, ids=[row["id"] for row in CATALOGUE])
BASE = "https://api.lix-it.com"
PLANS: dict[str, type] = {
    "start": Offset,
    "page": PageNumber,
    "url-page": PageInUrl,
    "url-start": OffsetInUrl,
    "token": Cursor,
    "cursor": Cursor,
}
SKILL, COOKIE = SkillFilter("Example", "urn:li:ts_skill:1"), Cookie("li_at", "x")
LINK = "https://www.linkedin.com/in/example-person-1"
VALID: dict[str, object] = {
    "profile_link": LINK,
    "url": LINK,
    "linkedin_url": "https://www.linkedin.com/company/example-org",
    "sales_nav_url": "https://www.linkedin.com/sales/company/1",
    "list_id": "7000000000000000001",
    "recipients": ["ACoAAEXAMPLE0001"],
    "subject": "Hello",
    "website": "example.com",
    "skills": [SKILL],
    "cookies": [COOKIE],
    "start": 1,
    "count": 1,
}
"""Values that pass the checks, by parameter; others are texts."""


def place(id_: str, name: str) -> str:
    """Where a parameter of an endpoint is sent."""
    row = BY_ID[id_]
    if f"{{{name}}}" in row.path:
        return "path"
    if name in row.body:
        return "form" if row.form else "body"
    return "query"


def valid(entry: dict[str, Any], *without: str) -> dict[str, object]:
    """Valid params: all required ones and the first of each group, except those in `without`."""
    chosen: dict[str, object] = {}
    groups: set[str] = set()
    for param in entry["params"]:
        name, group = param["name"], param.get("one_of")
        if name in without or (group and group in groups):
            continue
        if param["required"] or group:
            chosen[name] = VALID.get(name, "text")
        if group:
            groups.add(group)
    if entry["id"] == "sales.people_by_filters" and "keywords" not in without:
        chosen["keywords"] = "text"
    return chosen


def check(id_: str, params: dict[str, object]) -> None:
    """Create and check the params, as a call does."""
    BY_ID[id_].params(**params).check()


def test_the_table_has_the_endpoints_of_the_catalogue_and_no_others() -> None:
    assert sorted(BY_ID) == sorted(entry["id"] for entry in CATALOGUE)
    assert len(TABLE) == len(BY_ID) == 45
    assert set(METHODS) == set(BY_ID)


@ROWS
def test_method_and_path(entry: dict[str, Any]) -> None:
    row = BY_ID[entry["id"]]
    assert (row.method, BASE + row.path) == (entry["method"], entry["url"])
    assert row.docs == entry["docs"]


@ROWS
def test_only_writes_are_not_idempotent(entry: dict[str, Any]) -> None:
    assert BY_ID[entry["id"]].idempotent is entry["idempotent"]


@ROWS
def test_price(entry: dict[str, Any]) -> None:
    price, kind = BY_ID[entry["id"]].credits, entry["credits"]["kind"]
    if kind == "none":
        assert price == FREE
    elif kind == "unknown":
        assert price == UNKNOWN
    else:
        assert (price.kind, price.amount) == (kind, entry["credits"]["amount"])


def test_only_the_email_price_depends_on_the_answer() -> None:
    assert [row.id for row in TABLE if row.credits.only] == ["contact.email_by_linkedin"]
    assert BY_ID["contact.email_by_linkedin"].credits == Price("email", 1, only="is_valid")


@ROWS
def test_params_have_the_providers_names_and_places(entry: dict[str, Any]) -> None:
    row = BY_ID[entry["id"]]
    names = {param["name"] for param in entry["params"]}
    also = {alias for param in entry["params"] for alias in param.get("aliases", ())}
    assert names <= set(row.params.__struct_fields__) <= names | also
    assert row.params.__struct_fields__ == row.params.__struct_encode_fields__
    for param in entry["params"]:
        expected = param["in"]
        if (entry["id"], param["name"]) == ("sales.search_people_post", "viewer_id"):
            # As a form field it is unconfirmed (lix.md#sales.search_people_post).
            expected = "query"
        assert place(entry["id"], param["name"]) == expected, param["name"]


@ROWS
def test_defaults_are_the_published_ones_or_not_sent(entry: dict[str, Any]) -> None:
    cls = BY_ID[entry["id"]].params
    values = cls(**{name: VALID.get(name, "text") for name in _needed(cls)})
    for param in entry["params"]:
        if "default" in param:
            assert getattr(values, param["name"]) in (None, param["default"]), param["name"]


def _needed(cls: type) -> list[str]:
    return [
        name
        for name, one in inspect.signature(cls).parameters.items()
        if one.default is inspect.Parameter.empty
    ]


@ROWS
def test_required_params_are_checked_before_sending(entry: dict[str, Any]) -> None:
    check(entry["id"], valid(entry))
    for param in entry["params"]:
        if not param["required"] or "default" in param:
            continue
        if (entry["id"], param["name"]) != ("facets.recruiter", "q"):  # one value is published
            with pytest.raises((TypeError, ConfigurationError), match=param["name"]):
                check(entry["id"], valid(entry, param["name"]))
        empty: object = [] if param["type"].startswith("array") else ""
        with pytest.raises(ConfigurationError, match=param["name"]):
            check(entry["id"], {**valid(entry), param["name"]: empty})


@ROWS
def test_exactly_one_of_a_group(entry: dict[str, Any]) -> None:
    names = [param["name"] for param in entry["params"] if param.get("one_of")]
    if not names:
        return
    alone = {key: value for key, value in valid(entry).items() if key not in names}
    for name in names:
        beside = {"subject": "Hello"} if name == "recipients" else {}
        check(entry["id"], {**alone, **beside, name: VALID.get(name, "text")})
    with pytest.raises(ConfigurationError, match="exactly one of"):
        check(entry["id"], alone)
    with pytest.raises(ConfigurationError, match="exactly one of"):
        check(entry["id"], {**alone, **{name: VALID.get(name, "text") for name in names}})


@ROWS
def test_limits_of_numbers_and_texts(entry: dict[str, Any]) -> None:
    for param in entry["params"]:
        name = param["name"]
        if param["type"] == "integer":
            least = 1 if name in ("page", "count") else 0
            check(entry["id"], {**valid(entry), name: least})
            with pytest.raises(ConfigurationError, match=f"{name} must be at least {least}"):
                check(entry["id"], {**valid(entry), name: least - 1})
        if "max_length" in param:
            check(entry["id"], {**valid(entry), name: "ü" * param["max_length"]})
            with pytest.raises(ConfigurationError, match=f"{name} must have at most"):
                check(entry["id"], {**valid(entry), name: "x" * (param["max_length"] + 1)})


@ROWS
def test_paging(entry: dict[str, Any]) -> None:
    plan, paging = BY_ID[entry["id"]].paging, entry["paging"]
    if paging["style"] == "none":
        assert plan is None
        return
    assert plan is not None
    assert plan.cap == paging["cap"]
    # Where the sequence id is itself the cursor, it does not tie pages together
    # (lix.md#sequence-id).
    assert plan.sequence is (paging["sequence"] and paging["style"] != "token")
    if entry["id"] == "sales.people_by_filters":
        assert isinstance(plan, SinglePage)  # its note: no paging parameter is documented
        return
    request = paging["request"]
    assert type(plan) is PLANS[request["kind"]]
    param = "url" if request["in"] == "linkedin_url" else request["name"]
    assert getattr(plan, "param", None) == param
    if request["in"] == "linkedin_url":
        assert getattr(plan, "name", None) == request["name"]
    elif request["kind"] != "token":
        assert place(entry["id"], param) == request["in"]
    if "with" in request:
        assert [getattr(plan, "start", None)] == request["with"]


@ROWS
def test_second_paths_are_the_published_ones(entry: dict[str, Any]) -> None:
    published = [url.removeprefix(BASE) for url in entry.get("alternative_urls", ())]
    row = BY_ID[entry["id"]]
    if entry["id"].startswith("activity."):
        published = []  # the early path without /person is obsolete (lix.md#activity)
    assert [row.alternate] == (published or [None])


@ROWS
def test_a_call_goes_to_either_of_its_paths_and_is_read_back(entry: dict[str, Any]) -> None:
    row = BY_ID[entry["id"]]
    params = row.params(**valid(entry))
    for path in (row.path, row.alternate):
        if path is None:
            continue
        sent = encode(row, params, path=path)
        target, _, query = sent.target.partition("?")
        match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), target)
        assert match is not None
        slots = {name: unquote(value) for name, value in match.groupdict().items()}
        assert read(row, slots, parse_qsl(query), sent.body or b"") == params


@ROWS
def test_every_parameter_has_an_argument(entry: dict[str, Any]) -> None:
    names = {param["name"] for param in entry["params"]}
    taken = set(arguments(entry["id"]))
    assert names <= taken
    also = {alias for param in entry["params"] for alias in param.get("aliases", ())}
    polling = {"recheck", "pause"} if "poll" in entry else set()
    assert taken <= names | also | polling


@ROWS
def test_listings_return_pages_and_other_methods_are_awaited(entry: dict[str, Any]) -> None:
    found = method(Recorder(), entry["id"])
    taken = inspect.signature(found).parameters
    if BY_ID[entry["id"]].paging is None:
        assert inspect.iscoroutinefunction(found)
        assert "options" not in taken
        return
    assert not inspect.iscoroutinefunction(found)
    assert inspect.signature(found).return_annotation.startswith("Pages[")
    assert taken["options"].kind is inspect.Parameter.VAR_KEYWORD
    assert taken["options"].annotation == "Unpack[ListingOptions]"


@ROWS
def test_the_docstring_of_every_method_states_its_price(entry: dict[str, Any]) -> None:
    _, _, text = (inspect.getdoc(method(Recorder(), entry["id"])) or "").partition("\nCredits:\n")
    words = {
        "none": "Free",
        "unknown": "Not published",
        "standard": "1 standard credit",
        "org": "1 org credit",
        "email": "1 email credit",
    }
    assert text.strip().startswith(words[entry["credits"]["kind"]])


def test_each_endpoint_of_lix_is_a_name_of_the_package() -> None:
    package = importlib.import_module("lix_async.providers.lix.endpoints")
    exported = {id(value) for value in vars(package).values()}
    assert [endpoint.id for endpoint in package.TABLE if id(endpoint) not in exported] == []
