"""The table of endpoints as text: ids, Python methods, prices, params."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import cast, get_type_hints

import msgspec
from msgspec import inspect

from ..core.endpoint import AnyEndpoint, Endpoint, Price
from ..core.errors import ConfigurationError
from ..core.provider import Provider
from .providers import (
    all_endpoints,
    client_kind,
    client_of,
    provider_name,
    provider_of,
    providers,
)

_WIDTH = 78
_WORDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "true or false",
    inspect.DateTimeType: "time, as 2025-01-06T00:00:00Z",
    inspect.DictType: "JSON object",
    inspect.StructType: "JSON object",
}


def endpoint_table(only: str | None = None) -> Iterator[str]:
    """The endpoints by provider: id, price and Python method in a line, below it the params.

    `only`: the name of a provider, or what ids begin with; nothing comes where nothing does.
    """
    known = methods()
    for name in providers():
        mine = [
            row
            for row in all_endpoints().values()
            if provider_name(row.id) == name and is_in(row, only)
        ]
        if not mine:
            continue
        yield from _heading(name)
        first = max(len(_marked(row)) for row in mine)
        for row in mine:
            yield f"{_marked(row):{first}} {price(row.credits):10} {known[row.id]}"
            for text in (" ".join(names(row)), needs(row) or ""):
                for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False):
                    yield f"  {line}"
        yield ""
    yield "[--param] may be left out. * acts on LinkedIn, and is never repeated by itself."
    yield "The types of a param: lix call ID --list. One provider: lix call lookc."


def single(row: AnyEndpoint) -> Iterator[str]:
    """One endpoint: what it calls, what it costs, and its params with their types."""
    provider = provider_of(provider_name(row.id))
    origin = provider.base_url or f"${provider.url_variable}"
    if row.rooted:
        origin = "/".join(origin.split("/")[:3])
    yield f"{row.id}: {row.method} {origin}{row.path}"
    yield ""
    yield f"  price {price(row.credits)}, {_variables(provider)}"
    yield f"  in Python {client_of(row.id).__name__}: {methods()[row.id]}"
    yield ""
    fields = _ordered(row)
    width = max((len(_shown(field)) for field in fields), default=0)
    for field in fields:
        yield f"  {_shown(field):{width}}  {_words(inspect.type_info(field.type))}"
    if (wanted := needs(row)) is not None:
        yield f"  {wanted}"
    if not row.idempotent:
        yield ""
        yield "It acts on LinkedIn, and is never repeated by itself."


def methods() -> dict[str, str]:
    """The Python method over each endpoint: of the client, or of a group of it."""
    found: dict[str, str] = {}
    if "lix" in providers():
        for group, kind in cast("dict[str, type]", get_type_hints(client_kind("lix"))).items():
            if not group.startswith("_"):
                found = {row: f"{group}.{name}" for row, name in _methods(kind).items()} | found
    for name in providers():
        found = _methods(client_kind(name)) | found
    for row in all_endpoints().values():
        name = row.id.split(".")[1]
        if provider_name(row.id) != "lix" and hasattr(client_of(row.id), name):
            found[row.id] = name  # most are called as their id
    return found


def _methods(kind: type) -> dict[str, str]:
    """The methods of a class by the rows that their code names: each is one line over its row."""
    found: dict[str, str] = {}
    for name in dir(kind):
        code = getattr(getattr(kind, name), "__code__", None)
        places = cast("dict[str, object]", getattr(getattr(kind, name), "__globals__", {}))
        for word in cast("tuple[str, ...]", getattr(code, "co_names", ())):
            if not name.startswith("_") and isinstance(row := places.get(word), Endpoint):
                found.setdefault(cast("AnyEndpoint", row).id, name)
    return found


def price(credits: Price) -> str:
    """`1 standard`, `free`, `not told`."""
    if credits.kind in ("free", "unknown"):
        return {"free": "free", "unknown": "not told"}[credits.kind]
    return f"{credits.amount} {credits.kind}" + (" if valid" if credits.only else "")


def names(row: AnyEndpoint) -> list[str]:
    """The params as options; those that may be left out in brackets."""
    return [_shown(field) for field in _ordered(row)]


def needs(row: AnyEndpoint) -> str | None:
    """What a call needs besides its required params, in the words of its own check."""
    try:
        row.params().check()
    except TypeError:  # some are required, and stand without brackets
        return None
    except ConfigurationError as error:
        text = str(error).partition(":")[0].partition(" (")[0]
        for name in row.params.__struct_fields__:
            text = re.sub(rf"\b{name}\b", option(name), text)
        return text
    return None


def is_in(row: AnyEndpoint, only: str | None) -> bool:
    """Whether an endpoint belongs to a provider, or to a group such as `facets`."""
    return only is None or provider_name(row.id) == only or row.id.startswith(f"{only}.")


def option(name: str) -> str:
    """A param as an option of the command line."""
    return f"--{name.replace('_', '-')}"


def _heading(name: str) -> Iterator[str]:
    provider = provider_of(name)
    yield f"{provider.name}: {_variables(provider)}; {client_kind(name).__name__}"
    yield ""


def _variables(provider: Provider) -> str:
    words = f"key in {' or '.join(provider.key_variables)}"
    return words if provider.base_url else f"{words}, address in {provider.url_variable}"


def _marked(row: AnyEndpoint) -> str:
    return row.id if row.idempotent else f"{row.id}*"


def _ordered(row: AnyEndpoint) -> list[msgspec.structs.FieldInfo]:
    return sorted(msgspec.structs.fields(row.params), key=lambda field: not field.required)


def _shown(field: msgspec.structs.FieldInfo) -> str:
    return option(field.name) if field.required else f"[{option(field.name)}]"


def _words(shape: inspect.Type) -> str:
    if isinstance(shape, inspect.UnionType):
        return _either(part for part in shape.types if not isinstance(part, inspect.NoneType))
    if isinstance(shape, inspect.LiteralType):
        return ", ".join(map(str, shape.values))
    if isinstance(shape, inspect.ListType | inspect.VarTupleType):
        plain = isinstance(shape.item_type, inspect.StrType)
        return "texts, parted by commas" if plain else "JSON list of objects"
    return _WORDS.get(type(shape), "value")


def _either(parts: Iterable[inspect.Type]) -> str:
    return " or ".join(dict.fromkeys(map(_words, parts)))
