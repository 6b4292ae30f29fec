"""One provider's folder and its line in the front door are deleted; everything else goes on.

In a copy: the package and its tests, without one provider. What belongs to it goes with it: its
tests, and of Lix also the rooms that are made of it (the command, the sandbox and what stands on
them).
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

PACKAGE = Path(lix_async.__file__).parent
TESTS = Path(__file__).parent
CLIENTS = {
    "connectsafely": "AsyncConnectSafely",
    "letrics": "AsyncLetrics",
    "lix": "AsyncLix",
    "lookc": "AsyncLookC",
    "meetalfred": "AsyncMeetAlfred",
}
MADE_OF = {"lix": ("cli", "sandbox", "testing", "integrations", "__main__")}
"""Rooms that are nothing without a provider."""

IMPORT_ALL = """
import pathlib, pkgutil, sys, warnings
import lix_async
from importlib import import_module

gone, *rooms = sys.argv[1:]
root = pathlib.Path(lix_async.__file__).parent
assert root.parent == pathlib.Path.cwd(), root
count = 0
for module in pkgutil.walk_packages([str(root)], "lix_async."):
    parts = module.name.split(".")
    if gone in parts or parts[1] in rooms:
        continue
    try:
        import_module(module.name)
        count += 1
    except ModuleNotFoundError as error:  # an extra that is not installed here
        assert not (error.name or "").startswith("lix_async"), (module.name, error)
for name in lix_async.__all__:
    getattr(lix_async, name)
print(count)
"""


def without(gone: str, folder: Path) -> None:
    """Copy package and tests, and delete a provider there."""
    for source in (PACKAGE, TESTS / "providers", TESTS / "waterfall", TESTS / "contract"):
        where = folder if source is PACKAGE else folder / "tests"
        # Bytecode that belongs to a source of the same moment saves most of the time.
        shutil.copytree(source, where / source.name, ignore=shutil.ignore_patterns("*.pyc.*"))
    for name in ("conftest.py", "lix_methods.py", "loopback.py", "toy.py", "vendor.py"):
        shutil.copy2(TESTS / name, folder / "tests" / name)
    shutil.copy2(TESTS.parent / "pyproject.toml", folder / "pyproject.toml")
    shutil.rmtree(folder / "lix_async" / "providers" / gone)
    shutil.rmtree(folder / "tests" / "providers" / gone, ignore_errors=True)
    door = folder / "lix_async" / "__init__.py"
    lines = door.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not re.search(rf"\b{CLIENTS[gone]}\b", line)]
    assert len(kept) < len(lines)
    door.write_text("".join(kept))


def built_on(gone: str, folder: Path) -> list[str]:
    """Options that leave out the tests which use the provider, or a room that is made of it."""
    rooms = "|".join((f"providers\\.{gone}", *MADE_OF.get(gone, ())))
    named = re.compile(
        rf"^(?:from|import) lix_async\.(?:{rooms})\b|\b{CLIENTS[gone]}\b", re.MULTILINE
    )
    files = (folder / "tests" / "providers").rglob("test_*.py")
    return [
        f"--ignore={file.relative_to(folder)}" for file in files if named.search(file.read_text())
    ]


def python(folder: Path, *arguments: str) -> str:
    """Run Python in the copy; what it prints."""
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
"""Deleted in every run of the tests; the others by `nox -s without` (some seconds each)."""
EVERY = bool(os.environ.get("LIX_WITHOUT_EACH"))


@pytest.mark.parametrize("gone", CLIENTS if EVERY else [FAST])
def test_the_rest_can_be_imported_and_passes_its_tests(gone: str, tmp_path: Path) -> None:
    without(gone, tmp_path)
    rooms = MADE_OF.get(gone, ())
    imported = python(tmp_path, "-c", IMPORT_ALL, gone, *rooms)
    assert int(imported) > 80
    houses = [path for path in (tmp_path / "tests" / "providers").iterdir() if path.name in CLIENTS]
    others = [f"tests/providers/{path.name}" for path in sorted(houses)]
    said = python(
        tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not trio",
        "tests/waterfall", *others, *built_on(gone, tmp_path),
    )  # fmt: skip
    assert re.search(r"[0-9]{2,} passed", said), said
