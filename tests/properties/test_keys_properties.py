"""Keys of bulk calls: equal exactly where the calls ask the same thing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lix_async import AsyncConnectSafely, AsyncLix, AsyncLookC
from lix_async.bulk.prepared_call import CallPreparer
from lix_async.core.canonical import Website, canonical_forms, email_form, website_form
from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params
from lix_async.providers.connectsafely.endpoints import TABLE as CONNECTSAFELY
from lix_async.providers.letrics.endpoints import TABLE as LETRICS
from lix_async.providers.lix.endpoints import TABLE as LIX
from lix_async.providers.lookc.endpoints import TABLE as LOOKC
from lix_async.providers.meetalfred.endpoints import TABLE as MEETALFRED

lix = AsyncLix("key", viewer_id="me")
safely = AsyncConnectSafely("key")
CATALOGUES = [LIX, LOOKC, CONNECTSAFELY, LETRICS, MEETALFRED]
METHODS: list[Callable[..., Any]] = [
    lix.people.get,
    lix.people.posts,
    lix.people.employment,
    lix.people.extended,
    lix.contact.email,
    lix.organisations.get,
    lix.organisations.by_website,
    lix.search.people,
    safely.profile,
]
names = st.from_regex(r"[a-z0-9-]{0,6}[a-z][a-z0-9-]{0,20}", fullmatch=True)
links = st.builds(
    "{}linkedin.com/{}/{}{}".format,
    st.sampled_from(["https://www.", "https://", "http://", "https://uk.", ""]),
    st.sampled_from(["in", "company", "school", "jobs/view"]),
    names | st.sampled_from(["", "person", "Ada", "ad%61", "12", "a?x=1"]),
    st.sampled_from(["", "/"]),
)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
@given(many=st.lists(links, max_size=6))
@example(many=["https://www.linkedin.com/in/ada", "https://linkedin.com/in/in/"])
def test_a_key_from_a_template_equals_the_key_of_the_call(
    method: Callable[..., Any], many: list[str]
) -> None:
    caller = CallPreparer(method)
    for link in many:
        try:
            call = caller.call(link)
        except ConfigurationError as error:
            with pytest.raises(ConfigurationError, match=r".") as caught:
                caller.call_key(link)
            assert str(caught.value) == str(error)
            continue
        found = caller.call_key(link)
        assert (found.key, found.row) == (call.key, call.row)


def test_only_the_first_of_similar_links_needs_a_call() -> None:
    caller = CallPreparer(lix.people.get)
    made = [caller.call_key(f"https://www.linkedin.com/in/{name}").call for name in ("ada", "bob")]
    assert made[0] is not None
    assert made[1] is None


# Texts with what each asks for: the generators know it, the code has to find it out.
Asked = tuple[str, object]
ENCODED = ("ACoAABcDeFgHiJkL", "ACoAABcdEfGhIjKl", "ACwAABcDeFgHiJkL")
WWW = "https://www.linkedin.com"


@st.composite
def profiles(draw: st.DrawFn) -> Asked:
    name = draw(st.sampled_from(["ada", "józef", "straße", "strasse", "1441", *ENCODED]))
    forms = [
        "https://www.linkedin.com/in/{}",
        "http://uk.LinkedIn.com/in/{}/en?trk=x#about",
        "linkedin.com/in/{}/",
        "https://www.linkedin.com/mwlite/in/{}?sid=1",
    ]
    if name in ENCODED:
        forms += [
            "https://www.linkedin.com/sales/lead/{},NAME_SEARCH,smpl",
            "linkedin.com/sales/people/{}",
            "https://www.linkedin.com/talent/profile/{}?project=1",
            "https://www.linkedin.com/talent/hire/1/discover/search/profile/{}",
            "urn:li:fsd_profile:{}",
            "urn:li:fs_profile:{}",
            "urn:li:fs_salesProfile:({},NAME_SEARCH,smpl)",
        ]
        return draw(st.sampled_from(forms)).format(name), name
    written = draw(st.sampled_from([name, name.replace("a", "A"), name.upper()]))
    if "ß" in name:  # in capitals it is another name
        written = name.replace("s", "S")
    written = draw(st.sampled_from([written, quote(written), quote(quote(written))]))
    return draw(st.sampled_from(forms)).format(written), name


@st.composite
def companies(draw: st.DrawFn) -> Asked:
    digits = draw(st.sampled_from(["1441", "1442"]))
    forms = [
        "https://www.linkedin.com/company/{}",
        "linkedin.com/school/{}/about/",
        "https://www.linkedin.com/sales/company/{}?trk=x",
        "https://www.linkedin.com/sales/accounts/insights?companyId={}",
        "urn:li:organization:{}",
        "urn:li:fs_salesCompany:{}",
    ]
    return draw(st.sampled_from(forms)).format(digits), digits


@st.composite
def searches(draw: st.DrawFn) -> Asked:
    start = draw(
        st.sampled_from([f"{WWW}/search/results/people/", f"{WWW}/in/ada", "http://linkedin.com/"])
    )
    mark = draw(st.sampled_from("?#"))
    words = draw(st.sampled_from(["cto", "ceo", "CTO", "c%74o", "cto%20", "&", "(a:List(b,c))"]))
    kept = [f"keywords={words}", *draw(st.permutations(["pages=1", "siding=x"]))]
    ignored = ["sid=a", "sessionId=%2B", "trk=x?y", "origin=G", "origin="]
    position = draw(st.sampled_from([[], ["page=2"], ["page=3"]]))
    if not position:  # of several positions, the last one counts
        ignored += ["page=1", "page=", "start=0"]
    kept += position
    parts = list(kept)
    for one in draw(st.lists(st.sampled_from(ignored), max_size=3)):
        parts.insert(draw(st.integers(0, len(parts))), one)
    return f"{start}{mark}{'&'.join(parts)}", (start, mark, *kept)


@st.composite
def websites(draw: st.DrawFn) -> Asked:
    hosts = {"acme.com": "ACME.com", "acme.co": "Acme.co", "www.acme.com": "WWW.acme.com"}
    hosts |= {"xn--strae-oqa.de": "straße.de", "strasse.de": "STRASSE.de"}
    host = draw(st.sampled_from(sorted(hosts)))
    written = draw(st.sampled_from([host, hosts[host]]))
    scheme = draw(st.sampled_from(["", "https://", "Http://", "//"]))
    tail = draw(st.sampled_from(["", "/", ":443", ".", "./de?x=1", "#top", ":80/a@b"]))
    return f"{scheme}{written}{tail}", host


@st.composite
def addresses(draw: st.DrawFn, blanks: tuple[str, ...] = ("", " ", "\t")) -> Asked:
    local = draw(st.sampled_from(["ada", "ada+x", "straße", "strasse", "é", "É"]))
    domain = draw(st.sampled_from(["acme.com", "xn--strae-oqa.de", "strasse.de"]))
    written = draw(st.sampled_from([local, local.replace("a", "A").replace("s", "S")]))
    written = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), written)
    host = draw(
        st.sampled_from([domain, domain.replace("xn--strae-oqa", "straße"), domain.upper()])
    )
    blank = draw(st.sampled_from(blanks))
    return f"{blank}{written}@{host}{blank}", (local, domain)


ASKING: list[tuple[Callable[..., Any], str, st.SearchStrategy[Asked]]] = [
    (lix.people.get, "profile_link", profiles()),
    (lix.people.posts, "profile_link", profiles()),
    (lix.contact.email, "url", profiles()),
    (lix.connections.send, "profile_link", profiles()),
    (lix.organisations.get, "linkedin_url", companies()),
    (lix.organisations.get, "sales_nav_url", companies()),
    (lix.organisations.followers, "profile_link", companies()),
    (lix.organisations.by_website, "website", websites()),
    (lix.people.get, "email", addresses()),
    (AsyncLookC("key").person_by_email, "email", addresses(blanks=("",))),
    (lix.search.people, "url", searches()),
    (lix.search.posts, "url", searches()),
    (safely.search_people, "url", searches()),
]


@pytest.mark.parametrize(
    ("method", "param", "texts"), ASKING, ids=[f"{one[0].__name__}-{one[1]}" for one in ASKING]
)
@given(data=st.data())
def test_keys_are_equal_exactly_where_the_same_is_asked(
    method: Callable[..., Any], param: str, texts: st.SearchStrategy[Asked], data: st.DataObject
) -> None:
    caller = CallPreparer(method)
    (one, asked), (two, also_asked) = data.draw(texts), data.draw(texts)
    keys = [caller.call({param: text}).key for text in (one, two)]
    assert (keys[0] == keys[1]) == (asked == also_asked), (one, two)


@pytest.mark.parametrize("name", ["li_flagship_id", "sales_nav_id", "lix_id"])
def test_only_public_names_do_not_depend_on_case(name: str) -> None:
    caller = CallPreparer(lix.people.ids)
    equal = [
        caller.call({name: text}).key == caller.call({name: text.swapcase()}).key
        for text in ("ada-1", ENCODED[0])
    ]
    assert equal == [name == "li_flagship_id", False]


def test_every_link_address_and_website_of_a_catalogue_has_a_form() -> None:
    """A param that is new has to say what it is compared by, or to be listed here."""
    kinds = {row.params for table in CATALOGUES for row in table}
    without = {
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name in kind.__struct_fields__
        if re.search("url|link|email|website|domain|profile_id|flagship|^id$", name)
        and name not in canonical_forms(kind)
        and get_type_hints(kind)[name] not in (bool, bool | None)
    }
    assert without == set()


@pytest.mark.parametrize("host", ["☃.example", "ä..example", "-ä.example", "xn--ä"])
def test_a_website_that_is_no_domain_is_compared_as_it_is(host: str) -> None:
    assert website_form(f"https://{host}/about") == host
    assert email_form(f"Ada@{host}") == f"ada@{host}"


class Described(Params, frozen=True, kw_only=True):
    website: Annotated[Website, msgspec.Meta(min_length=1)]


def test_a_form_is_found_beside_other_annotations() -> None:
    assert canonical_forms(Described)["website"].of is website_form


def test_the_server_is_a_part_of_the_key_unless_it_is_the_providers_own() -> None:
    link = f"{WWW}/in/ada"
    urls = [None, "https://api.lix-it.com/other", "http://127.0.0.1:1", "http://127.0.0.1:2"]
    clients = [AsyncLix("key", base_url=url) for url in urls]
    keys = [CallPreparer(one.people.get).call(link).key for one in clients]
    assert keys[0] == keys[1]
    assert len({*keys}) == 3
    accounts = {CallPreparer(lix.people.get, word).call(link).key for word in ("", "a", "b")}
    assert len(accounts) == 3


UNSENDABLE = ["\ud800", "a\0b", "\udce9", "\\\0"]


@pytest.mark.parametrize("text", UNSENDABLE)
@pytest.mark.parametrize("method", [lix.people.ids, lix.search.people, safely.search_people])
def test_half_characters_and_nulls_are_no_input(method: Callable[..., Any], text: str) -> None:
    caller = CallPreparer(method)
    param = "lix_id" if method == lix.people.ids else "url"
    for given_ in (text, {param: f"{WWW}/{text}"}, {text: "x"}, {param: f"{WWW}/x#{text}"}):
        with pytest.raises(ConfigurationError) as caught:
            caller.call_key(given_)
        str(caught.value).encode()
        assert "\0" not in str(caught.value)


def test_a_backslash_before_u0000_is_a_text() -> None:
    assert CallPreparer(lix.people.ids).call({"lix_id": "a\\u0000"}).key
