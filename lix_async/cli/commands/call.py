"""`lix call`: any endpoint, by its id."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import partial
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
from ..costs import priced, spent_text
from ..endpoint_list import describe_endpoint, endpoint_table, is_selected, option, param_options
from ..errors import OK, CommandError
from ..options import (
    CONNECTION_DEFAULTS,
    LISTING_DEFAULTS,
    ConnectionOptions,
    ListingOutputOptions,
)
from ..output.destination import output_path, writes_to_screen
from ..output.single import check_answer_columns, check_answer_output, write_answer
from ..providers import all_endpoints
from ..runtime.clients import client_factory
from ..runtime.progress import ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import nearest, one_line, reason_of
from .listing import listing_job, run_listing

_OPTIONS = tuple(
    option(field.name)
    for kind in (ListingOutputOptions, ConnectionOptions)
    for field in dataclasses.fields(kind)
)
"""The options of `lix call` itself."""


def call(
    endpoint: Annotated[
        str | None, Parameter(help="The id of the endpoint, such as enrich.post_comments.")
    ] = None,
    /,
    *,
    list_: Annotated[
        bool,
        Parameter(
            name="--list",
            negative="",
            show_default=False,
            help="List the endpoints; with ENDPOINT, show its parameters, as --help does; with a "
            "provider such as lookc, or a group such as lix.people, list its endpoints.",
        ),
    ] = False,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
    **params: Annotated[str, Parameter(help="The parameters of the endpoint.")],
) -> int:
    """Call any endpoint of any provider, such as `lix call person.get --profile-link URL`.

    Without an endpoint, this lists all endpoints with their prices and what they do;
    `lix call person.get --help` shows the parameters of one. For listings, every page is fetched.
    Another answer is printed as received in a pipe, and as a list of its fields on a terminal.

    Lists of texts are separated by commas; other lists and objects are written as JSON. @FILE reads
    a value from a file and @- from stdin: use them for cookies, which should not be in arguments.

    Each provider has its own variables for key and address, such as LIX_API_KEY, LOOKC_API_KEY or
    CONNECTSAFELY_BASE_URL. Connection options apply to the provider that is called.
    """
    if endpoint is None or list_ or (endpoint not in all_endpoints() and _is_group(endpoint)):
        console.print_line("\n".join(_endpoint_lines(endpoint)))
        return OK
    found = find_endpoint(endpoint)
    given = convert_params(found, params, connection.viewer)
    if found.is_listing:
        pages = cast("Endpoint[Params, Listing[object]]", found)
        job = listing_job("row", pages, lambda lix, at: lix.pages(pages, given, resume=at))
        return run_listing(job, output, connection, client_factory(found.id))
    check_answer_columns(output, found.result)
    check_answer_output(output)

    async def work(session: CommandSession) -> int:
        send = partial(session.lix.send, found, given)
        answer = await priced(send, found.credits, connection, session, quiet=output.quiet)
        session.progress.stop()
        as_received = output.format is None and output.columns is None
        if as_received and output_path(output) is None and not sys.stdout.isatty():
            console.write_stdout(answer.body.rstrip(b"\n") + b"\n")
        else:
            write_answer(answer.body, found.result, output)
        if not output.quiet:
            console.print_note(spent_text(session.lix.credits))
        return OK

    return run_command(
        work,
        connection,
        ProgressCounts(""),
        quiet=output.quiet,
        live=not writes_to_screen(output),
        make_client=client_factory(found.id),
    )


def _is_group(name: str) -> bool:
    """Whether a text is a provider, a resource of one, or what several ids begin with."""
    return any(is_selected(row, name) for row in all_endpoints().values())


def _endpoint_lines(only: str | None) -> Iterator[str]:
    width = console.stdout_width()
    if only is None or (only not in all_endpoints() and _is_group(only)):
        return endpoint_table(only, width)
    return describe_endpoint(find_endpoint(only), width)


def find_endpoint(endpoint_id: str) -> AnyEndpoint:
    """The endpoint with an id.

    Raises:
        CommandError: There is none; the hint has similar ids.
    """
    endpoint = all_endpoints().get(endpoint_id)
    if endpoint is None:
        near = get_close_matches(endpoint_id, all_endpoints(), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`lix call` lists all endpoints"
        raise CommandError(f"unknown endpoint {one_line(endpoint_id, 60)!r}", hint=hint)
    return endpoint


def convert_params(endpoint: AnyEndpoint, given: Mapping[str, str], viewer: str | None) -> Params:
    """The params of a call from the arguments of the command line, checked.

    Args:
        endpoint: The endpoint.
        given: The arguments by name.
        viewer: The `viewer_id` for endpoints that need one.

    Raises:
        CommandError: An argument is unknown or invalid.
    """
    fields = {field.name: field for field in msgspec.structs.fields(endpoint.params)}
    accepted = f"{endpoint.id} takes {' '.join(param_options(endpoint)) or 'no params'}"
    values: dict[str, object] = {}
    for text, value in given.items():
        name = text.replace("-", "_")
        if name not in fields:
            near = nearest(name, (*map(option, fields), *_OPTIONS))
            raise CommandError(
                f"unknown param {option(name)} for {endpoint.id}",
                hint=f"did you mean {near}? {accepted}" if near else accepted,
            )
        kind = inspect.type_info(fields[name].type)
        values[fields[name].encode_name] = _parse_value(option(name), _read_value(value), kind)
    try:
        params: Params = msgspec.convert(values, endpoint.params, strict=False)
        if viewer is not None and getattr(params, "viewer_id", "") is None:
            params = replace(params, viewer_id=viewer)
        params.check()
    except msgspec.ValidationError as error:
        text = str(error).replace("Object missing required field", "missing")
        for field in fields.values():
            text = text.replace(f"`{field.encode_name}`", f"`{field.name}`")
        raise CommandError(f"{endpoint.id}: {text}", hint=accepted) from None
    except ConfigurationError as error:
        raise CommandError(f"{endpoint.id}: {error}", hint=accepted) from None
    return params


def _read_value(value: str) -> str:
    if value == "@-":
        return sys.stdin.read().rstrip("\n")
    if value[:1] == "@":
        try:
            return Path(value[1:]).read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(
                f"cannot read {one_line(value[1:], 80)}: {reason_of(error)}",
                hint="@FILE reads a value from a file; check its name",
            ) from None
    return value


def _parse_value(name: str, text: str, kind: inspect.Type) -> object:
    """The text itself, or its JSON value if the param is a list or an object."""
    if isinstance(kind, inspect.UnionType):
        kind = next(part for part in kind.types if not isinstance(part, inspect.NoneType))
    is_list = isinstance(kind, inspect.ListType | inspect.VarTupleType)
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        if text[:1] not in ("[", "{"):
            if isinstance(kind.item_type, inspect.StrType):
                return [part.strip() for part in text.split(",") if part.strip()]
            raise CommandError(
                f"{name} is a list of objects: write it as JSON", hint=f"{name} '[{{…}}]'"
            )
    elif not isinstance(kind, inspect.StructType | inspect.DictType):
        return text
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        example = "'[…]'" if is_list else "'{…}'"
        raise CommandError(
            f"invalid JSON in {name}", hint=f"write {name} {example}, or {name} @FILE"
        ) from None
    return [value] if is_list and text[:1] == "{" else value
