"""The base class of the groups of methods of `AsyncLix`."""

from __future__ import annotations

from ....core.validation import guarded_repr
from ....engine.client import Client


class Resource:
    """A group of methods of a client."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    @guarded_repr
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"
