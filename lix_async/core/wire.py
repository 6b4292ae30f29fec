"""From endpoint and params to an HTTP request, and from a response to a result or an exception.

Every value is percent-encoded exactly once, all but unreserved characters (lix.md#encoding): a
LinkedIn URL that contains `%3A` is sent with `%253A`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar, cast, get_args, get_origin
from urllib.parse import quote, unquote

import msgspec

from .decoding import decoder_for
from .endpoint import Endpoint, P
from .errors import ConfigurationError, DecodeError, LixError, TransportError
from .json_text import SchemaMismatch, UnknownKeys
from .models import Params
from .provider import Provider

R = TypeVar("R")
NO_TEXT = "a parameter has characters that cannot be encoded as UTF-8"
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
    """Where the params of an endpoint are sent: (attribute, wire name) by place."""

    path: tuple[str, ...]
    slots: tuple[tuple[str, str], ...]
    query: tuple[tuple[str, str], ...]
    body: tuple[tuple[str, str], ...]


@cache
def _plan(path: str, params: type[Params], body: tuple[str, ...]) -> _EncodingPlan:
    names = dict(zip(params.__struct_fields__, params.__struct_encode_fields__, strict=True))
    slots = tuple(str(slot) for slot in _SLOT.findall(path))
    # A slot may also be a property, computed from other params for an alternate path.
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


def encode(
    endpoint: Endpoint[P, object], params: P, *, prefix: str = "", path: str = ""
) -> HttpRequest:
    """Encode a call.

    Args:
        endpoint: The endpoint.
        params: Its params.
        prefix: Precedes the path.
        path: Replaces the path of the endpoint.

    Raises:
        ConfigurationError: The params cannot be sent: a path segment is empty, `.` or `..` (the
            HTTP library would leave the API with it), or a text is not valid Unicode.

    """
    plan = _plan(path or endpoint.path, endpoint.params, endpoint.body)
    try:
        target = prefix + plan.path[0]
        for (attribute, name), rest in zip(plan.slots, plan.path[1:], strict=True):
            target += _segment(name, getattr(params, attribute)) + rest
        pairs: list[str] = []
        for attribute, name in plan.query:
            value = getattr(params, attribute)
            if endpoint.arrays != "joined" and isinstance(value, list | tuple):
                suffix = "%5B%5D" if endpoint.arrays == "bracketed" else ""
                items = cast("Sequence[object]", value)
                pairs += [f"{name}{suffix}={quote(text(item, attribute), '')}" for item in items]
            elif value is not None:
                plain = value if type(value) is str else text(value, attribute)
                pairs.append(f"{name}={quote(plain, '')}")
        if pairs:
            target = f"{target}?{'&'.join(pairs)}"
        if not plan.body:
            return HttpRequest(endpoint.method, target, idempotent=endpoint.idempotent)
        fields = {name: getattr(params, attribute) for attribute, name in plan.body}
        if endpoint.spread:
            fields |= fields.pop(endpoint.spread, None) or {}
        fields = {name: value for name, value in fields.items() if value is not None}
        if endpoint.form:
            form = "&".join(f"{name}={quote(text(v, name), '')}" for name, v in fields.items())
            kind = "application/x-www-form-urlencoded"
            return HttpRequest(endpoint.method, target, form.encode(), kind, endpoint.idempotent)
        for name, value in fields.items():
            if isinstance(value, datetime):
                _zoned(name, value)
        body = msgspec.json.encode(fields)
        return HttpRequest(endpoint.method, target, body, idempotent=endpoint.idempotent)
    except UnicodeEncodeError:
        pass  # its traceback and text would contain the value
    raise ConfigurationError(NO_TEXT)


def text(value: object, name: str = "a time") -> str:
    """Write a value for a query: flags in lower case, lists joined by commas, times in UTC.

    Raises:
        ConfigurationError: A time has no zone: its meaning would depend on the machine.

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
        raise ConfigurationError(f"{name} must have a time zone, such as {_EXAMPLE}")
    return moment


