"""What LookC posts to the URL in its dashboard when a request is complete.

Nothing is published about signatures, secrets, request ids or repeated delivery, so a payload is
not proof of anything. Receive it under a path with a secret of at least 256 bits
(`secrets.token_urlsafe(32)`) and compare that with `token_matches`; stop reading a body at 1 MiB;
drop payloads seen in the last day by their `fingerprint`; and where it matters, request the result
again by its request id. There are no timestamps, so an old payload looks like a new one.

Contract: lookc.md#webhook
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal, TypeAlias, cast

import msgspec

from ...core.bridge import ReadableStruct
from ...core.decoding import decoder_for
from ...core.errors import DecodeError
from ...core.json_text import SchemaMismatch, parse_json
from ...core.validation import check_type
from .models import PersonByEmail

PERSON_BY_EMAIL: Literal["search.person.by-email"] = "search.person.by-email"
"""The event type of a lookup by e-mail address."""
EventType: TypeAlias = Literal["search.person.by-email"] | str
"""The type of an event; others may be added."""

WebhookBody: TypeAlias = bytes | str | Mapping[str, object]
"""A webhook's body: as received, or as the JSON object that a web framework decoded."""


class WebhookEvent(ReadableStruct, msgspec.Struct, frozen=True, kw_only=True):
    """One notification."""

    type: EventType
    """The endpoint's name: `search.person.by-email`; others may be added."""
    data: PersonByEmail | None = None
    """The result, if the type is known and has one."""
    raw: dict[str, object]
    """The whole payload, also of an unknown type."""


def parse(body: WebhookBody) -> WebhookEvent:
    """Read a notification. An unknown type gives an event without `data`.

    Raises:
        DecodeError: The body is not a JSON object, has no type, or its data do not fit their type;
            `path` is the place.
    """
    raw = _object(body)
    kind = raw.get("type")
    if not isinstance(kind, str) or not kind:
        raise DecodeError("the webhook has no type", path="$.type", body=_bytes(body))
    data = raw.get("data")
    if kind != PERSON_BY_EMAIL or data is None:
        return WebhookEvent(type=kind, raw=raw)
    try:
        found = decoder_for(PersonByEmail).read(msgspec.json.encode(data))
    except SchemaMismatch as error:
        message, path = str(error), f"$.data{error.path.removeprefix('$')}"
    else:
        return WebhookEvent(type=kind, data=found, raw=raw)
    raise DecodeError(f"{message} at {path}", path=path, body=_bytes(body))


def token_matches(given: str | None, *tokens: str) -> bool:
    """Whether the secret in a request's path is one of yours, in constant time.

    Pass two tokens while you change from one to the other. A missing or empty token never matches.

    Raises:
        ConfigurationError: A token is not a text.
    """
    for text in (given or "", *tokens):
        check_type("a token", text, str)
    digest = _digest(given or "")
    same = [hmac.compare_digest(digest, _digest(token)) and token != "" for token in tokens]
    return any(same)


def fingerprint(body: WebhookBody) -> str:
    """A hash of a payload that ignores white space and the order of keys, to detect repeats.

    Returns:
        64 hexadecimal digits (SHA-256). For a body that is not a JSON object, of its bytes.
    """
    try:
        plain = msgspec.json.encode(_object(body), order="sorted")
    except DecodeError:
        plain = _bytes(body)
    return hashlib.sha256(plain).hexdigest()


class Webhooks:
    """`lookc.webhooks`: the functions of this module, on a client."""

    parse = staticmethod(parse)
    token_matches = staticmethod(token_matches)
    fingerprint = staticmethod(fingerprint)


def _object(body: WebhookBody) -> dict[str, object]:
    try:
        tree = parse_json(_bytes(body))
    except SchemaMismatch as error:
        message = f"the webhook's body is not JSON: {error}"
    else:
        if isinstance(tree, dict):
            return cast("dict[str, object]", tree)
        message = "the webhook is not a JSON object"
    raise DecodeError(message, body=_bytes(body))


def _bytes(body: WebhookBody) -> bytes:
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes):
        return body
    try:
        return msgspec.json.encode(dict(body))
    except (TypeError, ValueError, RecursionError):
        return repr(body).encode(
            "utf-8", "backslashreplace"
        )  # not JSON either, so callers treat it as other bytes


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
