"""Validation errors of ConnectSafely, which validates requests with Zod.

Contract: connectsafely.md#errors. Codes other than `invalid_type` have other keys.
"""

from __future__ import annotations

import re

_MISSING = re.compile(r"Object missing required field `(\w+)`")
_TYPE = re.compile(r"Expected `([^`]+)`, got `([^`]+)`(?: - at `\$\.(\w+))?")
_MINIMUM = re.compile(r"(\w+) must be at least (\d+)")
_RULE = re.compile(r"(\w+) must ")
_NAMES = {"str": "string", "int": "number", "float": "number", "bool": "boolean"}
"""Zod's names of types that msgspec names otherwise."""


def issue(message: str) -> dict[str, object] | None:
    """The Zod issue for an error message about a field.

    Args:
        message: A message of `core.validation` or msgspec.

    Returns:
        None if the message is not about a field.
    """
    if found := _MISSING.search(message):
        types: dict[str, object] = {"expected": "string", "received": "undefined"}
        return {"code": "invalid_type", **types, "path": [found[1]], "message": "Required"}
    if found := _TYPE.search(message):
        expected, received = _type(found[1]), _type(found[2])
        return {
            "code": "invalid_type",
            "expected": expected,
            "received": received,
            "path": [found[3]] if found[3] else [],
            "message": f"Expected {expected}, received {received}",
        }
    if found := _MINIMUM.match(message):
        return {
            "code": "too_small",
            "minimum": int(found[2]),
            "type": "number",
            "inclusive": True,
            "exact": False,
            "message": f"Number must be greater than or equal to {found[2]}",
            "path": [_camel(found[1])],
        }
    if found := _RULE.match(message):
        return {"code": "custom", "message": message, "path": [_camel(found[1])]}
    return None


def _type(text: str) -> str:
    """Zod's name for a type in a msgspec message, without `| null`."""
    first = text.split(" | ", maxsplit=1)[0]
    return _NAMES.get(first, first)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
