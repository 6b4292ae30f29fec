"""What a waterfall makes of the documented answers of Lix."""

from __future__ import annotations

from typing import Any

import pytest
from sample_provider import Script, Skipping, refused

pytest.importorskip("lix_async.providers.lix.client", reason="the provider is not installed")

from lix_async.core.errors import NotFoundError
from lix_async.providers.lix.client import AsyncLix
from lix_async.waterfall import Waterfall, steps_of

from .stub import ADA, sample

pytestmark = pytest.mark.anyio
LEAD = "https://www.linkedin.com/sales/lead/ACoAAEXAMPLE0001,NAME_SEARCH,abcd"
FULL = sample("variants/person.get.full")
VALID = sample("contact.email_by_linkedin")
PROBABLE = sample("variants/contact.email_by_linkedin.probable")
ORG = sample("organisation.by_linkedin")


def client(*answers: Any) -> AsyncLix:
    return AsyncLix("key", http_client=Script(*answers), rate_limit=None, clock=Skipping())


def targets(of: AsyncLix) -> list[str]:
    transport = of.engine.transport
    assert isinstance(transport, Script)
    return transport.targets


async def test_a_person_and_the_address() -> None:
    lix = client(FULL, VALID)
    found = await Waterfall([lix], want=("headline", "email")).profile(ADA)
    assert {name: found.get(name) for name in found.sources} == {
        "linkedin_url": ADA,
        "full_name": "Example Person 1",
        "headline": "Head of Examples",
        "location": "Exampleville, Example Country",
        "title": "Head of Examples",
        "company": "Example Org",
        "company_url": "https://www.linkedin.com/company/example-org",
        "email": "person1@example.com",
    }
    assert found.credits == 2
    assert found.sources["email"].endpoint == "contact.email_by_linkedin"
    assert found.sources["title"].endpoint == "person.get"
    assert found.sources["title"].at.timestamp() == 1_700_000_000
    assert [target.partition("?")[0] for target in targets(lix)] == [
        "/v1/person", "/v1/contact/email/by-linkedin",
    ]  # fmt: skip


async def test_a_person_by_address_and_by_sales_navigator() -> None:
    lix = client(sample("person.get"))
    falls = Waterfall([lix], want=("full_name", "linkedin_url"))
    found = await falls.profile("ada@example.com")
    assert found.linkedin_url == "https://www.linkedin.com/in/example-person-1"
    assert found.company == "Example Org"
    assert (await falls.profile(LEAD)).full_name == "Example Person 1"
    assert "email=ada%40example.com" in targets(lix)[0]
    assert "NAME_SEARCH" in targets(lix)[1]


async def test_a_probable_address_is_none_and_costs_nothing() -> None:
    lix = client(sample("variants/person.get.minimal"), PROBABLE)
    falls = Waterfall([lix], budget=2)
    found = await falls.profile(ADA)
    assert found.email is None
    assert (found.credits, falls.spent, lix.credits.total) == (1, 1, 1)
    assert falls.stats["lix.email"].filled.total() == 0


@pytest.mark.parametrize(
    ("link", "sent"),
    [
        ("https://www.linkedin.com/company/example-org", "linkedin_url="),
        ("https://www.linkedin.com/sales/company/1000001", "sales_nav_url="),
    ],
)
async def test_a_company(link: str, sent: str) -> None:
    lix = client(ORG)
    found = await Waterfall([lix], want=("name", "website")).company(link)
    assert (found.name, found.website) == ("Example Org", "https://www.example.com")
    assert (found.size, found.location) == ("10001+", "Exampleville, EX")
    assert found.credits == lix.credits.org == 1
    assert sent in targets(lix)[0]


async def test_a_person_that_does_not_exist() -> None:
    lix = client(refused(404, "not_found"))
    found = await Waterfall([lix]).profile(ADA)
    assert {type(error) for error in found.errors.values()} == {NotFoundError}
    assert set(found.errors) == {"lix.person", "lix.email"}
    assert found.credits == 0


def test_every_step_says_what_the_table_says() -> None:
    steps = {step.name: step for step in steps_of(client(FULL))}
    assert {name: step.price.kind for name, step in steps.items()} == {
        "lix.person": "standard", "lix.email": "email", "lix.organisation": "org",
    }  # fmt: skip
    assert all(step.provider == "Lix" for step in steps.values())
