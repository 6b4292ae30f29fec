"""Who may import whom: the house's floors, read from the source with `ast`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lix_async

HOUSE = Path(lix_async.__file__).parent
MODULES = sorted(HOUSE.rglob("*.py"))
LIBRARIES = {
    "core": {"msgspec"},
    "engine": {"msgspec", "httpx", "anyio", "tenacity", "certifi"},
    "data": {"msgspec"},
    "doors": {"msgspec"},
    "bulk": {"msgspec", "anyio", "psycopg"},
    "limiters": {"msgspec", "anyio", "redis", "psycopg", "psycopg_pool"},
    "waterfall": {"msgspec", "anyio"},
    "adapters": {"msgspec", "anyio"},
    "sandbox": {"msgspec", "anyio", "starlette", "uvicorn"},
    "testing": {"msgspec", "anyio", "pytest", "httpx"},
}
ROOMS = {
    "core": {"core"},
    "engine": {"core", "engine"},
    "data": {"core", "data"},
    "doors": {"core", "engine", "data", "doors"},
    "bulk": {"core", "engine", "bulk"},
    "limiters": {"core", "engine", "limiters"},
    "waterfall": {"core", "engine", "bulk", "waterfall"},
    "adapters": {"core", "engine", "data", "doors", "waterfall"},
    "sandbox": {"core", "data", "sandbox"},
    "testing": {"core", "engine", "data", "doors", "sandbox", "bulk", "testing"},
    "door": {"core", "engine", "data", "doors", "bulk", "testing"},
}
DATA = {"provider", "models", "params", "endpoints", "webhooks"}
"""The rooms of a provider that hold data, whatever they import. Of the others, those that import
the engine are doors."""
WAITS = {"asyncio", "anyio", "trio", "time", "random", "uuid", "httpx", "secrets", "socket"}


def room(parts: tuple[str, ...]) -> str:
    """The room that a module stands in; `top` for those that may import everything."""
    first, rest = parts[0], parts[1:]
    if first == "providers":
        opens = rest[:2] in DOORS or "resources" in rest or len(rest) < 2
        return "doors" if opens and not DATA & set(rest[1:2]) else "data"
    if parts[:2] == ("waterfall", "adapters"):
        return "adapters"
    if first in ("tolerant", "drift", "linkedin"):
        return "core"
    if first == "__init__":
        return "door"
    return first if first in ROOMS else "top"


DOORS = {
    path.relative_to(HOUSE).with_suffix("").parts[1:3]
    for path in MODULES
    if "providers" in path.parts and re.search(r"^from \.+engine", path.read_text(), re.MULTILINE)
}


def parts_of(path: Path) -> tuple[str, ...]:
    return path.relative_to(HOUSE).with_suffix("").parts


def imports(path: Path) -> Iterator[tuple[str, ...]]:
    """What a module imports at run time, as parts; inside the house with `lix_async` first."""
    tree = ast.parse(path.read_text())
    typing = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    package = ("lix_async", *parts_of(path)[:-1])
    for node in ast.walk(tree):
        if node in typing:
            continue
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            named = (*base, *(node.module or "").split(".")) if node.module else base
            yield from ((*named, alias.name) for alias in node.names)


def inside(found: tuple[str, ...]) -> bool:
    return found[0] == "lix_async"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(parts_of(path)))
def test_imports_go_only_downward(path):
    here = parts_of(path)
    floor = room(here)
    if floor == "top":
        return
    for found in imports(path):
        if not inside(found):
            known = found[0] in sys.stdlib_module_names or found[0] in LIBRARIES.get(floor, ())
            assert known, f"{floor} may not import {'.'.join(found)}"
            continue
        target = room(found[1:] or ("__init__",))
        assert target in ROOMS[floor], f"{floor} may not import {'.'.join(found)}"
        if here[0] == "providers" and found[1] == "providers" and len(here) > 2 and found[2:]:
            assert found[2] == here[1], "no provider looks into another"
        if floor == "adapters" and found[1] == "providers":
            assert found[2] == here[2], "an adapter knows its own provider alone"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if room(parts_of(path)) == "core"], ids=lambda path: path.name
)
def test_the_ground_floor_never_waits_and_knows_no_clock_chance_or_socket(path):
    assert not {found[0] for found in imports(path)} & WAITS
    waiting = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef)
    assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, waiting)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: "/".join(parts_of(path)))
def test_one_module_knows_the_http_library_one_the_time_and_none_is_long(path):
    here, text = parts_of(path), path.read_text()
    assert len(text.splitlines()) <= 300
    floor = room(here)
    if floor in ("top", "sandbox", "testing"):
        return
    libraries = {found[0] for found in imports(path)}
    if here != ("engine", "transport"):
        assert not libraries & {"httpx", "httpx2", "httpcore"}
    if here != ("engine", "clock"):
        assert not libraries & {"time", "random"}
        calls = [
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call)
        ]
        forbidden = (
            "anyio.sleep",
            "asyncio.sleep",
            "datetime.now",
            "datetime.utcnow",
            "date.today",
        )
        assert not [call for call in calls if call in forbidden]
