"""The cost of joined output: a file of known answers, against a loop that copies the same CSV.

`lix enrich FILE --out OUT` over a file whose answers are all in the ledger reads each row, finds
its answer, and writes both; the answers are from an earlier run of the file, then from another run.
The loop reads the CSV with `csv.reader` and writes it again with `csv.writer`. Rows per second and
the greatest memory of both; then `lix waterfall` over the same answers, and a workbook, in and out.
10^5 rows, with `--long` 10^6, with `--quick` 10^4.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
from _harness import QUICK, ROOT, report
from _sample_data import KEY, person

from lix_async import AsyncLix
from lix_async.cli.commands.enrich_inputs import RowCallPreparer, run_name
from lix_async.cli.input.table import TableTargets, open_table
from lix_async.ledger.records import InputRow, LookupSpec
from lix_async.ledger.rule import CODES
from lix_async.ledger.sqlite import SqliteStore
from lix_async.ledger.tables import SqlTables

ROWS = 1_000_000 if "--long" in sys.argv[1:] else 10_000 if QUICK else 100_000
KINDS = frozenset({"person", "org", "email"})
BATCH = 10_000
BASE_URL = "http://127.0.0.1:9"  # nothing is sent there


def write_csv(path: Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "name", "company", "profile", "note"])
        rows.writerows(
            (n, f"Example Person {n}", "Example Org", f"https://www.linkedin.com/in/some-{n}", "")
            for n in range(ROWS)
        )


def write_xlsx(path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet()
    for row, cells in enumerate(csv.reader(path.with_suffix(".csv").open(newline=""))):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell)
    book.close()


async def fill(ledger: Path, file: Path, name: str = "") -> None:
    """A ledger with an answer for each row, as a finished run leaves it: of the file, or another.

    Args:
        ledger: The ledger.
        file: The file.
        name: The name of the run; empty for the one of the file.
    """
    targets = TableTargets(open_table(str(file)), None, KINDS)  # type: ignore[arg-type]
    lix = AsyncLix(KEY, base_url=BASE_URL)
    preparer = RowCallPreparer(lix, [None])
    async with SqliteStore(ledger) as store:
        name = name or run_name(str(file), [None], targets, "")
        run = await store.begin_run(name, "", "", None)
        found: list[tuple[int, LookupSpec]] = []

        async def save() -> None:
            some = list(found)
            found.clear()
            await store.statement(lambda tables: _save(tables, run, some))

        for position, (_, target, _) in enumerate(targets, start=1):
            assert target is not None
            key = preparer.call_key(target.sent)
            given = f'"{target.sent}"'.encode()
            found.append((position, LookupSpec(key.key, key.row.id, given, key.variant)))
            if len(found) >= BATCH:
                await save()
        await save()


def _save(tables: SqlTables, run: int, found: list[tuple[int, LookupSpec]]) -> None:
    lookups = tables.add([spec for _, spec in found], 0)
    tables.database.insert(
        "answer",
        "lookup, n, page, at, http, body, meaning, rows",
        [
            (lookup.id, 1, 0, 1_700_000_000_000, 200, person(position), 0, None)
            for (position, _), lookup in zip(found, lookups, strict=True)
        ],
        "(lookup, n, page) DO NOTHING",
    )
    rows = [(CODES["done"], 1, 1, lookup.id) for lookup in lookups]
    tables.database.update("lookup", "status, n, cur", "id", rows)
    inputs = [
        InputRow(position, lookup.id) for (position, _), lookup in zip(found, lookups, strict=True)
    ]
    tables.add_inputs(run, inputs)


def plain_loop(source: Path, out: Path) -> None:
    with source.open(newline="") as old, out.open("w", newline="") as new:
        csv.writer(new).writerows(csv.reader(old))


def measured(*arguments: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and MiB of a process."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LIX_API_KEY": KEY},
        stderr=subprocess.PIPE,
    )
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    assert process.stderr is not None
    text = process.stderr.read().decode()
    assert status == 0, text
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


LOOP = "import sys; sys.path.insert(0, {!r}); import joined_output as j; from pathlib import Path; "
LOOP += "j.plain_loop(Path({!r}), Path({!r}))"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, ledger = folder / "in.csv", folder / "l.db"
        write_csv(source)
        anyio.run(fill, ledger, source)
        enrich = ("-m", "lix_async", "enrich", "--store", str(ledger), "--base-url", BASE_URL, "-q")
        out = folder / "out.csv"
        script = LOOP.format(str(Path(__file__).parent), str(source), str(folder / "plain.csv"))
        plain = measured("-c", script)
        joined = measured(*enrich, str(source), "--out", str(out))
        # Not kept: the memory of a child process is at least that of this one, which it begins as.
        with out.open(newline="") as file:
            assert all(row["lix_status"] == "found" for row in csv.DictReader(file))
        show("csv", joined, plain)
        other = folder / "other.db"
        anyio.run(fill, other, source, "another run")
        enrich_other = (*enrich[:4], str(other), *enrich[5:])
        show(
            "csv from other runs",
            measured(*enrich_other, str(source), "--out", str(folder / "o2.csv")),
            plain,
        )
        waterfall = ("-m", "lix_async", "waterfall", *enrich[3:], "--want", "headline")
        show("waterfall", measured(*waterfall, str(source), "--out", str(folder / "w.csv")), plain)
        if importlib.util.find_spec("xlsxwriter") and ROWS <= 100_000:
            book = folder / "in.xlsx"
            write_xlsx(book)
            anyio.run(fill, ledger, book)
            show("xlsx", measured(*enrich, str(book), "--out", str(folder / "o.xlsx")), plain)


def show(name: str, found: tuple[float, float, float], plain: tuple[float, float, float]) -> None:
    wall, cpu, memory = found
    print(
        f"{name}: {ROWS:,} rows in {wall:.1f} s ({ROWS / wall:,.0f}/s), {cpu:.1f} s of CPU, "
        f"{memory:,.0f} MiB; a plain loop over the CSV: {plain[1]:.1f} s of CPU"
    )
    report(f"{name}, CPU against a plain loop over the CSV", cpu / plain[1], "times")
    report(f"{name}, rows", ROWS / wall, "per second")
    report(f"{name}, memory", memory, "MiB", 150)


if __name__ == "__main__":
    main()
