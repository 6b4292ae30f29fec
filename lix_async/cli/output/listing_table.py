"""A listing as a workbook or a Parquet file, which are written whole from rows kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ..options import Format, check_library
from .column_reader import OTHER
from .declared_types import declared_type
from .files import StagedOutput
from .parquet import ParquetFile
from .rows import JsonlEncoder, parse_row
from .schema import RowSchema
from .workbook import Workbook


def rows_path(path: Path) -> Path:
    """`people.xlsx.rows.jsonl` for `people.xlsx`: the rows of a listing so far."""
    return path.with_name(f"{path.name}.rows.jsonl")


def check_writer(path: Path, file_format: Format) -> None:
    """Check before anything is paid that a file can be written.

    Raises:
        CommandError: What writes it is not installed, or there cannot be a file.
    """
    with StagedOutput(path, overwrite=True):
        pass
    check_library(file_format)


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
    file = ParquetFile(folder, {name: declared_type(schema.structs, name) for name in names})
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
    names = columns or schema.every
    if not names:  # no struct is known: there are the columns that the rows have
        names = schema.columns_for([parse_row(line) for line in lines()])
    book = Workbook(folder / "rows.xlsx", names)
    try:
        for line in lines():
            book.add(schema.values(line, names))
        return book.finish()
    finally:
        book.close()
