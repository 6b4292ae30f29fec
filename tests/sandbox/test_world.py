"""The world: the same seed gives the same records, and every link finds its record."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import urlsplit

import msgspec
import pytest

from lix_async.sandbox.protocol.errors import ErrorReply
from lix_async.sandbox.world import person_bodies
from lix_async.sandbox.world.search_index import SearchIndex
from lix_async.sandbox.world.search_queries import SearchQuery, make_query, query_from_url
from lix_async.sandbox.world.world import World

WORLD = World(seed=1, people=2000, organisations=200)
SEARCH = "https://www.linkedin.com/search/results/people/?keywords="


def profile(world: World, place: int) -> dict[str, object]:
    one = world.person(place)
    return person_bodies.profile(one, world.career(one), world.some_people(2, "peers", one.slug))


def test_the_same_seed_gives_the_same_people() -> None:
    again, other = World(seed=1), World(seed=2)
    assert [profile(again, place) for place in range(200)] == [
        profile(WORLD, place) for place in range(200)
    ]
    names = {WORLD.person(place).slug for place in range(200)}
    assert not names & {other.person(place).slug for place in range(200)}


def test_records_do_not_depend_on_earlier_requests() -> None:
    late, early = World(seed=5), World(seed=5)
    for place in range(50):
        late.person(place)
        late.posts_of(late.person(place))
    assert late.person(77) == early.person(77)
    assert late.companies.at(9) == early.companies.at(9)


def test_slugs_ids_and_links_are_unique() -> None:
    people = [WORLD.person(place) for place in range(2000)]
    assert len({one.slug for one in people}) == len({one.sales_id for one in people}) == 2000
    assert len({one.slug for one in WORLD.companies.listed}) == 200


@pytest.mark.parametrize("place", [0, 1, 1999, 2500, 123_456])
def test_every_link_finds_its_person(place: int) -> None:
    one = WORLD.person(place)
    for link in (
        one.link,
        one.link + "/?trk=x",
        one.link.replace("https://www.", ""),
        one.sales_link,
        f"https://www.linkedin.com/sales/people/{one.sales_id},NAME,abcd",
        f"https://www.linkedin.com/talent/profile/{one.sales_id}",
    ):
        assert WORLD.person_at(link) == one


@pytest.mark.parametrize("place", [0, 199, 200, 5000])
def test_every_link_finds_its_company(place: int) -> None:
    one = WORLD.companies.at(place)
    insights = f"https://www.linkedin.com/sales/accounts/insights?companyId={one.sales_id}"
    for link in (one.link, one.sales_link, insights):
        assert WORLD.companies.by_link(link) == one


def test_an_unknown_link_gets_a_person_made_from_it() -> None:
    one = WORLD.person_at("https://www.linkedin.com/in/Some-Body-12345/")
    assert (one.name, one.slug) == ("Some Body", "some-body-12345")
    assert WORLD.person_at(one.sales_link) == one
    assert World(seed=1).person_by_slug("some-body-12345") == one
    foreign = WORLD.person_by_sales_id("ACwAAxyz123")
    assert foreign.sales_id == "ACwAAxyz123"
    assert WORLD.person_at(foreign.link) == foreign


def test_an_unknown_company_link_gets_its_own_company() -> None:
    one = WORLD.companies.by_link("https://www.linkedin.com/company/some-firm")
    assert one.name == "Some Firm"
    assert WORLD.companies.by_sales_id(one.sales_id) == one
    assert WORLD.companies.by_website("https://www.some-firm.io/about") == [one]
    assert WORLD.companies.by_website(one.domain) == [one]


@pytest.mark.parametrize("slug", ["missing-person", "not-found", "NOT-FOUND-2"])
def test_missing_links_are_unknown_records(slug: str) -> None:
    for ask in (
        lambda: WORLD.person_by_slug(slug),
        lambda: WORLD.companies.by_slug(slug),
        lambda: WORLD.person_by_sales_id(slug),
        lambda: WORLD.posting("404123"),
        lambda: WORLD.post("urn:li:activity:4041"),
    ):
        with pytest.raises(ErrorReply) as caught:
            ask()
        assert (caught.value.status, caught.value.error_type) == (404, "unknown_record")
    assert WORLD.companies.by_website(f"{slug}.example.com") == []


@pytest.mark.parametrize(
    "link",
    ["", "x", "https://example.com/in/a", "https://notlinkedin.com/in/a", "http://[bad", "https://www.linkedin.com/feed/"],
)  # fmt: skip
def test_other_links_than_linkedin_are_rejected(link: str) -> None:
    for ask in (WORLD.person_at, WORLD.companies.by_link):
        with pytest.raises(ErrorReply) as caught:
            ask(link)
        assert caught.value.error_type == "params_invalid"


def test_people_include_the_special_cases_of_the_contract() -> None:
    bodies = [profile(WORLD, place) for place in range(300)]
    text = msgspec.json.encode(bodies).decode()
    assert '"salesNavLink":"https://linkedin.com/sales/company/"' in text
    assert '"endedOn":{}' in text
    assert re.search(r'"numOfEndorsement":"\d+"', text)
    assert re.search(r'"startedOn":\{"year":\d+\}', text)
    assert sum("firstName" in body for body in bodies) in range(100, 200)
    seed = {"description", "location", "name", "twitter", "phone", "aboutSummaryText",
            "salesNavLink", "link", "experience", "education", "skills"}  # fmt: skip
    assert all(seed <= set(body) for body in bodies)


def test_all_addresses_are_in_reserved_domains() -> None:
    bodies = [profile(WORLD, place) for place in range(300)]
    text = msgspec.json.encode([bodies, [one.domain for one in WORLD.companies.listed]]).decode()
    hosts = {urlsplit(url).hostname or "" for url in re.findall(r'https?://[^"]+', text)}
    allowed = ("linkedin.com", "example.com", "example.org")
    assert all(host.endswith(allowed) for host in hosts)
    assert all(WORLD.person(place).email.endswith(".example.com") for place in range(2000))


def test_people_who_match_the_keywords_come_first() -> None:
    found = WORLD.search("people", query_from_url(SEARCH + "Data%20Engineer"), "a")
    titles = [WORLD.person(place).title for place in found[:10]]
    assert set(titles) == {"Data Engineer"}
    assert len(found) > len(titles)


def test_a_sales_navigator_filter_is_read_in_three_encodings() -> None:
    company = WORLD.companies.at(3)
    query = (
        "(filters%3AList((type%3ACURRENT_TITLE%2Cvalues%3AList((text%3AData%2520Engineer%2C"
        "selectionType%3AINCLUDED)))%2C(type%3ACURRENT_COMPANY%2Cvalues%3AList((id%3A"
        f"urn%253Ali%253Aorganization%253A{company.sales_id}%2CselectionType%3AINCLUDED%2C"
        "parent%3A(id%3A0))))))"
    )
    for url in (
        f"https://www.linkedin.com/sales/search/people?query={query}",
        f"https://www.linkedin.com/sales/search/people#sessionId=1&query={query}&page=2",
    ):
        search = query_from_url(url)
        assert search.groups == (("data engineer",), (company.urn,))


def test_the_position_is_not_part_of_the_search() -> None:
    urls = ["?keywords=a", "?keywords=a&page=2", "?page=3&keywords=a", "?page=1&keywords=a&page=9",
            "?keywords=a&start=50", "?keywords=a&page=2#"]  # fmt: skip
    keys = {
        query_from_url("https://www.linkedin.com/search/results/people/" + url).key for url in urls
    }
    assert len(keys) == 1
    sales = "https://www.linkedin.com/sales/search/people#query=(keywords:a)"
    assert query_from_url(sales + "&page=7").key == query_from_url(sales).key


def test_a_search_has_the_same_results_in_each_order() -> None:
    search = query_from_url(SEARCH + "sales")
    one, same, other = (WORLD.search("people", search, order) for order in ("a", "a", "b"))
    assert one == same
    assert one != other
    assert sorted(one) == sorted(other)
    assert len(set(one)) == len(one) == search.total


def test_the_number_of_results_is_several_hundred_or_as_requested() -> None:
    totals = {query_from_url(SEARCH + str(word)).total for word in range(200)}
    assert min(totals) >= 120
    assert max(totals) < 600
    assert len(totals) > 100
    exact = query_from_url(SEARCH + "engineer%20total:137")
    assert len(WORLD.search("people", exact, "x")) == 137
    assert query_from_url(SEARCH + "nothing-matches").total == 0
    assert query_from_url(SEARCH + "qqqqqqqqq").total > 0


def test_a_search_larger_than_the_world_finds_different_people() -> None:
    small = World(seed=3, people=10, organisations=5)
    found = small.search("people", query_from_url(SEARCH + "total:40"), "x")
    assert len({small.person(place).slug for place in found}) == 40


def test_alternatives_and_phrases() -> None:
    assert make_query("k", "cto OR founder").groups == (("cto", "founder"),)
    assert make_query("k", '"head of" NOT').groups == (("head",), ("of",), ("head of",))


def test_parameters_of_linkedins_search_url_are_keywords_too() -> None:
    url = "https://www.linkedin.com/search/results/people/"
    url += "?title=Founder&currentCompany=%5B%2212%22%5D"
    assert query_from_url(url).groups == (("founder",), ("12",))


def test_texts_that_match_more_of_the_search_come_first() -> None:
    index = SearchIndex(1, {"rows": lambda: ["red", "red round", "blue"]})
    found = index.find("rows", SearchQuery("k", (("red",), ("round",)), 5), "x")
    assert found == (1, 0, 2, *found[3:])
    assert set(found[3:]) == {3, 4}


def test_viewers() -> None:
    assert all(WORLD.is_attached(viewer) for viewer in WORLD.viewers)
    assert WORLD.is_attached("ACoAAExample")
    assert not WORLD.is_attached("somebody")
    assert not WORLD.is_attached("unknown-viewer")


def test_the_world_needs_no_web_server() -> None:
    code = (
        "import sys; from lix_async.sandbox.answers import lix; import lix_async.sandbox.world.world;"
        "bad = {'starlette', 'uvicorn'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_empty_world_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        World(people=0)
