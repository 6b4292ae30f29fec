"""Any list and pages: each item comes once, in order, and resuming anywhere gives the rest.

The server is a function that never waits, so these listings need no event loop.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_server import Vendor, ids, things
from sample_provider import LIST, SEARCH, ListParams, SampleClient, UrlParams, run

from lix_async.core.errors import LixError, PagingError
from lix_async.engine.checkpoint import Checkpoint

sizes = st.lists(st.integers(1, 6), min_size=1, max_size=5)
claims = st.none() | st.just("exact") | st.just("more")
kinds = pytest.mark.parametrize("kind", ["offset", "url"])


def vendor_of(length: int, sizes: list[int], claim: str | None, **more: object) -> Vendor:
    total = {None: None, "exact": length, "more": length + 3}[claim]
    return Vendor(things(length), *sizes, total=total, **more)


def start(kind: str, vendor: Vendor, **settings):
    row, params = (LIST, ListParams()) if kind == "offset" else (SEARCH, UrlParams(url="https://x"))
    return SampleClient(vendor).pages(row, params, **settings)


@kinds
@given(length=st.integers(0, 30), sizes=sizes, claim=claims)
def test_every_item_comes_once_in_order(kind, length, sizes, claim):
    vendor = vendor_of(length, sizes, claim)
    pages = start(kind, vendor)
    assert ids(run(pages.collect())) == [f"t{number}" for number in range(length)]
    assert pages.stats.items == length
    assert pages.stats.complete is (claim != "more")
    assert pages.stats.pages == len(vendor.asked)
    assert pages.stats.credits == (len(vendor.asked) if kind == "offset" else 0)


@kinds
@given(
    length=st.integers(0, 30),
    sizes=sizes,
    claim=claims,
    stops=st.lists(st.integers(0, 12), max_size=5),
    by_page=st.booleans(),
)
def test_a_listing_resumed_many_times_is_the_same_listing(
    kind, length, sizes, claim, stops, by_page
):
    """Reading stops somewhere, its checkpoint is saved as JSON, and reading continues from it."""
    alone = vendor_of(length, sizes, claim)
    whole = start(kind, alone)
    wanted = ids(run(whole.collect()))
    vendor = vendor_of(length, sizes, claim)
    found: list[object] = []
    point: Checkpoint | None = None
    for stop in [*stops, None]:
        pages = start(kind, vendor, resume=point, max_items=stop)
        if by_page:
            while (page := run(pages.next_page())) is not None:
                found += ids(page.items)
        else:
            found += ids(run(pages.collect()))
        point = Checkpoint.from_json(pages.checkpoint.to_json())
    assert found == wanted
    assert len(vendor.asked) == len(alone.asked)
    assert point.stats == whole.stats


@given(length=st.integers(0, 25), sizes=sizes, cut=st.integers(0, 25), claim=claims)
def test_the_checkpoint_after_every_single_item_gives_exactly_the_rest(length, sizes, cut, claim):
    pages = start("offset", vendor_of(length, sizes, claim))
    given_out = [item for _ in range(cut) if (item := run(pages.first())) is not None]
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    rest = run(start("offset", vendor_of(length, sizes, claim), resume=point).collect())
    assert ids(given_out) + ids(rest) == [f"t{number}" for number in range(length)]


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Change the list between two requests."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(["insert", "append", "remove", "nothing"]), st.integers(0, 9)
            ),
            max_size=12,
        )
    )


@given(
    length=st.integers(0, 20),
    sizes=sizes,
    happenings=changes(),
    totals=st.lists(
        st.sampled_from([None, -1, 0, 5, 20, 50, "12", "many"]), min_size=1, max_size=6
    ),
)
def test_a_changing_list_with_wrong_totals_repeats_no_item_and_ends(
    length, sizes, happenings, totals
):
    vendor = Vendor(things(length), *sizes, total=lambda n: totals[min(n, len(totals)) - 1])
    todo = list(happenings)

    def handle(outgoing):
        said = vendor(outgoing)
        if todo:
            what, place = todo.pop(0)
            if what == "insert":
                vendor.rows.insert(place, {"id": f"new{len(todo)}"})
            elif what == "append":
                vendor.rows.append({"id": f"new{len(todo)}"})
            elif what == "remove" and vendor.rows:
                vendor.rows.pop(place % len(vendor.rows))
        return said

    pages = SampleClient(handle).pages(LIST, ListParams())
    try:
        run(pages.collect())
    except PagingError:
        pass
    found = ids(pages.collected)
    assert len(set(found)) == len(found)
    assert len(vendor.asked) <= length + 2 * len(happenings) + 4


@given(
    pages=st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=12),
    totals=st.lists(st.none() | st.integers(-2, 40), min_size=1, max_size=4),
)
def test_any_answers_lead_to_an_end_or_an_error_and_repeat_no_item(pages, totals):
    script = [[{"id": f"t{number}"} for number in page] for page in pages]
    vendor = Vendor(
        [],
        alter=lambda n, rows: script[n - 1] if n <= len(script) else [],
        total=lambda n: totals[n % len(totals)],
    )
    pages = SampleClient(vendor).pages(LIST, ListParams())
    try:
        run(pages.collect())
    except LixError as error:
        assert isinstance(error, PagingError)  # or no error at all
    found = ids(pages.collected)
    assert len(set(found)) == len(found)
    assert len(vendor.asked) <= len(script) + 2
    assert pages.stats.items == len(found)
