"""`lix worker`: takes lookups from a queue in PostgreSQL, at the one rate of all workers."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
from cyclopts import Parameter

from ...core.errors import BulkError, ConfigurationError, LixError
from .. import console
from ..errors import OK, REFUSED, CommandError, Interrupted
from ..ledger.address import address_of, display_address, redact_password
from ..options import CONNECTION_DEFAULTS, OUTPUT, ConnectionOptions, parsed_rate
from ..queue import Queue, adapter, server
from ..runtime.activity import (
    ActivityMonitor,
    MonitoredClock,
    MonitoredLimiter,
    MonitoredRetryPolicy,
)
from ..runtime.clients import base_url, key_for
from ..runtime.progress import TICK, ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import plural, rate_text

if TYPE_CHECKING:
    from ...limiters import PostgresLimiter
    from ...providers.lix.client import AsyncLix

SLOW = 1.0
"""Seconds between two requests from which on a strict server's clock matters."""
STRICT = 0.02
"""The margin for such a rate; see `SharedLimiter`."""


def worker(
    *,
    store: Annotated[
        str | None,
        Parameter(
            help="The PostgreSQL with queue and ledger: postgresql://…; by itself LIX_STORE, "
            "where an address with a password belongs."
        ),
    ] = None,
    queue: Annotated[Queue, Parameter(help="The engine that hands chunks out.")] = "pgqueuer",
    concurrency: Annotated[int, Parameter(help="Lookups under way at once.")] = 4,
    doubts: Annotated[
        Literal["hold", "retry"],
        Parameter(
            help="Lookups that were interrupted: hold them for a decision (`lix run doubts`), or "
            "buy them again."
        ),
    ] = "hold",
    heartbeat: Annotated[
        float, Parameter(help="Seconds until others take over the chunk of a worker that died.")
    ] = 30.0,
    quiet: Annotated[
        bool,
        Parameter(
            name=("--quiet", "-q"),
            group=OUTPUT,
            negative="",
            show_default=False,
            help="No progress and no closing line; errors are still told.",
        ),
    ] = False,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Take lookups from a queue and ask for them, until it is stopped.

    Start as many as you like, on as many machines: together they keep the one --rate of their
    key, which must be the same for all, and what one has paid for, no other pays again. Answers
    are in the ledger of the same database: `lix run status`, `lix run export`.

    Ctrl-C or SIGTERM lets the answers under way arrive and gives the rest back to the queue. A
    worker that finds no credits or a wrong key ends, and its chunk waits for the next one.
    """
    address = server(address_of(store), "a worker")
    if concurrency < 1:
        raise CommandError("--concurrency must be at least 1")
    if not heartbeat >= 1:
        raise CommandError("--heartbeat must be at least 1 second")
    module = adapter(queue)
    for name in ("pgqueuer", "procrastinate"):  # they tell of chunks that come back; we do too
        logging.getLogger(name).setLevel(logging.CRITICAL)
    maker = _WorkerClientFactory(address)

    async def work(session: CommandSession) -> int:
        stop = anyio.Event()
        session.watch.state = ""
        if not quiet:
            pace = rate_text(parsed_rate(connection.rate))
            shared = "" if parsed_rate(connection.rate) is None else ", shared by all workers"
            session.progress.stop()  # the line would stand before the note
            console.print_note(
                f"working for {display_address(address)}, {pace}{shared}; Ctrl-C ends it"
            )
            session.progress.start()
        failure: Exception | None = None
        async with maker.limiter(), anyio.create_task_group() as tasks:
            tasks.start_soon(_stopping, session, stop)
            try:
                await module.worker(
                    address,
                    session.lix,
                    concurrency=concurrency,
                    doubts=doubts,
                    heartbeat=heartbeat,
                    max_credits=connection.max_credits,
                    stop=stop,
                )
            except (LixError, Interrupted) as error:  # raised below, as itself
                failure = error
            except anyio.get_cancelled_exc_class():  # an answer under way did not come in time
                _close(session, quiet=quiet)
                raise
            tasks.cancel_scope.cancel()
        _close(session, quiet=quiet)
        if session.watch.stopping:
            raise Interrupted
        if isinstance(failure, BulkError):
            raise CommandError(redact_password(str(failure), address), code=REFUSED)
        if failure is not None:
            raise failure
        return OK

    return run_command(work, connection, ProgressCounts("requests"), quiet=quiet, make=maker.client)


def _close(session: CommandSession, *, quiet: bool) -> None:
    session.progress.stop()
    if not quiet:
        asked, paid = session.watch.requests, session.lix.credits.total
        console.print_note(
            f"{asked:,} {plural(asked, 'request')}, {paid:,} {plural(paid, 'credit')}"
        )


async def _stopping(session: CommandSession, stop: anyio.Event) -> None:
    """Keep the progress line's numbers, and pass a signal on."""
    while not session.watch.stopping:
        session.tally.items = session.watch.requests
        session.tally.credits = session.lix.credits.total
        await session.watch.clock.sleep(TICK)
    stop.set()


class _WorkerClientFactory:
    """Makes the client, and keeps the limiter that it shares with the other workers."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._limiter: PostgresLimiter | None = None

    def client(self, connection: ConnectionOptions, watch: ActivityMonitor) -> AsyncLix:
        """A client at the shared rate whose waiting can be watched and stopped."""
        from ...limiters import PostgresLimiter  # late: other commands never need it
        from ...providers.lix.client import AsyncLix

        url = base_url(connection)
        key = key_for(connection, url)
        rate = parsed_rate(connection.rate)
        try:
            turns = MonitoredLimiter(None, watch)
            if rate is not None:
                margin = STRICT if rate.interval >= SLOW else None
                self._limiter = PostgresLimiter(
                    self._address, name_for(key, url), rate, margin=margin, clock=watch.clock
                )
                turns = MonitoredSharedLimiter(self._limiter, watch)
            return AsyncLix(
                key,
                auth=connection.auth,
                base_url=url,
                viewer_id=connection.viewer,
                rate_limit=turns,
                retry=MonitoredRetryPolicy(watch=watch),
                deadline=connection.deadline,
                clock=MonitoredClock(watch),
            )
        except ConfigurationError as error:
            raise CommandError(redact_password(str(error), self._address)) from None

    @asynccontextmanager
    async def limiter(self) -> AsyncGenerator[None]:
        """The limiter's connection, closed at the end."""
        if self._limiter is None:
            yield
            return
        async with self._limiter:
            yield


def name_for(key: str, url: str) -> str:
    """The name under which all workers of one key find each other; nobody reads the key from it."""
    return f"worker.{hashlib.blake2b(f'{url} {key}'.encode(), digest_size=12).hexdigest()}"


class MonitoredSharedLimiter(MonitoredLimiter):
    """Turns of a limiter that other processes share."""

    def __init__(self, shared: PostgresLimiter, watch: ActivityMonitor) -> None:
        super().__init__(None, watch)
        self.rate = watch.rate = shared.rate
        self._shared = shared.bulk
        self._seen = watch

    async def acquire(self) -> None:
        await self._seen.turn(self._shared.acquire)

    async def hold(self, seconds: float) -> None:
        self._seen.held(seconds)
        await self._shared.hold(seconds)

    def refund(self) -> None:
        super().refund()
        self._shared.refund()

    def report_delay(self, seconds: float) -> None:
        self._shared.report_delay(seconds)
