"""ConnectSafely: its table, its answers, its speed limits and its four ways to say no."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...core.endpoint import AnyEndpoint
from ...providers.connectsafely.endpoints import TABLE
from ...providers.connectsafely.provider import CONNECTSAFELY
from ...providers.connectsafely.rate_limits import VELOCITY
from ..answers import connectsafely
from ..protocol import zod
from ..protocol.dates import midnight, stamp
from ..protocol.responses import SandboxResponse, json_reply
from ..state import connectsafely_quota
from ..state.rate_limits import RateLimitStatus
from .base import Rate, RequestOutcome, SandboxProvider

if TYPE_CHECKING:
    from ..protocol.errors import ErrorReply
    from ..protocol.params import RequestParams
    from ..world.world import World
    from .base import Examples

_MINUTE = 60.0
_PAUSE = "12"
"""Seconds that the sample of a velocity 429 asks to wait (connectsafely.md#rate-limits)."""


def _refuse(refusal: ErrorReply) -> SandboxResponse:
    """The four shapes of an error (connectsafely.md#errors)."""
    status, headers = refusal.status, refusal.headers
    message = refusal.message or refusal.kind or "not possible"
    body: dict[str, object] = {"success": False, "error": message}
    if refusal.kind == "queued":
        # Nothing goes on in the background here: what a server that is not ready says instead.
        status = 502
    elif status == 400 and (wrong := zod.issue(message)):
        body["error"] = {"issues": [wrong], "name": "ZodError"}
    elif status == 400:
        body = {"success": False, "code": "validation_error", "message": message}
    elif status == 401 or refusal.kind == "unknown_route":
        body = {"error": message}
    elif status == 402:
        # There are no credits; what is used up here is a trial or a subscription.
        status, body["error"] = 403, "no active subscription"
    elif refusal.kind == "daily_limit":
        ends = refusal.more.get("refreshesAt")
        resets = float(ends) if isinstance(ends, int) else None
        body = {"error": connectsafely_quota.full(resets), "success": False}
        headers |= (
            {} if resets is None else connectsafely_quota.headers(connectsafely_quota.DAILY, resets)
        )
    elif status == 429:
        body = {"success": False, "code": "rate_limit_exceeded", "message": message}
        headers.setdefault("Retry-After", _PAUSE)
    elif refusal.kind == "api_error":
        body = {"success": False, "code": "internal_error", "message": message}
    return json_reply(body, status, headers)


def _lanes(row: AnyEndpoint, asked: RequestParams) -> Mapping[str, Rate]:
    lanes = VELOCITY.limits(row.group, connectsafely.account_of(asked))[1:]  # first: the key's own
    return {lane.name: (lane.requests, _MINUTE) for lane in lanes}


def _too_fast(standing: RateLimitStatus, epoch: float) -> Mapping[str, str]:
    pause = {"Retry-After": str(max(math.ceil(standing.reset - epoch), 1))}
    return pause | _speed(standing)


def _speed(standing: RateLimitStatus) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(standing.limit),
        "X-RateLimit-Remaining": str(standing.left),
        "X-RateLimit-Reset": stamp(standing.reset),
    }


def _headers(outcome: RequestOutcome) -> Mapping[str, str]:
    """The day's quota for calls about a profile, the speed limit without an action for others.

    A 429 has those of the limit that it is about. Without a known key nobody is counted, and a
    proxy counts nobody either.
    """
    if outcome.status in (401, 429, 502, 504):
        return {}
    if outcome.row is not None and outcome.row.group == "profile":
        account = connectsafely.account_of(outcome.asked)
        spent = connectsafely_quota.used(outcome.memory, account, outcome.epoch)
        return connectsafely_quota.headers(spent, midnight(outcome.epoch))
    return _speed(outcome.standing) if outcome.standing else {}


def _examples(world: World) -> Examples:
    profile, account = {"profileId": world.person(0).slug}, {"accountId": connectsafely.ACCOUNT}
    return {
        "connectsafely.profile": {**profile, "includeExperience": True},
        "connectsafely.profile_get": profile,
        "connectsafely.account_status": account,
        "connectsafely.account_status_by_id": account,
        "connectsafely.account_quota": account,
        "connectsafely.relationship": profile,
        "connectsafely.relationship_by_account": {**account, **profile},
        "connectsafely.search_groups": {"keywords": "sales", "count": 10},
        "connectsafely.search_people": {"keywords": "sales"},
        "connectsafely.endorse_skill": {**profile, "skillId": "101"},
        "connectsafely.health": {},
    }


HOUSE = SandboxProvider(
    provider=CONNECTSAFELY,
    table=TABLE,
    answers=connectsafely.ANSWERS,
    prefix="/linkedin",
    renamed={"account_id": "accountId", "profile_id": "profileId"},
    charged=lambda endpoint, body: False,
    refuse=_refuse,
    lanes=_lanes,
    too_fast=_too_fast,
    headers=_headers,
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
