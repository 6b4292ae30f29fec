"""What the clients of all providers have in common: settings in, one `send`, one `aclose`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import MappingProxyType, ModuleType, TracebackType
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from ..core.bucket import RateLimit
from ..core.endpoint import Endpoint, Kind, Listing, P
from ..core.errors import ConfigurationError
from ..core.provider import Key, Provider, address
from ..core.retry import RetryPolicy
from ..drift import OnDrift, Radar
from .answer import Answer
from .checkpoint import Checkpoint
from .clock import Clock, RealClock
from .credits import Credits
from .door import Door, HideKey
from .engine import Engine, Settings
from .limiter import Limiter, LocalLimiter
from .pages import Pages
from .transport import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    ClientTransport,
    HttpTransport,
    Transport,
)
from .watch import Watch

if TYPE_CHECKING:
    import httpx
    import httpx2

    HttpClient = httpx.AsyncClient | httpx2.AsyncClient | ModuleType | Transport

R = TypeVar("R")
Item = TypeVar("Item")
Self = TypeVar("Self", bound="Client")


class TimeoutLike(Protocol):
    """httpx.Timeout and httpx2.Timeout."""

    def as_dict(self) -> dict[str, float | None]:
        """Seconds for connect, read, write and pool."""
        ...


class Unset:
    """The argument was not given; None means something for deadline and viewer_id."""


UNSET = Unset()


class Client:
    """A provider's client without its methods. Use it through `AsyncLix` and its sisters."""

    provider: Provider

    def __init__(
        self,
        api_key: str | None,
        *,
        auth: str,
        base_url: str | None,
        viewer_id: str | None,
        rate_limit: RateLimit | Limiter | None,
        retry: RetryPolicy,
        deadline: float | None,
        timeout: float | TimeoutLike | None,
        http_client: HttpClient | None,
        max_credits: int | Mapping[Kind, int] | None,
        on_drift: OnDrift | None,
        clock: Clock | None,
        defaults: Mapping[str, str | None] = MappingProxyType({}),
        watch: Watch | None = None,
    ) -> None:
        provider = self.provider
        given = api_key if api_key is not None else _variable(provider.key_variables)
        if given is None:
            names = " or ".join(provider.key_variables)
            raise ConfigurationError(f"no API key: pass api_key= or set {names}")
        if auth not in provider.credentials:
            known = ", ".join(map(repr, provider.credentials))
            raise ConfigurationError(f"auth must be one of {known}, not {auth!r}")
        url = base_url or _variable((provider.url_variable,)) or provider.base_url
        if not url:
            raise ConfigurationError(
                f"{provider.name} publishes no address: pass base_url= or set "
                f"{provider.url_variable}"
            )
        self._address = address(url)
        self._auth = auth
        clock = clock or RealClock()
        limiter: Limiter | None
        if isinstance(rate_limit, RateLimit):
            limiter = LocalLimiter(rate_limit, clock=clock)
        elif rate_limit is None or (hasattr(rate_limit, "acquire") and hasattr(rate_limit, "hold")):
            limiter = rate_limit
        else:
            raise ConfigurationError(
                f"rate_limit must be a RateLimit, a Limiter or None, not {rate_limit!r}"
            )
        credential = provider.credentials[auth]
        door = Door(
            self._address, Key(given), credential, _agent(), clock.now, typed=provider.typed
        )
        self._engine = Engine(
            provider,
            self._address.prefix,
            _transport(door, _timeouts(timeout), http_client),
            limiter,
            clock,
            Settings(
                _policy(retry), _deadline(deadline), _given({"viewer_id": viewer_id, **defaults})
            ),
            Credits(max_credits),
            None if on_drift is None else Radar(on_drift),
            watch,
        )
        if door.in_query:
            HideKey(self._address, credential.name).install()
        self._ready()

    def _ready(self) -> None:
        """Make the groups of methods, over `self._engine`."""

    def __repr__(self) -> str:
        limiter = self._engine.limiter
        rate = "no limit" if limiter is None else repr(getattr(limiter, "rate", limiter))
        return f"<{type(self).__name__} {self._address.authority} {rate} auth={self._auth!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError("a client is never pickled: it holds the key and connections")

    async def send(self, endpoint: Endpoint[P, R], params: P) -> Answer[R]:
        """One call to any row of the table: the way in for everything.

        Waits for its turn, sends, and repeats as the retry policy says. Raises
        `ConfigurationError` before anything is sent, a `RefusalError` when the provider says no,
        a `TransportError` when no usable answer came, `DecodeError` when it does not fit.
        """
        return await self._engine.send(endpoint, params)

    def pages(
        self,
        endpoint: Endpoint[P, Listing[Item]],
        params: P,
        *,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Item]:
        """A walk through any listing row of the table. Nothing is sent before it is iterated."""
        return Pages(
            self._engine,
            endpoint,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def with_options(
        self: Self,
        *,
        deadline: float | Unset | None = UNSET,
        retry: RetryPolicy | Unset = UNSET,
        viewer_id: str | Unset | None = UNSET,
    ) -> Self:
        """A view with other settings over the same limiter and the same connections."""
        return self._view(deadline, retry, {"viewer_id": viewer_id})

    def _view(
        self: Self,
        deadline: float | Unset | None,
        retry: RetryPolicy | Unset,
        defaults: Mapping[str, str | Unset | None],
    ) -> Self:
        old = self._engine.settings
        named = {name: value for name, value in defaults.items() if not isinstance(value, Unset)}
        settings = Settings(
            old.retry if isinstance(retry, Unset) else _policy(retry),
            old.deadline if isinstance(deadline, Unset) else _deadline(deadline),
            _given({**old.defaults, **named}),
        )
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._engine = self._engine.with_settings(settings)
        view._ready()
        return view

    @property
    def clock(self) -> Clock:
        """Where this client gets time from: what waits between calls asks here too."""
        return self._engine.clock

    @property
    def engine(self) -> Engine:
        """What does the waiting: for code that stands on clients, such as bulk runs."""
        return self._engine

    @property
    def credits(self) -> Credits:
        """What this client and its views have spent so far, by kind of credit."""
        return self._engine.credits

    async def aclose(self) -> None:
        """Close the connections; a client of the caller's own stays open. Calls reopen them.

        With `on_drift`, it is now told of the documented fields that never arrived.
        """
        await self._engine.transport.aclose()
        if self._engine.radar is not None:
            self._engine.radar.sum_up()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _given(defaults: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in defaults.items() if value}


def _variable(names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := os.environ.get(name))), None)


