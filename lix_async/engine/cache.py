"""A cache over a ledger: what was paid for is not sent again, and equal calls share one request.

```
stored     an answer in the ledger is returned, and costs nothing
flight     else one task of the client looks it up for all who ask meanwhile
callers    wait for it under their own deadline and scope; whoever leaves cancels nothing for others
all left   a request that was not sent is not sent; one that was sent is waited for and stored
```

The flight runs `LookupExecutor`, as runs and workers do: the ledger decides between processes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar, cast

import anyio
import msgspec
from msgspec.structs import replace

from ..concurrency.background import BackgroundTask
from ..concurrency.clock import Clock
from ..concurrency.worker_pool import GRACE, CallScope
from ..core import wire
from ..core.bridge import ReadableStruct
from ..core.endpoint import AnyEndpoint, Endpoint, P, StatusCall
from ..core.errors import (
    BudgetError,
    BusyError,
    ConfigurationError,
    DecodeError,
    InDoubtError,
    LixError,
    QueuedError,
    RateLimitError,
    TransportError,
)
from ..core.freshness import freshness
from ..core.models import Params
from ..core.provider import BaseUrl, Provider
from ..core.validation import check_type, guarded_repr
from ..core.wire import HttpRequest
from ..ledger.ledger import Ledger, StoreAddress, open_store
from ..ledger.personal import personal_path
from ..ledger.records import AnswerRow, CallQuery, StoredLookup
from ..ledger.store import Store
from .answer import Answer, credits_for
from .call_key import (
    Input,
    PreparedCall,
    arguments,
    asked_id,
    is_member_urn,
    key_of,
    key_text,
    member_page,
    prepared_call,
    server_of,
)
from .credits import ClosedBudget, CreditBudget, unasked
from .doubts import DoubtPolicy, check_doubts
from .engine import AttemptHooks, CallState, Engine
from .events import CacheHit, JoinedCalls, WaitReason
from .lookup import Admission, CallsParked, LookupExecutor, Postponed, read_answer
from .old_keys import learn_answers, rekey
from .outcome import Outcome
from .run_inputs import RunInput, current_input

R = TypeVar("R")
BUSY_FOR = 120.0
"""Seconds for which a caller without a deadline waits for another process's request."""
FIRST_POLL, LAST_POLL = 0.02, 0.5
"""Seconds between two looks at a lookup that another process has sent: doubled up to the second."""


class CacheStats(ReadableStruct, msgspec.Struct):
    """What a cache has done since its client was made."""

    hits: int = 0
    """Calls that were answered from the ledger."""
    shared: int = 0
    """Calls that were answered by the request of another call."""
    bought: int = 0
    """Answers that were bought."""
    saved: int = 0
    """Credits that hits and shared answers would have cost, by the price list."""


