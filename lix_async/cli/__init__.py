"""The `lix` command, installed with `pip install "lix_async[cli]"`.

Its modules, from the lowest layer up; each part imports only those above it:

- `errors`, `console`, `options`, `text`, `values`, `providers`, `docstrings`, `endpoint_list`: what
  all commands share.
- `runtime`: a command's client, progress line and signals. `input`: files of links.
- `output`: rows as files and tables.
- `ledger`: addresses of ledgers, export, lookups in doubt.
- `queue`: handing lookups to workers.
- `commands`: one module per command or group of commands.
- `app`: the registration of commands, and the exit code.

It may import every other package; no other package imports it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_PACKAGES = ("cyclopts", "rich", "starlette", "uvicorn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: The arguments after `lix`; by default those of this process.

    Returns:
        The exit code.
    """
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
