"""The clients without an event loop: methods, listings, runs, threads, Ctrl-C, closing, forks."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import pydoc
import re
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import lix_async
from lix_async import ConfigurationError, Lix, NotFoundError, bulk
from lix_async.concurrency.background import BackgroundTask
from lix_async.concurrency.event_loop import threadsafe_callback
from lix_async.concurrency.loop_thread import Backend, EventLoopThread
from lix_async.core.models import Model
from lix_async.core.rate_limit import RateLimit
from lix_async.engine.client import Client
from lix_async.providers.lix.endpoints.profiles import PERSON
from lix_async.providers.lix.endpoints.searches import SEARCH_PEOPLE
from lix_async.providers.lix.params import PersonParams, SearchParams
from lix_async.sandbox import Sandbox, running
from lix_async.sync import SyncClient, SyncPages
from lix_async.sync.lix import SyncPeople
from lix_async.sync.methods import SyncMethod, SyncMethodGroup
from lix_async.testing import IdleClock, memory_client

LINK = "https://www.linkedin.com/in/person-{}"
URL = "https://www.linkedin.com/search/results/people/?keywords=data"
NAMES = ("Lix", "LookC", "ConnectSafely", "Letrics", "MeetAlfred")
KEY = "sentinel-key-0123456789"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(people=60, rate=None)


@pytest.fixture(params=["asyncio", "trio"])
def lix(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Lix]:
    with memory_client(sandbox, Lix, backend=request.param) as client:
        yield client


def pairs(kind: type[SyncClient[Client]]) -> Iterator[tuple[type, type]]:
    """The client and its groups of methods, each with the async one."""
    asynchronous = getattr(lix_async, f"Async{kind.__name__}")
    yield kind, asynchronous
    for value in vars(kind).values():
        if isinstance(value, SyncMethodGroup):
            yield value._kind, value._kind.__orig_bases__[0].__args__[0]  # type: ignore[attr-defined]


def methods(kind: type) -> dict[str, Any]:
    """The methods of endpoints: those that are awaited, and those that return `Pages`."""
    common = set(dir(Client)) if issubclass(kind, Client) else set()
    functions = inspect.getmembers(kind, inspect.isfunction)
    return {name: one for name, one in functions if name[0] != "_" and name not in common}


@pytest.mark.parametrize("name", NAMES)
def test_no_method_is_missing(name: str) -> None:
    kind = getattr(lix_async, name)
    assert kind.__name__ == name
    found = 0
    for blocking, asynchronous in pairs(kind):
        for method, function in methods(asynchronous).items():
            made = vars(blocking)[method]
            assert isinstance(made, SyncMethod)
            assert made.__wrapped__ is function
            lists = not inspect.iscoroutinefunction(function)
            assert lists == str(inspect.signature(function).return_annotation).startswith("Pages[")
            assert bool(made._returns) == lists, method
            found += 1
        if asynchronous.__name__ == "AsyncLix":
            groups = {
                attr for attr, value in vars(blocking).items() if isinstance(value, SyncMethodGroup)
            }
            annotated = {attr for attr in asynchronous.__annotations__ if attr[0] != "_"}
            assert groups == annotated
    assert (
        found == {"Lix": 44, "LookC": 5, "ConnectSafely": 11, "Letrics": 2, "MeetAlfred": 8}[name]
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_method_looks_like_the_async_one(name: str) -> None:
    kind = getattr(lix_async, name)
    client: SyncClient[Client] = memory_client(Sandbox(), kind)
    for blocking, asynchronous in pairs(kind):
        owner: Any = client
        if blocking is not kind:
            owner = next(
                value for attr in vars(kind) if isinstance(value := getattr(client, attr), blocking)
            )
        for method, function in methods(asynchronous).items():
            made = getattr(owner, method)
            assert made is getattr(owner, method)
            assert made.__doc__ == function.__doc__
            assert made.__wrapped__ == getattr(owner.aio, method)
            assert (made.__name__, made.__qualname__) == (method, f"{blocking.__name__}.{method}")
            expected = inspect.signature(getattr(owner.aio, method))
            assert made.__signature__.parameters == expected.parameters
            assert "self" not in inspect.signature(made).parameters
            returns = str(expected.return_annotation)
            if returns.startswith("Pages"):
                returns = "Sync" + returns
            assert inspect.signature(made).return_annotation == returns
    assert kind.__doc__


def test_the_options_of_a_run_are_those_of_the_class() -> None:
    parameters = inspect.signature(bulk.Run).parameters.values()
    keywords = {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
    assert {*bulk.run.RunOptions.__annotations__, "on", "rows"} == keywords


def test_calls(lix: Lix, sandbox: Sandbox) -> None:
    person = lix.people.get(LINK.format(1))
    assert person.name
    answer = lix.answer(lix.people.get, LINK.format(1))
    assert (answer.value, answer.credits) == (person, 1)
    assert lix.answer(lix.aio.people.get, LINK.format(1)).value == person
    assert lix.send(PERSON, PersonParams(profile_link=LINK.format(1))).value == person
    assert lix.credits.total == lix.aio.credits.total == 4
    assert len(sandbox.requests) == 4
    assert SyncPeople.get(lix.people, LINK.format(1)) == person
    help_text = pydoc.render_doc(SyncPeople, renderer=pydoc.plaintext)
    # Python 3.13 writes each parameter on a line of its own.
    assert re.search(
        r"get\(\s*(\|\s*)?self,\s*(\|\s*)?profile_link: 'str \| None' = None", help_text
    )
    assert "One person, by the link of the profile" in help_text
    view = lix.with_options(deadline=5)
    assert type(view) is Lix
    assert view.aio.engine.options.deadline == 5
    assert view.people.get(LINK.format(2)).name
    assert view.loop_thread is lix.loop_thread
    assert repr(view).startswith("<Lix 127.0.0.1")
    with pytest.raises(ConfigurationError, match="by_page"):
        lix.answer(lix.search.people, URL)
    for wrong in (print, 5):
        with pytest.raises(ConfigurationError):
            lix.answer(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="emial"):
        lix.people.get(emial="x")  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError):
        lix.people.get(email="")


def test_a_listing(lix: Lix, sandbox: Sandbox) -> None:
    pages = lix.search.people(URL, max_items=25)
    assert isinstance(pages, SyncPages)
    assert "not started" in repr(pages)
    assert repr(pages).startswith("<SyncPages search.people")
    assert not sandbox.requests
    first = pages.first()
    rows = [first]
    for row in pages:
        rows.append(row)
        if len(rows) == 7:
            break
    saved = pages.checkpoint
    assert (pages.stats.items, pages.stats.pages, len(sandbox.requests)) == (7, 1, 1)
    rows += pages.collect()
    assert pages.collected == rows[7:]
    assert len(rows) == 25
    assert len({row.link for row in rows if isinstance(row, Model)}) == 25  # type: ignore[attr-defined]
    assert pages.first() is None
    again = lix.search.people(URL, max_items=18, resume=saved)
    assert [row.link for row in again] == [row.link for row in rows[7:]]  # type: ignore[union-attr]
    if find_spec("arro3"):
        assert len(lix.search.people(URL, max_items=12).to_frame(columns=["name"])) == 12
    by_page = list(lix.pages(SEARCH_PEOPLE, SearchParams(url=URL), max_items=25).by_page())
    assert [len(page.items) for page in by_page] == [10, 10, 5]


def test_threads_share_a_listing_and_each_item_is_handed_out_once(lix: Lix) -> None:
    pages = lix.search.people(URL, max_items=40)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: list(pages), range(4)))
    links = [row.link for part in parts for row in part]
    assert len(links) == len(set(links)) == 40


def test_eight_threads_use_one_client(lix: Lix, sandbox: Sandbox) -> None:
    barrier = threading.Barrier(8)

    def work(number: int) -> list[str | None]:
        barrier.wait()
        return [lix.people.get(LINK.format(number * 4 + step)).name for step in range(1, 5)]

    with ThreadPoolExecutor(8) as pool:
        names = [name for part in pool.map(work, range(8)) for name in part]
    assert all(names)
    assert len(sandbox.requests) == 32


def test_a_call_in_a_running_loop(lix: Lix) -> None:
    async def cell() -> str | None:
        return lix.people.get(LINK.format(1)).name

    assert asyncio.run(cell())
    assert anyio.run(cell, backend="trio")


def test_context_variables_are_the_callers(sandbox: Sandbox) -> None:
    variable = contextvars.ContextVar("variable", default="")
    seen: list[str] = []
    for backend in ("asyncio", "trio"):
        with memory_client(
            sandbox, Lix, backend=backend, on_event=lambda _: seen.append(variable.get())
        ) as lix:
            variable.set(backend)
            lix.people.get(LINK.format(1))
            assert set(seen) == {backend}
            seen.clear()


def test_errors_arrive_as_they_are(sandbox: Sandbox) -> None:
    for backend in ("asyncio", "trio"):
        with (
            running(sandbox) as url,
            Lix(KEY, base_url=url, rate_limit=None, backend=backend) as lix,
        ):
            sandbox.faults.force("not_found")
            with pytest.raises(NotFoundError) as caught:
                lix.people.get(LINK.format(1))
            error = caught.value
            assert error.__cause__ is None
            assert error.__context__ is None
            shown = traceback.TracebackException.from_exception(error, capture_locals=True)
            text = "".join(shown.format())
            assert KEY not in text
            assert "ExceptionGroup" not in text
            files = [
                Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__)
            ]
            assert files[:2] == ["test_sync.py", "methods.py"]
            assert not {"_base.py", "from_thread.py"} & set(files)


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_argument_shows_no_key(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        getattr(lix_async, name)(KEY, base_url="http://example.com")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in shown.stack if "tests" not in Path(frame.filename).parts]
    assert frames
    assert not any(KEY in str(frame.locals) for frame in frames)
    for backend in ("curio", None):
        with pytest.raises(ConfigurationError, match="backend"):
            getattr(lix_async, name)(KEY, base_url="http://127.0.0.1", backend=backend)


def test_a_missing_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lix_async.concurrency.loop_thread.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="needs the package trio"):
        Lix(KEY, backend="trio")


def test_a_closed_client_opens_again(lix: Lix) -> None:
    for _ in range(3):
        assert lix.people.get(LINK.format(1)).name
        lix.close()
        lix.close()


def test_a_client_that_was_never_used_is_closed(lix: Lix) -> None:
    lix.close()


def test_a_cache(sandbox: Sandbox, tmp_path: Path) -> None:
    for backend in ("asyncio", "trio"):
        path = tmp_path / f"{backend}.db"
        with memory_client(sandbox, Lix, cache=path, backend=backend) as lix:
            for _ in range(3):
                lix.people.get(LINK.format(1))
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lix.people.get, [LINK.format(2)] * 8))
            assert lix.aio.cache.stats.bought == 2
            lix.close()
            lix.people.get(LINK.format(2))
            assert lix.aio.cache.stats.bought == 2
    assert len(sandbox.requests) == 4


def test_a_cache_that_cannot_be_opened_fails_the_call(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "not.db").write_bytes(b"no database" * 100)
    with memory_client(sandbox, Lix, cache=tmp_path / "not.db") as lix:
        for _ in range(2):
            with pytest.raises(lix_async.LixError):
                lix.people.get(LINK.format(1))


def test_a_run(lix: Lix, tmp_path: Path) -> None:
    links = [LINK.format(number) for number in (1, 2, 1)]
    with lix.run(tmp_path / "a.db", lix.people.get, links, concurrency=2) as run:
        outcomes = list(run)
    assert sorted(outcome.state for outcome in outcomes) == ["done"] * 3
    assert (run.progress().done, run.report().progress.credits) == (3, 2)
    assert "person.get" in repr(run)
    assert run.reconcile() == []
    with pytest.raises(ConfigurationError, match="expected a method"):
        lix.run(tmp_path / "a.db", print, links)
    rows = lix.run(tmp_path / "b.db", lix.search.people, [{"url": URL, "max_items": 5}])
    assert [len(outcome.value) for outcome in rows] == [5]  # type: ignore[arg-type]


def test_the_inputs_of_a_run_may_use_the_client_and_belong_to_the_callers_thread(
    lix: Lix, tmp_path: Path
) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE links (link TEXT)")
    database.executemany("INSERT INTO links VALUES (?)", [(LINK.format(n),) for n in range(1, 30)])
    cursor = (row[0] for row in database.execute("SELECT link FROM links"))
    assert len(list(lix.run(tmp_path / "a.db", lix.people.get, cursor))) == 29
    database.close()
    found = (row.link or "" for row in lix.search.people(URL, max_items=12))
    assert len(list(lix.run(tmp_path / "b.db", lix.people.get, found))) == 12
    rows = ({"li": LINK.format(number), "account": number} for number in (1, 2))
    own = lix.run(tmp_path / "b.db", lix.people.get, rows, on="li")
    assert sorted(outcome.input["account"] for outcome in own) == [1, 2]  # type: ignore[index,call-overload]


def test_what_a_run_would_cost(lix: Lix, tmp_path: Path) -> None:
    links = [LINK.format(number) for number in (1, 2, 1)]
    list(lix.run(tmp_path / "a.db", lix.people.get, links[:1]))
    spent = lix.credits.total
    found = lix.preview(tmp_path / "a.db", lix.people.get, links)
    assert (found.inputs, found.distinct, found.answered, found.calls) == (3, 2, 1, 1)
    assert found.credits == {"standard": 1}
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE people (li TEXT)")
    database.executemany("INSERT INTO people VALUES (?)", [(link,) for link in links])
    cursor = database.execute("SELECT li FROM people")  # bound to this thread
    rows = ({"li": link} for (link,) in cursor)
    assert lix.preview(tmp_path / "a.db", lix.people.get, rows, on="li", max_age=0).calls == 2
    with pytest.raises(ConfigurationError, match="not a single text"):
        lix.preview(tmp_path / "a.db", lix.people.get, LINK.format(1))
    assert lix.credits.total == spent


def test_the_options_of_a_preview_are_those_of_the_function() -> None:
    own = [*inspect.signature(SyncClient.preview).parameters.values()][1:]
    function = inspect.signature(bulk.preview).parameters.values()
    assert [(one.name, one.kind, one.default) for one in own] == [
        (one.name, one.kind, one.default) for one in function
    ]


def test_inputs_that_raise(lix: Lix, tmp_path: Path) -> None:
    def inputs() -> Iterator[str]:
        yield LINK.format(1)
        raise KeyError("file")

    seen = []
    with pytest.raises(KeyError, match="file"):
        for outcome in lix.run(tmp_path / "a.db", lix.people.get, inputs()):
            seen.append(outcome.state)
    assert seen == ["done"]


def test_a_run_that_is_left_or_parked(lix: Lix, tmp_path: Path) -> None:
    links = (LINK.format(number) for number in range(1, 50))
    for outcome in lix.run(tmp_path / "a.db", lix.people.get, links, concurrency=1):
        assert outcome.state == "done"
        break
    gc.collect()
    run = lix.run(
        tmp_path / "a.db", lix.people.get, (LINK.format(n) for n in range(1, 50)), concurrency=1
    )
    next(run)  # type: ignore[call-overload]
    run.park()
    assert len(list(run)) < 5


def test_an_interrupt_in_the_inputs_stops_the_run(
    lix: Lix, tmp_path: Path, sandbox: Sandbox
) -> None:
    def inputs() -> Iterator[str]:
        yield LINK.format(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(lix.run(tmp_path / "a.db", lix.people.get, inputs()))
    before = len(sandbox.requests)
    lix.close()
    assert len(sandbox.requests) == before


def test_callbacks_cannot_wait_for_the_client(sandbox: Sandbox) -> None:
    errors: list[str] = []

    def listen(event: object) -> None:
        for call in (lambda: lix.people.get(LINK.format(2)), lix.close):
            try:
                call()
            except ConfigurationError as error:
                errors.append(str(error))

    with memory_client(sandbox, Lix, on_event=listen) as lix:
        lix.people.get(LINK.format(1))
    assert len(set(errors)) == 2
    assert all("callback" in error for error in errors)
    assert len(sandbox.requests) == 1


class Block:
    """What an event loop thread keeps open."""

    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_closing_ends_the_calls_of_other_threads(backend: Backend) -> None:
    started = threading.Event()

    async def wait() -> None:
        started.set()
        await anyio.sleep_forever()

    thread = EventLoopThread(Block(), backend)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(thread.run, wait)
        started.wait()
        thread.close()
        with pytest.raises(ConfigurationError, match="closed during this call"):
            waiting.result()
    thread.run(anyio.sleep, 0)
    thread.close()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_interrupt_before_the_call_begins_makes_none(backend: Backend) -> None:
    called: list[str] = []

    class Waiter(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    async def call() -> None:
        called.append("begun")
        await anyio.sleep_forever()

    thread = EventLoopThread(Block(), backend)
    thread.run(anyio.sleep, 0)
    with pytest.raises(KeyboardInterrupt):
        thread.run_with(Waiter(), call)
    assert called in ([], ["begun"])
    thread.close()


def test_what_leaving_the_block_raises_is_raised_by_close() -> None:
    class Failing(Block):
        async def __aexit__(self, *_: object) -> None:
            raise OSError("disk")

    thread = EventLoopThread(Failing(), "asyncio")
    thread.run(anyio.sleep, 0)
    with pytest.raises(OSError, match="disk"):
        thread.close()


def test_a_client_that_is_deleted_ends_its_thread(sandbox: Sandbox) -> None:
    lix = memory_client(sandbox, Lix)
    lix.people.get(LINK.format(1))
    ended = lix.loop_thread._ended
    del lix
    gc.collect()
    assert ended.result(30) is None


def test_a_wait_in_virtual_time(sandbox: Sandbox) -> None:
    for backend in ("asyncio", "trio"):
        clock = IdleClock()
        with memory_client(sandbox, Lix, clock=clock, backend=backend) as lix:
            sandbox.faults.force("rate_limit", "unavailable")
            assert lix.people.get(LINK.format(1)).name
        assert clock.now() > 0
        assert clock.slept


def test_a_thread_that_could_not_be_started_is_started_by_the_next_call(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            lix.people.get(LINK.format(1))
        lix.close()
    assert lix.people.get(LINK.format(1)).name


def test_a_call_after_a_close_that_was_interrupted(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lix.people.get(LINK.format(1)).name
    ended = lix.loop_thread._ended

    def interrupt(_: object = None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ended, "result", interrupt)
        with pytest.raises(KeyboardInterrupt):
            lix.close()
    assert lix.people.get(LINK.format(2)).name
    assert ended.done()


def test_a_start_that_was_interrupted_is_no_second_start(
    lix: Lix, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        while lix.loop_thread._started._state == "PENDING":
            lix.loop_thread._started.running()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lix.people.get(LINK.format(1))
    started = lix.loop_thread._started
    assert lix.people.get(LINK.format(1)).name
    assert lix.loop_thread._started is started


PROGRAM = """
import os, signal, sys, threading
from lix_async import ConfigurationError, Lix, RateLimit

