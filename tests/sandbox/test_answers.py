"""The answers of Lix: formats, complete listings, and the effects of sends."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from lix_async.providers.lix.endpoints import TABLE
from lix_async.sandbox.answers.facets import match_options
from lix_async.sandbox.answers.lix import ANSWERS, is_charged
from lix_async.sandbox.protocol.errors import ErrorReply

if TYPE_CHECKING:
    from lix_async.sandbox.world.world import World

    from .sandbox_helpers import AnswerCaller

VIEWER = "sandbox-viewer"
PEOPLE = "https://www.linkedin.com/search/results/people/?keywords=sales%20total:57"
JOBS = "https://www.linkedin.com/jobs/search/?keywords=sales%20total:57"
LEADS = "https://www.linkedin.com/sales/search/people?query=(keywords:sales total:57)"


def test_every_endpoint_has_an_answer() -> None:
    assert sorted(ANSWERS) == sorted(row.id for row in TABLE)
    assert len(ANSWERS) == 45


@pytest.mark.parametrize(
    ("endpoint", "url", "key", "name", "size"),
    [
        ("search.people", PEOPLE, "people", "description", 10),
        ("search.orgs", PEOPLE, "orgs", "link", 10),
        ("sales.search_people", LEADS, "people", "salesNavLink", 25),
        ("sales.search_people_post", LEADS, "people", "salesNavLink", 25),
        ("sales.search_orgs", LEADS, "organisations", "salesNavLink", 25),
    ],
)
def test_pages_in_the_url_return_each_item_once(
    ask: AnswerCaller, endpoint: str, url: str, key: str, name: str, size: int
) -> None:
    names: list[object] = []
    for page in range(1, 60 // size + 2):
        body = ask(endpoint, url=f"{url}&page={page}", sequence_id="mine")
        assert body["paging"] == {"count": len(body[key]), "start": (page - 1) * size, "total": 57}
        assert body["meta"] == {"sequenceId": "mine"}
        names += [row.get("link") or row.get(name) for row in body[key]]
    assert len(names) == 57
    assert len(set(names)) == 57
    assert ask(endpoint, url=f"{url}&page=99", sequence_id="mine")[key] == []


def test_jobs_page_by_start_in_the_url_and_posts_by_the_parameter_start(ask: AnswerCaller) -> None:
    jobs, posts = [], []
    for start in range(0, 60, 10):
        page = ask("search.jobs", url=f"{JOBS}&start={start}", sequence_id="s")
        jobs += [str(job["jobPostingId"]) for job in page["jobPostings"]]
        page = ask("search.posts", url=PEOPLE, start=start, sequence_id="s")
        posts += [post["id"] for post in page["posts"]]
    assert len(set(jobs)) == len(jobs) == 57
    assert len(set(posts)) == len(posts) == 57


def test_without_a_sequence_id_items_are_repeated_and_missing(ask: AnswerCaller) -> None:
    bodies = [ask("search.people", url=f"{PEOPLE}&page={page}") for page in range(1, 7)]
    names = [row["description"] for body in bodies for row in body["people"]]
    assert len(names) == 57
    assert len(set(names)) < 57
    assert len({body["meta"]["sequenceId"] for body in bodies}) == 6


def test_the_sequence_id_of_the_answer_continues_the_search(ask: AnswerCaller) -> None:
    first = ask("search.people", url=PEOPLE)
    made = first["meta"]["sequenceId"]
    again = ask("search.people", url=PEOPLE, sequence_id=made)
    assert again == first


def test_a_viewer_keeps_the_order_without_a_sequence_id(ask: AnswerCaller) -> None:
    first = ask("search.people", url=PEOPLE, viewer_id=VIEWER)
    again = ask("search.people", url=PEOPLE, viewer_id=VIEWER, sequence_id="other")
    assert first["people"] == again["people"]


def test_caps_apply_whatever_the_total_is(ask: AnswerCaller) -> None:
    url = PEOPLE.replace("57", "3000")
    last = ask("search.people", url=f"{url}&page=100", sequence_id="s")
    past = ask("search.people", url=f"{url}&page=101", sequence_id="s")
    assert (len(last["people"]), last["paging"]["total"]) == (10, 3000)
    assert (past["people"], past["paging"]["total"]) == ([], 3000)
    leads = LEADS.replace("57", "3000")
    assert len(ask("sales.search_people", url=f"{leads}&page=100", sequence_id="s")["people"]) == 25
    assert ask("sales.search_people", url=f"{leads}&page=101", sequence_id="s")["people"] == []


def test_hidden_members_are_in_linkedin_searches_only_and_never_first(ask: AnswerCaller) -> None:
    url = PEOPLE.replace("57", "500")
    hidden = 0
    for page in range(1, 51):
        rows = ask("search.people", url=f"{url}&page={page}", sequence_id="s")["people"]
        assert rows[0]["link"]
        hidden += sum(row["name"] == "LinkedIn Member" and row["link"] is None for row in rows)
    assert 5 < hidden < 60
    for page in range(1, 21):
        rows = ask("sales.search_people", url=f"{url}&page={page}", sequence_id="s")["people"]
        assert all(row["link"] and row["experience"][0]["title"] for row in rows)


def test_page_is_also_read_after_the_fragment_and_the_last_one_counts(ask: AnswerCaller) -> None:
    url = (
        "https://www.linkedin.com/sales/search/people#sessionId=1&query=(keywords:a)&page=1&page=3"
    )
    assert ask("sales.search_people", url=url, sequence_id="s")["paging"]["start"] == 50
    for wrong in ("0", "x", "-1"):
        with pytest.raises(ErrorReply, match="page"):
            ask("search.people", url=f"{PEOPLE}&page={wrong}")


@pytest.mark.parametrize(
    ("endpoint", "old", "new"),
    [
        ("search.people", "people", "people"),
        ("search.jobs", "people", "jobPostings"),
        ("search.posts", "posts", "posts"),
        ("search.orgs", "posts", "orgs"),
        ("sales.search_orgs", "people", "organisations"),
    ],
)
def test_envelopes(ask: AnswerCaller, endpoint: str, old: str, new: str) -> None:
    flat = ask(endpoint, url=PEOPLE, sequence_id="s")
    ask.envelope = "seed"
    seed = ask(endpoint, url=PEOPLE, sequence_id="s")
    ask.envelope = "response"
    response = ask(endpoint, url=PEOPLE, sequence_id="s")
    assert set(flat) == {new, "paging", "meta"}
    assert seed == {
        "searchResponse": {old: flat[new], "paging": flat["paging"]},
        "meta": flat["meta"],
    }
    assert response["response"] == {new: flat[new], "paging": flat["paging"]}


def test_nothing_matches_is_an_empty_page(ask: AnswerCaller) -> None:
    body = ask("search.people", url=PEOPLE.replace("sales", "nothing-matches"))
    assert body["people"] == []
    assert body["paging"] == {"count": 0, "start": 0, "total": 0}


def test_page_sizes_can_be_chosen(ask: AnswerCaller) -> None:
    ask.page_sizes["search.people"] = 25
    body = ask("search.people", url=f"{PEOPLE}&page=3", sequence_id="s")
    assert body["paging"] == {"count": 7, "start": 50, "total": 57}


def test_recruiter_search_pages_by_start_in_the_body(ask: AnswerCaller) -> None:
    skills = [{"text": "Python", "entity": "urn:li:ts_skill:1001"}]
    first = ask("recruiter.search_people", skills=skills, start=0, sequence_id="s")
    names = [row["link"] for row in first["people"]]
    for start in range(25, first["paging"]["total"], 25):
        page = ask("recruiter.search_people", skills=skills, start=start, sequence_id="s")
        names += [row["link"] for row in page["people"]]
    assert len(set(names)) == len(names) == first["paging"]["total"]


def test_filters_accept_pairs_with_escaped_commas(ask: AnswerCaller, world: World) -> None:
    body = ask(
        "sales.people_by_filters",
        person_titles="[7,Data Engineer]",
        locations="[105,Velmora\\, Nordavia]",
    )
    assert body["people"][0]["experience"][0]["title"] == "Data Engineer"
    for wrong in ({}, {"person_titles": "Data Engineer"}):
        with pytest.raises(ErrorReply) as caught:
            ask("sales.people_by_filters", **wrong)
        assert caught.value.error_type == "params_invalid"


@pytest.mark.parametrize(
    ("endpoint", "key"), [("sales.list_people", "people"), ("sales.list_orgs", "organisations")]
)
def test_saved_lists_page_by_number(ask: AnswerCaller, endpoint: str, key: str) -> None:
    links: list[str] = []
    page = 1
    while rows := ask(endpoint, list_id="77", viewer_id=VIEWER, page=page)[key]:
        links += [row["salesNavLink"] for row in rows]
        page += 1
    total = ask(endpoint, list_id="77", viewer_id=VIEWER)["paging"]["total"]
    assert len(set(links)) == len(links) == total
    for wrong, kind in (("x", "params_invalid"), ("4041", "unknown_record")):
        with pytest.raises(ErrorReply) as caught:
            ask(endpoint, list_id=wrong, viewer_id=VIEWER)
        assert caught.value.error_type == kind


def tokens(ask: AnswerCaller, endpoint: str, key: str, **params: object) -> tuple[list[dict], int]:  # type: ignore[type-arg]
    """All pages of a listing, by token and start or by start only (lix.md#activity)."""
    rows: list[dict] = []  # type: ignore[type-arg]
    token, total = None, 1
    while len(rows) < total:
        body = ask(endpoint, **params, start=len(rows), pagination_token=token)
        flat = [actor for group in body[key] for actor in group.get("reactors", [group])]
        assert body["paging"]["start"] == len(rows)
        assert body["paging"]["count"] == len(flat)
        total, token = body["paging"]["total"], body.get("pagination_token")
        rows += flat
        if not flat:
            break
    assert not token
    return rows, total


def test_comments_and_reactions_match_the_counts_of_the_post(
    ask: AnswerCaller, world: World
) -> None:
    styles = set()
    for place in range(40):
        post = ask("enrich.post", post_urn=world.post_at(place).urn)
        comments, count = tokens(ask, "enrich.post_comments", "comments", post_urn=post["id"])
        assert len({comment["comment_urn"] for comment in comments}) == count
        assert count == post["commentCount"]
        reactors, count = tokens(ask, "enrich.post_reactions", "reactions", post_urn=post["id"])
        assert len({actor["li_id"] for actor in reactors}) == len(reactors) == count
        assert count == sum(kind["count"] for kind in post["numReactions"] or [])
        first = ask("enrich.post_comments", post_urn=post["id"])
        if first["paging"]["total"] > 10:
            styles.add("pagination_token" in first)
    assert styles == {True, False}


@pytest.mark.parametrize(
    ("endpoint", "key", "name"),
    [
        ("activity.posts", "posts", "id"),
        ("activity.comments", "comments", "comment_urn"),
        ("activity.reactions", "reactions", "post_urn"),
    ],
)
def test_activity_listings_return_each_item_once(
    ask: AnswerCaller, world: World, endpoint: str, key: str, name: str
) -> None:
    for place in range(12):
        link = world.person(place).link
        rows, total = tokens(ask, endpoint, key, profile_link=link)
        assert len({row[name] for row in rows}) == len(rows) == total


def test_a_token_of_another_listing_is_rejected(ask: AnswerCaller, world: World) -> None:
    with pytest.raises(ErrorReply, match="pagination_token"):
        ask("activity.posts", profile_link=world.person(0).link, pagination_token="bm9wZQ==")


def test_posts_of_an_unlisted_person_are_found_by_their_urns(ask: AnswerCaller) -> None:
    posts = ask("activity.posts", profile_link="https://www.linkedin.com/in/new-user")["posts"]
    assert ask("enrich.post", post_urn=posts[0]["id"]) == posts[0]
    assert posts[0]["actor"]["id"] == "new-user"


def test_conversations_and_messages_page_by_their_cursors(ask: AnswerCaller) -> None:
    rows: list[dict] = []  # type: ignore[type-arg]
    cursor: str | None = None
    while True:
        body = ask("conversations.list", viewer_id=VIEWER, sequence_id=cursor)
        rows += body["conversations"]
        if (cursor := body.get("sequenceId")) is None:
            break
    assert len({row["conversationUrn"] for row in rows}) == len(rows) > 20
    moments = [int(row["lastActivityAt"]) for row in rows]
    assert moments == sorted(moments, reverse=True)
    for row in rows[:5]:
        seen: list[str] = []
        cursor = None
        while True:
            urn = row["conversationUrn"]
            body = ask("messages.list", viewer_id=VIEWER, conversation_urn=urn, sequence_id=cursor)
            seen += [message["backendUrn"] for message in body["messages"]]
            if (cursor := body.get("sequenceId")) is None:
                break
        assert len(set(seen)) == len(seen) > 0
    with pytest.raises(ErrorReply, match="cursor"):
        ask("conversations.list", viewer_id=VIEWER, sequence_id="my-own")


def test_messages_around_a_time(ask: AnswerCaller) -> None:
    rows = ask("conversations.list", viewer_id=VIEWER)["conversations"]
    listings = {
        urn: ask("messages.list", viewer_id=VIEWER, conversation_urn=urn)["messages"]
        for urn in (row["conversationUrn"] for row in rows)
    }
    urn, everything = max(listings.items(), key=lambda item: len(item[1]))
    around = ask(
        "messages.list",
        viewer_id=VIEWER,
        conversation_urn=urn,
        delivered_at=int(everything[4]["deliveredAt"]),
        count_before=2,
        count_after=3,
    )
    assert around == {"messages": everything[1:7]}


def test_a_sent_message_appears_in_the_conversation(ask: AnswerCaller) -> None:
    one = ask("conversations.list", viewer_id=VIEWER)["conversations"][3]
    id_ = one["conversationUrn"].rstrip(")").split(",")[-1]
    sent = ask("messages.send", viewer_id=VIEWER, conversation_id=id_, body="Hello there")
    found = ask("messages.list", viewer_id=VIEWER, conversation_id=id_)["messages"][0]
    assert found == sent["message"]
    assert found["bodyText"] == "Hello there"
    assert [(one.target, one.text) for one in ask.state.sent] == [(id_, "Hello there")]
    for viewer, wrong in (("example-viewer-1", id_), (VIEWER, "2-bm9wZQ==")):
        with pytest.raises(ErrorReply) as caught:
            ask("messages.send", viewer_id=viewer, conversation_id=wrong, body="x")
        assert caught.value.error_type == "unknown_record"


def test_sales_threads_page_by_timestamp(ask: AnswerCaller) -> None:
    rows: list[dict] = []  # type: ignore[type-arg]
    moment: int | None = None
    while True:
        page = ask("sales.threads", viewer_id=VIEWER, count=7, page_starts_at=moment)
        rows += page["data"]["elements"]
        if (moment := rows[-1].get("nextPageStartsAt")) is None:
            break
    archived = ask("sales.threads", viewer_id=VIEWER, filter="ARCHIVED", count=99)["data"][
        "elements"
    ]
    assert len({row["id"] for row in rows + archived}) == len(rows) + len(archived) > 20
    one = ask("sales.thread", viewer_id=VIEWER, thread_id=rows[5]["id"], message_count=99)["data"]
    assert len(one["messages"]) == one["totalMessageCount"] == rows[5]["totalMessageCount"]


def test_inmail_starts_a_thread_and_a_reply_continues_it(ask: AnswerCaller, world: World) -> None:
    to = next(one for one in map(world.person, range(99)) if not one.hidden)
    began = ask(
        "sales.send_message",
        viewer_id=VIEWER,
        body="First",
        subject="Hi",
        recipients=[f"urn:li:fs_salesProfile:({to.sales_id},NAME_SEARCH,abcd)"],
    )
    id_ = began["data"]["id"]
    assert began["included"][0]["fullName"] == to.name
    ask("sales.send_message", viewer_id=VIEWER, body="Second", thread_id=id_)
    thread = ask("sales.thread", viewer_id=VIEWER, thread_id=id_)["data"]
    assert [message["body"] for message in thread["messages"]] == ["Second", "First"]
    assert ask("sales.threads", viewer_id=VIEWER)["data"]["elements"][0]["id"] == id_
    hidden = next(one for one in map(world.person, range(600)) if one.hidden)
    for wrong in (
        {"recipients": [hidden.sales_id], "subject": "Hi"},
        {"recipients": [to.sales_link]},
        {"recipients": [to.link], "subject": "Hi"},
        {},
        {"recipients": [to.sales_link], "subject": "Hi", "thread_id": id_},
    ):
        with pytest.raises(ErrorReply) as caught:
            ask("sales.send_message", viewer_id=VIEWER, body="x", **wrong)
        assert caught.value.error_type == "params_invalid"


def test_invitations_are_counted_and_limited_by_week(ask: AnswerCaller) -> None:
    def invite(n: int) -> dict:  # type: ignore[type-arg]
        return ask("connections.send", viewer_id=VIEWER, profile_id=f"some-one-{n}", message="Hi")

    before = ask("linkedin_account.connections_remaining", viewer_id=VIEWER)
    assert before["nextRefresh"] == "2025-06-23T00:00:00Z"
    assert invite(0)["success"] is True
    assert invite(0) == {"success": False, "entity_urn": None}
    after = ask("linkedin_account.connections_remaining", viewer_id=VIEWER)
    assert (after["used"], after["remaining"]) == (before["used"] + 1, before["remaining"] - 1)
    for n in range(1, before["remaining"]):
        invite(n)
    with pytest.raises(ErrorReply, match="weekly") as caught:
        invite(1000)
    assert caught.value.status == 429
    assert int(caught.value.headers["Retry-After"]) == 6 * 86400 + 43200
    ask.epoch += 7 * 86400
    assert invite(1000)["success"] is True
    with pytest.raises(ErrorReply, match="300"):
        ask("connections.send", viewer_id=VIEWER, profile_id="a-b", message="x" * 301)


def test_attached_accounts_are_five_on_a_page(ask: AnswerCaller, world: World) -> None:
    cookies = [{"key": "li_at", "value": "secret"}, {"key": "lang", "value": "x"}]
    viewer = ask("linkedin_account.put", cookies=cookies)["viewer_id"]
    assert ask("linkedin_account.put", cookies=cookies)["viewer_id"] == viewer
    pages = [ask("linkedin_account.list", page=page) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [5, 5, 3, 0]
    viewers = [row["viewerId"] for page in pages for row in page]
    assert viewers == [*world.viewers, viewer]
    for wrong in ([], [{"key": "lang", "value": "x"}], [{"key": "li_at", "value": "bad"}]):
        with pytest.raises(ErrorReply) as caught:
            ask("linkedin_account.put", cookies=wrong)
        assert caught.value.status == 400


def test_connections_and_followers_page_by_start(ask: AnswerCaller, world: World) -> None:
    seen: list[str] = []
    while True:
        body = ask("connections.list", viewer_id=VIEWER, start=len(seen), count=40)
        rows = body["connections_response"]["elements"]
        if not rows:
            break
        seen += [row["publicIdentifier"] for row in rows]
    assert len(set(seen)) == len(seen) == body["connections_response"]["paging"]["total"]
    bare = ask("connections.list", viewer_id=VIEWER, include_profile_pictures=False, count=1000)
    assert not any("profile_picture" in row for row in bare["connections_response"]["elements"])
    company = world.companies.at(1).link
    first = ask("organisation.followers", profile_link=company, viewer_id=VIEWER)
    assert first["paging"]["count"] == min(first["paging"]["total"], 100)


def test_every_id_finds_the_same_person_and_company(ask: AnswerCaller, world: World) -> None:
    one = ask("ids.person", li_flagship_id=world.person(4).slug)["personIds"]
    assert ask("ids.person", sales_nav_id=one["salesNavID"])["personIds"] == one
    assert ask("ids.person", lix_id=one["uuid"])["personIds"] == one
    company = ask("ids.organisation", li_flagship_id=world.companies.at(2).slug)["organisationIds"]
    assert ask("ids.organisation", sales_nav_id=company["salesNavID"])["organisationIds"] == company
    assert ask("ids.organisation", lix_id=company["uuid"])["organisationIds"] == company
    for wrong in ({}, {"sales_nav_id": "a", "lix_id": "b"}):
        with pytest.raises(ErrorReply, match="exactly one"):
            ask("ids.person", **wrong)
    with pytest.raises(ErrorReply) as caught:
        ask("ids.person", lix_id=base64.b64encode(b"organisation:3").decode())
    assert caught.value.error_type == "unknown_record"


def test_companies(ask: AnswerCaller, world: World) -> None:
    one = world.companies.at(0)
    body = ask("organisation.by_linkedin", linkedin_url=one.link)
    assert body["liOrganisation"]["liEmployeeCount"] == str(body["profile"]["employeeCount"])
    assert body["profile"]["linkedinUrl"] == one.link
    assert ask("organisation.by_linkedin", sales_nav_url=one.sales_link) == body
    unreadable = ask("organisation.by_linkedin", linkedin_url="linkedin.com/company/unreadable-1")
    assert unreadable["error"]
    assert not is_charged("organisation.by_linkedin", unreadable)
    rows = ask("organisation.by_website", website=f"https://www.{one.domain}/about")[
        "organisations"
    ]
    assert rows[0]["profile"] == body["profile"]
    assert len(ask("organisation.by_website", website="example.com")["organisations"]) == 5
    assert ask("organisation.by_website", website="missing-1.example.com") == {"organisations": []}


def test_people_by_email_and_the_other_profile_endpoints(ask: AnswerCaller, world: World) -> None:
    one = world.person(7)
    assert ask("person.get", email=one.email) == ask("person.get", profile_link=one.link)
    assert ask("person.legacy", id=one.slug)["fullName"] == one.name
    rows = ask("person.employment", profile_id=one.slug)["experiences"]
    assert rows[0]["title"] == one.title
    assert "endDate" not in rows[0]
    assert all(None not in row.values() for row in rows)
    votes = [
        ask("person.extended", profile_link=world.person(n).link)["topVoice"] for n in range(200)
    ]
    assert 5 < sum(votes) < 50


def test_a_probable_email_becomes_valid_after_three_to_six_requests(
    ask: AnswerCaller, world: World
) -> None:
    fates: dict[str, int] = {}
    for place in range(120):
        link = world.person(place).link
        answers = [ask("contact.email_by_linkedin", url=link) for _ in range(7)]
        states = [answer["status"] for answer in answers]
        fates[states[0]] = fates.get(states[0], 0) + 1
        if states[0] == "PROBABLE":
            assert 3 <= states.index("VALID") + 1 <= 6
            assert answers[-1]["email"] in answers[0]["alternatives"]
        else:
            assert set(states) == {states[0]}
        paid = [is_charged("contact.email_by_linkedin", answer) for answer in answers]
        assert paid == [state == "VALID" for state in states]
    assert fates["VALID"] > fates["PROBABLE"] > fates["UNKNOWN"] > 0


@pytest.mark.parametrize(
    ("kind", "query", "text"),
    [
        ("TITLE", "Software engineer", "Software Engineer"),
        ("SENIORITY_V2", "director", "Director"),
        ("SENIORITY", "entry", "Entry"),
        ("BING_GEO", "velm", "Velmora, Nordavia"),
        ("INDUSTRY", "software", "Computer Software"),
        ("PROFILE_LANGUAGE", "English", "English"),
        ("FUNCTION", "engineering", "Engineering"),
    ],
)
def test_facets_of_sales_navigator(ask: AnswerCaller, kind: str, query: str, text: str) -> None:
    first = ask("facets.sales", type=kind, query=query)["data"]["elements"][0]
    assert first["displayValue"] == text
    assert first["id"]


def test_a_facet_finds_companies_by_their_names_only(ask: AnswerCaller, world: World) -> None:
    name = world.companies.at(5).name
    element = ask("facets.sales", type="COMPANY_WITH_LIST", query=name)["data"]["elements"][0]
    child = element["children"][0]
    assert child["id"].removeprefix("urn:li:organization:").isdigit()
    for query in ("Contoso", "zzz"):
        found = ask("facets.sales", type="COMPANY_WITH_LIST", query=query)
        assert found == {"data": {"paging": {"count": 100}}}
    assert child["displayValue"] == world.companies.at(5).name
    nothing = ask("facets.sales", type="TITLE", query="nothing-matches")
    assert nothing == {"data": {"paging": {"count": 100}}}
    assert "elements" not in ask("facets.sales", type="NEW_TYPE", query="a")["data"]
    titles = ask("facets.sales", type="TITLE", query="cto")["data"]["elements"]
    assert [one["displayValue"] for one in titles] == ["CTO", "Chief Technology Officer"]
    assert match_options("engineer sales", [("1", "Sales Manager"), ("2", "Cook")]) == [
        ("1", "Sales Manager")
    ]


def test_the_start_of_a_recruiter_facet_is_that_of_the_next_page(ask: AnswerCaller) -> None:
    first = ask("facets.recruiter", query="a", start=0, count=100)
    second = ask("facets.recruiter", query="a", start=10, count=100)
    assert (first["paging"]["start"], second["paging"]["start"]) == (10, 20)
    assert len(first["results"]) == first["paging"]["count"] == 10
    assert not {row["entity"] for row in first["results"]} & {
        row["entity"] for row in second["results"]
    }


def test_jobs_and_their_hirers(ask: AnswerCaller, world: World) -> None:
    counts = set()
    for place in range(40):
        id_ = str(world.posting_at(place).id)
        assert str(ask("enrich.job", job_id=id_)["jobPosting"]["jobPostingId"]) == id_
        counts.add(len(ask("jobs.hirers", job_id=id_)["people"]))
    assert counts == {0, 1, 2, 3}
