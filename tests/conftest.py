"""Every async test runs on asyncio (in debug mode) and on trio."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

MEMORY = "/dev/shm"
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 1 << 31:
    # What tests end is processes, not the machine: no commit has to wait for the disk.
    os.environ["TMPDIR"] = tempfile.tempdir = MEMORY

# No time limit for each example: machines may be busy.
settings.register_profile("lix_async", deadline=None)
settings.load_profile("lix_async")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    # Debug mode keeps a whole traceback of each future, which takes most of the time of tests with
    # very many.
    debug = request.node.get_closest_marker("many_tasks") is None
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


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Ids without addresses or bytes that change: all worker processes must get the same ones."""
    return argname if isinstance(val, bytes) or " at 0x" in repr(val) else None
