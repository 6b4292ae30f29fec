"""What is in the inbox of a viewer: conversations of LinkedIn and threads of Sales Navigator.

Ids hold the viewer and the place in the inbox, so an id can be answered without a list of inboxes.
They are base64 and end in `=` signs, like the real ones: a client has to percent-encode them in a
path.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from ..protocol.errors import unknown_record
from .random import chance, number

if TYPE_CHECKING:
    from .people import PersonRecord
    from .world import World

LATEST = 1_748_736_000_000
"""When the newest conversation of an inbox last moved, in epoch milliseconds: the world's today."""
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation or thread: whose, where in the inbox, and how much was said."""

    id: str
    viewer: str
    index: int
    messages: int
    latest: int
    """When the newest message came, in epoch milliseconds."""

    @property
    def urn(self) -> str:
        """The conversation urn, which names the viewer too."""
        return f"urn:li:msg_conversation:(urn:li:fsd_profile:{self.viewer},{self.id})"

    def delivered_at(self, which: int) -> int:
        """When message `which` came, counted from the newest, in epoch milliseconds."""
        return (
            self.latest
            - which * _HOUR
            - number("minute", self.id, which) % (_HOUR // 2) * (which > 0)
        )


def conversation_id(kind: str, viewer: str, place: int | str) -> str:
    """The id of a conversation or thread."""
    return "2-" + b64encode(f"{kind} {place} of {viewer}".encode()).decode()


def size(kind: str, viewer: str) -> int:
    """How many conversations or threads an inbox holds: 21 to 65."""
    return 21 + number("inbox", kind, viewer) % 45


def conversation(kind: str, viewer: str, place: int) -> ConversationRecord:
    """The conversation or thread at a place, 0 being the newest."""
    one = conversation_id(kind, viewer, place)
    latest = LATEST - place * 9 * _HOUR - number("latest", one) % (8 * _HOUR)
    return ConversationRecord(one, viewer, place, 1 + number("messages", one) % 45, latest)


def find(kind: str, viewer: str, id_: str) -> ConversationRecord:
    """The conversation or thread of an id; one of another inbox is an `unknown_record` refusal."""
    try:
        name, place, _, owner = (
            b64decode(id_.removeprefix("2-"), validate=True).decode().split(" ", 3)
        )
        if (name, owner) == (kind, viewer) and 0 <= int(place) < size(kind, viewer):
            return conversation(kind, viewer, int(place))
    except ValueError:
        pass
    raise unknown_record(kind)


def participants(world: World, one: ConversationRecord) -> list[PersonRecord]:
    """Who the viewer talks to: one person, or a group in about one conversation of ten."""
    count = 2 + number("group", one.id) % 3 if chance(0.1, "group", one.id) else 1
    return world.some_people(count, "partners", one.id)


def sender(world: World, one: ConversationRecord, which: int) -> PersonRecord | None:
    """Who wrote message `which`, counted from the newest; None for the viewer."""
    if number("sender", one.id, which) % 2:
        return None
    people = participants(world, one)
    return people[number("who", one.id, which) % len(people)]


def message_text(one: ConversationRecord, which: int) -> str:
    """What message `which` says."""
    return f"Message {one.messages - which} of {one.messages}: does that suit you?"


def origin_token(*parts: object) -> str:
    """The UUID the provider makes for a message."""
    return str(UUID(int=(number(*parts) << 64) | number(*parts, "low"), version=4))
