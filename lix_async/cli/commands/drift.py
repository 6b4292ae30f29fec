"""`lix drift`: differences between a provider's answers and this version's structs."""

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
from ..input.lookup_kinds import endpoint_id
from ..providers import all_endpoints
from ..text import counted

_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _JsonLine(msgspec.Struct):
    """A line with its endpoint."""

    endpoint: str
    body: msgspec.Raw


class _SavedRow(msgspec.Struct):
    """A row of `lix enrich` or `lix run export`."""

    input: object
    kind: str
    status: str
    result: msgspec.Raw


def drift(
    file: Annotated[str, Parameter(help="The JSONL file, or - for stdin.")],
    *,
    endpoint: Annotated[str | None, Parameter(help="The endpoint of the answers.")] = None,
) -> int:
    """Summarise how the answers in a JSONL file differ from what this version documents.

    Each line is one answer as received, or one row of a listing, of the given endpoint; or an
    object with "endpoint" and "body"; or a row of `lix enrich` or `lix run export`.

    "new" fields were received and are not in the structs; they are still available in the raw body.
    "missing" fields are documented and were in none of the lines.
    """
    found: list[Drift] = []
    detector = DriftDetector(found.append)
    lines = 0
    for number, line in _lines(file):
        parsed = _parse_line(line, endpoint, number)
        if parsed is None:
            continue
        name, body = parsed
        row_endpoint = all_endpoints().get(name)
        if row_endpoint is None:
            raise CommandError(
                f"line {number}: unknown endpoint {name}", hint="`lix call` lists all endpoints"
            )
        struct = row_endpoint.result
        if row_endpoint.is_listing:
            struct = _result_struct(struct, body)
        detector.observe(name, struct, body)
        lines += 1
    if not lines:
        raise CommandError(
            f"{'stdin' if file == '-' else file} has no answers",
            hint="record them with `lix enrich FILE --out answers.jsonl`",
        )
    detector.summarise()
    _print_report(found, lines)
    return OK


def _lines(file: str) -> Iterator[tuple[int, bytes]]:
    try:
        source = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115  # below
    except OSError as error:
        raise CommandError(
            f"cannot read {file}: {error.strerror}",
            hint="give a file of recorded answers, or - for stdin",
        ) from None
    with source:
        yield from ((number, line) for number, line in enumerate(source, 1) if line.strip())


def _parse_line(line: bytes, endpoint: str | None, number: int) -> tuple[str, bytes] | None:
    """The endpoint and the body of a line; None for a row without an answer."""
    with contextlib.suppress(*_DECODE_ERRORS):
        row = msgspec.json.decode(line, type=_SavedRow)
        if bytes(row.result) == b"null":
            return None
        return endpoint or endpoint_id(row.kind), bytes(row.result)
    if endpoint is not None:
        return endpoint, line
    try:
        named = msgspec.json.decode(line, type=_JsonLine)
    except _DECODE_ERRORS:
        if not line.lstrip().startswith(b"{"):
            raise CommandError(
                f"line {number} is not a JSON object",
                hint="give a file with one answer on each line",
            ) from None
        raise CommandError(
            f"line {number} has no endpoint", hint="give it with --endpoint, such as person.get"
        ) from None
    return named.endpoint, bytes(named.body)


def _result_struct(result: type, body: bytes) -> type:
    """The struct to compare a listing's body with: the listing, or the item if it is a row."""
    try:
        keys = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).keys()
    except _DECODE_ERRORS:
        return result
    item = item_type(result)
    return item if keys & _names(item) and not keys & _names(result) else result


def _names(struct: type) -> set[str]:
    aliases: dict[str, str] = getattr(struct, "__aliases__", {})
    envelopes: tuple[str, ...] = getattr(struct, "__envelopes__", ())
    fields = msgspec.structs.fields(struct) if issubclass(struct, msgspec.Struct) else ()
    return {*(field.encode_name for field in fields), *aliases, *envelopes}


def _print_report(found: list[Drift], lines: int) -> None:
    out = Console(highlight=False, soft_wrap=True)
    if not found:
        out.print(f"{counted(lines, 'answer')}, all as documented.")
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("", "endpoint", "field"):
        table.add_column(column, no_wrap=True, min_width=len("missing"))
    for one in sorted(found, key=lambda one: (one.endpoint, one.kind != "new", one.path)):
        table.add_row(one.kind, one.endpoint, one.path)
    out.print(table)
    new = sum(one.kind == "new" for one in found)
    counts = f"{counted(new, 'new field')}, {len(found) - new} missing"
    out.print(f"{counted(lines, 'answer')}: {counts}.")
