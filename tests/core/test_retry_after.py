"""`Retry-After` headers, valid and invalid."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lix_async.core.retry import retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 120\t", 120),
        ("007", 7),
        ("999999999", 999_999_999),
        ("1000000000", 1_000_000_000),
        ("1.5", 1.5),
        ("3000.25", 3000.25),
        ("9" * 400 + ".9", sys.float_info.max),
        ("9" * 400, sys.float_info.max),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60),
        ("Tue Nov 14 22:14:20 2023", 60),
        ("Sun Nov  6 08:49:37 2050", 2_551_337_377 - NOW),
        ("Friday, 06-Nov-71 08:49:37 GMT", 3_214_025_377 - NOW),
        ("Tuesday, 14-Nov-45 22:14:20 GMT", 2_394_310_460 - NOW),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("Tue, 14 Nov 2023 22:14:20 -0000", 60),
        ("Wed, 15 Nov 2023 00:14:20 +0200", 60),
        ("Mon, 13 Nov 2023 22:13:20 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799 - NOW),
    ],
)
def test_seconds_and_dates_are_parsed(value, seconds):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize("value", ["60", "Tue, 14 Nov 2023 22:14:20 GMT"])
@pytest.mark.parametrize("date", ["Tue, 14 Nov 2023 22:13:20 GMT", "Tue Nov 14 22:13:20 2023"])
@pytest.mark.parametrize("wrong", [-86_400, 3600])
def test_a_date_counts_from_that_of_the_answer(value, date, wrong):
    assert retry_after(value, NOW + wrong, date) == 60


@pytest.mark.parametrize("date", [None, "", "today"])
def test_without_one_it_counts_from_the_time_of_this_machine(date):
    assert retry_after("Tue, 14 Nov 2023 22:14:20 GMT", NOW, date) == 60


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", "-1", "+1", "1.5.5", "1.", ".5", "-1.5", "1e9", "0x10", "1_000", "nan", "NaN", "inf",
        "١٢", "１２", "²", "5, 7", "soon", "Tue, 14 Nov", "Tue, 99 Nov 2023 22:14:20 GMT",
        "Tue, 14 Nov 2023 22:14:20 ＧＭＴ", "2023-11-14T22:14:20Z", ",",
        "Tue, 14 Nov 2023 25:00:00 GMT",
        "Tue, 14 Nov 2023 22:14:20 +9999999999",
    ],
)  # fmt: skip
def test_an_invalid_header_is_ignored(value):
    assert retry_after(value, NOW) is None


dates = st.from_regex(
    r"(Mon|Tue|X)?, ?[0-9]{0,3} (Jan|Feb|Foo) -?[0-9]{0,12} [0-9:]{0,9} ?[-+A-Z0-9]{0,12}",
    fullmatch=True,
)


@given(st.text() | st.text("0123456789.-+eE, \t") | dates, st.floats(0, 4e9))
@example("Mon, 1 Jan 99999999999 00:00:00 GMT", 0.0)
@example("Mon, 1 Jan 2023 00:00:00 -9999", 0.0)
def test_any_header_is_parsed_to_a_finite_delay_or_none(value, now):
    seconds = retry_after(value, now)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
