"""Dotted paths into JSON objects, and values as cells of a table.

`experience.0.title` is the `title` of the first entry of the list `experience`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from ..core.values import JsonObject

# Spreadsheets evaluate a cell that begins with one of these characters as a formula
# (https://owasp.org/www-community/attacks/CSV_Injection). A cell that already has apostrophes
# before such a character gets one more, so that `unescape_formula` restores the exact text.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


_DEPTH = 3
"""Objects within objects whose fields stand on their own."""


def escape_formula(text: str) -> str:
    """A text that a spreadsheet does not evaluate: `=1+1` becomes `'=1+1`."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(cell: str) -> str:
    """The reverse of `escape_formula`."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def get_path(value: object, path: str) -> object:
    """The value at a dotted path, or None. Keys that contain dots are found too."""
    if isinstance(value, Mapping):
        node = cast("JsonObject", value)
        if path in node:
            return node[path]
        for dot in re.finditer(r"\.", path):
            if (head := path[: dot.start()]) in node:
                found = get_path(node[head], path[dot.end() :])
                if found is not None:
                    return found
    elif isinstance(value, list):
        index, _, rest = path.partition(".")
        items = cast("list[object]", value)
        if index.isascii() and index.isdigit() and int(index) < len(items):
            return get_path(items[int(index)], rest) if rest else items[int(index)]
    return None


def cell_text(value: object) -> str:
    """A value as text: lists of scalars joined, nested values as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and value:
        items = cast("list[object]", value)
        # An empty string would be lost when joined: `[""]` must differ from `[]`.
        if all(isinstance(item, (str, int, float)) and item != "" for item in items):
            return "; ".join(map(cell_text, items))
    if value in ([], {}):
        return ""
    return msgspec.json.encode(value).decode()


def csv_cell(value: object) -> str:
    """A value as a CSV cell. Numbers are not escaped, not even negative ones."""
    found = cell_text(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return found if number else escape_formula(found)


def leaf_paths(tree: JsonObject, depth: int = _DEPTH, prefix: str = "") -> dict[str, object]:
    """The values of a row by dotted path; objects are opened up to a depth, lists are not."""
    found: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value and depth > 1:
            found |= leaf_paths(cast("JsonObject", value), depth - 1, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def remaining_fields(tree: JsonObject, columns: Iterable[str]) -> dict[str, object]:
    """The values of a row that no column shows, such as fields that a provider has added.

    Null and empty strings are left out; empty lists and objects are kept.
    """
    found: dict[str, object] = {}
    shown = columns if isinstance(columns, frozenset) else frozenset(columns)
    _add_remaining(tree, shown, "", _DEPTH, found)
    return found


def _add_remaining(
    tree: Mapping[str, object],
    shown: frozenset[str],
    prefix: str,
    depth: int,
    found: dict[str, object],
) -> None:
    for key, value in tree.items():
        path = prefix + key
        if path in shown or value is None or value == "" or ("." in key and _is_below(path, shown)):
            continue
        if depth > 1 and value and isinstance(value, Mapping):
            _add_remaining(cast("JsonObject", value), shown, f"{path}.", depth - 1, found)
        else:
            found[path] = value


def _is_below(path: str, shown: frozenset[str]) -> bool:
    """Whether a path, of which a key has dots, is below one that is shown."""
    return any(path[: dot.start()] in shown for dot in re.finditer(r"\.", path))


def first_nonempty_columns(
    rows: Sequence[JsonObject], wanted: Sequence[str], count: int
) -> list[str]:
    """The first few of the wanted columns that have a value in any row."""
    found = (name for name in wanted if any(cell_text(get_path(row, name)) for row in rows))
    return [name for name, _ in zip(found, range(count), strict=False)]
