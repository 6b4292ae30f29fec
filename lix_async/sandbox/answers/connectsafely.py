"""ConnectSafely's endpoints: profiles, accounts, searches, endorsements.

Contract: connectsafely.md#common, connectsafely.md#cache-and-quota. Every answer names the account
that was used; each account has its own quota and cache.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...core.values import JsonObject
from ..protocol.dates import iso_milliseconds, next_midnight, next_monday
from ..protocol.errors import ErrorReply, is_missing
from ..protocol.params import RequestParams
from ..state import connectsafely_quota
from ..world import connectsafely_profiles
from ..world.people import PersonRecord
from ..world.random import number, pick
from ..world.world import World
from . import connectsafely_search
from .context import AnswerContext, AnswerFunction

ACCOUNT = "0123456789abcdef01234567"
"""The connected account that is used if a request names none."""
_ACCOUNT_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)
_STATES = ("AVAILABLE", "AVAILABLE", "WARMUP", "IN_USE")
_PLANS = ("NON_PREMIUM", "BUSINESS_PREMIUM", "SALES_NAVIGATOR", "RECRUITER")


def account_of(params: RequestParams | None) -> str:
    """The account of a request."""
    return (params.text("account_id") if params else None) or ACCOUNT


def _account(params: RequestParams) -> str:
    """The account of a request; 404 if it is not connected."""
    account = account_of(params)
    if not _ACCOUNT_ID.fullmatch(account) or is_missing(account):
        raise ErrorReply(404, "not_found", "account not found")
    return account


def _person(world: World, slug: str) -> PersonRecord | None:
    try:
        return world.person_by_slug(slug)
    except ErrorReply:
        return None


def _existing_person(world: World, params: RequestParams) -> PersonRecord:
    if (person := _person(world, params.require("profile_id"))) is None:
        raise ErrorReply(404, "not_found", "profile not found")
    return person


def profile(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A profile, from the cache of six hours or for one unit of the daily quota."""
    profile_id, account = params.require("profile_id"), _account(params)
    state, now, slug = context.state, context.epoch, profile_id.casefold()
    refresh = params.flag("force_refresh", False)
    since = None if refresh else connectsafely_quota.cached_since(state, account, slug, now)
    if since is None and not context.allowance.unlimited:
        connectsafely_quota.use_unit(state, account, slug, now, refresh=refresh)
    body: JsonObject = {"success": True, "profileId": profile_id, "accountId": account}
    if (person := _person(world, profile_id)) is None:
        body["profile"] = dict[str, object]()
        return body | {"message": "no such profile"}
    by_get = context.endpoint_id.endswith("_get")
    shown = connectsafely_profiles.profile(
        person, geo=params.flag("include_geo_location", False), short=by_get
    )
    body["profile"] = shown
    if params.flag("include_experience", False):
        # The vendor's sample code reads it inside the profile, its documentation beside it.
        parent = shown if connectsafely_profiles.nests_experience(person) else body
        parent["experience"] = connectsafely_profiles.experience(world, person)
    if params.flag("include_skills", False):
        endorsed = _endorsed_skills(context, account, person)
        body["skills"] = connectsafely_profiles.skills(person, endorsed)
    if params.flag("include_education", False):
        body["education"] = connectsafely_profiles.schools(person)
    if since is not None:
        body |= {
            "cached": True,
            "cachedAt": iso_milliseconds(since),
            "expiresAt": iso_milliseconds(since + connectsafely_quota.CACHE_SECONDS),
        }
    else:
        state.cached_profiles[account, slug] = now
        if connectsafely_profiles.reports_cache(person):
            body |= {
                "cached": False,
                "expiresAt": iso_milliseconds(now + connectsafely_quota.CACHE_SECONDS),
            }
    return body | {"message": "profile fetched"}


