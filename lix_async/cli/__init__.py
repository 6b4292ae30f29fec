"""The `lix` command, installed with `pip install "lix_async[cli]"`.

Its modules, from the lowest layer up; each part imports only those above it:

- `interrupts`, `errors`, `console`, `options`, `rates`, `text`, `values`, `providers`,
  `docstrings`, `endpoint_list`: what all commands share.
- `runtime`: a command's client, progress line and signals. `input`: files of links.
- `output`: rows as files and tables.
- `ledger`: addresses of ledgers, export, lookups in doubt.
- `queue`: handing lookups to workers.
- `commands`: one module per command or group of commands.
- `app`: the registration of commands, and the exit code.

It may import every other package; no other package imports it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

_PACKAGES = ("cyclopts", "rich")
_VERSION = (["--version"], ["-V"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: The arguments after `lix`; by default those of this process.

    Returns:
        The exit code.
    """
    own_process = arguments is None
    if arguments is None:
        arguments = sys.argv[1:]
        gc.set_threshold(50_000)  # most objects of a short process are imported, and stay
        # A process of its own, which runs on asyncio: httpcore would import trio too where it is
        # installed, which takes longer than a lookup's own work.
        sys.modules.setdefault("trio", None)  # type: ignore[arg-type]  # None forbids an import
    try:
        if list(arguments) in _VERSION:  # at once: `app` has to import the packages above
            from ..engine.version import __version__

            try:
                sys.stdout.write(f"lix_async {__version__}\n")
                sys.stdout.flush()
                return 0
            except OSError:  # `run` meets it too, and says why
                pass
        from . import interrupts

        if own_process:
            interrupts.install()
        from .app import run

        code = run(arguments)
        return 130 if code == 0 and interrupts.received() else code
    except KeyboardInterrupt:
        return 130
    except BaseExceptionGroup as group:  # of a task group
        if group.subgroup(KeyboardInterrupt) is None:
            raise
        return 130
    except ImportError as error:
        # cyclopts imports the modules of commands; its own error has the missing one as its cause.
        cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
        package = (cause.name or "").partition(".")[0]
        if package not in _PACKAGES:
            raise
        sys.stderr.write(f'lix needs {package}: pip install "lix_async[cli]"\n')
        return 1
