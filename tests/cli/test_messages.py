"""Every message of the package: plain grammar for any number, and a hint with every error."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from source_tree import SourceFile, package_files

from lix_async.cli.text import counted, nearest, plural

# What is counted in messages. A number before one of them may be 1.
NOUNS = (
    *("account", "answer", "byte", "call", "chunk", "column", "credit", "duplicate", "field"),
    *("file", "id", "input", "item", "line", "link", "lookup", "name", "page", "post", "problem"),
    *("profile", "request", "result", "row", "subject", "value", "version"),
)
PLURAL = re.compile(
    rf"[ \n](?!in |these |has )(?:[a-z]+ )?(?:(?:{'|'.join(f'{noun}s' for noun in NOUNS)})|people|queries|companies)\b"
)
VERB = re.compile(r" (?:are|have|were)\b")
NUMBER = re.compile(r"^(?:len|sum|max|min)\(|(?:^|[._(])(?:n|count|number|total|lost|used|left)\b")
LIMIT = re.compile(r"\b(?:limit|self\._limit|[A-Z][A-Z_]+)\b")
"""Numbers that are never 1: the limits that the package has."""


def formatted(file: SourceFile) -> Iterator[tuple[ast.JoinedStr, ast.FormattedValue, str]]:
    """The values in texts, each with the text after it."""
    for node in file.nodes:
        if isinstance(node, ast.JoinedStr):
            for at, value in enumerate(node.values):
                if isinstance(value, ast.FormattedValue):
                    after = node.values[at + 1] if at + 1 < len(node.values) else None
                    text = after.value if isinstance(after, ast.Constant) else ""
                    yield node, value, str(text)


def is_number(value: ast.FormattedValue) -> bool:
    """Whether a value is written as a number, or named like one."""
    spec = ast.unparse(value.format_spec) if value.format_spec else ""
    return "," in spec or NUMBER.search(ast.unparse(value.value)) is not None


def test_numbers_agree_with_their_nouns() -> None:
    """A noun in the plural follows no number that may be 1: `counted` and `plural` choose it."""
    wrong = [
        f"{file.path}:{node.lineno}: {{{ast.unparse(value.value)}}}{text[:30]!r}"
        for file in package_files()
        if file.parts[0] != "sandbox"
        for node, value, text in formatted(file)
        if not LIMIT.search(ast.unparse(value.value))
        if PLURAL.match(text) or (is_number(value) and VERB.match(text))
    ]
    assert not wrong, "\n".join(wrong)


def command_errors(file: SourceFile) -> Iterator[ast.Call]:
    for node in file.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("CommandError"):
            yield node


def test_every_command_error_has_a_hint() -> None:
    wrong = [
        f"{file.path}:{call.lineno}: {ast.unparse(call)[:80]}"
        for file in package_files()
        for call in command_errors(file)
        if not any(word.arg == "hint" and ast.unparse(word.value) != "''" for word in call.keywords)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("count", "word", "text"),
    [
        (1, "row", "1 row"),
        (0, "row", "0 rows"),
        (1200, "credit", "1,200 credits"),
        (2, "person", "2 people"),
        (1, "person", "1 person"),
        (3, "company", "3 companies"),
        (2, "day", "2 days"),
    ],
)
def test_counts(count: int, word: str, text: str) -> None:
    assert counted(count, word) == text
    assert plural(count, word) == text.partition(" ")[2]


def test_verbs_agree() -> None:
    assert [plural(n, "is") for n in (1, 2)] == ["is", "are"]
    assert [plural(n, "has") for n in (1, 0)] == ["has", "have"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("--verson", "--version"),
        ("version", "--version"),
        ("enrihc", "enrich"),
        ("Help", "help"),
        ("--hlep", "--help"),
        ("zzz", None),
    ],
)
def test_the_nearest_name(word: str, found: str | None) -> None:
    names = ["person", "enrich", "help", "--help", "--version", "-V"]
    assert nearest(word, names) == found
