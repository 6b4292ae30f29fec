"""A listing as a workbook or a Parquet file, which are written whole from rows kept beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from ..errors import CommandError
from ..options import Format
from ..values import cell_text
from .files import StagedOutput
from .parquet import ParquetFile
from .rows import JsonlEncoder, parse_row
from .schema import OTHER, RowSchema

CELL_LIMIT = 32_767
"""Characters that a cell of a workbook can have."""
EXACT_LIMIT = 2**53
"""Integers up to this are exact in a workbook, whose numbers are floats."""


def rows_path(path: Path) -> Path:
    """`people.xlsx.rows.jsonl` for `people.xlsx`: the rows that a walk has received."""
    return path.with_name(f"{path.name}.rows.jsonl")


def check_writer(path: Path, file_format: Format) -> None:
    """Check before anything is paid that a file can be written.

    Raises:
        CommandError: What writes it is not installed, or there cannot be a file.
    """
    with StagedOutput(path, overwrite=True):
        pass
    if file_format == "parquet":
        try:
            import duckdb  # noqa: F401  # late: it is an optional dependency
        except ModuleNotFoundError:
            raise CommandError(
                "Parquet needs duckdb", hint="pip install 'lix_async[parquet]'"
            ) from None
    if file_format == "xlsx":
        _xlsxwriter()


def write_table(
    rows: Path,
    path: Path,
    file_format: Format,
    schema: RowSchema,
    columns: tuple[str, ...] | None,
) -> None:
    """Write a whole file from its rows; it takes the place of an older one in one step.

    Args:
        rows: The file with the rows, as JSON lines.
        path: The file.
        file_format: `xlsx` or `parquet`.
        schema: The schema of the rows.
        columns: The columns; None for all.
    """
    write = _write_workbook if file_format == "xlsx" else _write_parquet
    with StagedOutput(path, overwrite=True) as staged:
        staged.place(write(staged.folder, lambda: _lines(rows), schema, columns))


def _lines(path: Path) -> Iterator[bytes]:
    if not path.exists():  # nothing was found
        return
    with path.open("rb") as file:
        yield from (line for line in file if line.strip())


def _write_parquet(
    folder: Path,
    lines: Callable[[], Iterator[bytes]],
    schema: RowSchema,
    columns: tuple[str, ...] | None,
) -> Path:
    names = columns or tuple(name for name in schema.columns if "." not in name and name != OTHER)
    file = ParquetFile(folder, names)
    encoder = JsonlEncoder(schema, columns)
    try:
        for line in lines():
            file.add(encoder.encode([line.rstrip(b"\n")], first=False).rstrip(b"\n"))
        return file.finish()
    finally:
        file.close()


def _write_workbook(
    folder: Path,
    lines: Callable[[], Iterator[bytes]],
    schema: RowSchema,
    columns: tuple[str, ...] | None,
) -> Path:
    names = columns or schema.columns
    if not names:  # no struct is known: there are the columns that the rows have
        names = schema.columns_for([parse_row(line) for line in lines()])
    path = folder / "rows.xlsx"
    with _xlsxwriter()(str(path), {"constant_memory": True, "in_memory": False}) as workbook:
        sheet = workbook.add_worksheet()
        sheet.freeze_panes(1, 0)
        for at, line in enumerate(_with_heading(names, lines(), schema)):
            for column, value in enumerate(line):
                if isinstance(value, str):
                    # Never a formula, whatever it begins with.
                    sheet.write_string(at, column, value[:CELL_LIMIT])
                elif isinstance(value, bool):
                    sheet.write_boolean(at, column, value)
                elif value is not None:
                    sheet.write_number(at, column, value)
    return path


def _with_heading(
    names: Sequence[str], lines: Iterator[bytes], schema: RowSchema
) -> Iterator[list[str | float | bool | None]]:
    yield list(names)
    for line in lines:
        row = parse_row(line)
        read = schema.normalised(row)
        yield [
            _cell(schema.remaining(row, names) if name == OTHER else schema.value_at(read, name))
            for name in names
        ]


def _cell(value: object) -> str | float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        exact = math.isfinite(value) and abs(value) <= EXACT_LIMIT
        return value if exact else str(value)
    return cell_text(value) or None


def _xlsxwriter() -> Callable[..., Any]:
    """The class of workbooks."""
    try:
        # Late: it is an optional dependency. It has no types.
        return cast("Callable[..., Any]", import_module("xlsxwriter").Workbook)
    except ModuleNotFoundError:
        raise CommandError("xlsx needs XlsxWriter", hint="pip install 'lix_async[excel]'") from None
