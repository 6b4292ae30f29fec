"""The endpoints as text for `lix call`: ids, Python methods, prices, params."""

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
    client_class,
    client_class_for,
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
    inspect.DateTimeType: "time such as 2025-01-06T00:00:00Z",
    inspect.DictType: "JSON object",
    inspect.StructType: "JSON object",
}


def endpoint_table(only: str | None = None) -> Iterator[str]:
    """The endpoints by provider: id, price and Python method on one line, the params below.

    Args:
        only: The name of a provider, or the prefix of ids. Others are left out.
    """
    methods = method_names()
    for name in providers():
        mine = [
            endpoint
            for endpoint in all_endpoints().values()
            if provider_name(endpoint.id) == name and is_selected(endpoint, only)
        ]
        if not mine:
            continue
        yield from _heading(name)
        width = max(len(_marked_id(endpoint)) for endpoint in mine)
        for endpoint in mine:
            price = price_text(endpoint.credits)
            yield f"{_marked_id(endpoint):{width}} {price:10} {methods[endpoint.id]}"
            for text in (" ".join(param_options(endpoint)), requirement(endpoint) or ""):
                for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False):
                    yield f"  {line}"
        yield ""
    yield "[--param]: optional. *: acts on LinkedIn, and is never retried automatically."
    yield "One endpoint with the types of its params: lix call ID --list"
    yield "One provider: lix call lookc"


def describe_endpoint(endpoint: AnyEndpoint) -> Iterator[str]:
    """One endpoint: its address, its price, and its params with their types."""
    provider = provider_of(provider_name(endpoint.id))
    origin = provider.base_url or f"${provider.url_variable}"
    if endpoint.rooted:
        origin = "/".join(origin.split("/")[:3])
    yield f"{endpoint.id}: {endpoint.method} {origin}{endpoint.path}"
    yield ""
    yield f"  price: {price_text(endpoint.credits)}, {_variables(provider)}"
    yield f"  Python: {client_class_for(endpoint.id).__name__}: {method_names()[endpoint.id]}"
    yield ""
    fields = _fields(endpoint)
    width = max((len(_param_option(field)) for field in fields), default=0)
    for field in fields:
        yield f"  {_param_option(field):{width}}  {_type_text(inspect.type_info(field.type))}"
    if (wanted := requirement(endpoint)) is not None:
        yield f"  {wanted}"
    if not endpoint.idempotent:
        yield ""
        yield "It acts on LinkedIn, and is never retried automatically."


def method_names() -> dict[str, str]:
    """The Python method for each endpoint id, such as `people.get`."""
    found: dict[str, str] = {}
    if "lix" in providers():
        for group, kind in cast("dict[str, type]", get_type_hints(client_class("lix"))).items():
            if group.startswith("_"):
                continue
            methods = _methods_of(kind).items()
            found = {endpoint: f"{group}.{name}" for endpoint, name in methods} | found
    for name in providers():
        found = _methods_of(client_class(name)) | found
    for endpoint in all_endpoints().values():
        name = endpoint.id.split(".")[1]
        if provider_name(endpoint.id) != "lix" and hasattr(client_class_for(endpoint.id), name):
            found[endpoint.id] = name  # most methods are named like the id
    return found


def _methods_of(kind: type) -> dict[str, str]:
    """The methods of a class by the endpoint that their code refers to, as `NAME` or `e.NAME`."""
    found: dict[str, str] = {}
    for name in dir(kind):
        code = getattr(getattr(kind, name), "__code__", None)
        places = cast("dict[str, object]", getattr(getattr(kind, name), "__globals__", {}))
        places = places | vars(places.get("e", object))
        for word in cast("tuple[str, ...]", getattr(code, "co_names", ())):
            if not name.startswith("_") and isinstance(endpoint := places.get(word), Endpoint):
                found.setdefault(cast("AnyEndpoint", endpoint).id, name)
    return found


def price_text(credits: Price) -> str:
    """`1 standard`, `free`, `unknown`."""
    if credits.kind in ("free", "unknown"):
        return credits.kind
    return f"{credits.amount} {credits.kind}" + (" if valid" if credits.only else "")


def param_options(endpoint: AnyEndpoint) -> list[str]:
    """The params as command-line options; optional ones in brackets."""
    return [_param_option(field) for field in _fields(endpoint)]


def requirement(endpoint: AnyEndpoint) -> str | None:
    """What a call needs besides its required params, in the words of its own check."""
    try:
        endpoint.params().check()
    except TypeError:  # it has required params, which are shown without brackets
        return None
    except ConfigurationError as error:
        text = str(error).partition(":")[0].partition(" (")[0]
        for name in endpoint.params.__struct_fields__:
            text = re.sub(rf"\b{name}\b", option(name), text)
        return text
    return None


def is_selected(endpoint: AnyEndpoint, only: str | None) -> bool:
    """Whether an endpoint belongs to a provider, or to a group such as `facets`."""
    return only is None or provider_name(endpoint.id) == only or endpoint.id.startswith(f"{only}.")


def option(name: str) -> str:
    """A param as a command-line option."""
    return f"--{name.replace('_', '-')}"


def _heading(name: str) -> Iterator[str]:
    provider = provider_of(name)
    yield f"{provider.name}: {_variables(provider)}; {client_class(name).__name__}"
    yield ""


def _variables(provider: Provider) -> str:
    words = f"API key in {' or '.join(provider.key_variables)}"
    return words if provider.base_url else f"{words}, address in {provider.url_variable}"


def _marked_id(endpoint: AnyEndpoint) -> str:
    return endpoint.id if endpoint.idempotent else f"{endpoint.id}*"


def _fields(endpoint: AnyEndpoint) -> list[msgspec.structs.FieldInfo]:
    return sorted(msgspec.structs.fields(endpoint.params), key=lambda field: not field.required)


def _param_option(field: msgspec.structs.FieldInfo) -> str:
    return option(field.name) if field.required else f"[{option(field.name)}]"


def _type_text(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.UnionType):
        return _either(part for part in kind.types if not isinstance(part, inspect.NoneType))
    if isinstance(kind, inspect.LiteralType):
        return ", ".join(map(str, kind.values))
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        plain = isinstance(kind.item_type, inspect.StrType)
        return "texts separated by commas" if plain else "JSON list of objects"
    return _WORDS.get(type(kind), "value")


def _either(parts: Iterable[inspect.Type]) -> str:
    return " or ".join(dict.fromkeys(map(_type_text, parts)))
