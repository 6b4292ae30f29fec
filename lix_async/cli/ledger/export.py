"""What a ledger holds as a file: jsonl, csv or parquet, read and written a few rows at a time."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
import msgspec

from ...bulk.stores.base import Entry, Status, Store
from ...filesystem import new_private_file
from ..errors import CommandError
from ..output.files import StagedOutput, close_ignoring_errors, refused
from ..output.lookup_rows import endpoint_of, row_of_entry
from ..output.parquet import ParquetFile
from ..output.rows import RowEncoder, row_encoder
from ..output.schema import OTHER, LookupSchema, RowSchema, columns_of
from ..values import Tree, cell, get_path

Form = Literal["jsonl", "csv", "parquet"]
BATCH = 500
"""Rows that are turned into cells at once."""


class ExportSchema(LookupSchema):
    """The columns of a ledger's rows, whatever endpoints it knows; `kinds` are a row's `kind`s."""

    def __init__(self, kinds: Iterable[str] = ()) -> None:
        shapes = {kind: shape for kind in kinds if (shape := _shape(kind)) is not None}
        super().__init__(shapes)
        if not shapes:
            self.columns = (*LookupSchema.head, "result", OTHER)

    def tidy(self, row: Tree) -> Tree:
        """The row, its result as the struct of its kind reads it."""
        kind, result = _schema(str(row.get("kind"))), row.get("result")
        if kind is None or not isinstance(result, dict):
            return row
        return {**row, "result": kind.tidy(cast("Tree", result))}

    def cells(self, row: Tree, columns: Sequence[str]) -> list[str]:
        """What `Schema.cells` gives, in a third of the time: a ledger has millions of them."""
        tidy, plain = self.tidy(row), dict[int, bool]()
        cells: list[str] = []
        for column in columns:
            if column == OTHER:
                left = self.left(row, columns)
                cells.append(msgspec.json.encode(left).decode() if left else "")
            else:
                found = at(tidy, self.place(column), plain)
                if found is None and column.startswith(OTHER):
                    found = self.find(tidy, column)
                cells.append("" if found is None else cell(found))
        return cells


def at(tree: Tree, path: str, plain: dict[int, bool]) -> object:
    """What `dig` finds. `plain`: whether an object's names are without dots, by its id."""
    here = cast("object", tree)
    for name in path.split("."):
        if not isinstance(here, dict):
            return get_path(tree, path)
        named = cast("dict[str, object]", here)
        if (known := plain.get(id(named))) is None:
            known = plain[id(named)] = not any("." in other for other in named)
        if not known:
            return get_path(tree, path)
        if name not in named:
            return None
        here = named[name]
    return here


@cache
def _schema(kind: str) -> RowSchema | None:
    shape = _shape(kind)
    return None if shape is None else RowSchema(shape)


def _shape(kind: str) -> type | None:
    """The struct of an answer; None where no one knows it, and for the items of a walk."""
    row = endpoint_of(kind)
    if row is None or row.is_listing:
        return None
    found = cast("type", row.result)
    return found if columns_of(found) else None


async def export(
    store: Store,
    path: Path | None,
    form: Form,
    columns: Sequence[str] | None = None,
    keep: Callable[[Entry], bool] | None = None,
    *,
    statuses: Sequence[Status] = (),
    overwrite: bool = False,
) -> Counter[str]:
    """Write a row for each entry of an open ledger; how many of each row status there were.

    The rows are those of `lix enrich`, in the order of the inputs; nothing that an answer holds
    is left out (csv: what has no column stands as JSON under `other`). `path`: the file, 0600 and
    in its place at once when all is written; None for stdout (not parquet). `columns`: only these,
    dotted (`name` is `result.name`); `keep`: only entries for which it says so; `statuses`: only
    entries in these (all).

    Raises `CommandError` when the file is there already (unless it may be overwritten) or cannot
    be written, and `BulkError` when the ledger cannot be read.
    """
    counts: Counter[str] = Counter()
    with StagedOutput(path, overwrite=overwrite) as aside:
        sink = _sink(aside, form, None if columns is None else tuple(columns))
        try:
            async for entry in store.entries(*statuses):
                if keep is None or keep(entry):
                    row = row_of_entry(entry)
                    counts[row.status] += 1
                    sink.add(row.kind, row.encode())
            await sink.finish()
        except BrokenPipeError:  # the reader of stdout has enough: told further up
            raise
        except OSError as error:
            raise refused(aside.path or aside.folder, error, "write") from None
        finally:
            sink.close()
    return counts


