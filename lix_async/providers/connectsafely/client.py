"""`AsyncConnectSafely`: the client of the ConnectSafely API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar, Unpack

from ...concurrency.clock import RealClock
from ...core.rate_limit import RateLimit
from ...core.retry import RetryPolicy
from ...engine.options import UNSET, CommonOptions, Unset
from ...limiters.base import Limiter
from ...limiters.keyed import KeyedLimiter
from .provider import CONNECTSAFELY
from .rate_limits import VELOCITY, RateState, Velocity
from .resources import ConnectSafelyMethods
from .usage import UsageTracker

DAILY_PROFILES = 120
"""Different profiles that one LinkedIn account may fetch a day
(connectsafely.md#cache-and-quota)."""
Self = TypeVar("Self", bound="AsyncConnectSafely")


class AsyncConnectSafely(ConnectSafelyMethods):
    """The ConnectSafely API, asynchronously, on asyncio and trio.

    Paced at the vendor's speed limits, by key and by account; a day's quota of profiles is
    counted here too, so that the first call too many is not sent. Use it as
    `async with AsyncConnectSafely() as client:` or end with `await client.aclose()`.

    `api_key`: default `CONNECTSAFELY_API_KEY` from the environment. `base_url`: default
    `CONNECTSAFELY_BASE_URL`, else the vendor's, with its `/linkedin`. `account_id`: the connected
    LinkedIn account (24 hexadecimal digits) that acts wherever a call takes one and the caller
    gives none; None leaves it to the service's default. `rate_limit`: a `Velocity` (the default
    holds the documented limits), or one rate for everything as a `RateLimit`, a `Limiter` to
    share, None for none. `daily_profiles`: different profiles a day and account (120); then
    `DailyLimitError` is raised before anything is sent, until the reset that the service named,
    else midnight UTC. Profiles of the same day can still be asked for, answers from the vendor's
    cache are not counted, what headers say of other programs' use is. None leaves the counting
    to the service. `viewer_id`: taken so that clients can be set up alike; no call here sends
    one. All other arguments are those of `AsyncLix`: `auth` (only `"bearer"`), `retry`,
    `deadline`, `timeout`, `http_client`, `max_credits`, `on_drift`, `clock`.

    Every method raises `ConfigurationError` before anything is sent, a `RefusalError` when the
    service says no (`InvalidFieldsError` lists each wrong field in `.issues`), a
    `TransportError` when no usable answer came, and `DecodeError` when it does not fit.
    """

    provider = CONNECTSAFELY

    def __init__(
        self,
        api_key: str | None = None,
        *,
        account_id: str | None = None,
        daily_profiles: int | None = DAILY_PROFILES,
        rate_limit: RateLimit | Velocity | Limiter | Unset | None = VELOCITY,
        **options: Unpack[CommonOptions],
    ) -> None:
        self._usage = usage = UsageTracker(daily_profiles)
        self._observer = usage
        self._param_defaults = {"account_id": account_id}
        if isinstance(rate_limit, Unset):
            rate_limit = VELOCITY
        if isinstance(rate_limit, Velocity):
            velocity = rate_limit
            rate_limit = KeyedLimiter(
                lambda endpoint, params: velocity.limits(endpoint.group, usage.account(params)),
                clock=options.get("clock") or RealClock(),
            )
        super().__init__(api_key, rate_limit=rate_limit, **options)

    def with_options(
        self: Self,
        *,
        deadline: float | Unset | None = UNSET,
        retry: RetryPolicy | Unset = UNSET,
        viewer_id: str | Unset | None = UNSET,
        account_id: str | Unset | None = UNSET,
    ) -> Self:
        """A view with other settings over the same limits, counts and connections."""
        return self._view(deadline, retry, {"viewer_id": viewer_id, "account_id": account_id})

    @property
    def account_id(self) -> str | None:
        """The account that acts where a call names none, as set on this client or view."""
        return self._engine.settings.defaults.get("account_id")

    @property
    def rate_states(self) -> Mapping[tuple[str | None, str | None], RateState]:
        """The latest state of each limit that an answer told, by (account id, action).

        Either is None where it was not told; the speed limit of a 429 has no action.
        """
        return MappingProxyType(self._usage.states)
