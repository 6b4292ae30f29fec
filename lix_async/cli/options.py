"""Options that commands share, and how their values are parsed."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from .errors import CommandError

Format = Literal["jsonl", "csv", "table", "parquet", "xlsx"]
Auth = Literal["raw", "bearer", "x-api-key", "query"]

OUTPUT = Group("Output", sort_key=2)
CONNECTION = Group("Connection", sort_key=3)
FORMAT_BY_SUFFIX: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
LIBRARIES: dict[Format, tuple[str, str]] = {
    "parquet": ("duckdb", "parquet"),
    "xlsx": ("xlsxwriter", "excel"),
}
"""What writes a format, and the extra that installs it."""
ReportFormat = Annotated[
    Literal["table", "jsonl"] | None,
    Parameter(name="--format", group=OUTPUT, help="Default: a table on a terminal, else jsonl."),
]


def as_table(style: str | None) -> bool:
    """Whether a report is a table: where that is asked for, and on a terminal."""
    return style == "table" or (style is None and sys.stdout.isatty())


_AGE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(s|min|h|d|w|y)", re.ASCII)
_AGE_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_flag = Parameter(negative="", show_default=False)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Where rows are written, and in which format."""

    out: Annotated[Path | None, Parameter(name=("--out", "-o"), allow_leading_hyphen=True)] = None
    """Write to this file, readable only by you. Default: stdout."""

    format: Format | None = None
    """Default: by the file's ending; without a file, a table on a terminal and jsonl in a pipe."""

    columns: str | None = None
    """Only these columns, such as name,link,experience.0.title; for lookups from a file also basic
    or all. For a field that this version does not know: other.NAME, or result.NAME for lookups.
    """


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class RowOutputOptions(OutputOptions):
    """Where the rows of lookups are written."""

    quiet: Annotated[bool, Parameter(name=("--quiet", "-q")), _flag] = False
    """No progress and no summary; errors are still printed."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class FilledOutputOptions(RowOutputOptions):
    """Where the filled rows of a file are written."""

    columns: str | None = None
    """basic (what most tables need), all, or names such as name,link,experience.0.title. For a
    field that this version does not know: result.NAME.
    """

    prefix: str = "lix_"
    """What the names of added columns begin with; "" for nothing."""

    bom: Annotated[bool, _flag] = False
    """Begin a CSV with a byte order mark, which Excel needs for UTF-8."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How the table of a file is read."""

    column: str | None = None
    """The column with the links. Default: the one with the most links."""

    sheet: str | None = None
    """The sheet of a workbook. Default: the first that is not hidden."""

    handles: Annotated[bool, _flag] = False
    """Accept bare handles such as ada-example beside links."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class InputOptions(TableOptions):
    """Which links of a file are looked up."""

    limit: Annotated[int | None, Parameter(name=("--limit", "-n"))] = None
    """Look up the first so many distinct links; the other rows are `not_asked`."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class ListingOutputOptions(OutputOptions):
    """Where the rows of a listing are written."""

    limit: Annotated[int | None, Parameter(name=("--limit", "-n"))] = None
    """Stop after this many rows in total. Pages beyond it are not fetched."""

    resume: Annotated[bool, _flag] = False
    """Continue an interrupted listing into the same file."""

    overwrite: Annotated[bool, _flag] = False
    """Start over if the file exists; its contents are lost."""

    quiet: Annotated[bool, Parameter(name=("--quiet", "-q")), _flag] = False
    """No progress and no summary; errors are still printed."""