class _ExportWriter:
    """Takes rows in. This one passes them on as they come."""

    def __init__(self, aside: StagedOutput, rows: RowEncoder) -> None:
        self._aside = aside
        self._rows = rows
        self._made = aside.folder / "made"
        self._file: BinaryIO | None = None
        self._first = True

    def add(self, kind: str, row: bytes) -> None:
        """Take a row in."""
        self.write([row])

    def write(self, rows: Sequence[bytes]) -> None:
        """Write rows."""
        file = self._file
        if file is None:
            file = new_private_file(self._made) if self._aside.path else sys.stdout.buffer
            self._file = file
        file.write(self._rows.encode(rows, first=self._first))
        self._first = False

    async def finish(self) -> None:
        """Everything is in: put the file in its place."""
        if self._first:
            self.write([])
        if self._file is not None:
            self._file.flush()
        self.close()
        if self._aside.path is not None:
            self._aside.place(self._made)

    def close(self) -> None:
        """Let go of everything, finished or not."""
        if self._file is not None and self._aside.path is not None:
            close_ignoring_errors(self._file)


class _DeferredHeaderWriter(_ExportWriter):
    """Keeps rows aside until it is known which kinds there are: they decide on the columns."""

    def __init__(self, aside: StagedOutput) -> None:
        super().__init__(aside, row_encoder("csv", ExportSchema(), None))
        self._kinds: dict[str, None] = {}
        self._staged = aside.folder / "rows.jsonl"
        self._stage = new_private_file(self._staged)

    def add(self, kind: str, row: bytes) -> None:
        self._kinds[kind] = None
        self._stage.write(row)
        self._stage.write(b"\n")

    async def finish(self) -> None:
        self._stage.close()
        schema = ExportSchema(self._kinds)
        self._rows = row_encoder("csv", schema, schema.columns)
        with self._staged.open("rb") as file:
            for batch in _batches(file):
                self.write(batch)
                await anyio.lowlevel.checkpoint()
        await super().finish()

    def close(self) -> None:
        close_ignoring_errors(self._stage)
        super().close()


class _ParquetExportWriter(_ExportWriter):
    """Rows for Parquet: the columns asked for, or everything."""

    def __init__(self, aside: StagedOutput, columns: tuple[str, ...] | None) -> None:
        self._parquet = ParquetFile(aside.folder, LookupSchema.head if columns is None else columns)
        super().__init__(aside, row_encoder("jsonl", ExportSchema(), columns))

    def write(self, rows: Sequence[bytes]) -> None:
        for row in rows:
            self._parquet.add(self._rows.encode([row], first=False).rstrip(b"\n"))

    async def finish(self) -> None:
        made: Path | None = None
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._interrupting)
            try:
                made = await anyio.to_thread.run_sync(self._parquet.finish)
            except (CommandError, OSError) as error:  # raised below, as itself
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        if made is not None:
            self._aside.place(made)

    async def _interrupting(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self._parquet.interrupt()

    def close(self) -> None:
        self._parquet.close()
        super().close()


def _sink(aside: StagedOutput, form: Form, columns: tuple[str, ...] | None) -> _ExportWriter:
    if form == "parquet":
        return _ParquetExportWriter(aside, columns)
    if form == "csv" and columns is None:
        return _DeferredHeaderWriter(aside)
    return _ExportWriter(aside, row_encoder(form, ExportSchema(), columns))


def _batches(lines: BinaryIO) -> Iterator[list[bytes]]:
    return iter(lambda: list(itertools.islice(lines, BATCH)), [])
