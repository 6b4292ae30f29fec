"""Fixtures of the command's tests: a sandbox on a port, `lix` in this process and as a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lix_async.cli import main
from lix_async.sandbox import running

from .sandbox_helpers import ObservedSandbox, Process, Result, environment

Lix = Callable[..., Result]


@pytest.fixture(scope="session")
def plain() -> Iterator[tuple[ObservedSandbox, str]]:
    """One sandbox without faults for all tests that only read."""
    sandbox = ObservedSandbox()
    with running(sandbox) as url:
        yield sandbox, url


@pytest.fixture
def sandbox(plain: tuple[ObservedSandbox, str]) -> ObservedSandbox:
    plain[0].reset()
    return plain[0]


@pytest.fixture
def lix(
    plain: tuple[ObservedSandbox, str],
    sandbox: ObservedSandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Lix:
    """`lix` in this process, in an empty folder, against the plain sandbox."""
    for name in [name for name in os.environ if name.startswith("LIX_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIX_BASE_URL", plain[1])
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, rate: str = "none") -> Result:
        capsys.readouterr()
        code = main([*arguments, *(("--rate", rate) if rate else ())])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def start(
    plain: tuple[ObservedSandbox, str], sandbox: ObservedSandbox, tmp_path: Path
) -> Iterator[Callable[..., Process]]:
    """`lix` as a process, in an empty folder, against the plain sandbox."""
    started: list[Process] = []

    def run(*arguments: str, key: str | None = None, **settings: object) -> Process:
        env = environment(plain[1], **({"LIX_API_KEY": key} if key else {}))
        process = Process(*arguments, env=env, cwd=tmp_path, **settings)  # type: ignore[arg-type]
        started.append(process)
        return process

    yield run
    sandbox.answering.set()
    for process in started:
        process.close()
