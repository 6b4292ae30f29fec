"""Which links and other arguments may be sent to Lix."""

from __future__ import annotations

from typing import Any

import pytest
from lix_methods import Wire, client, says

from lix_async import AsyncLix, ConfigurationError
from lix_async.providers.lix.endpoints import BY_ID

pytestmark = pytest.mark.anyio

EVIL = [
    "https://evil.com/in/a",
    "https://linkedin.com.evil.com/in/a",
    "https://evil.com/linkedin.com/in/a",
    "https://evil.com?x=linkedin.com/in/a",
    "https://evil.com#linkedin.com/in/a",
    "https://notlinkedin.com/in/a",
    "https://linkedin.comx/in/a",
    "https://user:word@linkedin.com/in/a",
    "https://linkedin.com@evil.com/in/a",
    "https://evil.com\\@linkedin.com/in/a",
    "https://evil.com\\.linkedin.com/in/a",
    "https://linkedin.com:8080/in/a",
    "https://linkedin.com./in/a",
    "https://lin\u212aedin.com/in/a",  # the Kelvin sign, which lower() turns into a k
    "https://l\u0131nkedin.com/in/a",
    "https://.linkedin.com/in/a",
    "https:///linkedin.com/in/a",
    "https:linkedin.com/in/a",
    "//linkedin.com/in/a",
    "javascript:alert('https://linkedin.com/in/a')",
    "ftp://linkedin.com/in/a",
    "file:///linkedin.com/in/a",
    "https://linkedin.com/in/a\r\nHost: evil.com",
    "https://linkedin.com/in/a b",
    "https://linkedin.com/in/a\u00a0",
    "https://linkedin.com/in/\x00a",
    " https://linkedin.com/in/a",
    "example-person-1",
    "127.0.0.1",
]
GOOD = [
    "https://www.linkedin.com/in/example-person-1",
    "http://linkedin.com/in/a",
    "HTTPS://WWW.LinkedIn.com/in/a",
    "https://uk.linkedin.com/in/j%C3%BCrgen?trk=x#about",
    "https://www.linkedin.com/in/jürgen",
    "https://www.linkedin.com/sales/lead/ACoAAEXAMPLE0001,NAME_SEARCH,undefined",
    "https://www.linkedin.com/search/results/companies/?keywords=london&sid=o(E",
    "https://www.linkedin.com?x=1",
    "https://www.linkedin.com",
]
BARE = ["linkedin.com/in/a", "www.linkedin.com/in/a", "de.linkedin.com/in/a"]
FIELDS = [
    ("person.get", "profile_link", {}),
    ("person.employment", "profile_link", {}),
    ("person.extended", "profile_link", {}),
    ("activity.posts", "profile_link", {}),
    ("organisation.by_linkedin", "linkedin_url", {}),
    ("organisation.by_linkedin", "sales_nav_url", {}),
    ("organisation.followers", "profile_link", {"viewer_id": "v"}),
    ("connections.send", "profile_link", {"viewer_id": "v"}),
    ("contact.email_by_linkedin", "url", {}),
    ("search.people", "url", {}),
    ("search.jobs", "url", {}),
    ("search.posts", "url", {}),
    ("search.orgs", "url", {}),
    ("sales.search_people", "url", {}),
    ("sales.search_people_post", "url", {}),
    ("sales.search_orgs", "url", {}),
]


def check(id_: str, name: str, value: str, beside: dict[str, object]) -> None:
    BY_ID[id_].params(**{name: value, **beside}).check()


@pytest.mark.parametrize(("id_", "name", "beside"), FIELDS)
def test_only_linkedin_gets_through(id_: str, name: str, beside: dict[str, object]) -> None:
    for url in EVIL:
        with pytest.raises(ConfigurationError, match=f"{name} must be a URL on linkedin.com"):
            check(id_, name, url, beside)
    with pytest.raises(ConfigurationError, match=name):
        check(id_, name, "", beside)
    for url in GOOD:
        check(id_, name, url, beside)


@pytest.mark.parametrize(("id_", "name", "beside"), FIELDS)
def test_profiles_may_lack_the_scheme_and_searches_not(
    id_: str, name: str, beside: dict[str, object]
) -> None:
    search = ".search" in id_ or id_.startswith("search.")
    for url in BARE:
        if search:
            with pytest.raises(ConfigurationError, match="as the browser shows it"):
                check(id_, name, url, beside)
        else:
            check(id_, name, url, beside)


def test_a_refusal_does_not_repeat_what_may_be_a_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check("person.get", "profile_link", "https://user:hunter2@linkedin.com/in/a", {})
    assert "hunter2" not in str(caught.value)


def calls(lix: AsyncLix, url: str) -> list[Any]:
    return [
        lambda: lix.people.get(url),
        lambda: lix.contact.email(url),
        lambda: lix.connections.send(url, viewer_id="v"),
        lambda: lix.search.people(url).collect(),
        lambda: lix.people.posts(url).collect(),
    ]


@pytest.mark.parametrize("url", [EVIL[0], EVIL[1], EVIL[7], EVIL[19], ""])
async def test_nothing_is_sent_for_a_foreign_link(url: str) -> None:
    wire = Wire(says({}))
    for call in calls(client(wire), url):
        with pytest.raises(ConfigurationError):
            await call()
    assert wire.sent == []


@pytest.mark.parametrize("one", ["https://evil.com/sales/lead/a", "a/b", ""])
async def test_recipients_lead_nowhere_else(one: str) -> None:
    wire = Wire(says({}))
    with pytest.raises(ConfigurationError, match="recipients"):
        await client(wire, viewer_id="v").sales.send_message("x", recipients=[one], subject="s")
    assert wire.sent == []


@pytest.mark.parametrize(
    "one",
    [
        "urn:li:fs_salesProfile:(ACwAAEXAMPLE0001,NAME_SEARCH,exmp)",
        "https://www.linkedin.com/sales/people/ACwAAEXAMPLE0001,NAME",
        "ACwAAEXAMPLE0001",
    ],
)
async def test_recipients_of_every_published_kind(one: str) -> None:
    wire = Wire(says({"data": {"id": "2-a"}}))
    lix = client(wire, viewer_id="v")
    assert (await lix.sales.send_message("x", recipients=[one], subject="s")).thread_id == "2-a"


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda lix: lix.sales.leads_by_filters(), "at least one of"),
        (lambda lix: lix.sales.leads_by_filters(person_titles=7), "Pair"),
        (lambda lix: lix.sales.lead_list("https://linkedin.com/sales/lists/people/7"), "digits"),
        (lambda lix: lix.sales.lead_list("٧"), "digits"),
        (lambda lix: lix.search.people("https://www.linkedin.com/x?page=two"), "page="),
        (lambda lix: lix.search.jobs("https://www.linkedin.com/x?start=two"), "start="),
        (lambda lix: lix.contact.email("linkedin.com/in/a", recheck=-1), "recheck"),
        (lambda lix: lix.contact.email("linkedin.com/in/a", pause=float("nan")), "pause"),
        (lambda lix: lix.job_postings.get(True), "job_id"),
    ],
)
async def test_other_arguments_that_nothing_can_come_of(call: Any, match: str) -> None:
    wire = Wire(says({}))
    with pytest.raises(ConfigurationError, match=match):
        await call(client(wire, viewer_id="v"))
    assert wire.sent == []


def test_a_group_of_methods_shows_its_client_and_no_key() -> None:
    assert repr(client(Wire(says({}))).people) == f"<People of {client(Wire(says({})))!r}>"
