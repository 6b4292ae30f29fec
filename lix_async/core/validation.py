"""Whether what a caller gives is of the type that is written down for it.

Python checks no annotation. Without this a wrong type fails somewhere inside with a `TypeError`
that names neither the argument nor what it takes, or is sent, and paid for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec

from .errors import ConfigurationError

T = TypeVar("T")
_WORDS: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
}


class ValidatedStruct(msgspec.Struct, frozen=True):
    """A value whose fields are of their types from the moment at which it is made."""

    def __post_init__(self) -> None:
        """Raise `ConfigurationError` for the first field that is not."""
        cls = type(self)
        for name, kind in _fields(cls):
            check_type(f"{cls.__name__}.{name}", getattr(self, name), kind)


@cache
def _fields(cls: type[ValidatedStruct]) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.type) for field in msgspec.structs.fields(cls))


def check_type(name: str, value: object, kind: object) -> None:
    """Raise `ConfigurationError` unless `value` is of `kind`: a class, or what an annotation says.

    A whole number is a number, but True and False are none. The value is not told: it may be
    private.
    """
    if not _fits(value, kind):
        raise ConfigurationError(f"{name} must be {_word(kind)}, not {_type(value)}")


def as_list(name: str, values: Iterable[T]) -> list[T]:
    """The list of what is there to be iterated, or `ConfigurationError`."""
    if not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError(f"{name} must be a list, not {_type(values)}")
    return list(values)


def check_attributes(name: str, value: object, what: str, *methods: str) -> None:
    """Raise `ConfigurationError` unless the object has these methods, as `what` has."""
    found = [callable(getattr(value, method, None)) for method in methods]
    if isinstance(value, type) or not all(found):
        raise ConfigurationError(f"{name} must be {what}, not {_type(value)}")


def _fits(value: object, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(kind))
    if origin is Literal:
        return value in get_args(kind)
    if origin is not None:  # a mapping: no other container is asked for
        if not isinstance(value, Mapping):
            return False
        keys, values = get_args(kind)
        pairs = cast("Mapping[object, object]", value).items()
        return all(_fits(key, keys) and _fits(one, values) for key, one in pairs)
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, kind)


def _word(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_word(part) for part in parts)
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    if origin is not None:
        return f"a mapping to {_word(parts[1])}"
    name: str = kind.__name__
    return _WORDS.get(kind) or f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _type(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    return "None" if value is None else type(value).__name__
