"""Lix: its table, its answers, and examples of what to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...providers.lix.endpoints import TABLE
from ...providers.lix.provider import LIX
from ..answers import inmail, lix, messages
from ..world import inbox, job_postings
from .base import SandboxProvider

if TYPE_CHECKING:
    from ..world.world import World
    from .base import Examples

_PEOPLE = "https://www.linkedin.com/search/results/people/?keywords=sales"
_LEADS = "https://www.linkedin.com/sales/search/people?query=(keywords:sales)"
_JOBS = "https://www.linkedin.com/jobs/search/?keywords=sales"


def _examples(world: World) -> Examples:
    person, employer, viewer = world.person(0), world.companies.at(0), world.viewers[0]
    seen = {"viewer_id": viewer}
    profile: dict[str, object] = {"profile_link": person.link}
    post: dict[str, object] = {"post_urn": world.post_at(0).urn}
    job: dict[str, object] = {"job_id": str(job_postings.FIRST_ID)}
    page: dict[str, object] = {"url": _PEOPLE, "sequence_id": "example-sequence"}
    leads = {**page, "url": _LEADS}
    listed: dict[str, object] = {"list_id": "1001", **seen}
    conversation = inbox.talk(messages.KIND, viewer, 0)
    thread = inbox.talk(inmail.KIND, viewer, 0)
    skill = {"text": "Python", "entity": "urn:li:ts_skill:1001"}
    return {
        "linkedin_account.get": seen,
        "linkedin_account.list": {"page": 1},
        "linkedin_account.put": {"cookies": [{"key": "li_at", "value": "example"}]},
        "linkedin_account.connections_remaining": seen,
        "connections.list": {**seen, "count": 10},
        "connections.send": {**seen, **profile, "message": "Hello"},
        "ids.person": {"sales_nav_id": person.sales_id},
        "ids.organisation": {"sales_nav_id": employer.sales_id},
        "person.get": profile,
        "person.legacy": {"id": person.slug},
        "person.employment": profile,
        "person.extended": profile,
        "organisation.by_linkedin": {"linkedin_url": employer.link},
        "organisation.by_website": {"website": employer.domain, "domain": employer.domain},
        "organisation.followers": {"profile_link": employer.link, **seen},
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
        "sales.list_people": listed,
        "sales.list_orgs": listed,
        "sales.threads": seen,
        "sales.thread": {"thread_id": thread.id, **seen},
        "sales.send_message": {**seen, "thread_id": thread.id, "body": "Hello"},
        "recruiter.search_people": {"skills": [skill]},
        "facets.sales": {"query": "engineer", "type": "TITLE"},
        "facets.recruiter": {"query": "python"},
        "conversations.list": seen,
        "messages.list": {**seen, "conversation_urn": conversation.urn},
        "messages.send": {**seen, "conversation_urn": conversation.urn, "body": "Hello"},
        "contact.email_by_linkedin": {"url": person.link},
    }


def _daily(endpoint: str) -> bool:
    return not endpoint.startswith("account.")


HOUSE = SandboxProvider(
    provider=LIX,
    table=TABLE,
    answers=lix.ANSWERS,
    renamed={"domain": "website"},
    charged=lix.charged,
    needs_credit=lix.needs_credit,
    daily=_daily,
    loose=frozenset({"linkedin_account.list"}),
    examples=_examples,
)
