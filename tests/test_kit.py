"""The pytest plugin in other people's suites: with each plugin for async tests, and without any.

Each suite runs in a process of its own, with warnings as errors. The plugins are named one by one;
with `LIX_TEST_KIT=1` (`nox -s test_kit`) pytest finds them by their entry points, as it does for
users, and this package has to be installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import preloaded
import pytest
from preloaded import PROGRAM

INSTALLED = bool(os.environ.get("LIX_TEST_KIT"))
KIT, ANYIO, ASYNCIO = "lix_async.testing.plugin", "anyio.pytest_plugin", "pytest_asyncio.plugin"
SUITES_USE = ("pytest", "respx", *PROGRAM, "lix_async.sandbox", "lix_async.sync")
"""What the suites import, without the plugins."""
ENTRY_POINTS = {ANYIO: "anyio", ASYNCIO: "asyncio"}

SUITE = """
import pytest
from lix_async import AsyncLix, Lix

URL = "https://www.linkedin.com/search/results/people/?keywords=data"
LINK = "https://www.linkedin.com/in/person-1"

MARK
@pytest.mark.lix(people=300, force=["rate_limit", "unavailable"])
async def test_listing(lix, lix_clock, lix_sandbox, lix_bill, lix_events):
    assert len(await lix.search.people(URL, max_items=20).collect()) == 20
    assert lix_clock.now() > 3 and lix_sandbox.ledger.totals()["standard"] == 2
    assert lix_bill() == 2 and lix_clock.slept
    assert [event.status for event in lix_events if type(event).__name__ == "AttemptEnded"] == [
        429, 503, 200, 200
    ]

MARK
async def test_every_client(lookc, connectsafely, letrics, meetalfred, lix_sandbox):
    await lookc.submit("ada@example.com")
    await connectsafely.profile("ada-example")
    await letrics.companies().first()
    await meetalfred.campaigns()
    assert len(lix_sandbox.requests) == 4

MARK
async def test_both_kinds(lix, sync_lix, lix_events, lix_no_network):
    assert await lix.people.get(LINK) == sync_lix.people.get(LINK)
    assert len({event.call for event in lix_events}) == 2

@pytest.mark.lix(force="rate_limit", max_credits=1)
def test_without_asyncio(sync_lix, lix_clock):
    assert sync_lix.people.get(LINK).name and lix_clock.now() > 0
