"""The output of `lix enrich` for people: their own file, with what was found beside each row.

CSV and JSONL grow while answers come. At the end, every format is written anew in the order of the
input, beside the old file, which it replaces in one step: there is a whole file at any moment.
"""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, TextIO

import anyio.to_thread
import msgspec
from rich.console import Console

from ...filesystem import new_private_file
from .. import console
from ..input.csv_records import large_csv_fields
from ..options import Format
from .declared_types import TEXT
from .files import AppendFile, StagedOutput, close_ignoring_errors, file_error
from .joined_row import OPEN, JoinedRow, JoinedTable
from .parquet import ParquetFile
from .schema import RowSchema
from .table import print_table
from .workbook import Workbook, check_size

BOM = b"\xef\xbb\xbf"
BATCH = 500
"""Rows from the ledger that are appended together."""
MOST_HELD = 10_000
"""Rows of stdout that wait for one before them."""


class CsvStyle(NamedTuple):
    """How a CSV is written."""

    delimiter: str = ","
    line_end: str = "\n"
    bom: bool = False

    def encode(self, rows: Sequence[Sequence[object]]) -> bytes:
        """Rows as lines."""
        out = io.StringIO(newline="")
        self.writer(out).writerows(rows)
        return out.getvalue().encode("utf-8", "surrogatepass")

    def writer(self, out: TextIO) -> _CsvWriter:
        """A writer of rows."""
        return csv.writer(out, delimiter=self.delimiter, lineterminator=self.line_end)

    def start(self, headings: Sequence[str]) -> bytes:
        """The beginning of a file."""
        return (BOM if self.bom else b"") + self.encode([headings])


class _CsvWriter(Protocol):
    def writerows(self, rows: Iterable[Iterable[object]], /) -> object:
        """Write rows."""
        ...


