"""The example of another engine, against the sandbox."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from lix_async.sandbox import Sandbox, running

PATH = Path(__file__).parents[2] / "examples" / "taskiq_tasks.py"


def test_tasks_that_run_twice_are_paid_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("taskiq")
    sandbox = Sandbox(people=50, organisations=5, rate=None)
    monkeypatch.chdir(tmp_path)
    links = ["https://www.linkedin.com/in/someone"]
    with running(sandbox) as url:
        monkeypatch.setenv("LIX_BASE_URL", url)
        monkeypatch.setenv("LIX_API_KEY", "demo")
        for _ in range(2):
            spec = importlib.util.spec_from_file_location("taskiq_tasks", PATH)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            monkeypatch.setitem(sys.modules, "taskiq_tasks", module)  # Taskiq looks there
            spec.loader.exec_module(module)
            assert asyncio.run(module.main(links, size=1)) == 1
    assert len(sandbox.ledger) == 1