@Parameter(name="*", group=CONNECTION)
@dataclass(frozen=True, kw_only=True)
class ConnectionOptions:
    """How the provider is called."""

    rate: str = "1/3s"
    """Requests per time, such as 1/3s, 2/s or 100/min, or none for no limit."""

    deadline: float | None = None
    """Seconds for one call in total, including waits and retries."""

    max_credits: int | None = None
    """Stop before more credits than this are spent. Nothing is asked then."""

    confirm_above: int = 100
    """Ask before more credits than this are spent, where there is a terminal; elsewhere, --yes or
    --max-credits is needed.
    """

    yes: Annotated[bool, Parameter(name=("--yes", "-y")), _flag] = False
    """Spend any number of credits without being asked."""

    viewer: str | None = None
    """The attached LinkedIn account (viewer_id) to use."""

    auth: Auth = "raw"
    """How the key is sent."""

    base_url: str | None = None
    """Default: LIX_BASE_URL, else the provider's own address."""

    ca_file: Path | None = None
    """Certificates of trusted authorities, in PEM format. Default: SSL_CERT_FILE, else certifi."""

    api_key_stdin: Annotated[bool, _flag] = False
    """Read the key from stdin instead of LIX_API_KEY."""

    key: Annotated[str, Parameter(parse=False)] = field(default="", repr=False)
    """The key, where another part of the command has read it."""


ROW_DEFAULTS = RowOutputOptions()
FILLED_DEFAULTS = FilledOutputOptions()
TABLE_DEFAULTS = TableOptions()
INPUT_DEFAULTS = InputOptions()
LISTING_DEFAULTS = ListingOutputOptions()
CONNECTION_DEFAULTS = ConnectionOptions()


def parse_age(option: str, text: str | None) -> timedelta | None:
    """Parse a duration such as `90d`, `12h`, `4w` or `2y`; None for None.

    Raises:
        CommandError: The text is not a duration.
    """
    if text is None:
        return None
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise CommandError(
            f"invalid {option} {text!r}: expected a duration such as 12h, 90d or 2y",
            hint="the units are s, min, h, d, w and y",
        )
    seconds = float(match[1]) * _AGE_UNITS[match[2]]
    return timedelta(seconds=min(seconds, timedelta.max.total_seconds() // 1000))


def parse_columns(text: str | None, option: str = "--columns name,link") -> tuple[str, ...] | None:
    """Split names separated by commas; None if no columns were requested.

    Args:
        text: The names.
        option: The option with an example, for the hint.

    Raises:
        CommandError: There is no name in the text.
    """
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise CommandError(f"{option.split(maxsplit=1)[0]} is empty", hint=f"write {option}")
    return names


def choose_format(output: OutputOptions, terminal: bool, *, parquet: bool = False) -> Format:
    """The requested format, else the one of the file's ending, else the one for the terminal.

    Args:
        output: The options.
        terminal: Whether stdout is a terminal.
        parquet: Whether the command can write Parquet. Rows cannot be appended to such a file.

    Raises:
        CommandError: The format cannot be written there.
    """
    chosen = _format(output, terminal)
    if chosen in ("parquet", "xlsx") and not parquet:
        name = "Parquet" if chosen == "parquet" else ".xlsx"
        raise CommandError(
            f"this command cannot write {name}; `lix enrich` can",
            hint="use --format jsonl or csv, and another file ending",
        )
    check_library(chosen)
    return chosen


def check_library(file_format: Format) -> None:
    """Check that what writes a format is installed: before anything is paid, and in a dry run.

    Raises:
        CommandError: It is not installed.
    """
    library, extra = LIBRARIES.get(file_format, ("", ""))
    if library and find_spec(library) is None:
        ending = "Parquet" if file_format == "parquet" else ".xlsx"
        raise CommandError(
            f"writing {ending} needs {library}", hint=f"pip install 'lix_async[{extra}]'"
        )


def _format(output: OutputOptions, terminal: bool) -> Format:
    if str(output.out or "")[:2] == "--":
        raise CommandError("--out needs a file name", hint="write --out people.csv")
    if output.out is None or str(output.out) == "-":
        return output.format or ("table" if terminal else "jsonl")
    if output.format == "table":
        raise CommandError("a table cannot be written to a file", hint="use --format jsonl or csv")
    ending = output.out.suffix.lower()
    if not (output.format or ending):
        return "jsonl"
    found = output.format or FORMAT_BY_SUFFIX.get(ending)
    if found is None:
        known = ", ".join(FORMAT_BY_SUFFIX)
        raise CommandError(
            f"no format is known by the ending {ending} of {output.out}",
            hint=f"use one of {known}, or --format",
        )
    return found
