"""The notation inside Sales Navigator's `query=`: `(key:value,…)`, `List(…)`, encoded words.

A word (a text or an id) is percent-encoded on its own, so that none of `( ) , :` in it can be
taken for structure; the notation as a whole is encoded once more when it is put into the URL
(lix.md#search-urls).
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
# LinkedIn's own queries are six deep.
_DEEPEST = 20


def encoded(text: str) -> str:
    """The text percent-encoded once, every reserved character included.

    Raises `ConfigurationError` for lone surrogates, which no URL can carry.
    """
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ConfigurationError("a search text holds broken Unicode: remove it") from None


def write(node: Node) -> str:
    """The notation of a node, its words encoded once."""
    if isinstance(node, str):
        return encoded(node)
    if isinstance(node, list):
        return f"List({','.join(map(write, node))})"
    return f"({','.join(f'{key}:{write(value)}' for key, value in node.items())})"


def read(text: str) -> Node:
    """The node that a text in the notation stands for, its words decoded once.

    Raises `ConfigurationError` for a text that is not in the notation.
    """
    node, end = _node(text, 0, 0)
    if end != len(text):
        raise _broken(end)
    return node


def _node(text: str, at: int, depth: int) -> tuple[Node, int]:
    if depth > _DEEPEST:
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
    """The place after a comma, or after the bracket that closes; and whether it closed."""
    if text[at : at + 1] not in (",", ")"):
        raise _broken(at)
    return at + 1, text[at] == ")"


def _broken(at: int) -> ConfigurationError:
    return ConfigurationError(
        f"the Sales Navigator query cannot be read at character {at}: copy the URL again from the "
        "browser"
    )