class Cache:
    """The cache of a client and its views.

    Args:
        address: The ledger; True for the personal one.
        provider: The client's provider.
        server: Where its requests go.
        clock: The client's clock.
        searches: Whether listings are cached, too.
        doubts: What becomes of lookups that were sent and have no answer.

    Raises:
        ConfigurationError: An argument is not valid.
    """

    def __init__(
        self,
        address: bool | StoreAddress,
        provider: Provider,
        server: BaseUrl,
        clock: Clock,
        *,
        searches: bool = False,
        doubts: DoubtPolicy = "retry",
    ) -> None:
        check_type("cache_searches", searches, bool)
        check_doubts(doubts)
        if isinstance(address, bool):
            if server.loopback:
                raise ConfigurationError(
                    "cache=True is the personal ledger, which keeps no answers of a sandbox: pass "
                    "the path of another one"
                )
            address = personal_path()
        try:
            self._ledger = Ledger(open_store(address))
        except ConfigurationError:
            del address  # a traceback may show local variables
            raise
        self.store = self._ledger.store
        """The ledger's store."""
        self._server = server_of(provider, server.origin)
        self._clock = clock
        self._searches = searches
        self._doubts: DoubtPolicy = doubts
        self.flights: dict[tuple[bytes, int], _Flight] = {}
        self._blocks = 0
        self._learned: set[str] = set()
        """The endpoints whose answers of an older version have been learned from."""
        self.stats = CacheStats()
        """Hits, shared and bought answers, and credits saved."""

    @guarded_repr
    def __repr__(self) -> str:
        return f"Cache({self.store!r})"

    # The client's block

    async def open(self) -> None:
        """Open the ledger at the beginning of a block of the client or of a view."""
        if not self._blocks:
            await self._ledger.__aenter__()
        self._blocks += 1

    async def close(self, grace: float = GRACE) -> None:
        """End the flights when the last block ends, and close the ledger.

        What was not sent is not sent. What was sent gets `grace` seconds and is in doubt then, also
        where the caller is cancelled: it is paid for.
        """
        self._blocks -= 1
        if self._blocks:
            return
        flights = list(self.flights.values())
        for flight in flights:
            flight.leave()

        async def drain() -> None:
            with self._clock.timeout(grace):
                for flight in flights:
                    await flight.done.wait()
            for flight in flights:
                flight.give_up()
                await flight.done.wait()

        try:
            if flights:
                await BackgroundTask(drain).join()
        finally:
            await self._ledger.__aexit__(None, None, None)

    # Calls

    def keeps(self, endpoint: AnyEndpoint, params: Params) -> bool:
        """Whether a call goes to the ledger first: a paid read, and a listing where asked for."""
        return (
            endpoint.is_paid
            and endpoint.idempotent
            and params.is_idempotent()
            and (self._searches or not endpoint.is_listing)
        )

    async def send(self, engine: Engine, endpoint: Endpoint[P, R], params: P) -> Answer[R]:
        """One call, as `Client.send` describes it."""
        self._check_open()
        # A hit needs neither the request nor the rest of a prepared call.
        try:
            checked = engine.prepare_params(endpoint, params)
        except ConfigurationError:
            params = await self._with_pages(params)
            checked = engine.prepare_params(endpoint, params)
        key = key_of(key_text(engine.provider.name, self._server, "", endpoint, checked))
        stored = self.store.stored_answer(key, asked_id(endpoint, checked))
        if stored is not None and stored.at >= _oldest(engine):
            found = _read(engine, endpoint, stored.http, stored.body, stored.at)
            if isinstance(found, Answer):
                if (made_for := current_input()) is not None:
                    made_for.found(endpoint.id, stored.lookup)
                await anyio.lowlevel.checkpoint()
                return self.handed_out(engine, found, endpoint, hit=True)
        call = prepared_call(engine, self._server, "", endpoint, params)
        answer = await self.shared(engine, endpoint, call, _written_as(params))
        assert answer is not None  # only a page may be missing
        return answer

    async def _with_pages(self, params: P) -> P:
        """Params with the pages of members in place of their URNs."""
        for name in params.__struct_fields__:
            value: object = getattr(params, name)
            if isinstance(value, str) and is_member_urn(value):
                params = replace(params, **{name: await member_page(self.store, value)})
        return params

    def listing(
        self, engine: Engine, endpoint: AnyEndpoint, params: Params, max_items: int | None
    ) -> Engine:
        """An engine for one listing, whose pages come from the ledger where it has them."""
        self._check_open()
        call = prepared_call(engine, self._server, "", endpoint, params, max_items)
        return _ListingEngine(self, engine, call, _written_as(params))

    async def shared(
        self,
        engine: Engine,
        endpoint: Endpoint[P, R],
        call: PreparedCall,
        given: Input,
        page: int = 0,
    ) -> Answer[R] | None:
        """What the flight for a call brings, which is begun where there is none.

        Returns:
            The answer; None where the ledger's listing has ended before the page.
        """
        waiter, made_for = _FlightCaller(engine, endpoint, call.params), current_input()
        while True:
            self._check_open()
            flight = self.flights.get((call.key, page))
            first = flight is None
            if flight is not None and isinstance(engine.credits, ClosedBudget):
                raise unasked(endpoint.id)  # what it brings is not in the ledger yet
            if flight is None:
                waiter.check()
                flight = self._begin(engine, call, given, page, made_for)
            await waiter.wait_for(flight)
            error = flight.error
            others = isinstance(error, BudgetError) and flight.budget is not engine.credits
            older = not (first or flight.stale) and flight.bought_at < _oldest(engine)
            impatient = waiter.hurries and isinstance(error, BusyError)
            if flight.given_up or others or older or impatient:
                continue
            if made_for is not None and not first:
                for lookup in (await self.store.find([call.key])).values():
                    made_for.found(endpoint.id, lookup.id)
            if error is not None:
                self.stats.hits += flight.cached
                self.stats.shared += not (first or flight.cached)
                raise _again(error, cached=flight.has_ended and (flight.cached or not first))
            if flight.answer is None:
                return None
            found = _read(engine, endpoint, *flight.answer, flight.bought_at)
            if isinstance(found, LixError):
                raise found
            found = replace(found, stale=flight.stale, via=flight.via)
            if flight.cached or not first:
                return self.handed_out(engine, found, endpoint, hit=flight.cached)
            found = replace(found, credits=flight.credits, attempts=flight.requests)
            return replace(found, lost=flight.lost, waited=flight.events.call.waited, cached=False)

    def _begin(
        self,
        engine: Engine,
        call: PreparedCall,
        given: Input,
        page: int,
        made_for: RunInput | None,
    ) -> _Flight:
        options = replace(engine.options, deadline=None)  # each caller has its own
        asks = not isinstance(engine.credits, ClosedBudget)
        events = engine.events.join_calls(call.row, engine.clock)
        executor = LookupExecutor(
            self.store,
            engine.with_options(options).with_events(events),
            Admission(engine.credits),
            doubts=self._doubts if asks else "hold",
            queued_for=options.retry.queued_interval,
        )
        if made_for is not None:
            executor.run_id = made_for.inputs.run
        place = call.key, page
        flight = _Flight(
            *(executor, events, call, given, page),
            input_number=None if made_for is None else made_for.number(call.row.id),
            asks=asks,
            repeats=self._doubts == "retry",
            prepare=lambda: self._use_old_key(engine, call),
            flights=self.flights,
        )

        def end() -> None:
            del self.flights[place]
            self.stats.bought += flight.answer is not None and not flight.cached

        self.flights[place] = flight
        flight.begin(end)
        return flight

    async def _use_old_key(self, engine: Engine, call: PreparedCall) -> None:
        """Find what an older version has bought, under a key of its own or under another id."""
        if self.store.has_unlearned and call.row.id not in self._learned:
            self._learned.add(call.row.id)
            name = f"{engine.provider.name} {call.row.id} "

            def query(lookup: StoredLookup) -> CallQuery | None:
                other = self._call_with(engine, call, msgspec.json.decode(lookup.written_as))
                return None if other is None else other.query

            await learn_answers(self.store, name, {call.row.id: call.row}, query)
        if not self.store.has_old_keys or call.key in await self.store.find([call.key]):
            return

        def leads_to(lookup: StoredLookup, call: PreparedCall) -> bool:
            other = self._call_with(engine, call, msgspec.json.decode(lookup.written_as))
            return other is not None and other.key == call.key

        await rekey(self.store, engine.provider.name, "", {call.key: call}, leads_to)

    def _call_with(self, engine: Engine, call: PreparedCall, given: object) -> PreparedCall | None:
        """The call that an input of a ledger makes in place of this one, first of all the same."""
        fields = arguments(given)
        params = call.params
        names = [n for n in params.__struct_fields__ if isinstance(getattr(params, n), str)]
        ways = [{name: given} for name in names] if fields is None else [fields]
        first: PreparedCall | None = None
        for way in ways:
            known = {name: way[name] for name in params.__struct_fields__ if name in way}
            try:
                other = prepared_call(
                    *(engine, self._server, "", call.row, replace(params, **known), call.max_items)
                )
            except (LixError, TypeError, ValueError):
                continue
            if other.key == call.key:
                return other
            first = first or other
        return first

    def _check_open(self) -> None:
        if not self._blocks:
            raise ConfigurationError(
                "the cache is open inside the client's block only: use the client with `async with`"
            )

    def handed_out(
        self, engine: Engine, answer: Answer[R], endpoint: Endpoint[P, R], *, hit: bool
    ) -> Answer[R]:
        """Count an answer that this call did not pay: the one place where all of them pass."""
        saved = credits_for(endpoint.credits, answer.value)
        self.stats.hits += hit
        self.stats.shared += not hit
        self.stats.saved += saved
        if engine.events.active:
            engine.events.emit(
                CacheHit(
                    call=None,
                    endpoint=endpoint.id,
                    at=engine.clock.wall(),
                    source="ledger" if hit else "flight",
                    saved=saved,
                    credit_kind=endpoint.credits.kind,
                )
            )
        return answer


