"""Which package may import which, and what lives in exactly one place.

The order is stated once, in `docs/explanation/architecture.md`. `LAYERS`, `CLI_ORDER` and
`SANDBOX_ORDER` are its tables as data; a test compares both.
"""

from __future__ import annotations

import ast
import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from source_tree import (
    PACKAGE,
    ROOT,
    Import,
    SourceFile,
    Violation,
    files_by_module,
    package_files,
    report,
)

DOCUMENT = ROOT / "docs" / "explanation" / "architecture.md"

PROVIDER, DATA, ADAPTER = "providers/<name>", "providers/<name> data", "waterfall/adapters/<name>"
DATA_MODULES = {
    *("provider", "models", "params", "endpoints", "errors", "webhooks"),
    *("rate_limits", "locations"),  # of one provider each: tables and builders that params need
}
"""The modules of a provider that describe its API; the other modules make up its client."""


@dataclass(frozen=True)
class Layer:
    """A row of the table: where a package stands and what it may import besides itself."""

    number: int
    may_import: frozenset[str]


def _layer(number: int, may_import: str = "") -> Layer:
    names = re.split(r",\s*", may_import) if may_import else []
    return Layer(number, frozenset(names))


LAYERS = {
    "core": _layer(1),
    "filesystem": _layer(1),
    "linkedin": _layer(2, "core"),
    "concurrency": _layer(2, "core"),
    "limiters": _layer(3, "core, filesystem, concurrency"),
    "ledger": _layer(3, "core, filesystem, linkedin, concurrency"),
    "engine": _layer(4, "core, linkedin, concurrency, limiters, ledger"),
    DATA: _layer(5, "core, linkedin"),
    PROVIDER: _layer(5, f"core, linkedin, concurrency, limiters, engine, {DATA}"),
    "bulk": _layer(5, "core, linkedin, concurrency, ledger, engine"),
    "events": _layer(5, "engine"),
    "identity": _layer(4, "linkedin, ledger"),
    "waterfall": _layer(6, "core, linkedin, concurrency, engine"),
    ADAPTER: _layer(6, f"core, linkedin, concurrency, engine, waterfall, {DATA}, {PROVIDER}"),
    "integrations": _layer(
        6, f"core, filesystem, ledger, engine, bulk, concurrency, {DATA}, {PROVIDER}"
    ),
    "frames": _layer(6, f"core, ledger, engine, bulk, concurrency, {DATA}, {PROVIDER}"),
    "models": _layer(6, DATA),
    "sync": _layer(6, f"core, concurrency, limiters, ledger, engine, bulk, {DATA}, {PROVIDER}"),
    "sandbox": _layer(6, f"core, {DATA}"),
    "testing": _layer(7, f"core, concurrency, engine, {DATA}, {PROVIDER}, sync, sandbox"),
    "cli": _layer(
        8,
        "core, filesystem, linkedin, concurrency, limiters, ledger, engine, bulk, "
        f"waterfall, {ADAPTER}, integrations, sandbox, testing, {DATA}, {PROVIDER}",
    ),
}
CLI_ORDER = {
    frozenset(
        {
            *("interrupts", "errors", "console", "options", "rates", "text", "values"),
            *("providers", "docstrings", "endpoint_list"),
        }
    ): 1,
    frozenset({"runtime"}): 2,
    frozenset({"input"}): 2,
    frozenset({"output"}): 3,
    frozenset({"ledger"}): 4,
    frozenset({"queue", "costs"}): 5,
    frozenset({"commands"}): 6,
    frozenset({"app"}): 7,
}
SANDBOX_ORDER = {
    frozenset({"protocol"}): 1,
    frozenset({"world"}): 2,
    frozenset({"faults"}): 3,
    frozenset({"state"}): 4,
    frozenset({"answers"}): 5,
    frozenset({"providers"}): 6,
    frozenset({"openapi"}): 7,
    frozenset({"server"}): 8,
}
"""Parts may import parts of a lower number, and themselves. The package's own `__init__` is above
all of them."""

