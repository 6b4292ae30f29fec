"""Sales Navigator threads and their messages (lix.md#sales.threads)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec import field

from ....core.models import Listing, Model
from ....core.timestamps import from_ms
from .coercion import as_list, as_object


class SalesMessage(Model):
    """A message of a thread."""

    id: str | None = None
    type: str | None = None
    """`INMAIL`; others may come."""
    body: str | None = None
    delivered_at: int | None = None
    """Milliseconds since 1970."""

    @property
    def delivered_time(self) -> datetime | None:
        """When it was delivered."""
        return from_ms(self.delivered_at)


class Mentioned(Model):
    """Somebody whom an answer mentions. Not joined by any id to `participants`."""

    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    object_urn: str | None = None


class SalesThread(Model):
    """A thread of the Sales Navigator inbox, with some of its messages."""

    id: str | None = None
    entity_urn: str | None = None
    """In an early draft instead of `id`: `urn:li:fs_salesMessagingThread:<id>`."""
    next_page_starts_at: int | None = None
    """Milliseconds since 1970; of the last thread of a page it leads to the next page."""
    total_message_count: int | None = None
    unread_message_count: int | None = None
    archived: bool | None = None
    messages: list[SalesMessage] = field(default=[])
    participants: list[str] = field(default=[])
    """`urn:li:fs_salesProfile:(<sales id>,<auth type>,<auth token>)`."""

    @property
    def thread_id(self) -> str | None:
        """The id that `sales.thread` and `.send_message` take."""
        return self.id or (self.entity_urn or "").rpartition(":")[2] or None

    @property
    def identity(self) -> str | None:
        """What tells two threads apart."""
        return self.thread_id


class ThreadsPage(Listing[SalesThread]):
    """A page of threads."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("data",)

    items: list[SalesThread] = field(name="elements", default=[])
    entity_urn: str | None = None
    included: list[Mentioned] = field(default=[])

    @property
    def cursor(self) -> int | None:
        """Where the next page starts, which only the last thread knows."""
        return self.items[-1].next_page_starts_at if self.items else None


class SingleThread(SalesThread):
    """The answer about one thread: the thread, and whom it mentions."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("data",)
    __markers__: ClassVar[tuple[str, ...]] = ("elements",)

    included: list[Mentioned] = field(default=[])

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """An early draft had the thread as the only one of a list."""
        elements = as_list(tree.get("elements")) or [None]
        return {**tree, **as_object(elements[0])}
