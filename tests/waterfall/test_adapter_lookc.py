"""What a waterfall makes of the documented answers of LookC."""

from __future__ import annotations

from typing import Any

import pytest
from sample_provider import LOST, Script, Skipping, reply

pytest.importorskip("lix_async.providers.lookc.client", reason="the provider is not installed")

from lix_async.core.errors import RefusalError, TransportError
from lix_async.core.retry import RetryPolicy
from lix_async.providers.lookc.client import AsyncLookC
from lix_async.waterfall import Waterfall

from .stub import sample

pytestmark = pytest.mark.anyio
ADDRESS = "ada@example.com"
DIRECT = sample("lookc.person_by_email")
PENDING = sample("variants/lookc.person_by_email.pending")
ONCE = RetryPolicy(attempts=1)


def client(*answers: Any) -> AsyncLookC:
    return AsyncLookC(
        "key", http_client=Script(*answers), rate_limit=None, clock=Skipping(), retry=ONCE
    )


@pytest.mark.parametrize(
    "answers",
    [
        [DIRECT],
        [sample("variants/lookc.person_by_email.older_keys")],
        [PENDING, sample("variants/lookc.request_status.pending"), sample("lookc.request_status")],
    ],
    ids=["direct", "older keys", "in the background"],
)
async def test_a_person_and_the_company_behind_the_address(answers: list[Any]) -> None:
    lookc = client(*answers)
    found = await Waterfall([lookc], want=("full_name", "linkedin_url")).profile(ADDRESS)
    assert found.full_name == "Example Person 1"
    assert found.linkedin_url == "https://www.linkedin.com/in/example-person-1"
    assert found.company == "Example Org"
    assert found.company_url == "https://linkedin.com/company/example-org"
    assert found.credits == lookc.credits.total == 1
    assert found.sources["company"].endpoint == "lookc.person_by_email"


async def test_of_several_people_none_is_taken() -> None:
    two = {"hits": [{"name": "A"}, {"name": "B"}], "org": {"name": "Example Org"}}
    found = await Waterfall([client(reply(200, two))], want=["full_name"]).profile(ADDRESS)
    assert (found.full_name, found.company) == (None, "Example Org")


async def test_a_free_mail_domain_says_nothing_of_a_company() -> None:
    lookc = client(sample("variants/lookc.person_by_email.free_domain"))
    found = await Waterfall([lookc], want=["name"]).company(ADDRESS)
    assert (found.name, found.credits, found.errors) == (None, 1, {})


async def test_a_company_by_an_address() -> None:
    found = await Waterfall([client(DIRECT)], want=["name"]).company(ADDRESS)
    assert (found.name, found.linkedin_url) == (
        "Example Org", "https://linkedin.com/company/example-org",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "kind", "credits", "spent"),
    [
        ([reply(500)], RefusalError, 0, 0),
        ([LOST], TransportError, 0, 1),
        ([PENDING, reply(200, {"status": "failed"})], RefusalError, 1, 1),
        ([PENDING, LOST], TransportError, 1, 1),
    ],
    ids=["refused", "lost", "failed in the background", "never ready"],
)
async def test_what_was_paid_for_is_counted_however_it_ends(
    answers: list[Any], kind: type[Exception], credits: int, spent: int
) -> None:
    falls = Waterfall([client(*answers)], want=["full_name"])
    found = await falls.profile(ADDRESS)
    assert isinstance(found.errors["lookc.person"], kind)
    assert (found.credits, falls.spent) == (credits, spent)
    assert falls.stats["lookc.person"].failed == 1
