"""Letrics: its table, its answers and its array of errors.

No address is published. The paths here are the SDK's working assumption, behind `/letrics`; the
method is not published either, so both are taken: POST with a JSON body, GET with a query in which
lists come in any of the three spellings.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import ConfigurationError
from ...providers.letrics.endpoints import COMPANIES, CONTACTS
from ...providers.letrics.params import CompaniesParams, ContactsParams
from ...providers.letrics.provider import LETRICS
from ..answers import letrics
from ..protocol.responses import SandboxResponse, json_reply
from .base import SandboxProvider

if TYPE_CHECKING:
    from ..protocol.errors import ErrorReply
    from ..world.world import World
    from .base import Examples

_IDS = {400: "invalid_input", 401: "unauthorized", 404: "not_found", 429: "too_many_requests"}


def _all_wrong(params: CompaniesParams, kind: type[CompaniesParams]) -> None:
    """Raise one error with a line for each field that is wrong; the client tells the first only."""
    wrong: list[str] = []
    for name in kind.__struct_fields__:
        try:
            kind(**{name: getattr(params, name)}).check()
        except ConfigurationError as error:
            wrong.append(str(error))
    if wrong:
        raise ConfigurationError("\n".join(wrong))


class _CompaniesParams(CompaniesParams, frozen=True, kw_only=True):
    """The filters on companies, all checked before anything is said."""

    def check(self) -> None:
        _all_wrong(self, CompaniesParams)


class _ContactsParams(ContactsParams, frozen=True, kw_only=True):
    """The filters on contacts, with both spellings of the one that was renamed."""

    has_personal_email: bool | None = None

    def check(self) -> None:
        _all_wrong(self, ContactsParams)


def _refuse(refusal: ErrorReply) -> SandboxResponse:
    """The errors array: an item for each line of the message."""
    # Nothing goes on in the background here: what a server that is not ready says instead.
    status = 502 if refusal.kind == "queued" else refusal.status
    name = _IDS.get(status, refusal.kind or "error")
    items = [
        {"id": name, "code": status, "details": line}
        for line in (refusal.message or "not possible").split("\n")
    ]
    return json_reply({"errors": items}, status, refusal.headers)


_POSTED = (
    replace(CONTACTS, params=_ContactsParams, body=_ContactsParams.__struct_fields__),
    replace(COMPANIES, params=_CompaniesParams),
)
_TABLE = _POSTED + tuple(replace(row, id=f"{row.id}.get", method="GET", body=()) for row in _POSTED)


def _examples(world: World) -> Examples:
    wanted = {"industries": [world.companies.at(0).industry], "per_page": 10}
    return {row.id: wanted for row in _TABLE}


HOUSE = SandboxProvider(
    provider=LETRICS,
    table=_TABLE,
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
    statuses=(400, 401, 404, 429, 500, 502, 503),
    examples=_examples,
)
