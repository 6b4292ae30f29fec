"""Single values of an answer in the type of their field."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from msgspec import inspect

JsonObject = dict[str, object]
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?\s*", re.ASCII)
_MAX_DIGITS = 40


def decode_undocumented(kind: type, value: object) -> object:
    """Decode a value of a type that msgspec does not know; its `dec_hook`."""
    if kind is object:  # a field whose type is not documented
        return value
    if issubclass(kind, dict) and isinstance(value, dict):  # an `OpenObject`
        return cast("type[JsonObject]", kind)(cast("JsonObject", value))
    raise ValueError(f"Expected `object`, got `{type(value).__name__}`")


def number(value: object) -> int | float | None:
    """A number, also from a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and _NUMBER.fullmatch(value):
        text = value.replace(",", "")
        return float(text) if "." in text else int(text)
    return None


def _whole(value: object) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _text(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flag(value: object) -> bool | None:
    found = number(value)
    flags = {"true": True, "yes": True, "false": False, "no": False}
    return flags.get(str(value).strip().lower()) if found is None else found != 0


def _datetime(value: object) -> datetime | None:
    """From epoch seconds, also as a text, or from ISO 8601, in UTC unless it names a zone."""
    seconds = number(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC)
        parsed = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


SCALARS: dict[type[inspect.Type], tuple[type, str, Callable[[object], object]]] = {
    inspect.StrType: (str, "a text", _text),
    inspect.IntType: (int, "a number", _whole),
    inspect.FloatType: (float, "a number", number),
    inspect.BoolType: (bool, "a flag", _flag),
    inspect.DateTimeType: (datetime, "a date", _datetime),
}
"""For the type of a field: the type of its values, its name for people, and the conversion of any
other value that is neither null, an object nor a list."""


def type_name(value: Any) -> str:
    """The name of a value's type, for people."""
    names: dict[type, str] = {dict: "an object", list: "an array", str: "a text", bool: "a flag"}
    return "null" if value is None else names.get(value.__class__, "a number")
