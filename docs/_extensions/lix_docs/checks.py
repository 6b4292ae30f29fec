"""The reference is whole: every public name has an entry, every environment variable a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util.logging import getLogger

import lix_async
from lix_async.cli.providers import providers

from .generate import environment_variables

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_log = getLogger(__name__)
_PACKAGE = Path(lix_async.__file__).parent
_VARIABLE = re.compile(r"[A-Z]+_(?:API_KEY|BASE_URL)|LIX_[A-Z_]+")


def setup(app: Sphinx) -> None:
    """Run when all pages are read."""
    app.connect("env-check-consistency", _check)


def public_packages() -> Iterator[str]:
    """`lix_async` and every package directly inside it that has an `__all__`."""
    yield "lix_async"
    for path in sorted(_PACKAGE.glob("*/__init__.py")):
        name = f"lix_async.{path.parent.name}"
        if getattr(import_module(name), "__all__", ()):
            yield name


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    documented = env.domains.python_domain.objects
    for package in public_packages():
        module = import_module(package)
        for name in module.__all__:
            # Some names of packages are at the front as well, and described there.
            first = getattr(lix_async, name, None) is getattr(module, name)
            if f"{'lix_async' if first else package}.{name}" not in documented:
                _log.warning("%s.%s is public and on no reference page", package, name)
    for name in providers():
        if f"reference/providers/{name}" not in env.all_docs:
            _log.warning("the provider %s has no page in reference/providers", name)
    listed = {variable.name for variable in environment_variables()}
    for name in sorted(_read() - listed):
        _log.warning("%s is read from the environment and not in reference/settings.md", name)


def _read() -> set[str]:
    """The texts in the package's code that are names of environment variables."""
    found: set[str] = set()
    for path in _PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and _VARIABLE.fullmatch(text):
                found.add(text)
    return found
