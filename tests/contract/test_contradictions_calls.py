"""One test for each contradiction between the published descriptions of requests.

Contract: lix.md#contradictions
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from lix_methods import Wire, arguments, client, sample, says

from lix_async import AsyncLix
from lix_async.core.endpoint import Endpoint, org
from lix_async.core.errors import ConfigurationError
from lix_async.core.wire import encode
from lix_async.providers.lix import models as m
from lix_async.providers.lix import params as p
from lix_async.providers.lix.endpoints import BY_ID, TABLE
from lix_async.providers.lix.provider import LIX

pytestmark = pytest.mark.anyio

URL = "https://www.linkedin.com/search/results/people/?keywords=example"


async def test_06_recruiter_search_is_a_get_with_a_json_body() -> None:
    wire = Wire(says({"people": []}))
    await client(wire).recruiter.people([p.SkillFilter("Example", "urn:li:ts_skill:1")]).collect()
    (sent,) = wire.sent
    assert (sent.method, sent.content_type) == ("GET", "application/json")
    assert json.loads(sent.body or b"") == {
        "skills": [
            {
                "text": "Example",
                "entity": "urn:li:ts_skill:1",
                "negated": False,
                "required": False,
                "selected": True,
            }
        ],
        "start": 0,
    }


async def test_07_recruiter_facets_send_both_names_and_try_both_paths() -> None:
    unknown = says(sample("errors/lix.unknown_route"), 404)
    wire = Wire(unknown, says(sample("facets.recruiter")))
    lix = client(wire)
    await lix.recruiter.facets("Javascr", max_items=1).collect()
    await lix.recruiter.facets("Javascr", max_items=1).collect()
    query = "?query=Javascr&q=skill&type=skill&start=0&count=100"
    old, new = "/v1/search/recruiter/facet" + query, "/v1/li/recruiter/search/facet" + query
    assert wire.targets == [old, new, new]


@pytest.mark.parametrize("type_", ["SENIORITY", "COMPANY_TITLE", "SOMETHING_NEW"])
async def test_08_facet_names_are_sent_unchanged(type_: str) -> None:
    wire = Wire(says(sample("facets.sales")))
    await client(wire).sales.facets("E", type_).collect()
    assert f"type={type_}&" in wire.targets[0]
    assert (m.FacetType.SENIORITY, m.FacetType.COMPANY) == ("SENIORITY_V2", "COMPANY_WITH_LIST")


async def test_09_locations_or_location() -> None:
    wire = Wire(says(sample("sales.people_by_filters")))
    lix, place = client(wire), p.Pair("Exampleville", "105")
    await lix.sales.leads_by_filters(locations=place).collect()
    await lix.sales.leads_by_filters(location=place).collect()
    assert "?locations=%5B105%2CExampleville%5D&" in wire.targets[0]
    assert "?location=%5B105%2CExampleville%5D&" in wire.targets[1]
    with pytest.raises(ConfigurationError, match="not both"):
        lix.sales.leads_by_filters(locations=place, location=place)


async def test_10_a_search_of_posts_always_has_a_start() -> None:
    wire = Wire(says({"posts": []}))
    await client(wire).search.posts(URL).collect()
    assert "&start=0" in wire.targets[0]


async def test_17_by_website_has_two_forms_and_two_paths() -> None:
    mixed = {"organisations": [{"org": {"id": "1"}, "profile": {"name": "A"}}, {"name": "B"}]}
    wire = Wire(says(sample("errors/lix.unknown_route"), 404), says(mixed))
    found = await client(wire).organisations.by_website("https://www.example.com/about?x=1")
    assert [one.name for one in found] == ["A", "B"]
    assert wire.targets[0].startswith("/v1/organisations/by-website?website=https%3A%2F%2F")
    assert wire.targets[1].startswith("/v1/organisations/by-domain/www.example.com?")


async def test_20_a_viewer_is_any_text() -> None:
    for viewer in ("example-person-1", "ACoAAEXAMPLE0001", "https://x/y?z"):
        wire = Wire(says(sample("linkedin_account.get")))
        await client(wire).account.linkedin(viewer)
        assert (
            encode(BY_ID["linkedin_account.get"], p.ViewerParams(viewer_id=viewer)).target
            in (wire.targets[0])
        )


def test_21_the_bare_key_or_bearer() -> None:
    styles = {name: (c.place, c.name, c.prefix) for name, c in LIX.credentials.items()}
    assert styles == {
        "raw": ("header", "Authorization", ""),
        "bearer": ("header", "Authorization", "Bearer "),
        "x-api-key": ("header", "X-Api-Key", ""),
        "query": ("query", "api_key", ""),
    }
    assert "auth='raw'" in repr(AsyncLix("key"))


@pytest.mark.parametrize("size", [10, 25])
async def test_22_the_size_of_a_page_does_not_matter(size: int) -> None:
    everybody = [{"link": f"https://www.linkedin.com/in/p{n}"} for n in range(3 * size)]
    pages = [
        says({"people": everybody[at : at + size], "paging": {"count": 25, "total": 3 * size}})
        for at in range(0, 3 * size, size)
    ]
    wire = Wire(*pages)
    found = await client(wire).search.people(URL).collect()
    assert (len(found), len(wire.sent)) == (3 * size, 3)


async def test_23_the_callers_sequence_until_the_server_sends_one() -> None:
    page = {"people": [{"link": "https://www.linkedin.com/in/a"}], "paging": {"total": 3}}
    other = {"people": [{"link": "https://www.linkedin.com/in/b"}], "paging": {"total": 3}}
    last = {"people": [{"link": "https://www.linkedin.com/in/c"}], "paging": {"total": 3}}
    wire = Wire(says(page), says({**other, "meta": {"sequenceId": "theirs"}}), says(last))
    await client(wire).search.people(URL, sequence_id="mine").collect()
    assert [target.rpartition("sequence_id=")[2] for target in wire.targets] == [
        "mine",
        "mine",
        "theirs",
    ]


def test_24_the_price_of_person_ids_is_that_of_the_main_reference() -> None:
    assert BY_ID["ids.person"].credits == org(1)
    assert "1 standard credit" in (AsyncLix("key").people.ids.__doc__ or "")  # the other one


def test_25_a_person_is_requested_by_profile_link() -> None:
    assert list(arguments("person.get")) == ["profile_link", "email", "viewer_id"]
    target = encode(BY_ID["person.get"], p.PersonParams(profile_link="linkedin.com/in/a")).target
    assert target == "/v1/person?profile_link=linkedin.com%2Fin%2Fa"


def test_27_hirers_use_the_path_of_their_heading() -> None:
    row: Endpoint[Any, object] = BY_ID["jobs.hirers"]
    assert row.path == "/v1/li/linkedin/jobs/hirers"


def test_29_every_url_is_https() -> None:
    assert LIX.base_url == "https://api.lix-it.com"
    assert all(row.path.startswith("/v1/") for row in TABLE)
    with pytest.raises(ConfigurationError, match="https"):
        AsyncLix("key", base_url="http://api.lix-it.com")
