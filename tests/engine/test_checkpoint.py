"""The state of a listing as JSON: exact to the item, bound to its search, validated."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest
from reference_server import Vendor, ids, things
from sample_provider import LIST, SEARCH, ListParams, SampleClient, UrlParams

from lix_async.core.errors import ConfigurationError, PagingError
from lix_async.engine.checkpoint import Checkpoint, fingerprint

pytestmark = pytest.mark.anyio
ALL = [f"t{number}" for number in range(25)]
PARAMS = ListParams(q="people")


def start(vendor: Vendor, params: ListParams = PARAMS, row=LIST, **settings):
    return SampleClient(vendor).pages(row, params, **settings)


async def stopped(count: int, vendor: Vendor, **settings) -> Checkpoint:
    """The checkpoint of a listing after so many items, through JSON."""
    pages = start(vendor, **settings)
    for _ in range(count):
        await pages.first()
    return Checkpoint.from_json(pages.checkpoint.to_json())


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 24, 25])
async def test_a_resumed_listing_gives_the_rest_and_pays_for_no_page_twice(count):
    vendor = Vendor(things(25), total=25)
    point = await stopped(count, vendor)
    pages = start(vendor, resume=point)
    assert ids(await pages.collect()) == ALL[count:]
    assert vendor.starts == [0, 10, 20]
    assert (pages.stats.items, pages.stats.pages, pages.stats.complete) == (25, 3, True)
    assert len({query["sequence_id"] for query in vendor.asked}) == 1


async def test_items_beyond_a_limit_stay_pending():
    vendor = Vendor(things(25), total=25)
    pages = start(vendor, max_items=13)
    found = [item for page in [page async for page in pages.by_page()] for item in page.items]
    rest = start(vendor, resume=pages.checkpoint)
    page = await rest.next_page()
    assert (page.answer, page.start, page.count, page.total) == (None, 13, 7, 25)
    assert [*ids(found), *ids(page.items), *ids(await rest.collect())] == ALL
    assert vendor.starts == [0, 10, 20]


async def test_a_checkpoint_is_a_copy_that_the_listing_does_not_change():
    vendor = Vendor(things(25), total=25)
    pages = start(vendor)
    await pages.first()
    point = pages.checkpoint
    before = point.to_json()
    await pages.collect()
    assert point.to_json() == before
    again = start(vendor, resume=point)
    assert len(await again.collect()) == 24
    assert point.to_json() == before


async def test_duplicates_are_known_also_after_a_break():
    vendor = Vendor([*things(12), *things(4)], 4)
    point = await stopped(5, vendor)
    pages = start(vendor, resume=point)
    with pytest.raises(PagingError, match="page 4"):
        await pages.collect()
    assert ids(pages.collected) == ALL[5:12]


async def test_an_empty_page_is_confirmed_once_also_across_a_break():
    vendor = Vendor(things(25), total=25, alter=lambda n, rows: [] if n > 1 else rows)
    pages = start(vendor)
    await pages.next_page()
    assert await pages._paginator.fetch_next()
    pages = start(vendor, resume=pages.checkpoint)
    assert await pages.collect() == []
    assert vendor.starts == [0, 10, 10]


async def test_a_listing_that_began_in_the_middle_stays_there():
    """A checkpoint from before the first page must not move the listing to the beginning."""
    vendor = Vendor(things(25), 10, total=25)
    params = replace_params(start=10)
    pages = start(vendor, params)
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    assert ids(await start(vendor, params, resume=point).collect()) == ALL[10:]
    searched = Vendor(things(25), 10, total=25)
    url = UrlParams(url="https://x?page=2")
    point = start(searched, url, SEARCH).checkpoint
    assert ids(await start(searched, url, SEARCH, resume=point).collect()) == ALL[10:]
    assert len(searched.asked) == 2


def replace_params(**fields: object) -> ListParams:
    return msgspec.structs.replace(PARAMS, **fields)


@pytest.mark.parametrize(
    "params",
    [
        replace_params(q="other"),
        replace_params(viewer_id="other"),
    ],
)
async def test_another_search_is_refused(params):
    point = await stopped(3, Vendor(things(25)))
    with pytest.raises(PagingError, match=r"belongs to another listing \(list\)"):
        start(Vendor([]), params, resume=point)
    with pytest.raises(PagingError, match="belongs to another listing"):
        start(Vendor([]), PARAMS, replace(LIST, id="list.other"), resume=point)


async def test_the_same_search_at_another_position_is_the_same_listing():
    point = await stopped(3, Vendor(things(25)))
    for same in (replace_params(start=20), replace_params(sequence_id="s")):
        start(Vendor([]), same, resume=point)
    point = start(Vendor([]), UrlParams(url="https://x?a=1"), SEARCH).checkpoint
    start(Vendor([]), UrlParams(url="https://x?a=1&page=7"), SEARCH, resume=point)
    with pytest.raises(PagingError):
        start(Vendor([]), UrlParams(url="https://x?a=2"), SEARCH, resume=point)


async def test_a_checkpoint_holds_no_key():
    vendor = Vendor(things(25))
    pages = SampleClient(vendor, api_key="s3cret-key-of-the-caller").pages(LIST, PARAMS)
    await pages.first()
    assert b"s3cret" not in pages.checkpoint.to_json()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"nonsense",
        b'{"version": 1}',
        b'"\xff"',
        b"[" * 99_999,
        "ü",
        "\ud800",
        None,
        5,
    ],
)
def test_what_is_no_checkpoint_is_refused(data):
    with pytest.raises(PagingError, match="invalid checkpoint"):
        Checkpoint.from_json(data)


async def test_another_version_is_refused_and_a_text_is_as_good_as_bytes():
    point = await stopped(3, Vendor(things(25)))
    assert Checkpoint.from_json(point.to_json().decode()).to_json() == point.to_json()
    tree = json.loads(point.to_json()) | {"version": 99}
    with pytest.raises(PagingError, match="of this version"):
        Checkpoint.from_json(json.dumps(tree))


@pytest.mark.parametrize(
    "damage",
    [
        {"params": {"start": "many"}},
        {"params": []},
        {"owed": {"a": 1}},
        {"owed": 7},
    ],
    ids=str,
)
async def test_a_damaged_one_is_refused_without_showing_its_items(damage):
    point = await stopped(3, Vendor(things(25)))
    tree = json.loads(point.to_json()) | damage
    with pytest.raises(PagingError, match="the checkpoint is damaged") as caught:
        start(Vendor([]), resume=Checkpoint.from_json(json.dumps(tree)))
    assert caught.value.__context__ is None


async def test_a_finished_listing_stays_finished():
    vendor = Vendor(things(5), total=5)
    assert not (await stopped(3, Vendor(things(25)))).ended
    point = await stopped(6, vendor)
    assert point.ended
    pages = start(vendor, resume=point)
    assert await pages.collect() == []
    assert (len(vendor.asked), pages.stats.complete) == (1, True)


def test_fingerprints_are_the_same_in_every_process():
    assert fingerprint(b"a") == 4681665781835383343
    assert fingerprint(b"b") != fingerprint(b"a")


async def test_a_search_that_cannot_be_sent_has_no_checkpoint():
    with pytest.raises(ConfigurationError, match="cannot be encoded") as caught:
        start(Vendor([]), ListParams(q="secret \ud800"))
    assert caught.value.__context__ is None
