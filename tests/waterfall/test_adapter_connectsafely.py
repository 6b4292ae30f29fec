"""What a waterfall makes of the documented answers of ConnectSafely."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sample_provider import Script, Skipping

pytest.importorskip(
    "lix_async.providers.connectsafely.client", reason="the provider is not installed"
)

from lix_async.core.errors import ConfigurationError, NotFoundError, RateLimitError
from lix_async.core.retry import RetryPolicy
from lix_async.core.wire import HttpResponse
from lix_async.providers.connectsafely.client import AsyncConnectSafely
from lix_async.waterfall import Waterfall

from .stub import ADA, sample

pytestmark = pytest.mark.anyio
WANT = ("full_name", "title")


def client(*answers: Any) -> AsyncConnectSafely:
    return AsyncConnectSafely(
        "key", http_client=Script(*answers), rate_limit=None, clock=Skipping(),
        retry=RetryPolicy(attempts=1),
    )  # fmt: skip


async def test_a_person_with_the_current_job() -> None:
    safely = client(sample("connectsafely.profile.full"))
    found = await Waterfall([safely], want=WANT).profile(ADA)
    assert {name: found.get(name) for name in found.sources} == {
        "linkedin_url": ADA,
        "full_name": "Example Person 1",
        "headline": "Example Title @ Example Company",
        "location": "Example City, Example State, Example Country",
        "title": "Example Title",
        "company": "Example Company",
        "company_url": "https://www.linkedin.com/company/example-company",
    }
    assert found.sources["title"].provider == "ConnectSafely"
    assert found.credits == 0
    transport = safely.engine.transport
    assert isinstance(transport, Script)
    body = msgspec.json.decode(transport.sent[0].body or b"")
    assert (body["profileId"], body["includeExperience"]) == ("ada", True)


@pytest.mark.parametrize("name", ["profile", "profile.cached", "profile.nested-experience"])
async def test_other_documented_profiles(name: str) -> None:
    found = await Waterfall([client(sample(f"connectsafely.{name}"))], want=WANT).profile(ADA)
    assert (found.full_name or "").startswith("Example Person ")
    assert not found.errors


async def test_a_sparse_one_leaves_fields_empty() -> None:
    found = await Waterfall([client(sample("connectsafely.profile.minimal"))]).profile(ADA)
    assert (found.email, found.title, found.errors) == (None, None, {})


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [("profile.not-found", 200, NotFoundError), ("error-429-velocity", 429, RateLimitError)],
)
async def test_refusals_stay_on_the_result(answer: str, status: int, error: type) -> None:
    said = sample(f"connectsafely.{answer}")
    falls = Waterfall([client(HttpResponse(status, said.headers, said.body))], want=WANT)
    found = await falls.profile(ADA)
    assert isinstance(found.errors["connectsafely.profile"], error)


async def test_a_link_of_sales_navigator_is_not_sent() -> None:
    safely = client(sample("connectsafely.profile"))
    lead = "https://www.linkedin.com/sales/lead/ACoAAEXAMPLE0001,NAME_SEARCH,abcd"
    found = await Waterfall([safely], want=WANT).profile(lead)
    assert isinstance(found.errors["connectsafely.profile"], ConfigurationError)
    transport = safely.engine.transport
    assert isinstance(transport, Script)
    assert not transport.sent
