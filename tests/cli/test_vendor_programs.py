"""The vendor's nine programs are one line of `lix` each: the same rows, and no more requests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "vendor_programs.py"


def test_each_program_is_one_line(tmp_path: Path) -> None:
    """The benchmark ends with an error where rows differ, or where there are more requests."""
    command = [sys.executable, str(BENCHMARK), "--quick"]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^  (\w+) +([\d,]+) +([\d,]+) +([\d,]+) \+ \d", done.stdout, re.MULTILINE)
    assert len(lines) == 9
    assert all(int(ours) <= int(theirs) for _, _, theirs, ours in lines)
    assert all(int(rows) > 0 for _, rows, _, _ in lines)