class _ListingEngine(Engine):
    """Answers the requests of one paginator, page by page, from the ledger or by a flight."""

    def __init__(self, cache: Cache, engine: Engine, call: PreparedCall, given: Input) -> None:
        self.__dict__.update(engine.__dict__)
        self._cache = cache
        self._direct = engine
        self._call = call
        self._given = given
        self._page = 0
        self._pages: dict[int, AnswerRow] | None = None

    async def send(
        self,
        endpoint: Endpoint[P, R],
        params: P,
        *,
        hooks: AttemptHooks | None = None,
        request: HttpRequest | None = None,
    ) -> Answer[R]:
        """The next page. The ledger has its request, from the answer of the page before."""
        cache, call, number = self._cache, self._call, self._page + 1
        engine = self._direct.with_budget(self.credits)
        if self._pages is None:
            self._pages = await stored_pages(cache.store, call.key, oldest=_oldest(engine))
        if (page := self._pages.get(number)) is not None:
            found = _read(engine, endpoint, page.http, page.body, page.at)
            if isinstance(found, LixError):
                raise found
            answer: Answer[R] | None = cache.handed_out(engine, found, endpoint, hit=True)
        else:
            answer = await cache.shared(engine, endpoint, call, self._given, number)
            if answer is not None and answer.stale:  # all pages are of one version
                self._pages = await stored_pages(cache.store, call.key)
        if answer is None:  # written by an older version, which ended it elsewhere
            answer = await engine.send(endpoint, params, hooks=hooks, request=request)
        self._page = number
        return answer


