"""Meet Alfred: its table, its answers, and errors that are known by their status alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...providers.meetalfred.endpoints import TABLE
from ...providers.meetalfred.provider import MEETALFRED
from ..answers import meetalfred
from ..protocol.responses import SandboxResponse, json_reply, reply
from ..state.rate_limits import RateLimitStatus
from .base import SandboxProvider

if TYPE_CHECKING:
    from ..protocol.errors import ErrorReply
    from ..world.world import World
    from .base import Examples


def _refuse(refusal: ErrorReply) -> SandboxResponse:
    said = refusal.message or refusal.kind or "not possible"
    # Nothing goes on in the background here: what a server that is not ready says instead.
    status = 502 if refusal.kind == "queued" else refusal.status
    if status >= 500:  # error bodies may be plain text too
        return reply(status, said.encode(), "text/plain", refusal.headers)
    return json_reply({"message": said}, status, refusal.headers)


def _too_fast(standing: RateLimitStatus, epoch: float) -> Mapping[str, str]:
    """Seconds to wait, as public clients have seen them with a 429."""
    return {"Retry-After": str(max(math.ceil(standing.reset - epoch), 1))}


def _examples(world: World) -> Examples:
    return {
        "meetalfred.campaigns": {"type": "active"},
        "meetalfred.leads": {"page": 0, "per_page": 25},
        "meetalfred.connections": {"page": 0, "per_page": 25},
        "meetalfred.new_reply_detected": {"page": 0},
        "meetalfred.get_last_actions": {"action": "replies", "page": 0},
        "meetalfred.get_team_members": {},
        "meetalfred.get_member_connections": {"page": 0},
        "meetalfred.add_lead_to_campaign": {
            "campaign": 101,
            "linkedin_profile_url": world.person(0).link,
        },
    }


HOUSE = SandboxProvider(
    provider=MEETALFRED,
    table=TABLE,
    answers=meetalfred.ANSWERS,
    prefix="/api/integrations/webhook",
    charged=lambda endpoint, body: False,
    refuse=_refuse,
    too_fast=_too_fast,
    error={"type": "object", "properties": {"message": {"type": "string"}}},
    statuses=(400, 401, 404, 429, 500, 502, 503),
    loose=frozenset(row.id for row in TABLE),
    examples=_examples,
)
