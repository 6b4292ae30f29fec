"""Tables for notebooks. Everything in them was written by strangers, so all of it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from urllib.parse import urlsplit

import msgspec

from .bridge import set_fields
from .plurals import counted

MOST_ROWS = 20
"""Rows of a table. The number of the others is stated below it."""
MOST_COLUMNS = 12
LONGEST = 120
"""Characters of a cell."""
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


def html_fields(title: str, value: msgspec.Struct | Mapping[str, object]) -> str:
    """A table of the fields of an object, one in a row."""
    fields = value if isinstance(value, Mapping) else set_fields(value)
    return _table(title, ("", ""), list(fields.items()), len(fields))


def html_items(title: str, items: Sequence[object]) -> str:
    """A table of items, with the fields that any of them has."""
    rows = [item_fields(item) for item in items[:MOST_ROWS]]
    # 0 and False are values.
    columns = list(
        dict.fromkeys(
            name for row in rows for name, one in row.items() if one or isinstance(one, int | float)
        )
    )[:MOST_COLUMNS]
    return _table(title, columns, [[row.get(name) for name in columns] for row in rows], len(items))


def item_fields(item: object) -> Mapping[str, object]:
    """The fields of an item that have a value; of another value, this one alone."""
    if isinstance(item, msgspec.Struct):
        return set_fields(item)
    return cast("Mapping[str, object]", item) if isinstance(item, Mapping) else {"value": item}


def _table(title: str, columns: Sequence[str], rows: Sequence[Iterable[object]], total: int) -> str:
    head = "".join(f"<th>{_escaped(name)}</th>" for name in columns) if any(columns) else ""
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(one)}</td>' for one in row)}</tr>" for row in rows[:MOST_ROWS]
    )
    more = f"<p>{total - MOST_ROWS:,} more</p>" if total > MOST_ROWS else ""
    caption = f"<caption>{_escaped(title)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        many = cast("list[object]", value)
        plain = [one for one in many if isinstance(one, str | int | float)]
        text = ", ".join(map(str, plain)) if len(plain) == len(many) else counted(len(many), "item")
    elif isinstance(value, msgspec.Struct | Mapping):
        fields = ((name, one) for name, one in item_fields(cast("object", value)).items())
        text = ", ".join(f"{name}: {one}" for name, one in fields if isinstance(one, str | int))
    else:
        text = str(value)
    shown = _escaped(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
    if isinstance(value, str) and is_linkedin_url(value):
        return f'<a href="{_escaped(value)}" rel="noopener noreferrer">{shown}</a>'
    return shown


def _escaped(text: str) -> str:
    from html import escape  # late, because most programs never need it

    return escape(text)


def is_linkedin_url(text: str) -> bool:
    """Whether a text is a page of LinkedIn for every browser: only such a one becomes a link."""
    if not text.isascii() or not text.isprintable() or set(text) & set(" \\\"'<>"):
        return False  # browsers drop control characters, and read a backslash as a slash
    try:
        scheme, host, *_ = urlsplit(text)
    except ValueError:
        return False
    host = host.lower()
    is_linkedin = host == "linkedin.com" or host.endswith(".linkedin.com")
    return scheme == "https" and is_linkedin and _HOST.issuperset(host)
