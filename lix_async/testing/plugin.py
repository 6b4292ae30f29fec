"""A plugin of pytest, which finds it by itself: fixtures on a sandbox in memory.

All fixtures are plain functions, so they work with anyio's plugin, with pytest-asyncio in both
modes, and without any. Nothing of the sandbox or of a provider is imported before a test uses it.

| fixture | what it is |
|---|---|
| `lix_sandbox` | a `Sandbox` without rate limits, with the settings of the marker `lix` |
| `lix`, `lookc`, `connectsafely`, `letrics`, `meetalfred` | async clients of it, on `lix_clock` |
| `sync_lix` | a `Lix` of it |
| `lix_clock` | an `IdleClock`: nothing waits really |
| `lix_events` | the list of all events of these clients |
| `lix_bill` | a function that returns the credits spent so far |
| `lix_no_network` | while it is used, clients of an address elsewhere raise an error |
| `lix_httpx` | while it is used, all clients send through httpx, where respx can answer |

`@pytest.mark.lix(people=300, faults="weather", force=["rate_limit"], max_credits=3)` takes the
arguments of `Sandbox`, the faults of the first requests, and the credits that the test may spend.
With `lix_no_network = true` in pytest's settings, every test uses `lix_no_network`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, TypeVar, cast

import pytest

from ..core.plurals import plural

if TYPE_CHECKING:
    from ..engine.client import Client
    from ..engine.events import Event
    from ..providers.connectsafely.client import AsyncConnectSafely
    from ..providers.letrics.client import AsyncLetrics
    from ..providers.lix.client import AsyncLix
    from ..providers.lookc.client import AsyncLookC
    from ..providers.meetalfred.client import AsyncMeetAlfred
    from ..sandbox import Sandbox
    from ..sync import SyncClient
    from ..sync.lix import Lix
    from .clock import IdleClock

C = TypeVar("C", bound="Client | SyncClient[Client]")
MARKER = "lix"
NO_NETWORK = "lix_no_network"
HTTPX = "lix_httpx"
_BILL: pytest.StashKey[Callable[[], int]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting `lix_no_network`."""
    parser.addini(NO_NETWORK, "clients of lix_async reach no other machine", "bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """The marker `lix`."""
    what = "settings of lix_sandbox, force=[faults] and max_credits=number of a test"
    config.addinivalue_line("markers", f"{MARKER}(...): {what}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let every test use `lix_no_network` where the setting says so."""
    names = cast("list[str] | None", getattr(item, "fixturenames", None))
    if names is not None and item.config.getini(NO_NETWORK) and NO_NETWORK not in names:
        names.insert(0, NO_NETWORK)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that has spent more than the `max_credits` of its marker."""
    result = yield
    bill, most = item.stash.get(_BILL, None), _marked(item).get("max_credits")
    if bill is not None and most is not None and bill() > cast("int", most):
        spent = f"{bill()} {plural(bill(), 'credit')}"
        pytest.fail(f"the test spent {spent}, and max_credits is {most}", pytrace=False)
    return result


def _marked(item: pytest.Item) -> dict[str, object]:
    """The arguments of the markers of a test; those nearest to it win."""
    settings: dict[str, object] = {}
    for mark in reversed(list(item.iter_markers(MARKER))):
        if mark.args:
            pytest.fail(f"pytest.mark.{MARKER} takes arguments by name: people=300", pytrace=False)
        settings |= mark.kwargs
    return settings


@pytest.fixture
def lix_clock() -> IdleClock:
    """A virtual clock, which jumps as soon as every task waits."""
    from .clock import IdleClock

    return IdleClock()


@pytest.fixture
def lix_sandbox(request: pytest.FixtureRequest, lix_clock: IdleClock) -> Sandbox:
    """The sandbox of the test, without rate limits unless its marker has some."""
    from ..sandbox import Sandbox

    settings = _marked(cast("pytest.Item", request.node))
    settings.pop("max_credits", None)
    force = cast("str | list[str]", settings.pop("force", ()))
    times = {"clock": lix_clock.now, "wall": lix_clock.wall, "sleep": lix_clock.sleep}
    names = inspect.signature(Sandbox).parameters
    for name in settings:
        if name not in names:
            known = ", ".join(sorted({*names, "force", "max_credits"} - times.keys()))
            pytest.fail(
                f"unknown setting {name!r} in pytest.mark.{MARKER}; available settings: {known}",
                pytrace=False,
            )
    make = cast("Callable[..., Sandbox]", Sandbox)
    sandbox = make(**({"rate": None} | times | settings))
    sandbox.faults.force(*([force] if isinstance(force, str) else force))
    return sandbox


@pytest.fixture
def lix_events() -> list[Event]:
    """The events of all clients of the test, in their order."""
    return []


@pytest.fixture
def lix_bill(request: pytest.FixtureRequest, lix_sandbox: Sandbox) -> Callable[[], int]:
    """A function that returns the credits spent so far."""

    def bill() -> int:
        return sum(lix_sandbox.ledger.totals().values())

    cast("pytest.Item", request.node).stash[_BILL] = bill
    return bill


@pytest.fixture
def _lix_client(
    lix_sandbox: Sandbox,
    lix_clock: IdleClock,
    lix_events: list[Event],
    lix_bill: Callable[[], int],  # which the marker's max_credits needs
) -> Callable[[type[C]], C]:
    def make(kind: type[C]) -> C:
        from .clients import memory_client

        return memory_client(lix_sandbox, kind, clock=lix_clock, on_event=lix_events.append)

    return make


@pytest.fixture
def lix(_lix_client: Callable[[type[AsyncLix]], AsyncLix]) -> AsyncLix:
    """An `AsyncLix` on `lix_sandbox`, in memory."""
    from ..providers.lix.client import AsyncLix

    return _lix_client(AsyncLix)


@pytest.fixture
def lookc(_lix_client: Callable[[type[AsyncLookC]], AsyncLookC]) -> AsyncLookC:
    """An `AsyncLookC` on `lix_sandbox`, in memory."""
    from ..providers.lookc.client import AsyncLookC

    return _lix_client(AsyncLookC)


@pytest.fixture
def connectsafely(
    _lix_client: Callable[[type[AsyncConnectSafely]], AsyncConnectSafely],
) -> AsyncConnectSafely:
    """An `AsyncConnectSafely` on `lix_sandbox`, in memory."""
    from ..providers.connectsafely.client import AsyncConnectSafely

    return _lix_client(AsyncConnectSafely)


@pytest.fixture
def letrics(_lix_client: Callable[[type[AsyncLetrics]], AsyncLetrics]) -> AsyncLetrics:
    """An `AsyncLetrics` on `lix_sandbox`, in memory."""
    from ..providers.letrics.client import AsyncLetrics

    return _lix_client(AsyncLetrics)


@pytest.fixture
def meetalfred(_lix_client: Callable[[type[AsyncMeetAlfred]], AsyncMeetAlfred]) -> AsyncMeetAlfred:
    """An `AsyncMeetAlfred` on `lix_sandbox`, in memory."""
    from ..providers.meetalfred.client import AsyncMeetAlfred

    return _lix_client(AsyncMeetAlfred)


@pytest.fixture
def sync_lix(_lix_client: Callable[[type[Lix]], Lix]) -> Iterator[Lix]:
    """A `Lix` on `lix_sandbox`, in memory."""
    from ..sync.lix import Lix

    with _lix_client(Lix) as client:
        yield client


@pytest.fixture
def lix_no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that would connect to another machine raise `ConfigurationError`.

    They do when they are made, and those that were made before when they are used. A client with an
    `http_client` of its own, or with an address on this machine, works. With `lix_httpx`, all can
    be made, and what no mock answers is refused there.
    """
    if HTTPX in request.fixturenames:
        return
    from ..core.errors import ConfigurationError
    from ..engine.transport import HttpTransport

    def check(transport: HttpTransport) -> None:
        if not transport.address.loopback:
            raise ConfigurationError(
                f"{NO_NETWORK}: this test may not connect to {transport.address.authority}; use a "
                f"fixture such as lix, {HTTPX} with mocks, http_client=, or a base_url of this "
                "machine"
            )

    def guarded(method: Callable[..., object]) -> Callable[..., object]:
        def checked(transport: HttpTransport, *args: object) -> object:
            check(transport)
            return method(transport, *args)

        return checked

    def init(transport: HttpTransport, *args: object, **kwargs: object) -> None:
        make(transport, *args, **kwargs)
        check(transport)

    make = cast("Callable[..., None]", HttpTransport.__init__)
    monkeypatch.setattr(HttpTransport, "__init__", init)
    for name in (
        "_open",
        "exchange",
    ):  # the engine has a reference to `prepare`, which calls `_open`
        monkeypatch.setattr(HttpTransport, name, guarded(getattr(HttpTransport, name)))


@pytest.fixture
def lix_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    """All clients send through `httpx.AsyncClient`, where a mock such as respx can answer.

    Clients without an `http_client` have connections of their own otherwise. What no mock has
    answered raises `ConfigurationError`, unless its server is on this machine.
    """
    from ..engine.transport import HttpTransport
    from .mocked_http import exchange, open_nothing

    monkeypatch.setattr(HttpTransport, "_ready", open_nothing)
    monkeypatch.setattr(HttpTransport, "exchange", exchange)
