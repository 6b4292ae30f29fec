"""An outage costs a few requests, fails nothing, and is waited for."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from sample_provider import LOST, UNREACHED, Script, refused, reply

from lix_async import AsyncLix, RetryPolicy, bulk
from lix_async.core.errors import (
    AuthenticationError,
    DeadlineError,
    OutageError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
)
from lix_async.core.rate_limit import RateLimit
from lix_async.core.wire import HttpRequest
from lix_async.engine.circuit_breaker import CircuitBreaker
from lix_async.testing import VirtualClock

from .conftest import Open
from .test_admission import Vendor, drained, thing

pytestmark = pytest.mark.anyio
PROBES = 18
"""In an hour: after 5 s, then after pauses that double up to 300 s."""
NAMES = [f"n{number}" for number in range(1000)]
DOWN = {
    "unreachable": UNREACHED,
    "503": reply(503, b"<html>"),
    "own": refused(500, "api_error"),
    "portal": reply(302, b"<html>", location="http://portal.example/"),
    "proxy": reply(407, b"<html>"),
    "missing": reply(404, b"<html>"),
    "later": reply(503, b"<html>", retry_after="3600"),
    "reset": LOST,
}


class Service:
    """Answers after `until` on the clock; before, it is down."""

    def __init__(self, clock: VirtualClock, down: Any, until: float) -> None:
        self.clock, self.down, self.until = clock, down, until
        self.asked = self.failed = 0

    def __call__(self, outgoing: HttpRequest) -> Any:
        self.asked += 1
        if self.clock.now() < self.until:
            self.failed += 1
            return self.down
        return thing(outgoing)


@pytest.mark.parametrize(
    ("down", "concurrency", "rate"),
    [(down, 16, None) for down in DOWN]
    + [("reset", 1, None), ("503", 1, None)]
    + [(down, 4, RateLimit(1, per=3.0)) for down in ("later", "missing", "reset")],
)
async def test_an_hour_of_outage_costs_few_requests_and_fails_nothing(
    tmp_path: Any,
    anyio_backend_name: str,
    down: str,
    concurrency: int,
    rate: RateLimit | None,
) -> None:
    many = (down, concurrency, rate, anyio_backend_name) == ("503", 16, None, "trio")
    names = NAMES if many else NAMES[:42]
    async with VirtualClock() as clock:
        service = Service(clock, DOWN[down], 3600.0)
        client = Vendor(service, clock=clock, rate_limit=rate)
        run = bulk.Run(
            tmp_path / "l.db",
            client.get,
            names,
            outage_patience=None,
            concurrency=concurrency,
        )
        states = Counter([outcome.state for outcome in await drained(run)])
        lost = service.failed if down == "reset" else 0
        assert states == Counter(done=len(names) - lost) + Counter(in_doubt=lost)
        assert service.failed <= 5 + concurrency + PROBES
        assert service.asked == service.failed + len(names) - lost
        assert (client.credits.total, client.credits.lost) == (2 * (len(names) - lost), 2 * lost)


async def test_the_reason_is_reported_and_the_run_ends_in_time(ledger: Open) -> None:
    async with VirtualClock() as clock:
        service = Service(clock, UNREACHED, 1e9)
        run = bulk.Run(ledger(), Vendor(service, clock=clock).get, NAMES, outage_patience=100)
        reasons: set[str] = set()

        async def look() -> None:
            while True:
                await clock.sleep(7)
                reasons.add(run.progress().parked)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
            with pytest.raises(OutageError, match="no connection") as caught:
                await drained(run)
            tasks.cancel_scope.cancel()
        assert isinstance(caught.value.__cause__, TransportError)
        assert "outage: no connection" in " ".join(reasons)
        assert clock.now() >= 100
        store = ledger()
        await store.open_read_only()
        counts = await store.counts()
        await store.close()
        assert counts.pending and not counts.in_doubt
        assert counts.credits + counts.maybe == 0


async def test_a_run_can_be_left_during_an_outage(ledger: Open) -> None:
    async with VirtualClock() as clock:
        service = Service(clock, UNREACHED, 1e9)
        run = bulk.Run(ledger(), Vendor(service, clock=clock).get, NAMES, outage_patience=None)

        async def leave() -> None:
            while not run.progress().parked:
                await clock.sleep(1)
            run.park("enough")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leave)
            assert await drained(run) == []
        assert run.progress().parked == "enough"


async def test_a_chunk_says_when_to_come_back(ledger: Open) -> None:
    async with VirtualClock() as clock, ledger() as store:
        service = Service(clock, UNREACHED, 1e9)
        with pytest.raises(OutageError, match="no connection") as caught:
            await bulk.chunk(store, Vendor(service, clock=clock).get, NAMES)
        assert 0 < (caught.value.retry_after or 0) <= 5
        assert service.asked < 10


async def test_a_key_that_is_rejected_without_words_ends_the_run(ledger: Open) -> None:
    async with VirtualClock() as clock:
        service = Service(clock, reply(401, b""), 1e9)
        with pytest.raises(AuthenticationError):
            await drained(bulk.Run(ledger(), Vendor(service, clock=clock).get, NAMES))
        assert service.asked < 10


def opened() -> CircuitBreaker:
    breaker = CircuitBreaker()
    for number in range(5):
        breaker.report("unknown", b"%d" % number, 0.0, TransportError("gone", sent=True))
    assert breaker.failure is not None
    return breaker


def test_pauses_double_up_to_five_minutes() -> None:
    breaker, now, pauses = opened(), 0.0, list[float]()
    for _ in range(8):
        pauses.append(breaker.pause(now))
        now += pauses[-1]
        assert breaker.pause(now) == 0
        breaker.trial = b"1"
        breaker.report("unknown", b"1", now, TransportError("gone"))
        breaker.report("unknown", b"2", now, TransportError("a straggler"))
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    breaker.report("refused", b"1", now)
    assert (breaker.failure, breaker.pause(now)) == (None, 0)


def test_no_pause_is_longer_than_an_outage_may_last() -> None:
    breaker = opened()
    assert breaker.pause(0.0, 0.0, 3) == 3
    assert [breaker.is_over(now, 0.0, 3) for now in (2.9, 3.0)] == [False, True]
    assert not breaker.is_over(3.0, 1.0, 3), "a run that began later waits as long as others"
    assert not breaker.is_over(1e9, 0.0, None)


async def test_runs_of_one_client_share_what_they_know_of_an_outage(ledger: Open) -> None:
    async with VirtualClock() as clock, ledger() as store:
        service = Service(clock, UNREACHED, 3600.0)
        client = Vendor(service, clock=clock)
        outcomes: list[bulk.Outcome[Any]] = []

        async def run(names: list[str]) -> None:
            outcomes.extend(await drained(bulk.Run(store, client.get, names, outage_patience=None)))

        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(run, NAMES[10 * number : 10 * number + 10])
        assert [outcome.state for outcome in outcomes] == ["done"] * 40
        assert service.failed <= 5 + 4 * 4 + PROBES


async def test_a_run_that_begins_in_an_outage_tries_at_once(ledger: Open) -> None:
    async with VirtualClock() as clock, ledger() as store:
        service = Service(clock, UNREACHED, 50.0)
        client = Vendor(service, clock=clock)
        with pytest.raises(OutageError) as error:
            await drained(bulk.Run(store, client.get, NAMES[:10], outage_patience=20))
        assert error.value.retry_after is not None
        failed, service.until = service.failed, 0.0
        began = clock.now()
        outcomes = await drained(bulk.Run(store, client.get, NAMES[:10]))
        assert {outcome.state for outcome in outcomes} == {"done"}
        assert (service.failed, clock.now()) == (failed, began)


@pytest.mark.parametrize(
    ("family", "error", "opens"),
    [
        ("unattested", ServerError("503", status=503), True),
        ("attested", ServerError("500", status=500), True),
        ("attested", RateLimitError("429", status=429), False),
        ("unattested", RefusalError("404", status=404), False),
        ("", TransportError("deadline"), False),
    ],
)
def test_what_counts(family: Any, error: Any, opens: bool) -> None:
    breaker = CircuitBreaker()
    breaker.report("answer", b"0", 0.0)
    for number in range(10):
        breaker.report(family, b"%d" % number, 0.0, error)
    assert (breaker.failure is not None) is opens


def test_one_lookup_alone_is_no_outage_but_a_service_out_of_reach_is() -> None:
    breaker = CircuitBreaker()
    for _ in range(20):
        breaker.report("gateway", b"one", 0.0, ServerError("502", status=502))
    assert breaker.failure is None
    for _ in range(5):
        breaker.report("infrastructure", b"one", 0.0, TransportError("no connection"))
    assert breaker.failure is not None


def test_pages_that_are_missing_count_where_nothing_was_ever_answered() -> None:
    breaker = CircuitBreaker()
    for number in range(5):
        breaker.report("unattested", b"%d" % number, 0.0, RefusalError("404", status=404))
    assert breaker.failure is not None


async def test_lookups_that_work_are_tried_where_only_the_free_endpoint_is_broken(
    ledger: Open,
) -> None:
    links = [f"https://www.linkedin.com/in/some-body-{n}" for n in range(30)]
    asked: Counter[str] = Counter()

    async with VirtualClock() as clock:

        def answer(outgoing: HttpRequest) -> Any:
            kind = "person" if "/person" in outgoing.target else "free"
            asked[kind] += 1
            if kind == "free":
                return reply(503, b"<html>")
            return LOST if clock.now() < 100 else reply(200, {"name": "x"})

        lix = AsyncLix("k" * 32, http_client=Script(answer), rate_limit=None, clock=clock)
        run = bulk.Run(ledger(), lix.people.get, links, outage_patience=None)
        states = Counter([outcome.state for outcome in await drained(run)])
    assert states == Counter(done=30 - states["in_doubt"], in_doubt=states["in_doubt"])
    assert 5 <= states["in_doubt"] <= 5 + 4 + 2, "every second try is a lookup"


def test_a_try_that_has_to_wait_is_not_repeated_at_once() -> None:
    breaker = opened()
    breaker.trial = b"1"
    breaker.report("attested", b"1", 5.0, RateLimitError("429", status=429))
    assert breaker.pause(5.0) == 10
    breaker.report("unattested", b"1", 15.0, ServerError("503", status=503, retry_after=3600))
    assert breaker.pause(15.0) == 300, "at most the longest pause"


@pytest.mark.parametrize("as_stream", [False, True])
async def test_failures_that_are_no_outage_are_handed_out(ledger: Open, as_stream: bool) -> None:
    async def stream() -> AsyncIterator[str]:
        for name in ["bad-1", "bad-2", "good", "bad-3"]:
            yield name
            await clock.sleep(100)

    def answer(outgoing: HttpRequest) -> Any:
        return reply(503, b"") if "bad" in outgoing.target else thing(outgoing)

    async with VirtualClock() as clock:
        inputs = stream() if as_stream else ["bad-1", "bad-2", "good", "bad-3"]
        run = bulk.Run(ledger(), Vendor(answer, clock=clock).get, inputs)
        found = [(outcome.input, outcome.state) for outcome in await drained(run)]
    assert sorted(found) == [*((f"bad-{n}", "failed") for n in (1, 2, 3)), ("good", "done")]


async def test_failures_that_were_held_back_come_before_what_ends_the_run(ledger: Open) -> None:
    def inputs() -> Iterator[str]:
        yield "bad"
        raise LookupError

    run = bulk.Run(ledger(), Vendor(reply(404, b"")).get, inputs(), concurrency=1)
    found = [await anext(run)]
    with pytest.raises(LookupError):
        await anext(run)
    with pytest.raises(StopAsyncIteration):
        await anext(run)
    assert [outcome.state for outcome in found] == ["failed"]


async def test_a_key_that_the_free_endpoint_refuses_too_stops_the_run_at_once(ledger: Open) -> None:
    asked: Counter[str] = Counter()

    def answer(outgoing: HttpRequest) -> Any:
        kind = "person" if "/person" in outgoing.target else "free"
        asked[kind] += 1
        return reply(200, {}) if asked["person"] == 0 else reply(403, b"")

    client = AsyncLix("key", http_client=Script(answer), rate_limit=None)
    links = [f"https://www.linkedin.com/in/some-body-{n}" for n in range(9)]
    run = bulk.Run(ledger(), client.people.get, links, concurrency=1)
    with pytest.raises(AuthenticationError):
        await drained(run)
    assert asked["person"] == 1
    assert run.progress().failed == 0


async def test_the_own_deadline_of_a_call_is_no_outage(ledger: Open) -> None:
    async with VirtualClock() as clock:
        rate, retry = RateLimit(1, per=3600.0), RetryPolicy(attempts=1)
        client = Vendor(thing, clock=clock, rate_limit=rate, retry=retry, deadline=5.0)
        run = bulk.Run(ledger(), client.get, NAMES[:9], concurrency=1)
        outcomes = await drained(run)
        assert [outcome.state for outcome in outcomes] == ["done"] + ["failed"] * 8
        assert {type(outcome.error) for outcome in outcomes[1:]} == {DeadlineError}
        assert run.admission.breaker.outages == 0
        assert len(client.script.sent) == 1


async def test_an_address_that_cannot_be_asked_for_again_in_time_stays(ledger: Open) -> None:
    body = {"email": "ada@example.com", "status": "PROBABLE"}
    async with VirtualClock() as clock:
        script, rate = Script(reply(200, body)), RateLimit(1, per=3600.0)
        lix = AsyncLix("key", http_client=script, rate_limit=rate, clock=clock, deadline=5.0)
        lix = lix.with_options(retry=RetryPolicy(attempts=1))
        links, options = ["https://www.linkedin.com/in/ada"], {"check_balances": False}
        [first] = await drained(bulk.Run(ledger(), lix.contact.email, links, **options))
        assert first.value.is_probable
        options |= {"recheck": 1, "recheck_after": 0}
        [second] = await drained(bulk.Run(ledger(), lix.contact.email, links, **options))
    assert (second.state, second.value, second.stale) == ("done", first.value, False)
    assert (second.refresh, second.error, len(script.sent)) == ("", None, 1)
