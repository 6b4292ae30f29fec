"""`AsyncConnectSafely`: the client of the ConnectSafely API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from ...concurrency.clock import Clock, RealClock
from ...core.endpoint import CreditKind
from ...core.rate_limit import RateLimit
from ...core.retry import RetryPolicy
from ...core.schema_drift import OnDrift
from ...engine.options import UNSET, TimeoutLike, Unset
from ...limiters.base import Limiter
from ...limiters.keyed import KeyedLimiter
from .provider import CONNECTSAFELY
from .rate_limits import VELOCITY, RateState, Velocity
from .resources import ConnectSafelyMethods
from .usage import UsageTracker

if TYPE_CHECKING:
    from ...engine.options import HttpClient

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
        auth: str = "bearer",
        base_url: str | None = None,
        account_id: str | None = None,
        viewer_id: str | None = None,
        rate_limit: RateLimit | Velocity | Limiter | None = VELOCITY,
        daily_profiles: int | None = DAILY_PROFILES,
        retry: RetryPolicy = RetryPolicy(),
        deadline: float | None = None,
        timeout: float | TimeoutLike | None = None,
        http_client: HttpClient | None = None,
        max_credits: int | Mapping[CreditKind, int] | None = None,
        on_drift: OnDrift | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or RealClock()
        self._books = books = UsageTracker(daily_profiles)
        if isinstance(rate_limit, Velocity):
            velocity = rate_limit
            rate_limit = KeyedLimiter(
                lambda row, params: velocity.limits(row.group, books.account(params)), clock=clock
            )
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
            defaults={"account_id": account_id},
            observer=books,
        )

    def with_options(
        self: Self,
        *,
        deadline: float | Unset | None = UNSET,
        retry: RetryPolicy | Unset = UNSET,
        viewer_id: str | Unset | None = UNSET,
        account_id: str | Unset | None = UNSET,
    ) -> Self:
        """A view with other settings over the same limits, counts and connections."""
        return self._with_call_options(
            deadline, retry, {"viewer_id": viewer_id, "account_id": account_id}
        )

    @property
    def account_id(self) -> str | None:
        """The account that acts where a call names none, as set on this client or view."""
        return self._engine.options.defaults.get("account_id")

    @property
    def rate_states(self) -> Mapping[tuple[str | None, str | None], RateState]:
        """The latest state of each limit that an answer told, by (account id, action).

        Either is None where it was not told; the speed limit of a 429 has no action.
        """
        return MappingProxyType(self._books.states)
