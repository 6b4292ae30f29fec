"""Any list in pages of any sizes is read completely, in order, by every strategy."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.models import Params
from lix_async.core.pagination import (
    Cursor,
    Offset,
    OffsetInUrl,
    OffsetWhileMore,
    PageInUrl,
    PageNumber,
    PageObservation,
    PaginationStrategy,
    number_in_url,
    with_number_in_url,
)

cuts = st.lists(st.integers(1, 7), max_size=12)
"""Sizes of the pages of a list; short ones may come in the middle."""


class P(Params, frozen=True, kw_only=True):
    start: int = 0
    page: int | None = None
    token: str | int | None = None
    url: str = "https://x/search?keywords=%2520"


class Vendor:
    """Serves the numbers 0, 1, 2 … in pages of given sizes, to any strategy."""

    def __init__(self, strategy: PaginationStrategy, sizes: list[int]) -> None:
        self.strategy = strategy
        self.length = sum(sizes)
        self.starts = [sum(sizes[:n]) for n in range(len(sizes))]
        self.sizes = sizes

    def page(self, params: P) -> tuple[list[int], str | None]:
        n = self.number(params)
        if n is None or n >= len(self.sizes):
            return [], None
        start = self.starts[n]
        token = f"t{n + 1}" if n + 1 < len(self.sizes) else None
        return list(range(start, start + self.sizes[n])), token

    def number(self, params: P) -> int | None:
        if isinstance(self.strategy, PageNumber):
            return (
                self.strategy.first if params.page is None else params.page
            ) - self.strategy.first
        if isinstance(self.strategy, PageInUrl):
            return number_in_url(params.url, "page", 1) - 1
        if isinstance(self.strategy, Cursor) and params.token is not None:
            return int(str(params.token)[1:])
        start = params.start
        if isinstance(self.strategy, OffsetInUrl):
            start = number_in_url(params.url, "start", 0)
        return self.starts.index(start) if start in self.starts else None


def read_all(
    strategy: PaginationStrategy, vendor: Vendor, total: int | None
) -> tuple[list[int], int]:
    params: P | None = P()
    items: list[int] = []
    fetched = before = 0
    while params is not None:
        rows, token = vendor.page(params)
        fetched += 1
        assert fetched <= vendor.length + 2
        items += rows
        more = len(items) < vendor.length
        params = strategy.next_params(
            params, PageObservation(before, len(rows), total, token, more)
        )
        before += len(rows)
    return items, fetched


STRATEGIES = [
    Offset(),
    PageNumber(),
    PageNumber(first=0),
    PageInUrl(),
    OffsetInUrl(),
    Cursor("token"),
    Cursor("token", "start"),
    OffsetWhileMore(),
]
strategies = pytest.mark.parametrize("strategy", STRATEGIES, ids=str)


@strategies
@given(sizes=cuts)
def test_a_known_total_ends_the_listing_without_another_call(strategy, sizes):
    items, fetched = read_all(strategy, Vendor(strategy, sizes), sum(sizes))
    assert items == list(range(sum(sizes)))
    assert fetched == max(len(sizes), 1)


@strategies
@given(sizes=cuts, claim=st.none() | st.integers(1, 50))
def test_a_missing_or_exaggerated_total_costs_one_call_at_most(strategy, sizes, claim):
    total = None if claim is None else sum(sizes) + claim
    items, fetched = read_all(strategy, Vendor(strategy, sizes), total)
    assert items == list(range(sum(sizes)))
    assert fetched <= len(sizes) + 1


@strategies
@given(sizes=cuts, total=st.integers(0, 40))
def test_a_wrong_total_never_breaks_the_order_and_gives_at_least_what_it_claims(
    strategy, sizes, total
):
    items, _ = read_all(strategy, Vendor(strategy, sizes), total)
    assert items == list(range(len(items)))
    assert len(items) >= min(total, sum(sizes))


@pytest.mark.parametrize(
    "kind",
    [Offset, PageNumber, PageInUrl, OffsetInUrl, lambda cap: Cursor("token", cap=cap)],
)
@given(sizes=cuts, cap=st.integers(1, 30))
def test_nothing_is_requested_beyond_the_cap(kind, sizes, cap):
    strategy = kind(cap=cap)
    items, fetched = read_all(strategy, Vendor(strategy, sizes), 5000)
    assert len(items) >= min(cap, sum(sizes))
    assert sum(sizes[: fetched - 1]) < cap


name = st.sampled_from(["page", "start"])
words = st.text("abz019-._~%=(),:+ é", max_size=8)
pairs = st.lists(st.tuples(st.sampled_from(["q", "pages", "homepage", "page"]), words), max_size=4)


@st.composite
def urls(draw: st.DrawFn) -> str:
    def part(mark: str) -> str:
        if draw(st.booleans()):
            return ""
        drawn = draw(pairs)
        joined = [f"{key}={value}" for key, value in drawn if key != "page"]
        joined += [f"page={draw(st.integers(0, 99))}" for key, _ in drawn if key == "page"]
        return mark + "&".join(joined)

    return f"https://www.linkedin.com/search/{draw(words)}{part('?')}{part('#')}"


def others(url: str) -> list[str]:
    """Everything between separators except the page."""
    parts = url.replace("#", "&#&").replace("?", "&?&").split("&")
    return [part for part in parts if part not in ("", "?", "#") and not part.startswith("page=")]


@given(urls(), st.integers(1, 999_999_999))
def test_setting_a_number_changes_nothing_else(url, number):
    turned = with_number_in_url(url, "page", number)
    assert number_in_url(turned, "page", 1) == number
    assert others(turned) == others(url)
    assert with_number_in_url(turned, "page", number) == turned
    place = re.compile(r"(?<=[?&#])page=[^&#]*")
    if place.search(url):
        assert turned == place.sub(f"page={number}", url)
    else:
        assert url in [turned.replace(f"{glue}page={number}", "", 1) for glue in ("", "?", "&")]


@given(urls(), st.integers(1, 99))
def test_params_without_position_are_equal_for_every_page(url, number):
    """They do not depend on the page in the URL."""
    bare = with_number_in_url(url, "page")
    assert others(bare) == others(url)
    assert with_number_in_url(bare, "page") == bare
    again = with_number_in_url(with_number_in_url(bare, "page", number), "page")
    assert again == bare or bare.partition("#")[0][-1:] in "?&" or bare[-1:] in "?&#"
