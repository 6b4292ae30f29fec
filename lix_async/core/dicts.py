"""Structs as dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

import msgspec

from .bridge import set_fields
from .errors import ConfigurationError


def to_dict(
    struct: msgspec.Struct | Mapping[str, object],
    *,
    names: Literal["python", "wire"] = "python",
    unset: bool = True,
) -> dict[str, object]:
    """A struct as a dict, with the structs inside it.

    Args:
        struct: A struct, or an open object such as `Post`, which keeps its keys.
        names: `python` for the names of the fields, `wire` for those that the provider uses.
        unset: Whether fields without a value are there, so that all structs of a type have the
            same keys. Without them, the fields are those that `msgspec.json.encode` writes.

    Returns:
        Fields and their values: other structs as dicts, all other values as they are.

    Raises:
        ConfigurationError: If an argument is not valid.

    Example:
        ```python
        to_dict(person)["first_name"]
        ```
    """
    if names not in ("python", "wire"):
        raise ConfigurationError(f"invalid names {names!r}: expected 'python' or 'wire'")
    if not isinstance(struct, msgspec.Struct | dict):
        kind = type(struct).__name__
        raise ConfigurationError(f"invalid struct: expected a struct or a dict, got {kind}")
    return cast("dict[str, object]", _plain(struct, wire=names == "wire", unset=unset))


def _plain(value: object, *, wire: bool, unset: bool) -> object:
    if isinstance(value, msgspec.Struct):
        written = value.__struct_fields__ if unset else set_fields(value)
        keys = value.__struct_encode_fields__ if wire else value.__struct_fields__
        return {
            key: _plain(getattr(value, name), wire=wire, unset=unset)
            for name, key in zip(value.__struct_fields__, keys, strict=True)
            if name in written
        }
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return {key: _plain(one, wire=wire, unset=unset) for key, one in items}
    if isinstance(value, list):
        return [_plain(one, wire=wire, unset=unset) for one in cast("list[object]", value)]
    return value
