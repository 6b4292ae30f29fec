"""Lix: its endpoints and example parameters."""

from __future__ import annotations

from ...core.decoding import JsonObject
from ...providers.lix.endpoints import TABLE
from ...providers.lix.provider import LIX
from ..answers import inmail, lix, messages
from ..world import inbox, job_postings
from ..world.world import World
from .base import Examples, SandboxProvider

_PEOPLE = "https://www.linkedin.com/search/results/people/?keywords=sales"
_LEADS = "https://www.linkedin.com/sales/search/people?query=(keywords:sales)"
_JOBS = "https://www.linkedin.com/jobs/search/?keywords=sales"


def _examples(world: World) -> Examples:
    person, employer, viewer = world.person(0), world.companies.at(0), world.viewers[0]
    by_viewer = {"viewer_id": viewer}
    profile: JsonObject = {"profile_link": person.link}
    post: JsonObject = {"post_urn": world.post_at(0).urn}
    job: JsonObject = {"job_id": str(job_postings.FIRST_ID)}
    page: JsonObject = {"url": _PEOPLE, "sequence_id": "example-sequence"}
    leads = {**page, "url": _LEADS}
    saved_list: JsonObject = {"list_id": "1001", **by_viewer}
    conversation = inbox.conversation(messages.KIND, viewer, 0)
    thread = inbox.conversation(inmail.KIND, viewer, 0)
    skill = {"text": "Python", "entity": "urn:li:ts_skill:1001"}
    return {
        "linkedin_account.get": by_viewer,
        "linkedin_account.list": {"page": 1},
        "linkedin_account.put": {"cookies": [{"key": "li_at", "value": "example"}]},
        "linkedin_account.connections_remaining": by_viewer,
        "connections.list": {**by_viewer, "count": 10},
        "connections.send": {**by_viewer, **profile, "message": "Hello"},
        "ids.person": {"sales_nav_id": person.sales_id},
        "ids.organisation": {"sales_nav_id": employer.sales_id},
        "person.get": profile,
        "person.legacy": {"id": person.slug},
        "person.employment": profile,
        "person.extended": profile,
        "organisation.by_linkedin": {"linkedin_url": employer.link},
        "organisation.by_website": {"website": employer.domain, "domain": employer.domain},
        "organisation.followers": {"profile_link": employer.link, **by_viewer},
        "enrich.job": job,
        "enrich.post": post,
        "enrich.post_comments": post,
        "enrich.post_reactions": post,
        "activity.posts": profile,
        "activity.comments": profile,
        "activity.reactions": profile,
        "search.people": page,
        "search.jobs": {**page, "url": _JOBS},
        "search.posts": page,
        "search.orgs": page,
        "jobs.hirers": job,
        "sales.search_people": leads,
        "sales.search_people_post": leads,
        "sales.people_by_filters": {"keywords": "sales"},
        "sales.search_orgs": leads,
        "sales.list_people": saved_list,
        "sales.list_orgs": saved_list,
        "sales.threads": by_viewer,
        "sales.thread": {"thread_id": thread.id, **by_viewer},
        "sales.send_message": {**by_viewer, "thread_id": thread.id, "body": "Hello"},
        "recruiter.search_people": {"skills": [skill]},
        "facets.sales": {"query": "engineer", "type": "TITLE"},
        "facets.recruiter": {"query": "python"},
        "conversations.list": by_viewer,
        "messages.list": {**by_viewer, "conversation_urn": conversation.urn},
        "messages.send": {**by_viewer, "conversation_urn": conversation.urn, "body": "Hello"},
        "contact.email_by_linkedin": {"url": person.link},
    }


PROVIDER = SandboxProvider(
    provider=LIX,
    endpoints=TABLE,
    answers=lix.ANSWERS,
    param_names={"domain": "website"},
    is_charged=lix.is_charged,
    needs_credit=lix.needs_credit,
    counts_daily=lambda endpoint_id: not endpoint_id.startswith("account."),
    loose=frozenset({"linkedin_account.list"}),
    examples=_examples,
)
