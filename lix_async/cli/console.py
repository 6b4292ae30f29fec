"""Messages on stderr, and lines on stdout."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import REFUSED, CommandError
from .text import one_line

if TYPE_CHECKING:
    from rich.console import Console

arguments: ContextVar[tuple[str, ...]] = ContextVar("lix_cli_arguments", default=())
"""The arguments of the running command."""


def console() -> Console:
    """A console on stderr, with colours only on a terminal."""
    from rich.console import Console  # late, as elsewhere here: most commands show nothing by it

    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_error(error: CommandError) -> None:
    """Print an error on one line, and its hint on the next."""
    from rich.text import Text

    message = Text("error: ", style="bold red").append(one_line(error.message), style="default")
    out = console()
    out.print(message)
    if error.hint:
        out.print(Text("hint: ", style="bold cyan").append(error.hint, style="default"))


def print_note(text: str) -> None:
    """Print a line on stderr."""
    sys.stderr.write(f"{text}\n")


def stdout_width() -> int:
    """The width of the terminal on stdout, without its last column; 78 without one."""
    return max(shutil.get_terminal_size().columns - 1, 40) if sys.stdout.isatty() else 78


def print_line(text: str) -> None:
    """Print a line on stdout, without markup."""
    with stdout_errors():
        sys.stdout.write(f"{text}\n")


def write_stdout(data: bytes) -> None:
    """Write to stdout at once.

    Raises:
        CommandError: It cannot be written, as to a full disk.
        BrokenPipeError: The reader of stdout has closed the pipe.
    """
    with stdout_errors():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def stdout_errors() -> Generator[None]:
    """A block that writes to stdout, with the errors of `write_stdout`."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise stdout_failure(error) from None


def stdout_failure(error: OSError) -> CommandError:
    """The error for a stdout that cannot be written; nothing more is written to it."""
    discard_stdout()
    return CommandError(
        f"cannot write the output: {error.strerror or error}",
        hint="write to another place with --out, or free some space",
        code=REFUSED,
    )


def replace_closed_streams() -> None:
    """Give a process that was started without stdout or stderr (`>&-`) one that discards.

    In place of stdin (`<&-`) there is an empty one.
    """
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BytesIO())
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def discard_stdout() -> None:
    """Redirect stdout, so that Python's flush at exit does not fail as well."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command_line(*extra: str) -> str:
    """The command as it was typed, quoted for a shell, with extra arguments.

    Args:
        *extra: Arguments to add unless they were given.
    """
    typed = arguments.get()
    return shlex.join(("lix", *typed, *(one for one in extra if one not in typed)))
