"""Structs as types of pydantic, and so of FastAPI.

pydantic asks a class for its schema by `__get_pydantic_core_schema__`. Nothing else calls that, and
only inside it is `pydantic_core` imported, so the package does not need pydantic.

A struct is written as `msgspec.json.encode` writes it: under the wire's names, and without the
fields that this leaves out; `by_alias=False` gives the Python names. It is read by msgspec, from
the wire's names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast, get_args, get_origin

import msgspec

from .json_text import describe_error
from .values import decode_undocumented

if TYPE_CHECKING:
    from typing import LiteralString, Protocol

    from pydantic_core import CoreSchema as CoreSchema  # noqa: PLC0414  # others import it from here

    class SchemaHandler(Protocol):
        """What pydantic passes to the hook."""

        def generate_schema(self, source: object, /) -> CoreSchema:
            """The schema of any type."""
            ...


T = TypeVar("T")
_unfinished: ContextVar[frozenset[str]] = ContextVar("unfinished", default=frozenset())
"""The types whose schemas are being made. Inside of them, they are referred to by name: a person
has related persons."""


class ReadableStruct:
    """A base, beside `msgspec.Struct`, of the structs that callers receive.

    pydantic and FastAPI take them as types.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: SchemaHandler) -> CoreSchema:
        kind = cast("type[msgspec.Struct]", cls)
        return named_schema(
            kind,
            source,
            lambda: fields_schema(source, handler),
            read=lambda value: read_struct(value, source),
            write=set_fields,
            wire_names={field.name: field.encode_name for field in msgspec.structs.fields(kind)},
        )


def named_schema(
    type_: type[T],
    source: object,
    content: Callable[[], CoreSchema],
    *,
    read: Callable[[object], object],
    write: Callable[[T], object],
    wire_names: Mapping[str, str] = MappingProxyType({}),
) -> CoreSchema:
    """The schema of a type, which an OpenAPI document lists under its name.

    Args:
        type_: The type.
        source: The type as it was asked for: with its arguments, if it is generic.
        content: The schema of the values as JSON.
        read: Make an object from a JSON value. It may raise `msgspec.ValidationError`.
        write: Make the value that `content` describes.
        wire_names: The wire's names of the fields that `write` gives.
    """
    from inspect import cleandoc

    from pydantic_core import PydanticCustomError, core_schema

    def validate(value: object, _: object) -> object:
        if isinstance(value, type_):
            return value
        try:
            return read(value)
        except msgspec.ValidationError as error:
            message, path = describe_error(error)
        text = cast("LiteralString", f"{message} at {path}")  # type: ignore[redundant-cast]  # mypy: a `LiteralString` is any text
        raise PydanticCustomError("struct", text, {"path": path})

    def serialize(
        value: T,
        handler: Callable[[object], object],
        info: core_schema.SerializationInfo,
    ) -> object:
        written = handler(write(value))
        by_alias = cast("bool | None", info.by_alias)  # None where nothing is asked for
        if by_alias is None and wire_names:  # what is written can be read again
            fields = cast("dict[str, object]", written)
            return {wire_names.get(name, name): one for name, one in fields.items()}
        return written

    ref = _ref(source)
    unfinished = _unfinished.get()
    if ref in unfinished:
        return core_schema.definition_reference_schema(ref)
    token = _unfinished.set(unfinished | {ref})
    try:
        described = content()
    finally:
        _unfinished.reset(token)
    updates = {"title": type_.__name__}
    if type_.__doc__:
        updates["description"] = " ".join(cleandoc(type_.__doc__).partition("\n\n")[0].split())
    # The name stands on the outer schema: pydantic takes one on the inner schema for unfinished.
    return core_schema.no_info_wrap_validator_function(
        validate,
        described,
        ref=ref,
        metadata={"pydantic_js_updates": updates},
        serialization=core_schema.wrap_serializer_function_ser_schema(
            serialize, info_arg=True, schema=described
        ),
    )


def read_struct(value: object, struct: object) -> msgspec.Struct:
    """Make a struct from a JSON value.

    Raises:
        msgspec.ValidationError: It does not fit.
    """
    kind = cast("type[msgspec.Struct]", struct)
    return msgspec.convert(value, kind, str_keys=True, dec_hook=decode_undocumented)


def fields_schema(struct: object, handler: SchemaHandler) -> CoreSchema:
    """The schema of a struct's fields: by their Python names, with those of the wire as aliases."""
    from base64 import b64encode

    from pydantic_core import core_schema

    from .field_docs import field_descriptions

    descriptions = field_descriptions(cast("type[object]", get_origin(struct) or struct))
    fields: dict[str, core_schema.TypedDictField] = {}
    for field in msgspec.structs.fields(cast("type[msgspec.Struct]", struct)):
        if field.type is bytes or field.type == bytes | None:  # msgspec writes them as base64
            schema: CoreSchema = core_schema.bytes_schema(
                serialization=core_schema.plain_serializer_function_ser_schema(
                    lambda value: b64encode(value).decode(),
                    when_used="json",
                    return_schema=core_schema.str_schema(),
                )
            )
            if field.type is not bytes:
                schema = core_schema.nullable_schema(schema)
        else:
            schema = handler.generate_schema(field.type)
        description = descriptions.get(field.name)
        fields[field.name] = core_schema.typed_dict_field(
            schema,
            required=field.required,
            validation_alias=field.encode_name,
            serialization_alias=field.encode_name,
            metadata={"pydantic_js_updates": {"description": description}} if description else {},
        )
    return core_schema.typed_dict_schema(fields)


def set_fields(value: msgspec.Struct) -> dict[str, object]:
    """The fields of a struct that `msgspec.json.encode` writes, by their Python names."""
    found: dict[str, object] = {}
    for name, default, empty in _defaults(type(value)):
        one: object = getattr(value, name)
        if one is not default and (one or empty is not type(one)):
            found[name] = one
    return found


@cache
def _defaults(cls: type[msgspec.Struct]) -> list[tuple[str, object, object]]:
    """The fields of a struct, each with the value, and the type of the empty value, left out."""
    return [
        (field.name, field.default, field.default_factory)
        if cls.__struct_config__.omit_defaults
        else (field.name, msgspec.NODEFAULT, None)
        for field in msgspec.structs.fields(cls)
    ]


def _ref(source: object) -> str:
    """The name of a type within pydantic, which makes the name in an OpenAPI document of it."""
    kind = get_origin(source) or source
    module, name = getattr(kind, "__module__", ""), getattr(kind, "__qualname__", str(kind))
    arguments = ",".join(map(_ref, get_args(source)))
    return f"{module}.{name}:{id(kind)}" + (f"[{arguments}]" if arguments else "")
