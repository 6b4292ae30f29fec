"""JSON as servers write it: strict where it can be, and read tolerantly where it is not.

A byte order mark is skipped, half of a surrogate pair and bytes that are not UTF-8 become U+FFFD,
and NaN, infinities and numbers out of range become null. Of two equal keys the last one counts, as
in nearly every reader. An answer with such a value was charged like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import cast

import msgspec

JSON_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a text that is no strict JSON, or does not fit a type."""
LONGEST_INTEGER = 640
"""Digits that Python reads under any setting of `sys.set_int_max_str_digits`."""
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\."
)
"""Escapes in JSON. One of six characters is half of a surrogate pair without its other half."""


class SchemaMismatch(Exception):
    """A body does not fit its struct, at `path`."""

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class UnknownKeys(SchemaMismatch):
    """None of an object's keys is known."""


def parse_json(body: bytes) -> object:
    """Parse a JSON text tolerantly.

    Raises:
        SchemaMismatch: It is no JSON even so.

    """
    try:
        return msgspec.json.decode(body)
    except JSON_ERRORS as error:
        problem, path = describe_error(error)
    text = _decoded(body)
    try:
        # A prefix that keeps browsers from running the text as a script.
        return _tolerant_parser()(text.removeprefix(")]}',"))
    except (ValueError, RecursionError):
        pass  # raised below: the traceback of this error would hold the text
    raise SchemaMismatch(problem, path)


def json_object(body: bytes) -> dict[str, object] | None:
    """Parse a body that is a JSON object, tolerantly; None for any other."""
    try:
        tree = parse_json(body)
    except SchemaMismatch:
        return None
    return cast("dict[str, object]", tree) if isinstance(tree, dict) else None


def strict_json(body: bytes) -> bytes:
    """The same JSON as a strict text: the body itself where it is one.

    Raises:
        SchemaMismatch: It is no JSON, even read tolerantly.

    """
    return body if is_strict_json(body) else msgspec.json.encode(parse_json(body))


def is_strict_json(body: bytes) -> bool:
    """Whether a text is JSON that needs no repair."""
    try:
        msgspec.json.decode(body)
    except JSON_ERRORS:
        return False
    return True


def compact(body: bytes) -> bytes:
    """Return a JSON text on one line, with every number and text as it was."""
    return msgspec.json.format(body, indent=-1)


def describe_error(error: Exception) -> tuple[str, str]:
    """What is wrong with a text that msgspec could not read, and where."""
    if isinstance(error, RecursionError):
        return "the answer is nested too deeply", "$"
    if isinstance(error, UnicodeDecodeError):
        return "the answer is not UTF-8", "$"
    message, _, path = str(error).partition(" - at `")
    return message, path.rstrip("`") or "$"


@cache
def _tolerant_parser() -> Callable[[str], object]:
    from json import JSONDecoder  # late, because most processes never need it

    return JSONDecoder(
        parse_float=_fraction,
        parse_int=lambda digits: int(digits) if len(digits) <= LONGEST_INTEGER else None,
        parse_constant=lambda _: None,
        strict=False,
    ).decode


def _fraction(digits: str) -> float | None:
    number = float(digits)
    return None if number in (float("inf"), float("-inf")) else number


def _decoded(body: bytes) -> str:
    from json import detect_encoding  # by RFC 4627: UTF-16 and UTF-32 are recognised as well

    text = body.decode(detect_encoding(body), "replace").lstrip("\ufeff")
    return _ESCAPES.sub(lambda found: found[0] if len(found[0]) != 6 else "\\ufffd", text)