class JoinedOutput:
    """A file, or stdout, that gets the rows of an input with their answers.

    Args:
        path: The file; None for stdout.
        file_format: Its format.
        table: What is written.
        bom: Whether a CSV begins with a byte order mark.
        reopens: The statuses of rows that a later run may change.
    """

    def __init__(
        self,
        path: Path | None,
        file_format: Format,
        table: JoinedTable,
        *,
        bom: bool,
        reopens: frozenset[str] = OPEN,
    ) -> None:
        self.path = path
        self._reopens = reopens
        self.format = file_format
        self._table = table
        source = table.own.table
        self._style = CsvStyle(bom=bom)
        if source.format == "csv":
            self._style = CsvStyle(source.delimiter, source.line_end, bom)
        is_file = source.format == file_format == "parquet" and Path(source.path).exists()
        self._beside = Path(source.path) if is_file else None
        """The input, whose types own columns keep."""
        self._file: AppendFile | None = None
        self._started: int | None = None
        """Bytes of a file that this run has made, before its first row."""
        self.continues = False
        """Whether an earlier run has written the file."""
        self._grows = file_format in ("csv", "jsonl")
        self._is_clean = True
        self._buffer: list[JoinedRow] = []
        self._held: dict[int, bytes] = {}
        self._next = 1
        """The first row that stdout does not have."""

    def open(self, existing: Sequence[str] | None) -> None:
        """Open the file.

        Args:
            existing: The headings, or the keys, of the file that an earlier run has written; None
                where there is none.

        Raises:
            CommandError: It cannot be written.
        """
        if self.path is None:
            if self.format == "csv":
                self._held[0] = self._style.start(self._table.headings)
                self._next = 0
            return
        self.continues = existing is not None
        if not self._grows:
            table = self._table.own.table
            if self.format == "xlsx":
                rows = () if table.format == "xlsx" else table.rows()  # as large as a sheet
                check_size(self.path, len(self._table.headings), rows)
            with StagedOutput(self.path, overwrite=True):  # that it can be written
                return
        if existing is None:
            self._file = (
                AppendFile.open(self.path) if self.path.exists() else AppendFile.create(self.path)
            )
            if self.format == "csv":
                self._file.append(self._style.start(self._table.headings))
            self._started = self._file.size
            return
        self._file = AppendFile.open(self.path)
        keys = [key for group in self._table.groups for key in group.keys]
        same = (
            list(existing) == self._table.headings
            if self.format == "csv"
            else set(keys) == {name for name in existing if name in keys}
        )
        self._grows, self._is_clean = same, False

    def add(self, position: int, row: JoinedRow, *, flush: bool) -> None:
        """Add a row that has its answers.

        Raises:
            CommandError: It cannot be written.
            BrokenPipeError: The reader of stdout has closed the pipe.
        """
        if not self._grows:
            return
        if self.path is None:
            self._add_in_order(position, row)
            return
        self._buffer.append(row)
        if flush or len(self._buffer) >= BATCH:
            self._append()

    def _add_in_order(self, position: int, row: JoinedRow) -> None:
        self._held[position] = self._encode([row])
        while (data := self._held.pop(self._next, None)) is not None:
            console.write_stdout(data)
            self._next += 1
        if len(self._held) > MOST_HELD:  # they come at the end, from the ledger
            self._held.clear()
            self._grows = False

    def _append(self) -> None:
        rows, self._buffer = self._buffer, []
        if not rows or self._file is None:
            return
        if not self._is_clean:
            self._clean(self._file)
        self._file.append(self._encode(rows))

    def _encode(self, rows: Sequence[JoinedRow]) -> bytes:
        if self.format == "csv":
            return self._style.encode(list(map(self._table.csv_row, rows)))
        return b"".join(self._table.json_row(row) + b"\n" for row in rows)

    def _clean(self, file: AppendFile) -> None:
        """Take out the rows that new ones come for, and a partial one at the end."""
        path = file.path
        with StagedOutput(path, overwrite=True) as staged:
            made = staged.folder / "rows"
            try:
                with path.open("rb") as old, new_private_file(made) as new:
                    if self.format == "csv":
                        self._clean_csv(old, new)
                    else:
                        self._clean_jsonl(old, new)
            except OSError as error:
                raise file_error(path, error, "write") from None
            staged.place(made)
        self._file = AppendFile.open(path)
        file.close()
        self._is_clean = True

    def _clean_csv(self, old: BinaryIO, new: BinaryIO) -> None:
        headings = self._table.headings
        places = [
            headings.index(f"{group.prefix}status", len(self._table.own.headings))
            for group in self._table.groups
        ]
        text = io.TextIOWrapper(old, "utf-8-sig", "surrogateescape", newline="")
        out = io.TextIOWrapper(new, "utf-8", "surrogateescape", newline="")
        new.write(BOM if self._style.bom else b"")
        with large_csv_fields(str(self.path)), suppress(csv.Error):  # a partial row ends it
            self._style.writer(out).writerows(
                row
                for row in csv.reader(text, delimiter=self._style.delimiter, strict=True)
                if len(row) >= len(headings)
                and self._reopens.isdisjoint(row[place] for place in places)
            )
        out.flush()
        out.detach()
        text.detach()

    def _clean_jsonl(self, old: BinaryIO, new: BinaryIO) -> None:
        names = [f"{group.prefix}status" for group in self._table.groups]
        for line in old:
            if not line.endswith(b"\n"):
                return
            try:
                row = msgspec.json.decode(line, type=dict[str, object])
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if self._reopens.isdisjoint(str(row.get(name)) for name in names):
                new.write(line)

    async def write_all(
        self, batches: Callable[[int], AsyncIterator[list[JoinedRow]]]
    ) -> list[Counter[str]]:
        """Write the whole output in the order of the input.

        Args:
            batches: Gives the rows from a position on.

        Returns:
            How many rows have each status, by group.

        Raises:
            CommandError: It cannot be written; the file is as it was.
            BrokenPipeError: The reader of stdout has closed the pipe.
        """
        counts: list[Counter[str]] = [Counter() for _ in self._table.groups]
        self._buffer.clear()
        if self.path is None:
            await self._write_stdout(batches, counts)
            return counts
        with StagedOutput(self.path, overwrite=True) as staged:
            writer: _Writer | None = None
            try:
                writer = self._writer(staged.folder)
                async for batch in batches(1):
                    _count(counts, batch)
                    writer.write(batch)
                made = await anyio.to_thread.run_sync(writer.finish)
            except OSError as error:
                raise file_error(self.path, error, "write") from None
            finally:
                if writer is not None:
                    writer.close()
            staged.place(made)
            self._started = None
        return counts

    async def _write_stdout(
        self,
        batches: Callable[[int], AsyncIterator[list[JoinedRow]]],
        counts: list[Counter[str]],
    ) -> None:
        written, self._next = self._next, max(self._next, 1)
        shown: list[bytes] = []
        if written == 0:
            console.write_stdout(self._style.start(self._table.headings))
        position = 1
        async for batch in batches(1):
            _count(counts, batch)
            rows = batch[max(self._next - position, 0) :]
            position += len(batch)
            if self.format == "table":
                shown += map(self._table.named_values, rows)
            elif rows:
                console.write_stdout(self._encode(rows))
        self._next = position
        if self.format == "table":
            columns = self._shown_columns(shown)
            print_table(Console(), shown, RowSchema(None), columns, self._link_columns)

    @property
    def _link_columns(self) -> frozenset[str]:
        """The columns of the input that links were taken from."""
        return frozenset(group.column for group in self._table.groups if group.column is not None)

    def _shown_columns(self, rows: Sequence[bytes]) -> tuple[str, ...]:
        """The columns of a table on a terminal: few, with values, and the links among them."""
        parsed = [msgspec.json.decode(row, type=dict[str, object]) for row in rows[:100]]
        own = [
            name for name in self._table.own.sampled_keys() if any(row.get(name) for row in parsed)
        ]
        links = [name for name in own if name in self._link_columns]
        others = [name for name in own if name not in links]
        shown = {*links, *others[: max(2 - len(links), 1)]}
        found = [name for name in own if name in shown]
        for group in self._table.groups:
            found.append(f"{group.prefix}status")
            names = [
                name
                for name in group.columns.headings(group.prefix)
                if any(row.get(name) not in (None, "") for row in parsed)
            ]
            found += names if group.columns.chosen not in ("basic", "all") else names[:3]
        return tuple(found)

    def _writer(self, folder: Path) -> _Writer:
        if self.format == "csv":
            return _CsvFile(folder, self._table, self._style)
        if self.format == "xlsx":
            return _XlsxFile(folder, self._table)
        if self.format == "parquet":
            return _ParquetRows(folder, self._table, self._beside)
        return _JsonlFile(folder, self._table)

    def close(self) -> None:
        """Append what is left, and close the file; one without a row is removed.

        Raises:
            CommandError: It cannot be written.
        """
        try:
            self._append()
        finally:
            file, self._file = self._file, None
            if file is not None:
                if self._started == file.size:
                    file.path.unlink(missing_ok=True)
                file.close()


