"""The Meet Alfred API as a whole: address, key, rate, how it says no, and how it wraps rows.

Contract: meetalfred.md#configurable. Base URL, method and the key's name are seen in public clients
only.
"""

from __future__ import annotations

from typing import cast

import msgspec

from ...core.decoding import SchemaMismatch
from ...core.error_responses import STATUSES, json_object
from ...core.errors import RefusalError, ServerError, excerpt
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit

SAYINGS = {
    401: "the key is missing or not accepted",
    404: "no such path",
    429: "too many requests",
}
_OUTER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LINE = 200
"""Characters of an error page in plain text that a message holds."""


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The refusal that an answer is: by its status alone, as no error body is documented."""
    if 200 <= status < 300:
        return None
    tree = json_object(body)
    if status == 407 and tree is None:
        return None  # a proxy's
    cls = STATUSES.get(status) or (ServerError if status >= 500 else RefusalError)
    if 300 <= status < 400:
        message = "the server redirects; redirects are never followed"
    else:
        message = _said(tree, body) or SAYINGS.get(status) or f"status {status}"
    return cls(message, status=status, kind=str(status), body=excerpt(body))


def _said(tree: dict[str, object] | None, body: bytes) -> str:
    """What an error body tells people: under one of four names, or as plain text."""
    for name in ("message", "error", "detail", "details"):
        found = (tree or {}).get(name)
        if isinstance(found, dict):
            found = cast("dict[str, object]", found).get("message")
        if isinstance(found, str) and found:
            return found
    text = body.decode("utf-8", "replace").strip()
    return "" if tree is not None or text[:1] in ("<", "{", "[") else text[:_LINE]


def shape(body: bytes, result: type) -> bytes:
    """A success in its struct's shape: rows may come bare, or under any name.

    The seed shows bare arrays, public clients `{"actions": […]}` and other names, and for some
    calls nobody knows: an object with one array in it holds its rows there. No body at all is an
    empty answer. Raises `Misfit` for an object whose rows cannot be found.
    """
    if not body.strip():
        return b"{}"
    fields: tuple[str, ...] = getattr(result, "__struct_fields__", ())
    if "items" not in fields:
        return body
    name: str = getattr(result, "__struct_encode_fields__")[fields.index("items")]  # noqa: B009  # typed for no class in general
    if body.lstrip()[:1] == b"[":
        return msgspec.json.encode({name: msgspec.Raw(body)})
    try:
        outer = _OUTER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body  # the reader says what is wrong with it
    if not outer or name in outer:
        return body
    arrays = [value for value in outer.values() if bytes(value)[:1] == b"["]
    if len(arrays) != 1:
        raise SchemaMismatch(
            f"expected rows under {name!r}, or one array, not {len(arrays)} arrays"
        )
    return msgspec.json.encode({name: arrays[0]})


MEETALFRED = Provider(
    name="Meet Alfred",
    base_url="https://meetalfred.com/api/integrations/webhook",
    key_variables=("MEETALFRED_API_KEY",),
    url_variable="MEETALFRED_BASE_URL",
    credentials={"query": AuthScheme("query", "webhook_key")},
    rate=RateLimit(1, per=0.4),
    refusal=refusal,
    typed=False,
    normalise=shape,
)
"""`rate`: none is documented; a public client that was refused at more keeps 400 ms."""
