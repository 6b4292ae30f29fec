"""The `lix` command. It needs the extra: `pip install "lix_async[cli]"`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_PACKAGES = ("cyclopts", "rich", "starlette", "uvicorn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (default: this process's own); the exit code."""
    try:
        from .app import run

        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return 130
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        sys.stderr.write(f'lix needs {package}: pip install "lix_async[cli]"\n')
        return 1
