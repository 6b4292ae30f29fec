"""What the clients of all providers have in common: settings in, one `send`, one `aclose`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, ClassVar, TypeVar

from ..concurrency.clock import Clock, RealClock
from ..core.endpoint import BalanceEndpoints, CreditKind, Endpoint, P
from ..core.errors import ConfigurationError
from ..core.models import Listing
from ..core.provider import ApiKey, Provider, address
from ..core.rate_limit import RateLimit
from ..core.retry import RetryPolicy
from ..core.schema_drift import DriftDetector, OnDrift
from ..core.validation import check_attributes, check_type
from ..limiters.base import Limiter
from .answer import Answer
from .checkpoint import Checkpoint
from .credentials import KeyRedactionFilter, KeyRedactor, RequestBuilder
from .credits import CreditBudget
from .engine import Engine
from .observer import CallObserver
from .options import (
    UNSET,
    TimeoutLike,
    Unset,
    api_key_text,
    auth_scheme,
    make_limiter,
    resolve_base_url,
    settings,
    transport,
    user_agent,
)
from .pages import Pages

if TYPE_CHECKING:
    from .options import HttpClient  # for the providers' clients

__all__ = ["UNSET", "Client", "TimeoutLike", "Unset"]

R = TypeVar("R")
Item = TypeVar("Item")
Self = TypeVar("Self", bound="Client")


class Client:
    """A provider's client without its methods. Use it through `AsyncLix` and its sisters."""

    provider: Provider
    balance_endpoints: ClassVar[BalanceEndpoints | None] = None
    """Where the provider tells what an account has left; None where it does not."""
    # A provider's client that needs these sets them before it calls this constructor.
    _param_defaults: Mapping[str, str | None] = MappingProxyType({})
    _observer: CallObserver | None = None

    def __init__(
        self,
        api_key: str | None = None,
        *,
        auth: str | Unset = UNSET,
        base_url: str | None = None,
        viewer_id: str | None = None,
        rate_limit: RateLimit | Limiter | Unset | None = UNSET,
        retry: RetryPolicy = RetryPolicy(),
        deadline: float | None = None,
        timeout: float | TimeoutLike | None = None,
        http_client: HttpClient | None = None,
        max_credits: int | Mapping[CreditKind, int] | None = None,
        on_drift: OnDrift | None = None,
        clock: Clock | None = None,
    ) -> None:
        provider = self.provider
        text = api_key_text(provider, api_key)
        self._auth = auth_scheme(provider, auth)
        key = ApiKey(text)
        check_type("on_drift", on_drift, Callable | None)
        self._address = address(resolve_base_url(provider, base_url))
        if clock is not None:
            check_attributes(
                "clock", clock, "a Clock", "now", "wall", "sleep", "timeout", "between"
            )
        clock = clock or RealClock()
        style = provider.credentials[self._auth]
        door = RequestBuilder(
            self._address, key, style, user_agent(), clock.now, typed=provider.typed
        )
        self._engine = Engine(
            provider,
            self._address.prefix,
            transport(door, timeout, http_client),
            make_limiter(provider, rate_limit, clock),
            clock,
            settings(retry, deadline, {"viewer_id": viewer_id, **self._param_defaults}),
            CreditBudget(max_credits),
            KeyRedactor(key),
            None if on_drift is None else DriftDetector(on_drift),
            self._observer,
        )
        if door.in_query:
            KeyRedactionFilter(self._address, style.name).install()
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
        kept: dict[str, str | None] = {name: old.defaults.get(name) for name in old.names}
        named = {name: value for name, value in defaults.items() if not isinstance(value, Unset)}
        new = settings(
            old.retry if isinstance(retry, Unset) else retry,
            old.deadline if isinstance(deadline, Unset) else deadline,
            kept | named,
        )
        return self.with_engine(self._engine.with_settings(new))

    def with_engine(self: Self, engine: Engine) -> Self:
        """A view of this client whose calls go through another engine."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._engine = engine
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
    def credits(self) -> CreditBudget:
        """What this client and its views have spent so far, by kind of credit."""
        return self._engine.credits

    async def aclose(self) -> None:
        """Close the connections; a client of the caller's own stays open. Calls reopen them.

        With `on_drift`, it is now told of the documented fields that never arrived.
        """
        await self._engine.transport.aclose()
        if self._engine.radar is not None:
            self._engine.radar.summarise()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
