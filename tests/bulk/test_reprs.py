"""What listings, outcomes and runs say about themselves, where logs may keep it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lix_async import AsyncLix, NotFoundError, bulk
from lix_async.providers.lix.models import Person
from lix_async.testing import memory_client

pytestmark = pytest.mark.anyio
URL = "https://www.linkedin.com/search/results/people/?keywords=data"


async def test_a_listing_says_how_far_it_is() -> None:
    async with memory_client() as lix:
        pages = lix.search.people(URL, max_items=30)
        assert repr(pages) == "<Pages search.people: not started>"
        first = await pages.first()
        text = repr(pages)
        assert text.startswith("<Pages search.people: 1 item on 1 page, 1 credit, of ")
        assert text.endswith("; goes on>")
        await pages.collect()
        assert "30 items on " in repr(pages)
        assert repr(pages).endswith("; ended>")
        assert first is not None
        assert first.name not in text
        assert repr(lix.search.people(URL, max_items=0)).endswith("0 credits; ended>")


async def test_a_listing_that_could_not_be_made_has_a_repr() -> None:
    broken = object.__new__(type(AsyncLix("key").search.people(URL)))
    assert repr(broken) == "<Pages, not complete>"


async def test_an_outcome_says_what_became_of_it_and_nothing_of_the_person() -> None:
    outcome = bulk.Outcome[Person](
        input="https://www.linkedin.com/in/secret",
        endpoint="person.get",
        key="3f9a01b2c3d4",
        state="done",
        value=Person(name="Secret"),
        body=b"Secret",
        credits=1,
    )
    assert repr(outcome) == "<Outcome done person.get key=3f9a01b2… 1 credit>"
    assert "ecret" not in repr(outcome.__rich_repr__())
    invalid = bulk.Outcome[Person](input="Secret", state="invalid", error=NotFoundError("Secret"))
    assert repr(invalid) == "<Outcome invalid 0 credits>"


async def test_a_run_says_what_it_has_done(tmp_path: Path) -> None:
    links = [f"https://www.linkedin.com/in/example-person-{number}" for number in range(1, 4)]
    async with memory_client() as lix:
        run = bulk.Run(tmp_path / "people.db", lix.people.get, links)
        assert repr(run) == "<Run people.db get: 0 of 3 done, 0 credits>"
        async with run:
            outcomes = [outcome async for outcome in run]
        assert repr(run) == "<Run people.db person.get: 3 of 3 done, 3 credits>"
        assert {outcome.endpoint for outcome in outcomes} == {"person.get"}
        again = bulk.Run(tmp_path / "people.db", lix.people.get, iter(links))
        async with again:
            kept = [outcome async for outcome in again]
        assert repr(again).endswith(": 3 done, 0 credits>")
        assert {outcome.endpoint for outcome in kept} == {"person.get"}
        async with bulk.map(lix.people.get, links[:1]) as mapped:
            assert [outcome.endpoint async for outcome in mapped] == ["person.get"]
