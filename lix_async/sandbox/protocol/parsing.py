"""From a request to params: as the engine's `wire.read`, and stricter where a server would be."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec

from ...core import wire
from ...core.endpoint import AnyEndpoint
from ...core.errors import ConfigurationError
from .errors import params_invalid
from .params import RequestParams
from .responses import JSON

if TYPE_CHECKING:
    from .requests import IncomingRequest

FORM = "application/x-www-form-urlencoded"


def read(row: AnyEndpoint, arrival: IncomingRequest, keys: Collection[str]) -> RequestParams:
    """The params of a call; a `params_invalid` refusal where they are wrong.

    `keys` are names in the query that hold the API key and are no params.
    """
    if row.body and arrival.body:
        wanted = FORM if row.form else JSON
        if arrival.headers.get("content-type", "").split(";")[0].strip().lower() != wanted:
            raise params_invalid(f"the Content-Type of the body must be {wanted}")
    query = [pair for pair in arrival.query if pair[0] not in keys]
    try:
        params = wire.read(row, arrival.path_params, query, arrival.body)
        _check(row, query, arrival.body)
    except (ConfigurationError, msgspec.ValidationError) as error:
        raise params_invalid(str(error)) from None
    asked = RequestParams.of(params)
    # The struct makes a sequence id where the caller sent none; here only the caller's counts.
    if asked.text("sequence_id") not in arrival.sequences(row):
        asked = RequestParams.of(params, without=("sequence_id",))
    return asked


def _check(row: AnyEndpoint, query: list[tuple[str, str]], body: bytes) -> None:
    """Refuse what lenient reading lets pass.

    In a query: nothing, or the text `null`, where a number or a flag belongs, and nothing where a
    list does. In a JSON body: a number or a flag as a text.
    """
    types = {info.encode_name: info.type for info in msgspec.structs.fields(row.params)}
    for name, text in query:
        if text.lower() in ("", "null") and name in types and not _takes_text(types[name], text):
            raise ConfigurationError(f"{name} is no number, no flag and no list")
    if row.body and body and not row.form:
        for name, value in msgspec.json.decode(body, type=dict[str, object]).items():
            if name in types and value not in (None, ""):
                msgspec.convert(value, types[name])


def _takes_text(kind: object, text: str) -> bool:
    for value in ("null", [text] if text else None):
        try:
            if msgspec.convert(value, kind):
                return True
        except msgspec.ValidationError:
            pass
    return False
