"""What goes back over the wire: status, headers, pieces of a body, and whether the line is cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from .errors import ErrorReply

JSON = "application/json"
JsonObject = dict[str, object]
Disconnect = Literal["", "close", "reset"]


@dataclass(slots=True)
class SandboxResponse:
    """One answer on its way out.

    `wait` is seconds before anything is sent, `pause` seconds between two pieces. `cut` ends the
    connection after the pieces: `close` in an orderly way, `reset` not.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    chunks: Iterable[bytes] = ()
    content_length: int | None = None
    """Content-Length; None where the pieces end when they end."""
    delay: float = 0.0
    chunk_delay: float = 0.0
    disconnect: Disconnect = ""


def response(
    status: int, body: bytes, content_type: str = JSON, headers: dict[str, str] | None = None
) -> SandboxResponse:
    """An ordinary answer."""
    return SandboxResponse(
        status, {"content-type": content_type, **(headers or {})}, [body], len(body)
    )


def json_response(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> SandboxResponse:
    """A JSON answer."""
    return response(status, msgspec.json.encode(value), JSON, headers)


def error_response(error: ErrorReply) -> SandboxResponse:
    """The answer that a refusal is."""
    return json_response(error.body, error.status, error.headers)
