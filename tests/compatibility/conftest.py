"""Fixtures: the sandbox of the stored files, `lix` in this process, PostgreSQL and Redis.

The tests here read what an earlier version wrote. They use the public API and the command only,
so that they need no change when internal names change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from servers import postgres_dsn, redis_url  # noqa: F401  # fixtures

from lix_async.cli import main
from lix_async.sandbox import Sandbox, running

from .written import EPOCH, WORLD

Lix = Callable[..., str]


@pytest.fixture(scope="session")
def world() -> Sandbox:
    """One sandbox for all tests: making its data takes longer than most of them."""
    return Sandbox(**WORLD, wall=lambda: EPOCH, clock=lambda: 0.0)


@pytest.fixture
def sandbox(world: Sandbox) -> Sandbox:
    world.reset()
    return world


@pytest.fixture(scope="session")
def address(world: Sandbox) -> Iterator[str]:
    """The same sandbox on a port."""
    with running(world) as url:
        yield url


@pytest.fixture
def lix(
    sandbox: Sandbox,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Lix:
    """Runs `lix` against the sandbox and gives its stdout; it must succeed."""
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name[:4] == "LIX_"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIX_BASE_URL", address)

    def run(*arguments: str) -> str:
        capsys.readouterr()
        code = main(list(arguments))
        said = capsys.readouterr()
        assert code == 0, said.err
        return said.out

    return run
