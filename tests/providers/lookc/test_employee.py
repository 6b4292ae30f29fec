"""One employee: both forms, tenures in months, the current organisation."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lix_async.core.decoding import decoder_for
from lix_async.providers.lookc.models import CurrentOrg, Employee, EmployeesPage, Tenure

from .stub import sample

ORG = "00000000-0000-4000-8000-000000000200"


@pytest.mark.parametrize(
    ("body", "months"),
    [
        ({"tenureAtOrg": {"years": 1, "months": 8}}, 20),
        ({"tenureAtOrg": {"years": 2}}, 24),
        ({"tenureAtOrg": {"months": 8}}, 8),
        ({"tenureAtOrg": {"years": None, "months": "3"}}, 3),
        ({"tenureAtOrg": {}}, 0),
        ({"tenureAtOrg": None}, None),
        ({}, None),
        ({"tenure_at_org_months": 20}, 20),
        ({"tenure_at_org_months": 0}, 0),
        ({"tenure_at_org_months": None}, None),
        ({"tenure_at_org_months": 5, "tenureAtOrg": {"months": 9}}, 9),
    ],
)
def test_tenure_in_months(body: dict[str, Any], months: int | None) -> None:
    """Absent parts count as none, an absent tenure stays unknown (lookc.md#employee)."""
    assert _employee(body).months_at_org == months
    role = {
        name.replace("AtOrg", "InRole").replace("at_org", "in_role"): body[name] for name in body
    }
    assert _employee(role).months_in_role == months


@pytest.mark.parametrize(
    ("person", "org"),
    [
        (Employee(), ORG),
        (Employee(date_ended=""), ORG),
        (Employee(date_ended="2024-12-01"), None),
        (Employee(current_org=CurrentOrg(org_id="o2"), date_ended="2024-12-01"), "o2"),
        (Employee(current_org=CurrentOrg(name="nameless")), ORG),
    ],
)
def test_the_current_organisation(person: Employee, org: str | None) -> None:
    assert person.current_org_id(ORG) == org


def test_both_forms_give_the_same_person() -> None:
    camel = decoder_for(EmployeesPage).read(sample("lookc.org_employees")).items[0]
    snake = decoder_for(EmployeesPage).read(sample("variants/lookc.org_employees.snake")).items[0]
    assert (camel.months_at_org, camel.months_in_role) == (20, 8)
    assert (snake.months_at_org, snake.months_in_role) == (20, 8)
    for name in ("person_id", "name", "title", "date_started", "current_org", "identity"):
        assert getattr(camel, name) == getattr(snake, name), name
    assert camel.links is not None
    assert camel.links.sales_nav == "https://www.linkedin.com/sales/lead/ACwAAEXAMPLE0001"


def test_an_employee_can_be_stored_as_json() -> None:
    person = Employee(person_id="p", tenure_at_org=Tenure(years=1), date_started="2023-04-01")
    again = msgspec.json.decode(msgspec.json.encode(person), type=Employee)
    assert again == person


def _employee(body: dict[str, Any]) -> Employee:
    return decoder_for(Employee).read(msgspec.json.encode(body))
