"""Pagination strategies: next page, offset and params without position."""

from __future__ import annotations

import pytest

from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params
from lix_async.core.pagination import (
    Cursor,
    Offset,
    OffsetInUrl,
    OffsetWhileMore,
    PageInUrl,
    PageNumber,
    PageObservation,
    SinglePage,
    number_in_url,
    with_number_in_url,
)

PEOPLE = "https://www.linkedin.com/search/results/people/?keywords=a%20b"
SALES = "https://www.linkedin.com/sales/search/people#query=(filters:List(a%3Ab))"


class P(Params, frozen=True, kw_only=True):
    start: int | None = 0
    page: int | None = None
    count: int | None = None
    token: str | int | None = None
    url: str = PEOPLE


def test_an_offset_advances_by_the_items_received():
    plan = Offset()
    assert plan.next_params(P(start=10), PageObservation(10, 7, 100)) == P(start=17)
    assert plan.next_params(P(), PageObservation(0, 0, 100)) is None
    assert (plan.offset_of(P(start=10), 25), plan.offset_of(P(start=None), 25)) == (10, 0)
    assert plan.without_position(P(start=10)) == P(start=0)


@pytest.mark.parametrize(
    "plan",
    [
        Offset(cap=20),
        PageNumber(cap=20),
        PageInUrl(cap=20),
        OffsetInUrl(cap=20),
        Cursor("token", cap=20),
        Cursor("token", "start", cap=20),
    ],
    ids=str,
)
def test_every_strategy_ends_at_an_empty_page_at_the_total_and_at_the_cap(plan):
    def goes_on(*seen: object) -> bool:
        return plan.next_params(P(), PageObservation(*seen, cursor="next")) is not None

    assert goes_on(0, 10, None)
    assert goes_on(9, 10, 20)
    assert not goes_on(10, 0, None)
    assert not goes_on(9, 10, 19)
    assert not goes_on(9, 10, 5)
    assert not goes_on(10, 10, 5000)


def test_a_short_page_is_the_end_only_where_documented_and_without_a_total():
    asked = Offset(size="count")
    assert asked.next_params(P(count=10), PageObservation(0, 9)) is None
    assert asked.next_params(P(count=10), PageObservation(0, 10)) is not None
    assert asked.next_params(P(count=10), PageObservation(0, 9, 100)) is not None
    assert asked.next_params(P(count=None), PageObservation(0, 9)) is not None
    numbered = PageNumber(size=10)
    assert numbered.next_params(P(), PageObservation(0, 9)) is None
    assert numbered.next_params(P(), PageObservation(0, 9, 100)) == P(page=2)
    named = PageNumber(size="count")
    assert named.next_params(P(count=10), PageObservation(0, 9)) is None
    assert named.next_params(P(count=None), PageObservation(0, 9)) == P(page=2)
    assert PageNumber().next_params(P(), PageObservation(0, 9)) == P(page=2)


def test_page_numbers_start_at_the_first():
    plan = PageNumber(first=0)
    assert plan.next_params(P(), PageObservation(0, 10)) == P(page=1)
    assert (plan.offset_of(P(page=2), 25), plan.offset_of(P(), 25)) == (50, 0)
    assert PageNumber().offset_of(P(page=3), 25) == 50
    assert plan.without_position(P(page=7)) == P(page=0)


def test_the_page_number_is_changed_inside_the_url():
    plan = PageInUrl()
    second = P(url=f"{PEOPLE}&page=2")
    assert plan.next_params(P(), PageObservation(0, 10)) == second
    assert plan.next_params(second, PageObservation(10, 10)) == P(url=f"{PEOPLE}&page=3")
    assert (plan.offset_of(P(), 25), plan.offset_of(second, 25)) == (0, 25)
    assert plan.without_position(second) == P()


def test_an_offset_in_the_url_is_the_number_of_items_received():
    plan = OffsetInUrl()
    later = P(url=f"{PEOPLE}&start=33")
    assert plan.next_params(P(), PageObservation(0, 33)) == later
    assert (plan.offset_of(P(), 25), plan.offset_of(later, 25)) == (0, 33)
    assert plan.without_position(later) == P()


def test_a_cursor_is_followed_until_it_is_missing_or_repeated():
    plan = Cursor("token")
    assert plan.next_params(P(), PageObservation(0, 10, cursor="b")) == P(token="b")
    assert plan.next_params(P(token="b"), PageObservation(10, 10, cursor="b")) is None
    assert plan.next_params(P(), PageObservation(0, 10, cursor=0)) == P(token=0)
    for nothing in (None, ""):
        assert plan.next_params(P(token="b"), PageObservation(0, 10, 100, cursor=nothing)) is None
    assert plan.offset_of(P(token="b"), 25) == 0
    assert plan.without_position(P(token="b")) == P()


