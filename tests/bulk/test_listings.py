"""Listings as inputs of a run: saved as received, page by page, and paid for once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sample_provider import LIST, ListParams, SampleClient, Thing, refused, reply

from lix_async import bulk
from lix_async.core.errors import BudgetError, ConfigurationError
from lix_async.core.wire import HttpRequest
from lix_async.engine.pages import Pages

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
