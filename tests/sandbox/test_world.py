"""The world: the same seed gives the same records, and every link finds its record."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
import pytest

from lix_async.sandbox.protocol.errors import ErrorReply
from lix_async.sandbox.world import person_bodies
from lix_async.sandbox.world.careers import schools_of
from lix_async.sandbox.world.people import PersonRecord
from lix_async.sandbox.world.posts import written_at
from lix_async.sandbox.world.search_filters import FilterValue, SearchFilter, make_filter
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
        assert search.filters == (
            SearchFilter("company", (FilterValue("", company.urn),)),
            SearchFilter("title", (FilterValue("Data Engineer", ""),)),
        )


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


def test_parameters_of_linkedins_search_url_are_filters() -> None:
    url = "https://www.linkedin.com/search/results/people/"
    url += "?title=founder&currentCompany=%5B%2212%22%5D"
    assert query_from_url(url).filters == (
        SearchFilter("company", (FilterValue("", "12"),)),
        SearchFilter("title", (FilterValue("Founder", ""),)),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/search/results/people/?keywords=head%20of", "/search/results/people?keywords=Head+OF"),
        ("/jobs/search/?keywords=a&location=B", "/jobs/search/?location=b&keywords=A&start=25"),
        ('/search/results/people/?industry=["4","6"]', '/search/results/people/?industry=["6","4"]'),
        (
            "/sales/search/people?query=(keywords:cto,filters:List((type:REGION,values:List("
            "(text:London,selectionType:INCLUDED),(text:Paris,selectionType:INCLUDED)))))",
            "/sales/search/people#query=(filters%3AList((type%3AREGION%2Cvalues%3AList("
            "(text%3Aparis%2CselectionType%3AINCLUDED)%2C(text%3ALONDON%2CselectionType%3AINCLUDED)"
            "))))%2Ckeywords%3ACTO)&sessionId=abc",
        ),
    ],
)  # fmt: skip
def test_a_search_is_the_same_however_it_is_written(one: str, other: str) -> None:
    first, second = (query_from_url(f"https://www.linkedin.com{path}") for path in (one, other))
    assert first == second
    assert first != query_from_url(f"https://www.linkedin.com{one}".replace("a", "z"))


def leads(**filters: str) -> SearchQuery:
    made = [make_filter(name, [(value, "")]) for name, value in filters.items()]
    return make_query("leads", "", made)


def test_people_of_a_search_pass_its_filters() -> None:
    world = World(seed=7, people=200, organisations=20)
    query = leads(title="cto", place="london")
    found = world.search("people", query, "x")
    assert len(found) == query.total
    people = [world.person(index) for index in found]
    assert {one.location for one in people} == {"London, England, United Kingdom"}
    assert {one.title for one in people} == {"CTO"}
    assert len({one.slug for one in people}) == len(people)
    for one in people[:3]:
        assert world.person_at(one.link) == world.person_at(one.sales_link) == one
        assert world.career(one)[0].title == "CTO"
    world.advance(400)
    assert world.person(found[0]).title == "CTO"


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"seniority": "CXO"}, lambda world, one: one.seniority == "CXO"),
        ({"seniority": "CXO", "function": "Design"}, lambda world, one: one.function == "Design"),
        ({"place": "Nordavia"}, lambda world, one: one.place[1] == "Nordavia"),
        ({"industry": "biotechnology"}, lambda world, one: one.industry == "Biotechnology"),
        ({"size": "51-200"}, lambda world, one: one.employer.size == "51-200"),
        ({"company_type": "Nonprofit"}, lambda world, one: one.employer.kind == "Nonprofit"),
        ({"company": "Acme Works"}, lambda world, one: one.employer.name == "Acme Works"),
        ({"first": "ada", "last": "byron"}, lambda world, one: one.name == "Ada Byron"),
        ({"school": "Velmora College"}, lambda world, one: "Velmora College" in schools_of(one)),
        ({"skill": "python"}, lambda world, one: "Python" in one.skills),
        (
            {"past_title": "founder"},
            lambda world, one: "Founder" in [job.title for job in world.career(one)[1:]],
        ),
        (
            {"past_company": "Acme Works"},
            lambda world, one: (
                "Acme Works" in [job.employer.name for job in world.career(one)[1:]]
            ),
        ),
    ],
)  # fmt: skip
def test_each_filter_of_people_filters(
    filters: dict[str, str], passes: Callable[[World, PersonRecord], bool]
) -> None:
    found = WORLD.search("people", leads(**filters), "x")
    assert len(found) >= 120
    assert all(passes(WORLD, WORLD.person(index)) for index in found)


def test_filters_of_companies_jobs_and_posts() -> None:
    accounts = leads(industry="Biotechnology", place="Berlin, Germany", size="11-50")
    companies = [WORLD.organisation(at) for at in WORLD.search("organisations", accounts, "x")]
    assert {(one.industry, one.place[0], one.size) for one in companies} == {
        ("Biotechnology", "Berlin", "11-50")
    }
    jobs = leads(title="Data Engineer", employment="Contract", company="Acme Works")
    postings = [WORLD.posting_at(at) for at in WORLD.search("postings", jobs, "x")]
    assert {(one.title, one.employment, one.employer.name) for one in postings} == {
        ("Data Engineer", "Contract", "Acme Works")
    }
    month = [WORLD.post_at(at) for at in WORLD.search("posts", leads(posted="past-month"), "x")]
    assert month
    assert {written_at(one.activity)[:7] for one in month} == {"2025-05"}


def test_excluded_values_and_filters_that_this_world_does_not_have() -> None:
    without = make_filter("seniority", [], [("CXO", "")])
    found = WORLD.search("people", make_query("x", "", [without]), "x")
    assert found
    assert "CXO" not in {WORLD.person(index).seniority for index in found}
    both = make_filter("seniority", [("CXO", "")], [("CXO", "")])
    assert not WORLD.search("people", make_query("x", "", [both]), "x")
    groups = [make_filter("group", [(text, "")]) for text in ("a", "b")]
    one, two = (WORLD.search("people", make_query("x", "total:2000", [g]), "x") for g in groups)
    assert set(one) != set(two)
    assert not WORLD.search("people", leads(title="nothing-matches"), "x")


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