def _count(counts: list[Counter[str]], batch: Sequence[JoinedRow]) -> None:
    for place, counter in enumerate(counts):
        counter.update(row.answers[place].status for row in batch)


class _Writer(ABC):
    """Writes rows into a file of a folder."""

    @abstractmethod
    def write(self, rows: Sequence[JoinedRow]) -> None:
        """Write rows."""

    @abstractmethod
    def finish(self) -> Path:
        """Complete the file."""

    @abstractmethod
    def close(self) -> None:
        """Release everything, finished or not."""


class _JsonlFile(_Writer):
    def __init__(self, folder: Path, table: JoinedTable) -> None:
        self._path = folder / "rows"
        self._file = new_private_file(self._path)
        self._table = table

    def write(self, rows: Sequence[JoinedRow]) -> None:
        encode = self._table.json_row
        self._file.write(b"".join(encode(row) + b"\n" for row in rows))

    def finish(self) -> Path:
        self._file.flush()
        return self._path

    def close(self) -> None:
        close_ignoring_errors(self._file)


class _CsvFile(_JsonlFile):
    def __init__(self, folder: Path, table: JoinedTable, style: CsvStyle) -> None:
        super().__init__(folder, table)
        self._file.write(style.start(table.headings))
        self._text = io.TextIOWrapper(self._file, "utf-8", "surrogatepass", newline="")
        self._rows = style.writer(self._text)

    def write(self, rows: Sequence[JoinedRow]) -> None:
        self._rows.writerows(map(self._table.csv_row, rows))

    def finish(self) -> Path:
        self._text.flush()
        return self._path

    def close(self) -> None:
        with suppress(OSError):
            self._text.close()


class _XlsxFile(_Writer):
    def __init__(self, folder: Path, table: JoinedTable) -> None:
        self._table = table
        self._width = len(table.own.headings)
        self._book = Workbook(folder / "rows.xlsx", table.headings)

    def write(self, rows: Sequence[JoinedRow]) -> None:
        width = self._width
        for row in rows:
            own, added = self._table.cells(row)
            self._book.add([*own[:width], *added, *own[width:]])

    def finish(self) -> Path:
        return self._book.finish()

    def close(self) -> None:
        self._book.close()


class _ParquetRows(_Writer):
    def __init__(self, folder: Path, table: JoinedTable, beside: Path | None) -> None:
        self._encode: Callable[[JoinedRow], bytes] = table.named_values
        columns = {name: kind for group in table.groups for name, kind in group.types.items()}
        if beside is None:
            columns = dict.fromkeys(table.own.sampled_keys(), TEXT) | columns
        else:
            self._encode = lambda row: msgspec.json.encode(table.added_values(row))
        self._parquet = ParquetFile(folder, columns, beside)

    def write(self, rows: Sequence[JoinedRow]) -> None:
        for row in rows:
            self._parquet.add(self._encode(row))

    def finish(self) -> Path:
        return self._parquet.finish()

    def close(self) -> None:
        self._parquet.close()
