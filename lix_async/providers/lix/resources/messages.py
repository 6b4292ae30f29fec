"""LinkedIn messages of an attached account."""

from __future__ import annotations

from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.messages import CONVERSATIONS, MESSAGES, SEND_MESSAGE
from ..models import Conversation, Message
from ..params import ConversationsParams, MessagesParams, SendMessageParams
from .base import Resource


class Messages(Resource):
    """`lix.messages`. `viewer_id` is the account whose messages they are; default the client's."""

    __slots__ = ()

    def conversations(
        self,
        viewer_id: str | None = None,
        *,
        count: int | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Conversation]:
        """Conversations, newest first, by default 20 on a page.

        `sequence_id`: of an earlier page, to begin after it. 1 standard credit a page.

        Contract: lix.md#conversations.list
        """
        params = ConversationsParams(viewer_id=viewer_id, sequence_id=sequence_id, count=count)
        return self._client.pages(
            CONVERSATIONS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def list(
        self,
        conversation_id: str | None = None,
        *,
        conversation_urn: str | None = None,
        viewer_id: str | None = None,
        delivered_at: int | None = None,
        count_before: int | None = None,
        count_after: int | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Message]:
        """The messages of a conversation, named by id or urn. Their order is not documented.

        `delivered_at`: milliseconds since 1970, around which `count_before` older and
        `count_after` newer messages are asked for. 1 standard credit a page.

        Contract: lix.md#messages.list
        """
        params = MessagesParams(
            viewer_id=viewer_id,
            conversation_id=conversation_id,
            conversation_urn=conversation_urn,
            sequence_id=sequence_id,
            delivered_at=delivered_at,
            count_before=count_before,
            count_after=count_after,
        )
        return self._client.pages(
            MESSAGES,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    async def send(
        self,
        body: str,
        *,
        conversation_id: str | None = None,
        conversation_urn: str | None = None,
        viewer_id: str | None = None,
    ) -> Message:
        """Write into an existing conversation, named by id or urn. At most 8000 characters.

        Never repeated by itself once it may have arrived: then it raises `OutcomeUnknownError`,
        and `list` tells. 1 standard credit.

        Contract: lix.md#messages.send
        """
        params = SendMessageParams(
            viewer_id=viewer_id,
            conversation_id=conversation_id,
            conversation_urn=conversation_urn,
            body=body,
        )
        return (await self._client.send(SEND_MESSAGE, params)).value
