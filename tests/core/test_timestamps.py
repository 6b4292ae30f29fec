"""Timestamps in every format of the providers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.timestamps import parse_moment, parse_timestamp

NEW_YEAR = datetime(2025, 1, 1, 2, 46, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01T02:46:40Z",
        "2025-01-01T02:46:40.000Z",
        "2025-01-01t02:46:40z",
        "2025-01-01 02:46:40",
        " 2025-01-01T04:46:40+02:00 ",
        "Wed, 01 Jan 2025 02:46:40 GMT",
        "Wed, 01 Jan 2025 02:46:40 -0000",
        "Wednesday, 01-Jan-25 02:46:40 GMT",
        "Wed Jan  1 02:46:40 2025",
        "1735699600",
        "1735699600.0",
        "1735699600000",
    ],
)
def test_all_formats_of_one_moment_are_parsed(text):
    found = parse_timestamp(text)
    assert found == NEW_YEAR
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [None, "", "soon", "1", "12345678901234", "2025-13-01", "Wed, 99 Jan", ",", "１735699600"],
)
def test_an_invalid_timestamp_is_none(text):
    assert parse_timestamp(text) is None


@given(st.text() | st.text("0123456789-:TZ+, .GMTJan", max_size=30))
def test_any_text_is_parsed_or_none(text):
    found = parse_timestamp(text)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [1735699600, 1735699600.0, 1735699600000, "1735699600", "2025-01-01T02:46:40Z"],
)
def test_a_moment_is_read_from_a_number_or_a_text(value):
    assert parse_moment(value) == 1735699600.0


@pytest.mark.parametrize("value", [None, True, [1735699600], "soon", float("nan"), 1e400, -5, {}])
def test_another_value_is_no_moment(value):
    assert parse_moment(value) is None
