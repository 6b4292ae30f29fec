"""Helpers of the benchmarks: alternating contenders, tables, and one line per result.

Times are CPU times of this process, because machines are busy with other things, and are only
compared with others of the same run. `race` runs the contenders alternately, and a ratio is the
median of the ratios of all rounds: what disturbs a round disturbs both.
"""

from __future__ import annotations

import gc
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # the checkout is measured, also where a release is installed

from lix_async.core.wire import HttpResponse  # noqa: E402  # found by the line above
from lix_async.engine.transport import SendTimestamp  # noqa: E402  # found by the line above

if TYPE_CHECKING:
    from lix_async.core.wire import HttpRequest

QUICK = "--quick" in sys.argv[1:]
MARK = "= "
"""Begins the lines that `python -m benchmarks` collects."""
HEADERS = [
    (b"date", b"Mon, 06 Jan 2025 09:00:00 GMT"),
    (b"content-type", b"application/json; charset=utf-8"),
    (b"x-request-id", b"0123456789abcdef"),
]


class Spread(NamedTuple):
    """The result of several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of the given values."""
        return cls(statistics.median(values), min(values), max(values))

    def show(self, scale: float = 1.0, digits: int = 1) -> list[str]:
        """Return the three cells of a table."""
        return [f"{value * scale:,.{digits}f}" for value in self]


class Race:
    """CPU seconds per unit of each contender, round by round."""

    def __init__(self, times: Mapping[str, list[float]]) -> None:
        self._times = times

    def of(self, name: str) -> Spread:
        """Seconds per unit."""
        return Spread.of(self._times[name])

    def ratio(self, name: str, base: str) -> Spread:
        """How many times what `base` takes, compared within each round."""
        pairs = zip(self._times[name], self._times[base], strict=True)
        return Spread.of([one / other for one, other in pairs])

    def excess(self, name: str, base: str) -> Spread:
        """Seconds more than `base`, compared within each round."""
        pairs = zip(self._times[name], self._times[base], strict=True)
        return Spread.of([one - other for one, other in pairs])

    def rows(self, scale: float = 1e6, digits: int = 1) -> list[list[str]]:
        """A table's rows: name, median, least and most, in µs unless scaled otherwise."""
        return [[name, *self.of(name).show(scale, digits)] for name in self._times]


def concurrent_calls(
    tasks: int, calls: int, call: Callable[[], Awaitable[object]]
) -> Callable[[], Awaitable[None]]:
    """Return a contender that makes `calls` calls with `tasks` concurrent tasks."""

    async def work() -> None:
        for _ in range(calls // tasks):
            await call()

    async def contender() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(tasks):
                group.start_soon(work)

    return contender


def count(full: int, quick: int) -> int:
    """Return a number of repetitions, the smaller one with `--quick`."""
    return quick if QUICK else full


async def race(
    contenders: Mapping[str, Callable[[], Awaitable[object]]], *, units: int, rounds: int
) -> Race:
    """Run each contender once per round, in alternating order, after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        await contender()
    for number in range(rounds):
        names = list(contenders)
        for name in names if number % 2 else reversed(names):
            gc.collect()
            began = time.process_time()
            await contenders[name]()
            times[name].append((time.process_time() - began) / units)
    return Race(times)


@contextmanager
def server() -> Iterator[str]:
    """The address of a server in its own process, which ends with the block."""
    program = [sys.executable, str(HERE / "_server.py")]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # piped
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"


class Memory:
    """A transport without a network that returns its bodies one after the other, in a cycle."""

    def __init__(self, *bodies: bytes) -> None:
        self._replies = itertools.cycle([HttpResponse(200, HEADERS, body) for body in bodies])

    async def exchange(self, outgoing: HttpRequest, departure: SendTimestamp) -> HttpResponse:
        """Return the next answer at once."""
        departure.at = time.monotonic()
        return next(self._replies)

    async def aclose(self) -> None:
        """Nothing is open."""


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first column left-aligned, the others right-aligned."""
    print(f"\n{title}")
    cells = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        first, *others = (
            cell.ljust(w) if not i else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join([first, *others]))


def report(what: str, value: float, unit: str, aim: float | None = None) -> None:
    """Print the line with a result, for people and for `python -m benchmarks`."""
    wanted = "" if aim is None else f" (aim: {aim:g}, {'met' if value <= aim else 'MISSED'})"
    print(f"{MARK}{what}: {round(value, 2 if abs(value) < 10 else 1):g} {unit}{wanted}")
