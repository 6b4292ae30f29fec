"""Conversations and messages of a LinkedIn account (lix.md#conversations-and-messages)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from urllib.parse import unquote

from msgspec import field

from ....core.models import Listing, Model
from ....core.timestamps import from_ms

__all__ = ["Conversation", "ConversationsPage", "Message", "MessagesPage", "Participant"]


class Message(Model):
    """A message. `delivered_at` is in milliseconds."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("message",)

    backend_urn: str | None = None
    """The URN of the message in LinkedIn's messaging."""
    conversation_urn: str | None = None
    """The URN of the conversation:
    `urn:li:msg_conversation:(urn:li:fsd_profile:<viewer>,<conversation id>)`."""
    backend_conversation_urn: str | None = None
    """The URN of the thread: `urn:li:messagingThread:<conversation id>`."""
    delivered_at: int | None = None
    """When it was delivered, in epoch milliseconds."""
    body_text: str | None = None
    """The text of the message."""
    origin_token: str | None = None
    """A UUID made by the server. It cannot be sent, so it does not protect against repeats."""
    sender_host_identity_urn: str | None = None
    """The URN of the sender."""
    sender_first_name: str | None = None
    """The first name of the sender."""
    sender_last_name: str | None = None
    """The last name of the sender."""
    sender_headline: str | None = None
    """The headline of the sender."""
    sender_profile_url: str | None = None
    """The URL of the sender's LinkedIn profile."""
    sender_public_identifier: str | None = None
    """The last part of the sender's `linkedin.com/in/<public identifier>`."""
    sender_profile_picture_url: str | None = None
    """The URL of the sender's picture."""

    @property
    def delivered_time(self) -> datetime | None:
        """When it was delivered."""
        return from_ms(self.delivered_at)

    @property
    def sender_name(self) -> str | None:
        """First and last name of the sender."""
        parts = (self.sender_first_name, self.sender_last_name)
        return " ".join(part for part in parts if part) or None

    @property
    def conversation_id(self) -> str | None:
        """The id that `messages.list` and `messages.send` take."""
        return _last(self.conversation_urn) or _thread(self.backend_conversation_urn)

    @property
    def identity(self) -> str | None:
        """The id by which messages are compared."""
        return self.backend_urn or None


class Participant(Model):
    """A person in a conversation."""

    host_identity_urn: str | None = None
    """The URN of the person."""
    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    headline: str | None = None
    """The headline of the profile."""
    profile_url: str | None = None
    """The URL of the LinkedIn profile."""
    public_identifier: str | None = None
    """The last part of `linkedin.com/in/<public_identifier>`."""
    profile_picture_url: str | None = None
    """The URL of the person's picture."""

    @property
    def full_name(self) -> str | None:
        """First and last name."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or None


class Conversation(Model):
    """A conversation, with its last message."""

    backend_urn: str | None = None
    """The URN of the thread: `urn:li:messagingThread:<conversation id>`."""
    conversation_urn: str | None = None
    """The URN of the conversation:
    `urn:li:msg_conversation:(urn:li:fsd_profile:<viewer>,<conversation id>)`."""
    title: str | None = None
    """The title of the conversation."""
    created_at: int | None = None
    """When it began, in epoch milliseconds."""
    last_activity_at: int | None = None
    """When the last activity was, in epoch milliseconds."""
    unread_count: int | None = None
    """Messages that were not read."""
    read: bool | None = None
    """Whether the conversation was read."""
    group_chat: bool | None = None
    """Whether it is a group conversation."""
    conversation_url: str | None = None
    """The URL of the conversation, which ends in its id."""
    participants: list[Participant] = field(default=[])
    """The people in the conversation."""
    last_message: Message | None = None
    """The last message."""

    @property
    def created_time(self) -> datetime | None:
        """When it began."""
        return from_ms(self.created_at)

    @property
    def last_activity_time(self) -> datetime | None:
        """When the last activity was."""
        return from_ms(self.last_activity_at)

    @property
    def conversation_id(self) -> str | None:
        """The id that `messages.list` and `messages.send` take."""
        found = _last(self.conversation_urn) or _thread(self.backend_urn)
        url = (self.conversation_url or "").rstrip("/")
        return found or unquote(url.rpartition("/")[2]) or None

    @property
    def identity(self) -> str | None:
        """The id by which conversations are compared."""
        return self.conversation_urn or self.backend_urn or None


class ConversationsPage(Listing[Conversation]):
    """A page of conversations, newest first."""

    items: list[Conversation] = field(name="conversations", default=[])
    """The conversations of the page."""
    next_sequence_id: str | None = field(name="sequenceId", default=None)
    """The id of the next page; missing on the last one."""

    @property
    def cursor(self) -> str | None:
        """The sequence id, which leads to the next page of this listing."""
        return self.next_sequence_id


class MessagesPage(Listing[Message]):
    """A page of messages. The order is not documented."""

    __aliases__: ClassVar[dict[str, str]] = {"syncToken": "sequenceId"}

    items: list[Message] = field(name="messages", default=[])
    """The messages of the page."""
    next_sequence_id: str | None = field(name="sequenceId", default=None)
    """The id of the next page; missing on the last one."""

    @property
    def cursor(self) -> str | None:
        """The sequence id, which leads to the next page of this listing."""
        return self.next_sequence_id


def _last(urn: str | None) -> str | None:
    """The id in `urn:li:msg_conversation:(urn:li:fsd_profile:<viewer>,<conversation id>)`."""
    return (urn or "").removesuffix(")").rpartition(",")[2] or None


def _thread(urn: str | None) -> str | None:
    """The id in `urn:li:messagingThread:<conversation id>`."""
    return (urn or "").rpartition(":")[2] or None
