"""The base class of the clients for callers without an event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from types import TracebackType
from typing import Concatenate, Generic, ParamSpec, TypeVar, Unpack, cast, overload

from ..bulk.row_input import AnyRow, On
from ..bulk.run import Run, RunOptions
from ..concurrency.loop_thread import Backend, EventLoopThread
from ..core.endpoint import Endpoint
from ..core.endpoint import P as EndpointParams
from ..core.errors import ConfigurationError
from ..core.models import Listing
from ..core.provider import Provider
from ..core.validation import guarded_repr
from ..engine.answer import Answer
from ..engine.client import Client
from ..engine.credits import CreditBudget
from ..engine.pages import ListingOptions
from ..ledger.ledger import StoreAddress
from .methods import SyncMethods
from .pages import SyncPages
from .run import InputIterator, SyncRun

A_co = TypeVar("A_co", bound=Client, covariant=True)
C = TypeVar("C", bound="SyncClient[Client]")
P = ParamSpec("P")
R = TypeVar("R")
Item = TypeVar("Item")


class SyncClient(SyncMethods[A_co]):
    """A client for callers without an event loop. Use a subclass such as `Lix`.

    Its calls run in a thread of their own, which the first one starts. Any number of threads may
    use one client, which keeps one rate for all of them. In a running event loop, such as that of a
    notebook, a call blocks the loop until it returns.

    A program that does not close its clients ends all the same. An interrupted call, as by Ctrl-C,
    returns at once and sends nothing more.

    Args:
        aio: The async client.
        backend: The event loop of the thread.
    """

    provider: Provider

    def __init__(self, aio: A_co, backend: Backend = "asyncio") -> None:
        super().__init__(EventLoopThread(aio, backend), aio)

    @guarded_repr
    def __repr__(self) -> str:
        return repr(self.aio).replace("<Async", "<", 1)

    @property
    def credits(self) -> CreditBudget:
        """Credits that this client and its views have spent so far, by kind."""
        return self.aio.credits

    def answer(self, method: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Answer[R]:
        """Call a method of this client, and get its result with the response and metadata.

        Args:
            method: A method for a single result, such as `lix.people.get`.
            *args: Its arguments.
            **kwargs: Its keyword arguments.

        Raises:
            ConfigurationError: The method is none of a client, or makes no call; for listings, use
                `by_page()`.

        Credits: those of the method.
        """
        awaited = cast("Callable[P, Awaitable[R]]", async_method(method))
        return self.loop_thread.run(lambda: self.aio.answer(awaited, *args, **kwargs))

    def send(self, endpoint: Endpoint[EndpointParams, R], params: EndpointParams) -> Answer[R]:
        """One call of any endpoint; see `Client.send`.

        Credits: those of the endpoint.
        """
        return self.loop_thread.run(self.aio.send, endpoint, params)

    def pages(
        self,
        endpoint: Endpoint[EndpointParams, Listing[Item]],
        params: EndpointParams,
        **options: Unpack[ListingOptions],
    ) -> SyncPages[Item]:
        """A listing of any endpoint that has pages; see `Client.pages`.

        Credits: those of the endpoint, for each page.
        """
        return SyncPages(self.loop_thread, self.aio.pages(endpoint, params, **options))

    @overload
    def run(
        self,
        store: StoreAddress,
        method: Callable[..., SyncPages[Item]],
        inputs: Iterable[AnyRow],
        *,
        on: On[AnyRow] | None = None,
        rows: Iterable[int] | None = None,
        **options: Unpack[RunOptions],
    ) -> SyncRun[Item]: ...
    @overload
    def run(
        self,
        store: StoreAddress,
        method: Callable[..., R],
        inputs: Iterable[AnyRow],
        *,
        on: On[AnyRow] | None = None,
        rows: Iterable[int] | None = None,
        **options: Unpack[RunOptions],
    ) -> SyncRun[R]: ...
    def run(
        self,
        store: StoreAddress,
        method: Callable[..., SyncPages[R]] | Callable[..., R],
        inputs: Iterable[AnyRow],
        *,
        on: On[AnyRow] | None = None,
        rows: Iterable[int] | None = None,
        **options: Unpack[RunOptions],
    ) -> SyncRun[R]:
        """A durable run over many inputs, each paid for once: a `bulk.Run` for `for`.

        Args:
            store: Its ledger.
            method: A method of this client, such as `lix.people.get`.
            inputs: First arguments of the method, or mappings of keyword arguments. An iterator,
                such as a generator, is advanced in the thread of the caller while it waits for an
                outcome, so it may use this client.
            on: The part of an input that the method takes, where inputs are rows; see `bulk.Run`.
            rows: The numbers of the inputs; see `bulk.Run`.
            **options: The other arguments of `bulk.Run`.

        Raises:
            ConfigurationError: If an argument is not valid.

        Credits: those of the method, for each input that the ledger does not have.

        Example:
            ```python
            with Lix() as lix:
                for outcome in lix.run("people.db", lix.people.get, links):
                    print(outcome.input, outcome.state, outcome.value)
            ```
        """
        # A collection can be read in any thread.
        stream: Iterable[AnyRow] | InputIterator[AnyRow] = inputs
        if isinstance(inputs, Iterator):
            stream = InputIterator(inputs)

        async def make() -> Run[R]:
            awaited = cast("Callable[..., Awaitable[R]]", async_method(method))
            return Run(store, awaited, stream, on=on, rows=rows, **options)

        return SyncRun(self.loop_thread, self.loop_thread.run(make), stream)

    def close(self) -> None:
        """Cancel the calls under way, close the connections and end the thread.

        Runs and the cache get a few seconds for answers that have been paid. A later call starts
        another thread.
        """
        self.loop_thread.close()

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class SyncView(Generic[P]):
    """A method that makes a view: `with_options = SyncView(AsyncLix.with_options)`."""

    def __init__(self, method: Callable[Concatenate[A_co, P], A_co]) -> None:
        self.__doc__ = method.__doc__
        self._method: Callable[..., object] = method

    def __get__(self, instance: C, owner: type) -> Callable[P, C]:
        def with_options(*args: P.args, **kwargs: P.kwargs) -> C:
            view = object.__new__(type(instance))
            aio = self._method(instance.aio, *args, **kwargs)
            vars(view).update(_thread=instance.loop_thread, _aio=aio)
            return view

        return with_options


def async_method(method: Callable[..., object]) -> Callable[..., Awaitable[object]]:
    """The async method behind a blocking one, or the method itself.

    Raises:
        ConfigurationError: It cannot be called.
    """
    found = getattr(method, "__wrapped__", method)
    if not callable(found):
        raise ConfigurationError("expected a method of a client, such as lix.people.get")
    return cast("Callable[..., Awaitable[object]]", found)
