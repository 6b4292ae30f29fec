"""`lix worker`: lookups from a queue in PostgreSQL, at a rate shared by all workers."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
from cyclopts import Parameter

from ...core.errors import BulkError, ConfigurationError, LixError
from .. import console
from ..errors import OK, CommandError, Interrupted
from ..ledger.address import display_address, given_address, ledger_error
from ..options import CONNECTION_DEFAULTS, OUTPUT, ConnectionOptions, parse_age
from ..queue import Queue, load_adapter, require_server
from ..rates import parse_rate
from ..runtime.activity import ActivityMonitor
from ..runtime.clients import base_url, key_for, lix_client
from ..runtime.progress import REFRESH_INTERVAL, ProgressCounts
from ..runtime.session import CommandSession, run_command
from ..text import counted, rate_text

if TYPE_CHECKING:
    from ...limiters import PostgresLimiter
    from ...providers.lix.client import AsyncLix

SLOW_INTERVAL = 1.0
"""From this many seconds between requests, a strict server may reject one that is early."""
STRICT_MARGIN = 0.02
"""The margin for such a rate; see `SharedLimiter`."""


def worker(
    *,
    store: Annotated[
        str | None,
        Parameter(
            help="The PostgreSQL with the queue and the ledger: postgresql://…. Default: "
            "LIX_STORE; use that if the address has a password."
        ),
    ] = None,
    queue: Annotated[Queue, Parameter(help="The queue from which chunks are taken.")] = "pgqueuer",
    concurrency: Annotated[int, Parameter(help="Lookups in flight at a time.")] = 16,
    doubts: Annotated[
        Literal["hold", "retry"],
        Parameter(
            help="Lookups in doubt: hold them for a decision (`lix run doubts`), or look them up "
            "again."
        ),
    ] = "hold",
    max_age: Annotated[
        str | None,
        Parameter(
            help="Buy answers again that are older than this: 12h, 90d, 2y. Default: nothing is "
            "bought again."
        ),
    ] = None,
    heartbeat: Annotated[
        float,
        Parameter(help="Seconds after which the chunk of a dead worker is given to another one."),
    ] = 30.0,
    quiet: Annotated[
        bool,
        Parameter(
            name=("--quiet", "-q"),
            group=OUTPUT,
            negative="",
            show_default=False,
            help="No progress and no summary; errors are still printed.",
        ),
    ] = False,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Take lookups from a queue and send them, until stopped.

    Start as many workers as you like, on any number of machines. Together they keep to one --rate,
    which must be the same for all of them, and no lookup is paid for twice. The answers are in the
    ledger in the same database: `lix run status`, `lix run export`.

    A worker spends what was confirmed when it was queued: it does not ask, and --max-credits limits
    what it spends itself.

    On Ctrl-C or SIGTERM, a worker waits for the answers in flight and returns the other lookups to
    the queue. A worker without credits or with a rejected key ends, and its chunk waits for another
    worker.
    """
    address = require_server(given_address(store), "a worker")
    if concurrency < 1:
        raise CommandError("--concurrency must be at least 1", hint="leave it out for the default")
    if not heartbeat >= 1:
        raise CommandError(
            "--heartbeat must be at least 1 second", hint="leave it out for the default"
        )
    oldest = parse_age("--max-age", max_age)
    adapter = load_adapter(queue)
    for name in ("pgqueuer", "procrastinate"):  # they log each chunk that is retried
        logging.getLogger(name).setLevel(logging.CRITICAL)
    factory = _WorkerClientFactory(address)

    async def work(session: CommandSession) -> int:
        stop = anyio.Event()
        session.monitor.state = ""
        if not quiet:
            rate = rate_text(parse_rate(connection.rate))
            shared = "" if parse_rate(connection.rate) is None else ", shared by all workers"
            session.progress.stop()  # otherwise the note would follow the line
            console.print_note(
                f"working on {display_address(address)}, {rate}{shared}; press Ctrl-C to stop"
            )
            session.progress.start()
        failure: Exception | None = None
        async with factory.limiter(), anyio.create_task_group() as tasks:
            tasks.start_soon(_follow_session, session, stop)
            try:
                await adapter.worker(
                    factory.store,
                    session.lix.with_options(max_age=oldest),
                    concurrency=concurrency,
                    doubts=doubts,
                    heartbeat=heartbeat,
                    max_credits=connection.max_credits,
                    stop=stop,
                )
            except (LixError, Interrupted) as error:  # raised outside of the task group
                failure = error
            except anyio.get_cancelled_exc_class():  # an answer in flight was not received in time
                _print_summary(session, quiet=quiet)
                raise
            tasks.cancel_scope.cancel()
        _print_summary(session, quiet=quiet)
        if session.monitor.stopping:
            raise Interrupted
        if isinstance(failure, BulkError):
            raise ledger_error(failure, address)
        if failure is not None:
            raise failure
        return OK

    return run_command(
        work, connection, ProgressCounts("requests"), quiet=quiet, make_client=factory.client
    )


def _print_summary(session: CommandSession, *, quiet: bool) -> None:
    session.progress.stop()
    if not quiet:
        requests, credits = session.monitor.requests, session.lix.credits.total
        console.print_note(f"{counted(requests, 'request')}, {counted(credits, 'credit')}")


async def _follow_session(session: CommandSession, stop: anyio.Event) -> None:
    """Update the progress line, and pass a signal on."""
    while not session.monitor.stopping:
        session.counts.items = session.monitor.requests
        session.counts.credits = session.lix.credits.total
        await session.monitor.clock.sleep(REFRESH_INTERVAL)
    stop.set()


class _WorkerClientFactory:
    """Makes the client, and owns the limiter that it shares with other workers."""

    def __init__(self, address: str) -> None:
        from ...ledger.postgres import PostgresStore  # late: only this command needs it

        try:
            self.store = PostgresStore(address)
        except ConfigurationError as error:
            raise ledger_error(error, address) from None
        self._limiter: PostgresLimiter | None = None

    def client(self, connection: ConnectionOptions, monitor: ActivityMonitor) -> AsyncLix:
        """A client at the shared rate, whose waits can be monitored and stopped."""
        from ...limiters import PostgresLimiter  # late: only this command needs it

        url = base_url(connection)
        key = key_for(connection, url)
        # The budget is enforced by the worker over all its chunks, not by the client.
        unlimited = replace(connection, max_credits=None)
        rate = parse_rate(connection.rate)
        if rate is None:
            return lix_client(unlimited, monitor, key=key)
        margin = STRICT_MARGIN if rate.interval >= SLOW_INTERVAL else None
        name = limiter_name(key, url)
        self._limiter = PostgresLimiter(self.store, name, rate, margin=margin, clock=monitor.clock)
        return lix_client(unlimited, monitor, key=key, limiter=self._limiter.bulk)

    @asynccontextmanager
    async def limiter(self) -> AsyncGenerator[None]:
        """The limiter, closed at the end."""
        if self._limiter is None:
            yield
            return
        async with self._limiter:
            yield


def limiter_name(key: str, url: str) -> str:
    """The name of the limiter that all workers of a key share; it does not reveal the key."""
    return f"worker.{hashlib.blake2b(f'{url} {key}'.encode(), digest_size=12).hexdigest()}"
