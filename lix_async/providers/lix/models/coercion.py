"""Values of unknown type as an object, list or text: empty if they are something else."""

from __future__ import annotations

from typing import cast


def as_object(value: object) -> dict[str, object]:
    """The value if it is an object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value if it is an array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_text(value: object) -> str | None:
    """The value if it is a text and not empty."""
    return value if isinstance(value, str) and value else None


def as_texts(value: object) -> list[str]:
    """The texts of an array."""
    return [item for item in as_list(value) if isinstance(item, str)]
