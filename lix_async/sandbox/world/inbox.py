"""The inboxes of viewers: LinkedIn conversations and Sales Navigator threads.

An id contains the viewer and the index in the inbox, so it can be resolved without a stored list.
Ids are base64 and end in `=`, like the real ones: a client has to percent-encode them in a path.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from uuid import UUID

from ..protocol.errors import unknown_record
from .people import PersonRecord
from .random import chance, number
from .world import World

LATEST = 1_748_736_000_000
"""The latest time of a message in an inbox, in epoch milliseconds: the date of the world."""
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation or thread. `messages` is the number of its messages."""

    id: str
    viewer: str
    index: int
    messages: int
    latest: int
    """The time of the newest message, in epoch milliseconds."""

    @property
    def urn(self) -> str:
        """The conversation urn, which contains the viewer."""
        return f"urn:li:msg_conversation:(urn:li:fsd_profile:{self.viewer},{self.id})"

    def delivered_at(self, which: int) -> int:
        """The time of message `which`, counted from the newest, in epoch milliseconds."""
        return (
            self.latest
            - which * _HOUR
            - number("minute", self.id, which) % (_HOUR // 2) * (which > 0)
        )


def conversation_id(kind: str, viewer: str, index: int | str) -> str:
    """The id of a conversation or thread."""
    return "2-" + b64encode(f"{kind} {index} of {viewer}".encode()).decode()


def size(kind: str, viewer: str) -> int:
    """The number of conversations or threads in an inbox: 21 to 65."""
    return 21 + number("inbox", kind, viewer) % 45


def conversation(kind: str, viewer: str, index: int) -> ConversationRecord:
    """The conversation or thread at an index; 0 is the newest."""
    one = conversation_id(kind, viewer, index)
    latest = LATEST - index * 9 * _HOUR - number("latest", one) % (8 * _HOUR)
    return ConversationRecord(one, viewer, index, 1 + number("messages", one) % 45, latest)


def find(kind: str, viewer: str, id_: str) -> ConversationRecord:
    """The conversation or thread with an id.

    Raises:
        ErrorReply: 404, the id does not belong to this viewer's inbox.
    """
    try:
        name, index, _, owner = (
            b64decode(id_.removeprefix("2-"), validate=True).decode().split(" ", 3)
        )
        if (name, owner) == (kind, viewer) and 0 <= int(index) < size(kind, viewer):
            return conversation(kind, viewer, int(index))
    except ValueError:
        pass
    raise unknown_record(kind)


def participants(world: World, one: ConversationRecord) -> list[PersonRecord]:
    """The other participants: one person, or a group in one conversation of ten."""
    count = 2 + number("group", one.id) % 3 if chance(0.1, "group", one.id) else 1
    return world.some_people(count, "partners", one.id)


def sender(world: World, one: ConversationRecord, which: int) -> PersonRecord | None:
    """The sender of message `which`, counted from the newest; None for the viewer."""
    if number("sender", one.id, which) % 2:
        return None
    people = participants(world, one)
    return people[number("who", one.id, which) % len(people)]


def message_text(one: ConversationRecord, which: int) -> str:
    """The text of message `which`."""
    return f"Message {one.messages - which} of {one.messages}: does that suit you?"


def origin_token(*parts: object) -> str:
    """The UUID of a message."""
    return str(UUID(int=(number(*parts) << 64) | number(*parts, "low"), version=4))
