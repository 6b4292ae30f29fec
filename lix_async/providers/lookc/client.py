"""`AsyncLookC`: the client of the LookC API."""

from __future__ import annotations

from .provider import LOOKC
from .resources import LookCMethods
from .webhooks import Webhooks


class AsyncLookC(LookCMethods):
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
