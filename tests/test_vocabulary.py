"""The words of the project: none that `retired_words.txt` gave up is used, in code or prose.

The head of `retired_words.txt` explains its format. Each violation names what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from source_tree import (
    ROOT,
    Function,
    SourceFile,
    Violation,
    documents,
    package_files,
    python_files,
    report,
)

LIST = Path(__file__).parent / "retired_words.txt"
ABOUT_WORDS = {"tests/test_vocabulary.py"}
AREAS = ("lix_async", "docs", "examples", "benchmarks", "tests")

UseKind = Literal["everywhere", "identifiers", "prose", "definitions", "members"]


@dataclass(frozen=True)
class Retired:
    """An entry of the list: what is not used any more, where, and what is used instead."""

    words: tuple[str, ...]
    where: str
    instead: str
    paths: tuple[str, ...]
    line: int

    def applies_to(self, path: str) -> bool:
        """Whether the file is among those that the entry is about."""
        return any(fnmatch(path, glob) for glob in self.paths or ("*",))


@dataclass
class Allowed:
    """An exception of the list."""

    words: tuple[str, ...]
    paths: tuple[str, ...]
    line: int
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Use:
    """A place where something is named or said."""

    kind: UseKind
    path: str
    line: int
    text: str


def _list(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in cell.split(","))))


@cache
def entries() -> tuple[tuple[Retired, ...], tuple[Allowed, ...]]:
    """The two sections of the list."""
    retired, allowed, section = [], [], ""
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if section == "[retired]":
            words, where, instead, paths = cells
            retired.append(Retired(_list(words), where, instead, _list(paths), number))
        else:
            words, paths, reason = cells
            assert reason, f"line {number}: an exception needs a reason"
            allowed.append(Allowed(_list(words), _list(paths), number))
    return tuple(retired), tuple(allowed)


WORD = re.compile(r"[A-Za-z]+")
PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


def split(identifier: str) -> list[str]:
    """The words of an identifier in lower case: at `_` and at capitals."""
    return [word.lower() for word in PART.findall(identifier)]


def _names(file: SourceFile) -> Iterator[Use]:
    """What a file binds: each name as an identifier, and as what else it is."""
    path = file.relative
    name = file.path.parent.name if file.path.stem == "__init__" else file.path.stem
    yield Use("identifiers", path, 1, name)
    for node in file.nodes:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                yield Use("identifiers", path, node.lineno, node.id)
        elif isinstance(node, ast.Attribute):
            if isinstance(node.ctx, ast.Store):
                yield Use("identifiers", path, node.lineno, node.attr)
                yield Use("members", path, node.lineno, node.attr)
        elif isinstance(node, ast.arg):
            yield Use("identifiers", path, node.lineno, node.arg)
            yield Use("members", path, node.lineno, node.arg)
        elif isinstance(node, Function):
            yield Use("identifiers", path, node.lineno, node.name)
        elif isinstance(node, ast.ClassDef):
            yield Use("identifiers", path, node.lineno, node.name)
            yield Use("definitions", path, node.lineno, node.name)
            for inner in node.body:
                if isinstance(inner, Function):
                    yield Use("members", path, inner.lineno, inner.name)
                elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                    yield Use("members", path, inner.lineno, inner.target.id)
        elif isinstance(node, ast.alias):
            if node.asname:
                yield Use("identifiers", path, getattr(node, "lineno", 1), node.asname)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield Use("identifiers", path, node.lineno, node.name)


def _definitions(file: SourceFile) -> Iterator[Use]:
    """What a module defines at its top, besides classes."""
    top = [node for node in file.tree.body if not isinstance(node, ast.If)]
    top += [inner for node in file.tree.body if isinstance(node, ast.If) for inner in node.body]
    for node in top:
        targets: list[ast.expr] = []
        if isinstance(node, Function):
            yield Use("definitions", file.relative, node.lineno, node.name)
        elif isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield Use("definitions", file.relative, node.lineno, target.id)


STRING_OR_COMMENT = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*''',
    re.DOTALL,
)
"""Four forms of a string, and a comment: four times as fast as `tokenize`."""


def comments(source: str) -> Iterator[tuple[int, str]]:
    """The comments of a module with their lines."""
    for match in STRING_OR_COMMENT.finditer(source):
        if match.group().startswith("#"):
            yield source.count("\n", 0, match.start()) + 1, match.group()


def _prose(file: SourceFile) -> Iterator[Use]:
    """Comments, docstrings and other strings; an f-string's values are left out."""
    for line, comment in comments(file.text):
        yield Use("prose", file.relative, line, comment)
    for node in file.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Use("prose", file.relative, node.lineno, node.value)


def uses(file: SourceFile) -> Iterator[Use]:
    """All that a Python file names and says."""
    for use in (*_names(file), *_definitions(file)):
        if not use.text.startswith("__"):
            yield use
    yield from _prose(file)


def document_uses(path: Path) -> Iterator[Use]:
    """What a document says."""
    relative = path.relative_to(ROOT).as_posix()
    yield Use("prose", relative, 1, path.read_text(encoding="utf-8"))


