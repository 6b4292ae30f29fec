"""Spans and moments as people say them, and the options' texts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lix_async import RateLimit
from lix_async.cli.errors import CommandError
from lix_async.cli.options import OutputOptions, chosen_format, parsed_columns, parsed_rate
from lix_async.cli.text import (
    format_clock,
    format_duration,
    format_elapsed,
    format_until,
    rate_text,
)


@pytest.fixture
def utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (-3, "0 s"),
        (40, "40 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400 + 60, "1 d"),
        (3 * 86_400 + 4 * 3600 + 59, "3 d 4 h"),
    ],
)
def test_a_span_has_two_units_at_most(seconds: float, said: str) -> None:
    assert format_duration(seconds) == said


def test_short_times_have_a_decimal() -> None:
    assert (format_elapsed(0.44), format_elapsed(9.96), format_elapsed(75)) == (
        "0.4 s",
        "10.0 s",
        "1 min 15 s",
    )
    assert (format_clock(5), format_clock(725), format_clock(7380)) == ("0:05", "12:05", "2:03:00")


@pytest.mark.usefixtures("utc")
def test_a_moment_is_told_in_local_time_and_as_a_distance() -> None:
    noon = 1_750_075_200.0  # Monday 2025-06-16, 12:00 UTC
    assert format_until(noon + 3 * 3600, noon) == "today at 15:00 (in 3 h)"
    assert format_until(noon + 12 * 3600, noon) == "tomorrow at 00:00 (in 12 h)"
    assert format_until(noon + 5 * 86_400, noon) == "Sat 21 Jun 2025 at 12:00 (in 5 d)"
    assert format_until(noon - 60, noon) == "today at 11:59 (which has passed)"


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("1/3s", RateLimit(1, 3)),
        ("2/s", RateLimit(2, 1)),
        ("100/min", RateLimit(100, 60)),
        ("0.5/1.5s", RateLimit(0.5, 1.5)),
        ("900/h", RateLimit(900, 3600)),
        ("1 / 3 s", RateLimit(1, 3)),
        ("none", None),
    ],
)
def test_rates_are_read(text: str, rate: RateLimit | None) -> None:
    assert parsed_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "3", "1/0s", "0/s", "fast", "1/3", "-1/s", "1/3 days", "１/s"]
)
def test_what_is_no_rate_is_told(text: str) -> None:
    with pytest.raises(CommandError, match="is no rate"):
        parsed_rate(text)


def test_rates_are_told_as_they_are_read() -> None:
    assert [rate_text(parsed_rate(text)) for text in ("1/3s", "20/s", "none")] == [
        "1 per 3 s",
        "20 per s",
        "no limit",
    ]


def test_columns_are_a_list_without_repeats() -> None:
    assert parsed_columns(None) is None
    assert parsed_columns(" name, link ,name,") == ("name", "link")
    with pytest.raises(CommandError):
        parsed_columns(" , ")


@pytest.mark.parametrize(
    ("out", "asked", "terminal", "form"),
    [
        (None, None, True, "table"),
        (None, None, False, "jsonl"),
        (None, "csv", True, "csv"),
        ("-", None, False, "jsonl"),
        ("a.CSV", None, True, "csv"),
        ("a.ndjson", None, True, "jsonl"),
        ("a.txt", None, True, "jsonl"),
        ("a.csv", "jsonl", True, "jsonl"),
    ],
)
def test_the_format_follows_from_the_place(
    out: str | None, asked: str | None, terminal: bool, form: str
) -> None:
    output = OutputOptions(out=Path(out) if out else None, format=asked)  # type: ignore[arg-type]
    assert chosen_format(output, terminal) == form


def test_a_table_is_for_the_screen() -> None:
    with pytest.raises(CommandError, match="screen"):
        chosen_format(OutputOptions(out=Path("a.csv"), format="table"), terminal=True)
