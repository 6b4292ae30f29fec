"""The time of `import lix_async`, compared with `import httpx`, which it depends on.

Fresh interpreters in alternation, with compiled files in a folder of their own, so that files of
earlier runs have no effect. CPU time of the system, and wall time.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

from _harness import ROOT, Spread, count, report, table

CONTENDERS = ("pass", "import httpx", "import lix_async")


def once(code: str, compiled: str) -> tuple[float, float]:
    """CPU and wall seconds of an interpreter that runs this code."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PYTHONPYCACHEPREFIX"] = compiled
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=env)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def main() -> None:
    with tempfile.TemporaryDirectory() as compiled:
        for code in CONTENDERS:
            once(code, compiled)
        rounds = [{code: once(code, compiled) for code in CONTENDERS} for _ in range(count(31, 9))]
    rows = []
    for code in CONTENDERS:
        cpu, wall = (Spread.of([found[code][i] for found in rounds]) for i in (0, 1))
        rows.append([code, *cpu.show(1e3), *wall.show(1e3)[:2]])
    head = ["", "CPU ms", "least", "most", "wall ms", "least"]
    table("A fresh interpreter", head, rows)
    more = [found["import lix_async"][0] - found["import httpx"][0] for found in rounds]
    report("import lix_async over import httpx", Spread.of(more).median * 1e3, "ms CPU", 30)


if __name__ == "__main__":
    main()
