"""`AsyncLookC`: the client of the LookC API."""

from __future__ import annotations

from .provider import LOOKC
from .resources import LookCMethods
from .webhooks import Webhooks


class AsyncLookC(LookCMethods):
    """The client of the LookC API, for asyncio and trio: people by e-mail address, employees.

    The default rate limit is the vendor's 50 requests a second, independent of Lix. Use the client
    with `async with`, or end with `await lookc.aclose()`. Calls are paid in organisation credits,
    which have to be bought in advance.

    Methods raise `ConfigurationError` before anything is sent, a `RefusalError` for an error
    response, a `TransportError` when no usable response arrives, and `DecodeError` for a response
    that does not fit the result's type.

    Args:
        api_key: Default: `LOOKC_API_KEY` from the environment, then `LIX_API_KEY`: the vendor's
            reference uses one key for both.
        auth: `"raw"` (the default), `"bearer"`, `"x-api-key"` or `"query"`, as for `AsyncLix`.
        base_url: Default: `LOOKC_BASE_URL`, else the vendor's.
        viewer_id: Accepted, so that clients can be set up alike; no call of LookC sends one.
        rate_limit: As for `AsyncLix`.
        retry: As for `AsyncLix`.
        deadline: As for `AsyncLix`.
        timeout: As for `AsyncLix`.
        http_client: As for `AsyncLix`.
        verify: As for `AsyncLix`.
        max_credits: As for `AsyncLix`.
        on_drift: As for `AsyncLix`.
        cache: As for `AsyncLix`.
        cache_searches: As for `AsyncLix`.
        doubts: As for `AsyncLix`.
        max_age: As for `AsyncLix`.
        refused_age: As for `AsyncLix`.
        on_event: As for `AsyncLix`.
        clock: As for `AsyncLix`.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.

    Example:
        ```python
        async with AsyncLookC() as lookc:
            found = await lookc.person_by_email("ada@example.com")
        ```
    """

    provider = LOOKC
    webhooks = Webhooks()
    """`parse`, `token_matches`, `fingerprint`: for what LookC posts to you. Needs no client."""
