"""The queues: submitting, lookups a second of one worker, and a hundred tasks in four processes.

This folder is on the path of its scripts, where `import queue` of the standard library finds this
file first: it then hands out that module. The benchmark is `_queues.py`.
"""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from pathlib import Path

if __name__ == "queue":
    path = Path(sysconfig.get_path("stdlib")) / "queue.py"
    spec = importlib.util.spec_from_file_location("queue", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["queue"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["queue"])
elif __name__ == "__main__":
    import multiprocessing

    import _queues

    multiprocessing.set_start_method("spawn")
    _queues.main()
