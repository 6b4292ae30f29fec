"""Letrics in the sandbox, through its client: filters, array formats and errors."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest
from sample_provider import Skipping

from lix_async.core.errors import ConfigurationError, InvalidParamsError, PagingError
from lix_async.core.retry import RetryPolicy
from lix_async.providers.letrics import locations
from lix_async.providers.letrics.client import AsyncLetrics
from lix_async.providers.letrics.errors import (
    LetricsAuthenticationError,
    LetricsError,
    LetricsInvalidParamsError,
    LetricsNotFoundError,
    LetricsRateLimitError,
)
from lix_async.sandbox import Faults, Sandbox
from lix_async.sandbox.providers.letrics import PROVIDER

from .sandbox_helpers import small_sandbox

pytestmark = pytest.mark.anyio
SAMPLES = Path(__file__).parents[1] / "contract" / "samples"
ONCE = RetryPolicy(attempts=1)
RIGHT = {"Authorization": "Bearer a-key"}
Row = Mapping[str, Any]
METHODS = [("POST", "joined"), ("GET", "joined"), ("GET", "repeated"), ("GET", "bracketed")]


small = partial(small_sandbox, organisations=60)


def connect(sandbox: Sandbox, key: str = "a-key", **options: Any) -> AsyncLetrics:
    """The real client on a sandbox in memory, by default without a rate limit."""
    http_client = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app))
    given = {"rate_limit": None, "clock": Skipping(), "http_client": http_client, **options}
    return AsyncLetrics(key, base_url="http://127.0.0.1/letrics", **given)


def company(row: Row) -> Row:
    """The company of a contact, or the item itself if it is a company."""
    return cast("Row", (row.get("company") or {}) if "job_title" in row else row)


def created(row: Row) -> datetime | None:
    text = company(row).get("created_at")
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None


def is_one_of(wanted: str, *have: object) -> bool:
    return wanted in have


def is_in_location(wanted: str, place: object) -> bool:
    """Whether a place is in a location: kind, and parts from small to large."""
    if place is None:
        return False
    kind, _, rest = wanted.partition(":")
    city, state, country = str(place).removeprefix("city:").split("||")
    return (
        rest.split("||")
        == {"city": [city, state, country], "state": [state, country], "country": [country]}[kind]
    )


LISTS: dict[str, tuple[list[str], Callable[[Row, str], bool]]] = {
    "job_titles": (
        ["MANAGER", "engin"],
        lambda row, one: one.casefold() in (row["job_title"] or "").casefold(),
    ),
    "departments": (["Engineering", "Sales"], lambda row, one: is_one_of(one, row["department"])),
    "seniorities": (["Manager", "CXO"], lambda row, one: is_one_of(one, row["seniority"])),
    "locations": (
        [
            locations.city("Dunfallow", country="Albrenia"),
            locations.state("Outer Nordavia", country="Nordavia"),
            locations.country("Zentria"),
        ],
        lambda row, one: is_in_location(one, company(row).get("location")),
    ),
    "functions": (
        ["Finance", "Sales"],
        lambda row, one: is_one_of(one, company(row).get("function")),
    ),
    "industries": ([], lambda row, one: is_one_of(one, company(row).get("industry"))),
    "tlds": (["com", ".org"], lambda row, one: is_one_of(one.strip("."), company(row).get("tld"))),
    "technologies": (
        ["Kafka", "Redis"],
        lambda row, one: is_one_of(one, *company(row).get("technologies", ())),
    ),
}
CONTACTS_ONLY = {"job_titles", "departments", "seniorities"}
FLAGS: dict[str, Callable[[Row], bool]] = {
    "has_personal_emails": lambda row: bool(row["personal_emails"]),
    "has_linkedin_profile": lambda row: row["linkedin_profile"] is not None,
    "is_decision_maker": lambda row: row["is_decision_maker"],
    "company_has_linkedin_profile": lambda row: row["company"] is not None,
}


async def all_items(letrics: AsyncLetrics, what: str) -> list[Any]:
    return cast("list[Any]", await getattr(letrics, what)().collect())


@pytest.mark.parametrize(("method", "arrays"), METHODS)
async def test_every_endpoint_is_answered_by_get_and_post(method: Any, arrays: Any) -> None:
    sandbox = small()
    async with connect(sandbox, method=method, arrays=arrays) as letrics:
        people = await letrics.contacts(technologies=["Kafka", "Redis"]).collect()
        firms = await letrics.companies(tlds=["com", "org"], functions=["Sales"]).collect()
    suffix = ".get" if method == "GET" else ""
    assert {record.endpoint for record in sandbox.requests} == {
        f"letrics.contacts{suffix}",
        f"letrics.companies{suffix}",
    }
    assert {row.id.removesuffix(".get") for row in PROVIDER.endpoints} == {
        "letrics.contacts",
        "letrics.companies",
    }
    assert {record.status for record in sandbox.requests} == {200}
    assert people
    assert all({"Kafka", "Redis"} & {*company(row)["technologies"]} for row in people)
    assert firms
    assert all(row["tld"] in ("com", "org") and row["function"] == "Sales" for row in firms)
    assert all(row.name and row.domain and row.id for row in firms)
    assert len(sandbox.ledger) == 0


@pytest.mark.parametrize("what", ["contacts", "companies"])
@pytest.mark.parametrize("name", LISTS)
async def test_a_list_filter_and_its_exclude_filter_are_complementary(what: str, name: str) -> None:
    if what == "companies" and name in CONTACTS_ONLY:
        with pytest.raises(TypeError, match=name):
            getattr(connect(small()), what)(**{name: ["x"]})
        return
    wanted, fits = LISTS[name]
    async with connect(small(people=600, organisations=120)) as letrics:
        every = await all_items(letrics, what)
        wanted = wanted or sorted({company(row).get("industry") or "" for row in every} - {""})[:2]
        for values in (wanted[:1], wanted):
            found = await getattr(letrics, what)(**{name: values}).collect()
            rest = await getattr(letrics, what)(**{f"exclude_{name}": values}).collect()
            good = [row for row in every if any(fits(row, one) for one in values)]
            assert [row.id for row in found] == [row.id for row in good]
            assert [row.id for row in rest] == [row.id for row in every if row not in good]
            assert 0 < len(found) < len(every)
        both = await getattr(letrics, what)(
            **{name: wanted, f"exclude_{name}": wanted[:1]}
        ).collect()
    assert [row.id for row in both] == [
        row.id
        for row in every
        if any(fits(row, one) for one in wanted) and not fits(row, wanted[0])
    ]


async def test_a_city_is_not_found_without_its_state() -> None:
    async with connect(small()) as letrics:
        firms = await all_items(letrics, "companies")
        place = next(row.location for row in firms if row.location and "||||" not in row.location)
        city, state, country = place.removeprefix("city:").split("||")
        full = await letrics.companies(
            locations=[locations.city(city, state=state, country=country)]
        ).collect()
        bare = await letrics.companies(locations=[locations.city(city, country=country)]).collect()
        wider = await letrics.companies(
            locations=[locations.state(state, country=country)]
        ).collect()
    assert {row.location for row in full} == {place}
    assert bare == []
    assert {row.id for row in full} <= {row.id for row in wider}


@pytest.mark.parametrize("field", ["has_personal_emails", "has_personal_email"])
async def test_only_true_flags_filter(field: Any) -> None:
    async with connect(small(), personal_email_field=field) as letrics:
        every, contacts = await all_items(letrics, "contacts"), cast("Any", letrics.contacts)
        for name, fits in FLAGS.items():
            found = await contacts(**{name: True}).collect()
            assert [row.id for row in found] == [row.id for row in every if fits(row)], name
            assert 0 < len(found) < len(every)
            same = await contacts(**{name: False}).collect()
            assert [row.id for row in same] == [row.id for row in every]
        generic = await letrics.contacts(company_has_generic_email=True).collect()
    firms = {company(row).get("id") for row in generic}
    mates = [row.id for row in every if company(row).get("id") in firms]
    assert [row.id for row in generic] == mates, "it is the company that has one"
    assert None not in firms
    assert 0 < len(generic) < len(every)


@pytest.mark.parametrize("what", ["contacts", "companies"])
async def test_both_date_bounds_are_inclusive_and_of_the_company(what: str) -> None:
    async with connect(small()) as letrics:
        every = await all_items(letrics, what)
        moments = sorted({made for row in every if (made := created(row))})
        low, high = moments[len(moments) // 3], moments[len(moments) // 2]
        east = low.astimezone(timezone(timedelta(hours=5)))
        found = await getattr(letrics, what)(added_after=east, added_before=high).collect()
        one = await getattr(letrics, what)(added_after=high, added_before=high).collect()
        none = await getattr(letrics, what)(added_after=high, added_before=low).collect()
    inside = [row.id for row in every if (made := created(row)) and low <= made <= high]
    assert [row.id for row in found] == inside
    assert {created(row) for row in one} == {high}
    assert none == []


async def test_items_have_nulls_and_the_keys_of_the_filters() -> None:
    async with connect(small(people=600, organisations=120)) as letrics:
        people = await all_items(letrics, "contacts")
        firms = await all_items(letrics, "companies")
    for name, rows in (("contacts", people), ("companies", firms)):
        (sample,) = {
            frozenset(row)
            for row in json.loads((SAMPLES / f"letrics.{name}.json").read_bytes())["data"]
        }
        assert {frozenset(row) for row in rows} == {sample}
    for name in ("job_title", "linkedin_profile", "company"):
        assert {row[name] is None for row in people} == {True, False}, name
    for name in ("location", "function", "industry"):
        assert {row[name] is None for row in firms} == {True, False}, name
    assert [] in [row["technologies"] for row in firms]
    assert {row.location.count("||") for row in firms if row.location} == {2}


async def test_a_listing_continues_to_the_total() -> None:
    sandbox = small(people=250)
    async with connect(sandbox) as letrics:
        pages = letrics.contacts()
        rows = await pages.collect()
        assert (pages.stats.total, pages.stats.complete) == (250, True)
        later = await letrics.contacts(page=2, per_page=40).collect()
        none = await letrics.contacts(industries=["No such industry"]).collect()
    assert len({row.id for row in rows}) == 250
    assert [record.endpoint for record in sandbox.requests[:3]] == ["letrics.contacts"] * 3
    assert [row.id for row in later] == [row.id for row in rows[40:]]
    assert none == []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), headers=RIGHT) as http:
        plain = (await http.post("http://sandbox/letrics/contacts", json={})).json()
    assert plain["meta"] == {"page": 1, "per_page": 25, "total": 250}
    assert [row["id"] for row in plain["data"]] == [row.id for row in rows[:25]]


async def test_a_server_that_ignores_the_page_is_detected() -> None:
    sandbox = small(faults=Faults(rates={"repeated_page": 1.0}))
    async with connect(sandbox) as letrics:
        with pytest.raises(PagingError):
            await letrics.contacts().collect()
    assert len(sandbox.requests) == 2


# --- errors ----------------------------------------------------------------------------------


class ChangedBody(httpx.AsyncBaseTransport):
    """Changes the body of a request to what the client would never send."""

    def __init__(self, sandbox: Sandbox, **wrong: object) -> None:
        self._inner = httpx.ASGITransport(sandbox.app)
        self._wrong = wrong

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = msgspec.json.decode(request.content, type=dict[str, object]) | self._wrong
        headers = {name: text for name, text in request.headers.items() if name != "content-length"}
        changed = httpx.Request(request.method, request.url, headers=headers, json=body)
        return await self._inner.handle_async_request(changed)


@pytest.mark.parametrize("what", ["contacts", "companies"])
async def test_all_wrong_parameters_are_in_the_error(what: str) -> None:
    wrong = {"per_page": 101, "page": 0, "added_after": "2025-01-06T09:00:00", "locations": ["x"]}
    http_client = httpx.AsyncClient(transport=ChangedBody(small(), **wrong))
    async with connect(small(), http_client=http_client) as letrics:
        with pytest.raises(LetricsInvalidParamsError) as caught:
            await getattr(letrics, what)().collect()
    error = caught.value
    assert isinstance(error, InvalidParamsError)
    assert (error.kind, error.status) == ("invalid_input", 400)
    assert {(one.id, one.code) for one in error.errors} == {("invalid_input", 400)}
    details = [one.details for one in error.errors]
    assert len(details) == 4
    for name, text in zip(
        ("added_after", "invalid location 'x'", "page", "per_page"), details, strict=True
    ):
        assert text.startswith(name), details


@pytest.mark.parametrize(
    ("body", "expected_text"),
    [
        ({"page": "2"}, "Expected `int"),
        ({"industries": "x"}, "Expected `array"),
        ({"is_decision_maker": "true"}, "Expected `bool"),
        ({"added_before": "0001-01-01T00:00:00+10:00"}, "year 1 and year 9999"),
        ({"added_before": "yesterday"}, "RFC3339"),
    ],
)
async def test_a_single_wrong_parameter(body: Mapping[str, object], expected_text: str) -> None:
    transport = httpx.ASGITransport(small().app)
    async with httpx.AsyncClient(transport=transport, headers=RIGHT) as http:
        answer = await http.post("http://sandbox/letrics/contacts", json=body)
    assert answer.status_code == 400
    (item,) = answer.json()["errors"]
    assert (item["id"], item["code"], expected_text in item["details"]) == (
        "invalid_input",
        400,
        True,
    )


async def test_a_date_out_of_range_is_rejected_before_sending() -> None:
    sandbox = small()
    edge = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=10)))
    async with connect(sandbox) as letrics:
        with pytest.raises(
            ConfigurationError, match="added_before must be between year 1 and year 9999"
        ):
            await letrics.companies(added_before=edge).collect()
        assert await letrics.companies(added_before=datetime(1, 1, 1, tzinfo=UTC)).collect() == []
    assert len(sandbox.requests) == 1


async def test_the_key_is_not_in_records_errors_or_reprs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "sentinel/key+0123456789"
    sandbox = small(keys={"another"})
    async with connect(sandbox, key) as letrics:
        shown = repr(letrics)
        with pytest.raises(LetricsAuthenticationError) as caught:
            await letrics.contacts().collect()
    assert [(one.id, one.code) for one in caught.value.errors] == [("unauthorized", 401)]
    failure = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    for text in (shown, failure, caplog.text, repr(sandbox.requests)):
        assert "sentinel" not in text


async def test_an_error_of_a_wrong_setting_names_the_setting() -> None:
    async with connect(small(), paths={"contacts": "/v2/contacts"}) as letrics:
        with pytest.raises(LetricsNotFoundError, match="see the argument `paths`"):
            await letrics.contacts().collect()
    with pytest.raises(ConfigurationError, match="base_url"):
        AsyncLetrics("a-key")


async def test_too_many_requests_are_429_and_the_clients_rate_is_not() -> None:
    clock = Skipping()
    sandbox = small(clock, rate={"Letrics": PROVIDER.rate})
    async with connect(sandbox, clock=clock, retry=ONCE) as letrics:
        with pytest.raises(LetricsRateLimitError) as caught:
            await letrics.contacts(per_page=10).collect()
    assert [one.id for one in caught.value.errors] == ["too_many_requests"]
    clock = Skipping()
    sandbox = small(clock, rate={"Letrics": PROVIDER.rate})
    async with connect(sandbox, clock=clock, rate_limit=AsyncLetrics.provider.rate) as letrics:
        assert len(await letrics.contacts(per_page=10).collect()) == 300
    assert {record.status for record in sandbox.requests} == {200}


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_listing_is_complete_despite_the_weather_faults(method: Any) -> None:
    reliable, faulty = small(), small(seed=1, faults="weather")
    async with connect(reliable) as letrics:
        expected = [row.id for row in await letrics.contacts().collect()]
    async with connect(faulty, method=method) as letrics:
        for _ in range(3):
            assert [row.id for row in await letrics.contacts(per_page=9).collect()] == expected
    assert len({record.fault for record in faulty.requests}) > 4


async def test_the_queued_fault_is_a_502() -> None:
    sandbox = small(faults=["queued"])
    async with connect(sandbox, retry=ONCE) as letrics:
        with pytest.raises(LetricsError) as caught:
            await letrics.companies().collect()
    assert (caught.value.status, caught.value.errors[0].code) == (502, 502)
