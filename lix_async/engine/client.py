"""The base class of all clients: arguments, `send`, `pages`, views, `aclose`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar, Unpack

from ..concurrency.clock import Clock, RealClock
from ..core.endpoint import AnyEndpoint, BalanceEndpoints, CreditKind, Endpoint, P
from ..core.errors import ConfigurationError
from ..core.freshness import Age
from ..core.models import Listing, Params
from ..core.provider import ApiKey, Provider, parse_base_url
from ..core.rate_limit import RateLimit
from ..core.retry import RetryPolicy
from ..core.schema_drift import DriftDetector, OnDrift
from ..core.validation import check_attributes, check_type, guarded_repr
from ..limiters.base import Limiter
from .answer import Answer, Arguments, answer_of, note_answer
from .credentials import LOG_FILTER, KeyRedactor, RequestBuilder
from .credits import CreditBudget
from .engine import Engine
from .event_log import log_event, set_up_logging
from .events import EventStream, OnEvent
from .observer import CallObserver
from .options import (
    UNSET,
    TimeoutLike,
    Unset,
    auth_scheme,
    call_options,
    hide_key,
    make_limiter,
    make_transport,
    resolve_api_key,
    resolve_base_url,
    user_agent,
)
from .pages import ListingOptions, Pages
from .transport import Verify

if TYPE_CHECKING:
    from ..ledger.ledger import StoreAddress
    from .cache import Cache
    from .doubts import DoubtPolicy
    from .options import HttpClient  # for the providers' clients

__all__ = ["UNSET", "Client", "TimeoutLike", "Unset"]

R = TypeVar("R")
Item = TypeVar("Item")
Self = TypeVar("Self", bound="Client")


class Client:
    """A client without the methods of a provider. Use a subclass such as `AsyncLix`.

    Calls may be made by any number of tasks at once. A client holds connections, so close it with
    `aclose` or use `async with`. Its arguments are those of `AsyncLix`.
    """

    provider: Provider
    balance_endpoints: ClassVar[BalanceEndpoints | None] = None
    """The endpoints that report balances and the daily allowance; None if there are none."""
    endpoints: ClassVar[Mapping[str, AnyEndpoint]] = MappingProxyType({})
    """All endpoints of the provider, by their catalogue id."""
    # A provider's client that needs these sets them before it calls this constructor.
    _param_defaults: Mapping[str, str | None] = MappingProxyType({})
    _observer: CallObserver | None = None

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        auth: str | Unset = UNSET,
        base_url: str | None = None,
        viewer_id: str | None = None,
        rate_limit: RateLimit | Limiter | Unset | None = UNSET,
        retry: RetryPolicy = RetryPolicy(),
        deadline: float | None = None,
        timeout: float | TimeoutLike | None = None,
        http_client: HttpClient | None = None,
        verify: Verify = None,
        max_credits: int | Mapping[CreditKind, int] | None = None,
        on_drift: OnDrift | None = None,
        max_age: Age | None = None,
        refused_age: Age | None = None,
        cache: bool | StoreAddress | None = None,
        cache_searches: bool = False,
        doubts: DoubtPolicy = "retry",
        on_event: OnEvent | Sequence[OnEvent] = (),
        clock: Clock | None = None,
    ) -> None:
        set_up_logging()
        provider, given = self.provider, hide_key(api_key)
        scheme = auth_scheme(provider, auth)
        del api_key, auth
        if scheme is None:
            names = ", ".join(map(repr, provider.credentials))
            raise ConfigurationError(f"invalid auth: expected one of {names}")
        self._auth = scheme
        key = resolve_api_key(provider, given)
        check_type("on_drift", on_drift, Callable | None)
        self._address = parse_base_url(resolve_base_url(provider, base_url))
        if clock is not None:
            check_attributes(
                "clock", clock, "a Clock", "now", "wall", "sleep", "timeout", "between"
            )
        clock = clock or RealClock()
        style = provider.credentials[self._auth]
        request_builder = RequestBuilder(
            self._address, key, style, user_agent(), clock.now, typed=provider.typed
        )
        redactor = KeyRedactor(key)
        LOG_FILTER.add(redactor)
        self._engine = Engine(
            provider,
            self._address,
            make_transport(request_builder, timeout, http_client, verify),
            make_limiter(provider, rate_limit, clock),
            clock,
            call_options(
                *(retry, deadline, {"viewer_id": viewer_id, **self._param_defaults}),
                *(max_age, refused_age),
            ),
            CreditBudget(max_credits),
            redactor,
            None if on_drift is None else DriftDetector(on_drift),
            self._observer,
            EventStream(on_event, log_event),
        )
        self._cache: Cache | None = None
        if cache is not None and cache is not False:
            from .cache import Cache  # late: most programs have none, and it needs SQLite

            try:
                self._cache = Cache(
                    *(cache, provider, self._address, clock), searches=cache_searches, doubts=doubts
                )
            except ConfigurationError:
                del cache  # a traceback may show local variables
                raise
        # One list for the client and its views: the block of any of them waits for all runs.
        self._before_close: list[Callable[[], Awaitable[None]]] = []
        self._bind_methods()

    def _bind_methods(self) -> None:
        """Create the groups of methods. Called for each client and each view of one."""

    @property
    def origin(self) -> str:
        """Scheme, host, port and path prefix of the server."""
        return self._address.origin

    @guarded_repr
    def __repr__(self) -> str:
        limiter = self._engine.limiter
        rate = "no limit" if limiter is None else repr(getattr(limiter, "rate", limiter))
        return f"<{type(self).__name__} {self._address.authority} {rate} auth={self._auth!r}>"

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError("a client cannot be pickled: it holds the key and connections")

    async def send(self, endpoint: Endpoint[P, R], params: P) -> Answer[R]:
        """One call of any endpoint: wait for a permit, send, and retry as the policy says.

        Args:
            endpoint: An endpoint of the provider's table.
            params: Its parameters.

        Returns:
            The decoded result with the response body and metadata.

        Raises:
            ConfigurationError: If a parameter is not valid. Nothing was sent.
            BudgetError: If the call would exceed `max_credits`. Nothing was sent.
            RefusalError: If the provider returns an error; see its subclasses.
            TransportError: If no usable response was received, or the deadline passed.
            DecodeError: If a success cannot be decoded into the result of the endpoint.

        Credits: those of the endpoint.
        """
        cache = self.cache_for(endpoint, params)
        if cache is not None:
            return note_answer(await cache.send(self._engine, endpoint, params))
        return note_answer(await self._engine.send(endpoint, params))

    async def answer(
        self,
        method: Callable[Arguments, Awaitable[R]],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Answer[R]:
        """Call a method of this client, and get its result with the response and metadata.

        Args:
            method: A method that is awaited, such as `lix.people.get`.
            *args: Its arguments.
            **kwargs: Its keyword arguments.

        Returns:
            `value` is what the method returns, `body` and `headers` are those of its call. Of
            several calls (such as polls), they are those of the last one, and `credits`,
            `attempts`, `waited` and `lost` are the sums.

        Raises:
            ConfigurationError: If the method is not awaited or makes no call; for `Pages`, use
                `by_page()`.

        Credits: those of the method.

        Example:
            ```python
            answer = await lix.answer(lix.people.get, "linkedin.com/in/example-person-1")
            print(answer.value.name, answer.credits)
            ```
        """
        return await answer_of(method, *args, **kwargs)

    def pages(
        self,
        endpoint: Endpoint[P, Listing[Item]],
        params: P,
        **options: Unpack[ListingOptions],
    ) -> Pages[Item]:
        """A listing of any endpoint that has pages. Nothing is sent before it is iterated.

        Args:
            endpoint: A listing endpoint of the provider's table.
            params: The parameters of the first page.
            **options: Options of every listing; see `ListingOptions`.

        Returns:
            An async iterator of items.

        Raises:
            ConfigurationError: If an argument is not valid.
            PagingError: If `resume` belongs to another listing or is damaged.

        Credits: those of the endpoint, for each page.
        """
        engine, cache = self._engine, self.cache_for(endpoint, params)
        if cache is not None and options.get("resume") is None:
            engine = cache.listing(engine, endpoint, params, options.get("max_items"))
        return Pages(engine, endpoint, params, **options)

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
    ) -> Self:
        """A view with other call options. Limiter, connections and credits are shared.

        Args:
            deadline: Seconds for a call, all attempts and waiting included; None for no deadline.
            retry: The retry policy.
            viewer_id: The viewer id of calls that pass none; None for none.
            max_credits: A limit for this view, within that of the client: its `credits` are then
                those that the view and its own views have spent.
            max_age: The greatest age of an answer in a ledger that is not bought again; None for
                any age.
            refused_age: The same for refusals.
            cache: False for calls that go to the provider although the client has a cache, which
                gets none of their answers.

        Raises:
            ConfigurationError: If an argument is not valid.
        """
        defaults = {"viewer_id": viewer_id}
        return self._with_call_options(
            deadline, retry, defaults, max_credits, max_age, refused_age, cache
        )

    def _with_call_options(
        self: Self,
        deadline: float | Unset | None,
        retry: RetryPolicy | Unset,
        defaults: Mapping[str, str | Unset | None],
        max_credits: int | Mapping[CreditKind, int] | None = None,
        max_age: Age | Unset | None = UNSET,
        refused_age: Age | Unset | None = UNSET,
        cache: Literal[False] | None = None,
    ) -> Self:
        if cache not in (None, False):
            raise ConfigurationError(
                "cache must be False or left out: the ledger is an argument of the client"
            )
        old = self._engine.options
        params: dict[str, str | None] = {name: old.defaults.get(name) for name in old.default_names}
        params |= {name: value for name, value in defaults.items() if not isinstance(value, Unset)}
        new = call_options(
            old.retry if isinstance(retry, Unset) else retry,
            old.deadline if isinstance(deadline, Unset) else deadline,
            params,
            old.max_age if isinstance(max_age, Unset) else max_age,
            old.refused_age if isinstance(refused_age, Unset) else refused_age,
        )
        engine = self._engine.with_options(new)
        if max_credits is not None:
            engine = engine.with_budget(CreditBudget(max_credits, parent=engine.credits))
        return self.with_engine(engine, cached=cache is None)

    def with_engine(self: Self, engine: Engine, *, cached: bool = False) -> Self:
        """A view of this client whose calls go through another engine.

        Args:
            engine: The engine.
            cached: Whether its cache is asked first.
        """
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._engine = engine
        view._cache = self._cache if cached else None
        view._bind_methods()
        return view

    @property
    def clock(self) -> Clock:
        """The clock of this client, also for code that waits between its calls."""
        return self._engine.clock

    @property
    def engine(self) -> Engine:
        """The engine of this client, for code that is built on clients, such as bulk runs."""
        return self._engine

    @property
    def cache(self) -> Cache:
        """The cache of this client, with its `stats`.

        Raises:
            ConfigurationError: It has none.
        """
        if self._cache is None:
            raise ConfigurationError("this client has no cache: pass cache=True or a path")
        return self._cache

    def cache_for(self, endpoint: AnyEndpoint, params: Params) -> Cache | None:
        """The cache, where it has the answers of such calls; else None."""
        cache = self._cache
        return cache if cache is not None and cache.keeps(endpoint, params) else None

    @property
    def credits(self) -> CreditBudget:
        """Credits that this client and its views have spent so far, by kind."""
        return self._engine.credits

    @property
    def events(self) -> EventStream:
        """The events of this client and its views; `events.add` registers a listener."""
        return self._engine.events

    def before_close(self, callback: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Await a callback when the client's block ends, before its connections are closed.

        Returns:
            A function that withdraws the callback.
        """
        self._before_close.append(callback)
        return lambda: self._before_close.remove(callback)

    async def aclose(self) -> None:
        """Close the connections. A later call opens new ones.

        An `http_client` of the caller's own stays open. `on_drift` is called for documented
        fields that were never received.
        """
        await self._engine.transport.aclose()
        if self._engine.drift_detector is not None:
            self._engine.drift_detector.summarise()

    async def __aenter__(self: Self) -> Self:
        if self._cache is not None:
            await self._cache.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async with AsyncExitStack() as stack:  # all of them, whatever one of them raises
            stack.push_async_callback(self.aclose)
            if self._cache is not None:
                stack.push_async_callback(self._cache.close)
            for callback in tuple(self._before_close):
                stack.push_async_callback(callback)
