"""A request as it comes in, and the facts of it that are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec

from ...core.endpoint import AnyEndpoint
from .params import RequestParams

if TYPE_CHECKING:
    from ..providers import SandboxProvider

# Cookies are secrets of the same rank as the key: what is kept of a request never holds them.
_SECRETS = ("cookies",)


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """One request as it came; `row` is None where no row of a table has its path and method.

    `house` is whose path it is, None for a path that nobody has; `allowed` are the methods that a
    path is asked by. Names of headers are in lower case; path and query values are decoded.
    """

    row: AnyEndpoint | None
    method: str
    path: str
    house: SandboxProvider | None = None
    allowed: Collection[str] = ()
    path_params: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def sequences(self, row: AnyEndpoint) -> set[str]:
        """The sequence ids that the caller sent, in the query or in a form."""
        given = {value for name, value in self.query if name == "sequence_id"}
        if row.form:
            given.update(parse_qs(self.body.decode("utf-8", "replace")).get("sequence_id", []))
        return given


@dataclass(slots=True)
class RequestRecord:
    """What is kept of a request: never the key, never a cookie.

    `at` is seconds on the sandbox's clock; `input` the params as JSON with sorted keys; `kind` the
    type of a refusal by the sandbox's own rules; `fault` the fault that struck; `charged` the
    credits paid. A connection that was broken before an answer has `status` 0.
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


def input_text(asked: RequestParams) -> str:
    """The params of a call as JSON with sorted keys, so that equal calls have equal texts."""
    shown = {name: "hidden" if name in _SECRETS else value for name, value in asked.values.items()}
    return msgspec.json.encode(shown, order="sorted").decode()
