"""What the document says of answers, contradiction by contradiction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sample_provider import reply, run

from lix_async.core import wire
from lix_async.core.errors import ConfigurationError, NotFoundError
from lix_async.providers.connectsafely import models as m
from lix_async.providers.connectsafely.endpoints import PROFILE, SEARCH_PEOPLE
from lix_async.providers.connectsafely.models.text import degree
from lix_async.providers.connectsafely.params import (
    EndorseParams,
    PeopleFilters,
    ProfileGetParams,
    ProfileParams,
    profile_id,
)
from lix_async.providers.connectsafely.provider import CONNECTSAFELY

from .stub import ACCOUNT, answer, client, profile, sample, sent, tree


def read(body: object) -> m.ProfileResult:
    value = wire.decode(CONNECTSAFELY, PROFILE, 200, msgspec.json.encode(body))
    assert isinstance(value, m.ProfileResult), value
    return value


@pytest.mark.parametrize(
    "link",
    [
        "jörg-doe-1",
        "j%C3%B6rg-doe-1",
        " https://www.linkedin.com/in/jörg-doe-1/?y=1#z ",
        "https://de.linkedin.com/in/j%C3%B6rg-doe-1",
        "http://linkedin.com/comm/in/j%c3%b6rg-doe-1/details/experience/",
        "www.linkedin.com/in/jörg-doe-1#about",
        "HTTPS://WWW.LinkedIn.com/in/jörg-doe-1?",
    ],
)
def test_a_profile_address_is_cut_to_its_slug(link: str) -> None:
    assert profile_id(link) == "jörg-doe-1"


@pytest.mark.parametrize(
    "link",
    [
        "",
        " ",
        "two words",
        "https://www.linkedin.com/company/x",
        "https://www.linkedin.com/in/",
        "https://evil-linkedin.com/in/x",
        "https://linkedin.com.evil.example/in/x",
        "https://www.linkedin.com/in/a%2Fb",
        "https://www.linkedin.com/in/a%0d%0ab",
        "a/b",
    ],
)
def test_what_is_no_profile_is_refused_before_it_is_sent(link: str) -> None:
    with pytest.raises(ConfigurationError, match="profile_id"):
        profile_id(link)
    found = client(profile())
    with pytest.raises(ConfigurationError):
        run(found.profile(link))
    assert sent(found) == []


def test_params_of_ones_own_take_the_slug_alone() -> None:
    with pytest.raises(ConfigurationError, match="not the URL"):
        ProfileParams(profile_id="https://www.linkedin.com/in/x/").check()


def test_what_was_not_asked_for_is_none_and_what_is_not_there_is_empty() -> None:
    plain, cached = read(tree("profile")), read(tree("profile.cached"))
    assert (plain.skills, plain.experience, plain.education) == (None, None, None)
    assert (cached.skills, cached.experience) == ([], None)
    assert b'"skills":[]' in msgspec.json.encode(cached)
    assert read(tree("profile") | {"skills": None}).skills is None


@pytest.mark.parametrize("name", ["experience", "skills", "education"])
def test_lists_are_read_beside_the_profile_then_inside_it(name: str) -> None:
    inside = tree("profile")
    inside["profile"][name] = tree("profile.full")[name]
    assert getattr(read(inside), name) == getattr(read(tree("profile.full")), name)
    inside[name] = []
    assert getattr(read(inside), name) == [], "beside it wins, also when it is empty"


def test_the_nested_sample() -> None:
    found = read(tree("profile.nested-experience"))
    assert found.experience is not None
    assert [one.title for one in found.experience] == ["Example Title", None]
    assert (found.profile.connection_degree, found.profile.degree) == ("3rd", 3)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("DISTANCE_1", 1),
        ("DISTANCE_3", 3),
        ("1st", 1),
        ("2nd", 2),
        ("3rd+", 3),
        ("OUT_OF_NETWORK", None),
        ("DISTANCE_12", None),
        (None, None),
        ("", None),
    ],
)
def test_a_degree_is_read_in_both_spellings(text: str | None, number: int | None) -> None:
    assert degree(text) == number


def test_the_cache_is_told() -> None:
    cached, fresh = read(tree("profile.cached")), read(tree("profile"))
    assert (cached.cached, fresh.cached) == (True, False)
    assert cached.cached_time == datetime(2025, 1, 9, 12, tzinfo=UTC)
    assert cached.expires_time == datetime(2025, 1, 9, 18, tzinfo=UTC)
    assert (fresh.cached_time, fresh.expires_time) == (None, None)


def test_small_facts_of_a_profile() -> None:
    full, minimal = read(tree("profile.full")), read(tree("profile.minimal"))
    assert full.profile.name == "Example Person 1"
    assert full.profile.geo_location is not None
    assert full.profile.geo_location.birth_date == m.BirthDate(month=1, day=2, year=1990)
    assert full.education is not None
    assert [(one.start_year, one.end_year) for one in full.education] == [
        ("2014", "2018"),
        ("2024", None),
    ], "years are texts on the wire"
    assert (minimal.profile.profile_picture, minimal.profile.degree) == (None, None)
    assert m.Profile().name is None


def test_unknown_fields_stay_in_the_body() -> None:
    body = tree("profile")
    body["profile"]["contactInfo"] = {"emailAddress": "person1@example.com"}
    found = client(reply(200, body))
    received = run(found.send(PROFILE, ProfileParams(profile_id="x", include_contact=True)))
    assert b"person1@example.com" in received.body


@pytest.mark.parametrize("empty", [b'"profile":{}', b'"profile" : { }', b'"profile":null'])
def test_an_empty_profile_is_not_found(empty: bytes) -> None:
    body = b'{"success":true,"profileId":"x",' + empty + b',"message":"Example: no such profile"}'
    with pytest.raises(NotFoundError, match="no such profile") as caught:
        run(client(reply(200, body)).profile("x"))
    assert (caught.value.status, caught.value.kind) == (200, "empty_profile")


def test_the_sample_of_a_profile_not_found() -> None:
    with pytest.raises(NotFoundError):
        run(client(answer("profile.not-found")).profile_get("example-person-404"))
    with pytest.raises(NotFoundError) as caught:
        run(client(answer("error-coded", 404)).profile("x"))
    assert caught.value.status == 404


def test_bare_objects_need_no_success() -> None:
    status = run(client(answer("account-status.live")).account_status())
    assert status.linkedin_plan is not None
    assert status.linkedin_plan.premium_type == "SALES_NAVIGATOR"
    assert status.last_used_time == datetime(2025, 1, 9, 11, 45, tzinfo=UTC)
    relation = run(client(answer("relationship.live")).relationship("x"))
    assert (relation.connected, relation.status) == (False, "NOT_CONNECTED")
    ill = reply(200, {"id": ACCOUNT, "status": "ERROR", "enabled": False})
    assert run(client(ill).account_status()).status == "ERROR"


def test_times_of_the_quota_have_a_space_in_them() -> None:
    quota = run(client(answer("account-quota.live")).account_quota(ACCOUNT))
    views, requests, _ = quota.quotas
    assert views.reset_time == datetime(2025, 1, 10, tzinfo=UTC)
    assert views.limit_reached_time is None
    assert requests.limit_reached_time == datetime(2025, 1, 9, 9, 30, tzinfo=UTC)
    assert (requests.limit_reached, requests.remaining) == (True, 30)


@pytest.mark.parametrize("body", [b"OK", b"", b'"OK"', b"{}", b"[]"])
def test_health_may_answer_anything(body: bytes) -> None:
    assert run(client(reply(200, body)).health()) == {}


def test_health_keeps_what_is_an_object() -> None:
    found = run(client(reply(200, {"status": "ok", "uptime": 5})).health())
    assert (found.first_text("status"), found.first_number("uptime")) == ("ok", 5)


def test_an_endorsement() -> None:
    found = client(answer("endorse-skill.live"))
    done = run(found.endorse_skill("https://linkedin.com/in/x/", random=True))
    assert done.skill_name == "Example Skill 1"
    assert msgspec.json.decode(sent(found)[0].body) == {"profileId": "x", "random": True}


def test_an_endorsement_names_a_skill_or_leaves_it_to_chance() -> None:
    for wrong in (
        EndorseParams(profile_id="x"),
        EndorseParams(profile_id="x", skill_id="1", random=True),
    ):
        with pytest.raises(ConfigurationError, match="either skill_id or random"):
            wrong.check()


def test_people_filters_have_names_and_take_others() -> None:
    found = client(answer("search-people.live"))
    filters = PeopleFilters(first_name="A", connection_degree=["F"], open_to_work=True)
    run(found.search_people(filters=filters).first())
    run(found.search_people("x", filters={"newOne": [1]}, url="https://x.example").first())
    first, second = (msgspec.json.decode(one.body) for one in sent(found))
    assert first == {
        "start": 0,
        "filters": {"firstName": "A", "connectionDegree": ["F"], "openToWork": True},
    }
    assert second == {
        "keywords": "x",
        "start": 0,
        "url": "https://x.example",
        "filters": {"newOne": [1]},
    }


def test_rows_of_searches() -> None:
    page: Any = wire.decode(CONNECTSAFELY, SEARCH_PEOPLE, 200, sample("search-people.live"))
    assert [one.degree for one in page.items] == [2, 3]
    assert page.items[0].name == "Example Person 1"
    assert page.items[0].identity == page.items[0].profile_urn


def test_a_refresh_is_no_safe_call() -> None:
    for made in (ProfileParams, ProfileGetParams):
        assert made(profile_id="x").is_idempotent()
        assert not made(profile_id="x", force_refresh=True).is_idempotent()
