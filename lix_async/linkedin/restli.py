"""The notation in the `query=` of Sales Navigator: `(key:value,…)`, `List(…)` and encoded words.

A word (a text or an id) is percent-encoded on its own, so that none of `( ) , :` in it is read as
structure. The whole notation is encoded once more in the URL (lix.md#search-urls).
"""

from __future__ import annotations

import re
from typing import TypeAlias
from urllib.parse import quote, unquote

from lix_async.core.errors import ConfigurationError

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
"""A word, a `List(…)`, or a record."""

_WORD = re.compile(r"[^(),]*")
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9]*):")
_MAX_DEPTH = 20
"""Nesting that is accepted; LinkedIn's own queries have six levels."""


def encoded(text: str) -> str:
    """The text percent-encoded once, including every reserved character.

    Raises:
        ConfigurationError: The text has lone surrogates, which a URL cannot represent.
    """
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ConfigurationError("the search text has broken Unicode: remove it") from None


def write(node: Node) -> str:
    """The notation of a node, with its words encoded once."""
    if isinstance(node, str):
        return encoded(node)
    if isinstance(node, list):
        return f"List({','.join(map(write, node))})"
    return f"({','.join(f'{key}:{write(value)}' for key, value in node.items())})"


def read(text: str) -> Node:
    """The node of a text in the notation, with its words decoded once.

    Raises:
        ConfigurationError: The text is not in the notation.
    """
    node, end = _node(text, 0, 0)
    if end != len(text):
        raise _broken(end)
    return node


def _node(text: str, at: int, depth: int) -> tuple[Node, int]:
    if depth > _MAX_DEPTH:
        raise _broken(at)
    if text.startswith("List(", at):
        return _list(text, at + len("List("), depth)
    if text.startswith("(", at):
        return _record(text, at + 1, depth)
    word = _WORD.match(text, at)
    end = word.end() if word else at
    try:
        return unquote(text[at:end], errors="strict"), end
    except UnicodeDecodeError:
        raise _broken(at) from None


def _list(text: str, at: int, depth: int) -> tuple[list[Node], int]:
    items: list[Node] = []
    if text.startswith(")", at):
        return items, at + 1
    while True:
        item, at = _node(text, at, depth + 1)
        items.append(item)
        at, done = _separator(text, at)
        if done:
            return items, at


def _record(text: str, at: int, depth: int) -> tuple[dict[str, Node], int]:
    fields: dict[str, Node] = {}
    if text.startswith(")", at):
        return fields, at + 1
    while True:
        key = _KEY.match(text, at)
        if key is None:
            raise _broken(at)
        fields[key[1]], at = _node(text, key.end(), depth + 1)
        at, done = _separator(text, at)
        if done:
            return fields, at


def _separator(text: str, at: int) -> tuple[int, bool]:
    """The position after a comma or a closing bracket, and whether it was a bracket."""
    if text[at : at + 1] not in (",", ")"):
        raise _broken(at)
    return at + 1, text[at] == ")"


def _broken(at: int) -> ConfigurationError:
    return ConfigurationError(
        f"the Sales Navigator query cannot be read at character {at}: copy the URL again from the "
        "browser"
    )
