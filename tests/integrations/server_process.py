"""The example backend under uvicorn, in a process of its own, with real HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
from loopback import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"


class ServerProcess:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60.0)
        self.log: list[str] = []
        assert process.stderr is not None
        self._stderr: IO[str] = process.stderr
        for line in self._stderr:
            self.log.append(line)
            if "running on" in line:
                break
        else:
            raise AssertionError("".join(self.log))
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        self.log.extend(self._stderr)

    def stop(self) -> float:
        """Send SIGTERM; the seconds until it has ended."""
        self.http.close()
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        took = time.monotonic() - began
        self._reader.join()
        self._stderr.close()
        assert code in (0, -signal.SIGTERM), "".join(self.log)
        return took


@contextmanager
def serving(
    lix_url: str,
    *options: str,
    app: str = "fastapi_app:app",
    folder: Path = EXAMPLES,
    **variables: str,
) -> Iterator[ServerProcess]:
    """Run uvicorn, as users do."""
    port = free_port()
    environment = {
        **os.environ,
        "LIX_BASE_URL": lix_url,
        "LIX_API_KEY": "sandbox-key",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    command = [sys.executable, "-m", "uvicorn", app, "--app-dir", str(folder), "--port", str(port)]
    process = subprocess.Popen(
        [*command, *options],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    server = ServerProcess(process, f"http://127.0.0.1:{port}")
    try:
        yield server
    finally:
        if process.poll() is None:
            server.stop()
