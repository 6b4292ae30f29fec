"""A ledger exported as JSONL, CSV or Parquet, a few rows at a time."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
import msgspec

from ...core.values import JsonObject
from ...filesystem import new_private_file
from ...ledger.rule import Status
from ...ledger.store import Entry, Store
from .. import console
from ..errors import CommandError
from ..output.column_reader import OTHER
from ..output.files import StagedOutput, close_ignoring_errors, file_error
from ..output.lookup_rows import endpoint_of, row_of_entry
from ..output.parquet import ParquetFile
from ..output.rows import RowEncoder, parse_row, row_encoder
from ..output.schema import LookupSchema, columns_of
from ..values import csv_cell, get_path

ExportFormat = Literal["jsonl", "csv", "parquet"]
BATCH = 500
"""Rows that are encoded together."""


class ExportSchema(LookupSchema):
    """The columns of a ledger's rows, for the endpoints that it has.

    Args:
        kinds: The `kind`s of the rows.
    """

    def __init__(self, kinds: Iterable[str] = ()) -> None:
        structs = {kind: struct for kind in kinds if (struct := _struct_for(kind)) is not None}
        super().__init__(structs)
        if not structs:
            self.columns = (*LookupSchema.meta_fields, "result", OTHER)

    def struct_of(self, row: JsonObject) -> type | None:
        return _struct_for(str(row.get("kind")))

    def cells(self, row: bytes, columns: tuple[str, ...]) -> list[str]:
        """As `RowSchema.cells`, but three times as fast: a ledger may have millions of rows."""
        tree = parse_row(row)
        read, plain = self.normalised(tree), dict[int, bool]()
        short = self.short_values(tree, columns)
        cells: list[str] = []
        for column in columns:
            if column == OTHER:
                remaining = self.remaining(tree, columns)
                cells.append(msgspec.json.encode(remaining).decode() if remaining else "")
            elif column in short:
                cells.append(csv_cell(short[column]))
            else:
                found = fast_get_path(read, self.path(column), plain)
                if found is None and column.startswith(OTHER):
                    found = self.value_at(read, column)
                cells.append("" if found is None else csv_cell(found))
        return cells


def fast_get_path(tree: JsonObject, path: str, plain: dict[int, bool]) -> object:
    """The same as `get_path` for objects whose keys have no dots, which is faster.

    Args:
        tree: The object.
        path: The dotted path.
        plain: A cache: whether the keys of an object have no dots, by its id.
    """
    node = cast("object", tree)
    for name in path.split("."):
        if not isinstance(node, dict):
            return get_path(tree, path)
        current = cast("dict[str, object]", node)
        if (is_plain := plain.get(id(current))) is None:
            is_plain = plain[id(current)] = not any("." in other for other in current)
        if not is_plain:
            return get_path(tree, path)
        if name not in current:
            return None
        node = current[name]
    return node


@cache
def _struct_for(kind: str) -> type | None:
    """The struct of an answer; None if it is unknown, and for listings."""
    endpoint = endpoint_of(kind)
    if endpoint is None or endpoint.is_listing:
        return None
    struct = cast("type", endpoint.result)
    return struct if columns_of(struct) else None


async def export(
    store: Store,
    path: Path | None,
    file_format: ExportFormat,
    columns: Sequence[str] | None = None,
    keep: Callable[[Entry], bool] | None = None,
    *,
    statuses: Sequence[Status] = (),
    overwrite: bool = False,
) -> Counter[str]:
    """Write a row for each entry of an open ledger, in the order of the inputs.

    The rows are those of `lix enrich`, with the complete answer; in a CSV, values without a column
    are written as JSON under `other`. A file is private (0600) and appears when it is complete.

    Args:
        store: The open ledger.
        path: The file; None for stdout, which is not possible for Parquet.
        file_format: The format.
        columns: Only these columns, as dotted paths; `name` is `result.name`.
        keep: Only the entries for which it returns True.
        statuses: Only the entries with these statuses; empty for all.
        overwrite: Whether an existing file is replaced.

    Returns:
        The number of rows by status.

    Raises:
        CommandError: The file exists or cannot be written.
        BulkError: The ledger cannot be read.
    """
    counts: Counter[str] = Counter()
    with StagedOutput(path, overwrite=overwrite) as staged:
        writer = _export_writer(staged, file_format, None if columns is None else tuple(columns))
        try:
            async for entry in store.entries(*statuses):
                if keep is None or keep(entry):
                    row = row_of_entry(entry)
                    counts[row.status] += 1
                    writer.add(row.kind, row.encode())
            await writer.finish()
        except BrokenPipeError:  # the reader of stdout has closed the pipe
            raise
        except OSError as error:
            raise file_error(staged.path or staged.folder, error, "write") from None
        finally:
            writer.close()
    return counts


class _ExportWriter:
    """Writes rows as they arrive."""

    def __init__(self, staged: StagedOutput, rows: RowEncoder) -> None:
        self._staged = staged
        self._rows = rows
        self._temporary = staged.folder / "made"
        self._file: BinaryIO | None = None
        self._first = True

    def add(self, kind: str, row: bytes) -> None:
        """Add a row."""
        self.write([row])

    def write(self, rows: Sequence[bytes]) -> None:
        """Write rows."""
        data = self._rows.encode(rows, first=self._first)
        self._first = False
        if self._staged.path is None:
            console.write_stdout(data)
            return
        self._file = self._file or new_private_file(self._temporary)
        self._file.write(data)

    async def finish(self) -> None:
        """Complete the file, and move it to its place."""
        if self._first:
            self.write([])
        if self._file is not None:
            self._file.flush()
        self.close()
        if self._staged.path is not None:
            self._staged.place(self._temporary)

    def close(self) -> None:
        """Release everything, finished or not."""
        if self._file is not None:
            close_ignoring_errors(self._file)


class _DeferredHeaderWriter(_ExportWriter):
    """Stages rows until all their kinds are known, which determine the columns."""

    def __init__(self, staged: StagedOutput) -> None:
        super().__init__(staged, row_encoder("csv", ExportSchema(), None))
        self._kinds: dict[str, None] = {}
        self._rows_path = staged.folder / "rows.jsonl"
        self._rows_file = new_private_file(self._rows_path)

    def add(self, kind: str, row: bytes) -> None:
        self._kinds[kind] = None
        self._rows_file.write(row)
        self._rows_file.write(b"\n")

    async def finish(self) -> None:
        self._rows_file.close()
        schema = ExportSchema(self._kinds)
        self._rows = row_encoder("csv", schema, schema.columns)
        with self._rows_path.open("rb") as file:
            for batch in _batches(file):
                self.write(batch)
                await anyio.lowlevel.checkpoint()
        await super().finish()

    def close(self) -> None:
        close_ignoring_errors(self._rows_file)
        super().close()


class _ParquetExportWriter(_ExportWriter):
    """Writes rows to Parquet: the requested columns, or everything."""

    def __init__(self, staged: StagedOutput, columns: tuple[str, ...] | None) -> None:
        self._parquet = ParquetFile(
            staged.folder, LookupSchema.meta_fields if columns is None else columns
        )
        super().__init__(staged, row_encoder("jsonl", ExportSchema(), columns))

    def write(self, rows: Sequence[bytes]) -> None:
        for row in rows:
            self._parquet.add(self._rows.encode([row], first=False).rstrip(b"\n"))

    async def finish(self) -> None:
        made: Path | None = None
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._interrupt_when_cancelled)
            try:
                made = await anyio.to_thread.run_sync(self._parquet.finish)
            except (CommandError, OSError) as error:  # raised outside of the task group
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        if made is not None:
            self._staged.place(made)

    async def _interrupt_when_cancelled(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self._parquet.interrupt()

    def close(self) -> None:
        self._parquet.close()
        super().close()


def _export_writer(
    staged: StagedOutput, file_format: ExportFormat, columns: tuple[str, ...] | None
) -> _ExportWriter:
    if file_format == "parquet":
        return _ParquetExportWriter(staged, columns)
    if file_format == "csv" and columns is None:
        return _DeferredHeaderWriter(staged)
    return _ExportWriter(staged, row_encoder(file_format, ExportSchema(), columns))


def _batches(lines: BinaryIO) -> Iterator[list[bytes]]:
    return iter(lambda: list(itertools.islice(lines, BATCH)), [])
