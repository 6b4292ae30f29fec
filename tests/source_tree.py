"""The source of the project for the tests that read it: parsed once, never imported.

A check collects a `Violation` for each place and ends with `report`, which fails with one line
per place, `path:line: what`, so `python -m pytest -q tests/test_names.py | grep '/cli/'` is the
work list of one package.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lix_async"
VENDOR_MODULES = {"models", "params"}
"""The modules of a provider whose names are the provider's own nouns."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Violation:
    """A place that breaks a rule."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def report(violations: Iterable[Violation]) -> None:
    """Fail with every violation, one on a line, if there are any."""
    found = sorted(set(violations))
    if found:
        lines = "\n".join(map(str, found))
        pytest.fail(f"{len(found)} violations:\n{lines}", pytrace=False)


@dataclass(frozen=True)
class Import:
    """One imported name. `module` is dotted; of this package if it starts with `lix_async`."""

    line: int
    module: str
    name: str
    """What it is called in the importing module."""
    original: str | None
    """The name in `module` that was imported; None for the module itself."""
    type_only: bool

    @property
    def internal(self) -> bool:
        """Whether it is a module of this package."""
        return self.module.partition(".")[0] == PACKAGE.name

    @property
    def library(self) -> str:
        """The top-level module, as `sys.stdlib_module_names` has it."""
        return self.module.partition(".")[0]


def _collect(node: ast.AST, found: list[ast.AST]) -> None:
    """Append a node and all below it, faster than the generator of `ast`."""
    found.append(node)
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            for one in value:
                if isinstance(one, ast.AST):
                    _collect(one, found)
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context | ast.operator):
            _collect(value, found)


class SourceFile:
    """One Python file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.relative = path.relative_to(ROOT).as_posix()
        self.text = path.read_text(encoding="utf-8")

    def __repr__(self) -> str:
        return self.relative

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree but the operators and contexts, in the order of the text."""
        found: list[ast.AST] = []
        _collect(self.tree, found)
        return tuple(found)

    def forget(self) -> None:
        """Drop the tree, which is large: for files that are read once."""
        self.__dict__.pop("tree", None)
        self.__dict__.pop("nodes", None)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The module's path below the package: `("core", "errors")`; ends with `__init__`."""
        return self.path.relative_to(PACKAGE).with_suffix("").parts

    @cached_property
    def module(self) -> str:
        """The dotted name; that of the package for an `__init__.py`."""
        parts = self.parts[:-1] if self.parts[-1] == "__init__" else self.parts
        return ".".join((PACKAGE.name, *parts))

    @cached_property
    def is_vendor_vocabulary(self) -> bool:
        """Whether the classes here are named after the words of a provider."""
        return self.parts[0] == "providers" and bool(VENDOR_MODULES & set(self.parts[2:3]))

    @cached_property
    def docstrings(self) -> dict[int, ast.Constant]:
        """Docstrings, those of attributes included, by the identity of their nodes."""
        return {
            id(node.value): node.value
            for node in self.nodes
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        }

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import: at the top, inside functions and for type checkers only."""
        type_only = {
            id(inner)
            for node in self.nodes
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for statement in node.body
            for inner in ast.walk(statement)
        }
        return tuple(self._imports(type_only))

    def _imports(self, type_only: set[int]) -> Iterator[Import]:
        package = (PACKAGE.name, *self.parts[:-1])
        for node in self.nodes:
            typing = id(node) in type_only
            if isinstance(node, ast.Import):
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    yield Import(node.lineno, alias.name, local, None, typing)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else ()
                module = ".".join((*base, *filter(None, (node.module or "").split("."))))
                for alias in node.names:
                    local = alias.asname or alias.name
                    nested = f"{module}.{alias.name}"
                    if nested in modules():
                        yield Import(alias.lineno, nested, local, None, typing)
                    else:
                        yield Import(alias.lineno, module, local, alias.name, typing)

    def at(self, node: ast.AST | int, what: str) -> Violation:
        """A violation on that line."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return Violation(self.relative, line, what)


@cache
def python_files(folder: str) -> tuple[SourceFile, ...]:
    """The Python files of a folder of the project, or the file of that name."""
    place = ROOT / folder
    paths = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return tuple(SourceFile(path) for path in paths)


def package_files() -> tuple[SourceFile, ...]:
    """The package's files."""
    return python_files(PACKAGE.name)


@cache
def modules() -> dict[str, Path]:
    """The package's modules by their dotted names."""
    return {file.module: file.path for file in package_files()}


@cache
def files_by_module() -> dict[str, SourceFile]:
    """The package's files by their dotted names."""
    return {file.module: file for file in package_files()}


@cache
def documents() -> tuple[Path, ...]:
    """The Markdown files of the project."""
    return (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))


def classes(file: SourceFile) -> Iterator[ast.ClassDef]:
    """Every class of a file, nested ones included."""
    return (node for node in file.nodes if isinstance(node, ast.ClassDef))


def type_aliases(file: SourceFile) -> Iterator[tuple[str, ast.stmt]]:
    """The module's names for types: `X = A | B`, `X = Literal[…]`, `X: TypeAlias = …`."""
    conditional = [node for node in file.tree.body if isinstance(node, ast.If)]
    body = [*file.tree.body, *(inner for node in conditional for inner in node.body)]
    for node in body:
        value: ast.expr | None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation):
            target, value = node.target, node.value
        else:
            continue
        is_type = isinstance(value, ast.Subscript | ast.BinOp) or isinstance(node, ast.AnnAssign)
        if isinstance(target, ast.Name) and is_type and re.match(r"_?[A-Z]\w*[a-z]", target.id):
            yield target.id, node


def find_class(file: SourceFile, name: str) -> tuple[SourceFile, ast.ClassDef] | None:
    """The class that a name means in a module, followed through the package's imports."""
    for node in file.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return file, node
    for one in file.imports:
        if one.name in (name, "*") and one.original and one.module in files_by_module():
            original = name if one.original == "*" else one.original
            if found := find_class(files_by_module()[one.module], original):
                return found
    return None


def base_classes(file: SourceFile, node: ast.ClassDef) -> Iterator[tuple[SourceFile, ast.ClassDef]]:
    """The classes of this package that a class inherits from, nearest first."""
    for base in node.bases:
        expression = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            module = next((one for one in file.imports if one.name == expression.value.id), None)
            home = files_by_module().get(module.module) if module else None
            found = find_class(home, expression.attr) if home else None
        elif isinstance(expression, ast.Name):
            found = find_class(file, expression.id)
        else:
            found = None
        if found is not None:
            yield found
            yield from base_classes(*found)