class _FlightCaller:
    """A caller who waits for a flight under a deadline of its own."""

    def __init__(self, engine: Engine, endpoint: AnyEndpoint, params: Params) -> None:
        clock, deadline = engine.clock, engine.options.deadline
        give_up_at = None if deadline is None else clock.now() + deadline
        limiter = None if engine.limiter is None else engine.limiter.for_call(endpoint, params)
        self._call = CallState(
            clock, engine.events.begin_call(endpoint, clock), deadline, give_up_at, limiter
        )
        self._endpoint = endpoint

    @property
    def hurries(self) -> bool:
        """Whether there is a deadline."""
        return self._call.give_up_at is not None

    def check(self) -> None:
        """Raise `DeadlineError` where the next permit would come too late."""
        limiter = self._call.limiter
        if limiter is None or not self.hurries:
            return
        wait = limiter.estimated_wait()
        if self._call.exceeds_deadline(wait):
            error = TransportError(f"the next permit is expected in {wait:.3g} s")
            raise self._call.final_error(self._endpoint, error)

    async def wait_for(self, flight: _Flight) -> None:
        """Wait until it has ended.

        Raises:
            DeadlineError: The deadline passed.
            BusyError: It passed while another process's request was waited for.
        """
        call = self._call
        if call.give_up_at is None:
            await flight.wait()
            return
        with call.clock.timeout(call.give_up_at - call.clock.now()):
            await flight.wait()
        if not flight.done.is_set():
            if flight.busy_since is not None:
                raise flight.busy()
            call.lost += flight.on_its_way
            raise call.final_error(self._endpoint, None)