@cache
def _index() -> dict[str, dict[str, list[Retired]]]:
    """The entries by kind of use and word, without phrases."""
    index: dict[str, dict[str, list[Retired]]] = {
        kind: {} for kind in ("identifiers", "prose", "definitions", "members")
    }
    for entry in entries()[0]:
        kinds = ("identifiers", "prose") if entry.where == "everywhere" else (entry.where,)
        for kind in kinds:
            for word in entry.words:
                index[kind].setdefault(word, []).append(entry)
    return index


@cache
def _phrases() -> tuple[re.Pattern[str], dict[str, list[Retired]]]:
    """A pattern for all phrases, and the entries of each."""
    found: dict[str, list[Retired]] = {}
    for entry in entries()[0]:
        for phrase in entry.words:
            if " " in phrase and entry.where in ("everywhere", "prose"):
                found.setdefault(phrase, []).append(entry)
    words = "|".join(phrase.replace(" ", r"\s+") for phrase in found)
    return re.compile(rf"\b({words})\b", re.IGNORECASE), found


def _words(use: Use) -> Iterator[tuple[str, int, Retired]]:
    """The retired words of a use, with their offset."""
    index = _index()[use.kind]
    if use.kind in ("definitions", "members"):
        for entry in index.get(use.text, ()):
            yield use.text, 0, entry
        return
    if use.kind == "identifiers":
        for word in split(use.text):
            for entry in index.get(word, ()):
                yield word, 0, entry
        return
    for match in WORD.finditer(use.text):
        found = match.group()
        for word in [found] if found.islower() else split(found):
            for entry in index.get(word, ()):
                yield word, match.start(), entry
    pattern, phrases = _phrases()
    for match in pattern.finditer(use.text) if " " in use.text else ():
        phrase = " ".join(match.group().lower().split())
        for entry in phrases[phrase]:
            yield phrase, match.start(), entry


def _is_allowed(word: str, path: str) -> bool:
    found = False
    for one in entries()[1]:
        if word in one.words and any(fnmatch(path, glob) for glob in one.paths):
            one.used.add(word)
            found = True
    return found


def violations(found: Iterable[Use]) -> Iterator[Violation]:
    """What of these uses the list has retired."""
    for use in found:
        for word, offset, entry in _words(use):
            if not entry.applies_to(use.path) or _is_allowed(word, use.path):
                continue
            line = use.line + use.text.count("\n", 0, offset)
            inside = use.kind == "identifiers" and word != use.text
            where = f"{word!r} in {use.text}" if inside else repr(word)
            kind = {"identifiers": "name", "prose": "text"}.get(use.kind, "definition")
            yield Violation(use.path, line, f"{kind} {where}: use {entry.instead}")


def area_uses(area: str) -> Iterator[Use]:
    """All uses in an area of the project."""
    if area == "docs":
        for path in documents():
            yield from document_uses(path)
        return
    files = python_files(area)
    if area == "tests":
        files += python_files("noxfile.py")
    for file in files:
        if file.relative in ABOUT_WORDS:
            continue
        for use in uses(file):
            vendor = area == "lix_async" and use.kind == "definitions" and file.is_vendor_vocabulary
            if not vendor and (area == "lix_async" or use.kind in ("identifiers", "prose")):
                yield use
        if area != "lix_async":
            file.forget()


@cache
def area_violations(area: str) -> tuple[Violation, ...]:
    """What the list has retired and an area still uses."""
    return tuple(violations(area_uses(area)))


@pytest.mark.parametrize("area", AREAS)
def test_no_retired_word_is_used(area: str) -> None:
    report(area_violations(area))


BAD_STYLE = re.compile(r"\bis no \b|\bnobody\b|\bknows\b")


def _literals(file: SourceFile) -> Iterator[tuple[int, str]]:
    """The strings of a file that are no docstrings; a value inside an f-string reads as `x`."""
    inside = {
        id(part)
        for node in file.nodes
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in file.nodes:
        if id(node) in inside or id(node) in file.docstrings:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (
                str(one.value) if isinstance(one, ast.Constant) else "x" for one in node.values
            )
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@cache
def message_violations() -> tuple[Violation, ...]:
    """The messages of the package that are in the old style."""
    return tuple(
        file.at(line, f"message style {match.group().strip()!r}: {text.strip()[:70]!r}")
        for file in package_files()
        for line, text in _literals(file)
        for match in BAD_STYLE.finditer(text)
        if not _is_allowed(match.group().strip(), file.relative)
    )


def test_messages_state_what_is_wrong_and_what_is_expected() -> None:
    """`invalid rate '5': expected …`, not `'5' is no rate`."""
    report(message_violations())


def test_the_list_is_well_formed_and_has_no_idle_exception() -> None:
    here = LIST.relative_to(ROOT).as_posix()
    kinds = {"everywhere", "identifiers", "prose", "definitions", "members"}
    retired, allowed = entries()
    found = [
        Violation(here, entry.line, f"unknown kind {entry.where!r}")
        for entry in retired
        if entry.where not in kinds
    ]
    known = {word for entry in retired for word in entry.words} | {"is no", "knows"}
    for area in AREAS:
        area_violations(area)  # marks the exceptions that are used
    message_violations()
    for one in allowed:
        for word in one.words:
            if word not in known:
                found.append(Violation(here, one.line, f"{word!r} is not retired"))
            elif word not in one.used:
                found.append(Violation(here, one.line, f"the exception for {word!r} is not needed"))
    report(found)
