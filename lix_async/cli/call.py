"""`lix call`: any endpoint of the table, by its id."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, cast

import msgspec
from cyclopts import Parameter
from msgspec import inspect
from msgspec.structs import replace

from ..core.endpoint import Endpoint, Listing, Params
from ..core.errors import ConfigurationError
from . import screen
from .catalogue import listing, names, option
from .connect import client_for
from .delivery import file_of, streams
from .errors import OK, CommandError, one_line
from .houses import Row, rows
from .options import CONNECTION_DEFAULTS, WALK_DEFAULTS, Connection, WalkOutput
from .progress import Tally
from .session import Session, run
from .single import deliver
from .walks import over, walk


def call(
    endpoint: Annotated[
        str | None, Parameter(help="Its id in the table, such as enrich.post_comments.")
    ] = None,
    /,
    *,
    list_: Annotated[
        bool, Parameter(name="--list", negative="", show_default=False, help="Show the table.")
    ] = False,
    output: WalkOutput = WALK_DEFAULTS,
    connection: Connection = CONNECTION_DEFAULTS,
    **params: Annotated[str, Parameter(help="The endpoint's own params, by name.")],
) -> int:
    """Call any endpoint of the API: `lix call person.get --profile-link URL`.

    Without an endpoint: the table of them all, with their params and what a call costs. Listings
    are walked to their end; of the others the answer is printed as it came.

    Lists and objects are written as JSON. @FILE takes a value from a file, @- from stdin: for
    cookies, which should not stand in a command line.
    """
    if endpoint is None or list_:
        screen.out("\n".join(listing()))
        return OK
    row = found(endpoint)
    given = converted(row, params, connection.viewer)
    if row.paging is not None and issubclass(row.result, Listing):
        pages = cast("Endpoint[Params, Listing[object]]", row)
        job = over("rows", pages, lambda lix, at: lix.pages(pages, given, resume=at))
        return walk(job, output, connection, client_for(row.id))

    async def work(session: Session) -> int:
        answer = await session.lix.send(row, given)
        session.progress.stop()
        if output.format is None and output.columns is None and file_of(output) is None:
            sys.stdout.buffer.write(answer.body.rstrip(b"\n") + b"\n")
            sys.stdout.buffer.flush()
        else:
            deliver(answer.body, row.result, output)
        return OK

    return run(
        work,
        connection,
        Tally(""),
        quiet=output.quiet,
        live=not streams(output),
        make=client_for(row.id),
    )


def found(endpoint: str) -> Row:
    """The row of an id, or an error that names the nearest ones."""
    row = rows().get(endpoint)
    if row is None:
        near = get_close_matches(endpoint, rows(), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)} ?" if near else "`lix call` lists them all"
        raise CommandError(f"no endpoint {one_line(endpoint, 60)!r}", hint=hint)
    return row


def converted(row: Row, given: Mapping[str, str], viewer: str | None) -> Params:
    """The params of a call from the texts of the command line, checked."""
    shape = inspect.type_info(row.params)
    fields = {f.name: f.type for f in shape.fields} if isinstance(shape, inspect.StructType) else {}
    takes = f"{row.id} takes {' '.join(names(row)) or 'no params'}"
    values: dict[str, object] = {}
    for text, value in given.items():
        name = text.replace("-", "_")
        if name not in fields:
            raise CommandError(f"{row.id} has no param {option(name)}", hint=takes)
        values[name] = _value(option(name), _text(value), fields[name])
    try:
        params = msgspec.convert(values, row.params, strict=False)
        if viewer is not None and getattr(params, "viewer_id", "") is None:
            params = replace(params, viewer_id=viewer)
        params.check()
    except msgspec.ValidationError as error:
        text = str(error).replace("Object missing required field", "missing")
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
    if not isinstance(shape, inspect.ListType | inspect.StructType):
        return text
    if isinstance(shape, inspect.ListType) and text[:1] not in ("[", "{"):
        if isinstance(shape.item_type, inspect.StrType):
            return [part.strip() for part in text.split(",") if part.strip()]
        raise CommandError(f"{name} is a list: write it as JSON", hint=f"{name} '[{{…}}]'")
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise CommandError(f"{name} is not JSON") from None
    return [value] if isinstance(shape, inspect.ListType) and text[:1] == "{" else value
