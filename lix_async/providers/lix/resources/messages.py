"""LinkedIn messages of an attached account."""

from __future__ import annotations

from typing import Unpack

from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import messages as e
from .base import Resource


class Messages(Resource):
    """`lix.messages`: conversations and messages of an attached account."""

    __slots__ = ()

    def conversations(
        self,
        viewer_id: str | None = None,
        *,
        count: int | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Conversation]:
        """The conversations of an account, newest first.

        Args:
            viewer_id: The account; default the client's `viewer_id`.
            count: Items per page; the provider's default is 20.
            sequence_id: The id that an earlier page gave, to begin after that page.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#conversations.list
        """
        params = p.ConversationsParams(viewer_id=viewer_id, sequence_id=sequence_id, count=count)
        return self._client.pages(e.CONVERSATIONS, params, **options)

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
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Message]:
        """The messages of a conversation, given by id or by URN. Their order is not documented.

        Args:
            conversation_id: The id of the conversation.
            conversation_urn: Its URN, instead of the id.
            viewer_id: The account; default the client's `viewer_id`.
            delivered_at: Milliseconds since 1970: the time that the next two arguments refer to.
            count_before: How many older messages to ask for.
            count_after: How many newer messages to ask for.
            sequence_id: The id that an earlier page gave, to begin after that page.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#messages.list
        """
        params = p.MessagesParams(
            viewer_id=viewer_id,
            conversation_id=conversation_id,
            conversation_urn=conversation_urn,
            sequence_id=sequence_id,
            delivered_at=delivered_at,
            count_before=count_before,
            count_after=count_after,
        )
        return self._client.pages(e.MESSAGES, params, **options)

    async def send(
        self,
        body: str,
        *,
        conversation_id: str | None = None,
        conversation_urn: str | None = None,
        viewer_id: str | None = None,
    ) -> m.Message:
        """Send a message to an existing conversation, given by id or by URN.

        A message that may have arrived is not sent again; after `OutcomeUnknownError`, look at
        `list`.

        Args:
            body: The text, at most 8000 characters.
            conversation_id: The id of the conversation.
            conversation_urn: Its URN, instead of the id.
            viewer_id: The account that writes; default the client's `viewer_id`.

        Raises:
            OutcomeUnknownError: The message may or may not have been sent.

        Credits:
            1 standard credit.

        Contract:
            lix.md#messages.send
        """
        params = p.SendMessageParams(
            viewer_id=viewer_id,
            conversation_id=conversation_id,
            conversation_urn=conversation_urn,
            body=body,
        )
        return (await self._client.send(e.SEND_MESSAGE, params)).value
