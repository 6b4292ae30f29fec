"""Listings as inputs of a run: saved as received, page by page, and paid for once."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sample_provider import LIST, ListParams, SampleClient, Thing, refused, reply

from lix_async import bulk
from lix_async.core.errors import BudgetError, ConfigurationError, DecodeError
from lix_async.core.wire import HttpRequest
from lix_async.engine.pages import Pages
from lix_async.testing import VirtualClock

from .conftest import Open
from .test_run import drained

pytestmark = pytest.mark.anyio
TOTAL = 7


class Vendor(SampleClient):
    def list(self, q: str, *, max_items: int | None = None, **more: Any) -> Pages[Thing]:
        return self.pages(LIST, ListParams(q=q), max_items=max_items, **more)


def row(number: int) -> dict[str, object]:
    return {"id": str(number), "size": number, "undocumented": {"kept": [number, None, 1.50]}}


def page(outgoing: HttpRequest) -> Any:
    """Two rows a page, of seven."""
    start = int(outgoing.target.partition("start=")[2].partition("&")[0] or 0)
    rows = [row(number) for number in range(start, min(start + 2, TOTAL))]
    return reply(200, {"things": rows, "paging": {"total": TOTAL, "start": start, "count": 2}})


async def test_unknown_fields_are_saved_with_every_item(ledger: Open) -> None:
    for _ in range(2):  # as bought, and as known
        (outcome,) = await drained(bulk.Run(ledger(), Vendor(page).list, ["q"]))
        assert [item.id for item in outcome.value] == [str(n) for n in range(TOTAL)]
        assert msgspec.json.decode(outcome.body) == [row(n) for n in range(TOTAL)]


async def test_a_listing_takes_as_many_items_as_its_input_says(ledger: Open) -> None:
    vendor = Vendor(page)
    some: bulk.Outcome[Any]
    given = {"q": "q", "max_items": 3}
    (some,) = await drained(bulk.Run(ledger(), vendor.list, [given]))
    assert [item.id for item in some.value] == ["0", "1", "2"]
    assert (len(vendor.script.sent), some.credits) == (2, 2)
    (whole,) = await drained(bulk.Run(ledger(), vendor.list, ["q"]))  # another thing to ask for
    assert len(whole.value) == TOTAL
    (mapped,) = await drained(bulk.map(Vendor(page).list, [given]))
    assert [item.id for item in mapped.value] == ["0", "1", "2"]


@pytest.mark.parametrize("more", [{"max_credits": 1}, {"prefetch": 1}, {"max_items": -1}])
async def test_options_that_a_run_sets_itself_are_refused_in_an_input(
    ledger: Open, more: dict[str, int]
) -> None:
    vendor = Vendor(page)
    (outcome,) = await drained(bulk.Run(ledger(), vendor.list, [{"q": "q", **more}]))
    assert outcome.state == "invalid"
    assert isinstance(outcome.error, ConfigurationError)
    assert next(iter(more)) in str(outcome.error)
    assert not vendor.script.sent


async def test_pages_before_a_daily_limit_are_counted(ledger: Open) -> None:
    asked = 0

    def limited(outgoing: HttpRequest) -> Any:
        nonlocal asked
        asked += 1
        return refused(429, "daily_limit") if asked == 3 else page(outgoing)

    run = bulk.Run(ledger(), Vendor(limited).list, ["q"])
    (outcome,) = await drained(run)
    assert (outcome.credits, run.report().progress.credits) == (4, 4)


async def test_pages_before_the_budget_is_spent_are_counted(ledger: Open) -> None:
    run = bulk.Run(ledger(), Vendor(page).list, ["q"], max_credits=3)
    with pytest.raises(BudgetError, match="3 are spent"):
        await drained(run)
    assert run.report().progress.credits == 3
    (outcome,) = await drained(bulk.Run(ledger(), Vendor(page).list, ["q"]))
    assert (len(outcome.value), outcome.credits) == (TOTAL, 1)


async def test_a_listing_that_does_not_move_on_keeps_what_it_paid_for(ledger: Open) -> None:
    same = {"things": [row(0), row(1)], "paging": {"total": TOTAL, "start": 0, "count": 2}}
    vendor = Vendor(reply(200, same))
    for cached in (False, True):
        [outcome] = await drained(bulk.Run(ledger(), vendor.list, ["q"]))
        assert (outcome.state, outcome.cached) == ("kept", cached)
        assert msgspec.json.decode(outcome.body)[:2] == [row(0), row(1)]
        assert outcome.error is not None
        assert len(vendor.script.sent) == 2
    assert isinstance(outcome.error, DecodeError)
    assert "not the one that was asked for" in str(outcome.error)


async def test_a_listing_that_another_process_was_quicker_to_ask_for(
    ledger: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with VirtualClock() as clock:
        first, second = Vendor(page), Vendor(page, clock=clock)
        store = ledger()
        announce = store.announce

        async def later(*args: Any) -> Any:
            if not first.script.sent:
                await drained(bulk.Run(ledger(), first.list, ["q"]))
            return await announce(*args)

        monkeypatch.setattr(store, "announce", later)
        [outcome] = await drained(bulk.Run(store, second.list, ["q"]))
    assert (outcome.state, outcome.cached, len(outcome.value)) == ("done", True, TOTAL)
    assert (len(first.script.sent), len(second.script.sent)) == (4, 0)


async def test_a_stored_page_that_this_version_cannot_read_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    vendor = Vendor(page)
    await drained(bulk.Run(path, vendor.list, ["q"]))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE answer SET body = ? WHERE page = 2", (b"[[1]]",))
    database.close()
    [outcome] = await drained(bulk.Run(path, vendor.list, ["q"]))
    assert [thing.id for thing in outcome.value] == ["0", "1", "4", "5", "6"]
    assert (outcome.state, len(vendor.script.sent)) == ("done", 4)
