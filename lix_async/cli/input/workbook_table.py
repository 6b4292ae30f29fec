"""Workbooks: a sheet of `.xlsx`, `.xlsm`, `.xlsb`, `.xls` or `.ods`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ..errors import CommandError
from .heading import HEAD_ROWS, find_heading
from .sheet_links import SheetLinks, sheet_links
from .source import InputSource
from .table_row import NO_LINKS, InputTable, TableRow

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_EXACT = 2.0**53
_INSTALL = "install the extra: pip install 'lix_async[excel]'; or save the table as CSV"


class WorkbookTable(InputTable):
    """One sheet of a workbook: hidden rows and columns too, a hidden sheet never."""

    format = "xlsx"

    def __init__(self, source: InputSource, sheet: str | None) -> None:
        self._source = source
        self.path = source.name
        try:
            import python_calamine  # of an extra
        except ImportError:
            raise CommandError(
                f"{self.path} is a workbook, which cannot be read yet", hint=_INSTALL
            ) from None
        try:
            workbook = python_calamine.load_workbook(source.path)  # pyright: ignore[reportUnknownMemberType]  (its stubs)
            self._sheet = self._chosen(workbook, sheet)
        except python_calamine.PasswordError:
            raise CommandError(
                f"{self.path} is protected with a password", hint="save it without one"
            ) from None
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise CommandError(
                f"{self.path} is not a workbook that can be read ({error})",
                hint="open it in a spreadsheet, and save it as .xlsx or CSV",
            ) from None
        self._offset = (self._sheet.start or (0, 0))[1]
        self._height = (self._sheet.end or (0, 0))[0] + 1
        self._links = self._read_links()
        head = list(islice(((line, row) for line, row in self._cells() if any(row)), HEAD_ROWS))
        self.names, self._first_line = find_heading(head)

    def rows(self) -> Iterator[TableRow]:
        self._source.open().close()  # fails where the file was changed
        blank: list[TableRow] = []  # at the end of a sheet they are what a user has deleted
        width = len(self.names)
        for line, cells in self._cells():
            if line < self._first_line:
                continue
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            row = TableRow(line, cells, links=self._links.get(line, NO_LINKS))
            if cells.count("") == len(cells) and not row.links:
                blank.append(row)
                continue
            yield from blank
            blank.clear()
            yield row

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

    def _chosen(self, workbook: CalamineWorkbook, name: str | None) -> CalamineSheet:
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
            return workbook.get_sheet_by_name(chosen)
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
        return workbook.get_sheet_by_name(same[0])

    def _read_links(self) -> SheetLinks:
        with self._source.open() as file:
            found = sheet_links(file, self._sheet.name, self._height)
        if found is None:
            self.notes = [*self.notes, f"{self.path}: links behind texts are read from .xlsx only"]
            return {}
        if not self._offset:
            return found
        return {
            line: {column - self._offset: link for column, link in links.items()}
            for line, links in found.items()
        }


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
