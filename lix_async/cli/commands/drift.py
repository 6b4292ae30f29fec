"""`lix drift`: what the provider's answers have that the structs do not, and the other way."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.table import Table

from ...core.models import item_type
from ...core.schema_drift import Drift, DriftDetector
from ..errors import OK, CommandError
from ..input.targets import endpoint_id
from ..providers import all_endpoints

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _JsonLine(msgspec.Struct):
    """A line that says itself which endpoint its body is from."""

    endpoint: str
    body: msgspec.Raw


class _SavedRow(msgspec.Struct):
    """A row of `lix enrich` or `lix run export`."""

    input: object
    kind: str
    status: str
    result: msgspec.Raw


def drift(
    file: str,
    *,
    endpoint: Annotated[
        str | None, Parameter(help="The endpoint that the bodies are from.")
    ] = None,
) -> int:
    """Summarise how the bodies in a JSONL file differ from what this version documents.

    Each line is one answer as it was received, or one row of a walk, of the endpoint given; or an
    object with "endpoint" and "body"; or a row of `lix enrich` or `lix run export`, which says
    itself what it is. "-" reads stdin. "new" fields arrive and are not in the structs (they
    stay reachable in the raw body); "missing" ones are documented and came in no line.
    """
    found: list[Drift] = []
    radar = DriftDetector(found.append)
    lines = 0
    for number, line in enumerate(_lines(file), 1):
        found_in = _answer(line, endpoint, number)
        if found_in is None:
            continue
        name, body = found_in
        row = all_endpoints().get(name)
        if row is None:
            raise CommandError(f"line {number}: no such endpoint: {name}", hint="lix call")
        shape = _shape(row.result, body) if row.is_listing else row.result
        radar.observe(name, shape, body)
        lines += 1
    radar.summarise()
    _show(found, lines)
    return OK


def _lines(file: str) -> Iterator[bytes]:
    try:
        source = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115  # below
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    with source:
        yield from (line for line in source if line.strip())


def _answer(line: bytes, endpoint: str | None, number: int) -> tuple[str, bytes] | None:
    """Endpoint and body of a line; None for a row without an answer."""
    with contextlib.suppress(*_BROKEN):
        kept = msgspec.json.decode(line, type=_SavedRow)
        if bytes(kept.result) == b"null":
            return None
        return endpoint or endpoint_id(kept.kind), bytes(kept.result)
    if endpoint is not None:
        return endpoint, line
    try:
        said = msgspec.json.decode(line, type=_JsonLine)
    except _BROKEN:
        raise CommandError(
            f"line {number} does not say its endpoint", hint="name it: --endpoint person.get"
        ) from None
    return said.endpoint, bytes(said.body)


def _shape(result: type, body: bytes) -> type:
    """What a listing's body is compared with: the listing, or where it is a row, the row."""
    try:
        keys = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).keys()
    except _BROKEN:
        return result
    item = item_type(result)
    return item if keys & _names(item) and not keys & _names(result) else result


def _names(struct: type) -> set[str]:
    aliases: dict[str, str] = getattr(struct, "__aliases__", {})
    envelopes: tuple[str, ...] = getattr(struct, "__envelopes__", ())
    fields = msgspec.structs.fields(struct) if issubclass(struct, msgspec.Struct) else ()
    return {*(field.encode_name for field in fields), *aliases, *envelopes}


def _show(found: list[Drift], lines: int) -> None:
    out = Console(highlight=False, soft_wrap=True)
    if not found:
        out.print(f"{lines} answers, all as documented.")
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("", "endpoint", "field"):
        table.add_column(column, no_wrap=True, min_width=len("missing"))
    for one in sorted(found, key=lambda one: (one.endpoint, one.kind != "new", one.path)):
        table.add_row(one.kind, one.endpoint, one.path)
    out.print(table)
    new = sum(one.kind == "new" for one in found)
    out.print(f"{lines} answers: {new} fields are new, {len(found) - new} never came.")