def _segment(name: str, value: object) -> str:
    segment = quote(text(value, name), "") if value is not None else ""
    if segment in ("", ".", ".."):
        raise ConfigurationError(f"{name} must be an id, not {value!r}")
    return segment


def read(
    endpoint: Endpoint[P, object],
    path: Mapping[str, str],
    query: Sequence[tuple[str, str]],
    body: bytes,
) -> P:
    """Decode a request, for a server: params from decoded path and query values and a raw body.

    A list in a query is accepted as `a[]=1&a[]=2`, as `a=1&a=2`, and where the endpoint joins
    lists and the name comes once, as `a=1,2`. Then a value with a comma counts as two.

    Raises:
        ConfigurationError: A required param is missing, or a value cannot be decoded.

    """
    names, lists = set(endpoint.params.__struct_encode_fields__), _lists(endpoint.params)
    texts, sent = [*path.items(), *query], list[tuple[str, object]]()
    if endpoint.body and body and endpoint.form:
        parts = (part.partition("=") for part in body.decode("utf-8", "replace").split("&"))
        form = [(_plain(name), _plain(value)) for name, _, value in parts]
        texts, sent = texts + form, [*form]
    elif endpoint.body and body:
        sent = _json_fields(body)
    values: dict[str, object] = {
        name: text for name, text in texts if name in names - lists and text != ""
    }
    for name in lists:
        found = [text for known, text in texts if known == name]
        if len(found) == 1 and endpoint.arrays == "joined":
            found = found[0].split(",")
        found += [text for known, text in texts if known == f"{name}[]"]
        if items := [text for text in found if text]:
            values[name] = items
    if not endpoint.form:
        values |= {name: value for name, value in sent if name in names and value != ""}
    if endpoint.spread is not None and (others := [pair for pair in sent if pair[0] not in names]):
        values[endpoint.spread] = dict(others)
    try:
        params = msgspec.convert(values, endpoint.params, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from None
    params.check()
    return params


@cache
def _lists(params: type[Params]) -> frozenset[str]:
    """The params that are lists, by wire name."""
    types = {
        field.encode_name: (field.type, *get_args(field.type))
        for field in msgspec.structs.fields(params)
    }
    return frozenset(
        name for name, parts in types.items() if {*map(get_origin, parts)} & {list, tuple}
    )


def _plain(text: str) -> str:
    return unquote(text.replace("+", " "))


def _json_fields(body: bytes) -> list[tuple[str, object]]:
    try:
        return list(msgspec.json.decode(body, type=dict[str, object]).items())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ConfigurationError("the request body must be a JSON object") from None


def decode(provider: Provider, endpoint: Endpoint[P, R], status: int, body: bytes) -> R | LixError:
    """Decode a response.

    Returns:
        The result, or the error, which is not raised: tracebacks then only contain the one frame
        in the engine that raises.

    """
    refusal = provider.refusal(status, body, endpoint.result)
    if refusal is not None:
        refusal.endpoint = endpoint.id
        return refusal
    if not 200 <= status < 300:
        return TransportError(f"unexpected status {status}", permanent=True, endpoint=endpoint.id)
    try:
        plain = body
        if provider.normalise is not None:
            plain = provider.normalise(body, endpoint.result)
        return decoder_for(endpoint.result).read(plain)
    except UnknownKeys as error:
        if not endpoint.idempotent:  # it was carried out: whatever it says is no doubt
            return endpoint.result()
        message, path = str(error), error.path
    except SchemaMismatch as error:
        message, path = str(error), error.path
    if not body.strip():
        message = "the answer is empty"
    elif body.lstrip()[:1] == b"<":
        message = "the answer is a web page, not JSON"
    return DecodeError(f"{message} at {path}", path=path, body=body, endpoint=endpoint.id)


class HttpResponse(msgspec.Struct, frozen=True, gc=False):
    """A response: status, headers (raw, in order) and the decompressed body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