def test_the_offset_is_sent_with_a_token_and_may_continue_alone():
    plan = Cursor("token", "start")
    assert plan.next_params(P(), PageObservation(0, 10, cursor="b")) == P(token="b", start=10)
    assert plan.next_params(P(token="b"), PageObservation(10, 10, 100)) == P(token=None, start=20)
    assert plan.next_params(P(token="b"), PageObservation(10, 10)) is None
    assert (
        Cursor("token", "start", start_alone=False).next_params(P(), PageObservation(0, 10, 100))
        is None
    )
    assert (plan.offset_of(P(start=10), 25), plan.offset_of(P(start=None), 25)) == (10, 0)
    assert plan.without_position(P(token="b", start=10)) == P()


def test_the_total_is_ignored_where_pages_say_whether_there_are_more():
    plan = OffsetWhileMore()
    assert plan.next_params(P(), PageObservation(0, 10, 5, continues=True)) == P(start=10)
    assert plan.next_params(P(), PageObservation(0, 10, 500, continues=False)) is None
    assert plan.next_params(P(), PageObservation(0, 10, 500)) is None
    assert plan.next_params(P(), PageObservation(0, 0, continues=True)) is None
    assert (plan.offset_of(P(start=7), 25), plan.offset_of(P(start=None), 25)) == (7, 0)
    assert plan.without_position(P(start=7, token="b")) == P(token="b")
    tied = OffsetWhileMore(token="token")
    assert tied.next_params(P(), PageObservation(0, 9, cursor="b", continues=True)) == P(
        start=9, token="b"
    )
    assert tied.next_params(P(token="b"), PageObservation(0, 9, cursor="", continues=True)) == P(
        start=9
    )
    assert tied.without_position(P(start=7, token="b")) == P()


def test_a_single_page_has_no_next_one():
    plan = SinglePage()
    assert plan.next_params(P(), PageObservation(0, 10, 500)) is None
    assert (plan.offset_of(P(), 25), plan.without_position(P(start=3))) == (0, P(start=3))


def test_more_is_promised_up_to_the_total_and_the_cap():
    assert not PageObservation(0, 10).promises_more(None)
    assert PageObservation(0, 10, 11).promises_more(None)
    assert not PageObservation(0, 10, 10).promises_more(None)
    assert not PageObservation(0, 10, 500).promises_more(10)
    assert PageObservation(0, 9, 500).promises_more(10)
    assert PageObservation(0, 10, 5, continues=True).promises_more(None)
    assert not PageObservation(0, 10, 50, continues=False).promises_more(None)


@pytest.mark.parametrize(
    ("url", "turned"),
    [
        (PEOPLE, f"{PEOPLE}&page=2"),
        (f"{PEOPLE}&page=9&origin=x", f"{PEOPLE}&page=2&origin=x"),
        (f"{PEOPLE}&page=9&page=8", f"{PEOPLE}&page=2&page=2"),
        (SALES, f"{SALES}&page=2"),
        (SALES.replace("#", "#page=1&"), SALES.replace("#", "#page=2&")),
        (SALES.replace("#", "?viewAll=true#"), SALES.replace("#", "?viewAll=true#") + "&page=2"),
        ("https://x/y", "https://x/y?page=2"),
        ("https://x/y?", "https://x/y?page=2"),
        ("https://x/y?a=1&", "https://x/y?a=1&page=2"),
        ("https://x/y#top", "https://x/y?page=2#top"),
        ("https://x/y?homepage=3&a=page=4", "https://x/y?homepage=3&a=page=4&page=2"),
        ("https://x/y?page=", "https://x/y?page=2"),
    ],
)
def test_a_number_is_set_where_linkedin_has_it_and_nothing_else_changes(url, turned):
    assert with_number_in_url(url, "page", 2) == turned
    assert number_in_url(turned, "page", 1) == 2


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        (f"{PEOPLE}&page=9", PEOPLE),
        (f"{PEOPLE}&page=9&origin=x", f"{PEOPLE}&origin=x"),
        (SALES.replace("#", "#page=1&"), SALES),
        ("https://x/y?page=1&page=2", "https://x/y"),
        ("https://x/y?page=1#top", "https://x/y#top"),
        (PEOPLE, PEOPLE),
    ],
)
def test_a_number_is_removed_with_its_separator(url, bare):
    assert with_number_in_url(url, "page") == bare


def test_the_last_number_of_a_url_counts_and_is_at_least_the_first_page():
    assert number_in_url(PEOPLE, "page", 1) == 1
    assert number_in_url("https://x?page=3&page=5", "page", 1) == 5
    assert number_in_url("https://x?page=", "page", 1) == 1
    assert number_in_url("https://x?page=0", "page", 1) == 1
    assert number_in_url("https://x?start=0", "start", 0) == 0


@pytest.mark.parametrize("value", ["two", "-1", "1.5", "%31", "１", "1234567890", "1e3"])
def test_a_page_that_is_not_a_number_is_rejected(value):
    with pytest.raises(ConfigurationError, match="page= in the LinkedIn URL must be a number"):
        number_in_url(f"https://x?page={value}", "page", 1)
