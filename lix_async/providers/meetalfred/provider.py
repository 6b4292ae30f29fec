"""The Meet Alfred API as a whole: base URL, key, default rate, and how it wraps items.

Contract: meetalfred.md#configurable. Base URL, method and the name of the key are known from public
clients only.
"""

from __future__ import annotations

import msgspec

from ...core.json_text import JSON_ERRORS, SchemaMismatch, strict_json
from ...core.provider import AuthScheme, Provider
from ...core.rate_limit import RateLimit
from .errors import has_own_error, refusal

_OUTER = msgspec.json.Decoder(dict[str, msgspec.Raw])


def normalise_body(body: bytes, result: type) -> bytes:
    """The body of a success with its items under the key that the result type expects.

    The vendor shows bare arrays, public clients `{"actions": […]}` and other keys, and for some
    calls the key is unknown: an object with exactly one array has its items there. An empty body is
    an empty object.

    Raises:
        SchemaMismatch: The object has several arrays or none, so its items cannot be found, or
            the body is not JSON.
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
    except JSON_ERRORS:
        strict = strict_json(body)
        return body if strict is body else normalise_body(strict, result)
    if not outer or name in outer:
        return body
    arrays = [value for value in outer.values() if bytes(value)[:1] == b"["]
    if len(arrays) != 1:
        raise SchemaMismatch(
            f"expected items under {name!r}, or one array, not {len(arrays)} arrays"
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
    own_error=has_own_error,
    typed=False,
    normalise=normalise_body,
)
"""`rate`: none is documented; a public client that got errors at a higher rate waits 400 ms."""
