"""Letrics: its endpoints by POST and GET, and its array of errors.

Neither the paths nor the method are published (letrics.md#configurable). The paths are the
client's defaults behind `/letrics`. Both methods are accepted: POST with a JSON body, and GET with
a query in which lists may have any of the three formats.
"""

from __future__ import annotations

from dataclasses import replace

from ...core.errors import ConfigurationError
from ...providers.letrics.endpoints import COMPANIES, CONTACTS
from ...providers.letrics.params import CompaniesParams, ContactsParams
from ...providers.letrics.provider import LETRICS
from ..answers import letrics
from ..protocol.errors import ErrorReply
from ..protocol.responses import SandboxResponse, json_response
from .base import PREFIXES, SandboxProvider

_IDS = {400: "invalid_input", 401: "unauthorized", 404: "not_found", 429: "too_many_requests"}


def _check_each_field(params: CompaniesParams, kind: type[CompaniesParams]) -> None:
    """Raise one error with a line for each wrong field; the client reports only the first one."""
    messages: list[str] = []
    for name in kind.__struct_fields__:
        try:
            kind(**{name: getattr(params, name)}).check()
        except ConfigurationError as error:
            messages.append(str(error))
    if messages:
        raise ConfigurationError("\n".join(messages))


class _CompaniesParams(CompaniesParams, frozen=True, kw_only=True):
    """The company filters; all are checked before an error is raised."""

    def check(self) -> None:
        _check_each_field(self, CompaniesParams)


class _ContactsParams(ContactsParams, frozen=True, kw_only=True):
    """The contact filters, with both names of the one that was renamed."""

    has_personal_email: bool | None = None

    def check(self) -> None:
        _check_each_field(self, ContactsParams)


def _render_error(error: ErrorReply) -> SandboxResponse:
    """The array of errors: an item for each line of the message (letrics.md#envelope)."""
    # There are no lookups in the background: use the status of a server that is not ready.
    status = 502 if error.error_type == "queued" else error.status
    error_id = _IDS.get(status, error.error_type or "error")
    items = [
        {"id": error_id, "code": status, "details": line}
        for line in (error.message or "not possible").split("\n")
    ]
    return json_response({"errors": items}, status, error.headers)


_POSTED = (
    replace(CONTACTS, params=_ContactsParams, body=_ContactsParams.__struct_fields__),
    replace(COMPANIES, params=_CompaniesParams),
)
_ENDPOINTS = _POSTED + tuple(
    replace(endpoint, id=f"{endpoint.id}.get", method="GET", body=()) for endpoint in _POSTED
)


PROVIDER = SandboxProvider(
    provider=LETRICS,
    endpoints=_ENDPOINTS,
    answers=letrics.ANSWERS,
    prefix=PREFIXES["letrics"],
    is_charged=lambda endpoint, body: False,
    render_error=_render_error,
    statuses=(400, 401, 404, 429, 500, 502, 503),
)
