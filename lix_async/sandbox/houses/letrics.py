"""Letrics: its table, its answers and its array of errors.

No address is published. The paths here are the SDK's working assumption, behind `/letrics`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ...providers.letrics.endpoints import COMPANIES, CONTACTS
from ...providers.letrics.params import ContactsParams
from ...providers.letrics.provider import LETRICS
from ..answers import letrics
from ..replies import Reply, json_reply
from .house import House

if TYPE_CHECKING:
    from ..arrivals import Row
    from ..refusals import Refusal
    from ..world import World
    from .house import Examples

_IDS = {400: "invalid_input", 401: "unauthorized", 404: "not_found", 429: "too_many_requests"}


class _ContactsParams(ContactsParams, frozen=True, kw_only=True):
    """Both spellings of the one filter that was renamed."""

    has_personal_email: bool | None = None


def _refuse(refusal: Refusal) -> Reply:
    item = {
        "id": _IDS.get(refusal.status, refusal.kind or "error"),
        "code": refusal.status,
        "details": refusal.message or "not possible",
    }
    return json_reply({"errors": [item]}, refusal.status, refusal.headers)


def _examples(world: World) -> Examples:
    industry = world.companies.at(0).industry
    return {
        "letrics.contacts": {"industries": [industry], "per_page": 10},
        "letrics.companies": {"industries": [industry], "per_page": 10},
    }


HOUSE = House(
    provider=LETRICS,
    table=cast(
        "tuple[Row, ...]",
        (
            replace(CONTACTS, params=_ContactsParams, body=_ContactsParams.__struct_fields__),
            COMPANIES,
        ),
    ),
    answers=letrics.ANSWERS,
    prefix="/letrics",
    charged=lambda endpoint, body: False,
    refuse=_refuse,
    error={
        "type": "object",
        "required": ["errors"],
        "properties": {
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string"},
                        "code": {"type": "integer"},
                        "details": {"type": "string"},
                    },
                },
            }
        },
    },
    statuses=(400, 401, 404, 429, 500, 503),
    examples=_examples,
)
