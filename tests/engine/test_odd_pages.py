"""Listings with rows that are null, odd or without an id: nothing is lost, and no page is wasted."""

from __future__ import annotations

import json

import pytest
from reference_server import Vendor, things
from sample_provider import LIST, ListParams, SampleClient, Thing, reply

from lix_async import UnreadableItem
from lix_async.core.errors import DecodeError
from lix_async.engine.checkpoint import Checkpoint
from lix_async.engine.raw_items import raw_items

pytestmark = pytest.mark.anyio


def page(*entries: object, total: int | None = None):
    return reply(200, {"things": list(entries), "paging": {"total": total}})


def start(*answers, **settings):
    client = SampleClient(*answers)
    return client, client.pages(LIST, ListParams(), **settings)


@pytest.mark.parametrize("total", [None, 0, 75])
async def test_an_empty_first_page_is_the_end(total):
    client, pages = start(page(total=total))
    assert await pages.collect() == []
    assert len(client.script.sent) == 1
    assert pages.stats.complete is (total != 75)


async def test_a_first_page_without_its_entries_is_an_error():
    client, pages = start(reply(200, {"results": [{"id": "a"}]}))
    with pytest.raises(DecodeError, match="no rows were found") as caught:
        await pages.collect()
    assert caught.value.body == b'{"results":[{"id":"a"}]}'
    assert len(client.script.sent) == 1


async def test_odd_entries_are_handed_out_and_counted():
    odd = {"id": "c", "size": 3, "named": ["?"], "more": {"first": "a"}}
    client, pages = start(page({"id": "a"}, None, 7, total=5), page(odd, {"id": "d"}, total=5))
    items = await pages.collect()
    assert [item.id for item in items] == ["a", None, "c", "d"]
    assert [isinstance(item, UnreadableItem) for item in items] == [False, True, False, False]
    stats = pages.stats
    assert (stats.items, stats.nulls, stats.unreadable) == (4, 1, 1)
    assert stats.complete
    assert ["start=3" in sent.target for sent in client.script.sent] == [False, True]


async def test_an_unreadable_item_survives_a_checkpoint():
    _, pages = start(page({"id": "a"}, ["x", 7], {"id": "b"}, total=3))
    assert (await pages.first()).id == "a"
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    _, rest = start(page(), resume=point)
    odd, last = await rest.collect()
    assert isinstance(odd, UnreadableItem)
    assert isinstance(odd, Thing)
    assert (json.loads(odd.raw), last.id) == (["x", 7], "b")
    assert rest.stats.unreadable == 1


async def test_pages_of_nulls_end_when_they_repeat():
    client, pages = start(page({"id": "a"}), page(None, None), page(None), page(None))
    assert [item.id for item in await pages.collect()] == ["a"]
    assert len(client.script.sent) == 3
    assert pages.stats.nulls == 3


@pytest.mark.parametrize("shared", ["undefined", "", "https://www.linkedin.com/in/undefined"])
async def test_items_that_share_a_placeholder_are_all_handed_out(shared):
    rows = [{"id": shared, "size": number} for number in range(25)]
    _, pages = start(Vendor(rows, total=25))
    assert len(await pages.collect()) == 25
    assert (pages.stats.duplicates, pages.stats.pages) == (0, 3)


async def test_a_page_that_is_not_strict_json_is_written_as_strict_json():
    body = b'\xef\xbb\xbf{"things": [{"id": "a\\ud83d", "more": NaN}, null, 7]}'
    _, pages = start(reply(200, body))
    found = raw_items(await pages.next_page())
    assert found.as_received
    assert [json.loads(entry) for entry in found.items] == [{"id": "a\ufffd", "more": None}, 7]


async def test_many_odd_entries_lose_no_other():
    rows = things(60)
    for number in (3, 17, 18, 44):
        rows[number] = {**rows[number], "size": {"odd": number}, "note": {"odd": number}}
    client, pages = start(Vendor(rows, total=60))
    assert [item.id for item in await pages.collect()] == [f"t{number}" for number in range(60)]
    assert (len(client.script.sent), pages.stats.complete) == (6, True)
