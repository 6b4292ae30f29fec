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
    """The id of the message."""
    type: SalesMessageType | None = None
    """The type of the message: `INMAIL`; others may be added."""
    body: str | None = None
    """The text of the message."""
    delivered_at: int | None = None
    """When it was delivered, in epoch milliseconds."""

    @property
    def delivered_time(self) -> datetime | None:
        """When it was delivered."""
        return from_ms(self.delivered_at)


class Mentioned(Model):
    """A person that an answer mentions. No id connects it with `participants`."""

    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    full_name: str | None = None
    """First and last name."""
    object_urn: str | None = None
    """The URN of the person."""


class SalesThread(Model):
    """A thread of the Sales Navigator inbox, with some of its messages."""

    id: str | None = None
    """The id of the thread; `thread_id` also reads the form of the early draft."""
    entity_urn: str | None = None
    """Sent instead of `id` in an early draft: `urn:li:fs_salesMessagingThread:<id>`."""
    next_page_starts_at: int | None = None
    """Milliseconds since 1970; that of the last thread of a page leads to the next page."""
    total_message_count: int | None = None
    """Messages of the thread, also those that are not in `messages`."""
    unread_message_count: int | None = None
    """Messages of the thread that were not read."""
    archived: bool | None = None
    """Whether the thread is archived."""
    messages: list[SalesMessage] = field(default=[])
    """Some of the messages of the thread."""
    participants: list[str] = field(default=[])
    """The URNs of the people: `urn:li:fs_salesProfile:(<sales id>,<auth type>,<auth token>)`."""

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
    """The threads of the page."""
    entity_urn: str | None = None
    """A URN that comes with the page; its meaning is not documented."""
    included: list[Mentioned] = field(default=[])
    """People that the threads mention."""

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
    """People that the thread mentions."""

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Accept the form of an early draft, a list with the thread as its only item."""
        elements = as_list(tree.get("elements")) or [None]
        return {**tree, **as_object(elements[0])}
