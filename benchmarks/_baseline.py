"""Pydantic models with the fields of this library's structs, to compare with."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import msgspec

if TYPE_CHECKING:
    import pydantic

_MADE: dict[tuple[type, type], Any] = {}


def baseline_model(struct: type, base: type[pydantic.BaseModel]) -> type[pydantic.BaseModel]:
    """Return the model of a struct: same fields, wire names and defaults, on the given base."""
    import pydantic

    if (struct, base) in _MADE:
        return _MADE[struct, base]
    _MADE[struct, base] = struct.__name__  # for a struct inside itself: pydantic resolves the name
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        default = pydantic.Field(
            alias=field.encode_name,
            default_factory=list if field.default is msgspec.NODEFAULT else None,
            **({} if field.default is msgspec.NODEFAULT else {"default": field.default}),
        )
        fields[field.name] = (_translated(field.type, base), default)
    model = pydantic.create_model(struct.__name__, __base__=base, **fields)
    _MADE[struct, base] = model
    return model


def _translated(kind: Any, base: type[pydantic.BaseModel]) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return baseline_model(kind, base)
    if isinstance(kind, type) and issubclass(kind, dict):
        return dict[str, Any]
    parts = tuple(_translated(part, base) for part in get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        return Union[parts]  # noqa: UP007  # made at run time
    return get_origin(kind)[parts] if parts else kind
