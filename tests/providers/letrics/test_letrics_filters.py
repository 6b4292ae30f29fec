"""Requests: checks of arguments, location filters, and options that replace guesses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sample_provider import run

from lix_async.core.errors import ConfigurationError
from lix_async.providers.letrics.client import AsyncLetrics
from lix_async.providers.letrics.endpoints import CONTACTS
from lix_async.providers.letrics.locations import check, city, country, state
from lix_async.providers.letrics.params import ContactsParams

from .stub import BASE, answer, bodies, client, sent


def test_locations_match_the_documented_examples() -> None:
    assert city("San Francisco", state="California", country="United States") == (
        "city:San Francisco||California||United States"
    )
    assert state("California", country="United States") == "state:California||United States"
    assert city("London", country="United Kingdom") == "city:London||||United Kingdom"
    assert country("Brazil") == "country:Brazil"
    for made in (city(" A ", country="B"), state("A", country="B"), country("A: B")):
        check(made)


def test_a_location_part_with_bars_or_empty_is_rejected() -> None:
    for wrong in ("a||b", "", "  "):
        with pytest.raises(ConfigurationError, match="part of a location"):
            country(wrong)
        with pytest.raises(ConfigurationError):
            city("x", country=wrong)
    with pytest.raises(ConfigurationError):
        city("x", state="a||b", country="y")


@pytest.mark.parametrize(
    "text",
    ["", "Brazil", "country:", "country:a||b", "city:a||b", "city:||b||c", "town:a", "state:a||"],
)
def test_an_invalid_location_is_rejected(text: str) -> None:
    with pytest.raises(ConfigurationError, match="invalid location"):
        check(text)
    for name in ("locations", "exclude_locations"):
        with pytest.raises(ConfigurationError):
            client(answer("empty")).contacts(**{name: [text]})


def test_only_what_is_set_is_sent() -> None:
    found = client(answer("empty"))
    run(found.contacts().collect())
    run(found.companies(page=2, per_page=7).collect())
    assert bodies(found) == [{"page": 1, "per_page": 100}, {"page": 2, "per_page": 7}]
    assert [one.target for one in sent(found)] == ["/api/contacts", "/api/companies"]
    assert {one.method for one in sent(found)} == {"POST"}


def test_every_filter_is_sent_under_its_name() -> None:
    lists = [
        "job_titles", "departments", "seniorities", "locations", "functions", "industries",
        "tlds", "technologies",
    ]  # fmt: skip
    place = country("Brazil")
    filters: dict[str, Any] = {
        name: [place if "locations" in name else "x"]
        for name in [*lists, *(f"exclude_{one}" for one in lists)]
    }
    flags = [
        "has_linkedin_profile", "is_decision_maker", "company_has_generic_email",
        "company_has_linkedin_profile", "has_personal_emails",
    ]  # fmt: skip
    filters |= dict.fromkeys(flags, True)
    found = client(answer("empty"))
    run(found.contacts(**filters).collect())
    assert bodies(found)[0] == filters | {"page": 1, "per_page": 100}


def test_false_is_sent_unlike_none() -> None:
    found = client(answer("empty"))
    run(found.contacts(is_decision_maker=False).collect())
    assert bodies(found)[0]["is_decision_maker"] is False


def test_times_are_sent_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    found = client(answer("empty"))
    run(
        found.companies(
            added_after=datetime(2025, 1, 6, 11, tzinfo=zone),
            added_before=datetime(2025, 1, 7, tzinfo=UTC),
        ).collect()
    )
    body = bodies(found)[0]
    assert (body["added_after"], body["added_before"]) == (
        "2025-01-06T09:00:00Z",
        "2025-01-07T00:00:00Z",
    )


@pytest.mark.parametrize(
    ("filters", "match"),
    [
        ({"added_after": datetime(2025, 1, 6)}, "added_after must be a time with a zone"),
        ({"added_before": datetime(2025, 1, 6)}, "added_before must be a time with a zone"),
        (
            {"added_after": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))},
            "added_after must be between year 1 and year 9999 in UTC",
        ),
        (
            {"added_before": datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=9)))},
            "added_before must be between year 1 and year 9999 in UTC",
        ),
        ({"per_page": 0}, "per_page must be at least 1"),
        ({"per_page": 101}, "per_page must be at most 100"),
        ({"page": 0}, "page must be at least 1"),
        ({"industries": "Finance"}, "industries must be a list"),
        ({"industries": []}, "industries must be a list"),
        ({"industries": ["a", ""]}, "industries must be a list"),
    ],
)
def test_documented_rules_are_checked_before_anything_is_sent(
    filters: dict[str, Any], match: str
) -> None:
    found = client(answer("empty"))
    for method in (found.contacts, found.companies):
        with pytest.raises(ConfigurationError, match=match):
            method(**filters)
    assert sent(found) == []


def test_the_name_of_one_filter_is_an_option() -> None:
    for spelling in ("has_personal_emails", "has_personal_email"):
        found = client(answer("empty"), personal_email_field=spelling)
        run(found.contacts(has_personal_emails=True).collect())
        assert {name for name in bodies(found)[0] if "personal" in name} == {spelling}
    with pytest.raises(ConfigurationError, match="personal_email_field"):
        client(personal_email_field="has_email")


def test_method_paths_and_arrays_are_options() -> None:
    settings: dict[str, Any] = {
        "method": "GET",
        "paths": {"contacts": "/v2/people"},
        "personal_email_field": "has_personal_email",
    }
    asked: dict[str, Any] = {
        "tlds": ["a", "b&c"],
        "has_personal_emails": True,
        "added_after": datetime(2025, 1, 6, tzinfo=UTC),
        "per_page": 5,
    }
    after = "added_after=2025-01-06T00%3A00%3A00Z"
    rest = "page=1&per_page=5&has_personal_email=true"
    for arrays, written in (
        ("joined", "tlds=a%2Cb%26c"),
        ("repeated", "tlds=a&tlds=b%26c"),
        ("bracketed", "tlds%5B%5D=a&tlds%5B%5D=b%26c"),
    ):
        found = client(answer("empty"), arrays=arrays, **settings)
        run(found.contacts(**asked).collect())
        (one,) = sent(found)
        assert (one.method, one.body) == ("GET", None)
        assert one.target == f"/api/v2/people?{after}&{written}&{rest}"
    found = client(answer("empty"), paths={"companies": "/c"})
    run(found.companies().collect())
    assert sent(found)[0].target == "/api/c"


@pytest.mark.parametrize(
    "settings",
    [
        {"paths": {"people": "/people"}},
        {"paths": {"contacts": "https://elsewhere.example/contacts"}},
        {"paths": {"contacts": "/contacts?x=1"}},
        {"method": "PUT"},
        {"arrays": "?"},
    ],
)
def test_invalid_options_are_rejected(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        client(**settings)


def test_without_a_base_url_the_error_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LETRICS_BASE_URL", raising=False)
    with pytest.raises(ConfigurationError, match=r"pass base_url= or set LETRICS_BASE_URL"):
        AsyncLetrics("key")
    monkeypatch.setenv("LETRICS_BASE_URL", BASE)
    assert "letrics.example" in repr(AsyncLetrics("key"))
    monkeypatch.delenv("LETRICS_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="LETRICS_API_KEY"):
        AsyncLetrics()


def test_params_passed_to_send_are_checked_too() -> None:
    found = client(answer("empty"))
    with pytest.raises(ConfigurationError):
        run(found.send(CONTACTS, ContactsParams(locations=("Brazil",))))
