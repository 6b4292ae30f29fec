"""Names of `lix_async` that are imported on first use, to keep `import lix_async` fast."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import pytest

import lix_async
from lix_async.sandbox import Sandbox, running

PACKAGES = ["", ".ledger", ".limiters", ".sandbox"]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_exported_name_is_imported_on_first_use(package: str) -> None:
    module = import_module(f"lix_async{package}")
    assert module.__all__
    for name in module.__all__:
        found = getattr(module, name)
        assert name == "__version__" or found.__name__ == name
        assert name in dir(module)
        assert vars(module)[name] is found  # the next use does not look for it again


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'AsyncUnknown'"):
        lix_async.AsyncUnknown  # noqa: B018  # the access itself is under test


def modules_after_import(name: str = "lix_async") -> list[str]:
    code = (
        f"import sys, lix_async; {name};"
        "print(*(name for name in sys.modules if name.startswith('lix_async')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    lazy = "lix_async.core.lazy_imports"  # what finds a name on first use
    assert set(modules_after_import()) == {"lix_async", "lix_async.core", lazy}


def test_a_client_is_imported_without_the_others_and_without_packages_above_them() -> None:
    modules = modules_after_import("lix_async.AsyncLix")
    assert "lix_async.engine.client" in modules
    providers = {name.split(".")[2] for name in modules if name.startswith("lix_async.providers.")}
    assert providers == {"lix"}
    packages = {name.partition(".")[2].partition(".")[0] for name in modules}
    assert not packages & {
        "models",
        "bulk",
        "cli",
        "integrations",
        "sandbox",
        "testing",
        "waterfall",
    }


def loaded_by(*arguments: str) -> set[str]:
    """The packages that a command has loaded when it ends."""
    code = (
        "import sys; from lix_async.cli import main; main(); sys.stdout.flush();"
        "print(*(name for name in sys.modules if sys.modules[name]), file=sys.stderr)"
    )
    # Without the measuring of coverage, which loads modules of its own.
    env = {name: value for name, value in os.environ.items() if name[:9] != "COVERAGE_"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return set(done.stderr.split())


def test_the_version_is_shown_without_anything_else() -> None:
    loaded = loaded_by("--version")
    assert not {one.partition(".")[0] for one in loaded} & {"cyclopts", "msgspec", "anyio", "httpx"}


def test_a_lookup_loads_what_it_needs() -> None:
    with running(Sandbox(people=5, organisations=2)) as url:
        link = "https://www.linkedin.com/in/ada-example"
        loaded = loaded_by("person", link, "--base-url", url, "--quiet", "--store", "none")
    assert "lix_async.cli.commands.lookup" in loaded
    assert not loaded & {
        *("httpx", "rich", "trio", "sqlite3", "lix_async.bulk", "lix_async.sandbox"),
        *("lix_async.ledger.store", "lix_async.cli.commands.enrich", "lix_async.waterfall"),
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
