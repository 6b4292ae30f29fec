"""From a request to its parameters.

The decoding is that of `core.wire`, which accepts what lenient servers accept. Values that a real
server would reject are checked here in addition.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from ...core import wire
from ...core.endpoint import AnyEndpoint
from ...core.errors import ConfigurationError
from .errors import params_invalid
from .params import RequestParams
from .requests import IncomingRequest
from .responses import JSON

FORM = "application/x-www-form-urlencoded"


def read_params(
    endpoint: AnyEndpoint, request: IncomingRequest, key_names: Collection[str]
) -> RequestParams:
    """The parameters of a request.

    Args:
        endpoint: The endpoint that the request is for.
        request: The request.
        key_names: Query parameters that hold the API key.

    Raises:
        ErrorReply: 400 `params_invalid` for wrong or missing parameters.
    """
    if endpoint.body and request.body:
        expected = FORM if endpoint.form else JSON
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if content_type != expected:
            raise params_invalid(f"the Content-Type of the body must be {expected}")
    query = [pair for pair in request.query if pair[0] not in key_names]
    try:
        struct = wire.read(endpoint, request.path_params, query, request.body)
        _check_strictly(endpoint, query, request.body)
    except (ConfigurationError, msgspec.ValidationError) as error:
        raise params_invalid(str(error)) from None
    params = RequestParams(msgspec.structs.asdict(struct))
    # The struct makes a sequence id if the caller sent none; only the caller's own counts here.
    if params.text("sequence_id") not in request.sequence_ids(endpoint):
        params.values.pop("sequence_id", None)
    return params


def _check_strictly(endpoint: AnyEndpoint, query: list[tuple[str, str]], body: bytes) -> None:
    """Reject values that the lenient decoding accepts.

    In a query: an empty value or the text `null` for a number or a flag, and an empty value for a
    list. In a JSON body: a number or a flag written as a text.
    """
    types = {info.encode_name: info.type for info in msgspec.structs.fields(endpoint.params)}
    for name, text in query:
        if text.lower() in ("", "null") and name in types and not _accepts_text(types[name], text):
            raise ConfigurationError(f"invalid {name}: expected a number, a flag or a list")
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
