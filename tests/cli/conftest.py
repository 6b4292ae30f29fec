"""Fixtures of the command's tests: a sandbox on a port, `lix` in this process and beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lix_async.cli import main
from lix_async.sandbox import running

from .sandbox_helpers import Process, Result, Watched, environment

Lix = Callable[..., Result]


@pytest.fixture(scope="session")
def plain() -> Iterator[tuple[Watched, str]]:
    """One sandbox without faults for all tests that only read."""
    sandbox = Watched()
    with running(sandbox) as url:
        yield sandbox, url


@pytest.fixture
def sandbox(plain: tuple[Watched, str]) -> Watched:
    plain[0].reset()
    return plain[0]


@pytest.fixture
def lix(
    plain: tuple[Watched, str],
    sandbox: Watched,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Lix:
    """`lix` in this process, in an empty folder, against the plain sandbox."""
    for name in [name for name in os.environ if name.startswith("LIX_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIX_BASE_URL", plain[1])
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, rate: str = "none") -> Result:
        capsys.readouterr()
        code = main([*arguments, *(("--rate", rate) if rate else ())])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


@pytest.fixture
def start(
    plain: tuple[Watched, str], sandbox: Watched, tmp_path: Path
) -> Iterator[Callable[..., Process]]:
    """`lix` as a process, in an empty folder, against the plain sandbox."""
    begun: list[Process] = []

    def run(*arguments: str, key: str | None = None, **settings: object) -> Process:
        env = environment(plain[1], **({"LIX_API_KEY": key} if key else {}))
        process = Process(*arguments, env=env, cwd=tmp_path, **settings)  # type: ignore[arg-type]
        begun.append(process)
        return process

    yield run
    sandbox.gate.set()
    for process in begun:
        process.close()
