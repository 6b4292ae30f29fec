"""Run all benchmarks, each in its own process: `python -m benchmarks`, `--quick` for a short run.

A number from one machine means little on another; ratios measured within one run do.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = "= "
"""Begins the lines with the results of a benchmark, as `_harness.report` prints them."""


def main() -> int:
    began, reports, failed = time.perf_counter(), [], []
    for path in sorted(HERE.glob("[a-z]*.py")):
        question = path.read_text().partition('"""')[2].partition("\n")[0].rstrip('"')
        print(f"\n## {path.name}: {question}", flush=True)
        program = [sys.executable, str(path), *sys.argv[1:]]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None  # piped
            for line in process.stdout:
                print(line, end="", flush=True)
                if line.startswith(MARK):
                    reports.append((path.stem, line.removeprefix(MARK).rstrip()))
        if process.returncode:
            failed.append(path.name)
    print(f"\n## Total: {time.perf_counter() - began:.0f} s")
    for name, line in reports:
        print(f"  {name:15} {line}")
    for name in failed:
        print(f"  {name} failed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
