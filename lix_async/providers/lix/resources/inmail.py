"""The Sales Navigator inbox."""

from __future__ import annotations

from collections.abc import Iterable

from ....core.validation import as_list
from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.messages import SEND_INMAIL, THREAD, THREADS
from ..models import SalesThread, SingleThread
from ..params import SendInMailParams, ThreadParams, ThreadsParams
from .base import Resource


class Inbox(Resource):
    """The part of `lix.sales` that reads and writes messages."""

    __slots__ = ()

    def threads(
        self,
        viewer_id: str | None = None,
        *,
        filter: str | None = None,  # noqa: A002  # the provider's own name
        count: int | None = None,
        page_starts_at: int | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[SalesThread]:
        """The threads of a Sales Navigator inbox, by default 20 on a page.

        `viewer_id`: whose inbox, default the client's. `filter`: by default `INBOX`; no other
        value is published. `page_starts_at`: milliseconds since 1970, to begin further back.
        1 standard credit a page.

        Contract: lix.md#sales.threads
        """
        params = ThreadsParams(
            viewer_id=viewer_id, filter=filter, count=count, page_starts_at=page_starts_at
        )
        return self._client.pages(
            THREADS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    async def thread(
        self,
        thread_id: str,
        viewer_id: str | None = None,
        *,
        count: int | None = None,
        message_count: int | None = None,
    ) -> SingleThread:
        """One thread with its newest messages, by default 10, and whom it mentions.

        1 standard credit.

        Contract: lix.md#sales.thread
        """
        params = ThreadParams(
            thread_id=thread_id, viewer_id=viewer_id, count=count, message_count=message_count
        )
        return (await self._client.send(THREAD, params)).value

    async def send_message(
        self,
        body: str,
        *,
        thread_id: str | None = None,
        recipients: Iterable[str] | None = None,
        subject: str | None = None,
        copy_to_crm: bool | None = None,
        viewer_id: str | None = None,
    ) -> SingleThread:
        """Reply in a thread, or begin one with `recipients` and a `subject`.

        A recipient is a sales profile urn, a `linkedin.com/sales/lead` link or a Sales Navigator
        id. Beginning one also spends an InMail credit of the LinkedIn account, and fails when a
        recipient takes no InMail. Never repeated by itself once it may have arrived: then it
        raises `OutcomeUnknownError`, and `thread` tells. 1 standard credit.

        Contract: lix.md#sales.send_message
        """
        params = SendInMailParams(
            viewer_id=viewer_id,
            body=body,
            thread_id=thread_id,
            recipients=None if recipients is None else _listed(recipients),
            subject=subject,
            copy_to_crm=copy_to_crm,
        )
        return (await self._client.send(SEND_INMAIL, params)).value


def _listed(recipients: Iterable[str]) -> list[str]:
    """A single recipient is one, not the letters of it."""
    return [recipients] if isinstance(recipients, str) else as_list("recipients", recipients)
