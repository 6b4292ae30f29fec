"""The waterfall with the documented answers of Letrics: a listing that is searched."""

from __future__ import annotations

from typing import Any

import pytest
from sample_provider import Script, Skipping, reply

pytest.importorskip("lix_async.providers.letrics.client", reason="the provider is not installed")

from lix_async.core.errors import ConfigurationError, ServerError
from lix_async.core.retry import RetryPolicy
from lix_async.providers.letrics.client import AsyncLetrics
from lix_async.waterfall import Waterfall, steps_of
from lix_async.waterfall.adapters.letrics import contacts_step

from .stub import ADA, sample

pytestmark = pytest.mark.anyio
PERSON = "https://www.linkedin.com/in/example-person-1"


def client(*answers: Any) -> AsyncLetrics:
    return AsyncLetrics(
        "key", base_url="https://letrics.example", http_client=Script(*answers), rate_limit=None,
        clock=Skipping(), retry=RetryPolicy(attempts=1),
    )  # fmt: skip


def page(*names: str) -> Any:
    rows = [{"name": name, "linkedin_profile": f"https://linkedin.com/in/{name}"} for name in names]
    return reply(200, {"data": rows})


def requests(of: AsyncLetrics) -> int:
    transport = of.engine.transport
    assert isinstance(transport, Script)
    return len(transport.sent)


async def test_a_contact_by_link_and_by_address() -> None:
    letrics = client(sample("letrics.contacts"))
    falls = Waterfall([contacts_step(letrics, letrics.contacts())], want=("email", "full_name"))
    found = await falls.profile(PERSON)
    assert (found.full_name, found.email) == ("Example Person 1", "person1@example.com")
    assert (found.title, found.company) == ("Example Finance Manager", "Example Company 1")
    assert found.sources["email"].provider == "Letrics"
    assert (await falls.profile("Person1@Example.com")).linkedin_url == PERSON
    assert requests(letrics) == 1


async def test_the_listing_is_read_only_as_far_as_necessary() -> None:
    letrics = client(page("a", "b"), page("c", "d"), page("e"))
    step = contacts_step(letrics, letrics.contacts(per_page=2))
    falls = Waterfall([step], want=["full_name"])
    assert requests(letrics) == 0
    for name, sent in (("b", 1), ("a", 1), ("c", 2), ("unknown", 3), ("unknown", 3), ("e", 3)):
        found = await falls.profile(f"https://www.linkedin.com/in/{name}")
        assert found.full_name == (None if name == "unknown" else name)
        assert requests(letrics) == sent


async def test_an_interrupted_listing_continues_at_the_next_lookup() -> None:
    letrics = client(page("a", "b"), reply(503), page("c"))
    falls = Waterfall(
        [contacts_step(letrics, letrics.contacts(per_page=2))], want=["full_name"], concurrency=3
    )
    found = await falls.profile("https://www.linkedin.com/in/c")
    assert isinstance(found.errors["letrics.contacts"], ServerError)
    targets = [f"https://www.linkedin.com/in/{name}" for name in "abcd"]
    names = {one.full_name async for one in falls.run(targets)}
    assert names == {"a", "b", "c", None}
    assert requests(letrics) == 3


async def test_letrics_has_no_lookup_of_its_own() -> None:
    letrics = client(sample("letrics.empty"))
    assert steps_of(letrics) == ()
    with pytest.raises(ConfigurationError, match="contacts_step"):
        Waterfall([letrics])
    found = await Waterfall([contacts_step(letrics, letrics.contacts())]).profile(ADA)
    assert (found.email, found.errors) == (None, {})
