"""The Meet Alfred API as a whole: base URL, key, default rate, and how it wraps items.

Contract: meetalfred.md#configurable. Base URL, method and the name of the key are known from public
clients only.
"""

from __future__ import annotations

import msgspec

from ...core.decoding import SchemaMismatch
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import refusal

_OUTER = msgspec.json.Decoder(dict[str, msgspec.Raw])


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
    shape=shape,
)
"""`rate`: none is documented; a public client that was refused at more keeps 400 ms."""
