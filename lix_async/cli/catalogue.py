"""The table of endpoints as text: ids, Python methods, prices, params."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from typing import cast, get_type_hints

import msgspec

from ..core.endpoint import Endpoint, Price
from ..providers.lix.client import AsyncLix
from .houses import Row, client_of, house, rows

_WIDTH = 78


def listing() -> Iterator[str]:
    """Every endpoint: id, price and Python method in a line, and below it the params."""
    known = methods()
    first = max(map(len, rows())) + 1
    for row in rows().values():
        name = row.id if row.safe else f"{row.id}*"
        yield f"{name:{first}} {price(row.credits):14} {known.get(row.id, '')}".rstrip()
        params = " ".join(names(row))
        for line in textwrap.wrap(params, _WIDTH, break_on_hyphens=False):
            yield f"  {line}"
    yield ""
    yield "[--param] may be left out. * acts on LinkedIn, and is never repeated by itself."


def methods() -> dict[str, str]:
    """The method of `AsyncLix` over each endpoint; of other providers' rows, their client."""
    found: dict[str, str] = {}
    for group, kind in cast("dict[str, type]", get_type_hints(AsyncLix)).items():
        for name in dir(kind):
            if not name.startswith("_"):
                for row in _used(getattr(kind, name)):
                    found.setdefault(row.id, f"{group}.{name}")
    for row in rows().values():
        if house(row.id) != "lix":
            found[row.id] = client_of(row.id).__name__
    return found


def _used(method: Callable[..., object]) -> Iterator[Row]:
    """The rows that a method's code names: each is one line over its row."""
    code = getattr(method, "__code__", None)
    places = cast("dict[str, object]", getattr(method, "__globals__", {}))
    for name in cast("tuple[str, ...]", getattr(code, "co_names", ())):
        if isinstance(row := places.get(name), Endpoint):
            yield cast("Row", row)


def price(credits: Price) -> str:
    """`1 standard`, `free`, `not told`."""
    if credits.kind in ("free", "unknown"):
        return {"free": "free", "unknown": "not told"}[credits.kind]
    return f"{credits.amount} {credits.kind}" + (" if valid" if credits.only else "")


def names(row: Row) -> list[str]:
    """The params as options; those that may be left out in brackets."""
    fields = msgspec.structs.fields(row.params)
    ordered = sorted(fields, key=lambda field: not field.required)
    return [option(f.name) if f.required else f"[{option(f.name)}]" for f in ordered]


def option(name: str) -> str:
    """A param as an option of the command line."""
    return f"--{name.replace('_', '-')}"
