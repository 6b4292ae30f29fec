"""From a request to params: as the engine's `wire.read`, and stricter where a server would be."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec

from ...core import wire
from ...core.errors import ConfigurationError
from .errors import params_invalid
from .params import RequestParams
from .responses import JSON

if TYPE_CHECKING:
    from .requests import AnyEndpoint, IncomingRequest

FORM = "application/x-www-form-urlencoded"


def read_params(
    endpoint: AnyEndpoint, request: IncomingRequest, key_names: Collection[str]
) -> RequestParams:
    """The params of a call; a `params_invalid` refusal where they are wrong.

    `keys` are names in the query that hold the API key and are no params.
    """
    if endpoint.body and request.body:
        wanted = FORM if endpoint.form else JSON
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != wanted:
            raise params_invalid(f"the Content-Type of the body must be {wanted}")
    query = [pair for pair in request.query if pair[0] not in key_names]
    try:
        params = wire.read(endpoint, request.path_params, query, request.body)
        _check_strictly(endpoint, query, request.body)
    except (ConfigurationError, msgspec.ValidationError) as error:
        raise params_invalid(str(error)) from None
    asked = RequestParams.from_struct(params)
    # The struct makes a sequence id where the caller sent none; here only the caller's counts.
    if asked.text("sequence_id") not in request.sequence_ids(endpoint):
        asked = RequestParams.from_struct(params, without=("sequence_id",))
    return asked


def _check_strictly(endpoint: AnyEndpoint, query: list[tuple[str, str]], body: bytes) -> None:
    """Refuse what lenient reading lets pass.

    In a query: nothing, or the text `null`, where a number or a flag belongs, and nothing where a
    list does. In a JSON body: a number or a flag as a text.
    """
    types = {info.encode_name: info.type for info in msgspec.structs.fields(endpoint.params)}
    for name, text in query:
        if text.lower() in ("", "null") and name in types and not _accepts_text(types[name], text):
            raise ConfigurationError(f"{name} is no number, no flag and no list")
    if endpoint.body and body and not endpoint.form:
        for name, value in msgspec.json.decode(body, type=dict[str, object]).items():
            if name in types and value not in (None, ""):
                msgspec.convert(value, types[name])


def _accepts_text(kind: object, text: str) -> bool:
    for value in ("null", [text] if text else None):
        try:
            if msgspec.convert(value, kind):
                return True
        except msgspec.ValidationError:
            pass
    return False
