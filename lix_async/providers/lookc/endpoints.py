"""The three endpoints of LookC. Their paths have no common prefix (lookc.md#endpoints)."""

from __future__ import annotations

from ...core.endpoint import AnyEndpoint, Endpoint, endpoints_of, org
from ...core.pagination import Cursor
from .models import EmployeesPage, LookupAnswer, RequestStatus
from .params import OrgEmployeesParams, PersonByEmailParams, RequestStatusParams

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

TABLE = endpoints_of(globals())
"""Every endpoint."""

BY_ID: dict[str, AnyEndpoint] = {endpoint.id: endpoint for endpoint in TABLE}
"""Every endpoint by its catalogue id."""
