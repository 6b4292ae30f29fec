"""Webhooks: what the sandbox posts to a local URL when a lookup is finished."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio.to_thread
import msgspec

from ...core.errors import ConfigurationError
from ...core.provider import LOOPBACK

WebhookSender = Callable[[str, bytes], Awaitable[int]]
"""(URL, JSON body) → the response status. May raise `OSError` if the receiver is unreachable."""
EVENT_TYPE = "search.person.by-email"
"""The type of the only documented event (lookc.md#webhook)."""
TIMEOUT = 5.0
"""Seconds to wait for the receiver's response."""


async def post(url: str, body: bytes) -> int:
    """Post JSON to a URL without following redirects. Returns the response status."""
    return await anyio.to_thread.run_sync(_post, url, body, abandon_on_cancel=True)


def _post(url: str, body: bytes) -> int:
    import http.client  # late: most sandboxes post nothing

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", target, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise ConnectionError(type(error).__name__) from None
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where finished lookups are posted to.

    * `url`: an http URL on this machine: 127.0.0.1, localhost or ::1.
    * `posts`: how often each notification is posted; 2 tests the handling of duplicates.
    * `send`: the function that posts. A test can pass its own and needs no socket.

    Raises:
        ConfigurationError: The URL is not on this machine, or `posts` is below 1.
    """

    url: str
    posts: int = 1
    send: WebhookSender = post

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError:
            raise ConfigurationError(
                "invalid webhook URL: expected http://127.0.0.1:9000/path"
            ) from None
        if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.username is not None:
            raise ConfigurationError("invalid webhook URL: expected http:// on this machine")
        if any(char <= " " or char > "~" for char in self.url):
            raise ConfigurationError("invalid webhook URL: expected ASCII without spaces")
        if self.posts < 1:
            raise ConfigurationError("posts must be at least 1")

    @classmethod
    def of(cls, source: Webhook | str | None) -> Webhook | None:
        """A webhook from a webhook or its URL."""
        return cls(source) if isinstance(source, str) else source

    async def deliver(self, result: dict[str, object]) -> list[WebhookDelivery]:
        """Post the documented payload; returns the result of each post."""
        body = msgspec.json.encode({"type": EVENT_TYPE, "data": result})
        return [WebhookDelivery(body, await self._post(body)) for _ in range(self.posts)]

    async def _post(self, body: bytes) -> int:
        try:
            return await self.send(self.url, body)
        except OSError:
            return 0  # no retry: none is documented


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One notification that was posted; `status` is 0 if the receiver was unreachable."""

    body: bytes
    status: int
