"""Results of the LookC API. Every field may be missing or null; unknown keys are ignored."""

from __future__ import annotations

from .employees import (
    CurrentOrg,
    Employee,
    EmployeeLinks,
    EmployeesPage,
    EmployeesPaging,
    PageLinks,
    Tenure,
)
from .lookup import DomainInfo, Hit, Lookup, LookupAnswer, OrgRef, PersonByEmail, RequestStatus

__all__ = [
    "CurrentOrg",
    "DomainInfo",
    "Employee",
    "EmployeeLinks",
    "EmployeesPage",
    "EmployeesPaging",
    "Hit",
    "Lookup",
    "LookupAnswer",
    "OrgRef",
    "PageLinks",
    "PersonByEmail",
    "RequestStatus",
    "Tenure",
]
