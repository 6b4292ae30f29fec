"""Durations and times as text, and the parsing of options."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lix_async import RateLimit
from lix_async.cli.errors import CommandError
from lix_async.cli.options import OutputOptions, choose_format, parse_columns
from lix_async.cli.rates import parse_rate
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
    ("seconds", "expected"),
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
def test_a_duration_has_two_units_at_most(seconds: float, expected: str) -> None:
    assert format_duration(seconds) == expected


def test_short_durations_have_a_decimal() -> None:
    assert (format_elapsed(0.44), format_elapsed(9.96), format_elapsed(75)) == (
        "0.4 s",
        "10.0 s",
        "1 min 15 s",
    )
    assert (format_clock(5), format_clock(725), format_clock(7380)) == ("0:05", "12:05", "2:03:00")


@pytest.mark.usefixtures("utc")
def test_a_time_is_shown_in_local_time_with_its_distance() -> None:
    noon = 1_750_075_200.0  # Monday 2025-06-16, 12:00 UTC
    assert format_until(noon + 3 * 3600, noon) == "today at 15:00 (in 3 h)"
    assert format_until(noon + 12 * 3600, noon) == "tomorrow at 00:00 (in 12 h)"
    assert format_until(noon + 5 * 86_400, noon) == "Sat 21 Jun 2025 at 12:00 (in 5 d)"
    assert format_until(noon - 60, noon) == "today at 11:59 (already past)"


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
def test_rates_are_parsed(text: str, rate: RateLimit | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["", "3", "1/0s", "0/s", "fast", "1/3", "-1/s", "1/3 days", "１/s"]
)
def test_an_invalid_rate_is_reported(text: str) -> None:
    with pytest.raises(CommandError, match="invalid --rate"):
        parse_rate(text)


def test_rates_as_text() -> None:
    assert [rate_text(parse_rate(text)) for text in ("1/3s", "20/s", "none")] == [
        "1 per 3 s",
        "20 per s",
        "no limit",
    ]


def test_columns_are_a_list_without_repeats() -> None:
    assert parse_columns(None) is None
    assert parse_columns(" name, link ,name,") == ("name", "link")
    with pytest.raises(CommandError):
        parse_columns(" , ")


@pytest.mark.parametrize(
    ("out", "requested", "terminal", "form"),
    [
        (None, None, True, "table"),
        (None, None, False, "jsonl"),
        (None, "csv", True, "csv"),
        ("-", None, False, "jsonl"),
        ("a.CSV", None, True, "csv"),
        ("a.ndjson", None, True, "jsonl"),
        ("a", None, True, "jsonl"),
        ("a.csv", "jsonl", True, "jsonl"),
    ],
)
def test_the_default_format_depends_on_the_output(
    out: str | None, requested: str | None, terminal: bool, form: str
) -> None:
    output = OutputOptions(out=Path(out) if out else None, format=requested)  # type: ignore[arg-type]
    assert choose_format(output, terminal) == form


def test_a_table_is_not_written_to_a_file() -> None:
    with pytest.raises(CommandError, match="cannot be written to a file"):
        choose_format(OutputOptions(out=Path("a.csv"), format="table"), terminal=True)
