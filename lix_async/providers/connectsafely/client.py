"""`AsyncConnectSafely`: the client of the ConnectSafely API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeVar, Unpack

from ...concurrency.clock import RealClock
from ...core.endpoint import CreditKind
from ...core.freshness import Age
from ...core.provider import ApiKey
from ...core.rate_limit import RateLimit
from ...core.retry import RetryPolicy
from ...engine.options import UNSET, CommonOptions, Unset, hide_key
from ...limiters.base import Limiter
from ...limiters.keyed import KeyedLimiter
from .provider import CONNECTSAFELY
from .rate_limits import VELOCITY, RateState, Velocity
from .resources import ConnectSafelyMethods
from .usage import UsageTracker

DAILY_PROFILES = 120
"""Different profiles that one LinkedIn account may fetch per day
(connectsafely.md#cache-and-quota)."""
Self = TypeVar("Self", bound="AsyncConnectSafely")


class AsyncConnectSafely(ConnectSafelyMethods):
    """The client of the ConnectSafely API, for asyncio and trio.

    The client keeps the vendor's rate limits, by key and by account. It also counts the profiles of
    a day, so that a call that would exceed the daily quota is not sent. Use it with `async with`,
    or end with `await client.aclose()`.

    Methods raise `ConfigurationError` before anything is sent, a `RefusalError` for an error
    response (`InvalidFieldsError` lists each wrong field in `issues`), a `TransportError` when no
    usable response arrives, and `DecodeError` for a response that does not fit the result's type.

    Args:
        api_key: Default: `CONNECTSAFELY_API_KEY` from the environment.
        account_id: The connected LinkedIn account (24 hexadecimal digits) for calls that take one
            and are given none; None leaves the choice to the service.
        daily_profiles: Different profiles per day and account; `DailyLimitError` is raised before
            the next one is sent, until the reset time that the service reported, else until
            midnight UTC. Profiles of the same day may be fetched again, cached answers are not
            counted, and use by other programs is counted from the response headers. None turns the
            counting off.
        rate_limit: A `Velocity` (the default has the documented limits); a `RateLimit` for all
            calls together; a `Limiter`, to share one; None for no limit.
        **options: `auth` (only `"bearer"`), `base_url` (default: `CONNECTSAFELY_BASE_URL`, else the
            vendor's, which ends with `/linkedin`), `retry`, `deadline`, `timeout`, `http_client`,
            `verify`, `max_credits`, `on_drift`, `cache`, `cache_searches`, `doubts`, `on_event`,
            `max_age`, `refused_age` and `clock`, as for `AsyncLix`. `viewer_id` is accepted but not
            sent by any call.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.
    """

    provider = CONNECTSAFELY

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        account_id: str | None = None,
        daily_profiles: int | None = DAILY_PROFILES,
        rate_limit: RateLimit | Velocity | Limiter | Unset | None = VELOCITY,
        **options: Unpack[CommonOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
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
        super().__init__(key, rate_limit=rate_limit, **options)

    def with_options(
        self: Self,
        *,
        deadline: float | Unset | None = UNSET,
        retry: RetryPolicy | Unset = UNSET,
        viewer_id: str | Unset | None = UNSET,
        max_credits: int | Mapping[CreditKind, int] | None = None,
        max_age: Age | Unset | None = UNSET,
        refused_age: Age | Unset | None = UNSET,
        cache: Literal[False] | None = None,
        account_id: str | Unset | None = UNSET,
    ) -> Self:
        """A client with other settings that shares limits, counts and connections with this one."""
        defaults = {"viewer_id": viewer_id, "account_id": account_id}
        return self._with_call_options(
            deadline, retry, defaults, max_credits, max_age, refused_age, cache
        )

    @property
    def account_id(self) -> str | None:
        """The account for calls that are given none, as set on this client or by `with_options`."""
        return self._engine.options.defaults.get("account_id")

    @property
    def rate_states(self) -> Mapping[tuple[str | None, str | None], RateState]:
        """The latest state of each limit that a response reported, by account id and action.

        Either part of the key is None where the response did not name it; the rate limit of a 429
        has no action.
        """
        return MappingProxyType(self._usage.states)
