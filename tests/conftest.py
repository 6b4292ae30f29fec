"""Every async test runs on asyncio and on trio."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

MEMORY = "/dev/shm"
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 1 << 31:
    # What tests end is processes, not the machine: no commit has to wait for the disk.
    os.environ["TMPDIR"] = tempfile.tempdir = MEMORY

# Worker processes of pytest, and the commands that tests run, import the same modules hundreds of
# times. Without bytecode each compiles them again, which takes longer than most of the tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts a job in the background so, and the programs of tests would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No time limit for each example: machines may be busy. `nox -s campaign` has more examples.
EXAMPLES = int(os.environ.get("LIX_EXAMPLES", "30"))
settings.register_profile("lix_async", deadline=None, max_examples=EXAMPLES)
settings.load_profile("lix_async")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    # Debug mode finds callbacks from a wrong thread. It makes tests with many tasks several times
    # as slow, so it is for the layers that use threads.
    debug = request.path.parent.name in ("concurrency", "core")
    return (request.param, {"debug": debug} if request.param == "asyncio" else {})


@pytest.fixture(scope="session", autouse=True)
def personal_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The personal ledger of all tests, and of the processes that they start, is in a folder."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(folder))
        patch.delenv("LIX_STORE", raising=False)
        yield folder


LONG = (
    *("test_without_a_provider", "test_kit", "test_killed_enrich", "test_kill", "test_queues"),
    *("test_worker", "test_fastapi_server", "test_merge", "test_recipes", "test_enrich_ledger"),
    *("test_waterfall_stops", "test_cache_processes", "test_processes", "test_outage"),
)
"""Files with tests that take seconds. They come first, so that no worker process has one left when
the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and the list of tests stay to the end: no collection of garbage looks at them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Ids without addresses or bytes that change: all worker processes must get the same ones."""
    return argname if isinstance(val, bytes) or " at 0x" in repr(val) else None