"""
WITHOUT = """
import anyio, functools
def run(test):
    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    @functools.wraps(test)
    def wrapped(backend, **fixtures):
        anyio.run(functools.partial(test, **fixtures), backend=backend)
    import inspect
    given = inspect.signature(test).parameters.values()
    backend = inspect.Parameter("backend", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    wrapped.__signature__ = inspect.Signature([backend, *given])
    return wrapped
"""
BACKENDS = """
@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param
"""


def run(
    folder: Path,
    suite: str,
    *arguments: str,
    plugins: tuple[str, ...] = (KIT,),
    fresh: bool = False,
) -> tuple[str, str]:
    """The counts at the end of a suite, and everything that it printed.

    `fresh`: in an interpreter that has imported nothing before.
    """
    (folder / "test_suite.py").write_text(suite)
    if not (folder / "pytest.ini").exists():
        (folder / "pytest.ini").write_text("[pytest]\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    chosen = [f"-p{plugin}" for plugin in plugins]
    if INSTALLED:
        chosen = [f"-pno:{name}" for one, name in ENTRY_POINTS.items() if one not in plugins]
        chosen += [f"-pno:{name}" for name in ("xdist", "hypothesispytest", "schemathesis")]
    else:
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    program = [
        *("-m", "pytest", "-Werror", "-q", "-pno:cacheprovider", *chosen),
        *("--strict-markers", "--strict-config", *arguments, "test_suite.py"),
    ]
    env |= {"PYTHONPATH": str(Path(__file__).parents[1])}
    if fresh or INSTALLED:
        done = subprocess.run(
            [sys.executable, *program],
            cwd=folder, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
    else:
        done = preloaded.run(program, SUITES_USE, cwd=folder, env=env, text=True)
    said = done.stdout + done.stderr
    return re.sub(r" in .*| warnings?", "", said.strip().splitlines()[-1]).strip("= "), said


ANYIO_MARK, ASYNCIO_MARK = "@pytest.mark.anyio", "@pytest.mark.asyncio"
STRICT, AUTO = ("-oasyncio_mode=strict",), ("-oasyncio_mode=auto",)
SCOPE = "-oasyncio_default_fixture_loop_scope=function"


@pytest.mark.parametrize(
    ("plugins", "mark", "more", "options", "passed"),
    [
        pytest.param((ANYIO,), ANYIO_MARK, BACKENDS, (), 7, id="anyio"),
        pytest.param((ASYNCIO,), ASYNCIO_MARK, "", (*STRICT, SCOPE), 4, id="asyncio-strict"),
        pytest.param((ASYNCIO,), "", "", (*AUTO, SCOPE), 4, id="asyncio-auto"),
        pytest.param((ANYIO, ASYNCIO), ANYIO_MARK, BACKENDS, (*STRICT, SCOPE), 7, id="both-anyio"),
        pytest.param((ANYIO, ASYNCIO), ASYNCIO_MARK, "", (*STRICT, SCOPE), 4, id="both-asyncio"),
        pytest.param((ANYIO, ASYNCIO), "", "", (*AUTO, SCOPE), 4, id="both-auto"),
        pytest.param((), "@run", WITHOUT, (), 7, id="none"),
    ],
)
def test_the_matrix(
    plugins: tuple[str, ...],
    mark: str,
    more: str,
    options: tuple[str, ...],
    passed: int,
    tmp_path: Path,
) -> None:
    suite = SUITE.replace("\nMARK\n", f"\n{mark}\n")
    suite = suite.replace("\nURL =", f"{more}\nURL =", 1)
    counts, said = run(tmp_path, suite, *options, plugins=(KIT, *plugins))
    assert counts == f"{passed} passed", said


def test_a_test_that_spends_more_than_its_marker_fails(tmp_path: Path) -> None:
    suite = """
import pytest
LINK = "https://www.linkedin.com/in/person-{}"
pytestmark = pytest.mark.lix(max_credits=2)

def spend(lix, times):
    for number in range(1, times + 1):
        lix.people.get(LINK.format(number))

def test_two(sync_lix): spend(sync_lix, 2)
def test_three(sync_lix): spend(sync_lix, 3)
@pytest.mark.lix(max_credits=3)
def test_three_may(sync_lix): spend(sync_lix, 3)
def test_nothing(): pass
"""
    counts, said = run(tmp_path, suite)
    assert counts == "1 failed, 3 passed", said
    assert "the test spent 3 credits, and max_credits is 2" in said


def test_fixtures_can_be_overridden_and_markers_checked(tmp_path: Path) -> None:
    suite = """
import pytest
from lix_async.sandbox import Sandbox

@pytest.fixture
def lix_sandbox(): return Sandbox(people=5, rate=None)

def test_own(sync_lix, lix_sandbox, lix_bill):
    sync_lix.people.get("https://www.linkedin.com/in/person-1")
    assert len(lix_sandbox.requests) == lix_bill() == 1

@pytest.fixture
def lix(): return "mine"

def test_mine(lix): assert lix == "mine"
"""
    counts, said = run(tmp_path, suite)
    assert counts == "2 passed", said
    suite = "import pytest\n@pytest.mark.lix(poeple=3)\ndef test(lix): pass"
    counts, said = run(tmp_path, suite)
    assert counts == "1 error"
    assert "poeple" in said


NETWORK = """
import anyio, httpx, pytest
from lix_async import AsyncLix, ConfigurationError, Lix
EARLIER = AsyncLix("key-0123456789")

def test_clients(FIXTURE):
    for make in (AsyncLix, Lix):
        with pytest.raises(ConfigurationError, match="api.lix-it.com"):
            make("key-0123456789")
        make("key-0123456789", base_url="http://127.0.0.1:1")
        make("key-0123456789", http_client=httpx.AsyncClient())
    with pytest.raises(ConfigurationError, match="lix_no_network"):
        anyio.run(EARLIER.people.get, "https://www.linkedin.com/in/person-1")

def test_in_memory(sync_lix):
    sync_lix.people.get("https://www.linkedin.com/in/person-1")
"""


@pytest.mark.parametrize("by_setting", [False, True])
def test_no_network(tmp_path: Path, by_setting: bool) -> None:
    if by_setting:
        (tmp_path / "pytest.ini").write_text("[pytest]\nlix_no_network = true\n")
    counts, said = run(tmp_path, NETWORK.replace("FIXTURE", "" if by_setting else "lix_no_network"))
    assert counts == "2 passed", said


def test_nothing_is_imported_until_a_fixture_is_used(tmp_path: Path) -> None:
    suite = """
import sys

def test_nothing(request):
    heavy = {"httpx", "starlette", "trio", "lix_async.sandbox", "lix_async.bulk", "lix_async.sync"}
    assert not heavy & set(sys.modules)

def test_fixture(lix):
    assert {"httpx", "lix_async.sandbox"} <= set(sys.modules)
"""
    if INSTALLED:  # other plugins import these
        suite = suite.replace('"httpx", "starlette", "trio", ', "", 1)
    counts, said = run(tmp_path, suite, fresh=True)
    assert counts == "2 passed", said


@pytest.mark.parametrize("plugins", [(ANYIO,), (ANYIO, KIT)])
def test_the_earlier_address_of_the_fixtures(plugins: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["lix_async.testing.fixtures"]\n')
    suite = """
import pytest
pytestmark = pytest.mark.anyio

@pytest.mark.lix(max_credits=1)
async def test_old(lix, virtual_clock, anyio_backend_name):
    await lix.people.get("https://www.linkedin.com/in/person-1")
    await virtual_clock.sleep(3600)
    assert virtual_clock.now() == 3600
"""
    counts, said = run(tmp_path, suite, plugins=plugins)
    assert counts == "2 passed", said


RESPX = """
import httpx, pytest, respx
from lix_async import AsyncLix, ConfigurationError, Lix, TransportError
from lix_async.sandbox import Sandbox, running
pytestmark = pytest.mark.anyio
PERSON = {"name": "Ada"}
LINK = "https://www.linkedin.com/in/ada"

@respx.mock
async def test_an_answer(lix_clock, lix_no_network):
    route = respx.get("https://api.lix-it.com/v1/person").mock(
        side_effect=[httpx.Response(503), httpx.Response(200, json=PERSON)]
    )
    async with httpx.AsyncClient() as http:
        async with AsyncLix("key-0123456789", clock=lix_clock, http_client=http) as lix:
            assert (await lix.people.get(LINK)).name == "Ada"
    assert route.call_count == 2
    with pytest.raises(ConfigurationError, match="lix_httpx"):
        AsyncLix("key-0123456789")  # has connections of its own, which respx does not see

EARLIER = AsyncLix("key-0123456789", rate_limit=None)

@respx.mock
async def test_clients_of_a_program(lix_httpx, lix_no_network):
    route = respx.get("https://api.lix-it.com/v1/person").respond(json=PERSON)
    assert (await EARLIER.people.get(LINK)).name == "Ada"
    async with AsyncLix("key-0123456789") as lix:
        assert (await lix.people.get(LINK)).name == "Ada"
    with Lix("key-0123456789") as lix:
        assert lix.people.get(LINK).name == "Ada"
    assert route.call_count == 3
    assert dict(route.calls[0].request.url.params) == {"profile_link": LINK}
    assert route.calls[0].request.headers["authorization"] == "key-0123456789"

@respx.mock
async def test_what_no_route_matches(lix_httpx, lix_clock):
    async with AsyncLix("key-0123456789", clock=lix_clock) as lix:
        with pytest.raises(TransportError, match="no route of respx") as caught:
            await lix.people.get(LINK)
    assert caught.value.attempts == 1

async def test_without_a_mock(lix_httpx, lix_no_network):
    with Lix("key-0123456789") as lix, pytest.raises(ConfigurationError, match="/v1/person: start"):
        lix.people.get(LINK)
    with pytest.raises(ConfigurationError, match="https://api.lix-it.com/v1/person"):
        await EARLIER.people.get(LINK)

def test_a_server_on_this_machine(lix_httpx):
    with running(Sandbox(rate=None)) as url, Lix("sandbox-key", base_url=url) as lix:
        assert lix.people.get(LINK).name
"""


def test_respx(tmp_path: Path) -> None:
    counts, said = run(
        tmp_path, RESPX.replace("pytestmark", f"{BACKENDS}\npytestmark"), plugins=(KIT, ANYIO)
    )
    assert counts == "9 passed", said


PAGE = Path(__file__).parents[1] / "docs" / "howto" / "testing-your-code.md"
SUITES = [
    block
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    if "def test_" in block
]


@pytest.mark.parametrize("number", range(len(SUITES)))
def test_the_suites_of_the_documentation(number: int, tmp_path: Path) -> None:
    tests = SUITES[number].count("def test_") * (2 if "anyio" in SUITES[number] else 1)
    suite = SUITES[number].replace("import pytest\n", f"import pytest\n{BACKENDS}", 1)
    counts, said = run(tmp_path, suite, plugins=(KIT, ANYIO))
    assert counts == f"{tests} passed", said


def test_wrong_settings_of_the_marker_are_named(tmp_path: Path) -> None:
    suite = """
import pytest

@pytest.mark.lix(peopel=3)
def test_unknown(sync_lix):
    pass

@pytest.mark.lix(300)
def test_without_a_name(sync_lix):
    pass
"""
    counts, said = run(tmp_path, suite)
    assert counts == "2 errors"
    assert "unknown setting 'peopel' in pytest.mark.lix; available settings: " in said
    assert "force, " in said and "max_credits, " in said and ", people" in said
    assert "pytest.mark.lix takes arguments by name: people=300" in said
    assert "TypeError" not in said
