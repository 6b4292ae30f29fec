"""The methods of `AsyncLookC`."""

from __future__ import annotations

from typing import Unpack

from ...engine.client import Client
from ...engine.pages import ListingOptions, Pages
from .endpoints import ORG_EMPLOYEES, PERSON_BY_EMAIL, REQUEST_STATUS
from .models import Employee, Lookup, PersonByEmail, RequestStatus
from .params import OrgEmployeesParams, PersonByEmailParams, RequestStatusParams
from .polling import accepted, checked, wait_for


class LookCMethods(Client):
    """A client with a method for each endpoint of this provider."""

    async def person_by_email(self, email: str, *, timeout: float = 300.0) -> PersonByEmail:
        """The people behind an e-mail address, their organisation and the mail domain.

        LookC answers at once, or continues in the background. Then the status is polled after 1 s,
        and at growing intervals up to 30 s, until the result is complete. Waiting never starts the
        lookup again. To keep the request id over a cancellation or restart, use `submit` and
        `result`.

        Args:
            email: The address.
            timeout: Seconds to wait for the result once the lookup was accepted. Before that,
                `deadline` and `retry` of the client apply.

        Raises:
            PendingError: There is no result yet; pass its `request_id` to `result`.
            RefusalError: The lookup ended as failed, error or cancelled (`kind`).

        Credits:
            1 org credit.

        Contract:
            lookc.md#lookc.person_by_email, lookc.md#asynchronous-requests
        """
        seconds = checked(timeout)
        lookup = await self.submit(email)
        if lookup.result is not None:
            return lookup.result
        return await wait_for(self, lookup.request_id or "", seconds, at_once=False)

    async def submit(self, email: str) -> Lookup:
        """Start a lookup without waiting for its result.

        In a bulk run it is the same lookup as `person_by_email`, whose result the run waits for.

        Returns:
            The lookup, with `result` or with a `request_id` for the method `result`. It can be
            stored as JSON with msgspec.

        Raises:
            DecodeError: The lookup runs in the background, but the answer has no id.

        Credits:
            1 org credit.

        Contract:
            lookc.md#lookc.person_by_email, lookc.md#asynchronous-requests
        """
        return accepted(await self.send(PERSON_BY_EMAIL, PersonByEmailParams(email=email)))

    async def result(self, lookup: Lookup | str, *, timeout: float = 300.0) -> PersonByEmail:
        """The result of a lookup from `submit`, or of a request id.

        The status is requested at once, and then at intervals from 1 s to 30 s. A lookup that has
        its result returns it without a call. The lookup is never started again.

        Args:
            lookup: The lookup or the request id.
            timeout: Seconds to wait.

        Raises:
            PendingError: There is no result yet.
            NotFoundError: The id is unknown.

        Credits:
            Not published.

        Contract:
            lookc.md#lookc.request_status, lookc.md#asynchronous-requests
        """
        seconds = checked(timeout)
        if isinstance(lookup, Lookup):
            if lookup.result is not None:
                return lookup.result
            lookup = lookup.request_id or ""
        return await wait_for(self, lookup, seconds, at_once=True)

    async def request_status(self, request_id: str) -> RequestStatus:
        """The current status of a request: `complete` with `data`, `pending` or `failed`.

        Args:
            request_id: The id that `submit` returned.

        Raises:
            NotFoundError: Neither of the two published paths has the id.
            RefusalError: Neither path exists (`kind` is `unknown_route`).

        Credits:
            Not published.

        Contract:
            lookc.md#lookc.request_status
        """
        return (await self.send(REQUEST_STATUS, RequestStatusParams(request_id=request_id))).value

    def employees(
        self,
        org_id: str,
        page_size: int | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[Employee]:
        """The people who work or worked at an organisation.

        Items may have no `person_id`.

        Args:
            org_id: The LookC id of the organisation (a UUID).
            page_size: Employees per page; default and maximum are LookC's own.
            **options: Options of every listing; see `ListingOptions`.

        Raises:
            NotFoundError: The organisation is unknown.

        Credits:
            Org credits per page; the price is not published.

        Contract:
            lookc.md#lookc.org_employees
        """
        return self.pages(
            ORG_EMPLOYEES, OrgEmployeesParams(org_id=org_id, page_size=page_size), **options
        )
