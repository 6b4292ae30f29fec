"""Answers that came after their attempt was given up: a later run takes them, and buys nothing."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sample_provider import LIST, LOST, ListParams, Thing, reply

from lix_async import Pages, bulk
from lix_async.core import wire
from lix_async.core.errors import DecodeError
from lix_async.core.wire import HttpRequest
from lix_async.ledger.records import Decide, Judge, Lose, Receive, Reconcile, Send, StoredLookup
from lix_async.ledger.rule import Judgement
from lix_async.ledger.store import Store
from lix_async.testing import VirtualClock

from .conftest import Open
from .test_admission import Vendor, drained

pytestmark = pytest.mark.anyio


class Searching(Vendor):
    def search(self, q: str) -> Pages[Thing]:
        return self.pages(LIST, ListParams(q=q))


BODY = b'{"id": "a", "size": 1}'
OTHER = 999
"""An owner that was declared dead, and goes on nevertheless."""


async def lookup_in_doubt(store: Store) -> tuple[StoredLookup, int]:
    """A lookup whose first request is lost; the moment."""

    def lose(outgoing: HttpRequest) -> Any:
        return LOST

    [outcome] = await drained(bulk.Run(store, Vendor(lose).get, ["a"]))
    assert outcome.state == "in_doubt"
    key = bytes.fromhex(outcome.key)
    return (await store.find([key]))[key], store.now


async def found_again(store: Store) -> bulk.Outcome[Any]:
    """What a run makes of a lookup that needs no request."""

    def fail(outgoing: HttpRequest) -> Any:
        raise AssertionError("an answer is there, and another one is asked for")

    [outcome] = await drained(bulk.Run(store, Vendor(fail).get, ["a"]))
    return outcome


async def test_an_answer_that_was_not_judged(ledger: Open) -> None:
    async with ledger() as store:
        lookup, now = await lookup_in_doubt(store)
        await store.apply(Receive(lookup.id, OTHER, 1, 0, 200, BODY, now))
    outcome = await found_again(ledger())
    assert (outcome.state, outcome.cached, outcome.value.size) == ("done", True, 1)


async def test_an_answer_that_somebody_else_judges_first(
    ledger: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ledger() as store:
        lookup, now = await lookup_in_doubt(store)
        await store.apply(Receive(lookup.id, OTHER, 1, 0, 200, BODY, now))
    store = ledger()
    unjudged = store.unjudged

    async def judged_meanwhile(ident: int) -> Any:
        monkeypatch.setattr(store, "unjudged", unjudged)
        assert (await found_again(ledger())).state == "done"
        return await unjudged(ident)

    monkeypatch.setattr(store, "unjudged", judged_meanwhile)
    outcome = await found_again(store)
    assert (outcome.state, outcome.cached, outcome.value.size) == ("done", True, 1)


async def test_a_listing_whose_next_page_is_kept_by_the_balances(ledger: Open) -> None:
    """No answer came for the page, so that there is nothing to read again."""
    things = [{"id": "0"}, {"id": "1"}]
    first = reply(200, {"things": things, "paging": {"total": 4, "start": 0, "count": 2}})
    (outcome,) = await drained(bulk.Run(ledger(), Searching(first, LOST).search, ["q"]))
    assert outcome.state == "in_doubt"
    async with ledger() as store:
        key = bytes.fromhex(outcome.key)
        found = (await store.find([key]))[key]
        await store.apply(Reconcile(found.id, found.state.n, 2, store.now))
    client = Searching(LOST)
    (outcome,) = await drained(bulk.Run(ledger(), client.search, ["q"]))
    assert (outcome.state, len(outcome.value), client.script.sent) == ("kept", 2, [])


@pytest.mark.parametrize("ends", ["lost", "refused"])
async def test_an_answer_that_was_judged_while_a_second_request_was_under_way(
    ledger: Open, ends: str
) -> None:
    async with ledger() as store:
        lookup, now = await lookup_in_doubt(store)
        ident = lookup.id
        await store.apply(Decide(ident, 1, True, now))
        [sent] = await store.apply(Send(ident, 1, 1, now, "standard"))
        late = Receive(ident, OTHER, 1, 0, 200, BODY, now)
        await store.apply(late, Judge(ident, OTHER, 1, Judgement("usable", 1), now))
        if ends == "lost":
            [ended] = await store.apply(Lose(ident, sent.owner, 2, now))
        else:
            answer = Receive(ident, sent.owner, 2, 0, 404, b"{}", now)
            judge = Judge(ident, sent.owner, 2, Judgement("refused", 0), now)
            _, ended = await store.apply(answer, judge)
        assert (ended.state.status, ended.state.cur) == ("received", 1)
    outcome = await found_again(ledger())
    assert (outcome.state, outcome.cached, outcome.value.size) == ("done", True, 1)


@pytest.mark.parametrize("listing", [False, True])
async def test_an_answer_that_is_stored_when_the_deadline_passes(
    ledger: Open, monkeypatch: pytest.MonkeyPatch, listing: bool
) -> None:
    """It is kept, and a listing goes on with it."""
    asked = 0

    def answer(outgoing: HttpRequest) -> Any:
        nonlocal asked
        asked += 1
        if not listing:
            return reply(200, {"id": "a"})
        start = int(outgoing.target.partition("start=")[2].partition("&")[0] or 0)
        things = [{"id": str(number)} for number in range(start, start + 2)]
        return reply(200, {"things": things, "paging": {"total": 4, "count": 2, "start": start}})

    async with VirtualClock() as clock:
        store, slow = ledger(), True
        apply = store.apply

        async def slowly(*events: Any) -> Any:
            nonlocal slow
            results = await apply(*events)
            if slow and isinstance(events[0], Receive):
                slow = False
                await clock.sleep(60.0)
            return results

        monkeypatch.setattr(store, "apply", slowly)
        client = Searching(answer, clock=clock, deadline=5.0)
        method: Any = client.search if listing else client.get
        [outcome] = await drained(bulk.Run(store, method, ["a"]))
    assert (outcome.state, outcome.error, asked) == ("done", None, 2 if listing else 1)
    assert len(outcome.value) == 4 if listing else outcome.value.id == "a"
    assert client.credits.total + client.credits.lost == 2


@contextmanager
def older_version() -> Generator[None]:
    """A version of the package that cannot read what has the word `new`."""
    decode = wire.decode

    def older(provider: Any, endpoint: Any, status: int, body: bytes) -> Any:
        if b"new" in body:
            return DecodeError("unknown", body=body, endpoint=endpoint.id)
        return decode(provider, endpoint, status, body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "decode", older)
        yield


async def test_a_newer_version_reads_what_an_older_one_could_not(ledger: Open) -> None:
    vendor = Vendor(reply(200, {"id": "new-1"}), reply(200, {"id": "new-2"}), reply(200, [1]))
    names = ["a", "b", "c"]
    with older_version():
        for _ in range(2):  # each time it tries anew
            found = await drained(bulk.Run(ledger(), vendor.get, names, concurrency=1))
            assert [outcome.state for outcome in found] == ["kept"] * 3
    found = await drained(bulk.Run(ledger(), Vendor().get, names))
    assert sorted((one.input, one.state, one.cached) for one in found) == [
        ("a", "done", True),
        ("b", "done", True),
        ("c", "kept", True),
    ]
    assert {one.value.id for one in found if one.ok} == {"new-1", "new-2"}
    async with ledger() as store:
        counts = await store.counts()
    assert (counts.done, counts.kept, counts.credits) == (2, 1, 6)


async def test_a_listing_goes_on_after_a_page_that_a_newer_version_can_read(ledger: Open) -> None:
    def page(start: int, name: str) -> Any:
        things = [{"id": f"{name}-{start + n}"} for n in range(2)]
        return reply(200, {"things": things, "paging": {"total": 6, "start": start, "count": 2}})

    with older_version():
        vendor = Searching(page(0, "old"), page(2, "new"))
        (outcome,) = await drained(bulk.Run(ledger(), vendor.search, ["q"]))
        assert outcome.state == "kept"
    vendor = Searching(page(4, "old"))
    (outcome,) = await drained(bulk.Run(ledger(), vendor.search, ["q"]))
    assert outcome.state == "done"
    ids = [item.id for item in outcome.value]
    assert ids == ["old-0", "old-1", "new-2", "new-3", "old-4", "old-5"]
    assert len(vendor.script.sent) == 1


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("body", "credits", "maybe"), [(None, 3, 0), (b"[[1]]", 3, 0), (b"<html>", 2, 1)]
)
async def test_a_late_answer_of_a_page_that_was_bought_again(
    ledger: Open, number: int, body: bytes | None, credits: int, maybe: int
) -> None:
    """Only its money counts: the rows are there already."""

    def page(outgoing: HttpRequest) -> Any:
        start = int(outgoing.target.partition("start=")[2].partition("&")[0] or 0)
        things = [{"id": str(start)}]
        return reply(200, {"things": things, "paging": {"total": 2, "count": 1, "start": start}})

    client = Searching(*[page] * (number - 1), LOST, page)
    async with ledger() as store:
        [outcome] = await drained(bulk.Run(store, client.search, ["a"]))
        assert (outcome.state, outcome.maybe) == ("in_doubt", 1)
        key = bytes.fromhex(outcome.key)
        ident = (await store.find([key]))[key].id
        [outcome] = await drained(bulk.Run(store, client.search, ["a"], doubts="retry"))
        assert (outcome.state, len(outcome.value)) == ("done", 2)
        late = page(client.script.sent[number - 1]).body if body is None else body
        await store.apply(Receive(ident, OTHER, number, number, 200, late, store.now))
        [outcome] = await drained(bulk.Run(store, client.search, ["a"]))
        counts = await store.counts()
    assert (outcome.state, len(outcome.value), len(client.script.sent)) == ("done", 2, 3)
    assert (counts.credits, counts.maybe) == (credits, maybe)
