"""ConnectSafely's calls: profiles with their cache and quota, accounts, searches, endorsements.

Contract: connectsafely.md. Whose account looks is in every answer; quota and cache are its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import views
from ..dice import chance, number, pick
from ..limits import iso, midnight
from ..memory import Sent
from ..refusals import Refusal, params_invalid
from ..searching import wanted
from .context import Said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..people import Person
    from ..world import World
    from .context import Answer, Asked, Context

ACCOUNT = "0123456789abcdef01234567"
"""The connected account that acts where none is named."""
DAILY = 120
"""Different profiles that an account may fetch a day."""
FRESH = 6 * 3600.0
"""Seconds that an answer stays in the cache."""
_HEX = re.compile(r"[0-9a-f]{24}")


def _account(params: Asked) -> str:
    asked = params.text("account_id") or ACCOUNT
    if not _HEX.fullmatch(asked):
        raise Refusal(404, "not_found", "account not found")
    return asked


def profile(world: World, params: Asked, context: Context) -> object:
    """A profile: from the cache of six hours, or one of the day's 120."""
    slug, account = params.need("profile_id"), _account(params)
    now, day = context.epoch, iso(context.epoch)[:10]
    seen = context.memory.viewed.setdefault((account, day), set())
    at = context.memory.views.get((account, slug.lower()))
    cached = at is not None and now - at < FRESH and not params.flag("force_refresh", False)
    if not cached:
        if slug.lower() not in seen and len(seen) >= DAILY:
            used = {"refreshesAt": midnight(now)}
            raise Refusal(429, "daily_limit", None, _told(len(seen), now), used)
        seen.add(slug.lower())
        at = context.memory.views[(account, slug.lower())] = now
    body: dict[str, object] = {"success": True, "profileId": slug, "accountId": account}
    person = _person(world, slug)
    if person is None:
        body |= {"profile": {}, "message": "no such profile"}
        return Said(body, headers=_told(len(seen), now))
    body["profile"] = views.profile(person, params.flag("include_geo_location", False))
    if params.flag("include_experience", False):
        body["experience"] = views.experience(world, person)
    if params.flag("include_skills", False):
        body["skills"] = views.skills(person)
    if params.flag("include_education", False):
        body["education"] = views.schools(person)
    if cached and at is not None:
        body |= {"cached": True, "cachedAt": iso(at), "expiresAt": iso(at + FRESH)}
    body["message"] = "profile fetched"
    return Said(body, headers=_told(len(seen), now))


def _told(used: int, epoch: float) -> dict[str, str]:
    return {
        "X-RateLimit-Action": "PROFILE",
        "X-RateLimit-Limit": str(DAILY),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Remaining": str(max(DAILY - used, 0)),
        "X-RateLimit-Reset": iso(midnight(epoch)),
    }


def _person(world: World, slug: str) -> Person | None:
    try:
        return world.person_by_slug(slug)
    except Refusal:
        return None


def account_status(world: World, params: Asked, context: Context) -> object:
    """The state of a connected account; a bare object."""
    return {
        "id": _account(params),
        "firstName": "Example",
        "lastName": "Account",
        "publicId": "example-account",
        "platform": "linkedin",
        "status": "AVAILABLE",
        "enabled": True,
        "lastUsed": iso(context.epoch),
        "hasTokens": True,
        "linkedinPlan": {"premiumType": "NON_PREMIUM", "isPremium": False},
    }


def account_quota(world: World, params: Asked, context: Context) -> object:
    """The limits of an account; the sample writes its times with a space."""
    account, day = _account(params), iso(context.epoch)[:10]
    used = len(context.memory.viewed.get((account, day), ()))
    resets = iso(midnight(context.epoch)).replace("T", " ").replace("Z", "+00:00")
    quota: dict[str, object] = {
        "feature": "PROFILE_VIEW",
        "window": "daily",
        "used": used,
        "limit": DAILY,
        "linkedinLimit": 150,
        "remaining": max(DAILY - used, 0),
        "limitReached": False,
        "limitReachedAt": None,
        "resetAt": resets,
    }
    return {"accountId": account, "quotas": [quota]}


def relationship(world: World, params: Asked, context: Context) -> object:
    """How an account stands to a profile; a bare object."""
    account, person = _account(params), _person(world, params.need("profile_id"))
    if person is None:
        raise Refusal(404, "not_found", "profile not found")
    connected = views.degree(person) == "DISTANCE_1"
    return {
        "connected": connected,
        "invitationSent": False,
        "invitationReceived": False,
        "status": "CONNECTED" if connected else "NOT_CONNECTED",
        "profileUrn": person.urn,
        "accountId": account,
    }


