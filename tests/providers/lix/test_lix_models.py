"""Edge cases of organisations, posts, postings, messages and params."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lix_async.core.decoding import decoder_for
from lix_async.core.json_text import SchemaMismatch
from lix_async.core.models import Params
from lix_async.providers.lix import models as m
from lix_async.providers.lix import params as p


@pytest.mark.parametrize(
    ("fields", "identity"),
    [
        ({"link": "https://www.linkedin.com/company/Example-Org/"}, "company/example-org"),
        ({"salesNavLink": "https://linkedin.com/sales/company/7"}, "7"),
        ({"link": "https://www.linkedin.com/sales/company/7"}, "7"),
        ({"salesNavLink": "https://linkedin.com/sales/company/"}, None),
        ({"link": "https://example.com"}, "https://example.com"),
        ({}, None),
    ],
)
def test_identity_of_organisations(fields: dict[str, Any], identity: str | None) -> None:
    one = decoder_for(m.LiOrganisation).read(msgspec.json.encode(fields))
    assert one.identity == identity
    assert m.Organisation(li_organisation=one).identity == identity


def test_an_organisation_reads_its_profile_first() -> None:
    old = m.LiOrganisation(
        name="old",
        link="https://www.linkedin.com/company/old",
        sales_nav_link="https://linkedin.com/sales/company/",
        li_employee_count=1,
        followers=2,
        number_of_job_openings=3,
        company_type="old type",
        year_founded=1999,
        headquarters="Exampleville, EX",
        industry="i",
        size="s",
        logo_url="l",
        website="w",
        description="d",
        specialities="a, b",
        stock_ticker_code="T",
        headquarters_address="1 Example Street",
    )
    only_old = m.Organisation(li_organisation=old)
    both = m.Organisation(
        li_organisation=old,
        profile=m.OrganisationProfile(
            name="new", employee_count=0, follower_count=20, hq_country="NW", founded_year=2000
        ),
        links=m.IdLinks(sales_nav_url="https://linkedin.com/sales/company/9"),
    )
    assert (only_old.name, both.name) == ("old", "new")
    assert (only_old.employee_count, both.employee_count) == (1, 0)
    assert (only_old.follower_count, both.follower_count) == (2, 20)
    assert (only_old.hq_country, both.hq_country) == ("EX", "NW")
    assert (only_old.founded_year, both.founded_year) == (1999, 2000)
    assert (only_old.sales_nav_url, both.sales_nav_url) == (
        None,
        "https://linkedin.com/sales/company/9",
    )
    for one in (only_old, both):
        assert (one.job_openings_count, one.org_type) == (3, "old type")
        assert one.linkedin_url == "https://www.linkedin.com/company/old"
        assert (one.headquarters, one.headquarters_address) == (
            "Exampleville, EX",
            "1 Example Street",
        )
        assert (one.industry, one.size, one.logo_url, one.website) == ("i", "s", "l", "w")
        assert (one.description, one.specialities, one.stock_ticker_code) == ("d", "a, b", "T")


def test_an_empty_organisation() -> None:
    none = m.Organisation()
    assert (none.name, none.employee_count, none.hq_country, none.headquarters) == (None,) * 4
    assert none.identity is none.linkedin_url is none.sales_nav_url is None
    linked = m.Organisation(links=m.IdLinks(li_profile_url="https://www.linkedin.com/company/x"))
    assert linked.identity == "company/x"
    assert m.Organisation(profile=m.OrganisationProfile(hq_country="EX")).headquarters == "EX"


def test_urn_and_identity_of_posts() -> None:
    urn = "urn:li:activity:1"
    for name in ("urn", "post_urn", "postUrn", "id"):
        assert m.Post({name: urn}).urn == m.Post({name: urn}).identity == urn
    assert m.Post({"id": "7", "postUrn": urn}).urn == urn
    assert (m.Post({"id": "7"}).urn, m.Post({"id": "7"}).identity) == (None, "7")
    assert m.Post({"url": "https://x"}).identity == "https://x"
    assert m.Post().identity is None


def test_open_objects_accept_values_of_any_type() -> None:
    odd: dict[str, object] = {
        "actor": [],
        "numReactions": [None, "x", {"reactionType": "REACTION_TYPE_LOVE", "count": "3"}],
        "embeddedObject": "x",
        "response": {"elements": ["x"]},
        "text": 5,
        "companyDetails": [],
        "description": "plain",
        "formattedJobFunctions": [None, "Engineering"],
        "jobPostingId": "abc",
        "id": None,
    }
    post, job = m.Post(odd), m.JobPosting(odd)
    assert (post.actor, post.text, post.embedded_title) == (None, None, None)
    assert [(row.type, row.count) for row in post.reactions][-1] == ("LOVE", 3)
    assert post.reaction_count == 3
    assert (job.company, job.company_name, job.employment_status) == (None, None, None)
    assert (job.description, job.job_functions, job.industries) == ("plain", ["Engineering"], [])
    assert (job.id, job.identity) == ("abc", "abc")
    assert m.JobPosting({"jobPostingUrl": "https://x"}).identity == "https://x"


def test_a_posting_with_and_without_an_envelope() -> None:
    for body in ({"jobPosting": {"title": "T"}, "more": 1}, {"title": "T", "more": 1}):
        job = decoder_for(m.JobPosting).read(msgspec.json.encode(body))
        assert (job.title, job["more"]) == ("T", 1)


def test_conversation_ids_are_read_from_every_field() -> None:
    urn = "urn:li:msg_conversation:(urn:li:fsd_profile:ACoA,2-a=)"
    assert m.Conversation(conversation_urn=urn).conversation_id == "2-a="
    assert m.Conversation(backend_urn="urn:li:messagingThread:2-a=").conversation_id == "2-a="
    url = "https://www.linkedin.com/messaging/thread/2-a%3D/"
    assert m.Conversation(conversation_url=url).conversation_id == "2-a="
    assert (
        m.Message(backend_conversation_urn="urn:li:messagingThread:2-a=").conversation_id == "2-a="
    )
    assert m.Conversation().conversation_id is m.Message().conversation_id is None
    assert m.SalesThread(entity_urn="urn:li:fs_salesMessagingThread:2-b=").identity == "2-b="
    assert m.SalesThread().thread_id is None


def test_items_without_an_id_have_no_identity() -> None:
    for row in (m.Comment(), m.Reaction(), m.Reaction(actor=m.Actor()), m.Facet(), m.SkillFacet(),
                m.Follower(), m.Message(), m.Conversation(), m.ActivityReaction(),
                m.LinkedInAccount(), m.Connection(), m.LiOrganisation(), m.Person()):  # fmt: skip
        assert row.identity is None
    assert m.Follower().profile_url is m.Connection().profile_url is None
    assert m.Participant().full_name is m.Connection().full_name is m.Message().sender_name is None


def test_a_value_of_the_wrong_type_is_reported_with_its_path() -> None:
    for body, path in (
        (b'{"searchResponse": {"people": "x"}}', "$.people"),
        (b"[]", "$"),
        (b"7", "$"),
    ):
        with pytest.raises(SchemaMismatch) as caught:
            decoder_for(m.PeoplePage).read(body)
        assert path in caught.value.path
    with pytest.raises(SchemaMismatch) as caught:
        decoder_for(m.Person).read(b'{"experience": [{"organisation": "x"}]}')
    assert caught.value.path == "$.experience[0].organisation"


def test_cookies_are_not_shown() -> None:
    params: Params = p.PutLinkedInParams(cookies=[p.Cookie("li_at", "hunter2")])
    (cookie,) = p.PutLinkedInParams(cookies=[p.Cookie("li_at", "hunter2")]).cookies
    shown = f"{params!r} {params} {cookie!r} {cookie} {cookie.__rich_repr__()}"
    assert "hunter2" not in shown
    assert "li_at" in shown
    assert params == p.PutLinkedInParams(cookies=[cookie])


@pytest.mark.parametrize("website", ["https://www.example.com/about?x=1#y", "www.example.com/about",
                                     "WWW.EXAMPLE.COM", "http://user@www.example.com:8080"])  # fmt: skip
def test_the_domain_of_a_website(website: str) -> None:
    assert p.WebsiteParams(website=website).domain == "www.example.com"


@pytest.mark.parametrize("website", ["https://", "https://[", "exam ple.com", " "])
def test_websites_without_a_domain(website: str) -> None:
    with pytest.raises(Exception, match="website must be"):
        p.WebsiteParams(website=website).check()


def test_properties_of_companies_and_post_authors() -> None:
    company = m.Company({"universalName": "x", "url": "https://x", "description": "d"})
    assert (company.universal_name, company.url, company.description) == ("x", "https://x", "d")
    assert m.JobPosting({"jobPostingUrl": "https://x"}).url == "https://x"
    actor = m.Post({"actor": {"id": "a", "url": "https://x"}}).actor
    assert actor is not None
    assert (actor.id, actor.url) == ("a", "https://x")


def test_encoded_ids_keep_their_case() -> None:
    """ACoAA… and Acoaa… are two people; names are the same in any case."""
    link = "https://www.linkedin.com/in/ACoAABcDeFgHiJkLmNoP"
    ids = [m.Person(link=link), m.Person(li_id="ACoAABcDeFgHiJkLmNoP")]
    assert {one.profile_url for one in ids} == {link}
    assert {one.identity for one in ids} == {"in/ACoAABcDeFgHiJkLmNoP"}
    other = m.Person(link=link.replace("BcDe", "bCdE"))
    assert other.identity != ids[0].identity
    names = [m.Person(link="https://www.linkedin.com/in/Ada"), m.Person(li_id="ADA")]
    assert {one.identity for one in names} == {"in/ada"}


def test_a_post_is_read_under_either_set_of_names() -> None:
    """The second set is that of rows which public clients have published."""
    documented = m.Post(
        id="7", urn="urn:li:activity:7", text="t", createdAt="2024-05-06T02:07:53.182452049Z",
        actor={"id": "ada", "name": "Ada", "url": "https://www.linkedin.com/in/ada"},
        numReactions=[{"reactionType": "REACTION_TYPE_LIKE", "count": 3},
                      {"reactionType": "REACTION_TYPE_PRAISE", "count": 0}],
        commentCount=2, embeddedObject={"title": "e"},
    )  # fmt: skip
    published = m.Post(
        id="7", urn="urn:li:activity:7", text="t", postedAt="2024-05-06T02:07:53.182452049Z",
        person={"description": "h", "name": "Ada", "link": "https://www.linkedin.com/in/ada?x=1"},
        numReactions=[{"reactionType": "REACTION_TYPE_LIKE", "count": 3},
                      {"reactionType": "REACTION_TYPE_PRAISE"}],
        numComments=2, numShares=4,
        embeddedObject={"title": "e", "source": "s", "imageUrl": "https://i"},
    )  # fmt: skip
    for post in (documented, published):
        assert (post.identity, post.text, post.comment_count) == ("urn:li:activity:7", "t", 2)
        assert post.created_time is not None
        assert post.created_time.year == 2024
        assert post.actor is not None
        assert (post.actor.id, post.actor.name) == ("ada", "Ada")
        assert (post.actor.url or "").startswith("https://www.linkedin.com/in/ada")
        assert [(one.type, one.count) for one in post.reactions] == [("LIKE", 3), ("PRAISE", 0)]
        assert (post.reaction_count, post.embedded_title) == (3, "e")
    assert published.actor is not None
    assert (published.actor.headline, published.share_count) == ("h", 4)
    assert (published.embedded_source, published.embedded_image_url) == ("s", "https://i")
    assert documented.share_count is None


def test_an_enriched_post_has_counts_under_other_names() -> None:
    post = m.Post(numLikes=5, numComments="6", numShares=7)
    assert (post.reaction_count, post.comment_count, post.share_count) == (5, 6, 7)


def test_an_odd_thread_at_the_end_of_a_page_leads_to_the_next_page() -> None:
    body = b'{"data": {"elements": [{"id": "a", "nextPageStartsAt": 5}, null, "odd"]}}'
    assert decoder_for(m.ThreadsPage).read(body).cursor == 5
    assert decoder_for(m.ThreadsPage).read(b'{"data": {"elements": ["odd"]}}').cursor is None


def test_a_placeholder_is_no_identity() -> None:
    person = m.Person(link="https://www.linkedin.com/in/undefined", sales_nav_id="AC1")
    assert (person.identity, person.profile_url) == ("sales/AC1", None)
    assert m.Person(link="https://www.linkedin.com/in/undefined", li_id="ada").identity == "in/ada"
    assert m.Actor(link="https://www.linkedin.com/in/", li_id="ada").identity == "ada"
