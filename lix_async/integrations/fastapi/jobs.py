"""Lookups in the background: runs that outlive requests and restarts.

A job is a `bulk.Run` over inputs that are kept in a file. When the application stops, the runs are
parked, which takes as long as the answers under way; when it starts, they go on. The answers are in
the ledger, and nothing is paid for twice.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypedDict, TypeVar, Unpack, cast

import anyio

from ...bulk.admission import OnDailyLimit
from ...bulk.prepared_call import ClientMethod
from ...bulk.progress import OutcomeCounter, Progress
from ...bulk.run import Run
from ...concurrency.background import BackgroundTask
from ...concurrency.thread_work import in_thread
from ...core.errors import BulkError, ConfigurationError, LixError
from ...core.freshness import Age
from ...core.validation import check_type
from ...engine.call_key import Input, input_json
from ...engine.client import Client
from .disconnects import leave_request
from .job_store import JobSpec, JobState, JobStore, StoredInputs, StoredJob

T = TypeVar("T")
LOG = logging.getLogger("lix_async.fastapi")
NOTE_EVERY = 1.0
"""Seconds between two notes of how far a job is."""
GRACE = 25.0
"""Seconds that answers under way get when the application stops: Kubernetes kills after 30."""


class JobExistsError(BulkError):
    """There is a job of that name which is not over: resume it, or choose another name."""


class JobOptions(TypedDict, total=False):
    """The options of a job's run: those of `bulk.Run` that can be kept in a file.

    Attributes:
        concurrency: Calls in flight at most.
        doubts: `"hold"` or `"retry"` lookups in doubt.
        max_credits: Credits that the job may spend, over all restarts.
        on_daily_limit: `"wait"` or `"stop"`.
        outage_patience: Seconds after which an outage ends it; None for never.
        queued_for: Seconds until a queued lookup is requested again.
        recheck: How often an answer that may become better is requested again.
        recheck_after: Seconds between two such requests.
        max_age: The greatest age of an answer that is not bought again.
        refused_age: The same for refusals.
        refresh: Credits for buying answers again where most has probably changed.
        account: A name that separates the ledger entries of several accounts.
        check_balances: Whether to read the balances first.
    """

    concurrency: int
    doubts: Literal["hold", "retry"]
    max_credits: int | None
    on_daily_limit: OnDailyLimit
    outage_patience: float | None
    queued_for: float
    recheck: int
    recheck_after: float
    max_age: Age | None
    refused_age: Age | None
    refresh: int
    account: str
    check_balances: bool


class _RunningJob:
    """A job that this process runs."""

    def __init__(self, job: int, run: Run[object], client: Client) -> None:
        self.job = job
        self.run = run
        self.clock = client.clock
        self.task: BackgroundTask
        self.parking: Literal["", "here", "elsewhere"] = ""
        """Which process has asked to park it."""

    def park(self, asked: Literal["here", "elsewhere"]) -> None:
        """Stop until it is resumed."""
        self.parking = asked
        self.run.park()


class Jobs:
    """Named runs in the background, kept in a file: pass it to `setup`.

    Several worker processes may use one file; each job runs in one of them. A job that a stop or a
    crash interrupted goes on when a process starts.

    Args:
        store: The file, created with mode 0600; it holds the inputs, on a local disk.
        grace: Seconds that answers under way get when the application stops. What is not answered
            then is in doubt.

    Raises:
        ConfigurationError: An argument is not valid.

    Example:
        ```python
        app, jobs = FastAPI(), Jobs("jobs.db")
        setup(app, AsyncLix(), jobs=jobs)

        @app.post("/enrich", status_code=202)
        async def enrich(links: list[str], lix: LixDep) -> None:
            await jobs.start("crm", lix.people.get, links, ledger="crm.db")
        ```
    """

    def __init__(self, store: str | os.PathLike[str], *, grace: float = GRACE) -> None:
        check_type("store", store, str | os.PathLike)
        check_type("grace", grace, float)
        self._store = JobStore(Path(store))
        self._grace = grace
        self._clients: tuple[Client, ...] | None = None
        self._running: dict[str, _RunningJob] = {}

    @asynccontextmanager
    async def running(self, clients: Sequence[Client]) -> AsyncGenerator[None]:
        """A block in which the jobs run: those that were interrupted go on, and stop at its end.

        Args:
            clients: The clients of the jobs' methods, open.

        Raises:
            ConfigurationError: The file cannot be used.
        """
        try:
            self._store.open()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"the file of the jobs cannot be used: {error}") from error
        self._clients = tuple(clients)
        try:
            for job in self._store.jobs():
                if job.state == "running":
                    await self._continue(job)
            yield
        finally:
            self._clients = None
            await self._stop()
            self._store.close()

    async def start(
        self,
        name: str,
        method: ClientMethod[T],
        inputs: Iterable[Input] | AsyncIterable[Input],
        *,
        ledger: str | os.PathLike[str],
        **options: Unpack[JobOptions],
    ) -> None:
        """Keep the inputs, and begin to look them up in the background.

        Args:
            name: The name of the job. One that is over may be started anew.
            method: A method of a client that `setup` was given, such as `lix.people.get`.
            inputs: As for `bulk.Run`; they are all read first.
            ledger: The ledger of the answers: a path or a `postgresql://` address.
            **options: Those of the run.

        Raises:
            JobExistsError: The job of that name is not over.
            ConfigurationError: An argument is not valid.

        Credits: those of the method, for each input that the ledger does not have.
        """
        check_type("name", name, str)
        check_type("ledger", ledger, str | os.PathLike)
        place = _place(ledger)
        if callable(options.get("doubts")):
            raise ConfigurationError("doubts must be 'hold' or 'retry': a function cannot be kept")
        spec = JobSpec(
            name,
            _method_name(method, self._opened()),
            place,
            {
                # A name, so that `max_credits` holds over restarts; another one for each start.
                "name": f"{name} {secrets.token_hex(4)}",
                **{key: _plain(value) for key, value in options.items()},
            },
        )
        Run(place, method, inputs, **options)  # checks its arguments
        if isinstance(inputs, AsyncIterable):
            given = [input_json(one) async for one in inputs]
        else:
            given = [input_json(one) for one in inputs]

        async def begin() -> bool:
            job = await in_thread(self._store.add, spec, given)
            if job is not None:
                self._launch(StoredJob(job, spec, "running", len(given), None, self._store.token))
            return job is not None

        if not await _whole(begin):
            raise JobExistsError(f"the job {name!r} is not over: resume it, or choose another name")

    def progress(self, name: str) -> Progress | None:
        """How far a job is, by a second ago where another process runs it; None without one."""
        self._opened()
        if (own := self._running.get(name)) is not None:
            return own.run.progress()
        for job in self._store.jobs(name):
            unknown = OutcomeCounter().progress(total=job.inputs, waiting=0, in_flight=0, parked="")
            return job.progress or unknown
        return None

    def state(self, name: str) -> JobState | None:
        """What became of a job; None without one.

        * `running`: in one of the processes, or at the next start.
        * `parked`: until `resume`, by `park` or by a parked ledger.
        * `failed`: an error has ended it, such as a budget that is used up. It is in the log, its
          class in `progress().parked`, and `resume` goes on.
        * `ended`: every input has an outcome.
        """
        self._opened()
        for job in self._store.jobs(name):
            return job.state
        return None

    def names(self) -> list[str]:
        """The names of all jobs, those that are over included."""
        self._opened()
        return self._store.names()

    async def park(self, name: str) -> None:
        """Stop a job until it is resumed, also over restarts.

        Waits for its answers under way; where another process runs the job, that stops it a second
        later. Without effect on a job that does not run.

        Raises:
            ConfigurationError: There is no such job.
        """
        job = self._stored(name)
        if (own := self._running.get(name)) is not None:
            own.park("here")
            await own.task.wait()
        else:
            await in_thread(self._store.park, job.id)

    async def resume(self, name: str) -> None:
        """Go on with a job that is parked or has failed; one that is over asks for what is missing.

        A job that is being parked goes on when that is done; it is waited for where this process
        runs it. Without effect on a job that runs.

        Raises:
            ConfigurationError: There is no such job, or its client was not given to `setup`.
        """
        job = self._stored(name)
        if (own := self._running.get(name)) is not None and own.parking == "here":
            await own.task.wait()
        if name not in self._running:
            _method(job.spec.method, self._opened())
        if not await in_thread(self._store.resume, job.id) and name not in self._running:
            await self._continue(self._stored(name))

    # How they run

    def _opened(self) -> tuple[Client, ...]:
        if self._clients is None:
            raise ConfigurationError(
                "the jobs run while the application runs: add setup(app, …, jobs=jobs)"
            )
        return self._clients

    def _stored(self, name: str) -> StoredJob:
        self._opened()
        for job in self._store.jobs(name):
            return job
        raise ConfigurationError(f"unknown job {name!r}")

    async def _continue(self, job: StoredJob) -> None:
        async def go_on() -> None:
            if await in_thread(self._store.claim, job):
                if self._clients is None:  # the application has stopped: at the next start
                    self._end(job.id, "running", job.progress)
                    return
                try:
                    self._launch(job)
                except (LixError, TypeError) as error:  # also options of an earlier version
                    LOG.error("the job %r cannot go on: %s", job.spec.name, error)
                    self._end(job.id, "failed", self.progress(job.spec.name))

        await _whole(go_on)

    def _launch(self, job: StoredJob) -> None:
        spec = job.spec
        client, method = _method(spec.method, self._opened())
        inputs = StoredInputs(self._store.path, job.id, job.inputs)
        options = cast("JobOptions", spec.options)
        own = _RunningJob(job.id, Run(spec.ledger, method, inputs, **options), client)
        self._running[spec.name] = own
        own.task = BackgroundTask(lambda: self._work(spec.name, own))

    async def _work(self, name: str, own: _RunningJob) -> None:
        leave_request()
        note = BackgroundTask(lambda: self._note(own))
        state: JobState = "running"  # where it is cancelled, it goes on at the next start
        try:
            async for _ in own.run:
                pass  # its answer is in the ledger
            state = "ended"
            if own.run.progress().parked:
                state = "running" if self._clients is None else "parked"
        except Exception as error:  # nothing receives it
            state = "failed"
            LOG.error("the job %r failed: %s", name, error, exc_info=error)
        finally:
            note.end()
            del self._running[name]
            self._end(own.job, state, own.run.progress(), asked_by_file=own.parking == "elsewhere")
        if self._clients is not None and own.parking == "elsewhere":
            for job in self._store.jobs(name):
                if job.id == own.job and job.state == "running":  # it was resumed meanwhile
                    await self._continue(job)

    async def _note(self, own: _RunningJob) -> None:
        """Keep how far it is, and see whether another process asks to park it."""
        while True:
            await own.clock.sleep(NOTE_EVERY)
            progress = own.run.progress()
            try:
                state = await in_thread(self._store.note, own.job, progress)
            except sqlite3.Error as error:  # a full disk, say: the ledger has the answers
                LOG.warning("how far a job is cannot be kept: %s", error)
                continue
            if state == "parked":
                own.park("elsewhere")

    def _end(
        self, job: int, state: JobState, progress: Progress | None, *, asked_by_file: bool = False
    ) -> None:
        try:
            self._store.end(job, state, progress, asked_by_file=asked_by_file)
        except sqlite3.Error as error:
            LOG.error("the end of a job cannot be kept, so it goes on at the next start: %s", error)

    async def _stop(self) -> None:
        """Park all, and wait for the answers under way."""
        stopping = list(self._running.values())
        for own in stopping:
            own.run.park("stopped")
        with anyio.move_on_after(self._grace):
            for own in stopping:
                await own.task.wait()
        for own in stopping:
            if not own.task.done:
                await own.run.aclose(0)
                await own.task.wait()


async def _whole(work: Callable[[], Awaitable[T]]) -> T:
    """Await a function to its end although the caller is cancelled: a job is kept and begun."""
    found: list[T] = []
    errors: list[Exception] = []

    async def run() -> None:
        try:
            found.append(await work())
        except Exception as error:  # noqa: BLE001  # raised in the caller
            errors.append(error)

    await BackgroundTask(run).join()
    if errors:
        raise errors[0]
    return found[0]


def _place(ledger: str | os.PathLike[str]) -> str:
    """The address of a ledger; a path as it is found from any folder, after a restart too."""
    place = os.fspath(ledger)
    return place if "://" in place else str(Path(place).absolute())


def _plain(value: object) -> object:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _method_name(method: ClientMethod[T], clients: Iterable[Client]) -> str:
    """The class of the client, and the names that lead from the client to the method."""
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    for client in clients:
        if owner is client:
            return f"{type(client).__name__}.{name}"
        for group, one in vars(client).items():
            if one is owner:
                return f"{type(client).__name__}.{group}.{name}"
    raise ConfigurationError(
        f"invalid method {getattr(method, '__qualname__', method)!r}: expected a method of a "
        "client that setup was given, such as lix.people.get, and not of a view of it"
    )


def _method(name: str, clients: Iterable[Client]) -> tuple[Client, ClientMethod[object]]:
    """The client and the method of a name."""
    kind, *path = name.split(".")
    for client in clients:
        if type(client).__name__ == kind:
            found: object = client
            for part in path:
                found = getattr(found, part, None)
            if callable(found):
                return client, cast("Callable[..., Awaitable[object]]", found)
    raise ConfigurationError(f"no client with the method {name}: give it to setup")
