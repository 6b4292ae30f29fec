"""`lix call`: any endpoint of the table, by its id."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, cast

import msgspec
from cyclopts import Parameter
from msgspec import inspect
from msgspec.structs import replace

from ...core.endpoint import AnyEndpoint, Endpoint
from ...core.errors import ConfigurationError
from ...core.models import Listing, Params
from .. import console
from ..endpoint_list import endpoint_table, is_in, names, option, single
from ..errors import OK, CommandError
from ..options import (
    CONNECTION_DEFAULTS,
    WALK_DEFAULTS,
    ConnectionOptions,
    ListingOutputOptions,
    parsed_columns,
)
from ..output.columns import check_columns
from ..output.destination import file_of, writes_to_screen
from ..output.schema import RowSchema
from ..output.single import deliver
from ..providers import all_endpoints, providers
from ..runtime.clients import client_factory
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import one_line
from .listing import listing_job, run_listing


def call(
    endpoint: Annotated[
        str | None, Parameter(help="Its id in the table, such as enrich.post_comments.")
    ] = None,
    /,
    *,
    list_: Annotated[
        bool,
        Parameter(
            name="--list",
            negative="",
            show_default=False,
            help="Show the table; with ENDPOINT that one's params and their types; with the name "
            "of a provider, such as lookc, its endpoints.",
        ),
    ] = False,
    output: ListingOutputOptions = WALK_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
    **params: Annotated[str, Parameter(help="The endpoint's own params, by name.")],
) -> int:
    """Call any endpoint of any provider: `lix call person.get --profile-link URL`.

    Without an endpoint: the table of them all, with their params and what a call costs;
    `lix call person.get --list` shows one. Listings are walked to their end; of the others the
    answer is printed as it came.

    Lists of texts are parted by commas, other lists and objects are written as JSON. @FILE takes
    a value from a file, @- from stdin: for cookies, which should not stand in a command line.

    Each provider has its own key and address in the environment: LIX_API_KEY, LOOKC_API_KEY,
    CONNECTSAFELY_BASE_URL and so on. Connection options are for the one that is called.
    """
    if endpoint is None or list_ or endpoint in providers():
        console.print_line("\n".join(_table(endpoint)))
        return OK
    row = found(endpoint)
    given = converted(row, params, connection.viewer)
    if row.is_listing:
        pages = cast("Endpoint[Params, Listing[object]]", row)
        job = listing_job("rows", pages, lambda lix, at: lix.pages(pages, given, resume=at))
        return run_listing(job, output, connection, client_factory(row.id))
    check_columns(parsed_columns(output.columns), RowSchema(row.result))

    async def work(session: CommandSession) -> int:
        answer = await session.lix.send(row, given)
        session.progress.stop()
        if output.format is None and output.columns is None and file_of(output) is None:
            sys.stdout.buffer.write(answer.body.rstrip(b"\n") + b"\n")
            sys.stdout.buffer.flush()
        else:
            deliver(answer.body, row.result, output)
        return OK

    return run_command(
        work,
        connection,
        ProgressCounts(""),
        quiet=output.quiet,
        live=not writes_to_screen(output),
        make=client_factory(row.id),
    )


def _table(only: str | None) -> Iterator[str]:
    if only is None or (
        only not in all_endpoints() and any(is_in(row, only) for row in all_endpoints().values())
    ):
        return endpoint_table(only)
    return single(found(only))


def found(endpoint: str) -> AnyEndpoint:
    """The row of an id, or an error that names the nearest ones."""
    row = all_endpoints().get(endpoint)
    if row is None:
        near = get_close_matches(endpoint, all_endpoints(), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)} ?" if near else "`lix call` lists them all"
        raise CommandError(f"no endpoint {one_line(endpoint, 60)!r}", hint=hint)
    return row


def converted(row: AnyEndpoint, given: Mapping[str, str], viewer: str | None) -> Params:
    """The params of a call from the texts of the command line, checked."""
    fields = {field.name: field for field in msgspec.structs.fields(row.params)}
    takes = f"{row.id} takes {' '.join(names(row)) or 'no params'}"
    values: dict[str, object] = {}
    for text, value in given.items():
        name = text.replace("-", "_")
        if name not in fields:
            raise CommandError(f"{row.id} has no param {option(name)}", hint=takes)
        shape = inspect.type_info(fields[name].type)
        values[fields[name].encode_name] = _value(option(name), _text(value), shape)
    try:
        params: Params = msgspec.convert(values, row.params, strict=False)
        if viewer is not None and getattr(params, "viewer_id", "") is None:
            params = replace(params, viewer_id=viewer)
        params.check()
    except msgspec.ValidationError as error:
        text = str(error).replace("Object missing required field", "missing")
        for field in fields.values():
            text = text.replace(f"`{field.encode_name}`", f"`{field.name}`")
        raise CommandError(f"{row.id}: {text}", hint=takes) from None
    except ConfigurationError as error:
        raise CommandError(f"{row.id}: {error}", hint=takes) from None
    return params


def _text(value: str) -> str:
    if value == "@-":
        return sys.stdin.read().rstrip("\n")
    if value[:1] == "@":
        try:
            return Path(value[1:]).read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"cannot read {value[1:]}: {error}") from None
    return value


def _value(name: str, text: str, shape: inspect.Type) -> object:
    """A text as it is, or what it says in JSON where a list or an object belongs."""
    if isinstance(shape, inspect.UnionType):
        shape = next(part for part in shape.types if not isinstance(part, inspect.NoneType))
    many = isinstance(shape, inspect.ListType | inspect.VarTupleType)
    if isinstance(shape, inspect.ListType | inspect.VarTupleType):
        if text[:1] not in ("[", "{"):
            if isinstance(shape.item_type, inspect.StrType):
                return [part.strip() for part in text.split(",") if part.strip()]
            raise CommandError(f"{name} is a list: write it as JSON", hint=f"{name} '[{{…}}]'")
    elif not isinstance(shape, inspect.StructType | inspect.DictType):
        return text
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise CommandError(f"{name} is not JSON") from None
    return [value] if many and text[:1] == "{" else value
