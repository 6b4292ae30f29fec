"""`python -m nox` runs tests on every supported Python that is installed, types, lint and docs.

`nox -l` lists the sessions. Each makes its own virtual environment; nothing else is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.sessions = ["tests", "typing", "lint", "docs"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

PROJECT = nox.project.load_toml("pyproject.toml")
SUPPORTED = nox.project.python_versions(PROJECT)  # read from the classifiers: one place
DEV = [
    wanted
    for wanted in nox.project.dependency_groups(PROJECT, "dev")
    if not wanted.startswith("lix_async")
]


def _runs(version: str) -> bool:
    """Whether that Python is here and starts (a pyenv shim may be there and not start)."""
    program = shutil.which(f"python{version}")
    if program is None:
        return False
    asked = subprocess.run([program, "-c", ""], capture_output=True, check=False)
    return asked.returncode == 0


INSTALLED = [version for version in SUPPORTED if _runs(version)]
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
PYTHONS = INSTALLED or [HERE]
SITE = "docs/_build/html"
WORKERS = str(min(os.cpu_count() or 2, 6) + 2)
"""Two more than cores: many tests wait for processes, or for a moment of real time."""


def _install(session: nox.Session, *more: str) -> None:
    session.install("-e", ".[all]", *DEV, *more)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests. Arguments go to pytest: `nox -s tests-3.11 -- -k paging`."""
    _install(session)
    session.run("python", "-m", "pytest", "-n", WORKERS, "--dist", "worksteal", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Branch coverage: 100 % in core and engine, 95 % over all."""
    _install(session)
    tests = ("-m", "pytest", "-n", WORKERS, "--dist", "worksteal", *session.posargs)
    session.run("python", "-m", "coverage", "run", *tests)
    session.run("python", "-m", "coverage", "combine", success_codes=[0, 1], silent=True)
    session.run("python", "-m", "coverage", "report", "--fail-under=95")
    whole = "lix_async/core/*,lix_async/engine/*"
    session.run("python", "-m", "coverage", "report", f"--include={whole}", "--fail-under=100")


@nox.session
def without(session: nox.Session) -> None:
    """Each provider deleted in turn: the rest can be imported and passes its tests."""
    _install(session)
    test = "tests/test_without_a_provider.py"
    session.run("python", "-m", "pytest", test, *session.posargs, env={"LIX_WITHOUT_EACH": "1"})


@nox.session
def schemathesis(session: nox.Session) -> None:
    """The sandbox against its own OpenAPI document: a hundred examples for each operation."""
    _install(session)
    more = {"SCHEMATHESIS_EXAMPLES": "100"}
    test = "tests/sandbox/test_openapi.py"
    session.run("python", "-m", "pytest", test, *session.posargs, env=more)


@nox.session
def model(session: nox.Session) -> None:
    """The rule of the ledger in every state of all configurations: two or three minutes."""
    _install(session)
    # The first one prints the number of states.
    test = ("-s", "tests/ledger/test_model.py", "tests/ledger/test_identity_model.py")
    session.run("python", "-m", "pytest", *test, *session.posargs, env={"LIX_MODEL": "1"})


@nox.session
def test_kit(session: nox.Session) -> None:
    """The pytest plugin, found by its entry point, beside each plugin for async tests."""
    session.install(".[sandbox]", *DEV)
    test = "tests/test_kit.py"
    session.run("python", "-m", "pytest", test, *session.posargs, env={"LIX_TEST_KIT": "1"})


@nox.session
def typing(session: nox.Session) -> None:
    """Types: mypy and pyright over the package and the uses of its API, mypy over the documents."""
    _install(session, "mypy>=1.15", "pyright[nodejs]>=1.1.400")
    session.run("mypy", "lix_async", "tests/typing")
    session.run("pyright")
    session.run("python", "docs/_extensions/check_types.py")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install("ruff>=0.11")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, with warnings as errors, in docs/_build/html; then its internal links."""
    _install(session, *nox.project.dependency_groups(PROJECT, "docs"))
    strict = ("--fail-on-warning", "--keep-going", "--nitpicky", "--fresh-env")
    session.run("python", "-m", "sphinx", *strict, "-b", "html", "docs", SITE, *session.posargs)
    session.run("python", "docs/_extensions/check_links.py", SITE)


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks: each prints ratios measured within one run. `-- --quick` for a glance."""
    _install(session, "openai", "pydantic>=2")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def campaign(session: nox.Session) -> None:
    """Kill -9 at 200 random points of a run and of its recovery: nothing paid twice or lost.

    Then 200 kills of two processes of `lix enrich` with 2,000 people in four forms each; a disk or
    a server that fails at each statement in turn; 100,000 random steps of a ledger, and the
    deliberate faults of its rule, each of which such steps must find; 100,000 random bodies; a
    million pairs of answers, of which none makes two people one; a thousand programs over each
    database, compared with a reference; a hundred sets of ledgers, merged in each order; a key that
    comes back in every error of every endpoint; twenty thousand requests that are cancelled
    anywhere; a thousand examples of each property; a hundred tasks in four processes on each kind
    of queue; and two minutes of four processes that share a rate, on each kind of store.
    """
    _install(session)
    kills, faults = {"LIX_KILLS": "200"}, {"LIX_FAULTS": "1"}
    session.run("python", "-m", "pytest", "tests/bulk/test_kill.py", *session.posargs, env=kills)
    forms = ("-rP", "tests/cli/test_killed_enrich.py")  # prints what was paid
    session.run("python", "-m", "pytest", *forms, *session.posargs, env=kills)
    disk = "tests/bulk/test_full_disk.py"
    session.run("python", "-m", "pytest", disk, *session.posargs, env=faults)
    steps, histories = {"LIX_STEPS": "100000"}, "tests/ledger/test_state_machine.py"
    session.run("python", "-m", "pytest", histories, *session.posargs, env=steps)
    bodies, many = "tests/bulk/test_bodies.py", {"LIX_BODIES": "100000"}
    session.run("python", "-m", "pytest", bodies, *session.posargs, env=many)
    pairs = "tests/ledger/test_identity.py", {"LIX_PAIRS": "1000000"}
    session.run("python", "-m", "pytest", pairs[0], *session.posargs, env=pairs[1])
    programs = "tests/ledger/test_programs.py", {"LIX_PROGRAMS": "1000"}
    session.run("python", "-m", "pytest", programs[0], *session.posargs, env=programs[1])
    merges, ledgers = "tests/ledger/test_merge.py", {"LIX_MERGES": "100"}
    session.run("python", "-m", "pytest", merges, *session.posargs, env=ledgers)
    secrets, echoes = "tests/engine/test_secrets.py", {"LIX_ECHOES": "1"}
    session.run("python", "-m", "pytest", secrets, *session.posargs, env=echoes)
    cancelled, many = "tests/engine/test_transport_cancel.py", {"LIX_CANCELLATIONS": "10000"}
    session.run("python", "-m", "pytest", cancelled, *session.posargs, env=many)
    examples = {"LIX_EXAMPLES": "1000"}
    session.run("python", "-m", "pytest", "-m", "hypothesis", *session.posargs, env=examples)
    queues, queued = "tests/integrations/test_queues.py", {"LIX_QUEUED": "20000"}
    session.run("python", "-m", "pytest", queues, *session.posargs, env=queued)
    session.run("python", "benchmarks/shared_limiter.py", "--seconds=120")


@nox.session
def demo(session: nox.Session) -> None:
    """`lix demo`: the main job against the embedded sandbox."""
    session.install("-e", ".[cli]")
    session.run("lix", "demo", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """A wheel and a source archive; the wheel is tried in an environment of its own."""
    session.install("build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", silent=True)
    wheel = next(Path("dist").glob("*.whl"))
    session.install(f"{wheel}[cli]")
    with session.chdir(session.create_tmp()):
        session.run("lix", "--version")
