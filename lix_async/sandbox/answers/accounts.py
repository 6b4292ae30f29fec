"""The Lix account, the LinkedIn accounts attached to it, and their connections."""

from __future__ import annotations

from ...core.values import JsonObject
from ..protocol import dates
from ..protocol.errors import params_invalid, weekly_limit
from ..protocol.params import RequestParams
from ..world.people import PersonRecord
from ..world.random import chance, number
from ..world.world import World
from .context import AnswerContext, get_part
from .profiles import check_message, person_of

INVITE_ID = "connections.send"
MAX_MESSAGE = 300
"""Characters of the message with an invitation."""
_WEEK = 7 * 86_400


def balances(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The balance of each kind of credit."""
    left = context.ledger.balances
    body: JsonObject = {"emailBalance": left["email"], "linkedInBalance": left["standard"]}
    if context.envelope == "seed":
        return body
    top_up = {"standard": False, "org": False}
    return body | {"lookcBalance": left["org"], "autoTopUpEnabled": top_up, "enterprise": False}


def daily_allowance(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Requests left today, and when the allowance starts again, in epoch seconds."""
    left = context.allowance.left(context.epoch)
    return {"requestsRemaining": left, "refreshesAt": dates.next_midnight(context.epoch)}


def _account(viewer: str) -> JsonObject:
    body: JsonObject = {
        "viewerId": viewer,
        "linkedInReady": not chance(0.1, "not ready", viewer),
        "salesNavigatorReady": _has_sales_navigator(viewer),
    }
    if chance(0.5, "warm-up", viewer):
        days = number("days", viewer) % 30
        done = days >= 21
        details = {
            "consecutiveActiveDays": days,
            "dailyAvailable": 500 if done else 60 + days * 20,
            "hourlyAvailable": 100 if done else 20 + days * 3,
            "dailyTotal": 500,
            "hourlyTotal": 100,
        }
        body["warmup"] = {"status": "completed" if done else "warming", "details": details}
    return body


def _has_sales_navigator(viewer: str) -> bool:
    return viewer == "sandbox-viewer" or chance(0.5, "sales navigator", viewer)


def linkedin_account(world: World, params: RequestParams, context: AnswerContext) -> object:
    """One attached account."""
    return _account(params.require("viewer_id"))


def linkedin_accounts(world: World, params: RequestParams, context: AnswerContext) -> object:
    """All attached accounts as an array, five on a page."""
    people = [*world.viewers, *sorted(context.state.attached_viewers)]
    size = context.page_size(5)
    start = (params.number("page", 1, minimum=1) - 1) * size
    return [_account(viewer) for viewer in people[start : start + size]]


def put_linkedin(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Attach an account by its cookies.

    The same `li_at` gives the same viewer; a value that begins with `bad` is rejected.
    """
    session = ""
    for cookie in params.array("cookies"):
        name, value = get_part(cookie, "key"), get_part(cookie, "value")
        if not isinstance(name, str) or not isinstance(value, str):
            raise params_invalid("cookies must be a list of objects with key and value")
        if name == "li_at":
            session = value
    if not session or session.startswith("bad"):
        raise params_invalid("the cookies are not valid")
    viewer = f"attached-viewer-{number(world.seed, 'cookie', session) % 16**8:08x}"
    context.state.attached_viewers.add(viewer)
    return {"viewer_id": viewer}


def _invitations(viewer: str, context: AnswerContext) -> tuple[int, int]:
    """The weekly limit, and how many are used: a few at the start, and one for each invitation."""
    monday = dates.next_monday(context.epoch)
    mine = [
        sent for sent in context.state.sent if (sent.endpoint, sent.viewer) == (INVITE_ID, viewer)
    ]
    used = 3 + number("invitations", viewer) % 12 + sum(sent.at >= monday - _WEEK for sent in mine)
    return (100 if _has_sales_navigator(viewer) else 50), used


def connections_remaining(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Invitations left this week."""
    viewer = params.require("viewer_id")
    limit, used = _invitations(viewer, context)
    return {
        "viewerId": viewer,
        "weeklyLimit": limit,
        "used": used,
        "remaining": max(limit - used, 0),
        "nextRefresh": dates.iso_seconds(dates.next_monday(context.epoch)),
    }


def invite(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Invite a person to connect; a second invitation fails with `success: false`."""
    viewer, text = params.require("viewer_id"), check_message(params.text("message"), MAX_MESSAGE)
    one = person_of(world, params)
    limit, used = _invitations(viewer, context)
    if used >= limit:
        raise weekly_limit(context.epoch)
    earlier = [sent for sent in context.state.sent_to(INVITE_ID, one.slug) if sent.viewer == viewer]
    if earlier:
        return {"success": False, "entity_urn": None}
    context.record_sent(viewer, one.slug, text)
    invitation = 7_000_000_000_000_000_000 + number("invitation", viewer, one.key) % 10**15
    return {"success": True, "entity_urn": f"urn:li:fsd_invitation:{invitation}"}


def connections(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The connections of a viewer: 30 to 929 people, `count` on a page (default 100)."""
    viewer = params.require("viewer_id")
    people = world.some_people(
        30 + number(world.seed, "connections", viewer) % 900, "connections", viewer
    )
    start, count = params.number("start"), params.number("count", context.page_size(100), minimum=1)
    pictures = params.flag("include_profile_pictures", True)
    page = people[start : start + count]
    paging: JsonObject = {"count": len(page)}
    if context.envelope != "seed":
        paging |= {"start": start, "total": len(people)}
    return {
        "connections_response": {
            "elements": [_connection(one, pictures) for one in page],
            "paging": paging,
        }
    }


def _connection(one: PersonRecord, pictures: bool) -> JsonObject:
    body: JsonObject = {
        "firstName": one.first,
        "lastName": one.last,
        "headline": one.headline,
        "publicIdentifier": one.slug,
        "entityUrn": one.urn,
    }
    return body | {"profile_picture": one.picture} if pictures and one.picture else body
