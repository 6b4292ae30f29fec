"""A person costs one lookup under all ids that are known to be theirs."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from sample_provider import Skipping

from lix_async import AsyncLix, AsyncLookC, bulk
from lix_async.core.errors import ConfigurationError
from lix_async.identity import identify
from lix_async.ledger import Ledger
from lix_async.ledger.tables import SqlTables
from lix_async.providers.lix.endpoints.profiles import PERSON
from lix_async.providers.lix.params.profiles import PersonParams

from .conftest import Open
from .test_run import drained

pytestmark = pytest.mark.anyio
KEY = "k" * 20
DAY = timedelta(days=1)
Handler = Callable[[httpx.Request], Any]


def slug(name: object) -> str:
    return f"https://www.linkedin.com/in/{name}"


def sales(n: int) -> str:
    return f"https://www.linkedin.com/sales/lead/ACwAAEXAMPLE{n:06},NAME_SEARCH,abcd"


def profile(n: int) -> str:
    return f"https://www.linkedin.com/in/ACoAAEXAMPLE{n:06}"


def urn(n: int) -> str:
    return f"urn:li:fsd_profile:ACoAAEXAMPLE{n:06}"


def body(n: int, name: str | None = None, **more: Any) -> dict[str, Any]:
    ids = {
        "link": slug(name or f"person-{n}"),
        "salesNavLink": sales(n),
        "liId": f"ACoAAEXAMPLE{n:06}",
    }
    return {"name": f"Person {n}", **ids, **more}


class Clock(Skipping):
    """Sets an event, once it is given one, when somebody sleeps."""

    slept_on: anyio.Event | None = None

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.slept_on is not None:
            self.slept_on.set()


class Provider:
    """Answers by the number in the link, unless something else is said; and counts what is paid."""

    def __init__(self, **said: Any) -> None:
        self.said = said
        self.asked: list[str] = []
        self.clock = Clock()
        self.lix = AsyncLix(
            KEY, rate_limit=None, clock=self.clock, http_client=self.client(self.answer)
        )

    def client(self, handler: Handler) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(handler))

    async def answer(self, request: httpx.Request) -> httpx.Response:
        link = next(iter(request.url.params.values()))
        self.asked.append(link)
        said = self.said.get(re.sub(r"\W", "_", link.rstrip("/").rsplit("/", 1)[-1].split(",")[0]))
        if callable(said):
            said = said()
            if hasattr(said, "__await__"):
                said = await said
        if isinstance(said, Exception):
            raise said
        if said is None:
            said = body(int(re.findall(r"(\d+)", link)[-1]))
        return httpx.Response(200, json=said)


async def run(ledger: Open, provider: Provider, *inputs: Any, **options: Any) -> list[Any]:
    options.setdefault("method", provider.lix.people.get)
    method = options.pop("method")
    return await drained(
        bulk.Run(ledger(), method, inputs, check_balances=False, concurrency=1, **options)
    )


async def test_a_person_costs_one_lookup_under_all_forms(ledger: Open) -> None:
    provider = Provider()
    forms = [
        form for n in range(20) for form in (slug(f"person-{n}"), sales(n), profile(n), urn(n))
    ]
    random.Random(2).shuffle(forms)
    outcomes = await run(ledger, provider, *forms)
    assert len(provider.asked) == 20
    assert sum(outcome.credits for outcome in outcomes) == 20
    assert sorted(outcome.input for outcome in outcomes) == sorted(forms)
    for outcome in outcomes:
        person = int(re.findall(r"\d+", outcome.input)[-1])
        assert outcome.state == "done"
        assert outcome.value.name == f"Person {person}"
        if outcome.via:
            assert outcome.cached
            assert outcome.via in provider.asked or outcome.via == urn(person)
    again = await run(ledger, provider, *forms)
    assert len(provider.asked) == 20
    assert all(outcome.cached for outcome in again)


async def test_the_rows_of_a_run_lead_to_what_was_bought(ledger: Open) -> None:
    provider = Provider()
    await run(ledger, provider, slug("person-1"), name="first")
    await run(ledger, provider, sales(1), name="second")
    async with ledger() as store:
        (entry,) = [entry async for entry in store.entries()]
        assert json.loads(entry.given) == slug("person-1")
        (row,) = await store.inputs(2, 1, 1)
        assert row.given is not None
        assert json.loads(row.given) == sales(1)


async def test_a_chunk_finds_what_was_bought_under_another_id(ledger: Open) -> None:
    provider = Provider()
    async with ledger() as store:
        await bulk.chunk(store, provider.lix.people.get, [slug("person-1")])
        (outcome,) = await bulk.chunk(store, provider.lix.people.get, [sales(1)])
    assert (outcome.via, outcome.credits, len(provider.asked)) == (slug("person-1"), 0, 1)


async def test_other_parameters_are_another_lookup(ledger: Open) -> None:
    provider = Provider()
    method = provider.lix.people.get
    await run(ledger, provider, slug("person-1"))
    given = {"profile_link": sales(1), "viewer_id": "somebody"}
    (outcome,) = await run(ledger, provider, given, method=method)
    assert (outcome.via, len(provider.asked)) == ("", 2)
    given = {"profile_link": profile(1), "viewer_id": "somebody"}
    (outcome,) = await run(ledger, provider, given, method=method)
    assert json.loads(outcome.via)["profile_link"] == sales(1)
    assert len(provider.asked) == 2


async def test_an_answer_without_ids_is_found_by_the_ids_of_others(ledger: Open) -> None:
    email = {"email": "one@example.com", "status": "VALID"}
    provider = Provider()
    await run(ledger, provider, slug("person-1"))
    provider.said = {"person_1": email}
    method = provider.lix.contact.email
    await run(ledger, provider, slug("person-1"), method=method)
    (outcome,) = await run(ledger, provider, sales(1), method=method)
    assert outcome.value.email == "one@example.com"
    assert (outcome.via, len(provider.asked)) == (slug("person-1"), 2)


async def test_what_one_provider_says_is_known_to_another(ledger: Open) -> None:
    lookc = Provider()
    hit = {"name": "x", "liProfileUrl": "person-1", "salesNavUrl": sales(1)}
    lookc.said = {"one_example_com": {"hits": [hit]}}
    client = AsyncLookC(KEY, rate_limit=None, http_client=lookc.client(lookc.answer))
    await run(ledger, lookc, "one@example.com", method=client.person_by_email)
    provider = Provider()
    await run(ledger, provider, slug("person-1"))
    await run(ledger, provider, sales(1))
    assert len(provider.asked) == 1


@pytest.mark.parametrize("lost", [False, True])
async def test_a_lookup_in_flight_under_another_id_is_waited_for(ledger: Open, lost: bool) -> None:
    provider = Provider(
        person_1={"personIds": {"liID": "person-1", "salesNavID": "ACwAAEXAMPLE000001"}}
    )
    ids = {"li_flagship_id": "person-1"}
    await run(ledger, provider, ids, method=provider.lix.people.ids)
    states: list[Any] = []
    answered = anyio.Event()

    async def slowly() -> Any:
        group.start_soon(second)
        await answered.wait()
        return httpx.ReadError("cut off") if lost else body(1)

    other = Provider(person_1=slowly)

    async def second() -> None:
        provider.clock.slept_on = answered  # it waits for what the other one has sent
        states.extend(await run(ledger, provider, sales(1)))

    async with anyio.create_task_group() as group:
        states.extend(await run(ledger, other, slug("person-1")))
    assert [one.state for one in states] == ["in_doubt" if lost else "done"] * 2
    assert (len(other.asked), len(provider.asked)) == (1, 1)


async def test_a_slug_that_is_another_ones_now_is_asked_for_again(ledger: Open) -> None:
    provider = Provider(ada=body(1, "ada"))
    await run(ledger, provider, slug("ada"))
    provider.said = {"ACwAAEXAMPLE000002": body(2, "ada"), "ada": body(2, "ada")}
    await run(ledger, provider, sales(2))
    (old,) = await run(ledger, provider, sales(1))
    assert (old.value.name, old.via) == ("Person 1", slug("ada"))
    (new,) = await run(ledger, provider, slug("ada"))
    assert (new.value.name, new.via) == ("Person 2", sales(2))
    assert len(provider.asked) == 2
    async with Ledger(ledger()) as known:
        found = await known.resolve(slug("ada"))
        assert found.subject is not None
        assert "ACwAAEXAMPLE000002" in [one.id for one in found.subject.ids]


async def test_a_slug_that_only_a_page_shows_with_another_one_is_bought_as_a_further_version(
    ledger: Open,
) -> None:
    provider = Provider(ada=body(1, "ada"))
    await run(ledger, provider, slug("ada"))
    row = {"people": [body(2, "ada")], "paging": {"total": 1}}
    search = "https://www.linkedin.com/search/results/people/?keywords=x"
    provider.said = {"_keywords_x": row}
    await run(ledger, provider, search, method=provider.lix.search.people)
    provider.said = {"ada": body(2, "ada")}
    (new,) = await run(ledger, provider, slug("ada"))
    assert (new.value.name, new.cached) == ("Person 2", False)
    (new,) = await run(ledger, provider, slug("ada"))
    assert (new.value.name, new.cached) == ("Person 2", True)
    async with ledger() as store:
        entries = [entry async for entry in store.entries(endpoint="person.get")]
        assert [entry.attempts for entry in entries] == [2]


async def test_a_slug_is_believed_for_half_a_year(ledger: Open) -> None:
    provider = Provider()
    await run(ledger, provider, sales(1))
    provider.clock.time += 180 * DAY.total_seconds()
    (young,) = await run(ledger, provider, slug("person-1"))
    assert young.via == sales(1)
    provider.clock.time += 1
    (old,) = await run(ledger, provider, slug("person-1"))
    assert (old.via, len(provider.asked)) == ("", 2)


async def test_ids_in_conflict_find_nothing(ledger: Open) -> None:
    provider = Provider(ACoAAEXAMPLE000001=body(1), ada={**body(1), "salesNavLink": sales(2)})
    await run(ledger, provider, profile(1), slug("ada"))
    (third,) = await run(ledger, provider, sales(1))
    assert (third.via, len(provider.asked)) == ("", 3)
    (own,) = await run(ledger, provider, profile(1))
    assert own.cached
    async with Ledger(ledger()) as known:
        (conflict,) = [one async for one in known.conflicts()]
        ids = {one.id for subject in conflict.subjects for one in subject.ids}
        assert {"ACwAAEXAMPLE000001", "ACwAAEXAMPLE000002", "ACoAAEXAMPLE000001"} <= ids
        found = await known.resolve(sales(2))
        assert found.subject is not None
        assert found.subject.ambiguous


async def test_an_id_that_was_asked_for_and_is_not_in_the_answer_is_not_learned(
    ledger: Open,
) -> None:
    provider = Provider(old_name=body(1))
    await run(ledger, provider, slug("old-name"))
    async with Ledger(ledger()) as known:
        assert (await known.resolve(slug("old-name"))).subject is None
        found = await known.resolve(profile(1))
        assert found.subject is not None
        (bought,) = found.subject.lookups
        assert (bought.endpoint, bought.given, bought.status) == (
            "person.get",
            slug("old-name"),
            "done",
        )


async def test_an_old_answer_is_bought_again_once_for_all_ids(ledger: Open) -> None:
    provider = Provider()
    await run(ledger, provider, slug("person-1"))
    provider.clock.time += 91 * DAY.total_seconds()
    for given in (sales(1), profile(1), slug("person-1")):
        (outcome,) = await run(ledger, provider, given, max_age=90 * DAY)
        assert outcome.state == "done"
        assert not outcome.stale
    assert len(provider.asked) == 2


async def test_ids_are_read_from_answers_that_need_repair(ledger: Open) -> None:
    broken = json.dumps(body(1)).replace('"name": "Person 1"', '"size": NaN, "name": "\\ud800"')

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"\xef\xbb\xbf" + broken.encode())

    provider = Provider()
    lix = AsyncLix(KEY, rate_limit=None, http_client=provider.client(answer))
    await run(ledger, provider, slug("person-1"), method=lix.people.get)
    (outcome,) = await run(ledger, provider, sales(1))
    assert (outcome.via, provider.asked) == (slug("person-1"), [])


async def test_preview_counts_what_is_known_under_other_ids(ledger: Open) -> None:
    provider = Provider()
    await run(ledger, provider, slug("person-1"))
    found = await bulk.preview(
        ledger(), provider.lix.people.get, [sales(1), sales(2)], check_balances=False
    )
    assert (found.answered, found.calls) == (1, 1)


async def test_a_cached_call_says_under_which_id_it_was_bought(tmp_path: Path) -> None:
    provider = Provider()
    http = provider.client(provider.answer)
    async with AsyncLix(KEY, rate_limit=None, http_client=http, cache=tmp_path / "l.db") as lix:
        first = await lix.send(PERSON, PersonParams(profile_link=slug("person-1")))
        other = await lix.send(PERSON, PersonParams(profile_link=sales(1)))
    assert (first.via, first.cached) == ("", False)
    assert (other.via, other.cached) == (slug("person-1"), True)
    assert len(provider.asked) == 1


def test_an_id_is_read_without_a_ledger() -> None:
    found = identify(sales(1))
    assert (found.kind, found.id, found.is_strong) == ("sales", "ACwAAEXAMPLE000001", True)


def forget_ids(tables: SqlTables) -> None:
    """What an older version has left: nothing is known of ids."""
    for table in ("alias", "subject", "mention"):
        tables.database.change(f"DELETE FROM {table}")
    tables.database.change("UPDATE lookup SET subject = NULL, variant = ?", (b"",))
    tables.database.change("DELETE FROM about WHERE name LIKE 'identity%'")


async def test_answers_from_before_are_learned_from(ledger: Open) -> None:
    provider = Provider()
    await run(ledger, provider, slug("person-1"), slug("person-2"))
    row = {"people": [body(3)], "paging": {"total": 1}}
    provider.said = {"_keywords_x": row}
    search = "https://www.linkedin.com/search/results/people/?keywords=x"
    await run(ledger, provider, search, method=provider.lix.search.people)
    async with ledger() as store:
        await store.statement(forget_ids)
    provider.said = {}
    (outcome,) = await run(ledger, provider, sales(2))
    assert (outcome.via, len(provider.asked)) == (slug("person-2"), 3)
    async with Ledger(ledger()) as known:
        assert (await known.resolve(profile(3))).subject is not None
    (outcome,) = await run(ledger, provider, profile(1))
    assert (outcome.via, len(provider.asked)) == (slug("person-1"), 3)


async def test_a_cache_learns_from_answers_from_before(tmp_path: Path) -> None:
    provider, path = Provider(), tmp_path / "l.db"
    http = provider.client(provider.answer)
    for given in (slug("person-1"), sales(1)):
        async with AsyncLix(KEY, rate_limit=None, http_client=http, cache=path) as lix:
            await lix.people.get(given)
            await lix.cache.store.statement(forget_ids)
    assert len(provider.asked) == 1


async def test_the_urn_of_a_member_is_resolved_through_the_ledger_only(ledger: Open) -> None:
    provider = Provider()
    member = "urn:li:member:7001"
    (unknown,) = await run(ledger, provider, member)
    assert unknown.state == "invalid"
    assert "no answer in the ledger connects it" in str(unknown.error)
    provider.said = {"person_1": {**body(1), "liId": "7001"}}
    await run(ledger, provider, slug("person-1"))
    (known,) = await run(ledger, provider, member)
    assert (known.input, known.value.name, known.credits) == (member, "Person 1", 0)
    async with ledger() as store:
        (outcome,) = await bulk.chunk(store, provider.lix.people.get, [member])
    assert (outcome.input, outcome.cached, len(provider.asked)) == (member, True, 1)


async def test_the_urn_of_a_member_in_a_single_cached_call(ledger: Open) -> None:
    provider = Provider()
    provider.said = {"person_1": {**body(1), "liId": "7001"}}
    http = provider.client(provider.answer)
    async with AsyncLix(KEY, rate_limit=None, http_client=http, cache=ledger()) as lix:
        with pytest.raises(ConfigurationError, match="no answer in the ledger connects it"):
            await lix.people.get("urn:li:member:7001")
        with pytest.raises(ConfigurationError, match="must be a URL"):
            await lix.people.get("7001")
        await lix.people.get(slug("person-1"))
        for text in ("urn:li:member:7001", " URN:li:member:7001"):
            found = await lix.answer(lix.people.get, text)
            assert (found.value.name, found.cached, found.via) == (
                "Person 1",
                True,
                slug("person-1"),
            )
    assert len(provider.asked) == 1
