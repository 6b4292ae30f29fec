"""Type checks of arguments by their annotations.

Python checks no annotations. Without these checks a wrong type fails somewhere inside with a
`TypeError` that names neither the argument nor the expected type, or is sent and charged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

import msgspec

from .errors import ConfigurationError

T = TypeVar("T")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_TYPE_NAMES: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
}


class ValidatedStruct(msgspec.Struct, frozen=True):
    """A struct that checks the types of its fields when it is created."""

    def __post_init__(self) -> None:
        """Check the types of all fields.

        Raises:
            ConfigurationError: A field has another type.

        """
        cls = type(self)
        for name, kind in _fields(cls):
            check_type(f"{cls.__name__}.{name}", getattr(self, name), kind)


@cache
def _fields(cls: type[ValidatedStruct]) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.type) for field in msgspec.structs.fields(cls))


def check_type(name: str, value: object, kind: object) -> None:
    """Check the type of an argument.

    An int is accepted as a float; True and False are not accepted as numbers. The message does not
    contain the value, which may be confidential.

    Args:
        name: Name of the argument, for the message.
        value: What the caller passed.
        kind: The type: a class, or an annotation.

    Raises:
        ConfigurationError: The value has another type.

    """
    if not _fits(value, kind):
        expected = _describe_type(kind)
        raise ConfigurationError(f"{name} must be {expected}, not {_describe_value(value)}")


def as_list(name: str, values: Iterable[T]) -> list[T]:
    """Return the values of an iterable argument as a list.

    Raises:
        ConfigurationError: It is not iterable.

    """
    if not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError(f"{name} must be a list, not {_describe_value(values)}")
    return list(values)


def check_attributes(name: str, value: object, what: str, *methods: str) -> None:
    """Check that an argument has the methods of an interface.

    Args:
        name: Name of the argument, for the message.
        value: What the caller passed.
        what: Name of the interface, for the message.
        *methods: Its methods.

    Raises:
        ConfigurationError: One of the methods is missing, or the argument is a class.

    """
    present = [callable(getattr(value, method, None)) for method in methods]
    if isinstance(value, type) or not all(present):
        raise ConfigurationError(f"{name} must be {what}, not {_describe_value(value)}")


def _fits(value: object, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(kind))
    if origin is Literal:
        return value in get_args(kind)
    if origin is not None:  # a mapping: no other container is checked
        if not isinstance(value, Mapping):
            return False
        keys, values = get_args(kind)
        pairs = cast("Mapping[object, object]", value).items()
        return all(_fits(key, keys) and _fits(item, values) for key, item in pairs)
    if kind in (int, float):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, kind)


def _describe_type(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_describe_type(part) for part in parts)
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    if origin is not None:
        return f"a mapping to {_describe_type(parts[1])}"
    name: str = kind.__name__
    return _TYPE_NAMES.get(kind) or f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _describe_value(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    return "None" if value is None else type(value).__name__


def encoded_json(
    name: str, value: object, enc_hook: Callable[[object], object] | None = None
) -> bytes:
    """A value as JSON that every server and database can take.

    Args:
        name: Name of the value, for the message.
        value: The value.
        enc_hook: Gives an object that JSON has in place of one that it does not, else None.

    Raises:
        ConfigurationError: It has half a surrogate pair, a null character, or an object that JSON
            has not. The message does not contain the value.
    """

    def replaced(part: object) -> object:
        found = None if enc_hook is None else enc_hook(part)
        if found is None:
            raise NotImplementedError  # what msgspec expects for a type that JSON has not
        return found

    try:
        text = msgspec.json.encode(value, enc_hook=replaced)
        null = b"\\u0000" in text and _NUL.search(text) is not None  # the search alone is slow
        problem = "has a null character" if null else ""
    except UnicodeEncodeError:
        problem = "has characters that cannot be encoded as UTF-8"
    except Exception:  # noqa: BLE001  # also what the methods of an object of the caller's raise
        problem = "cannot be written as JSON"
    else:
        if not problem:
            return text
    raise ConfigurationError(f"{name} {problem}")


def guarded_repr(method: Callable[[Any], str]) -> Callable[[Any], str]:
    """A `__repr__` that also works before the constructor has set all attributes.

    A traceback with local variables shows `self` of a constructor that raised.
    """

    @wraps(method)
    def guarded(self: object) -> str:
        try:
            return method(self)
        except AttributeError:
            return f"<{type(self).__name__}, not complete>"

    return guarded
