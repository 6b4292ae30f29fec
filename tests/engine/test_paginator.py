"""Where a listing ends, which totals it accepts, and its sequence id."""

from __future__ import annotations

import re

import pytest
from reference_server import Vendor, ids, things
from sample_provider import LIST, SEARCH, ListParams, SampleClient, ThingPage, UrlParams, reply

from lix_async.core.errors import PagingError
from lix_async.core.models import Listing, item_type

pytestmark = pytest.mark.anyio
ALL = [f"t{number}" for number in range(25)]


async def paginated(vendor: Vendor, params: ListParams = ListParams(), **settings):  # noqa: B008
    pages = SampleClient(vendor, **settings).pages(LIST, params)
    found = ids(await pages.collect())
    return found, pages.stats, len(vendor.asked)


@pytest.mark.parametrize(
    ("total", "calls", "complete", "claimed"),
    [
        (25, 3, True, 25),
        (None, 4, True, None),
        ("25", 3, True, 25),
        ("many", 4, True, None),
        (-1, 4, True, None),
        (0, 4, True, None),
        (lambda n: 25 if n == 1 else None, 3, True, 25),
        (lambda n: None if n == 1 else 25, 3, True, 25),
        (lambda n: 25 if n < 3 else 0, 3, True, 25),
        (lambda n: 20 + n, 3, True, 23),
        (lambda n: 90, 5, False, 90),
    ],
    ids=lambda value: "invalid" if callable(value) else str(value),
)
async def test_a_total_ends_a_listing_and_an_invalid_one_is_ignored(
    total, calls, complete, claimed
):
    found, stats, asked = await paginated(Vendor(things(25), total=total))
    assert (found, stats.complete) == (ALL, complete)
    assert (asked, stats.total) == (calls, claimed)


async def test_a_total_that_shrinks_ends_the_listing_there():
    found, stats, _ = await paginated(Vendor(things(25), total=lambda n: 25 if n == 1 else 15))
    assert (found, stats.complete, stats.total) == (ALL[:20], True, 15)


async def test_a_total_that_grows_is_followed():
    found, stats, asked = await paginated(Vendor(things(25), total=lambda n: 10 * n + 5))
    assert (found, stats.complete, asked) == (ALL, False, 5)


async def test_an_empty_page_in_the_middle_is_asked_for_once_more():
    once = Vendor(things(25), total=25, alter=lambda n, rows: [] if n == 2 else rows)
    found, stats, asked = await paginated(once)
    assert (found, asked, once.starts, stats.complete) == (ALL, 4, [0, 10, 10, 20], True)
    twice = Vendor(things(25), total=25, alter=lambda n, rows: [] if n in (2, 3) else rows)
    found, stats, asked = await paginated(twice)
    assert (found, asked, stats.complete, stats.total) == (ALL[:10], 3, False, 25)


async def test_each_hole_is_asked_for_once_more():
    holes = Vendor(things(25), total=25, alter=lambda n, rows: [] if n in (2, 4) else rows)
    found, stats, asked = await paginated(holes)
    assert (found, asked, stats.complete) == (ALL, 5, True)


async def test_an_empty_page_that_takes_the_total_back_is_still_a_hole():
    vendor = Vendor(
        things(25),
        total=lambda n: 0 if n == 2 else 25,
        alter=lambda n, rows: [] if n == 2 else rows,
    )
    found, stats, _ = await paginated(vendor)
    assert (found, stats.total, stats.complete) == (ALL, 25, True)


async def test_no_items_at_all_is_a_complete_listing():
    found, stats, asked = await paginated(Vendor([], total=0))
    assert (found, asked, stats.complete, stats.total) == ([], 1, True, 0)
    found, stats, asked = await paginated(Vendor([]))
    assert (found, asked, stats.complete, stats.total) == ([], 1, True, None)


async def test_short_pages_are_no_end():
    found, _, _ = await paginated(Vendor(things(25), 10, 3, 1, 10, 1, total=25))
    assert found == ALL


async def test_a_cap_ends_a_search_that_the_provider_does_not_give_in_full():
    pages = SampleClient(Vendor(things(250), 10, total=250)).pages(
        SEARCH, UrlParams(url="https://x")
    )
    assert len(await pages.collect()) == 100
    assert (pages.stats.pages, pages.stats.complete) == (10, False)


async def test_a_list_that_moves_while_it_is_read_gives_each_item_once_and_counts_the_rest():
    rows = things(25)
    vendor = Vendor(rows)

    def handle(outgoing):
        answer = vendor(outgoing)
        vendor.rows.insert(0, {"id": f"new{len(vendor.asked)}"})
        return answer

    pages = SampleClient(handle).pages(LIST, ListParams())
    assert ids(await pages.collect()) == ALL
    assert (pages.stats.duplicates, pages.stats.items, pages.stats.pages) == (3, 25, 5)