LIBRARIES = {
    "core": {"idna", "msgspec", "pydantic_core"},
    "filesystem": set(),
    "linkedin": {"msgspec"},
    "concurrency": {"anyio", "msgspec", "trio"},
    "limiters": {"anyio", "msgspec", "psycopg", "psycopg_pool", "redis"},
    "ledger": {"anyio", "msgspec", "psycopg"},
    "engine": {"anyio", "certifi", "httpcore", "httpx", "httpx2", "msgspec", "tenacity", "trio"},
    DATA: {"msgspec"},
    PROVIDER: {"anyio", "msgspec"},
    "bulk": {"anyio", "msgspec"},
    "events": set(),
    "waterfall": {"anyio", "msgspec"},
    ADAPTER: {"anyio", "msgspec"},
    "integrations": {
        "anyio",
        "asyncpg",
        "fastapi",
        "msgspec",
        "opentelemetry",
        "pgqueuer",
        "procrastinate",
        "psycopg",
        "psycopg_pool",
        "starlette",
    },
    "frames": {"arro3", "duckdb", "msgspec", "pandas", "polars", "pyarrow"},
    "models": set(),
    "sync": {"anyio", "msgspec"},
    "sandbox": {"anyio", "h11", "msgspec"},
    "testing": {"anyio", "httpx", "msgspec", "pytest"},
}
"""The libraries outside the standard library that a package may import. `cli` may import any."""

LATE = {
    ("engine/pages.py", "lix_async.frames"),
    ("sync/pages.py", "lix_async.frames"),
    ("sync/client.py", "lix_async.frames"),
    ("sync/client.py", "lix_async.frames.enrich"),
}
"""What a lower layer imports of a higher one, inside of what needs it: `Pages.to_frame` and
`enrich_frame`. That it is not imported with the package is tested in `core/test_bridge.py`."""

IMPURE = {
    *(
        "anyio",
        "asyncio",
        "concurrent",
        "httpcore",
        "httpx",
        "httpx2",
        "multiprocessing",
        "os",
        "pathlib",
    ),
    *("random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess"),
    *("tempfile", "threading", "time", "trio", "urllib.request", "uuid"),
}
IMPURE_CALLS = {"open", "print", "input", "datetime.now", "datetime.utcnow", "date.today"}
"""What `core` does without: waiting, clocks, randomness, files, processes and the network."""

CLOCK_CALLS = {
    *("anyio.sleep", "asyncio.sleep", "trio.sleep"),
    *("datetime.now", "datetime.utcnow", "date.today", "datetime.datetime.now"),
}
OWN_CLOCK = ("sandbox", "testing")
"""The packages that play the other side of the wire or the clock itself."""
ONLY_HERE = {
    "httpx": ("engine/transport.py", "testing/clients.py", "testing/mocked_http.py"),  # for tests
    "httpcore": ("engine/transport.py",),
    "httpx2": ("engine/transport.py",),
    "pydantic_core": ("core/bridge.py",),  # inside what pydantic alone calls
    "time": ("concurrency/clock.py", "sandbox/server/"),  # a server of its own
    "random": ("concurrency/clock.py", "sandbox/", "testing/"),
}
"""What is imported at run time in these modules alone."""
MECHANISMS = {
    "get_running_loop": ("concurrency/event_loop.py", "sandbox/server/"),
    "os.fsync": ("filesystem.py", "cli/output/files.py"),  # the second appends to open files
    "open_signal_receiver": ("cli/runtime/session.py",),
    r"linkedin\.com": ("linkedin/", "sandbox/"),  # as it stands in a regular expression
}
"""What is written in these modules alone, and is written there."""


def unit_of(parts: tuple[str, ...]) -> str:
    """The row of the table that a module belongs to; empty for the package's two top modules."""
    first = parts[0]
    if first in ("__init__", "__main__"):
        return ""
    if first == "providers":
        return DATA if set(parts[2:3]) & DATA_MODULES else PROVIDER
    if parts[:2] == ("waterfall", "adapters"):
        return ADAPTER
    return first