def _deadline(seconds: float | None) -> float | None:
    if seconds is not None and not seconds > 0:
        raise ConfigurationError(f"deadline must be a positive number of seconds: {seconds}")
    return seconds


def _policy(retry: object) -> RetryPolicy:
    if not isinstance(retry, RetryPolicy):
        raise ConfigurationError(f"retry must be a RetryPolicy, not {retry!r}")
    return retry


def _timeouts(timeout: float | TimeoutLike | None) -> dict[str, float | None] | None:
    if timeout is None:
        return None
    if isinstance(timeout, int | float):
        if not timeout > 0:
            raise ConfigurationError(f"timeout must be a positive number of seconds: {timeout}")
        return dict.fromkeys(("connect", "read", "write", "pool"), float(timeout))
    if not hasattr(timeout, "as_dict"):
        raise ConfigurationError(f"timeout must be seconds or an httpx.Timeout, not {timeout!r}")
    return timeout.as_dict()


def _transport(
    door: Door, timeout: Mapping[str, float | None] | None, client: HttpClient | None
) -> Transport:
    default = {"connect": CONNECT_TIMEOUT, "read": READ_TIMEOUT, "write": 30.0, "pool": None}
    if client is None:
        return HttpTransport(door, dict(timeout or default))
    if isinstance(client, ModuleType) and hasattr(client, "AsyncHTTPTransport"):
        return HttpTransport(door, dict(timeout or default), client)
    if hasattr(client, "exchange"):
        return cast("Transport", client)
    if hasattr(client, "build_request") and hasattr(client, "aclose"):
        plain = None if timeout is None else dict(timeout)
        return ClientTransport(door, plain, cast("httpx.AsyncClient", client))
    raise ConfigurationError(
        "http_client must be an AsyncClient of httpx or httpx2, or one of these modules, not "
        f"{type(client).__name__}"
    )


def _agent() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 10 ms, at the first client

    try:
        release = version("lix_async")
    except PackageNotFoundError:
        release = "source"
    return f"lix_async/{release} python/{sys.version_info[0]}.{sys.version_info[1]}"
