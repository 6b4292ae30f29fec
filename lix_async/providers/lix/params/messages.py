"""Parameters for LinkedIn messages and Sales Navigator threads.

Contract: lix.md#conversations-and-messages, lix.md#sales-navigator
"""

from __future__ import annotations

from ....core.endpoint import at_least, at_most, exactly_one, required
from ....core.errors import ConfigurationError
from ....core.models import Params
from ....linkedin.fields import is_linkedin_url

__all__ = [
    "ConversationsParams",
    "MessagesParams",
    "SendInMailParams",
    "SendMessageParams",
    "ThreadParams",
    "ThreadsParams",
]

MESSAGE = 8000
"""The most characters of a message (lix.md#messages.send)."""


class ConversationsParams(Params, frozen=True, kw_only=True):
    """`messages.conversations`."""

    viewer_id: str | None = None
    sequence_id: str | None = None
    count: int | None = None

    def check(self) -> None:
        """Require a viewer; `count` must be positive."""
        required(self, "viewer_id")
        at_least(self, "count", 1)


class MessagesParams(Params, frozen=True, kw_only=True):
    """`messages.list`."""

    viewer_id: str | None = None
    conversation_id: str | None = None
    conversation_urn: str | None = None
    sequence_id: str | None = None
    delivered_at: int | None = None
    """Epoch milliseconds."""
    count_before: int | None = None
    count_after: int | None = None

    def check(self) -> None:
        """Require a viewer and exactly one of id and URN; numbers must not be negative."""
        exactly_one(self, "conversation_id", "conversation_urn")
        required(self, "viewer_id")
        for name in ("delivered_at", "count_before", "count_after"):
            at_least(self, name, 0)


class SendMessageParams(Params, frozen=True, kw_only=True):
    """`messages.send`."""

    viewer_id: str | None = None
    conversation_id: str | None = None
    conversation_urn: str | None = None
    body: str

    def check(self) -> None:
        """Require a viewer, exactly one of id and URN, and a text within its limit."""
        exactly_one(self, "conversation_id", "conversation_urn")
        required(self, "body", "viewer_id")
        at_most(self, "body", MESSAGE)


class ThreadsParams(Params, frozen=True, kw_only=True):
    """`sales.threads`."""

    viewer_id: str | None = None
    filter: str | None = None
    count: int | None = None
    page_starts_at: int | None = None
    """Epoch milliseconds."""

    def check(self) -> None:
        """Require a viewer; numbers must not be negative."""
        required(self, "viewer_id")
        at_least(self, "count", 1)
        at_least(self, "page_starts_at", 0)


class ThreadParams(Params, frozen=True, kw_only=True):
    """`sales.thread`."""

    thread_id: str
    viewer_id: str | None = None
    count: int | None = None
    message_count: int | None = None

    def check(self) -> None:
        """Require a thread and a viewer; numbers must not be negative."""
        required(self, "thread_id", "viewer_id")
        at_least(self, "count", 1)
        at_least(self, "message_count", 0)


class SendInMailParams(Params, frozen=True, kw_only=True):
    """`sales.send_message`."""

    viewer_id: str | None = None
    body: str
    thread_id: str | None = None
    recipients: list[str] | None = None
    subject: str | None = None
    copy_to_crm: bool | None = None

    def check(self) -> None:
        """Require a viewer, a text, and either a thread or recipients with a subject."""
        exactly_one(self, "thread_id", "recipients")
        required(self, "body", "viewer_id")
        if self.recipients:
            required(self, "subject")
        for one in self.recipients or ():
            # A URN, a link or a bare id (lix.md#sales.send_message). Only a link could lead to
            # another host.
            if not one or ("/" in one and not is_linkedin_url(one, bare=True)):
                raise ConfigurationError(
                    "recipients must be sales profile URNs, linkedin.com/sales/lead links or "
                    "Sales Navigator ids"
                )
