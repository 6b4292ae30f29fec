"""LookC: its endpoints and example parameters."""

from __future__ import annotations

from ...providers.lookc.endpoints import TABLE
from ...providers.lookc.provider import LOOKC
from ..answers import lookc
from ..world.world import World
from .base import Examples, SandboxProvider


def _examples(world: World) -> Examples:
    first = world.companies.at(0)
    return {
        "lookc.person_by_email": {"email": world.person(0).email},
        "lookc.request_status": {"request_id": lookc.EXAMPLE_REQUEST},
        "lookc.org_employees": {"org_id": lookc.org_id(world, first), "page_size": 10},
    }


PROVIDER = SandboxProvider(
    provider=LOOKC,
    endpoints=TABLE,
    answers=lookc.ANSWERS,
    statuses=(400, 401, 402, 404, 429, 500, 503),
    background=frozenset({"lookc.person_by_email"}),
    examples=_examples,
)
