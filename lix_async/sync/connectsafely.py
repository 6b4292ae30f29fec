"""`ConnectSafely`: the client of the ConnectSafely API for programs without an event loop."""

from __future__ import annotations

from typing import Unpack

from ..concurrency.loop_thread import Backend
from ..core.provider import ApiKey
from ..core.rate_limit import RateLimit
from ..engine.options import CommonOptions, Unset, hide_key
from ..limiters.base import Limiter
from ..providers.connectsafely.client import DAILY_PROFILES, AsyncConnectSafely
from ..providers.connectsafely.rate_limits import VELOCITY, Velocity
from ..providers.connectsafely.resources import ConnectSafelyMethods
from .client import SyncClient, SyncView
from .methods import call, listing


class ConnectSafely(SyncClient[AsyncConnectSafely]):
    """The client of the ConnectSafely API for programs without an event loop.

    It has the methods of `AsyncConnectSafely`, which return instead of being awaited; listings
    return `SyncPages`. See `SyncClient` for threads, notebooks and Ctrl-C.

    Args:
        api_key: Default: `CONNECTSAFELY_API_KEY` from the environment.
        account_id: As for `AsyncConnectSafely`.
        daily_profiles: As for `AsyncConnectSafely`.
        rate_limit: As for `AsyncConnectSafely`.
        backend: The event loop of its thread, `"asyncio"` or `"trio"`.
        **options: The other arguments of `AsyncConnectSafely`.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.

    Example:
        ```python
        with ConnectSafely() as connectsafely:
            profile = connectsafely.profile("example-person-1")
        ```
    """

    profile = call(ConnectSafelyMethods.profile)
    profile_get = call(ConnectSafelyMethods.profile_get)
    account_status = call(ConnectSafelyMethods.account_status)
    account_status_by_id = call(ConnectSafelyMethods.account_status_by_id)
    account_quota = call(ConnectSafelyMethods.account_quota)
    relationship = call(ConnectSafelyMethods.relationship)
    relationship_by_account = call(ConnectSafelyMethods.relationship_by_account)
    search_groups = listing(ConnectSafelyMethods.search_groups)
    search_people = listing(ConnectSafelyMethods.search_people)
    endorse_skill = call(ConnectSafelyMethods.endorse_skill)
    health = call(ConnectSafelyMethods.health)
    provider = AsyncConnectSafely.provider
    with_options = SyncView(AsyncConnectSafely.with_options)

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        account_id: str | None = None,
        daily_profiles: int | None = DAILY_PROFILES,
        rate_limit: RateLimit | Velocity | Limiter | Unset | None = VELOCITY,
        backend: Backend = "asyncio",
        **options: Unpack[CommonOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
        super().__init__(
            AsyncConnectSafely(
                key,
                account_id=account_id,
                daily_profiles=daily_profiles,
                rate_limit=rate_limit,
                **options,
            ),
            backend,
        )
