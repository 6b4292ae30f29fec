"""Names of `lix_async` that are imported on first use, to keep `import lix_async` fast."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lix_async

LAZY: dict[str, str] = vars(lix_async)["_LAZY"]


@pytest.mark.parametrize("name", LAZY)
def test_lazy_names_are_exported(name: str) -> None:
    found = getattr(lix_async, name)
    assert name == "__version__" or found.__name__ == name
    assert name in lix_async.__all__
    assert name in dir(lix_async)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'AsyncUnknown'"):
        lix_async.AsyncUnknown  # noqa: B018  # the access itself is under test


def modules_after_import() -> list[str]:
    code = "import sys, lix_async; print(*(name for name in sys.modules if 'lix_async' in name))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_package_does_not_import_the_lazy_clients() -> None:
    modules = modules_after_import()
    assert "lix_async.engine.client" in modules
    providers = {name.split(".")[2] for name in modules if name.startswith("lix_async.providers.")}
    assert providers <= {"lix", "lookc"}


def test_importing_the_package_does_not_import_packages_above_the_clients() -> None:
    packages = {name.partition(".")[2].partition(".")[0] for name in modules_after_import()}
    assert not packages & {
        "models",
        "bulk",
        "cli",
        "integrations",
        "sandbox",
        "testing",
        "waterfall",
    }


def test_importing_the_package_and_its_events_imports_no_extra() -> None:
    code = "import sys, lix_async, lix_async.events; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    libraries = {name.partition(".")[0] for name in done.stdout.split()}
    assert not libraries & {
        *("apsw", "arro3", "asyncpg", "cyclopts", "duckdb", "fastapi", "httpx2", "mcp"),
        *("opentelemetry", "pgqueuer", "procrastinate", "psycopg", "pydantic", "pydantic_core"),
        *("pytest", "redis", "rich", "starlette", "tenacity", "uvicorn"),
    }
