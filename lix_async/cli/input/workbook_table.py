"""Workbooks: a sheet of `.xlsx`, `.xlsm`, `.xlsb` or `.ods`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import CommandError
from ..text import one_line
from .heading import find_heading, head_of
from .sheet_links import DAMAGED, SheetLinks, sheet_extent, sheet_links
from .source import InputSource
from .table_row import COMPUTED, NO_LINKS, InputTable, TableRow

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_MAX_CELLS = 64_000_000
"""Cells of a sheet, blank ones between others too; a million rows of 60 columns."""
_EXACT = 2.0**53
_FORMULAS = (
    "formulas make the addresses of its links: put them into a column as texts, or pass the column "
    "of their last parts with --column NAME --handles"
)
_INSTALL = "install the extra: pip install 'lix_async[excel]'; or save the table as CSV"


class WorkbookTable(InputTable):
    """One sheet of a workbook: hidden rows and columns too, a hidden sheet never."""

    format = "xlsx"

    def __init__(self, source: InputSource, sheet: str | None, *, websites: bool = False) -> None:
        self._source = source
        self.path = source.name
        try:
            import python_calamine  # of an extra
        except ImportError:
            raise CommandError(
                f"{self.path} is a workbook, which cannot be read yet", hint=_INSTALL
            ) from None
        with self._readable():
            with source.open() as file:  # by what is in it: of a name, the ending would decide
                workbook = python_calamine.load_workbook(file)  # pyright: ignore[reportUnknownMemberType]  (its stubs)
            name = self._chosen(workbook, sheet)
            self._check_extent(name)
            self._sheet = workbook.get_sheet_by_name(name)
            self._offset = (self._sheet.start or (0, 0))[1]
            self._errors: SheetLinks = {}
            self._links = self._read_links()
            filled = ((line, row) for line, row in self._cells() if any(row))
            head, hint = head_of(filled)
            self.hint = self.hint or hint
            self.names, self._first_line = find_heading(head, websites=websites)

    def rows(self) -> Iterator[TableRow]:
        self._source.open().close()  # fails where the file was changed
        blank: list[TableRow] = []  # at the end of a sheet they are what a user has deleted
        width = len(self.names)
        for line, cells in self._cells():
            if line < self._first_line:
                continue
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            for column, error in self._errors.get(line, NO_LINKS).items():
                if column < len(cells) and cells[column] == "":
                    cells[column] = error
            row = TableRow(line, cells, links=self._links.get(line, NO_LINKS))
            if cells.count("") == len(cells) and not row.links:
                blank.append(row)
                continue
            yield from blank
            blank.clear()
            yield row

    @contextmanager
    def _readable(self) -> Generator[None]:
        """Report a damaged workbook, whichever of its readers sees it first."""
        from python_calamine import CalamineError, PasswordError  # as above

        try:
            yield
            return
        except PasswordError:
            raise CommandError(
                f"{self.path} is protected with a password", hint="save it without one"
            ) from None
        except (CommandError, KeyboardInterrupt):
            raise
        except (CalamineError, OSError, ValueError, *DAMAGED) as error:
            problem = str(error)
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of Rust: its class has no module
                raise
            problem = str(error)
        raise CommandError(
            f"{self.path} is not a workbook that can be read ({one_line(problem, 80)})",
            hint="open it in a spreadsheet, and save it as .xlsx or CSV",
        )

    def _cells(self) -> Iterator[tuple[int, list[object]]]:
        for line, row in enumerate(self._sheet.iter_rows(), start=1):
            yield (
                line,
                [
                    int(cell)
                    if type(cell) is float and cell.is_integer() and -_EXACT < cell < _EXACT
                    else cell
                    for cell in row
                ],
            )

    def _chosen(self, workbook: CalamineWorkbook, name: str | None) -> str:
        """The named sheet, else the first visible one.

        Raises:
            CommandError: There is no such sheet, or it is hidden.
        """
        from python_calamine import SheetTypeEnum, SheetVisibleEnum  # as above

        sheets = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
        visible = [one.name for one in sheets if one.visible == SheetVisibleEnum.Visible]
        hint = f"--sheet takes one of: {_listed(visible)}" if visible else ""
        if name is None:
            if not visible:
                raise CommandError(f"{self.path} has no visible sheet", hint="unhide a sheet")
            chosen = visible[0]
            if len(visible) > 1:
                self.hint = hint
                self.notes = [f"{self.path}: the first sheet is read, {chosen!r}; {hint}"]
            return chosen
        folded = name.strip().casefold()
        same = [one.name for one in sheets if one.name == name] or [
            one.name for one in sheets if one.name.strip().casefold() == folded
        ]
        if not same:
            raise CommandError(f"{self.path} has no sheet {name!r}", hint=hint)
        if same[0] not in visible:
            raise CommandError(
                f"sheet {same[0]!r} of {self.path} is hidden", hint="unhide it, and save the file"
            )
        return same[0]

    def _check_extent(self, name: str) -> None:
        """Refuse a sheet with a stray cell far away: all cells before it would be in memory."""
        with self._source.open() as file:
            cells = sheet_extent(file, name)
        if cells > _MAX_CELLS:
            raise CommandError(
                f"sheet {name!r} of {self.path} has a cell far from the others",
                hint="delete the rows below and the columns beside the table, and save the file",
            )

    def _read_links(self) -> SheetLinks:
        with self._source.open() as file:
            height = (self._sheet.end or (0, 0))[0] + 1
            found = sheet_links(file, self._sheet.name, height, self._errors)
        if found is None:
            self.notes = [*self.notes, f"{self.path}: links behind texts are read from .xlsx only"]
            return {}
        if any(COMPUTED in row.values() for row in found.values()):
            self.hint = f"{_FORMULAS}; {self.hint}".removesuffix("; ")
        self._errors = self._without_offset(self._errors)
        return self._without_offset(found)

    def _without_offset(self, cells: SheetLinks) -> SheetLinks:
        """The same by columns of the table: a sheet may begin with blank columns."""
        if not self._offset:
            return cells
        return {
            line: {column - self._offset: text for column, text in row.items()}
            for line, row in cells.items()
        }


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
