"""The three endpoints of LookC. Their paths have no common prefix (lookc.md#endpoints)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import cast

from ...core.endpoint import AnyEndpoint, Endpoint, StatusCall, endpoints_of, org
from ...core.errors import DecodeError, RefusalError, excerpt
from ...core.pagination import Cursor
from ...core.subject_fields import SubjectFields
from ...core.subject_ids import IdGroup
from .models import EmployeesPage, LookupAnswer, PersonByEmail, RequestStatus
from .params import OrgEmployeesParams, PersonByEmailParams, RequestStatusParams


def status_call(request_id: str) -> StatusCall:
    """The call that asks for the result of a lookup."""
    # Asked for by itself, a status is a result, pending or not.
    endpoint = replace(REQUEST_STATUS, poll=partial(_after_status, request_id))
    return StatusCall(endpoint, RequestStatusParams(request_id=request_id), request_id)


def _after_lookup(value: object, status: int, body: bytes) -> object:
    """What the first answer to a lookup comes to (lookc.md#asynchronous-requests)."""
    answer = cast("LookupAnswer", value)
    if answer.failed:
        return _failure(PERSON_BY_EMAIL.id, answer.request_id, answer.status, status, body)
    if not (answer.pending or (status == 202 and answer.blank)):
        return answer.result()
    if answer.request_id:
        return status_call(answer.request_id)
    return DecodeError(
        "the lookup runs in the background, but the answer has no request id to ask for it with",
        path="$.request_id",
        body=body,
        endpoint=PERSON_BY_EMAIL.id,
    )


def _after_status(request_id: str, value: object, status: int, body: bytes) -> object:
    """What an answer to the status call comes to."""
    answer = cast("RequestStatus", value)
    if answer.complete:
        return answer.data or PersonByEmail()
    if answer.failed:
        return _failure(REQUEST_STATUS.id, request_id, answer.status, status, body)
    return status_call(request_id)


def _failure(
    endpoint: str, request_id: str | None, word: str | None, status: int, body: bytes
) -> RefusalError:
    named = f" {request_id}" if request_id else ""
    error = RefusalError(
        f"the lookup{named} ended without a result: {word}",
        status=status,
        kind=word or "",
        body=excerpt(body),
        endpoint=endpoint,
    )
    error.family = "refused"
    return error


_PEOPLE = IdGroup(
    at=("hits[]", "data.hits[]"),
    links=("salesNavUrl", "salesNavLink"),
    names=("liProfileUrl", "liProfileLink"),  # lookc.md#hit: not always a URL
)
_ORGANISATION = IdGroup(
    subject="organisation",
    at=("org", "data.org"),
    links=("salesNavUrl", "salesNavLink", "liProfileUrl", "liProfileLink"),
)
_EMPLOYEES = IdGroup(
    at=("employees[]", "data[]"),
    links=("links.linkedin", "links.salesNav", "links.sales_nav"),
)

PERSON_BY_EMAIL = Endpoint(
    "lookc.person_by_email",
    "GET",
    "/v1/search/person/by-email",
    PersonByEmailParams,
    LookupAnswer,
    credits=org(1),
    ids=(_PEOPLE, _ORGANISATION),
    docs="lookc.md#lookc.person_by_email",
    fields=SubjectFields(),
    poll=_after_lookup,
)
REQUEST_STATUS = Endpoint(
    "lookc.request_status",
    "GET",
    "/v1/request",
    RequestStatusParams,
    RequestStatus,
    # lookc.md#lookc.request_status: the heading prints the lookup's own path, the sample prints
    # the one above.
    alternate="/v1/search/person/by-email",
    ids=(_PEOPLE, _ORGANISATION),
    docs="lookc.md#lookc.request_status",
)
ORG_EMPLOYEES = Endpoint(
    "lookc.org_employees",
    "GET",
    "/org/{org_id}/employees",
    OrgEmployeesParams,
    EmployeesPage,
    paging=Cursor("after"),
    lookup=True,
    ids=(_EMPLOYEES,),
    docs="lookc.md#lookc.org_employees",
)

TABLE = endpoints_of(globals())
"""Every endpoint."""

BY_ID: dict[str, AnyEndpoint] = {endpoint.id: endpoint for endpoint in TABLE}
"""Every endpoint by its catalogue id."""