class _Flight(CallScope):
    """One lookup for all who wait for it, in a task of its own."""

    def __init__(
        self,
        executor: LookupExecutor,
        events: JoinedCalls,
        call: PreparedCall,
        given: Input,
        page: int,
        *,
        input_number: int | None,
        asks: bool,
        repeats: bool,
        prepare: Callable[[], Awaitable[None]],
        flights: Mapping[tuple[bytes, int], _Flight],
    ) -> None:
        super().__init__()
        self._flights = flights
        self._ahead: _Flight | None = None
        self._prepare = prepare
        self._executor = executor
        self.events = events
        """What its requests emit: they are attempts of one call."""
        self._call = call
        self._given = given
        self._page = page
        self._input_number = input_number
        self._asks = asks
        self._repeats = repeats
        self._callers = 0
        self._tries = 0
        self._polls = 0
        self._waited = False
        self._pause = 0.0
        self._reason: WaitReason | None = None
        """What the pause is for; None where another request is waited for."""
        self._poll = FIRST_POLL
        self.budget: CreditBudget = executor.admission.budget
        """What it is paid from."""
        self.credits = 0
        """Credits that its requests have cost."""
        self.requests = 0
        """Requests that were sent."""
        self.lost = 0
        """Those of them that got no answer."""
        self.busy_since: float | None = None
        """Since when another process's request is waited for."""
        self.answer: tuple[int, bytes] | None = None
        """Status and body."""
        self.via = ""
        """Under which other id it was bought."""
        self.cached = self.stale = False
        """Whether the ledger had what it ends with, and whether that is too old."""
        self.has_ended = False
        """Whether its error is an answer: a refusal, or one that cannot be read."""
        self.bought_at = math.inf
        """When the answer was received (epoch milliseconds)."""
        self.error: Exception | None = None
        self.given_up = True
        """Whether it ended before anything was sent, since all callers had left."""
        self.done = anyio.Event()

    def begin(self, on_end: Callable[[], object]) -> None:
        """Start its task, which calls a function when it ends."""
        self._on_end = on_end
        BackgroundTask(self._run)

    async def wait(self) -> None:
        """Wait for its end. Whoever is the last to leave gives up what was not sent."""
        self._callers += 1
        self.left = self.scope.cancel_called  # it is too late for one that was given up
        try:
            await self.done.wait()
        finally:
            self._callers -= 1
            if not self._callers:
                self.leave()

    def give_up(self) -> None:
        """Wait for the answer no longer."""
        if self.on_its_way:
            self.error = InDoubtError(
                "the client's block ended before the answer came", endpoint=self._call.row.id
            )
        self.scope.cancel()

    def busy(self) -> BusyError:
        """The error of who has waited long enough for another process."""
        error = BusyError(
            "another process has sent this lookup and has no answer yet", endpoint=self._call.row.id
        )
        error.key = self._call.key.hex()
        return error

    async def _run(self) -> None:
        try:
            with self.scope:
                await self._look_up()
                self.given_up = False
        except CallsParked as parked:
            self.error = parked.error or self._executor.admission.stop
        except Exception as error:  # noqa: BLE001  # raised by those who wait
            self.error = error
        finally:
            self.given_up = self.given_up and self.error is None
            if isinstance(self.error, InDoubtError):
                self.error.key = self._call.key.hex()
            self._end_events()
            self._on_end()
            self.done.set()

    def _end_events(self) -> None:
        if self.error is not None:
            self.events.call.all_ended("error", type(self.error).__name__)
        elif self.given_up:
            self.events.call.all_ended("cancelled", None)
        else:  # an older answer stands in for one that was not bought
            self.events.call.all_ended(None if self.stale else "ok", None)

    async def _look_up(self) -> None:
        import tenacity  # late: it is needed only where something is bought

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_result(self._goes_on),
            wait=lambda _: self._pause,
            sleep=self._sleep,
        )
        await self._prepare()
        found: Outcome[object] | Postponed = await retrying(self._attempt)
        outcome = found.outcome if isinstance(found, Postponed) else found
        self.cached, self.stale = outcome.cached or not self.requests, outcome.stale
        self.via, self.has_ended = outcome.via, outcome.state in ("refused", "kept")
        if outcome.bought_at is not None:
            self.bought_at = outcome.bought_at.timestamp() * 1000
        if outcome.state == "queued" and self.error is None:
            self.answer = await self._answer_so_far()
            assert self.answer is not None  # it has made the lookup one that can be asked for
        elif outcome.state != "done":
            self.error = self.error or outcome.error
        elif self._page > 1 and self.stale:  # the pages before it are of the newer version
            self.error = outcome.error or DecodeError(
                "a page of the newer version cannot be read", endpoint=self._call.row.id
            )
        elif self._page:
            store, newest = self._executor.store, not outcome.cached
            page = (await stored_pages(store, self._call.key, newest=newest)).get(self._page)
            self.answer = None if page is None else (page.http, page.body)
        else:
            if self.requests:  # the next call finds it
                await self._executor.store.flush()
            self.answer = 200, outcome.body

    async def _sleep(self, seconds: float) -> None:
        """Wait before the next attempt; for a flight of this process at most until its end."""
        engine, ahead = self._executor.engine, self._ahead
        clock = engine.clock
        if ahead is None:
            if self._reason is not None and seconds:
                engine.start_events(self._call.row, self.events.call)
                self.events.call.pause_started(self._reason, seconds)
            await clock.sleep(seconds)
            return
        with clock.timeout(seconds):
            await ahead.done.wait()

    async def _attempt(self) -> Outcome[object] | Postponed:
        return await self._executor.run(
            self._call,
            self._given,
            row=self._input_number,
            tries=self._tries,
            waited=self._waited,
            scope=self,
            last_page=self._page or None,
        )

    def _goes_on(self, found: Outcome[object] | Postponed) -> bool:
        """Whether there is another attempt, after a pause; the client's policy decides."""
        outcome = found.outcome if isinstance(found, Postponed) else found
        self.credits += outcome.credits
        self.requests += outcome.attempts
        lost = outcome.state == "in_doubt" and outcome.attempts > 0
        self.lost += lost
        self.busy_since, busy_since = None, self.busy_since
        self._ahead = None
        self._waited = True
        self._reason = "held" if isinstance(outcome.error, RateLimitError) else "retry"
        if self.left:
            return False
        in_doubt = self._repeats and outcome.state == "in_doubt"
        if not self._asks and (in_doubt or isinstance(found, Postponed)):
            self.error = unasked(self._call.row.id)
            return False
        if isinstance(found, Postponed) and found.reason != "queued":
            self._tries += found.reason == "failed"
            self._pause = found.pause
            return (
                found.reason == "failed"
                or outcome.due > 0
                or self._is_busy(busy_since, outcome.key)
            )
        if isinstance(found, Postponed):
            return self._is_polled(found)
        if not lost or outcome.error is None:
            return False
        if not self._repeats:
            self.error = InDoubtError(str(outcome.error.args[0]), endpoint=self._call.row.id)
            self.error.__cause__ = outcome.error
            return False
        self._tries += 1
        return self._repeat(outcome.error)

    def _is_busy(self, since: float | None, key: str) -> bool:
        """Look again, soon and then less often, at a lookup that is in flight.

        It is another process's, or asks this client about the same subject by another id: then the
        end of that one is waited for.
        """
        now = self._executor.engine.clock.now()
        self._waited = False  # the pause that was decided for it is another one
        self._reason = None
        self._pause, self._poll = self._poll, min(2 * self._poll, LAST_POLL)
        ahead = self._flights.get((bytes.fromhex(key), self._page))
        if ahead is not None and ahead is not self:
            self._ahead = ahead
            return True
        self.busy_since = now if since is None else since
        if now - self.busy_since < BUSY_FOR:
            return True
        self.error = self.busy()
        return False

    def _is_polled(self, found: Postponed) -> bool:
        """Ask again for what the provider prepares.

        Where it can be asked for by an id, that is free: a call does it at once, and its caller
        does the waiting.
        """
        outcome = found.outcome
        self._reason = "queued"
        self._polls += outcome.attempts
        if self._call.row.poll is not None and outcome.error is None:
            self._pause = 0.0
            return not self.requests
        error = outcome.error or QueuedError(
            "the provider is preparing this record", kind="queued", retry_after=found.pause
        )
        if self._repeat(error):
            self._pause = found.pause
            return True
        self.error = error
        return False

    def _repeat(self, error: LixError) -> bool:
        executor = self._executor
        delay = executor.retry.next_delay(
            error,
            failures=self._tries,
            polls=max(self._polls, 1),  # another call got that answer, where none of these did
            idempotent=True,
            window=executor.engine.provider.window,
        )
        if delay is not None:
            self._pause = executor.engine.clock.between(delay.low, delay.high)
        return delay is not None

    async def _answer_so_far(self) -> tuple[int, bytes] | None:
        """The latest answer that says that the result is being prepared."""
        executor, endpoint = self._executor, self._call.row
        lookup = (await executor.store.find([self._call.key])).get(self._call.key)
        answers = await executor.store.history(lookup.id) if lookup is not None else []
        provider = executor.engine.provider
        found = (
            (one.http, one.body)
            for one in reversed(answers)
            if isinstance(read_answer(provider, endpoint, one.http, one.body), StatusCall)
        )
        return next(found, None)


