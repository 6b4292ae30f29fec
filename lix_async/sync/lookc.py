"""`LookC`: the client of the LookC API for programs without an event loop."""

from __future__ import annotations

from typing import Unpack

from ..concurrency.loop_thread import Backend
from ..core.provider import ApiKey
from ..engine.options import ClientOptions, hide_key
from ..providers.lookc.client import AsyncLookC
from ..providers.lookc.resources import LookCMethods
from .client import SyncClient, SyncView
from .methods import call, listing


class LookC(SyncClient[AsyncLookC]):
    """The client of the LookC API for programs without an event loop.

    It has the methods of `AsyncLookC`, which return instead of being awaited; listings return
    `SyncPages`. See `SyncClient` for threads, notebooks and Ctrl-C.

    Args:
        api_key: Default: `LOOKC_API_KEY` from the environment, then `LIX_API_KEY`.
        backend: The event loop of its thread, `"asyncio"` or `"trio"`.
        **options: The other arguments of `AsyncLookC`.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.

    Example:
        ```python
        with LookC() as lookc:
            found = lookc.person_by_email("ada@example.com")
        ```
    """

    person_by_email = call(LookCMethods.person_by_email)
    submit = call(LookCMethods.submit)
    result = call(LookCMethods.result)
    request_status = call(LookCMethods.request_status)
    employees = listing(LookCMethods.employees)
    webhooks = AsyncLookC.webhooks
    provider = AsyncLookC.provider
    with_options = SyncView(AsyncLookC.with_options)

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        backend: Backend = "asyncio",
        **options: Unpack[ClientOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
        super().__init__(AsyncLookC(key, **options), backend)
