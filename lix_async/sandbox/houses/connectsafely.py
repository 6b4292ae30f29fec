"""ConnectSafely: its table, its answers, its speed limits and its four ways to say no."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ...providers.connectsafely.endpoints import TABLE
from ...providers.connectsafely.provider import CONNECTSAFELY
from ...providers.connectsafely.velocity import VELOCITY
from ..answers import connectsafely
from ..limits import iso
from ..replies import Reply, json_reply
from .house import House, Rate, Standing

if TYPE_CHECKING:
    from ..answers.context import Asked
    from ..arrivals import Row
    from ..refusals import Refusal
    from ..world import World
    from .house import Examples

_FIELD = re.compile(r"`(?:\$\.)?([A-Za-z]+)`")
_MINUTE = 60.0


def _refuse(refusal: Refusal) -> Reply:
    message = refusal.message or refusal.kind or "not possible"
    body: dict[str, object] = {"success": False, "error": message}
    if refusal.status == 400:
        found = _FIELD.search(message)
        issue = {
            "code": "invalid_type",
            "path": [found[1]] if found else [],
            "message": message,
        }
        body["error"] = {"issues": [issue], "name": "ZodError"}
    elif refusal.status == 401:
        body = {"error": message}
    elif refusal.kind == "daily_limit":
        ends = refusal.more.get("refreshesAt")
        said = "Rate limit exceeded for PROFILE: 120/120 used."
        moment = f" Resets at {iso(ends)}" if isinstance(ends, int) else ""
        body = {"error": said + moment, "success": False}
    elif refusal.status == 429:
        body = {"success": False, "code": "rate_limit_exceeded", "message": message}
    elif refusal.kind == "api_error":
        body = {"success": False, "code": "internal_error", "message": message}
    return json_reply(body, refusal.status, refusal.headers)


def _lanes(row: Row, asked: Asked) -> Mapping[str, Rate]:
    account = asked.text("account_id") or connectsafely.ACCOUNT
    lanes = VELOCITY.lanes(row.group, account)[1:]  # the first one is the key's own
    return {lane.name: (lane.requests, _MINUTE) for lane in lanes}


def _too_fast(standing: Standing, epoch: float) -> Mapping[str, str]:
    return {
        "Retry-After": str(max(math.ceil(standing.reset - epoch), 1)),
        "X-RateLimit-Limit": str(standing.limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": iso(standing.reset),
    }


def _examples(world: World) -> Examples:
    slug = world.person(0).slug
    one = {"profile_id": slug}
    account = {"account_id": connectsafely.ACCOUNT}
    return {
        "connectsafely.profile": {**one, "include_experience": True},
        "connectsafely.profile_get": one,
        "connectsafely.account_status": {},
        "connectsafely.account_status_by_id": account,
        "connectsafely.account_quota": account,
        "connectsafely.relationship": one,
        "connectsafely.relationship_by_account": {**account, **one},
        "connectsafely.search_groups": {"keywords": "sales"},
        "connectsafely.search_people": {"keywords": "sales"},
        "connectsafely.endorse_skill": {**one, "skill_id": "101"},
        "connectsafely.health": {},
    }


HOUSE = House(
    provider=CONNECTSAFELY,
    table=cast("tuple[Row, ...]", TABLE),
    answers=connectsafely.ANSWERS,
    prefix="/linkedin",
    renamed={"account_id": "accountId", "profile_id": "profileId"},
    charged=lambda endpoint, body: False,
    refuse=_refuse,
    lanes=_lanes,
    too_fast=_too_fast,
    error={
        "type": "object",
        "properties": {
            "success": {"type": "boolean"},
            "error": {"description": "A text, or an object with `issues` and `name`."},
            "code": {"type": "string"},
            "message": {"type": "string"},
        },
    },
    statuses=(400, 401, 403, 404, 429, 500, 502),
    examples=_examples,
)
