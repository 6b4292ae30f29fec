"""Between structs and the wire: row + params → `Outgoing`; status, headers, body → result.

Every value is percent-encoded exactly once, everything but unreserved characters
(lix.md#encoding): a LinkedIn URL with `%3A` inside travels as `%253A`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar, cast, get_args, get_origin
from urllib.parse import quote, unquote

import msgspec

from .decoding import SchemaMismatch, decoder_for
from .endpoint import Endpoint, P
from .errors import ConfigurationError, DecodeError, LixError, TransportError
from .models import Params
from .provider import Provider

R = TypeVar("R")
NO_TEXT = "a parameter has characters that no UTF-8 text can hold"
_EXAMPLE = "datetime(2025, 1, 6, tzinfo=UTC)"
_SLOT = re.compile(r"\{(\w+)\}")


class HttpRequest(msgspec.Struct, frozen=True):
    """One request, without the key. `target` is path and query, already percent-encoded."""

    method: str
    target: str
    body: bytes | None = None
    content_type: str = "application/json"
    idempotent: bool = True


class _EncodingPlan(msgspec.Struct, frozen=True):
    """Where the params of a row go: (attribute, wire name) by place."""

    path: tuple[str, ...]
    slots: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    body: tuple[tuple[str, str], ...]


@cache
def _plan(path: str, params: type[Params], body: tuple[str, ...]) -> _EncodingPlan:
    names = dict(zip(params.__struct_fields__, params.__struct_encode_fields__, strict=True))
    slots = tuple(str(slot) for slot in _SLOT.findall(path))
    # A slot may also be a property: what the params only imply, for an alternate path.
    missing = [name for name in body if name not in names]
    missing += [name for name in slots if not hasattr(params, name)]
    if missing:
        raise TypeError(f"{path}: {params.__name__} has no field {', '.join(missing)}")
    query = tuple((a, w) for a, w in names.items() if a not in slots and a not in body)
    return _EncodingPlan(
        path=tuple(_SLOT.split(path)[::2]),
        slots=tuple((name, names.get(name, name)) for name in slots),
        query=query,
        body=tuple((name, names[name]) for name in body),
    )


def encode(row: Endpoint[P, object], params: P, *, prefix: str = "", path: str = "") -> HttpRequest:
    """The request for a call. `prefix` goes before the path; `path` replaces the row's.

    Raises `ConfigurationError` for what cannot be sent: an empty path segment, `.` or `..` (the
    HTTP library would climb out of the API with them), half of a surrogate pair.
    """
    plan = _plan(path or row.path, row.params, row.body)
    try:
        target = prefix + plan.path[0]
        for (attribute, name), rest in zip(plan.slots, plan.path[1:], strict=True):
            target += _segment(name, getattr(params, attribute)) + rest
        pairs: list[str] = []
        for attribute, name in plan.query:
            value = getattr(params, attribute)
            if row.arrays != "joined" and isinstance(value, list | tuple):
                suffix = "%5B%5D" if row.arrays == "bracketed" else ""
                items = cast("Sequence[object]", value)
                pairs += [f"{name}{suffix}={quote(text(item, attribute), '')}" for item in items]
            elif value is not None:
                plain = value if type(value) is str else text(value, attribute)
                pairs.append(f"{name}={quote(plain, '')}")
        if pairs:
            target = f"{target}?{'&'.join(pairs)}"
        if not plan.body:
            return HttpRequest(row.method, target, None, "application/json", row.idempotent)
        fields = {name: getattr(params, attribute) for attribute, name in plan.body}
        if row.spread:
            fields |= fields.pop(row.spread, None) or {}
        fields = {name: value for name, value in fields.items() if value is not None}
        if row.form:
            form = "&".join(f"{name}={quote(text(v, name), '')}" for name, v in fields.items())
            kind = "application/x-www-form-urlencoded"
            return HttpRequest(row.method, target, form.encode(), kind, row.idempotent)
        for name, value in fields.items():
            if isinstance(value, datetime):
                _zoned(name, value)
        return HttpRequest(
            row.method, target, msgspec.json.encode(fields), "application/json", row.idempotent
        )
    except UnicodeEncodeError:
        pass  # its traceback and text would hold the value
    raise ConfigurationError(NO_TEXT)


def text(value: object, name: str = "a time") -> str:
    """A value as it stands in a query: flags in lower case, lists joined by commas, times in UTC.

    Raises `ConfigurationError` for a time without a zone: what it means depends on the machine.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(text(item, name) for item in cast("Sequence[object]", value))
    if isinstance(value, datetime):
        return _zoned(name, value).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def _zoned(name: str, moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ConfigurationError(f"{name} must have a zone, such as {_EXAMPLE}")
    return moment


def _segment(name: str, value: object) -> str:
    segment = quote(text(value, name), "") if value is not None else ""
    if segment in ("", ".", ".."):
        raise ConfigurationError(f"{name} must be an id, not {value!r}")
    return segment


def read(
    row: Endpoint[P, object],
    path: Mapping[str, str],
    query: Sequence[tuple[str, str]],
    body: bytes,
) -> P:
    """The way back, for a server: params from decoded path and query values and a raw body.

    A list in a query is taken in each of the three spellings, whatever the row's own: as
    `a[]=1&a[]=2`, as `a=1&a=2`, and where the row joins and the name comes once, as `a=1,2`. What
    has a comma inside cannot be told from two values then.
    Raises `ConfigurationError` when something required is missing or cannot be read.
    """
    names, lists = set(row.params.__struct_encode_fields__), _lists(row.params)
    texts, sent = [*path.items(), *query], list[tuple[str, object]]()
    if row.body and body and row.form:
        parts = (part.partition("=") for part in body.decode("utf-8", "replace").split("&"))
        form = [(_plain(name), _plain(value)) for name, _, value in parts]
        texts, sent = texts + form, [*form]
    elif row.body and body:
        sent = _json_fields(body)
    given: dict[str, object] = {
        name: text for name, text in texts if name in names - lists and text != ""
    }
    for name in lists:
        found = [text for known, text in texts if known == name]
        if len(found) == 1 and row.arrays == "joined":
            found = found[0].split(",")
        found += [text for known, text in texts if known == f"{name}[]"]
        if values := [text for text in found if text]:
            given[name] = values
    if not row.form:
        given |= {name: value for name, value in sent if name in names and value != ""}
    if row.spread is not None and (beside := [pair for pair in sent if pair[0] not in names]):
        given[row.spread] = dict(beside)
    try:
        params = msgspec.convert(given, row.params, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from None
    params.check()
    return params


@cache
def _lists(params: type[Params]) -> frozenset[str]:
    """The params that are lists, by wire name."""
    kinds = {
        one.encode_name: (one.type, *get_args(one.type)) for one in msgspec.structs.fields(params)
    }
    found = {name for name, types in kinds.items() if {*map(get_origin, types)} & {list, tuple}}
    return frozenset(found)


def _plain(text: str) -> str:
    return unquote(text.replace("+", " "))


def _json_fields(body: bytes) -> list[tuple[str, object]]:
    try:
        return list(msgspec.json.decode(body, type=dict[str, object]).items())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ConfigurationError("the request body is not a JSON object") from None


def decode(provider: Provider, row: Endpoint[P, R], status: int, body: bytes) -> R | LixError:
    """What an answer means: the result, or the error that it is (returned, not raised).

    Returning keeps the engine's one `raise` the only frame that errors come from.
    """
    refusal = provider.refusal(status, body, row.result)
    if refusal is not None:
        refusal.endpoint = row.id
        return refusal
    if not 200 <= status < 300:
        return TransportError(f"unexpected status {status}", permanent=True, endpoint=row.id)
    try:
        body = body.removeprefix(b"\xef\xbb\xbf")
        if provider.normalise is not None:
            body = provider.normalise(body, row.result)
        return decoder_for(row.result).read(body)
    except SchemaMismatch as misfit:
        message, path = str(misfit), misfit.path
    if not body.strip():
        message = "the answer is empty"
    elif body.lstrip()[:1] == b"<":
        message = "the answer is a web page, not JSON"
    return DecodeError(f"{message} at {path}", path=path, body=body, endpoint=row.id)


class HttpResponse(msgspec.Struct, frozen=True, gc=False):
    """An answer as it came: status, headers (raw, in order) and the unpacked body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
