"""The Sales Navigator inbox."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from ....core.validation import as_list
from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import messages as e
from .base import Resource


class Inbox(Resource):
    """The methods of `lix.sales` that read and write messages."""

    __slots__ = ()

    def threads(
        self,
        viewer_id: str | None = None,
        *,
        filter: str | None = None,  # noqa: A002  # the provider's own name
        count: int | None = None,
        page_starts_at: int | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.SalesThread]:
        """The threads of a Sales Navigator inbox.

        Args:
            viewer_id: The account; default the client's `viewer_id`.
            filter: The folder. The default is `INBOX`, the only published value.
            count: Items per page; the provider's default is 20.
            page_starts_at: Milliseconds since 1970, to begin with older threads.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#sales.threads
        """
        params = p.ThreadsParams(
            viewer_id=viewer_id, filter=filter, count=count, page_starts_at=page_starts_at
        )
        return self._client.pages(e.THREADS, params, **options)

    async def thread(
        self,
        thread_id: str,
        viewer_id: str | None = None,
        *,
        count: int | None = None,
        message_count: int | None = None,
    ) -> m.SingleThread:
        """One thread with its newest messages and the people it mentions.

        Args:
            thread_id: The id of the thread.
            viewer_id: The account; default the client's `viewer_id`.
            count: The provider's parameter of that name; its meaning is not published.
            message_count: How many messages; the provider's default is 10.

        Credits:
            1 standard credit.

        Contract:
            lix.md#sales.thread
        """
        params = p.ThreadParams(
            thread_id=thread_id, viewer_id=viewer_id, count=count, message_count=message_count
        )
        return (await self._client.send(e.THREAD, params)).value

    async def send_message(
        self,
        body: str,
        *,
        thread_id: str | None = None,
        recipients: Iterable[str] | None = None,
        subject: str | None = None,
        copy_to_crm: bool | None = None,
        viewer_id: str | None = None,
    ) -> m.SingleThread:
        """Reply in a thread, or begin one with `recipients` and a `subject`.

        Beginning a thread also spends an InMail credit of the LinkedIn account, and fails when a
        recipient does not accept InMail. A message that may have arrived is not sent again; after
        `OutcomeUnknownError`, look at `thread`.

        Args:
            body: The text.
            thread_id: The thread to reply in.
            recipients: Sales profile URNs, `linkedin.com/sales/lead` links or Sales Navigator ids.
            subject: The subject of a new thread.
            copy_to_crm: Whether to copy the message to the CRM that is connected.
            viewer_id: The account that writes; default the client's `viewer_id`.

        Raises:
            OutcomeUnknownError: The message may or may not have been sent.

        Credits:
            1 standard credit.

        Contract:
            lix.md#sales.send_message
        """
        params = p.SendInMailParams(
            viewer_id=viewer_id,
            body=body,
            thread_id=thread_id,
            recipients=None if recipients is None else _listed(recipients),
            subject=subject,
            copy_to_crm=copy_to_crm,
        )
        return (await self._client.send(e.SEND_INMAIL, params)).value


def _listed(recipients: Iterable[str]) -> list[str]:
    """The recipients as a list. A single text is one recipient, not a sequence of letters."""
    return [recipients] if isinstance(recipients, str) else as_list("recipients", recipients)