async def test_items_without_a_name_are_never_taken_for_duplicates():
    rows = [{"size": 1}, {"id": "", "size": 1}, {"size": 1}, {"id": "a"}, {"id": "a"}]
    vendor = Vendor(rows, 2)
    pages = SampleClient(vendor).pages(LIST, ListParams())
    assert [item.size for item in await pages.collect()] == [1, 1, 1, None]
    assert pages.stats.duplicates == 1


async def test_a_page_of_duplicates_is_an_empty_page_for_by_page():
    vendor = Vendor([*things(4), *reversed(things(2)), *things(2, 4)], 4, 2)
    pages = SampleClient(vendor).pages(LIST, ListParams())
    assert [ids(page.items) async for page in pages.by_page()] == [ALL[:4], [], ALL[4:6]]
    vendor = Vendor([*things(4), *reversed(things(2)), *things(2, 4)], 4, 2)
    assert len(await SampleClient(vendor).pages(LIST, ListParams()).collect()) == 6


async def test_a_page_seen_two_pages_ago_is_an_error_too_if_its_items_have_names():
    answers = [things(2), things(2, 2), things(2)]
    vendor = Vendor(things(9), 2, alter=lambda n, rows: answers[n - 1])
    with pytest.raises(PagingError, match="page 3"):
        await paginated(vendor)


async def test_a_page_is_known_by_its_ids_in_any_order_and_whatever_else_is_new_in_it():
    def stands_still(number, rows):
        return [row | {"size": number} for row in (things(3) if number % 2 else things(3)[::-1])]

    with pytest.raises(PagingError, match="page 2"):
        await paginated(Vendor(things(9), 3, alter=stands_still))


async def test_equal_pages_of_nameless_rows_are_an_error_only_one_after_the_other():
    one, two = [{"size": 1}, {"size": 2}], [{"size": 3}, {"size": 4}]
    alternating = Vendor(one, 2, alter=lambda n, rows: [one, two, one, []][n - 1])
    pages = SampleClient(alternating).pages(LIST, ListParams())
    assert len(await pages.collect()) == 6
    standing = Vendor(one, 2, alter=lambda n, rows: one)
    with pytest.raises(PagingError):
        await paginated(standing)


@pytest.mark.parametrize("row", [{"id": "a"}, {"size": 1}])
@pytest.mark.parametrize("total", [None, 1, 7])
async def test_a_repeated_single_item_ends_the_listing(row, total):
    """The list may have grown by one while its last page was read."""
    vendor = Vendor([row], alter=lambda n, rows: [row], total=total)
    found, stats, asked = await paginated(vendor)
    assert (len(found), stats.complete) == (1, total != 7)
    assert asked == (1 if total == 1 else 2)


async def test_each_listing_has_a_sequence_id_of_its_own():
    vendor = Vendor(things(25), total=25)
    await paginated(vendor)
    made = {query["sequence_id"] for query in vendor.asked}
    assert len(made) == 1
    assert re.fullmatch("[0-9a-f]{32}", next(iter(made)))
    other = Vendor(things(25), total=25)
    await paginated(other)
    assert other.asked[0]["sequence_id"] not in made


async def test_the_servers_sequence_id_wins_from_the_next_page_on():
    vendor = Vendor(things(40), total=40, sequence=lambda n: [None, "theirs", "", "newest"][n - 1])
    await paginated(vendor, ListParams(sequence_id="mine"))
    sent = [query["sequence_id"] for query in vendor.asked]
    assert sent == ["mine", "mine", "theirs", "theirs"]


@pytest.mark.parametrize("settings", [{"viewer_id": "me"}, {}])
async def test_a_viewer_makes_one_needless_but_a_given_one_is_sent(settings):
    params = ListParams() if settings else ListParams(viewer_id="me")
    vendor = Vendor(things(5))
    await paginated(vendor, params, **settings)
    assert "sequence_id" not in vendor.asked[0]
    vendor = Vendor(things(5))
    await paginated(vendor, ListParams(viewer_id="me", sequence_id="s"))
    assert vendor.asked[0]["sequence_id"] == "s"


def test_what_a_listing_lists_is_read_from_its_type():
    class Sub(ThingPage):
        pass

    assert item_type(ThingPage).__name__ == "Thing"
    assert item_type(Sub).__name__ == "Thing"
    with pytest.raises(TypeError, match="Listing must name its item type"):
        item_type(Listing)


async def test_a_count_larger_than_the_rows_tells_where_the_first_page_stands():
    """The URL stands at page 3 of 25 rows each; two of them came: 52 rows are behind it."""
    body = {"things": things(2), "paging": {"count": 25, "total": 52}}
    client = SampleClient(reply(200, body))
    pages = client.pages(SEARCH, UrlParams(url="https://x?page=3"))
    assert len(await pages.collect()) == 2
    assert (len(client.script.sent), pages.stats.complete) == (1, True)
