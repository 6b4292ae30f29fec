"""The vendor's nine example programs, each beside the line of `lix` that does the same.

The programs are in `_vendor_programs.py`. Their pauses of three seconds are left out, and so is the
rate of the sandbox. Requests are counted by the sandbox; those for the balance and the allowance,
which are free, stand apart. CPU is that of the processes. `--quick` takes short files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from _harness import ROOT, count, report, table
from _vendor_programs import KEY, LINKEDIN, PROGRAMS, TITLE, Json

from lix_async.sandbox import Sandbox, running
from lix_async.sandbox.answers.lookc import org_id

PROGRAM = Path(__file__).with_name("_vendor_programs.py")
FREE = ("account.balances", "account.daily_allowance")


# Both ways


class Measured(NamedTuple):
    """What one way took."""

    rows: list[str]
    requests: int
    free: int
    """Requests for the balance and the allowance."""
    cpu: float


def lix_lines(source: dict[str, str]) -> dict[str, str]:
    """The line of the shell that does what a program does, with OUT for its output."""
    enrich = "lix enrich {} --store OUT.ledger --yes --out OUT"
    return {
        "people": enrich.format(source["people"]),
        "organisations": enrich.format(source["organisations"]) + " --as org",
        "domains": enrich.format(source["domains"]) + " --as website",
        "addresses": enrich.format(source["addresses"]) + " --as email",
        "address": f"lix email {source['address']} --store none --format jsonl --out OUT",
        "search": f"lix search people '{source['search']}' --yes --out OUT",
        "facet_search": f"lix leads --filter title='{TITLE}' "
        f"--filter company='\"{source['facet_search']}\"' --limit 25 --out OUT",
        "leads": f"lix leads '{source['leads']}' --yes --out OUT",
        "employees": f"lix call lookc.org_employees --org-id {source['employees']} --out OUT",
    }


def measured(sandbox: Sandbox, url: str, command: list[str], out: Path) -> Measured:
    """Run a way of it in a process."""
    sandbox.reset()
    env = {n: v for n, v in os.environ.items() if not n.startswith("LIX_")}
    env |= {"LIX_API_KEY": KEY, "LIX_BASE_URL": url, "LOOKC_BASE_URL": url}
    env |= {"PYTHONPATH": str(ROOT), "PATH": f"{out.parent}/bin:{env['PATH']}"}
    cpu = run(command, env, out.parent)
    free = sum(one.endpoint in FREE for one in sandbox.requests)
    return Measured(sorted(rows_of(out)), len(sandbox.requests) - free, free, cpu)


def run(command: list[str], env: dict[str, str], folder: Path) -> float:
    """Run a command to its end, which must be good, and return its seconds of CPU."""
    process = subprocess.Popen(command, env=env, cwd=folder, stderr=subprocess.PIPE)
    assert process.stderr is not None  # piped
    text = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: {text}")
    process.stderr.close()
    return usage.ru_utime + usage.ru_stime


def compared(program: str, rows: list[str]) -> list[str]:
    """What has to be equal: the rows; of searches, who is found.

    The order of a search, and with it which rows have few fields, depends on its random id; of one
    page there are others at the same company.
    """
    if program not in ("search", "leads", "facet_search"):
        return rows
    found = map(json.loads, rows)
    if program == "facet_search":
        return [row["experience"][0]["organisation"]["name"] for row in found]
    return sorted(row.get("link") or row.get("salesNavLink") or "hidden" for row in found)


def rows_of(out: Path) -> Iterator[str]:
    """The records of an output, in one form."""
    for line in out.read_text().splitlines():
        row: Json = json.loads(line)
        if "lix_status" in row:
            if row["lix_status"] != "found":
                continue
            row = row["lix_result"]
        yield json.dumps(row, sort_keys=True)


def sources(sandbox: Sandbox, folder: Path, size: int) -> dict[str, str]:
    """What each program is started with: a file, a link, a search or an id."""
    world = sandbox.world
    companies = world.companies.listed[:size]
    found = {"address": f"{LINKEDIN}/in/ada-example", "employees": org_id(world, companies[0])}
    found["facet_search"] = companies[0].name
    found["search"] = f"{LINKEDIN}/search/results/people/?keywords=engineer%20total:{4 * size}"
    found["leads"] = f"{LINKEDIN}/sales/search/people?query=(keywords%3Atotal%3A{4 * size})"
    persons = [f"{LINKEDIN}/in/some-{number}-example" for number in range(size - size // 5)]
    columns = {
        "people": persons + persons[: size // 5],  # some twice, as in files of people
        "addresses": persons + persons[: size // 5],
        "organisations": [one.link for one in companies],
        "domains": [one.domain for one in companies],
    }
    for name, links in columns.items():
        path = folder / f"{name}.csv"
        path.write_text("\n".join(["link", *links, ""]))
        found[name] = str(path)
    return found


def main() -> None:
    size = count(100, 10)
    sandbox = Sandbox(rate=None, daily_allowance=None)
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as name, running(sandbox) as url:
        folder = Path(name)
        (folder / "bin").mkdir()
        shim = folder / "bin" / "lix"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m lix_async "$@" --rate none\n')
        shim.chmod(0o700)
        given = sources(sandbox, folder, size)
        lines = lix_lines(given)
        for program in PROGRAMS:
            theirs = measured(
                *(sandbox, url),
                [sys.executable, str(PROGRAM), program, url, given[program], f"{program}-theirs"],
                folder / f"{program}-theirs",
            )
            out = folder / f"{program}.jsonl"
            line = lines[program].replace("OUT", out.name)
            ours = measured(sandbox, url, ["sh", "-c", line], out)
            if compared(program, ours.rows) != compared(program, theirs.rows):
                raise SystemExit(f"{line}: {len(ours.rows)} rows, {len(theirs.rows)} of theirs")
            if ours.requests > theirs.requests:
                raise SystemExit(f"{line}: {ours.requests} requests, {theirs.requests} of theirs")
            rows.append(
                [
                    *(program, f"{len(ours.rows):,}", f"{theirs.requests:,}"),
                    f"{ours.requests:,} + {ours.free}",
                    *(f"{theirs.cpu:.2f}", f"{ours.cpu:.2f}"),
                ]
            )
            report(f"{program}, CPU against the vendor's program", ours.cpu / theirs.cpu, "times")
    head = ["", "rows", "their requests", "requests + free ones", "their CPU s", "CPU s"]
    table("The vendor's programs, and one line of `lix`", head, rows)


if __name__ == "__main__":
    main()
