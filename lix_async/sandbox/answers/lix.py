"""The answers of Lix, by catalogue id."""

from __future__ import annotations

from collections.abc import Mapping

from . import accounts, activity, facets, inmail, messages, profiles, searches
from .context import AnswerFunction, get_part

ANSWERS: Mapping[str, AnswerFunction] = {
    "account.balances": accounts.balances,
    "account.daily_allowance": accounts.daily_allowance,
    "linkedin_account.get": accounts.linkedin_account,
    "linkedin_account.list": accounts.linkedin_accounts,
    "linkedin_account.put": accounts.put_linkedin,
    "linkedin_account.connections_remaining": accounts.connections_remaining,
    "connections.list": accounts.connections,
    "connections.send": accounts.invite,
    "ids.person": profiles.person_ids,
    "ids.organisation": profiles.organisation_ids,
    "person.get": profiles.person,
    "person.legacy": profiles.legacy_person,
    "person.employment": profiles.employment,
    "person.extended": profiles.extended,
    "organisation.by_linkedin": profiles.organisation,
    "organisation.by_website": profiles.organisations_by_website,
    "organisation.followers": profiles.followers,
    "enrich.job": activity.job,
    "enrich.post": activity.post,
    "enrich.post_comments": activity.post_comments,
    "enrich.post_reactions": activity.post_reactions,
    "activity.posts": activity.posts_of,
    "activity.comments": activity.comments_of,
    "activity.reactions": activity.reactions_of,
    "search.people": searches.search_people,
    "search.jobs": searches.search_jobs,
    "search.posts": searches.search_posts,
    "search.orgs": searches.search_orgs,
    "jobs.hirers": profiles.hirers,
    "sales.search_people": searches.sales_people,
    "sales.search_people_post": searches.sales_people,
    "sales.people_by_filters": searches.people_by_filters,
    "sales.search_orgs": searches.sales_orgs,
    "sales.list_people": searches.list_people,
    "sales.list_orgs": searches.list_orgs,
    "sales.threads": inmail.threads,
    "sales.thread": inmail.thread,
    "sales.send_message": inmail.send,
    "recruiter.search_people": searches.recruiter_people,
    "facets.sales": facets.sales,
    "facets.recruiter": facets.recruiter,
    "conversations.list": messages.conversations,
    "messages.list": messages.messages,
    "messages.send": messages.send,
    "contact.email_by_linkedin": profiles.email,
}
"""By catalogue id; every endpoint has one."""


def is_charged(endpoint_id: str, body: object) -> bool:
    """Whether a success is charged.

    An e-mail address is charged only if it is VALID, an invitation only if it was sent, a company
    only if it could be read (lix.md#credits).
    """
    match endpoint_id:
        case "contact.email_by_linkedin":
            return get_part(body, "status") == "VALID"
        case "connections.send":
            return get_part(body, "success") is True
        case "organisation.by_linkedin":
            return get_part(body, "liOrganisation") is not None
        case _:
            return True


def needs_credit(endpoint_id: str) -> bool:
    """Whether a free request needs an account with any credit: facets do (lix.md#credits)."""
    return endpoint_id.startswith("facets.")
