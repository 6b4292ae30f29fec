"""Markdown in docstrings to reStructuredText: editors show the former, autodoc reads the latter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_FENCE = re.compile(r"(\s*)```(\w*)\s*")
_CODE = re.compile(r"(`+)[^`]+\1(?=(\w?))")
_FUNCTION = re.compile(r"<function (\w+)>")
_ROW = re.compile(r"\s*\|(.+)\|\s*")


def setup(app: Sphinx) -> None:
    """Before napoleon, which looks at section titles only."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    app.connect("autodoc-process-signature", _signature)
    app.add_directive("lix-docstring", Docstring)


def _process(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    lines[:] = converted(lines)
    if what in ("attribute", "property", "data"):
        # Else napoleon takes what is before a colon in the first line for a type.
        lines[:0] = ["..", ""]  # an empty comment


def _signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, text: str | None, result: str
) -> tuple[str, str] | None:
    """Write defaults such as `<factory>` as code: Sphinx cannot parse the signature otherwise."""
    if text is None:
        return None
    return (_FUNCTION.sub(r"\1", text.replace("<factory>", "...")), result)


def converted(lines: list[str]) -> list[str]:
    """The lines with fences as `code-block`, tables as `list-table`, and `Target`s readable."""
    found: list[str] = []
    rest = iter(lines)
    for line in rest:
        if (fence := _FENCE.fullmatch(line)) is not None:
            found += _code(fence[1], fence[2] or "text", rest)
        else:
            # reStructuredText ends code only before a space or punctuation: "\ " is an empty one.
            found.append(_CODE.sub(lambda code: code[0] + (code[2] and "\\ "), line))
    return _tables(found)


def _code(indent: str, language: str, rest: Iterator[str]) -> list[str]:
    block = ["", f"{indent}.. code-block:: {language}", ""]
    for line in rest:
        if line.strip() == "```":
            break
        block.append(f"   {line}")
    return [*block, ""]


def _tables(lines: list[str]) -> list[str]:
    found: list[str] = []
    table: list[list[str]] = []
    for line in [*lines, ""]:
        row = _ROW.fullmatch(line)
        if row is not None:
            table.append([cell.strip() for cell in row[1].split("|")])
            continue
        if table:
            found += _list_table(table)
            table = []
        found.append(line)
    return found[:-1]


def _list_table(table: list[list[str]]) -> list[str]:
    rows = [row for row in table if not all(set(cell) <= set("-: ") for cell in row)]
    lines = ["", ".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'*' if at == 0 else ' '} - {cell}" for at, cell in enumerate(row)]
    return [*lines, ""]


class Docstring(SphinxDirective):
    """`.. lix-docstring:: module:Class.method`: that docstring, as autodoc would show it."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse it in place."""
        module, _, path = self.arguments[0].partition(":")
        found = attrgetter(path)(import_module(module))
        lines = (inspect.getdoc(found) or "").splitlines()
        name = f"{module}.{path}"
        self.env.events.emit("autodoc-process-docstring", "method", name, found, None, lines)
        inside = nodes.Element()
        self.state.nested_parse(StringList(lines, f"docstring of {name}"), 0, inside)
        return list(inside.children)
