"""`AsyncLookC`: the client of the LookC API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...concurrency.clock import Clock
from ...core.endpoint import CreditKind
from ...core.rate_limit import RateLimit
from ...core.retry import RetryPolicy
from ...core.schema_drift import OnDrift
from ...engine.checkpoint import Checkpoint
from ...engine.client import Client
from ...engine.options import TimeoutLike
from ...engine.pages import Pages
from ...limiters.base import Limiter
from .endpoints import ORG_EMPLOYEES, PERSON_BY_EMAIL, REQUEST_STATUS
from .models import Employee, Lookup, PersonByEmail, RequestStatus
from .params import OrgEmployeesParams, PersonByEmailParams, RequestStatusParams
from .polling import accepted, checked, wait_for
from .provider import LOOKC
from .webhooks import Webhooks

if TYPE_CHECKING:
    from ...engine.options import HttpClient


class AsyncLookC(Client):
    """The LookC API, asynchronously, on asyncio and trio: people by e-mail, employees.

    Paced at the vendor's 50 requests a second, apart from Lix. Use it as
    `async with AsyncLookC() as lookc:` or end with `await lookc.aclose()`.

    `api_key`: default `LOOKC_API_KEY` from the environment, then `LIX_API_KEY`: the vendor's
    reference uses one key for both. `base_url`: default `LOOKC_BASE_URL`, else the vendor's.
    `viewer_id`: taken so that clients can be set up alike; no call of LookC sends one. All other
    arguments are those of `AsyncLix`: `auth`, `rate_limit`, `retry`, `deadline`, `timeout`,
    `http_client`, `max_credits`, `on_drift`, `clock`.

    Calls are paid in organisation credits, which have to be bought in advance. Every method
    raises `ConfigurationError` before anything is sent, a `RefusalError` when LookC says no, a
    `TransportError` when no usable answer came, and `DecodeError` when it does not fit.
    """

    provider = LOOKC
    webhooks = Webhooks()
    """`parse`, `token_matches`, `fingerprint`: for what LookC posts to you. Needs no client."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        auth: str = "raw",
        base_url: str | None = None,
        viewer_id: str | None = None,
        rate_limit: RateLimit | Limiter | None = LOOKC.rate,
        retry: RetryPolicy = RetryPolicy(),
        deadline: float | None = None,
        timeout: float | TimeoutLike | None = None,
        http_client: HttpClient | None = None,
        max_credits: int | Mapping[CreditKind, int] | None = None,
        on_drift: OnDrift | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            api_key,
            auth=auth,
            base_url=base_url,
            viewer_id=viewer_id,
            rate_limit=rate_limit,
            retry=retry,
            deadline=deadline,
            timeout=timeout,
            http_client=http_client,
            max_credits=max_credits,
            on_drift=on_drift,
            clock=clock,
        )

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