def search_people(world: World, params: Asked, context: Context) -> object:
    """People by keywords. Pages are shorter than asked for now and then, as the contract warns."""
    _account(params)
    keywords = params.text("keywords") or ""
    key = f"connectsafely people {keywords} {params.text('url') or ''}"
    places = world.search("people", wanted(key, keywords), "connectsafely")
    rows, pages = _page(params, len(places), context.page_size(10))
    people = [world.person(places[place]) for place in rows]
    return {"success": True, "people": [_row(one) for one in people], **pages}


def search_groups(world: World, params: Asked, context: Context) -> object:
    """Groups by keywords."""
    _account(params)
    keywords = params.text("keywords") or ""
    total = 0 if "nothing-matches" in keywords else 40 + number("groups", keywords) % 60
    rows, pages = _page(params, total, context.page_size(25))
    return {"success": True, "groups": [_group(keywords, place) for place in rows], **pages}


def _page(params: Asked, total: int, size: int) -> tuple[range, dict[str, object]]:
    start, count = params.number("start"), params.number("count", size, least=1)
    # A short page is not the end: pages of 8 to 10 rows are normal (contract, "live section").
    short = count - number("short", start) % 3 if count > 3 else count
    rows = range(min(start, total), min(start + short, total))
    pagination = {"count": count, "start": start, "total": total}
    return rows, {"pagination": pagination, "hasMore": rows.stop < total}


def _row(person: Person) -> dict[str, object]:
    return {
        "profileId": person.slug,
        "profileUrn": person.urn,
        "firstName": person.first,
        "lastName": person.last,
        "headline": person.headline,
        "profilePicture": person.picture,
        "location": person.location,
        "connectionDegree": pick(("2nd", "3rd"), "row", person.slug),
        "currentPosition": person.headline,
        "profileUrl": person.link,
        "isPremium": chance(0.3, "premium", person.slug),
        "isOpenToWork": chance(0.1, "open", person.slug),
    }


def _group(keywords: str, place: int) -> dict[str, object]:
    name = str(100_001 + number("group", keywords) % 800_000 + place)
    members = 50 + number("members", name) % 20_000
    return {
        "groupId": name,
        "name": f"{keywords.title() or 'Example'} Group {place + 1}",
        "memberCount": members if members < 1000 else members // 1000 * 1000,
        "logoUrl": None,
        "groupUrl": f"https://www.linkedin.com/groups/{name}",
        "isPrivate": chance(0.5, "private", name),
    }


def endorse_skill(world: World, params: Asked, context: Context) -> object:
    """An endorsement: kept among what was sent."""
    person = _person(world, params.need("profile_id"))
    if person is None:
        raise Refusal(404, "not_found", "profile not found")
    known = {str(row["skillId"]): str(row["name"]) for row in views.skills(person)}
    at_random = params.flag("random", False)
    skill = params.text("skill_id") or next(iter(known), "")
    if not skill:
        raise params_invalid("`skillId` is required: the profile names no skills")
    account = _account(params)
    context.memory.sent.append(
        Sent(context.endpoint, account, person.slug, skill, context.epoch, context.request)
    )
    body: dict[str, object] = {
        "success": True,
        "profileId": person.slug,
        "memberId": person.sales_id,
        "skillId": skill,
        "random": at_random,
        "message": "skill endorsed",
    }
    return body | ({"skillName": known.get(skill, "")} if at_random else {})


def health(world: World, params: Asked, context: Context) -> object:
    """That it is there; the body is not documented."""
    return {"status": "ok"}


ANSWERS: Mapping[str, Answer] = {
    "connectsafely.profile": profile,
    "connectsafely.profile_get": profile,
    "connectsafely.account_status": account_status,
    "connectsafely.account_status_by_id": account_status,
    "connectsafely.account_quota": account_quota,
    "connectsafely.relationship": relationship,
    "connectsafely.relationship_by_account": relationship,
    "connectsafely.search_groups": search_groups,
    "connectsafely.search_people": search_people,
    "connectsafely.endorse_skill": endorse_skill,
    "connectsafely.health": health,
}
"""By catalogue id; every row of the table has one."""
