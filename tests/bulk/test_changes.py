"""What a ledger says that changed, against what really changed in the sandbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pytest
from sample_provider import Skipping

from lix_async import AsyncLix, bulk
from lix_async.core.errors import ConfigurationError
from lix_async.core.installed_providers import all_endpoints, provider_of
from lix_async.core.wire import HttpRequest, HttpResponse
from lix_async.ledger import Ledger
from lix_async.ledger.history import YEAR, SubjectChange, compare, evidence_of
from lix_async.ledger.records import StoredBody
from lix_async.sandbox import Sandbox, running

from .conftest import Open
from .test_run import drained

pytestmark = pytest.mark.anyio
T = TypeVar("T")
ADA = "https://www.linkedin.com/in/ada"
DAY = timedelta(days=1)
# Of a headline, only the last one before an answer is seen; and a company's new name is no event
# of the person's.
SEEN = ("job_started", "job_ended", "title_changed", "location_changed", "name_changed")


class Answers:
    """A transport that answers with the given bodies."""

    def __init__(self, *bodies: Any) -> None:
        self.bodies = list(bodies)

    async def exchange(self, outgoing: HttpRequest, departure: Any) -> HttpResponse:
        departure.at = 0.0
        body = self.bodies.pop(0)
        raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return HttpResponse(200, [(b"content-type", b"application/json")], raw)

    async def aclose(self) -> None:
        pass


def lix(*bodies: Any, clock: Skipping | None = None) -> AsyncLix:
    return AsyncLix("key", http_client=Answers(*bodies), rate_limit=None, clock=clock or Skipping())


async def listed(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


async def buy(ledger: Open, client: AsyncLix, *links: str) -> list[bulk.Outcome[Any]]:
    run = bulk.Run(ledger(), client.people.get, links, max_age=0, check_balances=False)
    return await drained(run)


def times(client: AsyncLix, time: timedelta) -> None:
    clock = client.clock
    assert isinstance(clock, Skipping)
    clock.time += time.total_seconds()


def person(**fields: Any) -> dict[str, Any]:
    return {"name": "Ada", "link": "https://www.linkedin.com/in/ada", **fields}


async def test_a_life_in_the_sandbox_is_found_in_every_field(ledger: Open) -> None:
    sandbox, clock = Sandbox(people=60, rate=None), Skipping()
    world = sandbox.world
    links = [world.person(number).sales_link for number in range(world.people)]
    found: list[SubjectChange] = []
    with running(sandbox) as url:
        client = AsyncLix("key", base_url=url, rate_limit=None, clock=clock)
        for _ in range(4):
            outcomes = await buy(ledger, client, *links)
            assert {outcome.state for outcome in outcomes} == {"done"}
            found += [change for outcome in outcomes for change in outcome.changes]
            sandbox.advance(days=60)
            clock.time += 60 * 86_400
        await client.aclose()
    ids = [world.person(number).sales_id for number in range(world.people)]
    people = dict(zip(ids, links, strict=True))
    true = Counter(
        (people[change.subject], change.kind, change.before, change.after)
        for change in world.changes()
        if change.subject in people and change.kind in SEEN and change.day <= 180
    )
    assert len(true) > 10

    def seen(changes: list[SubjectChange]) -> Counter[Any]:
        return Counter(
            (one.subject, one.kind, one.before, one.after) for one in changes if one.kind in SEEN
        )

    assert seen(found) == true
    async with Ledger(ledger()) as opened:
        assert seen(await listed(opened.changes())) == true
        late = await listed(
            opened.changes(since=datetime.fromtimestamp(clock.wall(), UTC) - 90 * DAY)
        )
        assert late
        assert {one.at_after for one in late} == {max(one.at_after for one in found)}
        assert {one.at_after - one.at_before for one in late} == {60 * DAY}
        one = late[0]
        of_one = await listed(opened.changes(subject=one.subject))
        assert of_one == [
            change for change in await listed(opened.changes()) if change.subject == one.subject
        ]
        assert len(await listed(opened.history(one.subject))) == 4


async def test_every_field_of_a_change(ledger: Open) -> None:
    client = lix(person(location="Bath"), person(name="Ada Byron", location="Bath"))
    link = "https://www.linkedin.com/in/Ada"
    await buy(ledger, client, link)
    times(client, 2 * DAY)
    (outcome,) = await buy(ledger, client, link)
    async with Ledger(ledger()) as opened:
        assert await listed(opened.changes()) == outcome.changes == [
            SubjectChange(
                kind="name_changed", subject=link, name="Ada", field="name", before="Ada",
                after="Ada Byron", at_before=datetime.fromtimestamp(1_700_000_000, UTC),
                at_after=datetime.fromtimestamp(1_700_000_000, UTC) + 2 * DAY, key=outcome.key,
            )
        ]  # fmt: skip
        for subject in (link, "ada", "https://linkedin.com/in/ada/", outcome.key):
            versions = await listed(opened.history(subject))
            assert [version.value.name for version in versions] == ["Ada", "Ada Byron"]
            assert [version.bought_at for version in versions] == [
                outcome.changes[0].at_before, outcome.bought_at,
            ]  # fmt: skip
            assert len(await listed(opened.changes(subject=subject))) == 1
        for subject in ("https://linkedin.com/in/other", "0" * 32, "other"):
            assert await listed(opened.history(subject)) == []
            assert await listed(opened.changes(subject=subject)) == []


async def test_versions_of_one_person_under_two_links_are_compared(ledger: Open) -> None:
    """The ids of an answer say that both are one person."""
    ids = {"salesNavLink": "https://linkedin.com/sales/lead/ACwAAexample1,NAME_SEARCH,undefined"}
    client = lix(person(location="Bath", **ids), person(location="Leeds", **ids))
    await buy(ledger, client, "https://www.linkedin.com/in/ada")
    times(client, DAY)
    await buy(ledger, client, ids["salesNavLink"])
    async with Ledger(ledger()) as opened:
        (change,) = await listed(opened.changes())
        assert (change.kind, change.before, change.after) == ("location_changed", "Bath", "Leeds")
        assert change.at_after - change.at_before == DAY


async def test_what_cannot_be_read_is_not_compared(ledger: Open) -> None:
    client = lix(person(), b'{"name": {}}', person(name="Ada Byron"))
    for _ in range(2):
        await buy(ledger, client, ADA)
        times(client, DAY)
    async with ledger() as store:
        (entry,) = [entry async for entry in store.entries()]
        assert entry.status == "kept"
        assert await store.buy_again(entry.key)
    await buy(ledger, client, ADA)
    async with Ledger(ledger()) as opened:
        (change,) = await listed(opened.changes())
        assert (change.before, change.after) == ("Ada", "Ada Byron")
        assert len(await listed(opened.history(ADA))) == 2


@pytest.mark.parametrize("readable", [True, False])
def test_an_answer_that_only_an_older_version_could_read_is_not_compared(readable: bool) -> None:
    row = all_endpoints()["person.get"]
    names = ["Ada", "Ada Byron" if readable else {}]
    old, new = (
        StoredBody(number, number, 200, msgspec.json.encode(person(name=name)))
        for number, name in enumerate(names)
    )
    provider = provider_of("lix")
    assert len(list(compare(provider, row, old, new, subject=ADA, key="k"))) == readable
    assert len(list(compare(provider, row, new, old, subject=ADA, key="k"))) == readable
    assert evidence_of(provider, row, [old, new], 1).years == 1 / YEAR


async def test_many_versions_are_read_a_few_at_a_time(ledger: Open) -> None:
    client = lix(*(person(location=f"Town {number}") for number in range(120)))
    async with Ledger(ledger()) as opened:
        for _ in range(120):
            await buy(lambda: opened.store, client, ADA)
            times(client, DAY)
        changes = await listed(opened.changes())
    assert [change.after for change in changes] == [f"Town {number}" for number in range(1, 120)]


async def test_listings_and_other_calls_have_versions_and_no_changes(ledger: Open) -> None:
    page = {"people": [{"name": "Ada"}], "paging": {"total": 1, "start": 0, "count": 1}}
    client = lix(page, page)
    search = "https://www.linkedin.com/search/results/people/?keywords=a"
    for _ in range(2):
        run = bulk.Run(ledger(), client.search.people, [search], max_age=0, check_balances=False)
        await drained(run)
        times(client, DAY)
    async with Ledger(ledger()) as opened:
        assert await listed(opened.changes()) == []
        assert [version.page for version in await listed(opened.history(search))] == [1, 1]


@pytest.mark.parametrize("since", [datetime(2024, 1, 1), "30d", 30])  # the error
async def test_what_is_no_beginning_is_refused(ledger: Open, since: Any) -> None:
    async with Ledger(ledger()) as opened:
        with pytest.raises(ConfigurationError, match=r"^since must be"):
            opened.changes(since=since)


async def test_a_duration_counts_back_from_now(ledger: Open) -> None:
    client = lix(person(), person(name="Ada Byron"))
    for _ in range(2):
        await buy(ledger, client, ADA)
        times(client, DAY)
    async with Ledger(ledger()) as opened:
        assert await listed(opened.changes(since=DAY)) == []  # bought years ago
        assert len(await listed(opened.changes(since=20_000 * DAY))) == 1
