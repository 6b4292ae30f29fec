"""Tables of people: `to_frame` against dicts of lists that pyarrow reads, in time and memory.

Both ways make the same table of the same structs, in turn.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import msgspec
import pyarrow as pa
from _harness import count, race, report, table
from _sample_data import person

from lix_async import to_dict
from lix_async.core.decoding import decoder_for
from lix_async.frames import Frame, to_frame
from lix_async.models import Person


def people(number: int) -> list[Person]:
    return [decoder_for(Person).read(person(one)) for one in range(number)]


SCHEMA = to_frame([], Person).to_pyarrow().schema


def by_dicts(rows: list[Person]) -> pa.Table:
    """What a program does without `to_frame`: a dict of lists, which pyarrow reads."""
    dicts = [to_dict(row) for row in rows]
    for row in dicts:
        row["related_persons"] = msgspec.json.encode(row["related_persons"]).decode()
    columns = {name: [row[name] for row in dicts] for name in SCHEMA.names}
    return pa.table(columns, schema=SCHEMA)


def memory(what: str) -> int:
    """Memory of this process in MB, as Linux counts it: `VmRSS` now, `VmHWM` at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) // 1024


def peak(way: str, number: int) -> int:
    """MB that a process of its own needs at most, beyond what it needs for the rows."""
    code = (
        "import frames\n"
        f"rows = frames.people({number})\n"
        "before = frames.memory('VmRSS')\n"
        f"made = frames.{way}(rows)\n"
        "print(frames.memory('VmHWM') - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=sys.path[0]
    )
    return int(done.stdout)


async def main() -> None:
    number = count(20_000, 2_000)
    rows = people(number)
    assert to_frame(rows[:100]).to_pyarrow().equals(by_dicts(rows[:100]))

    async def framed() -> Frame:
        return to_frame(rows)

    async def by_way_of_dicts() -> pa.Table:
        return by_dicts(rows)

    found = await race(
        {"to_frame": framed, "dicts and pyarrow": by_way_of_dicts}, units=number, rounds=count(9, 3)
    )
    table("A row of a table of people (CPU µs)", ["", "median", "least", "most"], found.rows())
    ratio = found.ratio("to_frame", "dicts and pyarrow").median
    report("to_frame", ratio, "times the time of dicts and pyarrow", 0.5)
    ours, theirs = peak("to_frame", number), peak("by_dicts", number)
    print(f"memory for {number:,} people: {ours} MB, by way of dicts {theirs} MB")
    report("to_frame", ours / theirs, "times the memory of dicts and pyarrow", 0.5)


if __name__ == "__main__":
    anyio.run(main)
