"""The vendor's nine programs are one line of `lix` each: the same rows, and no more requests."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import preloaded

if TYPE_CHECKING:
    import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(command: list[str], env: dict[str, str], folder: Path) -> float:
    """Run a command of the benchmark in a preloaded process; how long it takes does not matter."""
    if command[:2] == ["sh", "-c"]:
        lix, *arguments = shlex.split(command[2])
        assert lix == "lix"
        program = ["-m", "lix_async", *arguments, "--rate", "none"]
    else:
        assert command[0] == sys.executable
        program = command[1:]
    done = preloaded.run(program, env=env, cwd=folder, text=True)
    assert done.returncode == 0, done.stderr
    return 1.0


def test_each_program_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The benchmark ends with an error where rows differ, or where there are more requests."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.delitem(sys.modules, "_harness", raising=False)  # reads the arguments once
    monkeypatch.setattr(sys, "argv", ["vendor_programs.py", "--quick"])
    benchmark = importlib.import_module("vendor_programs")
    monkeypatch.setattr(benchmark, "run", run)
    benchmark.main()
    shown = capsys.readouterr().out
    lines = re.findall(r"^  (\w+) +([\d,]+) +([\d,]+) +([\d,]+) \+ \d", shown, re.MULTILINE)
    assert len(lines) == 9
    assert all(int(ours) <= int(theirs) for _, _, theirs, ours in lines)
    assert all(int(rows) > 0 for _, rows, _, _ in lines)
