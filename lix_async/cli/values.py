"""From a row to the cells of a table: dotted names, flat values, formulas made harmless.

`experience.0.title` is the `title` of the first entry of the list `experience`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

Tree = Mapping[str, object]

# A cell that begins like this is a formula to a spreadsheet, the full-width forms included. A cell
# that begins with apostrophes before such a sign gets one more, so that the way back is exact.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


def escape_formula(text: str) -> str:
    """A text that a spreadsheet shows and never runs: `=1+1` becomes `'=1+1`."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """The way back from `harmless`."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def get_path(tree: object, path: str) -> object:
    """What stands at a dotted path, or None. Keys with dots of their own are found too."""
    if isinstance(tree, Mapping):
        here = cast("Tree", tree)
        if path in here:
            return here[path]
        for dot in re.finditer(r"\.", path):
            if (head := path[: dot.start()]) in here:
                found = get_path(here[head], path[dot.end() :])
                if found is not None:
                    return found
    elif isinstance(tree, list):
        place, _, rest = path.partition(".")
        entries = cast("list[object]", tree)
        if place.isascii() and place.isdigit() and int(place) < len(entries):
            return get_path(entries[int(place)], rest) if rest else entries[int(place)]
    return None


def text(value: object) -> str:
    """A value as the text of a cell: lists of texts joined, everything deeper as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and value:
        entries = cast("list[object]", value)
        # An empty text would be lost among the others: `[""]` is no empty list.
        if all(isinstance(entry, str | int | float) and entry != "" for entry in entries):
            return "; ".join(map(text, entries))
    if value in ([], {}):
        return ""
    return msgspec.json.encode(value).decode()


def cell(value: object) -> str:
    """A value as the text of a CSV cell. Numbers stay as they are, a minus sign included."""
    found = text(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return found if number else escape_formula(found)


def leaf_paths(tree: Tree, depth: int = 3, under: str = "") -> dict[str, object]:
    """The values of a row by dotted name, objects opened to a depth, lists left whole."""
    found: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value and depth > 1:
            found |= leaf_paths(cast("Tree", value), depth - 1, f"{under}{key}.")
        else:
            found[f"{under}{key}"] = value
    return found


def remaining_fields(tree: Tree, columns: Sequence[str]) -> dict[str, object]:
    """The values of a row that no column shows: what a provider added without notice.

    Empty lists and objects are values too; only null and the empty text say nothing.
    """
    shown = tuple(f"{column}." for column in columns)
    return {
        name: value
        for name, value in leaf_paths(tree).items()
        if value is not None and value != "" and not f"{name}.".startswith(shown)
    }


def first_nonempty_columns(rows: Sequence[Tree], wanted: Sequence[str], most: int) -> list[str]:
    """The first few of the wanted names under which any row has something."""
    found = (name for name in wanted if any(text(get_path(row, name)) for row in rows))
    return [name for name, _ in zip(found, range(most), strict=False)]
