"""The base class of the clients for callers without an event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar, Unpack, cast, overload

from ..bulk.preview import Preview, preview
from ..bulk.row_input import AnyRow, On
from ..bulk.run import Run, RunOptions
from ..concurrency.loop_thread import Backend, EventLoopThread
from ..core.endpoint import Endpoint
from ..core.endpoint import P as EndpointParams
from ..core.errors import ConfigurationError
from ..core.freshness import Age
from ..core.models import Listing
from ..core.provider import Provider
from ..core.validation import guarded_repr
from ..engine.answer import Answer
from ..engine.client import Client
from ..engine.credits import CreditBudget
from ..engine.options import UNSET, Unset
from ..engine.pages import ListingOptions
from ..ledger.ledger import StoreAddress
from .methods import SyncMethods
from .pages import SyncPages
from .run import SyncRun, input_stream, run_supplied

if TYPE_CHECKING:
    from ..frames import AnyTable, Frame

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
        stream = input_stream(inputs)

        async def make() -> Run[R]:
            awaited = cast("Callable[..., Awaitable[R]]", async_method(method))
            return Run(store, awaited, stream, on=on, rows=rows, **options)

        return SyncRun(self.loop_thread, self.loop_thread.run(make), stream)

    def preview(
        self,
        store: StoreAddress,
        method: Callable[..., object],
        inputs: Iterable[AnyRow],
        *,
        on: On[AnyRow] | None = None,
        max_age: Age | Unset | None = UNSET,
        refused_age: Age | Unset | None = UNSET,
        recheck: int = 0,
        account: str = "",
        check_balances: bool = True,
    ) -> Preview:
        """The cost of `lix.run` with the same arguments: `bulk.preview` without asyncio.

        It buys nothing and does not change the ledger.

        Args:
            store: The ledger of the run. It need not exist, and may be in use.
            method: A method of this client, such as `lix.people.get`.
            inputs: First arguments of the method, or mappings of keyword arguments.
            on: The part of an input that the method takes, where inputs are rows.
            max_age: The greatest age of an answer that is not bought again, as of the run.
            refused_age: The same for refusals.
            recheck: How often at most an answer that may become better is requested again.
            account: A name that separates the ledger entries of several accounts.
            check_balances: Whether to request the balances and the daily allowance.

        Raises:
            ConfigurationError: If an argument is not valid.
            BulkError: If the ledger cannot be read.

        Credits: the price of the balance request is not published; the allowance is free.
        """
        stream = input_stream(inputs)
        awaited = async_method(method)
        return run_supplied(
            self.loop_thread,
            stream,
            lambda: preview(
                store,
                awaited,
                stream,
                on=on,
                max_age=max_age,
                refused_age=refused_age,
                recheck=recheck,
                account=account,
                check_balances=check_balances,
            ),
        )

    def enrich_frame(
        self,
        frame: AnyTable,
        method: Callable[..., object],
        *,
        on: str | Mapping[str, str],
        store: StoreAddress,
        columns: Sequence[str] | None = None,
        flatten: bool = False,
        prefix: str = "lix_",
        **run_options: Unpack[RunOptions],
    ) -> Frame:
        """A table of one's own with the answers of a method beside its rows.

        It is `lix_async.frames.enrich_frame` without asyncio, and needs the extra `frames`. The
        table is read in the thread of the caller. An interrupted call, as by Ctrl-C, stops as a
        run does: what has been sent gets a few seconds for its answer, which is kept.

        Args:
            frame: A table of pandas, polars, DuckDB or pyarrow, or a list of dicts.
            method: A method of this client with one answer for each input, such as
                `lix.people.get`.
            on: The column with the method's first argument, or a mapping of its keyword arguments
                to columns.
            store: The ledger; see `bulk.Run`.
            columns: The columns of the answer, also properties such as `full_name`. Default: all
                fields.
            flatten: Whether the fields of structs in the answer become columns.
            prefix: What the names of the added columns begin with.
            **run_options: Further arguments of `bulk.Run`, such as `max_credits` and `max_age`.

        Raises:
            ConfigurationError: If an argument is not valid, a column is missing, or an added column
                has the name of one that is there. Nothing was sent.
            LixError: What ends a `bulk.Run`.

        Credits: those of the method, for each distinct input that the ledger does not have.

        Example:
            ```python
            with Lix() as lix:
                frame = lix.enrich_frame(
                    df, lix.people.get, on="linkedin_url", store="people.db", columns=["name"]
                )
                df = frame.to_pandas()
            ```
        """
        from ..frames.enrich import TableEnrichment

        enrichment = TableEnrichment(
            frame, async_method(method), on=on, columns=columns, flatten=flatten, prefix=prefix
        )
        with self.run(store, method, enrichment.inputs, on=on, **run_options) as run:
            for outcome in run:
                enrichment.add(outcome)
        return enrichment.frame()

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