async def stored_pages(
    store: Store, key: bytes, *, newest: bool = False, oldest: float = -math.inf
) -> dict[int, AnswerRow]:
    """The pages of a listing that a ledger has, by number.

    Args:
        store: The ledger.
        key: The key of the listing.
        newest: The new pages so far of one that is bought again.
        oldest: Only a version that is complete since this moment, and else the new pages so far.
    """
    lookup = (await store.find([key])).get(key)
    if lookup is None:
        return {}
    state = lookup.state
    answers = (await store.answers([lookup.id], newest=newest)).get(lookup.id, [])
    if answers and answers[-1].at < oldest and state.status != "kept":
        if state.status == "done":
            return {}
        if state.refresh is not None:
            return await stored_pages(store, key, newest=True)
    return {one.page: one for one in answers if one.meaning == "usable" and not one.codec}


def _read(
    engine: Engine, endpoint: Endpoint[P, R], status: int, body: bytes, at: float
) -> Answer[R] | LixError:
    """An answer from its bytes; each caller gets a value of its own, which it may change."""
    value = wire.decode(engine.provider, endpoint, status, body)
    if isinstance(value, LixError):
        return value
    return Answer(
        value=value,
        body=body,
        status=status,
        raw_headers=[],
        attempts=0,
        waited=0.0,
        credits=0,
        lost=0,
        cached=True,
        bought_at=datetime.fromtimestamp(at / 1000, UTC) if math.isfinite(at) else None,
    )


def _oldest(engine: Engine) -> float:
    """The earliest moment (epoch milliseconds) of an answer that is new enough for a call now."""
    age = engine.options.max_age
    if age is None:
        return -math.inf
    return freshness(age, None, int(engine.clock.wall() * 1000)).answers_since or 0


def _written_as(params: Params) -> Input:
    """The input of a call as a ledger keeps it for people: its only param, or all by name."""
    given = {
        name: value
        for name in params.__struct_fields__
        if (value := cast("object", getattr(params, name))) is not None
    }
    first = next(iter(given.values()), None)
    return first if len(given) == 1 and isinstance(first, str | int) else given


def _again(error: Exception, *, cached: bool) -> Exception:
    """The error for one of several callers: a shared one would collect all their tracebacks.

    Args:
        error: The error.
        cached: Whether it is an answer that the caller did not ask for.
    """
    if not isinstance(error, LixError):  # another one may not be made for copies
        return error
    found = copy.copy(error)
    found.__cause__ = error.__cause__
    found.cached = cached
    return found