url, backend, what = sys.argv[1:]
lix = Lix("key-0123456789", base_url=url, backend=backend, rate_limit=RateLimit(1, per=3600.0))
lix.people.get("https://www.linkedin.com/in/person-1")
if what == "forget":
    threading.Thread(target=lix.people.get, args=["https://www.linkedin.com/in/person-2"], daemon=True).start()
elif what == "interrupt":
    def interrupt(event):
        if type(event).__name__ == "WaitStarted":
            os.kill(os.getpid(), signal.SIGINT)
    lix.aio.events.add(interrupt)
    try:
        lix.people.get("https://www.linkedin.com/in/person-2")
    except KeyboardInterrupt:
        print("interrupted")
    lix.close()
elif what == "fork":
    child = os.fork()
    if child == 0:
        try:
            lix.people.get("https://www.linkedin.com/in/person-2")
        except ConfigurationError as error:
            lix.close()
            os._exit(7 if "forked" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert lix.with_options(deadline=1).aio
    lix.close()
print("end", flush=True)
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("what", ["forget", "interrupt", "fork"])
def test_a_program(what: str, backend: str, sandbox: Sandbox) -> None:
    with running(sandbox) as url:
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "error",
                "-W",
                "ignore::DeprecationWarning",
                "-c",
                PROGRAM,
                url,
                backend,
                what,
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == (["interrupted", "end"] if what == "interrupt" else ["end"])
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_virtual_clock_stands_still_while_the_caller_takes_an_input(
    tmp_path: Path, backend: Backend
) -> None:
    """It moves on for the calls that the iterator itself makes, or none of them would end."""
    clock = IdleClock()
    sandbox = Sandbox(people=60, rate=None, clock=clock.now, wall=clock.wall)
    taken: list[tuple[float, float]] = []
    with memory_client(
        sandbox, Lix, backend=backend, clock=clock, rate_limit=RateLimit(1, per=3.0)
    ) as lix:
        check = lix.loop_thread.run(quiet_check)

        def links() -> Iterator[str]:
            for number in range(3):
                before = clock.now()
                check.run()
                taken.append((before, clock.now()))
                yield LINK.format(number)
                lix.people.get(LINK.format(9))

        run = lix.run(tmp_path / "a.db", lix.people.get, links(), check_balances=False)
        assert [outcome.state for outcome in run] == ["done"] * 3
    assert len(taken) == 3
    assert all(before == after for before, after in taken)
    assert clock.now() > 3


class QuietCheck:
    """Waits, in another thread than that of the event loop, until all tasks of the loop wait."""

    def __init__(self) -> None:
        self._asked, self._call_soon = anyio.Event(), threadsafe_callback()
        self._waited = threading.Event()
        BackgroundTask(self._work)

    def run(self) -> None:
        self._waited.clear()
        self._call_soon(lambda: self._asked.set())
        assert self._waited.wait(30)

    async def _work(self) -> None:
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            for _ in range(3):
                await anyio.wait_all_tasks_blocked()
                await anyio.lowlevel.checkpoint()
            self._waited.set()


async def quiet_check() -> QuietCheck:
    return QuietCheck()
