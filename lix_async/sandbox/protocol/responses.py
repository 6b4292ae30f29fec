"""Outgoing responses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from .errors import ErrorReply

JSON = "application/json"
Disconnect = Literal["", "close", "reset"]


@dataclass(slots=True)
class SandboxResponse:
    """A response to send.

    * `chunks`: the body in pieces.
    * `content_length`: None sends no Content-Length; the body then ends with the last chunk.
    * `delay`: seconds before anything is sent.
    * `chunk_delay`: seconds between two chunks.
    * `disconnect`: how to end the connection after the chunks: `close` closes it in order,
      `reset` sends a TCP reset, without sending anything before.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    chunks: Iterable[bytes] = ()
    content_length: int | None = None
    delay: float = 0.0
    chunk_delay: float = 0.0
    disconnect: Disconnect = ""


def response(
    status: int, body: bytes, content_type: str = JSON, headers: dict[str, str] | None = None
) -> SandboxResponse:
    """A response with a body of known length."""
    return SandboxResponse(
        status, {"content-type": content_type, **(headers or {})}, [body], len(body)
    )


def json_response(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> SandboxResponse:
    """A JSON response."""
    return response(status, msgspec.json.encode(value), JSON, headers)


def error_response(error: ErrorReply) -> SandboxResponse:
    """The response to an error, in the format of Lix and LookC."""
    return json_response(error.body, error.status, error.headers)
