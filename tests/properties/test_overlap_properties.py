"""Overlapping pages: every item comes once, and repeated items hide no others."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_server import ids, things
from sample_provider import LIST, SEARCH, ListParams, SampleClient, UrlParams, reply, run

from lix_async.core.pagination import number_in_url
from lix_async.core.wire import HttpRequest
from lix_async.engine.checkpoint import Checkpoint

kinds = pytest.mark.parametrize("kind", ["offset", "url"])


class Overlapping:
    """Pages of `size` items, each of which begins `overlap` items early, with a correct total.

    `after`: what it sends where there is nothing left: no rows, or its last page once more.
    """

    def __init__(self, length: int, size: int, overlap: int, after: str = "nothing") -> None:
        self.rows, self.size, self.overlap, self.after = things(length), size, overlap, after
        self.missing = 0
        self.asked = 0

    def __call__(self, outgoing: HttpRequest) -> object:
        self.asked += 1
        start = self._start(outgoing.target)
        if start >= len(self.rows) and self.after == "last":
            start = max(len(self.rows) - self.size, 0)
        rows = self.rows[start : start + self.size]
        total = len(self.rows) + self.missing
        return reply(200, {"things": rows, "paging": {"total": total}})

    def _start(self, target: str) -> int:
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        if "url" in query:
            page = number_in_url(query["url"], "page", 1)
            return (page - 1) * (self.size - self.overlap)
        return max(int(query["start"]) - self.overlap, 0)


def start(kind: str, vendor: Callable[..., object], **settings: object):
    row, params = (LIST, ListParams()) if kind == "offset" else (SEARCH, UrlParams(url="https://x"))
    return SampleClient(vendor).pages(row, params, **settings)


@st.composite
def vendors(draw: st.DrawFn) -> Overlapping:
    size = draw(st.integers(1, 9))
    overlap = draw(st.integers(0, size - 1))
    return Overlapping(
        draw(st.integers(0, 40)), size, overlap, draw(st.sampled_from(["nothing", "last"]))
    )


@kinds
@given(vendor=vendors())
def test_every_item_comes_once_in_order_and_the_listing_ends_at_its_last_page(kind, vendor):
    pages = start(kind, vendor)
    assert ids(run(pages.collect())) == [row["id"] for row in vendor.rows]
    assert pages.stats.complete
    assert pages.stats.items == len(vendor.rows)
    gain = vendor.size - (vendor.overlap if kind == "url" else 0)
    assert vendor.asked <= len(vendor.rows) // gain + 2, "no page more than it takes"


@kinds
@given(vendor=vendors(), cut=st.integers(0, 40))
def test_repeated_items_are_remembered_by_a_checkpoint(kind, vendor, cut):
    first = start(kind, vendor, max_items=cut)
    given_out = ids(run(first.collect()))
    point = Checkpoint.from_json(first.checkpoint.to_json())
    rest = start(kind, vendor, resume=point)
    assert given_out + ids(run(rest.collect())) == [row["id"] for row in vendor.rows]
    assert rest.stats.complete


@given(vendor=vendors(), missing=st.integers(1, 9))
def test_a_total_that_includes_missing_items_ends_an_incomplete_listing(vendor, missing):
    vendor.after, vendor.missing = "nothing", missing
    pages = start("url", vendor)
    assert ids(run(pages.collect())) == [row["id"] for row in vendor.rows]
    assert not pages.stats.complete
    assert vendor.asked <= len(vendor.rows) // (vendor.size - vendor.overlap) + 3
