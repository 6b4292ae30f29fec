"""Search URLs: the vendor's examples, LinkedIn's own URLs, and round trips of any text."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async import linkedin
from lix_async.core.errors import ConfigurationError
from lix_async.core.pagination import number_in_url, with_number_in_url
from lix_async.linkedin import FACETS, Filter, SalesSearch, Value, restli

LEADS = "https://www.linkedin.com/sales/search/people"
GOOGLE = Value("Google", id="urn:li:organization:1441")


@dataclass(frozen=True)
class Item:
    id: str | None
    display_value: str | None


def test_a_lead_search_equals_that_of_the_vendors_program() -> None:
    url = linkedin.lead_search(
        linkedin.current_title(Value("Software Engineer", id="9")),
        linkedin.current_company(Item("urn:li:organization:1441", "Google")),
    )
    assert url == (
        f"{LEADS}?query=(filters%3AList%28%28type%3ACURRENT_TITLE%2Cvalues%3AList%28%28id%3A9%2C"
        "text%3ASoftware%2520Engineer%2CselectionType%3AINCLUDED%29%29%29%2C%28type%3A"
        "CURRENT_COMPANY%2Cvalues%3AList%28%28id%3Aurn%253Ali%253Aorganization%253A1441%2C"
        "text%3AGoogle%2CselectionType%3AINCLUDED%2Cparent%3A%28id%3A0%29%29%29%29%29)"
    )
    inner = (
        "List((type:CURRENT_TITLE,values:List((id:9,text:Software%20Engineer,selectionType:INCLUDED"
        "))),(type:CURRENT_COMPANY,values:List((id:urn%3Ali%3Aorganization%3A1441,text:Google,"
        "selectionType:INCLUDED,parent:(id:0)))))"
    )
    assert url == f"{LEADS}?query=(filters%3A{quote(inner, safe='')})"


def test_keywords_with_filters_and_excluded_values() -> None:
    url = linkedin.lead_search(
        linkedin.current_title("C.E.O., (acting)", Value("50% owner", excluded=True)),
        keywords='"marketing agency" OR 100%',
    )
    query = parse_qs(urlsplit(url).query)["query"][0]
    assert query == (
        "(filters:List((type:CURRENT_TITLE,values:List((text:C.E.O.%2C%20%28acting%29,"
        "selectionType:INCLUDED),(text:50%25%20owner,selectionType:EXCLUDED)))),"
        "keywords:%22marketing%20agency%22%20OR%20100%25)"
    )
    assert linkedin.account_search(linkedin.region(Value("", id="1"))) == (
        "https://www.linkedin.com/sales/search/company?query=(filters%3AList%28%28type%3AREGION"
        "%2Cvalues%3AList%28%28id%3A1%2CselectionType%3AINCLUDED%29%29%29%29)"
    )
    assert linkedin.lead_search(keywords="lix") == f"{LEADS}?query=(keywords%3Alix)"


FROM_A_BROWSER = {
    # The sample of the first page: recent search and spelling correction belong to the session.
    f"{LEADS}?query=(spellCorrectionEnabled%3Atrue%2CrecentSearchParam%3A(id%3A2154062338%2C"
    "doLogHistory%3Atrue)%2Ckeywords%3Alix)&sessionId=GumqcP8vR0aPVWr3cNR74A%3D%3D": SalesSearch(
        (), "lix"
    ),
    # Brackets not encoded, values with extra fields, parameters after `#`.
    f"{LEADS}#page=2&query=(filters%3AList((type%3AREGION%2Cvalues%3AList((id%3A102095887%2Ctext%3A"
    "California%252C%2520United%2520States%2CselectionType%3AINCLUDED%2CcontainsChildren%3Afalse%2C"
    "selectedChildren%3AList())))%2C(type%3ACURRENT_COMPANY%2Cvalues%3AList((id%3Aurn%253Ali%253A"
    "salesList%253A7%2Ctext%3ATop%2CselectionType%3AEXCLUDED%2Cparent%3A(id%3A1)%2Cicon%3Alist))"
    ")))": (
        SalesSearch(
            (
                linkedin.region(Value("California, United States", id="102095887")),
                linkedin.current_company(
                    Value("Top", id="urn:li:salesList:7", excluded=True, parent="1")
                ),
            )
        )
    ),
    # Written by hand: without the second level, with and without a comma in the words.
    f"{LEADS}?query=(filters:List((type:REGION,values:List((id:1,text:New%20York)))))": SalesSearch(
        (linkedin.region(Value("New York", id="1")),)
    ),
    f"{LEADS}?query=(filters:List((type:REGION,values:List((text:Bonn%2C%20DE)))))": SalesSearch(
        (linkedin.region("Bonn, DE"),)
    ),
    f"{LEADS}?query=()": SalesSearch(),
}


@pytest.mark.parametrize(("url", "search"), FROM_A_BROWSER.items())
def test_a_url_copied_from_linkedin_is_read(url: str, search: SalesSearch) -> None:
    assert linkedin.parse_lead_search(url) == search


@pytest.mark.parametrize(
    "url",
    [
        "https://www.linkedin.com/sales/search/company?query=(keywords%3Alix)",
        "https://evil.example/sales/search/people?query=(keywords%3Alix)",
        f"{LEADS}?savedSearchId=1",
        f"{LEADS}?query=",
        f"{LEADS}?query=lix",
        f"{LEADS}?query=(keywords:lix",
        f"{LEADS}?query=(keywords:lix))",
        f"{LEADS}?query=(lix)",
        f"{LEADS}?query=(keywords:(lix)",
        f"{LEADS}?query=(keywords:%FF)",
        f"{LEADS}?query=(keywords:(a:b))",
        f"{LEADS}?query=(filters:all)",
        f"{LEADS}?query=(filters:List(REGION))",
        f"{LEADS}?query=(filters:List((type:ANNUAL_REVENUE,rangeValue:(min:1,max:10))))",
        f"{LEADS}?query=(filters:List((type:REGION,values:List())))",
        f"{LEADS}?query=(filters:List((type:REGION,values:List(1))))",
        f"{LEADS}?query=(filters:List((type:REGION,values:List((id:1,selectionType:MAYBE)))))",
        f"{LEADS}?query=(filters:List((type:REGION,values:List((id:List(1))))))",
        f"{LEADS}?query={'(a:' * 5000}",
        f"{LEADS}?query={'List(' * 5000}",
    ],
)
def test_a_query_that_cannot_be_read_completely_is_rejected(url: str) -> None:
    with pytest.raises(ConfigurationError):
        linkedin.parse_lead_search(url)


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (linkedin.people_search, "/search/results/people/"),
        (linkedin.post_search, "/search/results/content/"),
        (linkedin.org_search, "/search/results/companies/"),
        (linkedin.job_search, "/jobs/search/"),
    ],
)
def test_plain_searches(build: Callable[..., str], path: str) -> None:
    url = build("R&D, Köln", first_name="J/", f_WT=["2", "3"])
    listed = "2%2C3" if path == "/jobs/search/" else "%5B%222%22%2C%223%22%5D"
    assert url == (
        f"https://www.linkedin.com{path}?keywords=R%26D%2C%20K%C3%B6ln&firstName=J%2F&f_WT={listed}"
    )
    assert linkedin.normalise(url) == url
    with pytest.raises(ConfigurationError, match="needs keywords"):
        build()
    with pytest.raises(ConfigurationError, match="invalid search parameter"):
        build(**{"a&b": "c"})


def test_an_empty_search_is_rejected() -> None:
    for attempt in (
        linkedin.lead_search,
        lambda: linkedin.account_search(keywords=""),
        linkedin.current_title,
        lambda: linkedin.region(""),
        lambda: Value("a", id=""),
        lambda: linkedin.region(Item(None, None)),
        lambda: Filter("CURRENT_TITLE),(", ["x"]),
        lambda: linkedin.lead_search(keywords="\ud800"),
    ):
        with pytest.raises(ConfigurationError):
            attempt()


def test_facets_become_filters_of_their_type() -> None:
    berlin = Item("1", "Berlin")
    assert linkedin.of_facet("BING_GEO", berlin) == linkedin.region(Value("Berlin", id="1"))
    assert linkedin.of_facet("SENIORITY", "CXO") == linkedin.seniority("CXO")
    assert linkedin.of_facet("SENIORITY_V2", "CXO") == linkedin.seniority("CXO")
    assert linkedin.of_facet("TITLE", "CXO") == linkedin.current_title("CXO")
    for spelling in ("COMPANY_WITH_LIST", "COMPANY_TITLE"):
        assert linkedin.of_facet(spelling, GOOGLE).values == (
            Value("Google", id=GOOGLE.id, parent="0"),
        )
    assert linkedin.of_facet("COMPANY_SIZE", "11-50") == linkedin.company_size("11-50")
    assert linkedin.of_facet("TENURE", "1") == linkedin.years_of_experience("1")
    for same, build in {
        "INDUSTRY": linkedin.industry,
        "FUNCTION": linkedin.function,
        "SCHOOL": linkedin.school,
        "GROUP": linkedin.group,
        "COMPANY_TYPE": linkedin.company_type,
        "PROFILE_LANGUAGE": linkedin.profile_language,
        "PAST_COMPANY": linkedin.past_company,
        "PAST_TITLE": linkedin.past_title,
    }.items():
        assert same not in FACETS
        assert linkedin.of_facet(same, "x", berlin) == build("x", berlin)
    assert Value.of(berlin, excluded=True) == Value("Berlin", id="1", excluded=True)


def test_a_filter_is_a_value() -> None:
    one = Filter("ANY_TYPE", ["a", GOOGLE])
    assert one == Filter("ANY_TYPE", (Value("a"), GOOGLE))
    assert one == copy.copy(one) == pickle.loads(pickle.dumps(one))
    assert len({one, Filter("ANY_TYPE", ["a", GOOGLE])}) == 1
    assert Filter("CURRENT_TITLE", "CEO") == linkedin.current_title("CEO")


def test_a_built_search_can_be_paginated() -> None:
    url = linkedin.lead_search(linkedin.current_title("page=7&x"), keywords="&page=9")
    assert number_in_url(url, "page", 1) == 1
    third = with_number_in_url(url, "page", 3)
    assert third == f"{url}&page=3"
    assert linkedin.parse_lead_search(third) == linkedin.parse_lead_search(url)
    assert linkedin.same(third, url)


# Hypothesis' default texts have no surrogates, which a URL cannot represent.
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.text("(),:%+&=#? \"'List25C", min_size=1, max_size=12),
)
VALUES = st.builds(Value, WORDS, st.none() | WORDS, st.booleans(), st.none() | WORDS)
FILTERS = st.builds(
    Filter,
    st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True)
    | st.sampled_from(sorted(FACETS.values())),
    st.lists(VALUES, min_size=1, max_size=3),
)


@given(st.lists(FILTERS, max_size=3), WORDS)
def test_a_built_search_is_read_back(filters: list[Filter], keywords: str) -> None:
    for build, parse in (
        (linkedin.lead_search, linkedin.parse_lead_search),
        (linkedin.account_search, linkedin.parse_account_search),
    ):
        url = build(*filters, keywords=keywords)
        assert parse(url) == SalesSearch(tuple(filters), keywords)
        assert linkedin.normalise(url) == url
        assert url.isascii()
        assert not set(urlsplit(url).query) & set(" &#+\"'<>")


@given(WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_plain_searches_are_read_back_by_urllib(words: str, listed: list[str]) -> None:
    url = linkedin.people_search(words, geo_urn=listed)
    found = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert found["keywords"] == [words]
    assert found["geoUrn"][0].startswith('["')
    assert linkedin.normalise(url) == url


NODES = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(NODES)
def test_the_notation_can_represent_any_words(node: restli.Node) -> None:
    assert restli.read(restli.write(node)) == node


@given(st.text("(),:%List ab25\u00e9", max_size=30))
def test_the_notation_is_read_or_rejected(text: str) -> None:
    with suppress(ConfigurationError):
        restli.read(text)
