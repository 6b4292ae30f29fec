"""LinkedIn conversations and the messages in them."""

from __future__ import annotations

from ...core.values import JsonObject
from ..protocol.errors import params_invalid
from ..protocol.params import RequestParams
from ..state.state import SentItem
from ..world import inbox
from ..world.inbox import ConversationRecord
from ..world.people import PersonRecord
from ..world.random import number
from ..world.world import World
from .context import AnswerContext
from .profiles import check_message

KIND = "conversation"
SEND_ID = "messages.send"
MAX_MESSAGE = 8000
"""Characters of a message at most."""


def _cursor(name: str, index: int) -> str:
    return f"{number('cursor', name):016X}-{index}"


def _from_cursor(name: str, cursor: str | None) -> int:
    if cursor is None:
        return 0
    head, _, index = cursor.rpartition("-")
    if head != f"{number('cursor', name):016X}" or not index.isdecimal():
        raise params_invalid(
            "sequence_id is not a cursor of this listing: send the one of the previous answer"
        )
    return int(index)


def conversations(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The conversations of a viewer, newest first.

    `sequenceId` is the cursor of the next page; the last page has none.
    """
    viewer = params.require("viewer_id")
    count = params.number("count", 20, minimum=1)
    start = _from_cursor(viewer, params.text("sequence_id"))
    total = inbox.size(KIND, viewer)
    items = [
        _conversation(world, context, inbox.conversation(KIND, viewer, index))
        for index in range(start, total)[:count]
    ]
    body: JsonObject = {"conversations": items}
    if start + count < total:
        body["sequenceId"] = _cursor(viewer, start + count)
    return body


def _conversation(world: World, context: AnswerContext, one: ConversationRecord) -> JsonObject:
    people = inbox.participants(world, one)
    new = context.state.sent_to(SEND_ID, one.id)
    latest = int(new[-1].at * 1000) if new else one.latest
    last = _sent_message(one, new[-1]) if new else _message(world, one, 0)
    unread = 0 if new else number("unread", one.id) % 3
    return {
        "backendUrn": f"urn:li:messagingThread:{one.id}",
        "conversationUrn": one.urn,
        "title": ", ".join(person.name for person in people),
        "createdAt": str(one.delivered_at(one.messages)),
        "lastActivityAt": str(latest),
        "unreadCount": unread,
        "read": not unread,
        "groupChat": len(people) > 1,
        "conversationUrl": f"https://www.linkedin.com/messaging/thread/{one.id}/",
        "participants": [_participant(person) for person in people],
        "lastMessage": last,
    }


def _participant(person: PersonRecord) -> JsonObject:
    return {
        "hostIdentityUrn": person.urn,
        "firstName": person.first,
        "lastName": person.last,
        "headline": person.headline,
        "profileUrl": person.link,
        "publicIdentifier": person.slug,
        "profilePictureUrl": person.picture,
    }


def _message(world: World, one: ConversationRecord, which: int) -> JsonObject:
    author = inbox.sender(world, one, which)
    body = _own_message(
        one, f"{one.id} {which}", one.delivered_at(which), inbox.message_text(one, which)
    )
    if author is None:
        return body
    fields = _participant(author).items()
    return body | {f"sender{name[0].upper()}{name[1:]}": value for name, value in fields}


def _sent_message(one: ConversationRecord, sent: SentItem) -> JsonObject:
    return _own_message(one, f"{one.id} sent {sent.request}", int(sent.at * 1000), sent.text)


def _own_message(one: ConversationRecord, name: str, delivered: int, text: str) -> JsonObject:
    """A message from the viewer."""
    return {
        "backendUrn": f"urn:li:messagingMessage:2-{number('message', name):016X}",
        "conversationUrn": one.urn,
        "backendConversationUrn": f"urn:li:messagingThread:{one.id}",
        "deliveredAt": str(delivered),
        "bodyText": text,
        "originToken": inbox.origin_token("origin", name),
        "senderHostIdentityUrn": f"urn:li:fsd_profile:{one.viewer}",
    }


def _conversation_of(params: RequestParams, viewer: str) -> ConversationRecord:
    name, value = params.exactly_one("conversation_id", "conversation_urn")
    if name == "conversation_urn":
        value = value.removesuffix(")").rpartition(",")[2]
    return inbox.find(KIND, viewer, value)


def messages(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The messages of a conversation, newest first, 20 on a page.

    `sequenceId` is the cursor of the next page. With `delivered_at`, one page of the messages
    around that time: `count_before` older ones, the message of that time, and `count_after` newer
    ones.
    """
    viewer = params.require("viewer_id")
    one = _conversation_of(params, viewer)
    items = [_sent_message(one, sent) for sent in reversed(context.state.sent_to(SEND_ID, one.id))]
    items += [_message(world, one, which) for which in range(one.messages)]
    if (anchor := params.number("delivered_at", -1, minimum=-1)) >= 0:
        newer = [item for item in items if int(str(item["deliveredAt"])) > anchor]
        same = [item for item in items if int(str(item["deliveredAt"])) == anchor]
        older = items[len(newer) + len(same) :]
        after = params.number("count_after")
        return {
            "messages": newer[len(newer) - min(after, len(newer)) :]
            + same
            + older[: params.number("count_before")]
        }
    start, size = _from_cursor(one.id, params.text("sequence_id")), context.page_size(20)
    body: JsonObject = {"messages": items[start : start + size]}
    if start + size < len(items):
        body["sequenceId"] = _cursor(one.id, start + size)
    return body


def send(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Send a message to an existing conversation; `messages` includes it from then on."""
    viewer = params.require("viewer_id")
    one = _conversation_of(params, viewer)
    text = check_message(params.require("body"), MAX_MESSAGE)
    return {"message": _sent_message(one, context.record_sent(viewer, one.id, text))}
