"""How the pages of every listing follow each other, with scripted responses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from lix_methods import FILES_OF_LISTINGS, Wire, client, sample, says

from lix_async import AsyncLix, Checkpoint, Pages
from lix_async.providers.lix.params import SkillFilter

pytestmark = pytest.mark.anyio

PEOPLE = "https://www.linkedin.com/search/results/people/?keywords=example"
JOBS = "https://www.linkedin.com/jobs/search/?keywords=example"
LEADS = "https://www.linkedin.com/sales/search/people#query=(keywords%3Aexample)"
SKILL = SkillFilter("Example", "urn:li:ts_skill:1")
LISTINGS: dict[str, Callable[[AsyncLix], Pages[Any]]] = {
    "linkedin_account.list": lambda lix: lix.account.linkedin_accounts(),
    "connections.list": lambda lix: lix.connections.list(),
    "organisation.followers": lambda lix: lix.organisations.followers("linkedin.com/company/x"),
    "enrich.post_comments": lambda lix: lix.posts.comments("urn:li:activity:1"),
    "enrich.post_reactions": lambda lix: lix.posts.reactions("urn:li:activity:1"),
    "activity.posts": lambda lix: lix.people.posts("linkedin.com/in/x"),
    "activity.comments": lambda lix: lix.people.comments("linkedin.com/in/x"),
    "activity.reactions": lambda lix: lix.people.reactions("linkedin.com/in/x"),
    "search.people": lambda lix: lix.search.people(PEOPLE),
    "search.jobs": lambda lix: lix.search.jobs(JOBS),
    "search.posts": lambda lix: lix.search.posts(PEOPLE),
    "search.orgs": lambda lix: lix.search.orgs(PEOPLE),
    "sales.search_people": lambda lix: lix.sales.leads(LEADS),
    "sales.search_people_post": lambda lix: lix.sales.leads(LEADS + "x" * 2000),
    "sales.people_by_filters": lambda lix: lix.sales.leads_by_filters(keywords="x"),
    "sales.search_orgs": lambda lix: lix.sales.accounts(LEADS),
    "sales.list_people": lambda lix: lix.sales.lead_list(1),
    "sales.list_orgs": lambda lix: lix.sales.account_list(1),
    "sales.threads": lambda lix: lix.sales.threads(),
    "recruiter.search_people": lambda lix: lix.recruiter.people([SKILL]),
    "facets.sales": lambda lix: lix.sales.facets("x", "TITLE"),
    "facets.recruiter": lambda lix: lix.recruiter.facets("x"),
    "conversations.list": lambda lix: lix.messages.conversations(),
    "messages.list": lambda lix: lix.messages.list("2-a"),
}


def page(key: str, first: int, size: int, **beside: object) -> Any:
    """A response with `size` items, each with its own id."""
    rows = [
        {"id": f"urn:li:activity:{n}", "link": f"https://linkedin.com/in/p{n}", "jobPostingId": n}
        for n in range(first, first + size)
    ]
    return says({key: rows, **beside})


def asked(wire: Wire, *names: str) -> list[tuple[str | None, ...]]:
    """The given query params of each request."""
    queries = [parse_qs(target.partition("?")[2]) for target in wire.targets]
    return [tuple(query.get(name, [None])[0] for name in names) for query in queries]


def test_every_listing_is_tested_here() -> None:
    assert set(LISTINGS) == set(FILES_OF_LISTINGS)


@pytest.mark.parametrize("id_", LISTINGS)
async def test_any_listing_continues_from_its_checkpoint(id_: str) -> None:
    lix = client(wire := Wire(says(sample(FILES_OF_LISTINGS[id_]))), viewer_id="v")
    whole = await LISTINGS[id_](lix).next_page()
    assert whole is not None
    pages = LISTINGS[id_](lix)
    assert await pages.first() == whole.items[0]
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    rest = await resumed(lix, id_, point).next_page()
    assert (rest.items if rest else []) == whole.items[1:]
    assert len(wire.sent) == (2 if rest else 3)


def resumed(lix: AsyncLix, id_: str, point: Checkpoint) -> Pages[Any]:
    """The same listing again, from a checkpoint."""
    pages = lix.pages
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lix, "pages", lambda *call, **pagination: pages(*call, resume=point))
        return LISTINGS[id_](lix)


async def test_people_searches_increase_page_in_the_url() -> None:
    answers = [page("people", 10 * n, 10, paging={"total": 25, "count": 25}) for n in range(3)]
    wire = Wire(*answers[:2], page("people", 20, 5, paging={"total": 25}))
    pages = client(wire).search.people(PEOPLE)
    assert len(await pages.collect()) == 25
    assert [url for (url,) in asked(wire, "url")] == [
        PEOPLE,
        PEOPLE + "&page=2",
        PEOPLE + "&page=3",
    ]
    sequences = {sequence for (sequence,) in asked(wire, "sequence_id")}
    assert len(sequences) == 1
    assert None not in sequences
    assert (pages.stats.complete, pages.stats.credits) == (True, 3)


async def test_job_searches_increase_start_in_the_url() -> None:
    wire = Wire(page("jobPostings", 0, 10), page("jobPostings", 10, 7), says({"people": None}))
    assert len(await client(wire).search.jobs(JOBS).collect()) == 17
    assert [url for (url,) in asked(wire, "url")] == [JOBS, JOBS + "&start=10", JOBS + "&start=17"]


async def test_sales_navigator_increases_page_after_the_hash() -> None:
    wire = Wire(page("people", 0, 25), says({"people": []}))
    await client(wire).sales.leads(LEADS).collect()
    assert asked(wire, "url") == [(LEADS,), (LEADS + "&page=2",)]


@pytest.mark.parametrize(("id_", "cap"), [("search.people", 1000), ("sales.search_people", 2500)])
async def test_no_page_beyond_the_cap_is_requested(id_: str, cap: int) -> None:
    pages = [page("people", 250 * n, 250, paging={"total": 9999}) for n in range(12)]
    wire = Wire(*pages)
    pages = LISTINGS[id_](client(wire))
    assert len(await pages.collect()) == cap
    assert len(wire.sent) == cap // 250
    assert pages.stats.complete is False


async def test_post_searches_advance_by_the_number_of_items() -> None:
    wire = Wire(page("posts", 0, 10), page("posts", 10, 3), says({"posts": []}))
    await client(wire).search.posts(PEOPLE).collect()
    assert asked(wire, "start") == [("0",), ("10",), ("13",)]


async def test_recruiter_advances_inside_the_body() -> None:
    wire = Wire(page("people", 0, 25), says({"people": []}))
    await client(wire).recruiter.people([SKILL]).collect()
    assert [json.loads(one.body or b"")["start"] for one in wire.sent] == [0, 25]
    assert all(one.method == "GET" for one in wire.sent)


async def test_connections_end_with_an_empty_page_or_at_the_total() -> None:
    rows = [{"entityUrn": f"urn:{n}"} for n in range(3)]
    short = says({"connections_response": {"elements": rows, "paging": {"count": 10}}})
    wire = Wire(short, says({"connections_response": {"elements": []}}))
    assert len(await client(wire).connections.list("v").collect()) == 3
    assert asked(wire, "start", "count") == [("0", "1000"), ("3", "1000")]
    total = says({"connections_response": {"elements": rows, "paging": {"total": 3}}})
    wire = Wire(total)
    await client(wire).connections.list("v").collect()
    assert len(wire.sent) == 1


async def test_attached_accounts_end_with_a_page_of_fewer_than_five() -> None:
    five = [{"viewerId": f"v{n}"} for n in range(5)]
    wire = Wire(says(five), says([{"viewerId": "v5"}]))
    assert len(await client(wire).account.linkedin_accounts().collect()) == 6
    assert asked(wire, "page") == [("1",), ("2",)]
    wire = Wire(says(five), says([]))
    assert len(await client(wire).account.linkedin_accounts().collect()) == 5
    assert len(wire.sent) == 2


async def test_lists_increase_the_page_number() -> None:
    wire = Wire(page("people", 0, 25, paging={"total": 30}), page("people", 25, 5))
    await client(wire, viewer_id="v").sales.lead_list("70").collect()
    assert asked(wire, "list_id", "page") == [("70", "1"), ("70", "2")]


async def test_leads_by_filters_have_one_page_and_report_incomplete() -> None:
    wire = Wire(says(sample("sales.people_by_filters")))
    pages = client(wire).sales.leads_by_filters(keywords="x")
    assert len(await pages.collect()) == 3
    assert (len(wire.sent), pages.stats.complete, pages.stats.total) == (1, False, 2500)


async def test_sales_facets_end_with_a_short_page_and_flatten_companies() -> None:
    companies = [{"id": str(n), "displayValue": f"C{n}"} for n in range(3)]
    full = {"data": {"elements": [{"id": "0", "displayValue": "Companies", "children": companies}]}}
    wire = Wire(says(full), says({"data": {"paging": {"count": 3}}}))
    found = await client(wire).sales.facets("C", "COMPANY_WITH_LIST", count=3).collect()
    assert [one.display_value for one in found] == ["C0", "C1", "C2"]
    assert asked(wire, "start", "count") == [("0", "3"), ("3", "3")]
    wire = Wire(says(sample("facets.sales")))
    await client(wire).sales.facets("E", "SENIORITY").collect()
    assert len(wire.sent) == 1


async def test_recruiter_facets_ignore_the_start_in_the_answer() -> None:
    rows = [{"entity": f"urn:{n}", "text": f"S{n}"} for n in range(12)]
    wire = Wire(
        says({"results": rows[:10], "paging": {"count": 10, "start": 10, "total": 12}}),
        says({"results": rows[10:], "paging": {"count": 2, "start": 20, "total": 12}}),
    )
    assert len(await client(wire).recruiter.facets("S").collect()) == 12
    assert asked(wire, "start") == [("0",), ("10",)]


async def test_activity_sends_token_and_start_and_continues_without_a_token() -> None:
    wire = Wire(
        page("posts", 0, 2, paging={"total": 5}, pagination_token="t1"),
        page("posts", 2, 2, paging={"total": 5}),
        page("posts", 4, 1, paging={"total": 5}),
    )
    assert len(await client(wire).people.posts("linkedin.com/in/x").collect()) == 5
    assert asked(wire, "start", "pagination_token") == [("0", None), ("2", "t1"), ("4", None)]


async def test_comments_on_a_post_end_without_a_token() -> None:
    rows = [{"comment_urn": f"urn:{n}"} for n in range(2)]
    wire = Wire(says({"comments": rows, "paging": {"total": 15}, "pagination_token": None}))
    pages = client(wire).posts.comments("urn:li:activity:1")
    assert len(await pages.collect()) == 2
    assert (len(wire.sent), pages.stats.complete) == (1, False)


async def test_reactions_advance_by_the_number_of_reactors() -> None:
    wire = Wire(says(sample("enrich.post_reactions")), says({"reactions": []}))
    pages = client(wire).posts.reactions("urn:li:activity:1")
    assert [row.type async for row in pages] == ["LIKE", "LIKE", "CELEBRATE"]
    assert asked(wire, "start", "pagination_token")[:2] == [("0", None), ("3", "EXAMPLETOKEN0001")]


async def test_threads_continue_from_the_time_of_the_last_one() -> None:
    last = {"data": {"elements": [{"id": "2-c"}]}}
    wire = Wire(says(sample("sales.threads")), says(last))
    found = await client(wire).sales.threads("v").collect()
    assert len(found) == 3
    assert asked(wire, "page_starts_at") == [(None,), ("1735722000000",)]


@pytest.mark.parametrize("at", [None, "abc", {"a": 1}, "", 0])
async def test_threads_continue_from_the_last_time_that_can_be_used(at: object) -> None:
    threads = [{"id": "2-a", "nextPageStartsAt": 9}, {"id": "2-b", "nextPageStartsAt": at}, {}]
    wire = Wire(says({"data": {"elements": threads}}), says({"data": {"elements": []}}))
    pages = client(wire).sales.threads("v")
    assert len(await pages.collect()) == 3
    assert asked(wire, "page_starts_at") == [(None,), ("9",)]
    assert pages.stats.complete


@pytest.mark.parametrize(
    ("count", "rows", "complete"),
    [(None, 20, False), (None, 19, True), (2, 2, False), (2, 1, True)],
)
async def test_a_full_page_without_a_time_is_not_known_to_be_the_last_one(
    count: int | None, rows: int, complete: bool
) -> None:
    wire = Wire(says({"data": {"elements": [{"id": f"2-{n}"} for n in range(rows)]}}))
    pages = client(wire).sales.threads("v", count=count)
    assert len(await pages.collect()) == rows
    assert (len(wire.sent), pages.stats.complete) == (1, complete)


async def test_conversations_and_messages_follow_the_sequence_id() -> None:
    wire = Wire(
        says(sample("conversations.list")), says({"conversations": [{"backendUrn": "urn:2"}]})
    )
    assert len(await client(wire).messages.conversations("v").collect()) == 2
    assert asked(wire, "sequence_id") == [(None,), ("EXAMPLESEQ0001",)]
    wire = Wire(says(sample("variants/messages.list.sync_token")), says({"messages": []}))
    await client(wire).messages.list("2-a", viewer_id="v").collect()
    assert asked(wire, "sequence_id") == [(None,), ("EXAMPLESYNC0001",)]


async def test_an_unchanged_token_ends_the_listing() -> None:
    wire = Wire(says(sample("conversations.list")))
    pages = client(wire).messages.conversations("v", sequence_id="EXAMPLESEQ0001")
    assert len(await pages.collect()) == 1
    assert len(wire.sent) == 1


async def test_hidden_members_are_not_deduplicated() -> None:
    hidden = {"name": "LinkedIn Member", "link": None}
    one, other = {"link": "https://linkedin.com/in/A"}, {"link": "https://www.linkedin.com/in/a/"}
    wire = Wire(
        says({"people": [hidden, one, hidden]}), says({"people": [other, hidden]}), says({})
    )
    pages = client(wire).search.people(PEOPLE)
    assert len(await pages.collect()) == 4
    assert pages.stats.duplicates == 1


@pytest.mark.parametrize("status", ["PROBABLE", "probable"])
async def test_email_is_requested_again_while_probable(status: str) -> None:
    maybe, sure = says({"status": status}), says({"status": "VALID", "email": "a@example.com"})
    lix = client(wire := Wire(maybe, maybe, sure))
    assert (await lix.contact.email("linkedin.com/in/a", recheck=5)).is_valid
    assert len(wire.sent) == 3
    assert lix.clock.slept == [3.0, 3.0]  # type: ignore[attr-defined]  # the tests' own clock
    assert lix.credits.email == 1


async def test_email_is_requested_once_or_up_to_recheck_times() -> None:
    maybe = says({"status": "PROBABLE", "email": ""})
    for recheck, sent in ((0, 1), (2, 3)):
        lix = client(wire := Wire(maybe))
        found = await lix.contact.email("linkedin.com/in/a", recheck=recheck, pause=0)
        assert (found.email, len(wire.sent), lix.credits.email) == (None, sent, 0)
    unknown = Wire(says({"status": "UNKNOWN"}))
    await client(unknown).contact.email("linkedin.com/in/a", recheck=5)
    assert len(unknown.sent) == 1
