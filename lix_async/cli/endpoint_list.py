"""The endpoints as text for `lix call`: what they do, prices, methods and parameters."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import cast, get_type_hints

import msgspec
from msgspec import inspect

from ..core.endpoint import AnyEndpoint, Endpoint, Price
from ..core.errors import ConfigurationError
from ..core.field_docs import field_descriptions
from ..core.provider import Provider
from .docstrings import argument_texts, prose
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


def endpoint_table(only: str | None = None, width: int = _WIDTH) -> Iterator[str]:
    """The endpoints by provider and resource: what each costs, does and takes.

    Args:
        only: The name of a provider, or the prefix of ids. Others are left out.
        width: The width of the lines.
    """
    for name in providers():
        mine = [
            endpoint
            for endpoint in all_endpoints().values()
            if provider_name(endpoint.id) == name and is_selected(endpoint, only)
        ]
        groups: dict[str, list[AnyEndpoint]] = {}
        for endpoint in mine:
            groups.setdefault(_resource(endpoint), []).append(endpoint)
        for resource, endpoints in groups.items():
            if resource == next(iter(groups)):
                yield from _heading(name)
            if resource:
                yield f"[{name}.{resource}]"
            id_width = max(len(_marked_id(one)) for one in endpoints)
            price_width = max(len(price_text(one.credits)) for one in endpoints)
            for one in endpoints:
                price = f"{price_text(one.credits):{price_width}}"
                yield f"{_marked_id(one):{id_width}}  {price}  {method_names()[one.id]}"
                yield from _summary_lines(one, width)
            yield ""
    yield "[--param]: optional. *: acts on LinkedIn, and is never retried automatically."
    yield "The parameters of one endpoint: lix call ENDPOINT --help"
    yield "The endpoints of one provider: lix call lookc"


def _summary_lines(endpoint: AnyEndpoint, width: int) -> Iterator[str]:
    """What an endpoint does, and its parameters."""
    text = "".join(prose(_method(endpoint))[:1])
    if method_names()[endpoint.id] in _shared_methods():
        text += f" ({endpoint.method} {endpoint.path})"
    for line in (text, " ".join(param_options(endpoint)), requirement(endpoint) or ""):
        yield from _wrapped(line, 4, width)


def describe_endpoint(endpoint: AnyEndpoint, width: int = _WIDTH) -> Iterator[str]:
    """One endpoint: what it does, its address, its price, and each of its parameters."""
    provider = provider_of(provider_name(endpoint.id))
    origin = provider.base_url or f"${provider.url_variable}"
    if endpoint.rooted:
        origin = "/".join(origin.split("/")[:3])
    yield f"{endpoint.id}: {endpoint.method} {origin}{endpoint.path}"
    yield ""
    for paragraph in prose(_method(endpoint)):
        yield from _wrapped(paragraph, 2, width)
        yield ""
    if not endpoint.idempotent:
        yield "  It acts on LinkedIn, and is never retried automatically."
        yield ""
    yield f"  price: {price_text(endpoint.credits)}, {_variables(provider)}"
    yield f"  Python: {client_class_for(endpoint.id).__name__}: {method_names()[endpoint.id]}"
    yield ""
    texts = param_texts(endpoint)
    for field in _fields(endpoint):
        needed = ", required" if field.required else ""
        yield f"  {option(field.name)}  ({_type_text(inspect.type_info(field.type))}{needed})"
        yield from _wrapped(texts.get(field.name, ""), 6, width)
    if not texts and not _fields(endpoint):
        yield "  It takes no parameters."
    if (wanted := requirement(endpoint)) is not None:
        yield f"  {wanted}"
    yield ""
    yield "Options for output and connection: lix call --help"


def param_texts(endpoint: AnyEndpoint) -> dict[str, str]:
    """What each parameter of an endpoint means, by its name."""
    owner, method = _method_place(endpoint)
    names = endpoint.params.__struct_fields__
    kind = cast("type", endpoint.params)
    known = {**field_descriptions(kind), **argument_texts(owner, method)}
    # What a client is made with, `--viewer` gives here.
    return {
        name: known[name].replace("the client's `viewer_id`", "--viewer")
        for name in names
        if name in known
    }


def _wrapped(text: str, indent: int, width: int) -> Iterator[str]:
    margin = " " * indent
    yield from textwrap.wrap(
        text, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )


def _resource(endpoint: AnyEndpoint) -> str:
    """The part of the client that has the method: `people`; "" where the client itself has it."""
    return method_names()[endpoint.id].rpartition(".")[0]


def _method_place(endpoint: AnyEndpoint) -> tuple[type, str]:
    """The class that has the method of an endpoint, and the name of the method."""
    owner: type = client_class_for(endpoint.id)
    resource, _, name = method_names()[endpoint.id].rpartition(".")
    return (get_type_hints(owner)[resource] if resource else owner), name


@cache
def _shared_methods() -> frozenset[str]:
    """The methods that have more than one endpoint, whose descriptions are the same."""
    counts = Counter(method_names().values())
    return frozenset(name for name, count in counts.items() if count > 1)


def _method(endpoint: AnyEndpoint) -> object:
    return getattr(*_method_place(endpoint))


@cache
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
    """Whether an endpoint belongs to a provider, a resource (`lix.people`), or ids (`facets`)."""
    name = provider_name(endpoint.id)
    return (
        only in (None, name)
        or endpoint.id.startswith(f"{only}.")
        or f"{name}.{_resource(endpoint)}" == only
    )


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
