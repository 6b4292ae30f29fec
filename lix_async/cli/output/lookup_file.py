"""The output of `lix enrich`: a file that a later run goes on with, or the screen."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from .columns import checked
from .delivery import file_of, rows_as
from .errors import CommandError
from .files import Appended
from .formats import Rows, show
from .kept import OPEN, Kept, kept
from .ledger import Line
from .options import Format, RowOutput, chosen_format, parsed_columns
from .schema import Looked

BATCH = 500
"""Rows from the ledger that are written together."""


class Sheet:
    """Takes rows in, writes them as they come, and those that are not final at the end.

    A Parquet file cannot be added to: its rows are left to the ledger.
    """

    def __init__(self, output: RowOutput, schema: Looked) -> None:
        self.path = file_of(output)
        self.form: Format = chosen_format(output, terminal=sys.stdout.isatty(), parquet=True)
        self.columns = parsed_columns(output.columns)
        checked(self.columns, schema)
        if self.columns is not None:  # a later run knows by these two what is done
            self.columns = tuple(dict.fromkeys(("input", "status", *self.columns)))
        if self.form == "parquet" and self.path is None:
            raise CommandError("Parquet goes into a file", hint="say --out FILE.parquet")
        self._schema = schema
        staged: Format = "jsonl" if self.form == "parquet" else self.form
        self._rows: Rows = rows_as(staged, schema, self.columns)
        self._file: Appended | None = None
        self._first = True
        self._shown: list[bytes] = []
        self._waiting: list[bytes] = []
        self._open: list[bytes] = []

    def opened(self) -> Kept:
        """Open the file; what an earlier run has left in it."""
        if self.path is None:
            return Kept(set())
        if self.form == "parquet":
            if self.path.exists() and not self.remakable:
                raise CommandError(
                    f"{self.path} is there already, and is no Parquet", hint="choose another name"
                )
            return Kept(set())
        if not self.path.exists():
            self._file = Appended.create(self.path)
            return Kept(set())
        self._file = Appended.open(self.path)
        try:
            return self._taken_up(self._file)
        except CommandError:
            self._file.close()
            raise

    def _taken_up(self, file: Appended) -> Kept:
        before = kept(file, self.form)
        if self._rows.columns is not None and before.columns not in (None, self._rows.columns):
            raise CommandError(
                f"{file.path} has other columns", hint="leave --columns out to go on"
            )
        self._rows.columns = before.columns or self._rows.columns
        self._first = not file.size
        return before

    @property
    def remakable(self) -> bool:
        """Whether the file is a Parquet, which may be made anew."""
        assert self.path is not None  # asked of files only
        try:
            with self.path.open("rb") as file:
                return file.read(4) == b"PAR1"
        except OSError:
            return False

    def add(self, line: Line, *, at_once: bool) -> None:
        """Take a row in. Raises `CommandError` when it cannot be written, `BrokenPipeError`."""
        if line.status == OPEN:
            self._open.append(line.row())
            return
        self._waiting.append(line.row())
        if at_once or len(self._waiting) >= BATCH:
            self._write()

    def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        if not rows or self.form == "parquet":
            return
        if self.form == "table" and self._file is None:
            self._shown += rows
            return
        data = self._rows.encode(rows, first=self._first)
        self._first = False
        if self._file is not None:
            self._file.append(data)
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def close(self) -> Path | None:
        """Write what is left, the rows that are not final last; the file, unless it is empty.

        Raises what `add` does, after the file was let go of.
        """
        self._waiting += self._open
        try:
            self._write()
        finally:
            file, self._file = self._file, None
            if file is not None:
                file.close()
                if not file.size:
                    file.path.unlink(missing_ok=True)
        if self._shown:
            show(Console(), self._shown, self._schema, self._rows.columns)
        return self.path if file is None or file.size else None
