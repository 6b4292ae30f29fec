"""What stands on the wire, byte by byte: encoded once, at the right place."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from lix_methods import Wire, client, says

from lix_async import AsyncLix
from lix_async.core.wire import HttpRequest, read
from lix_async.providers.lix.endpoints.accounts import PUT_LINKEDIN
from lix_async.providers.lix.endpoints.searches import RECRUITER_PEOPLE, SALES_PEOPLE_FORM
from lix_async.providers.lix.params import Cookie, Pair, SearchParams, SkillFilter
from lix_async.providers.lix.resources.sales import LONGEST_GET

pytestmark = pytest.mark.anyio

SEED_URL = (
    "https://www.linkedin.com/sales/search/people?query=(spellCorrectionEnabled%3Atrue%2C"
    "recentSearchParam%3A(id%3A2154062338%2CdoLogHistory%3Atrue)%2Ckeywords%3Alix)"
    "&sessionId=GumqcP8vR0aPVWr3cNR74A%3D%3D"
)
SKILL = SkillFilter("Example", "urn:li:ts_skill:1")


async def sent(call: Callable[[AsyncLix], Any], **settings: Any) -> HttpRequest:
    """The only request that a call makes; its answer is empty."""
    wire = Wire(says({}))
    result = call(client(wire, **settings))
    if isinstance(result, Awaitable):
        await result
    else:
        await result.collect()
    (outgoing,) = wire.sent
    return outgoing


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (lambda lix: lix.account.balances(), "/v1/account/balances"),
        (
            lambda lix: lix.people.get("https://linkedin.com/in/example-person-1?x=1&y=2#z"),
            "/v1/person?profile_link=https%3A%2F%2Flinkedin.com%2Fin%2Fexample-person-1"
            "%3Fx%3D1%26y%3D2%23z",
        ),
        (
            lambda lix: lix.people.get(email="a+b@example.com", viewer_id="v w"),
            "/v1/person?email=a%2Bb%40example.com&viewer_id=v%20w",
        ),
        (
            lambda lix: lix.people.get("linkedin.com/in/j%C3%BCrgen"),
            "/v1/person?profile_link=linkedin.com%2Fin%2Fj%25C3%25BCrgen",
        ),
        (lambda lix: lix.people.legacy("a/b=c+d"), "/v1/api/people/a%2Fb%3Dc%2Bd"),
        (
            lambda lix: lix.posts.get("urn:li:activity:7000000000000000001"),
            "/v1/enrich/post?post_urn=urn%3Ali%3Aactivity%3A7000000000000000001",
        ),
        (
            lambda lix: lix.posts.get("urn:li:comment:(activity:1,2)"),
            "/v1/enrich/post?post_urn=urn%3Ali%3Acomment%3A%28activity%3A1%2C2%29",
        ),
        (
            lambda lix: lix.sales.thread("2-RVhB/+TVBMRQ==", "v"),
            "/v1/li/sales/messages/threads/2-RVhB%2F%2BTVBMRQ%3D%3D?viewer_id=v",
        ),
        (
            lambda lix: lix.connections.list("v", include_profile_pictures=False),
            "/v1/connections?viewer_id=v&count=1000&start=0&include_profile_pictures=false",
        ),
        (
            lambda lix: lix.organisations.get("https://www.linkedin.com/company/example-org"),
            "/v1/organisations/by-linkedin?linkedin_url="
            "https%3A%2F%2Fwww.linkedin.com%2Fcompany%2Fexample-org",
        ),
        (
            lambda lix: lix.contact.email("https://www.linkedin.com/in/a"),
            "/v1/contact/email/by-linkedin?url=https%3A%2F%2Fwww.linkedin.com%2Fin%2Fa",
        ),
        (
            lambda lix: lix.sales.threads("v", filter="INBOX", page_starts_at=1735808400093),
            "/v1/li/sales/messages/threads?viewer_id=v&filter=INBOX&page_starts_at=1735808400093",
        ),
    ],
)
async def test_targets(call: Callable[[AsyncLix], Any], target: str) -> None:
    outgoing = await sent(call)
    assert (outgoing.method, outgoing.target, outgoing.body) == ("GET", target, None)
    assert outgoing.content_type == "application/json"


async def test_the_percent_sequences_of_a_linkedin_url_stay_its_own() -> None:
    outgoing = await sent(lambda lix: lix.sales.leads(SEED_URL, sequence_id="s"))
    path, _, query = outgoing.target.partition("?")
    assert path == "/v1/li/sales/search/people"
    assert query == f"url={quote(SEED_URL, safe='')}&sequence_id=s"
    assert "%253Atrue%252C" in query
    assert dict(parse_qsl(query))["url"] == SEED_URL


async def test_parameters_in_a_fragment_travel_too() -> None:
    url = "https://www.linkedin.com/sales/search/people#page=1&query=(keywords%3Alix)"
    outgoing = await sent(lambda lix: lix.sales.leads(url, viewer_id="v"))
    assert "people%23page%3D1%26query%3D%28keywords%253Alix%29" in outgoing.target


async def test_a_long_search_goes_as_a_form_and_the_viewer_in_the_query() -> None:
    short = "https://www.linkedin.com/sales/search/people?query="
    room = LONGEST_GET - len(quote(short, ""))
    fits, long = short + "x" * room, short + "x" * (room + 1)
    assert (await sent(lambda lix: lix.sales.leads(fits))).method == "GET"
    outgoing = await sent(lambda lix: lix.sales.leads(long, viewer_id="v", sequence_id="s"))
    assert (outgoing.method, outgoing.target) == (
        "POST",
        "/v1/li/sales/search/people?viewer_id=v",
    )
    assert outgoing.content_type == "application/x-www-form-urlencoded"
    assert outgoing.body == f"url={quote(long, safe='')}&sequence_id=s".encode()
    assert outgoing.idempotent


async def test_the_form_turns_its_pages_inside_the_url() -> None:
    long = SEED_URL + "&x=" + "y" * 2000
    pages = [says({"people": [{"name": str(n)}], "paging": {"total": 2}}) for n in range(2)]
    wire = Wire(*pages)
    found = await client(wire).sales.leads(long).collect()
    urls = [dict(parse_qsl((one.body or b"").decode()))["url"] for one in wire.sent]
    assert (len(found), urls) == (2, [long, long + "&page=2"])


async def test_a_get_with_a_body_keeps_the_rest_in_the_query() -> None:
    outgoing = await sent(lambda lix: lix.recruiter.people([SKILL], viewer_id="v"))
    assert (outgoing.method, outgoing.target) == (
        "GET",
        "/v1/li/recruiter/search/people?viewer_id=v",
    )
    assert json.loads(outgoing.body or b"")["start"] == 0


async def test_sends_put_each_part_where_the_contract_wants_it() -> None:
    invite = await sent(lambda lix: lix.connections.send("linkedin.com/in/a", viewer_id="v"))
    assert (invite.target, invite.idempotent) == ("/v1/connections/send", False)
    assert json.loads(invite.body or b"") == {
        "viewer_id": "v",
        "profile_link": "linkedin.com/in/a",
    }
    message = await sent(lambda lix: lix.messages.send("hi", conversation_id="2-a=", viewer_id="v"))
    assert (message.method, message.target) == ("POST", "/v1/li/messages?viewer_id=v")
    assert json.loads(message.body or b"") == {"conversation_id": "2-a=", "body": "hi"}
    inmail = await sent(
        lambda lix: lix.sales.send_message("hi", recipients=["ACo"], subject="s", viewer_id="v")
    )
    assert (inmail.target, inmail.idempotent) == ("/v1/li/sales/messages?viewer_id=v", False)
    assert json.loads(inmail.body or b"") == {"body": "hi", "recipients": ["ACo"], "subject": "s"}


async def test_cookies_travel_in_the_body_alone() -> None:
    outgoing = await sent(lambda lix: lix.account.put_linkedin({"li_at": "secret"}))
    assert (outgoing.method, outgoing.target) == ("PUT", "/v1/account/linkedin/account")
    assert json.loads(outgoing.body or b"") == {"cookies": [{"key": "li_at", "value": "secret"}]}
    assert outgoing.idempotent


async def test_a_viewer_of_the_client_is_sent_wherever_a_call_takes_one() -> None:
    settings = {"viewer_id": "mine"}
    assert (await sent(lambda lix: lix.messages.conversations(), **settings)).target.endswith(
        "?viewer_id=mine"
    )
    search = await sent(lambda lix: lix.search.people("https://www.linkedin.com/x"), **settings)
    assert search.target.endswith("&viewer_id=mine")  # and no sequence id: it is not needed
    own = await sent(
        lambda lix: lix.people.extended("linkedin.com/in/a", viewer_id="b"), **settings
    )
    assert own.target.endswith("&viewer_id=b")
    post = await sent(lambda lix: lix.posts.reactions("urn:li:activity:1"), **settings)
    assert "viewer_id" not in post.target


@pytest.mark.parametrize(
    ("given", "wire"),
    [
        (Pair("Example Title", "39"), "[39,Example Title]"),
        (Pair("Exampleville, Country", "105"), r"[105,Exampleville\, Country]"),
        (Pair("engineer"), "[,engineer]"),
        ("engineer", "[,engineer]"),
        ("[39,Example Title]", "[39,Example Title]"),
    ],
)
async def test_pairs_of_filters(given: Pair | str, wire: str) -> None:
    outgoing = await sent(lambda lix: lix.sales.leads_by_filters(person_titles=given))
    query = dict(parse_qsl(outgoing.target.partition("?")[2]))
    assert query["person_titles"] == wire


async def test_what_goes_out_can_be_read_back() -> None:
    jar = await sent(lambda lix: lix.account.put_linkedin({"li_at": "x"}))
    assert read(PUT_LINKEDIN, {}, [], jar.body or b"").cookies == [Cookie("li_at", "x")]
    skills = await sent(lambda lix: lix.recruiter.people([SKILL], start=25))
    back = read(RECRUITER_PEOPLE, {}, [], skills.body or b"")
    assert (back.skills, back.start) == ([SKILL], 25)
    long = SEED_URL + "&x=" + "ü" * 2000
    form = await sent(lambda lix: lix.sales.leads(long, sequence_id="s"))
    assert read(SALES_PEOPLE_FORM, {}, [], form.body or b"") == SearchParams(
        url=long, sequence_id="s"
    )
