"""Meet Alfred's endpoints: campaigns, leads, connections, and what public clients use besides.

Contract: meetalfred.md#endpoints. With the sandbox's setting `envelope="seed"` the items are an
array, as in the oldest samples; otherwise they are wrapped, as newer clients find them. Times have
three formats. A server that ignores `page` is `faults=Faults(rates={"repeated_page": 1.0})`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from ...core.values import JsonObject
from ..protocol.errors import ErrorReply, params_invalid
from ..protocol.params import RequestParams
from ..world import meetalfred_records
from ..world.people import PersonRecord
from ..world.random import number
from ..world.world import World
from .context import AnswerContext, AnswerFunction

MAX_PAGE_SIZE = 100


def campaigns(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Campaigns with a status, the active ones by default."""
    status = params.text("type") or "active"
    if status not in ("active", "draft", "archived", "all"):
        raise params_invalid("type must be active, draft, archived or all")
    found = [one for one in meetalfred_records.CAMPAIGNS if status in ("all", one.status)]
    if context.envelope == "seed":
        return [meetalfred_records.campaign(one) for one in found]
    return {"campaigns": [meetalfred_records.campaign_label(one) for one in found]}


def leads(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The people in all campaigns or in one."""
    campaign = params.values.get("campaign")
    people = [
        p for p in _people(world, 140) if campaign in (None, meetalfred_records.campaign_of(p).key)
    ]
    items = [meetalfred_records.lead(person, seed=context.envelope == "seed") for person in people]
    return _wrapped(_page(items, params, context), context)


def connections(world: World, params: RequestParams, context: AnswerContext) -> object:
    """LinkedIn connections of the user; `return_only_synced` leaves out hidden profiles."""
    people = _people(world, 90)
    if params.flag("return_only_synced", False):
        people = [person for person in people if not person.hidden]
    items = [meetalfred_records.connection(one, seed=context.envelope == "seed") for one in people]
    return _wrapped(_page(items, params, context), context)


def member_connections(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Connections of the team members. Their key is not documented, so it is another one."""
    items = [meetalfred_records.connection(one) for one in _people(world, 60)]
    return {"connections": _page(items, params, context)}


def replies(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Replies that were detected. Some items have only an id and a time."""
    items = [_reply(person, context) for person in _people(world, 40)]
    return {"actions": _page(items, params, context)}


def _reply(person: PersonRecord, context: AnswerContext) -> JsonObject:
    at = datetime.fromtimestamp(context.epoch - number("reply", person.key) % 10**6, UTC)
    if number("bare reply", person.key) % 5 == 0:
        return {
            "id": number("id", person.key) % 10**6,
            "reply_detected_on": meetalfred_records.format_with_space(at),
        }
    return {
        "name": person.name,
        "first_name": person.first,
        "last_name": person.last,
        "email": person.email,
        "linkedin_profile_url": person.link,
        "linkedin_conversation_url": "https://www.linkedin.com/messaging/thread/2-EXAMPLE=/",
        "companyName": person.employer.name,
        "campaign_name": meetalfred_records.campaign_of(person).name,
        "reply_message": "Example reply.",
        "reply_detected_on": meetalfred_records.format_with_z(at),
    }


def last_actions(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The actions of the campaigns, newest first. Some items do not name a person."""
    action = params.require("action")
    if action not in meetalfred_records.ACTIONS:
        raise params_invalid(f"action must be one of {', '.join(meetalfred_records.ACTIONS)}")
    items: list[JsonObject] = []
    for index, person in enumerate(_people(world, 50)):
        at = datetime.fromtimestamp(context.epoch - 3600 * index, UTC)
        name = 9000 + 50 - index
        item: JsonObject = {
            "id": str(name) if index % 3 else name,
            "created_at": meetalfred_records.format_with_z(at)
            if index % 2
            else meetalfred_records.format_with_space(at),
            "desc": meetalfred_records.ACTIONS[action],
        }
        if index % 5 != 4:
            item["msg"] = "Example message." if index % 4 else None
            item["lead"] = {
                "object_urn": meetalfred_records.object_urn(person),
                "campaign": {"key": meetalfred_records.campaign_of(person).key},
                "person": meetalfred_records.person_summary(person),
            }
        items.append(item)
    return {"actions": _page(items, params, context)}


def team_members(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The team members. Their API keys are placeholders."""
    return [
        {
            "id": 11 + index,
            "name": person.name,
            "email": person.email,
            "webhook_key": f"EXAMPLE-PLACEHOLDER-{index}",
            "timezone": None if index % 2 else "Etc/UTC",
        }
        for index, person in enumerate(_people(world, 3))
    ]


def add_lead(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Add a lead to a campaign, recorded in `sandbox.sent` with its columns as the text."""
    key = params.number("campaign")
    if key not in {one.key for one in meetalfred_records.CAMPAIGNS}:
        raise ErrorReply(404, "unknown_record", "no such campaign")
    target = params.text("linkedin_profile_url") or params.require("email")
    columns = params.values.get("columns")
    text = msgspec.json.encode(columns, order="sorted").decode() if columns else ""
    context.record_sent(str(key), target, text)
    return {"id": 9200 + context.request, "message": "lead added", "success": True}


def _people(world: World, count: int) -> list[PersonRecord]:
    return [world.person(index) for index in range(min(count, world.people))]


def _page(
    items: Sequence[JsonObject], params: RequestParams, context: AnswerContext
) -> list[JsonObject]:
    size = min(params.number("per_page", context.page_size(25), minimum=1), MAX_PAGE_SIZE)
    start = params.number("page") * size
    return list(items[start : start + size])


def _wrapped(items: list[JsonObject], context: AnswerContext) -> object:
    return items if context.envelope == "seed" else {"actions": items}


ANSWERS: Mapping[str, AnswerFunction] = {
    "meetalfred.campaigns": campaigns,
    "meetalfred.leads": leads,
    "meetalfred.connections": connections,
    "meetalfred.new_reply_detected": replies,
    "meetalfred.get_last_actions": last_actions,
    "meetalfred.get_team_members": team_members,
    "meetalfred.get_member_connections": member_connections,
    "meetalfred.add_lead_to_campaign": add_lead,
}
"""By catalogue id; every endpoint has one."""
