"""Endpoints of Sales Navigator threads and LinkedIn messages.

Contract: lix.md#sales-navigator, lix.md#conversations-and-messages
"""

from __future__ import annotations

from ....core.endpoint import Endpoint, standard
from ....core.pagination import Cursor
from .. import models as m
from .. import params as p
from . import ids

THREADS = Endpoint(
    "sales.threads",
    "GET",
    "/v1/li/sales/messages/threads",
    p.ThreadsParams,
    m.ThreadsPage,
    paging=Cursor("page_starts_at", size=20),
    credits=standard(1),
    ids=ids.THREADS,
    docs="lix.md#sales.threads",
)
THREAD = Endpoint(
    "sales.thread",
    "GET",
    "/v1/li/sales/messages/threads/{thread_id}",
    p.ThreadParams,
    m.SingleThread,
    credits=standard(1),
    ids=ids.THREADS,
    docs="lix.md#sales.thread",
)
SEND_INMAIL = Endpoint(
    "sales.send_message",
    "POST",
    "/v1/li/sales/messages",
    p.SendInMailParams,
    m.SingleThread,
    credits=standard(1),
    idempotent=False,
    body=("body", "thread_id", "recipients", "subject", "copy_to_crm"),
    docs="lix.md#sales.send_message",
)
CONVERSATIONS = Endpoint(
    "conversations.list",
    "GET",
    "/v1/li/conversations",
    p.ConversationsParams,
    m.ConversationsPage,
    paging=Cursor("sequence_id"),
    credits=standard(1),
    ids=ids.CONVERSATIONS,
    docs="lix.md#conversations.list",
)
MESSAGES = Endpoint(
    "messages.list",
    "GET",
    "/v1/li/messages",
    p.MessagesParams,
    m.MessagesPage,
    paging=Cursor("sequence_id"),
    credits=standard(1),
    ids=ids.MESSAGES,
    docs="lix.md#messages.list",
)
SEND_MESSAGE = Endpoint(
    "messages.send",
    "POST",
    "/v1/li/messages",
    p.SendMessageParams,
    m.Message,
    credits=standard(1),
    idempotent=False,
    body=("conversation_id", "conversation_urn", "body"),
    docs="lix.md#messages.send",
)
