"""The options that commands share, and how their texts are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from ..core.errors import ConfigurationError
from ..core.rate_limit import RateLimit
from .errors import CommandError

Format = Literal["jsonl", "csv", "table", "parquet"]
Auth = Literal["raw", "bearer", "x-api-key", "query"]

OUTPUT = Group("Output", sort_key=2)
CONNECTION = Group("Connection", sort_key=3)
ENDINGS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)/([0-9]+(?:\.[0-9]+)?)?(s|min|h)", re.ASCII)
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_flag = Parameter(negative="", show_default=False)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Where rows go, and in which form."""

    out: Annotated[Path | None, Parameter(name=("--out", "-o"), allow_leading_hyphen=True)] = None
    """Write to this file, which only you may read; without it to stdout."""

    format: Format | None = None
    """Default: by the file's ending; else a table on a terminal, jsonl in a pipe."""

    columns: str | None = None
    """Only these: name,link,experience.0.title. What the provider has added since this version:
    other.NAME; of a file's lookups result.NAME."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class RowOutputOptions(OutputOptions):
    """Where the rows of lookups go."""

    quiet: Annotated[bool, Parameter(name=("--quiet", "-q")), _flag] = False
    """No progress and no closing line; errors are still told."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class ListingOutputOptions(OutputOptions):
    """Where the rows of a walk go."""

    limit: Annotated[int | None, Parameter(name=("--limit", "-n"))] = None
    """Stop after so many rows in all. No page is fetched that is not needed."""

    resume: Annotated[bool, _flag] = False
    """Go on where an earlier walk into the same file stopped."""

    overwrite: Annotated[bool, _flag] = False
    """Begin anew although the file exists: what is in it is lost."""

    quiet: Annotated[bool, Parameter(name=("--quiet", "-q")), _flag] = False
    """No progress and no closing line; errors are still told."""


@Parameter(name="*", group=CONNECTION)
@dataclass(frozen=True, kw_only=True)
class ConnectionOptions:
    """How the provider is reached."""

    rate: str = "1/3s"
    """Requests per time: 1/3s, 2/s, 100/min, or none for no limit."""

    deadline: float | None = None
    """Seconds for one call in all, waiting and repeats included."""

    max_credits: int | None = None
    """Stop before more credits than this are spent."""

    viewer: str | None = None
    """The attached LinkedIn account (viewer_id) to look through."""

    auth: Auth = "raw"
    """How the key is presented."""

    base_url: str | None = None
    """Default: LIX_BASE_URL, else the provider's own address."""

    api_key_stdin: Annotated[bool, _flag] = False
    """Read the key from stdin; without this it is LIX_API_KEY."""


ROW_DEFAULTS = RowOutputOptions()
WALK_DEFAULTS = ListingOutputOptions()
CONNECTION_DEFAULTS = ConnectionOptions()


def parsed_rate(text: str) -> RateLimit | None:
    """`1/3s`, `20/s`, `100/min`, or `none` for no limit."""
    if text == "none":
        return None
    found = _RATE.fullmatch(text.replace(" ", ""))
    if found is not None:
        try:
            return RateLimit(float(found[1]), float(found[2] or 1) * _UNITS[found[3]])
        except ConfigurationError:
            pass
    raise CommandError(
        f"--rate {text!r} is no rate", hint="write 1/3s, 2/s, 100/min, or none for no limit"
    )


def parsed_columns(text: str | None) -> tuple[str, ...] | None:
    """Names parted by commas; None where none were asked for."""
    if text is None:
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise CommandError("--columns names nothing", hint="write --columns name,link")
    return names


def chosen_format(output: OutputOptions, terminal: bool, *, parquet: bool = False) -> Format:
    """The format that was asked for, or that the file's ending or the place suggests.

    `parquet`: whether that can be written; its files cannot be added to.
    """
    form = _format(output, terminal)
    if form == "parquet" and not parquet:
        raise CommandError(
            "Parquet is written by `lix enrich` and `lix run export`",
            hint="use --format jsonl or csv, and another ending of the file",
        )
    return form


def _format(output: OutputOptions, terminal: bool) -> Format:
    if str(output.out or "")[:2] == "--":
        raise CommandError("--out needs the name of a file")
    if output.out is None or str(output.out) == "-":
        return output.format or ("table" if terminal else "jsonl")
    if output.format == "table":
        raise CommandError("a table is for the screen", hint="use --format jsonl or csv in files")
    return output.format or ENDINGS.get(output.out.suffix.lower(), "jsonl")
