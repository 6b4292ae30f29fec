"""Sales Navigator threads and their messages (lix.md#sales.threads)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from msgspec import field

from ....core.models import Listing, Model
from ....core.timestamps import from_ms
from .coercion import as_list, as_object

__all__ = [
    "Mentioned",
    "SalesMessage",
    "SalesMessageType",
    "SalesThread",
    "SingleThread",
    "ThreadsPage",
]

SalesMessageType: TypeAlias = Literal["INMAIL"] | str
"""The type of a message; others may be added."""


class SalesMessage(Model):
    """A message of a thread."""

    id: str | None = None
    type: SalesMessageType | None = None
    """`INMAIL`; others may be added."""
    body: str | None = None
    delivered_at: int | None = None
    """Epoch milliseconds."""

    @property
    def delivered_time(self) -> datetime | None:
        """When it was delivered."""
        return from_ms(self.delivered_at)


class Mentioned(Model):
    """A person that an answer mentions. No id connects it with `participants`."""

    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    object_urn: str | None = None


class SalesThread(Model):
    """A thread of the Sales Navigator inbox, with some of its messages."""

    id: str | None = None
    entity_urn: str | None = None
    """Sent instead of `id` in an early draft: `urn:li:fs_salesMessagingThread:<id>`."""
    next_page_starts_at: int | None = None
    """Milliseconds since 1970; that of the last thread of a page leads to the next page."""
    total_message_count: int | None = None
    unread_message_count: int | None = None
    archived: bool | None = None
    messages: list[SalesMessage] = field(default=[])
    participants: list[str] = field(default=[])
    """`urn:li:fs_salesProfile:(<sales id>,<auth type>,<auth token>)`."""

    @property
    def thread_id(self) -> str | None:
        """The id that `sales.thread` and `sales.send_message` take."""
        return self.id or (self.entity_urn or "").rpartition(":")[2] or None

    @property
    def identity(self) -> str | None:
        """The id by which threads are compared."""
        return self.thread_id


class ThreadsPage(Listing[SalesThread]):
    """A page of threads."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("data",)

    items: list[SalesThread] = field(name="elements", default=[])
    entity_urn: str | None = None
    included: list[Mentioned] = field(default=[])

    @property
    def cursor(self) -> int | None:
        """The start of the next page: the time of the last thread that has one."""
        times = (thread.next_page_starts_at for thread in reversed(self.items))
        return next(filter(None, times), None)


class SingleThread(SalesThread):
    """The result for one thread: the thread, and the people it mentions."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("data",)
    __markers__: ClassVar[dict[str, str | None]] = {"elements": "id"}

    included: list[Mentioned] = field(default=[])

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Accept the form of an early draft, a list with the thread as its only item."""
        elements = as_list(tree.get("elements")) or [None]
        return {**tree, **as_object(elements[0])}
