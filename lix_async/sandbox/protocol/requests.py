"""An incoming request, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import msgspec

from ...core.endpoint import AnyEndpoint
from .params import RequestParams

# Cookies are as secret as the API key: the record of a request never holds them.
_SECRETS = ("cookies",)


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A request as it was received.

    `endpoint` is None if no endpoint has this path and method. `provider` is the name of the
    provider whose path it is, empty for an unknown path. `allowed` are the methods that the path
    accepts. Header names are in lower case; path and query values are decoded.
    """

    endpoint: AnyEndpoint | None
    method: str
    path: str
    provider: str = ""
    allowed: Collection[str] = ()
    path_params: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def sequence_ids(self, endpoint: AnyEndpoint) -> set[str]:
        """The sequence ids that the caller sent, in the query or in a form."""
        given = {value for name, value in self.query if name == "sequence_id"}
        if endpoint.form:
            given.update(parse_qs(self.body.decode("utf-8", "replace")).get("sequence_id", []))
        return given


@dataclass(slots=True)
class RequestRecord:
    """What is recorded of a request. It never holds the API key or a cookie.

    * `at`: seconds on the sandbox's clock.
    * `caller`: the label of the API key.
    * `endpoint`: the catalogue id; None for an unknown path.
    * `input`: the parameters as JSON with sorted keys.
    * `status`: 0 if the connection was broken before the response.
    * `kind`: the error type, if a rule of the sandbox (not a fault) rejected the request.
    * `fault`: the name of the fault that was applied.
    * `charged`: the credits charged.
    """

    number: int
    at: float
    method: str
    path: str
    caller: str = ""
    endpoint: str | None = None
    input: str | None = None
    status: int = 0
    kind: str | None = None
    fault: str | None = None
    charged: int = 0


def input_text(params: RequestParams) -> str:
    """The parameters as JSON with sorted keys, so that equal requests have equal texts."""
    shown = {name: "hidden" if name in _SECRETS else value for name, value in params.values.items()}
    return msgspec.json.encode(shown, order="sorted").decode()
