"""What the sandbox posts to a webhook of yours, on this machine only, when a lookup is done."""

from __future__ import annotations

import http.client
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio.to_thread
import msgspec

from ...core.errors import ConfigurationError
from ...core.provider import LOOPBACK

WebhookSender = Callable[[str, bytes], Awaitable[int]]
"""(URL, JSON body) → the status of the answer. May raise `OSError` where nobody answers."""
EVENT_TYPE = "search.person.by-email"
"""The documented type of the only event there is (lookc.md#webhook)."""
TIMEOUT = 5.0
"""Until a receiver that does not answer is given up."""


async def post(url: str, body: bytes) -> int:
    """Post to an address of this machine, without following redirects."""
    return await anyio.to_thread.run_sync(_post, url, body, abandon_on_cancel=True)


def _post(url: str, body: bytes) -> int:
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        line.request("POST", target, body, {"Content-Type": "application/json"})
        return line.getresponse().status
    except http.client.HTTPException as error:
        raise ConnectionError(type(error).__name__) from None
    finally:
        line.close()


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where notifications go. Instead of it, its URL alone will do.

    * `url`: http on this machine: 127.0.0.1, localhost or ::1, and nowhere else.
    * `posts`: how often each is posted; 2 for trying out duplicates.
    * `send`: what posts; a test may put in a function of its own and needs no socket then.
    """

    url: str
    posts: int = 1
    send: WebhookSender = post

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError:
            raise ConfigurationError("the webhook is not a URL") from None
        if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.username is not None:
            raise ConfigurationError("the sandbox posts to http:// on this machine only")
        if any(char <= " " or char > "~" for char in self.url):
            raise ConfigurationError("the webhook's URL has spaces or signs that are not ASCII")
        if self.posts < 1:
            raise ConfigurationError("posts must be at least 1")

    @classmethod
    def of(cls, what: Webhook | str | None) -> Webhook | None:
        """A webhook from itself or its URL."""
        return cls(what) if isinstance(what, str) else what

    async def deliver(self, result: dict[str, object]) -> list[WebhookDelivery]:
        """Post the documented payload; what became of each try."""
        body = msgspec.json.encode({"type": EVENT_TYPE, "data": result})
        return [WebhookDelivery(body, await self._try(body)) for _ in range(self.posts)]

    async def _try(self, body: bytes) -> int:
        try:
            return await self.send(self.url, body)
        except OSError:
            return 0  # as a vendor would: nobody is told, and nothing is tried again


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """One notification that was posted; `status` 0 where nobody answered."""

    body: bytes
    status: int
