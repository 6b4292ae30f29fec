"""All benchmarks, each in a process of its own: `python -m benchmarks`, `--quick` for a glance.

A number from one machine means little on another; the ratios, measured within one run, hold.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = "= "
"""Begins the lines of a benchmark that are its verdicts, as `_harness` prints them."""


def main() -> int:
    began, verdicts, failed = time.perf_counter(), [], []
    for path in sorted(HERE.glob("[a-z]*.py")):
        question = path.read_text().partition('"""')[2].partition("\n")[0].rstrip('"')
        print(f"\n## {path.name}: {question}", flush=True)
        program = [sys.executable, str(path), *sys.argv[1:]]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None  # piped
            for line in process.stdout:
                print(line, end="", flush=True)
                if line.startswith(MARK):
                    verdicts.append((path.stem, line.removeprefix(MARK).rstrip()))
        if process.returncode:
            failed.append(path.name)
    print(f"\n## All of it, in {time.perf_counter() - began:.0f} s")
    for name, line in verdicts:
        print(f"  {name:15} {line}")
    for name in failed:
        print(f"  {name} failed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