def account_status(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The state of a connected account; an object without `success`."""
    account = _account(params)
    owner = world.person(number("account", account) % world.people)
    status = "AVAILABLE" if account == ACCOUNT else pick(_STATES, "state", account)
    body: JsonObject = {
        "id": account,
        "firstName": owner.first,
        "lastName": owner.last,
        "publicId": owner.slug,
        "platform": "linkedin",
        "status": status,
        "enabled": True,
        "lastUsed": iso_milliseconds(context.epoch),
        "hasTokens": True,
    }
    if status != "IN_USE":
        plan = pick(_PLANS, "plan", account)
        body["linkedinPlan"] = {
            "premiumType": plan,
            "isPremium": plan != "NON_PREMIUM",
            "hasSalesNavigator": plan == "SALES_NAVIGATOR",
            "hasRecruiter": plan == "RECRUITER",
            "hasAwayMessages": plan != "NON_PREMIUM",
            "hasAdvertiseBadge": False,
            "hasHiringManager": False,
        }
    return body


def account_quota(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The limits of an account. Only profiles are counted: the rest has no endpoint here."""
    account, now = _account(params), context.epoch
    used, midnight = connectsafely_quota.used_units(context.state, account, now), next_midnight(now)
    items = [
        _quota("PROFILE_VIEW", "daily", used, connectsafely_quota.DAILY_PROFILES, 150, midnight),
        _quota("CONNECTION_REQUEST", "weekly", 0, 90, 100, next_monday(now)),
        _quota("MESSAGE", "daily", 0, 100, 150, midnight),
    ]
    return {"accountId": account, "quotas": items}


def _quota(
    feature: str, window: str, used: int, limit: int, linkedin: int, resets: float
) -> JsonObject:
    return {
        "feature": feature,
        "window": window,
        "used": used,
        "limit": limit,
        "linkedinLimit": linkedin,
        "remaining": max(limit - used, 0),
        "limitReached": False,
        "limitReachedAt": None,
        # Only here, the sample has a space and an offset.
        "resetAt": iso_milliseconds(resets).replace("T", " ").replace(".000Z", "+00:00"),
    }


def relationship(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The connection between an account and a profile; an object without `success`."""
    account, person = _account(params), _existing_person(world, params)
    connected = connectsafely_profiles.degree(person) == "DISTANCE_1"
    return {
        "connected": connected,
        "invitationSent": False,
        "invitationReceived": False,
        "status": "CONNECTED" if connected else "NOT_CONNECTED",
        "profileUrn": person.urn,
        "accountId": account,
    }


def search_people(world: World, params: RequestParams, context: AnswerContext) -> object:
    """People by keywords, filters or the URL of a search."""
    _account(params)
    return connectsafely_search.people(world, params, context)


def search_groups(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Groups by keywords."""
    _account(params)
    return connectsafely_search.groups(world, params, context)


def endorse_skill(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Endorse a skill, recorded in `sandbox.sent`; `random` chooses one not endorsed yet."""
    account, person = _account(params), _existing_person(world, params)
    at_random, skill = params.flag("random", False), params.text("skill_id")
    endorsed = _endorsed_skills(context, account, person)
    names = {
        str(item["skillId"]): str(item["name"]) for item in connectsafely_profiles.skills(person)
    }
    if at_random:
        skill = next((one for one in names if one not in endorsed), None)
    if skill is None:
        raise ErrorReply(400, "params_invalid", "no skill is left to endorse")
    context.record_sent(account, person.slug, skill)
    body: JsonObject = {
        "success": True,
        "profileId": params.require("profile_id"),
        "memberId": person.sales_id,
        "skillId": skill,
        "random": at_random,
        "message": "skill endorsed",
    }
    return body | ({"skillName": names[skill]} if at_random else {})


def _endorsed_skills(context: AnswerContext, account: str, person: PersonRecord) -> set[str]:
    """Ids of the skills of a person that an account has endorsed."""
    sent = context.state.sent_to("connectsafely.endorse_skill", person.slug)
    return {item.text for item in sent if item.viewer == account}


def health(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The health check; its body is not documented."""
    return {"status": "ok"}


ANSWERS: Mapping[str, AnswerFunction] = {
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
"""By catalogue id; every endpoint has one."""
