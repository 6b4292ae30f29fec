"""The table of LookC: three calls. The paths share no prefix (lookc.md#endpoints)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ...core.endpoint import Endpoint, org
from ...core.pagination import Cursor
from .models import EmployeesPage, LookupAnswer, RequestStatus
from .params import OrgEmployeesParams, PersonByEmailParams, RequestStatusParams

AnyEndpoint: TypeAlias = (
    Endpoint[PersonByEmailParams, LookupAnswer]
    | Endpoint[RequestStatusParams, RequestStatus]
    | Endpoint[OrgEmployeesParams, EmployeesPage]
)

PERSON_BY_EMAIL = Endpoint(
    "lookc.person_by_email",
    "GET",
    "/v1/search/person/by-email",
    PersonByEmailParams,
    LookupAnswer,
    credits=org(1),
    docs="lookc.md#lookc.person_by_email",
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
    docs="lookc.md#lookc.request_status",
)
ORG_EMPLOYEES = Endpoint(
    "lookc.org_employees",
    "GET",
    "/org/{org_id}/employees",
    OrgEmployeesParams,
    EmployeesPage,
    paging=Cursor("after"),
    docs="lookc.md#lookc.org_employees",
)

TABLE: tuple[AnyEndpoint, ...] = (PERSON_BY_EMAIL, REQUEST_STATUS, ORG_EMPLOYEES)
BY_ID: Mapping[str, AnyEndpoint] = {row.id: row for row in TABLE}
