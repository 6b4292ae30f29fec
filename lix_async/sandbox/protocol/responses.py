"""What goes back over the wire: status, headers, pieces of a body, and whether the line is cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from .errors import ErrorReply

JSON = "application/json"
Cut = Literal["", "close", "reset"]


@dataclass(slots=True)
class SandboxResponse:
    """One answer on its way out.

    `wait` is seconds before anything is sent, `pause` seconds between two pieces. `cut` ends the
    connection after the pieces: `close` in an orderly way, `reset` not.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    pieces: Iterable[bytes] = ()
    length: int | None = None
    """Content-Length; None where the pieces end when they end."""
    wait: float = 0.0
    pause: float = 0.0
    cut: Cut = ""


def reply(
    status: int, body: bytes, content_type: str = JSON, headers: dict[str, str] | None = None
) -> SandboxResponse:
    """An ordinary answer."""
    return SandboxResponse(
        status, {"content-type": content_type, **(headers or {})}, [body], len(body)
    )


def json_reply(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> SandboxResponse:
    """A JSON answer."""
    return reply(status, msgspec.json.encode(value), JSON, headers)


def refused(refusal: ErrorReply) -> SandboxResponse:
    """The answer that a refusal is."""
    return json_reply(refusal.body, refusal.status, refusal.headers)
