"""What links point to: tables of examples, and properties of any text."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import get_args
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async import linkedin
from lix_async.core.errors import ConfigurationError
from lix_async.linkedin import Kind, Link, fields
from lix_async.linkedin.fields import is_linkedin_url

WWW = "https://www.linkedin.com"
MEMBER = "ACoAAEXAMPLE0001"
SALES = "ACwAAEXAMPLE0001"
ACTIVITY = "urn:li:activity:7000000000000000001"
THREAD = "2-RVhBTVBMRS1DT05WRVJTQVRJT04="
QUERY = "(spellCorrectionEnabled%3Atrue%2Ckeywords%3Alix)"

PERSON = Link("person", "example-person-1", f"{WWW}/in/example-person-1")
JOZEF = Link("person", "józef", f"{WWW}/in/j%C3%B3zef")
COMPANY = Link("organisation", "example-org", f"{WWW}/company/example-org")
NUMBERED = Link("organisation", "1441", f"{WWW}/company/1441", "urn:li:organization:1441")
ACCOUNT = Link("account", "1441", f"{WWW}/sales/company/1441", "urn:li:organization:1441")
LEAD = Link("lead", SALES, f"{WWW}/sales/lead/{SALES}")
PROVEN = Link("lead", SALES, LEAD.url, f"urn:li:fs_salesProfile:({SALES},NAME_SEARCH,smpl)")
POST = Link("post", ACTIVITY[16:], f"{WWW}/feed/update/{ACTIVITY}", ACTIVITY)
JOB = Link("job", "3000000001", f"{WWW}/jobs/view/3000000001", "urn:li:jobPosting:3000000001")
CHAT = Link(
    "thread", THREAD, f"{WWW}/messaging/thread/{THREAD}", f"urn:li:messagingThread:{THREAD}"
)
INMAIL = Link(
    "thread", "2-AB==", f"{WWW}/sales/inbox/2-AB==", "urn:li:fs_salesMessagingThread:2-AB=="
)

SPELLINGS = {
    PERSON: [
        f"{WWW}/in/example-person-1",
        "http://linkedin.com/in/example-person-1/",
        "linkedin.com/in/Example-Person-1",
        "//www.linkedin.com/in/example-person-1",
        "HTTPS://DE.LinkedIn.COM./IN/Example-Person-1/de?trk=x#about",
        "m.linkedin.com:443/in/example-person-1/recent-activity/all/",
        f"  <{WWW}/in/example-person-1>\n",
        f"“'{WWW}/in/example-person-1'”",
        f"\u200b{WWW}/in/example-person-1\ufeff",
        f"{WWW}/comm/in/example-person-1?midToken=x",
        f"{WWW}//in//%65xample-person-1",
    ],
    JOZEF: [
        f"{WWW}/in/j%C3%B3zef",
        f"{WWW}/in/j%c3%b3zef",
        f"{WWW}/in/J%C3%93ZEF",
        f"{WWW}/in/józef",
        f"{WWW}/in/jo\u0301zef",
        f"{WWW}/in/j%25C3%25B3zef",
    ],
    Link("person", MEMBER, f"{WWW}/in/{MEMBER}", f"urn:li:fsd_profile:{MEMBER}"): [
        f"{WWW}/in/{MEMBER}/",
        f"urn:li:fsd_profile:{MEMBER}",
        f"urn:li:fs_profile:{MEMBER}",
        f"urn:li:fs_normalized_profile:{MEMBER}",
    ],
    LEAD: [
        f"{WWW}/sales/lead/{SALES}",
        f"https://linkedin.com/sales/lead/{SALES},NAME_SEARCH,undefined",
        f"{WWW}/sales/people/{SALES},NAME",
        f"{WWW}/sales/person/{SALES}%2CNAME%2Cundefined",
        f"https://linkedin.com/sales/{SALES},NAME,undefined",
        f"https://linkedin.com/sales/{SALES}",
    ],
    PROVEN: [
        f"{WWW}/sales/lead/{SALES},NAME_SEARCH,smpl?_ntb=x",
        f"urn:li:fs_salesProfile:({SALES},NAME_SEARCH,smpl)",
    ],
    Link("recruiter", MEMBER, f"{WWW}/talent/profile/{MEMBER}"): [
        f"{WWW}/talent/profile/{MEMBER}?project=1",
        f"{WWW}/talent/search/profile/{MEMBER}",
        f"{WWW}/talent/hire/12/discover/recruiterSearch/profile/{MEMBER}?start=0",
    ],
    Link("recruiter", "123", f"{WWW}/recruiter/profile/123"): [
        f"{WWW}/recruiter/profile/123,AbCd,CAP"
    ],
    Link("person", "ada-example/7/644/b35", f"{WWW}/pub/ada-example/7/644/b35"): [
        f"{WWW}/pub/ada-example/7/644/b35",
        "http://uk.linkedin.com/pub/Ada-Example/7/644/B35/en?trk=x",
    ],
    COMPANY: [
        f"{WWW}/company/Example-Org/about/",
        "uk.linkedin.com/school/example-org",
        f"{WWW}/showcase/example-org/",
    ],
    Link("organisation", "at&t", f"{WWW}/company/at&t"): [
        f"{WWW}/company/at&t",
        f"{WWW}/company/AT%26T/",
    ],
    NUMBERED: [f"{WWW}/company/1441/", "urn:li:fsd_company:1441", "urn:li:organization:1441"],
    ACCOUNT: [
        "https://linkedin.com/sales/company/1441",
        f"{WWW}/sales/accounts/insights?companyId=1441&trk=li_comp_page",
        "urn:li:fs_salesCompany:1441",
    ],
    POST: [
        ACTIVITY,
        f'"{ACTIVITY}"',
        quote(ACTIVITY, safe=""),
        f"{WWW}/feed/update/{ACTIVITY}?commentUrn=7000000000000000009",
        f"{WWW}/feed/update/urn%3Ali%3Aactivity%3A7000000000000000001/",
        f"{WWW}/posts/example-person-1_hiring-activity-7000000000000000001-AbCd?rcm=x",
        f"{WWW}/embed/feed/update/{ACTIVITY}",
        f"urn:li:fsd_update:({ACTIVITY},MAIN_FEED,EMPTY,DEFAULT,false)",
    ],
    Link("post", "7000000000000000002", f"{WWW}/feed/update/urn:li:ugcPost:7000000000000000002",
         "urn:li:ugcPost:7000000000000000002"): [
        f"{WWW}/posts/example-org_ugcPost-7000000000000000002-x-Y_",
        "urn:li:ugcPost:7000000000000000002",
    ],
    JOB: [
        f"{WWW}/jobs/view/3000000001/?refId=x",
        f"{WWW}/jobs/view/engineer-at-example-org-3000000001",
        f"{WWW}/jobs/collections/recommended/?currentJobId=3000000001",
        "urn:li:fsd_jobPosting:3000000001",
    ],
    Link("job_search", "34", f"{WWW}/jobs/search/?currentJobId=34&keywords=lix"): [
        "http://linkedin.com/jobs/search?currentJobId=34&keywords=lix"
    ],
    Link("job_search", url=f"{WWW}/jobs/search-results/?keywords=lix"): [
        "http://linkedin.com/jobs/search-results?keywords=lix"
    ],
    Link("people_search", url=f"{WWW}/search/results/people/?keywords=lix&sid=%40%2Co"): [
        "linkedin.com/search/results/people?keywords=lix&sid=%40%2Co"
    ],
    Link("org_search", url=f"{WWW}/search/results/companies/?keywords=london"): [
        f"{WWW}/search/results/companies/?keywords=london"
    ],
    Link("post_search", url=f"{WWW}/search/results/content/?keywords=lix"): [
        f"{WWW}/search/results/content/?keywords=lix#main"
    ],
    Link("lead_search", url=f"{WWW}/sales/search/people?query={QUERY}&sessionId=G%3D%3D"): [
        f"{WWW}/sales/search/people/?query={QUERY}&sessionId=G%3D%3D"
    ],
    Link("lead_search", url=f"{WWW}/sales/search/people#page=2&query={QUERY}"): [
        f"{WWW}/sales/search/people#page=2&query={QUERY}"
    ],
    Link("account_search", url=f"{WWW}/sales/search/company?query={QUERY}"): [
        f"{WWW}/sales/search/company?query={QUERY}"
    ],
    Link("lead_list", "7000000000000000003", f"{WWW}/sales/lists/people/7000000000000000003"): [
        f"{WWW}/sales/lists/people/7000000000000000003?sortCriteria=X"
    ],
    Link("account_list", "12", f"{WWW}/sales/lists/company/12"): [f"{WWW}/sales/lists/company/12/"],
    CHAT: [
        f"{WWW}/messaging/thread/{THREAD}/",
        f"{WWW}/messaging/thread/2-RVhBTVBMRS1DT05WRVJTQVRJT04%3D",
        f"urn:li:messagingThread:{THREAD}",
    ],
    INMAIL: [f"{WWW}/sales/inbox/2-AB==", "urn:li:fs_salesMessagingThread:2-AB=="],
    Link("unknown", "1001", "", "urn:li:ts_skill:1001"): ["urn:li:ts_skill:1001"],
}  # fmt: skip

NAMELESS = [
    "",
    f"{WWW}/pub/ada-example",
    f"{WWW}/pub/dir/Ada/Example",
    f"{WWW}/pub/dir/Ada/Example/de",
    f"{WWW}/talent/search",
    f"{WWW}/talent/search/profile",
    f"{WWW}/recruiter/profile",
    "   ",
    "linkedin.com",
    f"{WWW}/",
    f"{WWW}/in/",
    f"{WWW}/in/%20",
    f"{WWW}/in/a%2Fb",
    f"{WWW}/in/100%25",
    f"{WWW}/in/%{'25' * 9}41",
    f"{WWW}/in/%FF",
    f"{WWW}/in/%00",
    f"{WWW}/in/..",
    f"{WWW}/in/%2e%2e/company/x",
    f"{WWW}/in/evil\u202egpj",
    f"{WWW}\\in\\x",
    f"{WWW}/company",
    "https://linkedin.com/sales/company/",
    f"{WWW}/sales/company/example-org",
    f"{WWW}/sales/accounts/insights",
    f"{WWW}/sales/lead/undefined,NAME,undefined",
    f"{WWW}/sales/home",
    f"{WWW}/talent/profile/",
    f"{WWW}/jobs/",
    f"{WWW}/jobs/view/engineer",
    f"{WWW}/feed/",
    f"{WWW}/feed/update/",
    f"{WWW}/posts/someone",
    f"{WWW}/pulse/how-to-share-20240101",
    f"{WWW}/groups/100001",
    f"{WWW}/search/results/all/?keywords=x",
    f"{WWW}/sales/lists/people/",
    f"{WWW}/messaging/thread/",
    f"{WWW}/messaging/thread/a%20b",
    "urn:li:activity:x",
    "urn:li:activity:７",
    "urn:li:fsd_profile:someone",
    "urn:li:jobPosting:x",
    "urn:li:messagingThread:{}",
    "urn:li:fs_salesMessagingThread:{}",
    "urn:li:fs_salesProfile:()",
    "urn:li:msg_conversation:(x,)",
    "urn:li:",
    "urn:isbn:1",
    "example-person-1",
    "7000000000000000001",
]

HOSTILE = [
    "https://linkedin.com.evil.example/in/x",
    "https://evil.example/linkedin.com/in/x",
    "https://evil.example?linkedin.com/in/x",
    "https://notlinkedin.com/in/x",
    "https://linkedin.com@evil.example/in/x",
    "https://user:secret@linkedin.com/in/x",
    "https://evil.example\\@www.linkedin.com/in/x",
    "https://evil.example\\.linkedin.com/in/x",
    "https://evil.example%2f.linkedin.com/in/x",
    "https://lin\u212aedin.com/in/x",
    "https://ｌinkedin.com/in/x",
    "https://xn--linkedn-fxa.com/in/x",
    "https://www.linkedin.com:8080/in/x",
    "https://www.linkedin.com\t.evil.example/in/x",
    "https://www.linkedin.com/in/x\r\nHost: evil.example",
    "https://www.linkedin.com/in/\ud800",
    "https://[::1]/in/x",
    "https://[linkedin.com/in/x",
    "https:linkedin.com/in/x",
    "ftp://linkedin.com/in/x",
    "javascript://linkedin.com/%0aalert(1)",
    "data:text/html,linkedin.com/in/x",
    "file:///linkedin.com/in/x",
    "lnkd.in/abc",
    quote(f"{WWW}/in/x", safe=""),
    "/in/x",
]


def _rows(table: dict[Link, list[str]]) -> list[tuple[str, Link]]:
    return [(text, link) for link, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "link"), _rows(SPELLINGS))
def test_classify(text: str, link: Link) -> None:
    assert linkedin.classify(text) == link
    if link.url:
        assert linkedin.normalise(text) == link.url
        assert linkedin.normalise(link.url) == link.url
    else:
        with pytest.raises(ConfigurationError, match="no page of its own"):
            linkedin.normalise(text)


def test_the_examples_have_every_kind() -> None:
    assert {link.kind for link in SPELLINGS} == set(get_args(Kind))


@pytest.mark.parametrize("text", [*NAMELESS, *HOSTILE])
def test_other_texts_are_unknown(text: str) -> None:
    assert linkedin.classify(text) == Link("unknown")
    with pytest.raises(ConfigurationError):
        linkedin.normalise(text)
    assert not linkedin.same(text, text)


def test_an_error_says_what_to_pass_and_shows_no_secret() -> None:
    for text, words in {
        "lnkd.in/abc": "open it",
        quote(WWW, safe=""): "the client encodes it",
        "https://example.com/?api_key=s3cret": "not on linkedin.com",
        quote("https://example.com/?api_key=s3cret", safe=""): "the client encodes it",
        "https://user:s3cret@linkedin.com/in/x": "user name or password",
        "https://user:s3cret\\@www.linkedin.com/": "user name or password",
        "https://linkedin.com/sales/company/": "has no id after /sales/company",
    }.items():
        with pytest.raises(ConfigurationError, match=words) as caught:
            linkedin.normalise(text)
        assert "s3cret" not in str(caught.value)


IDS: list[tuple[Callable[[str], str], str, str]] = [
    (linkedin.public_identifier, "linkedin.com/in/J%C3%93ZEF/", "józef"),
    (linkedin.public_identifier, " Example-Person-1 ", "example-person-1"),
    (linkedin.public_identifier, MEMBER, MEMBER),
    (linkedin.sales_nav_id, f"https://linkedin.com/sales/{SALES},NAME,undefined", SALES),
    (linkedin.sales_nav_id, f"urn:li:fs_salesProfile:({SALES},NAME_SEARCH,smpl)", SALES),
    (linkedin.sales_nav_id, SALES, SALES),
    (linkedin.company_id, f"{WWW}/company/Example-Org", "example-org"),
    (linkedin.company_id, f"{WWW}/company/booking.com", "booking.com"),
    (linkedin.company_id, "https://linkedin.com/sales/company/1441", "1441"),
    (linkedin.company_id, f"{WWW}/sales/accounts/insights?companyId=1441", "1441"),
    (linkedin.company_id, "urn:li:organization:1441", "1441"),
    (linkedin.company_id, "Example-Org", "example-org"),
    (linkedin.post_urn, f"{WWW}/posts/x-activity-7000000000000000001-AbCd", ACTIVITY),
    (linkedin.post_urn, "7000000000000000001", ACTIVITY),
    (linkedin.post_urn, "urn:li:share:7000000000000000001", "urn:li:share:7000000000000000001"),
    (linkedin.job_id, f"{WWW}/jobs/view/engineer-at-x-3000000001", "3000000001"),
    (linkedin.job_id, f"{WWW}/jobs/search/?keywords=a&currentJobId=3436671233", "3436671233"),
    (linkedin.job_id, "3000000001", "3000000001"),
]

WRONG: list[tuple[Callable[[str], str], str]] = [
    (linkedin.public_identifier, f"{WWW}/company/x"),
    (linkedin.public_identifier, "john doe"),
    (linkedin.public_identifier, "a@example.com"),
    (linkedin.public_identifier, ""),
    (linkedin.sales_nav_id, "example-person-1"),
    (linkedin.sales_nav_id, f"{WWW}/in/example-person-1"),
    (linkedin.company_id, "https://linkedin.com/sales/company/"),
    (linkedin.company_id, "example.com"),
    (linkedin.company_id, PERSON.url),
    (linkedin.post_urn, "123"),
    (linkedin.post_urn, JOB.url),
    (linkedin.job_id, f"{WWW}/jobs/search/?keywords=a"),
    (linkedin.job_id, "engineer"),
]


@pytest.mark.parametrize(("read", "text", "id_"), IDS)
def test_an_id_is_read_from_every_form(read: Callable[[str], str], text: str, id_: str) -> None:
    assert read(text) == id_
    if "." not in id_:
        assert read(id_) == id_


@pytest.mark.parametrize(("read", "text"), WRONG)
def test_an_id_of_another_kind_is_rejected(read: Callable[[str], str], text: str) -> None:
    with pytest.raises(ConfigurationError):
        read(text)


SAME = [
    ("linkedin.com/in/J%C3%B3zef", "https://de.linkedin.com/in/józef/de?x=1"),
    ("linkedin.com/in/example-person-1", "Example-Person-1"),
    ("example-org", f"{WWW}/company/example-org"),
    (f"{WWW}/company/1441", "https://linkedin.com/sales/company/1441"),
    (f"{WWW}/sales/people/{MEMBER},NAME", f"{WWW}/talent/profile/{MEMBER}"),
    (f"{WWW}/in/{MEMBER}", f"{WWW}/sales/lead/{MEMBER},NAME_SEARCH,smpl"),
    (SALES, f"https://linkedin.com/sales/{SALES},NAME,undefined"),
    (POST.url, "7000000000000000001"),
    (JOB.url, "3000000001"),
    ("urn:li:ts_skill:1001", "URN:LI:ts_skill:1001"),
    (f"urn:li:msg_conversation:(urn:li:fsd_profile:{MEMBER},{THREAD})", CHAT.url),
    (
        f"{WWW}/search/results/people/?keywords=x&page=2&sid=a",
        "linkedin.com/search/results/people?keywords=x",
    ),
    (
        f"{WWW}/sales/search/people#page=2&query={QUERY}&sessionId=1",
        f"{WWW}/sales/search/people#query={QUERY}",
    ),
]

OTHER = [
    (f"{WWW}/in/{MEMBER}", f"{WWW}/in/{MEMBER.swapcase()}"),
    (f"{WWW}/in/1441", f"{WWW}/sales/lead/1441"),
    (f"{WWW}/in/ada", f"{WWW}/sales/lead/ada"),
    (PERSON.url, JOZEF.url),
    (PERSON.url, f"{WWW}/company/example-person-1"),
    (PERSON.url, "someone else"),
    ("example-person-1", "example-person-1"),
    (POST.url, "urn:li:share:7000000000000000001"),
    (CHAT.url, THREAD),
    (f"{WWW}/search/results/people/?keywords=x", f"{WWW}/search/results/people/?keywords=y"),
]


def test_same() -> None:
    for one, two in SAME:
        assert linkedin.same(one, two), (one, two)
        assert linkedin.same(two, one), (one, two)
    for one, two in OTHER:
        assert not linkedin.same(one, two), (one, two)
        assert not linkedin.same(two, one), (one, two)


SLUGS = st.text(
    st.characters(categories=("L", "M", "N", "So"), include_characters="-&'.+!(),"), min_size=1
).filter(lambda slug: slug not in (".", ".."))


@given(SLUGS)
def test_every_form_of_a_name_has_one_normal_form(slug: str) -> None:
    whole = linkedin.normalise(f"{WWW}/in/{slug}")
    assert linkedin.normalise(whole) == whole
    assert whole.isascii()
    assert (
        linkedin.normalise(f" <http://De.linkedin.com/in/{quote(slug, safe='')}/fr?a=b> ") == whole
    )
    assert linkedin.normalise(f"{WWW}/in/{linkedin.public_identifier(whole)}") == whole
    assert linkedin.same(whole, f"{WWW}/in/{slug}")


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *"/?#&=:@%,.()<>'\"\\\n\x00\ud800",
                *("https://", "www.linkedin.com", "/in/", "/sales/", "company/", "search/people"),
                *("?query=(", "urn:li:", "activity:", "1441", "%25", "%FF"),
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=12,
).map("".join)
BEGINNINGS = st.sampled_from(["", f"{WWW}/", f"{WWW}/in/", f"{WWW}/sales/search/people?"])


@given(st.builds("".join, st.tuples(BEGINNINGS, PIECES)))
def test_classify_never_raises(text: str) -> None:
    link = linkedin.classify(text)
    assert link.url == "" or link.url.startswith(f"{WWW}/")
    if link.url:
        again = linkedin.classify(link.url)
        assert (again.kind, again.id, again.url) == (link.kind, link.id, link.url)
        assert linkedin.same(text, link.url)


def test_the_network_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    for text, _ in _rows(SPELLINGS):
        linkedin.classify(text)


@given(
    host=st.sampled_from(["www.linkedin.com", "linkedin.com"]),
    folder=st.sampled_from(["in", "company"]),
    slug=st.text("abcz019-", min_size=1, max_size=12),
    end=st.sampled_from(["", "/"]),
)
def test_the_fast_path_equals_the_general_one(host: str, folder: str, slug: str, end: str) -> None:
    text = f"https://{host}/{folder}/{slug}{end}"
    assert linkedin.classify(text) == linkedin.classify(
        f"{text}?"
    )  # the `?` excludes the fast path


@pytest.mark.parametrize(
    ("link", "profile", "company", "lead", "account"),
    [
        ("https://www.linkedin.com/in/Example-Person-1/", "example-person-1", None, None, None),
        ("uk.linkedin.com/in/j%C3%BCrgen/en?trk=x#y", "jürgen", None, None, None),
        ("https://www.linkedin.com/company/Example-Org/about", None, "example-org", None, None),
        ("https://www.linkedin.com/school/example/", None, "example", None, None),
        ("https://linkedin.com/sales/lead/ACoA,NAME_SEARCH,undefined", None, None, "ACoA", None),
        ("https://linkedin.com/sales/people/ACoA,NAME", None, None, "ACoA", None),
        ("https://linkedin.com/sales/company/1000001", None, None, None, "1000001"),
        ("https://linkedin.com/sales/company/", None, None, None, None),
        ("https://www.linkedin.com/sales/accounts/insights?companyId=7&x=1", None, None, None, "7"),
        ("https://www.linkedin.com/comm/in/Ada?midToken=x", "ada", None, None, None),
        ("https://linkedin.com/in/", None, None, None, None),
        ("https://example.com/in/a", None, None, None, None),
        ("", None, None, None, None),
        (None, None, None, None, None),
    ],
)
def test_ids_read_from_links_in_answers(
    link: str | None,
    profile: str | None,
    company: str | None,
    lead: str | None,
    account: str | None,
) -> None:
    assert fields.profile_slug(link) == profile
    assert fields.company_slug(link) == company
    assert fields.sales_lead_id(link) == lead
    assert fields.sales_company_id(link) == account


@pytest.mark.parametrize(
    ("url", "whole", "bare"),
    [
        ("https://www.linkedin.com/in/a", True, True),
        ("HTTP://de.LinkedIn.com", True, True),
        ("linkedin.com/in/a", False, True),
        ("//linkedin.com/in/a", False, False),
        ("https://linkedin.com.evil.com/in/a", False, False),
        ("https://user@linkedin.com/in/a", False, False),
        ("https://linkedin.com:443/in/a", False, False),
        ("https://linkedin.com/in/a b", False, False),
        ("https://linkedin.com/in/a\n", False, False),
        ("", False, False),
    ],
)
def test_is_linkedin_url(url: str, whole: bool, bare: bool) -> None:
    assert is_linkedin_url(url) is whole
    assert is_linkedin_url(url, bare=True) is bare


def test_an_old_address_has_no_public_identifier() -> None:
    with pytest.raises(ConfigurationError, match="redirects"):
        linkedin.public_identifier(f"{WWW}/pub/ada-example/7/644/b35")


URNS = {
    fields.sent_link: {
        f"urn:li:fsd_profile:{MEMBER}": f"{WWW}/in/{MEMBER}",
        f"urn%3Ali%3Afs_salesProfile%3A({SALES},NAME,x)": LEAD.url,
        "urn:li:fs_salesCompany:1441": ACCOUNT.url,
    },
    fields.sent_company_link: {"urn:li:fs_salesCompany:1441": NUMBERED.url},
    fields.sent_account_link: {"urn:li:organization:1441": ACCOUNT.url},
}


@pytest.mark.parametrize("send", URNS)
def test_a_urn_is_sent_as_the_page_that_is_wanted(send: Callable[[str], str]) -> None:
    for urn, url in URNS[send].items():
        assert send(urn) == url
    for link in (f"{WWW}/in/ada", "https://linkedin.com/sales/company/1441?x", "", "x"):
        assert send(link) == link
    for urn in ("urn:li:member:12", "urn:x"):
        with pytest.raises(ConfigurationError):
            send(urn)
