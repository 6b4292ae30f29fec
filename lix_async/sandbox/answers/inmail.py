"""Sales Navigator messages: reading threads and sending."""

from __future__ import annotations

import re

from ...core.values import JsonObject
from ..protocol.errors import params_invalid
from ..protocol.params import RequestParams
from ..world import inbox, links
from ..world.inbox import ConversationRecord
from ..world.people import PersonRecord
from ..world.random import number
from ..world.world import World
from .context import AnswerContext
from .profiles import check_message

KIND = "thread"
SEND_ID = "sales.send_message"
_URN = re.compile(r"urn:li:fs_salesProfile:\(([^,)]+)")


def _mention(person: PersonRecord) -> JsonObject:
    return {
        "firstName": person.first,
        "lastName": person.last,
        "fullName": person.name,
        "objectUrn": f"urn:li:member:{100_000_001 + number('member', person.key) % 900_000_000}",
    }


def _inmail_message(name: str, text: str, at: int) -> JsonObject:
    return {
        "id": f"2-{number('inmail', name):016X}==",
        "type": "INMAIL",
        "body": text,
        "deliveredAt": at,
    }


def _messages(one: ConversationRecord, context: AnswerContext) -> list[JsonObject]:
    new = reversed(context.state.sent_to(SEND_ID, one.id))
    items = [
        _inmail_message(f"{one.id} sent {sent.request}", sent.text, int(sent.at * 1000))
        for sent in new
    ]
    old = [
        _inmail_message(
            f"{one.id} {which}", inbox.message_text(one, which), one.delivered_at(which)
        )
        for which in range(one.messages)
    ]
    return items + old


def _thread(
    world: World, context: AnswerContext, one: ConversationRecord, message_count: int
) -> JsonObject:
    items = _messages(one, context)
    people = inbox.participants(world, one)
    return {
        "id": one.id,
        "totalMessageCount": len(items),
        "unreadMessageCount": number("unread", one.id) % 3,
        "archived": _archived(one),
        "messages": items[:message_count],
        "participants": [
            f"urn:li:fs_salesProfile:({person.sales_id},NAME_SEARCH,smpl)" for person in people
        ],
    }


def _archived(one: ConversationRecord) -> bool:
    return number("archived", one.id) % 6 == 0


def _new_threads(viewer: str, context: AnswerContext) -> list[ConversationRecord]:
    """The threads started by a send, newest first."""
    targets = {
        sent.target: sent
        for sent in context.state.sent
        if (sent.endpoint, sent.viewer) == (SEND_ID, viewer)
    }
    mine = {inbox.conversation_id(KIND, viewer, index) for index in range(inbox.size(KIND, viewer))}
    new = [
        inbox.ConversationRecord(target, viewer, -1, 0, int(sent.at * 1000))
        for target, sent in targets.items()
        if target not in mine
    ]
    return sorted(new, key=lambda one: -one.latest)


def threads(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The threads of a viewer, newest first.

    `nextPageStartsAt` of the last thread of a page is the `page_starts_at` of the next page; the
    last thread of all has none. `filter` is INBOX or ARCHIVED.
    """
    viewer, count = params.require("viewer_id"), params.number("count", 20, minimum=1)
    folder = (params.text("filter") or "INBOX").upper()
    if folder not in ("INBOX", "ARCHIVED"):
        raise params_invalid("filter must be INBOX or ARCHIVED")
    found = [inbox.conversation(KIND, viewer, index) for index in range(inbox.size(KIND, viewer))]
    found = [one for one in found if _archived(one) is (folder == "ARCHIVED")]
    if folder == "INBOX":
        found = _new_threads(viewer, context) + found
    until = params.number("page_starts_at", -1, minimum=-1)
    left = [one for one in found if until < 0 or one.latest <= until]
    page = left[: context.page_size(count)]
    elements = [_thread(world, context, one, 1) for one in page]
    for one, element in zip(page, elements, strict=True):
        if one is not left[-1]:
            element["nextPageStartsAt"] = one.latest - 1
    mentioned = {person.slug: person for one in page for person in inbox.participants(world, one)}
    return {
        "data": {
            "entityUrn": f"urn:li:collectionResponse:{number('threads', viewer):016X}=",
            "elements": elements,
        },
        "included": [_mention(person) for person in mentioned.values()],
    }


def _thread_of(viewer: str, thread_id: str, context: AnswerContext) -> ConversationRecord:
    for one in _new_threads(viewer, context):
        if one.id == thread_id:
            return one
    return inbox.find(KIND, viewer, thread_id)


def thread(world: World, params: RequestParams, context: AnswerContext) -> object:
    """One thread with its newest messages, ten or `message_count`."""
    one = _thread_of(params.require("viewer_id"), params.require("thread_id"), context)
    data = _thread(world, context, one, params.number("message_count", 10, minimum=0))
    return {
        "data": data,
        "included": [_mention(person) for person in inbox.participants(world, one)],
    }


def _recipient(world: World, text: str) -> PersonRecord:
    if found := _URN.match(text):
        return world.person_by_sales_id(found[1])
    if "/" in text:
        kind, value = links.profile(text)
        if kind != "sales":
            raise params_invalid("each recipient must be a Sales Navigator link, urn or id")
        return world.person_by_sales_id(value)
    return world.person_by_sales_id(text)


def send(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Reply to a thread, or start one with `recipients` and `subject`.

    Hidden members do not accept InMail: a send to one of them is rejected.
    """
    viewer = params.require("viewer_id")
    recipients = [str(item) for item in params.array("recipients")]
    text, thread_id = check_message(params.require("body"), 8000), params.text("thread_id")
    if bool(recipients) == bool(thread_id):
        raise params_invalid("exactly one of thread_id, recipients is required")
    people: list[PersonRecord] = []
    if thread_id:
        one = _thread_of(viewer, thread_id, context)
    else:
        params.require("subject")
        people = [_recipient(world, recipient) for recipient in recipients]
        if any(person.hidden for person in people):
            raise params_invalid("a recipient does not accept InMail")
        one = inbox.ConversationRecord(
            inbox.conversation_id(KIND, viewer, f"new{context.request}"), viewer, -1, 0, 0
        )
    context.record_sent(viewer, one.id, text)
    items = _messages(one, context)
    data = {
        "id": one.id,
        "totalMessageCount": len(items),
        "unreadMessageCount": 0,
        "messages": items[:1],
    }
    return {"data": data, "included": [_mention(person) for person in people]}
