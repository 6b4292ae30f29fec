"""What LookC posts to the URL set in its dashboard when a request is complete.

Contract: lookc.md#webhook

Nothing is published about signatures, secrets, request ids or repeats. So take a payload as a
hint and not as proof: receive it under a path that holds a secret of 256 bits or more
(`secrets.token_urlsafe(32)`), compare with `token_matches`, stop reading a body at 1 MiB, drop
what was seen in the last day by `fingerprint`, and ask for the result again where it matters
and its request id is known. There are no timestamps, so an old payload cannot be told from a
new one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from ...core.decoding import SchemaMismatch, decoder_for
from ...core.errors import DecodeError
from ...core.validation import check_type
from .models import PersonByEmail

PERSON_BY_EMAIL = "search.person.by-email"
"""The event type of a lookup by e-mail address."""

WebhookBody: TypeAlias = bytes | str | Mapping[str, object]
"""A webhook's body: as received, or as the JSON object that a web framework made of it."""


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One notification."""

    type: str
    """The endpoint's name: `search.person.by-email`; others may come."""
    data: PersonByEmail | None = None
    """The result, where the type is known and carries one."""
    raw: dict[str, object]
    """The whole payload: what an unknown type brought is in here."""


def parse(body: WebhookBody) -> WebhookEvent:
    """Read a notification. An unknown type is an event without `data`, no error.

    Raises `DecodeError`, with the place in `.path`, for what is no JSON object, names no type,
    or holds data that do not fit their type. Nothing is sent and nothing is paid.
    """
    raw = _object(body)
    kind = raw.get("type")
    if not isinstance(kind, str) or not kind:
        raise DecodeError("a webhook must name its type", path="$.type", body=_bytes(body))
    data = raw.get("data")
    if kind != PERSON_BY_EMAIL or data is None:
        return WebhookEvent(type=kind, raw=raw)
    try:
        found = decoder_for(PersonByEmail).read(msgspec.json.encode(data))
    except SchemaMismatch as misfit:
        message, path = str(misfit), f"$.data{misfit.path.removeprefix('$')}"
    else:
        return WebhookEvent(type=kind, data=found, raw=raw)
    raise DecodeError(f"{message} at {path}", path=path, body=_bytes(body))


def token_matches(given: str | None, *tokens: str) -> bool:
    """Whether the secret in a request's path is one of yours, in time that tells nothing.

    Pass two tokens while you change from one to the next. A missing or empty one never matches.
    Raises `ConfigurationError` for what is no text.
    """
    for text in (given or "", *tokens):
        check_type("a token", text, str)
    digest = _digest(given or "")
    same = [hmac.compare_digest(digest, _digest(token)) and token != "" for token in tokens]
    return any(same)


def fingerprint(body: WebhookBody) -> str:
    """A name for a payload: the same for repeats, whatever their spacing and order of keys.

    64 hexadecimal digits (SHA-256). Takes anything; a body that is no JSON object is named by its
    bytes.
    """
    try:
        plain = msgspec.json.encode(_object(body), order="sorted")
    except DecodeError:
        plain = _bytes(body)
    return hashlib.sha256(plain).hexdigest()


class Webhooks:
    """`lookc.webhooks`: the functions of this module, at hand on a client."""

    parse = staticmethod(parse)
    token_matches = staticmethod(token_matches)
    fingerprint = staticmethod(fingerprint)


def _object(body: WebhookBody) -> dict[str, object]:
    try:
        return msgspec.json.decode(_bytes(body), type=dict[str, object])
    except msgspec.ValidationError as error:
        message = f"a webhook must be a JSON object: {error}"
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = "the webhook's body is not JSON"
    except RecursionError:
        message = "the webhook's body is nested too deeply"
    raise DecodeError(message, body=_bytes(body))


def _bytes(body: WebhookBody) -> bytes:
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogatepass")
    if isinstance(body, bytes):
        return body.removeprefix(b"\xef\xbb\xbf")
    try:
        return msgspec.json.encode(dict(body))
    except (TypeError, ValueError, RecursionError):
        return repr(body).encode("utf-8", "backslashreplace")  # then it is no JSON either


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
