"""The values of published samples: postings, posts, searches and messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from lix_methods import sample

from lix_async.core.decoding import decoder_for
from lix_async.core.models import Listing
from lix_async.providers.lix import models as m

T = TypeVar("T")
DELIVERED = datetime(2025, 1, 2, 9, 0, 0, 446000, tzinfo=UTC)


def read(type_: type[T], name: str) -> T:
    return decoder_for(type_).read(sample(name))


def rows(type_: type[Listing[T]], name: str) -> list[T]:
    return read(type_, name).rows()


def test_job() -> None:
    job = read(m.JobPosting, "enrich.job")
    assert (job.id, job.title, job.employment_status) == (
        "3000000001",
        "Example Engineer",
        "Full-time",
    )
    assert (job.description, job.industries) == ("Write examples.", ["Software Development"])
    assert job["formattedJobFunctions"] == job.job_functions
    assert job.company is not None
    assert (job.company.name, job.company.staff_count) == ("Example Org", 26383)
    assert (job.company.city, job.company.country, job.company.postal_code) == (
        "Exampleville",
        "EX",
        None,
    )
    assert job.company.specialities == ["Examples"]


def test_hirers() -> None:
    names = [person.profile_url for person in rows(m.PeoplePage, "jobs.hirers")]
    assert names == [f"https://www.linkedin.com/in/example-person-{n}" for n in (1, 2)]


def test_post() -> None:
    post = read(m.Post, "enrich.post")
    assert (post.text, post.comment_count) == ("An example post.", 3)
    assert post.urn == "urn:li:activity:7000000000000000001"
    assert post.created_time == datetime(2025, 1, 2, 9, tzinfo=UTC)
    assert post.actor is not None
    assert post.actor.name == "Example Person 1"
    assert [(row.type, row.count) for row in post.reactions] == [("LIKE", 12)]
    assert post.reaction_count == 12
    assert post.embedded_title is None
    assert read(m.Post, "variants/enrich.post.raw").text == "An example post."


def test_comments() -> None:
    for name in ("enrich.post_comments", "variants/enrich.post_comments.camel"):
        page = read(m.CommentsPage, name)
        first = page.rows()[0]
        assert (first.text, first.num_reactions) == ("Example comment 1.", 5)
        assert first.created_time == datetime(2025, 1, 1, 10, 30, tzinfo=UTC)
        assert first.author is not None
        assert first.author.identity == "example-person-1"
        assert [row.count for row in first.reaction_breakdown] == [5, 0, 0, 0, 0, 0]
        assert page.cursor == "EXAMPLETOKEN0001"
    preview = read(m.CommentsPage, "variants/activity.comments.preview")
    first = preview.rows()[0]
    assert (first.text, first.num_reactions, first.post_id) == (
        "Example comment 1.",
        5,
        "example-post-1",
    )
    assert first.created_time == datetime(2025, 1, 2, 9, tzinfo=UTC)
    assert preview.observed_time == datetime(2025, 2, 3, 12, tzinfo=UTC)


def test_reactions() -> None:
    grouped = read(m.ReactionsPage, "enrich.post_reactions")
    flat = read(m.ReactionsPage, "variants/enrich.post_reactions.flat_camel")
    assert [row.type for row in grouped.rows()] == ["LIKE", "LIKE", "CELEBRATE"]
    assert [row.type for row in flat.rows()] == ["LIKE", "INSIGHTFUL"]
    assert [row.count for row in grouped.items] == [45, 23]
    assert grouped.total_reactions == 68
    assert [row.identity for row in flat.rows()] == ["example-person-1", "example-person-2"]


def test_activity_posts() -> None:
    first, second = rows(m.ActivityPostsPage, "activity.posts")
    assert (first.text, second.text) == ("Example post 1.", None)
    assert second.embedded_title == "Example article"
    (small,) = rows(m.ActivityPostsPage, "variants/activity.posts.preview")
    assert (small.text, small.reaction_count, small.comment_count) == ("Example post 1.", 42, 7)
    assert small.created_time == datetime(2025, 1, 2, 9, tzinfo=UTC)
    assert small.identity == "example-post-1"


def test_activity_reactions() -> None:
    page = read(m.ActivityReactionsPage, "activity.reactions")
    first, second = page.rows()
    assert (first.date_reacted, first.num_shares) == ("1mo", 10)
    assert first.identity == "urn:li:activity:7000000000000000001"
    assert second.post_actor is not None
    assert (second.post_actor.name, second.post_actor.link) == ("Example Org", None)
    assert page.cursor is None


def test_people_of_every_search() -> None:
    for name in ("search.people", "sales.list_people", "recruiter.search_people"):
        first, second, hidden = rows(m.PeoplePage, name)
        assert first.current_position is not None
        assert first.current_position.title == "Head of Examples"
        assert second.experience == []
        assert (hidden.name, hidden.identity, hidden.profile_url) == ("LinkedIn Member", None, None)


def test_jobs_of_a_search() -> None:
    first, second = rows(m.JobsPage, "search.jobs")
    assert (first.id, second.id) == ("3000000001", "3000000002")
    assert (first.company_name, second.location) == ("Example Org", None)


def test_posts_of_a_search() -> None:
    first, second = rows(m.PostsPage, "search.posts")
    assert (first.reaction_count, second.reaction_count) == (10, None)
    assert second.text is None


def test_organisations_of_searches_and_lists() -> None:
    first, second = rows(m.OrganisationsPage, "search.orgs")
    assert (first.followers, second.identity) == (15000, "company/sample-works")
    for name in ("sales.search_orgs", "sales.list_orgs", "variants/sales.search_orgs.nested"):
        first, second = rows(m.AccountsPage, name)
        assert (first.li_employee_count, first.identity) == (26383, "1000001")
        assert second.industry is None


def test_sales_threads() -> None:
    page = read(m.ThreadsPage, "sales.threads")
    first, second = page.rows()
    assert first.messages[0].delivered_time == DELIVERED.replace(microsecond=94000)
    assert (first.thread_id, second.unread_message_count) == (first.id, 1)
    assert page.cursor == second.next_page_starts_at == 1735722000000
    assert page.included[0].full_name == "Example Person 1"
    assert page.entity_urn == "urn:li:collectionResponse:EXAMPLE0001="


def test_sales_thread() -> None:
    for name in ("sales.thread", "variants/sales.thread.elements"):
        thread = read(m.SingleThread, name)
        assert thread.thread_id == "2-RVhBTVBMRS1USFJFQUQtMDAwMQ=="
        assert thread.messages[0].body == "Hello from an example."
        assert thread.included[0].object_urn == "urn:li:member:100000001"
    sent = read(m.SingleThread, "sales.send_message")
    assert (sent.total_message_count, sent.archived, sent.included) == (4, None, [])


def test_facets() -> None:
    assert [row.id for row in rows(m.FacetsPage, "facets.sales")] == ["3", "6", "9"]
    first, second = rows(m.FacetsPage, "variants/facets.sales.company")
    assert (first.display_value, second.headline) == ("Example Org", "Sample Works")
    assert str(first.pair) == "[urn:li:organization:1000001,Example Org]"
    assert rows(m.FacetsPage, "variants/facets.sales.no_match") == []
    skills = rows(m.SkillFacetsPage, "facets.recruiter")
    assert msgspec.to_builtins(skills[0].filter(required=True)) == {
        "text": "Example Skill A",
        "entity": "urn:li:ts_skill:1001",
        "negated": False,
        "required": True,
        "selected": True,
    }
    assert len(rows(m.SkillFacetsPage, "seed/facets.recruiter")) == 10


def test_conversations() -> None:
    page = read(m.ConversationsPage, "conversations.list")
    (conversation,) = page.rows()
    assert conversation.conversation_id == "2-RVhBTVBMRS1DT05WRVJTQVRJT04="
    assert conversation.last_activity_at == 1735808400446
    assert conversation.last_activity_time == DELIVERED
    assert conversation.created_time == DELIVERED.replace(day=1)
    assert conversation.participants[0].full_name == "Example Person 1"
    assert conversation.last_message is not None
    assert conversation.last_message.sender_name == "Example Person 1"
    assert page.cursor == "EXAMPLESEQ0001"
    last = read(m.ConversationsPage, "variants/conversations.list.last_page")
    assert (last.cursor, last.rows()[0].last_message) == (None, None)


def test_messages() -> None:
    for name, cursor in (
        ("messages.list", "EXAMPLESEQ0001"),
        ("variants/messages.list.sync_token", "EXAMPLESYNC0001"),
    ):
        page = read(m.MessagesPage, name)
        (message,) = page.rows()
        assert (message.body_text, page.cursor) == ("Hello from an example.", cursor)
        assert message.delivered_time == DELIVERED
        assert message.identity == "urn:li:messagingMessage:2-EXAMPLE0001"
    sent = read(m.Message, "messages.send")
    assert (sent.body_text, sent.sender_name) == ("Hello back.", None)
    assert sent.conversation_id == "2-RVhBTVBMRS1DT05WRVJTQVRJT04="


def test_email() -> None:
    sure = read(m.Email, "contact.email_by_linkedin")
    assert (sure.email, sure.is_valid) == ("person1@example.com", True)
    maybe = read(m.Email, "variants/contact.email_by_linkedin.probable")
    assert (maybe.email, maybe.is_valid, maybe.is_probable) == (None, False, True)
    assert maybe.alternatives == ["person1@example.com", "p1@example.com"]
    none = read(m.Email, "variants/contact.email_by_linkedin.none")
    assert (none.email, none.status, none.alternatives) == (None, "UNKNOWN", [])
    assert not none.is_probable