def parts_of(module: str) -> tuple[str, ...]:
    """The parts of an imported module of this package, below the package."""
    return files_by_module()[module].parts


def internal_imports(file: SourceFile) -> Iterator[tuple[Import, tuple[str, ...]]]:
    for one in file.imports:
        late = (place(file), one.module) in LATE
        if one.internal and one.module in files_by_module() and not late:
            yield one, parts_of(one.module)


def place(file: SourceFile) -> str:
    return file.path.relative_to(PACKAGE).as_posix()


def test_every_package_has_a_row_and_every_row_a_package() -> None:
    units = {unit_of(file.parts): file for file in package_files()}
    missing = [
        file.at(1, f"{unit} has no row in LAYERS")
        for unit, file in units.items()
        if unit and unit not in LAYERS
    ]
    here = "tests/test_architecture.py"
    idle = [
        Violation(here, 1, f"LAYERS has a row for {unit}, which does not exist")
        for unit in LAYERS
        if unit not in units
    ]
    report(missing + idle)


def test_a_row_names_only_lower_layers() -> None:
    for unit, layer in LAYERS.items():
        assert layer.may_import <= LAYERS.keys(), unit
        for other in layer.may_import:
            below = LAYERS[other].number < layer.number
            same_package = other.partition("/")[0] == unit.partition("/")[0]
            assert below or same_package, f"{unit} may not be allowed to import {other}"


def test_imports_go_to_lower_layers_only() -> None:
    violations = []
    for file in package_files():
        unit = unit_of(file.parts)
        if unit not in LAYERS:
            continue
        for one, target in internal_imports(file):
            other = unit_of(target)
            kind = "a type of " if one.type_only else ""
            if not other:
                violations.append(file.at(one.line, f"imports {kind}the package itself"))
            elif other != unit and other not in LAYERS[unit].may_import:
                what = f"{unit} may not import {kind}{other} ({one.module})"
                violations.append(file.at(one.line, what))
    report(violations)


def test_no_provider_or_adapter_imports_another_provider() -> None:
    violations = []
    for file in package_files():
        unit = unit_of(file.parts)
        if unit not in (PROVIDER, DATA, ADAPTER) or file.parts[-1:] == ("__init__",):
            own = file.parts[1] if file.parts[0] == "providers" else None
        else:
            own = file.parts[2] if unit == ADAPTER else file.parts[1]
        if own in (None, "__init__"):
            continue
        for one, target in internal_imports(file):
            if target[0] == "providers" and len(target) > 2 and target[1] != own:
                violations.append(file.at(one.line, f"{own} may not import {one.module}"))
    report(violations)


def test_packages_use_only_their_libraries() -> None:
    violations = []
    for file in package_files():
        allowed = LIBRARIES.get(unit_of(file.parts))
        if allowed is None:
            continue
        for one in file.imports:
            known = one.internal or one.library in sys.stdlib_module_names
            if not known and one.library not in allowed:
                what = f"{unit_of(file.parts)} may not import {one.library}"
                violations.append(file.at(one.line, what))
    report(violations)


def test_the_package_exports_names_of_its_lower_layers_and_nothing_imports_the_cli() -> None:
    violations = []
    for file in package_files():
        for one, target in internal_imports(file):
            other = unit_of(target)
            if file.parts == ("__init__",) and other not in (
                "core",
                "engine",
                "limiters",
                "models",
                "sync",
                PROVIDER,
            ):
                violations.append(file.at(one.line, f"lix_async exports nothing of {other}"))
            if other == "cli" and file.parts[0] not in ("cli", "__main__"):
                violations.append(file.at(one.line, "nothing imports the cli"))
    report(violations)


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        file.module: {one.module for one, _ in internal_imports(file) if one.module != file.module}
        for file in package_files()
    }
    violations = []
    for circle in _circles(graph):
        way = " → ".join([*circle, circle[0]])
        for here, there in zip(circle, [*circle[1:], circle[0]], strict=True):
            file = files_by_module()[here]
            line = next(one.line for one, _ in internal_imports(file) if one.module == there)
            violations.append(file.at(line, f"import cycle: {way}"))
    report(violations)


def _circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """The shortest circle of each strongly connected part of the graph."""
    reach = {start: _shortest(graph, start) for start in graph}
    done: set[str] = set()
    for start in sorted(graph):
        if start in done:
            continue
        together = {other for other in reach[start] if start in reach[other]}
        if start not in together:
            continue
        done |= together
        yield min((reach[one][one] for one in together), key=lambda way: (len(way), way))


def _shortest(graph: dict[str, set[str]], start: str) -> dict[str, list[str]]:
    """Each module that can be reached, with the shortest way to it (without it)."""
    ways: dict[str, list[str]] = {}
    queue = [(start, [start])]
    for module, way in queue:
        for other in sorted(graph.get(module, ())):
            if other not in ways:
                ways[other] = way
                queue.append((other, [*way, other]))
    return ways


def test_the_picture_of_the_layers_is_that_of_this_test() -> None:
    picture = (ROOT / "docs" / "_static" / "layers.svg").read_text(encoding="utf-8")
    drawn: dict[str, int] = {}
    number = 0
    for kind, text in re.findall(r'<text class="([np])"[^>]*>([^<]*)</text>', picture):
        if kind == "n":
            number = int(text)
        else:
            drawn[html.unescape(text)] = number
    units = LAYERS.keys() - {DATA, ADAPTER}  # these stand in the boxes of their packages
    assert drawn == {unit: LAYERS[unit].number for unit in units}


@pytest.mark.parametrize(
    ("package", "order"), [("cli", CLI_ORDER), ("sandbox", SANDBOX_ORDER)], ids=["cli", "sandbox"]
)
def test_the_parts_of_a_package_keep_their_order(
    package: str, order: dict[frozenset[str], int]
) -> None:
    part_of = {name: part for part in order for name in part}
    files = [file for file in package_files() if file.parts[0] == package]
    violations = []
    for file in files:
        name = file.parts[1]
        if name == "__init__":
            continue
        part = part_of.get(name)
        if part is None:
            violations.append(file.at(1, f"{name} has no row in the order of {package}"))
            continue
        for one, target in internal_imports(file):
            if target[0] != package:
                continue
            other = part_of.get(target[1])
            if target[1] == "__init__":
                violations.append(file.at(one.line, f"imports the whole of {package}"))
            elif other is not None and other != part and order[other] >= order[part]:
                what = f"{name} may not import {target[1]} ({one.module})"
                violations.append(file.at(one.line, what))
    present = {file.parts[1] for file in files}
    here = "tests/test_architecture.py"
    violations += [
        Violation(here, 1, f"the order of {package} names {name}, which does not exist")
        for name in part_of
        if name not in present
    ]
    report(violations)


def test_core_waits_for_nothing_and_reads_no_clock_randomness_or_file() -> None:
    violations = []
    waiting = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef)
    for file in package_files():
        if file.parts[0] != "core":
            continue
        violations += [
            file.at(one.line, f"core may not import {one.module}")
            for one in file.imports
            if one.library in IMPURE or one.module in IMPURE
        ]
        for node in file.nodes:
            if isinstance(node, waiting):
                violations.append(file.at(node, "core may not wait"))
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE_CALLS:
                violations.append(file.at(node, f"core may not call {ast.unparse(node.func)}"))
    report(violations)


def test_one_module_imports_the_http_library_and_one_the_time() -> None:
    violations = []
    for file in package_files():
        for one in file.imports:
            places = ONLY_HERE.get(one.library)
            if places is None or one.type_only or place(file).startswith(places):
                continue
            violations.append(file.at(one.line, f"{one.library}: only in {', '.join(places)}"))
    report(violations)


def test_only_the_clock_sleeps_and_reads_the_time() -> None:
    exempt = ("concurrency/clock.py", "cli/", "integrations/", *(f"{one}/" for one in OWN_CLOCK))
    violations = []
    for file in package_files():
        if place(file).startswith(exempt):
            continue
        for node in file.nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCK_CALLS:
                what = f"{ast.unparse(node.func)}: use the clock of concurrency/clock.py"
                violations.append(file.at(node, what))
    report(violations)


def test_nothing_private_of_the_event_loops_is_used() -> None:
    loops = {"asyncio", "anyio", "trio"}
    violations = []
    for file in package_files():
        for node in file.nodes:
            if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
                name = ast.unparse(node)
                if name.partition(".")[0] in loops:
                    violations.append(file.at(node, f"{name} is private"))
        for one in file.imports:
            inner = [*one.module.split("."), one.original or ""][1:]
            if one.library in loops and any(re.match(r"_[^_]", part) for part in inner):
                violations.append(file.at(one.line, f"{one.module} is private"))
    report(violations)


@pytest.mark.parametrize("text", MECHANISMS)
def test_a_mechanism_exists_once(text: str) -> None:
    places = MECHANISMS[text]
    violations, found = [], False
    for file in package_files():
        if text not in file.text:
            continue
        if place(file).startswith(places):
            found = True
            continue
        for number, line in enumerate(file.text.splitlines(), 1):
            if text in line:
                violations.append(file.at(number, f"{text}: only in {', '.join(places)}"))
    if not found:
        violations.append(Violation(f"lix_async/{places[0]}", 1, f"{text} is expected here"))
    report(violations)


def expected_tables() -> dict[str, str]:
    """The three tables of the document, by the first cell of their headers."""
    rows = ["| layer | package | may import |", "|---|---|---|"]
    for unit, layer in LAYERS.items():
        cell = ", ".join(f"`{one}`" for one in LAYERS if one in layer.may_import)
        rows.append(f"| {layer.number} | `{unit}` | {cell or 'nothing of this package'} |")
    tables = {"layer": "\n".join(rows)}
    for package, order in (("cli", CLI_ORDER), ("sandbox", SANDBOX_ORDER)):
        first = f"order in `{package}`"
        rows = [f"| {first} | part |", "|---|---|"]
        for part, number in order.items():
            rows.append(f"| {number} | {', '.join(f'`{one}`' for one in sorted(part))} |")
        tables[first] = "\n".join(rows)
    return tables


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _table(text: str, first: str) -> list[list[str]]:
    """The rows of the Markdown table whose first header cell is this; further columns are free."""
    lines = text.splitlines()
    starts = [
        number
        for number, line in enumerate(lines)
        if line.startswith("|") and _cells(line)[0] == first
    ]
    assert len(starts) == 1, f"{len(starts)} tables begin with the header {first!r}, expected one"
    rows = []
    for line in lines[starts[0] + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(_cells(line))
    return rows


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _document(first: str) -> list[list[str]]:
    expected = expected_tables()[first]
    if not DOCUMENT.exists():
        pytest.fail(f"{DOCUMENT.relative_to(ROOT)} is missing; its table:\n{expected}", False)
    return _table(DOCUMENT.read_text(encoding="utf-8"), first)


def test_the_layers_of_the_document_are_those_of_this_test() -> None:
    written = {
        unit: (int(number), frozenset(_names(may_import)) & LAYERS.keys())
        for number, units, may_import, *_ in _document("layer")
        for unit in _names(units)
    }
    wanted = {unit: (layer.number, layer.may_import) for unit, layer in LAYERS.items()}
    assert written == wanted, f"expected:\n{expected_tables()['layer']}"


@pytest.mark.parametrize(
    ("package", "order"), [("cli", CLI_ORDER), ("sandbox", SANDBOX_ORDER)], ids=["cli", "sandbox"]
)
def test_the_inner_orders_of_the_document_are_those_of_this_test(
    package: str, order: dict[frozenset[str], int]
) -> None:
    first = f"order in `{package}`"
    written = {frozenset(_names(part)): int(number) for number, part, *_ in _document(first)}
    assert written == order, f"expected:\n{expected_tables()[first]}"
