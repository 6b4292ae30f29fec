"""Processes that find their modules imported already: that takes longer than most commands.

A server (this file, run as a program) imports the modules once. It forks a process for each
command, which then has everything of its own that a new interpreter has: an id, pipes, environment,
folder, signals, threads, and its end. Tests of the start of an interpreter itself (its options,
modules that are missing or must not be imported) use `subprocess`.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias

COMMAND = (
    "lix_async.cli.app",
    *(f"lix_async.cli.commands.{name}" for name in ("enrich_joined", "search", "waterfall")),
    *("lix_async.sandbox", "asyncio", "rich.console", "rich.progress"),
)
"""What `lix` imports. Not trio: `lix` uses it only where something else has imported it."""
PROGRAM = (
    "anyio._backends._asyncio",
    "anyio._backends._trio",
    "lix_async.bulk",
    "lix_async.providers.lix",
)
"""What a program that uses the package imports, on either event loop."""
QUEUE = tuple(f"lix_async.integrations.{name}" for name in ("pgqueuer", "procrastinate"))
"""What a worker of a queue imports."""
QUEUED = (*COMMAND, "lix_async.cli.commands.worker", "lix_async.integrations.pgqueuer")
"""What `lix worker` imports."""
LARGEST = 1 << 20
"""Bytes of a command line with its environment."""
Process: TypeAlias = "subprocess.Popen[Any] | PreloadedProcess"
_servers: dict[tuple[str, ...], socket.socket] = {}


def start(program: Sequence[str], modules: Sequence[str] = COMMAND, **options: Any) -> Process:
    """Start Python with these arguments: `-m` and a module, `-c` and code, or a script.

    The options are those of `subprocess.Popen`.
    """
    if sys.platform != "linux":  # elsewhere a fork is missing, or libraries do not bear it
        return subprocess.Popen([sys.executable, *program], **options)
    return PreloadedProcess(program, modules, **options)


def run(
    program: Sequence[str],
    modules: Sequence[str] = COMMAND,
    *,
    timeout: float = 60.0,
    check: bool = False,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """Run Python with these arguments to its end; stdout and stderr are read."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with start(program, modules, **given) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    done = subprocess.CompletedProcess(program, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


class PreloadedProcess:
    """What tests use of `subprocess.Popen`, for a process that is not a child of this one."""

    def __init__(
        self,
        program: Sequence[str],
        modules: Sequence[str],
        *,
        stdin: IO[Any] | int | None = None,
        stdout: IO[Any] | int | None = None,
        stderr: IO[Any] | int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        umask: int = -1,
        text: bool = False,
    ) -> None:
        self.args = list(program)
        self.returncode: int | None = None
        self._lock = threading.Lock()
        self._parts: dict[str, Any] = {}
        self._threads: list[threading.Thread] = []
        request = {
            "program": self.args,
            "env": dict(os.environ if env is None else env),
            "cwd": str(cwd or Path.cwd()),
            "umask": umask,
        }
        self._status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        files, kept, closed = [], [], [theirs.detach()]
        for own, given in enumerate((stdin, stdout, stderr)):
            kept.append(None)
            if given == subprocess.PIPE:
                read, write = os.pipe()
                files.append(write if own else read)
                closed.append(files[-1])
                mode = ("r" if own else "w") + ("" if text else "b")
                kept[-1] = os.fdopen(read if own else write, mode)
            elif given == subprocess.DEVNULL:
                files.append(os.open(os.devnull, os.O_RDWR))
                closed.append(files[-1])
            elif isinstance(given, int):
                files.append(given)
            else:
                files.append(own if given is None else given.fileno())
        self.stdin, self.stdout, self.stderr = kept
        data = json.dumps(request).encode()
        socket.send_fds(_server(tuple(modules)), [data], [*files, closed[0]])
        for one in closed:
            os.close(one)
        self.pid = int(self._status.recv(64))

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        with self._lock:
            return self._code(0)

    def _code(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            self.returncode = int(self._status.recv(64))
            self._status.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        with self._lock:
            code = self._code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:
        """Write the input, read both outputs, and wait for the end."""
        until = None if timeout is None else time.monotonic() + timeout

        def write(pipe: IO[Any]) -> None:
            with contextlib.suppress(BrokenPipeError), pipe:
                if input:
                    pipe.write(input)

        def read(name: str, pipe: IO[Any]) -> None:
            with pipe:
                self._parts[name] = pipe.read()

        if not self._threads:
            if self.stdin is not None:
                self._threads.append(threading.Thread(target=write, args=[self.stdin]))
            for name, pipe in (("out", self.stdout), ("err", self.stderr)):
                if pipe is not None and not pipe.closed:
                    self._threads.append(threading.Thread(target=read, args=[name, pipe]))
            for thread in self._threads:
                thread.start()
        for thread in self._threads:
            thread.join(until and max(0.0, until - time.monotonic()))
            if thread.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(until and max(0.0, until - time.monotonic()))
        return self._parts.get("out"), self._parts.get("err")

    def __enter__(self) -> PreloadedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        self.wait()


def _server(modules: tuple[str, ...]) -> socket.socket:
    """The connection to the server that has imported these; it ends with this process."""
    if modules not in _servers:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST)
        number = theirs.fileno()
        program = [sys.executable, "-Werror", __file__, str(number), *modules]
        null = subprocess.DEVNULL
        with theirs:
            server = subprocess.Popen(program, pass_fds=[number], stdin=null, stdout=null)
        atexit.register(server.wait)
        atexit.register(ours.close)
        _servers[modules] = ours
    return _servers[modules]


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _serve(connection: socket.socket) -> list[str]:
    """Fork a process for each request; returns in such a process only, with its program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _reap)
    gc.collect()
    gc.freeze()
    while True:
        data, files, _, _ = socket.recv_fds(connection, LARGEST, 4)
        if not data:
            os._exit(0)
        if os.fork():
            for one in files:
                os.close(one)
            continue
        # A process beside each one waits for its end.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        connection.close()
        if pid := os.fork():
            for one in files[:3]:
                os.close(one)
            with socket.socket(fileno=files[3]) as status:
                status.send(str(pid).encode())
                # Its id is free for another process once it has been waited for: the code first.
                ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
                sign = 1 if ended.si_code == os.CLD_EXITED else -1
                with contextlib.suppress(OSError):  # who started it has ended
                    status.send(str(sign * ended.si_status).encode())
                os.waitpid(pid, 0)
            os._exit(0)
        os.close(files[3])
        for own, one in enumerate(files[:3]):
            os.dup2(one, own)
            os.close(one)
        request = json.loads(data)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        if request["umask"] >= 0:
            os.umask(request["umask"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return request["program"]


def _execute(program: list[str]) -> None:
    """What Python does with these arguments."""
    first, *rest = program
    if first == "-m":
        sys.path[0], sys.argv = os.getcwd(), rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.path[0], sys.argv = "", ["-c", *rest[1:]]
        exec(rest[0], {"__name__": "__main__"})
    else:
        sys.path[0], sys.argv = str(Path(first).parent), program
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    for module in sys.argv[2:]:
        importlib.import_module(module)
    _execute(_serve(socket.socket(fileno=int(sys.argv[1]))))
