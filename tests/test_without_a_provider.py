"""The package works without one provider: its folder and its lines in `__init__` are deleted.

This is done in a copy of the package and its tests. A rule decides which tests are left out: those
that import what was deleted, and, for the command line and the sandbox, which reach a provider by
its name and its paths, also those that name it. A test that asks which providers exist stays.

Without Lix, more is missing, since most commands use it. `lix sandbox`, `lix call`, `lix drift`,
the sandbox and `lix_async.testing` still work.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lix_async
from lix_async.cli.providers import all_endpoints, provider_name, provider_of

PACKAGE = Path(lix_async.__file__).parent
TESTS = Path(__file__).parent
CLIENTS = {
    "connectsafely": "AsyncConnectSafely",
    "letrics": "AsyncLetrics",
    "lix": "AsyncLix",
    "lookc": "AsyncLookC",
    "meetalfred": "AsyncMeetAlfred",
}
STRUCTS = ("Email", "JobPosting", "Organisation", "Person", "Post")
"""The structs of Lix that `lix_async` itself exports."""
MAY_BE_MISSING = {"lix": ("cli", "integrations", "models")}
"""Packages whose modules may depend on a provider."""
MUST_STAY = {
    "lix_async.cli.app",
    "lix_async.cli.commands.call",
    "lix_async.cli.commands.drift",
    "lix_async.cli.commands.sandbox",
}
ASKS = re.compile(
    r"\bcli\.providers import (?:[^()\n]*|\([^()]*)\bproviders\b"
    r'|\bimportorskip\("lix_async\.'
)
"""How a test asks which providers exist."""

IMPORT_ALL = """
import pathlib, pkgutil, sys
import lix_async
from importlib import import_module

gone = sys.argv[1]
root = pathlib.Path(lix_async.__file__).parent
assert root.parent == pathlib.Path.cwd(), root
count, missing = 0, []
for module in pkgutil.walk_packages([str(root)], "lix_async."):
    if gone in module.name.split("."):
        continue
    try:
        import_module(module.name)
        count += 1
    except ModuleNotFoundError as error:
        lacks = error.name or ""
        if lacks.startswith(f"lix_async.providers.{gone}"):
            missing.append(module.name)
        else:  # an extra that is not installed here
            assert not lacks.startswith("lix_async"), (module.name, error)
for name in lix_async.__all__:
    getattr(lix_async, name)
print(count, *missing)
"""


def without(gone: str, folder: Path) -> None:
    """Copy package and tests, and delete a provider in the copy."""
    for source in (PACKAGE, *(path for path in TESTS.iterdir() if path.is_dir())):
        where = folder if source is PACKAGE else folder / "tests"
        # Bytecode of sources with the same time stamp is used again, which saves most of the time.
        shutil.copytree(source, where / source.name, ignore=shutil.ignore_patterns("*.pyc.*"))
    for path in TESTS.glob("*.py"):
        shutil.copy2(path, folder / "tests" / path.name)
    shutil.copy2(TESTS.parent / "pyproject.toml", folder / "pyproject.toml")
    shutil.rmtree(folder / "lix_async" / "providers" / gone)
    shutil.rmtree(folder / "tests" / "providers" / gone, ignore_errors=True)
    init = folder / "lix_async" / "__init__.py"
    lines = init.read_text().splitlines(keepends=True)
    clients = CLIENTS[gone], CLIENTS[gone].removeprefix("Async")
    names = "|".join((*clients, *(STRUCTS if gone == "lix" else ())))
    kept = [line for line in lines if not re.search(rf"\b(?:{names})\b", line)]
    assert len(kept) < len(lines)
    init.write_text("".join(kept))


def imported(gone: str, missing: list[str]) -> re.Pattern[str]:
    """Matches imports of the provider, or of a module that cannot be imported without it."""
    modules = "|".join(map(re.escape, (f"lix_async.providers.{gone}", *missing)))
    return re.compile(rf"^(?:from|import) (?:{modules})\b|\b{CLIENTS[gone]}\b", re.MULTILINE)


def named(gone: str) -> re.Pattern[str]:
    """Matches the name of the provider, its variables, and the ids and paths of its endpoints."""
    provider = provider_of(gone)
    names = (gone, provider.name, provider.url_variable, provider.key_variables[0])
    table = [row for row in all_endpoints().values() if provider_name(row.id) == gone]
    starts = {row.id for row in table} | {row.path.partition("{")[0] for row in table}
    return re.compile(
        rf"(?<![A-Za-z])(?:{'|'.join(map(re.escape, names))})(?![A-Za-z_])"
        rf"|[\"'](?:{'|'.join(map(re.escape, sorted(starts)))})"
    )


def kept_tests(gone: str, folder: Path, missing: list[str]) -> list[str]:
    """The tests that do not need what was deleted."""
    needs, says = imported(gone, missing), named(gone)
    tests = folder / "tests"
    files = [*tests.glob("providers/**/test_*.py"), *tests.glob("waterfall/test_*.py")]
    reached = [tests / "test_testing.py", *tests.glob("cli/test_*.py")]
    if EVERY:
        reached += tests.glob("sandbox/test_*.py")
    else:
        reached = [path for path in reached if ASKS.search(path.read_text())]
    kept: list[str] = []
    for path in sorted({*files, *reached}):
        text = path.read_text()
        gone_too = needs.search(text) or (path in reached and says.search(text))
        if not gone_too or ASKS.search(text):
            kept.append(str(path.relative_to(folder)))
    return kept


def python(folder: Path, *arguments: str) -> str:
    """The output of Python, run in the copy."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=env | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


FAST = "lookc"
"""The provider that is deleted in every run of the tests, with one case of each test.

`nox -s without` deletes each, which takes a minute, with all cases, and with all tests of the
command line and the sandbox."""
FIRST_CASES = """
def pytest_collection_modifyitems(items):
    first = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
    items[:] = [item for item in items if item in first.values()]
"""
EVERY = bool(os.environ.get("LIX_WITHOUT_EACH"))


@pytest.mark.parametrize("gone", CLIENTS if EVERY else [FAST])
def test_the_package_works_without_one_provider(gone: str, tmp_path: Path) -> None:
    without(gone, tmp_path)
    count, *missing = python(tmp_path, "-c", IMPORT_ALL, gone).split()
    assert int(count) > 200
    assert {name.split(".")[1] for name in missing} <= set(MAY_BE_MISSING.get(gone, ()))
    assert not MUST_STAY & set(missing)
    kept = kept_tests(gone, tmp_path, missing)
    for path in ("test_testing.py", "cli/test_call_all.py", "cli/test_sandbox_cli.py"):
        assert f"tests/{path}" in kept
    options = ["-q", "-p", "no:cacheprovider", "-k", "not trio"]
    if not EVERY:
        (tmp_path / "first_cases.py").write_text(FIRST_CASES)
        options += ["-p", "first_cases", "-p", "no:schemathesis"]
    said = python(tmp_path, "-m", "pytest", *options, *kept)
    found = re.search(r"([0-9]+) passed", said)
    assert found, said
    assert int(found[1]) > (500 if EVERY else 300), said
