"""The methods of `AsyncLookC`."""

from __future__ import annotations

from ...engine.checkpoint import Checkpoint
from ...engine.client import Client
from ...engine.pages import Pages
from .endpoints import ORG_EMPLOYEES, PERSON_BY_EMAIL, REQUEST_STATUS
from .models import Employee, Lookup, PersonByEmail, RequestStatus
from .params import OrgEmployeesParams, PersonByEmailParams, RequestStatusParams
from .polling import accepted, checked, wait_for


class LookCMethods(Client):
    """A client with a method for each endpoint of this provider."""

    async def person_by_email(self, email: str, *, timeout: float = 300.0) -> PersonByEmail:
        """The people behind an e-mail address: hits, their organisation, the mail domain.

        Costs 1 organisation credit. LookC may answer at once or go on in the background; then the
        status is asked for after 1 s, and at growing intervals up to 30 s, until the result is
        complete. `timeout`: seconds to wait for that, from the moment when the lookup was
        accepted; before it, `deadline` and `retry` of the client count as everywhere. The lookup
        itself is never started a second time by waiting.

        Raises `PendingError` at the end of that time: its `.request_id` goes to `result()`. To
        keep the id through a cancellation or restart too, use `submit()` and `result()`.
        Raises `RefusalError` when the lookup ends as failed, error or cancelled (`.kind`).

        Contract: lookc.md#asynchronous-requests, lookc.md#lookc.person_by_email
        """
        seconds = checked(timeout)
        lookup = await self.submit(email)
        if lookup.result is not None:
            return lookup.result
        return await wait_for(self, lookup.request_id or "", seconds, at_once=False)

    async def submit(self, email: str) -> Lookup:
        """Start a lookup without waiting for it: `.result`, or `.request_id` for `result()`.

        Costs 1 organisation credit. The handle can be saved as JSON with msgspec and survives a
        restart. Raises `DecodeError` when the lookup runs on but the answer names no id.

        Contract: lookc.md#asynchronous-requests, lookc.md#lookc.person_by_email
        """
        return accepted(await self.send(PERSON_BY_EMAIL, PersonByEmailParams(email=email)))

    async def result(self, lookup: Lookup | str, *, timeout: float = 300.0) -> PersonByEmail:
        """The result of a lookup from `submit()`, or of a request id.

        Looks at once, then at intervals from 1 s to 30 s, for `timeout` seconds; a handle that
        has its result gives it without any call. Its price is not published; it never starts the
        lookup again. Raises `PendingError` when the time is over, `NotFoundError` for an id that
        LookC does not know.

        Contract: lookc.md#asynchronous-requests, lookc.md#lookc.request_status
        """
        seconds = checked(timeout)
        if isinstance(lookup, Lookup):
            if lookup.result is not None:
                return lookup.result
            lookup = lookup.request_id or ""
        return await wait_for(self, lookup, seconds, at_once=True)

    async def request_status(self, request_id: str) -> RequestStatus:
        """One look at how far a request is: `.complete` with `.data`, `.pending` or `.failed`.

        Its price is not published. Raises `NotFoundError` when neither of the two published
        paths knows the id, and a plain `RefusalError` when neither of them is there (`.kind` is
        `unknown_route` for both).

        Contract: lookc.md#lookc.request_status
        """
        return (await self.send(REQUEST_STATUS, RequestStatusParams(request_id=request_id))).value

    def employees(
        self,
        org_id: str,
        page_size: int | None = None,
        *,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Employee]:
        """The people who work or worked at an organisation, by its LookC id (a UUID).

        `page_size`: employees per call; default and maximum are LookC's own. `max_items`: stop
        after so many. `resume`: a checkpoint of an earlier walk. `prefetch=1`: fetch the next
        page ahead. Paid in organisation credits for each page; the price is not published.
        Rows may lack a `person_id`. Raises `NotFoundError` for an unknown organisation.

        Contract: lookc.md#lookc.org_employees
        """
        return self.pages(
            ORG_EMPLOYEES,
            OrgEmployeesParams(org_id=org_id, page_size=page_size),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )
