"""What people see on stderr: notes and troubles, each in a line or two."""

from __future__ import annotations

import shlex
import sys
from contextvars import ContextVar

from rich.console import Console
from rich.text import Text

from .errors import CommandError
from .text import one_line

arguments: ContextVar[tuple[str, ...]] = ContextVar("lix_cli_typed", default=())
"""The arguments of the command under way."""


def console() -> Console:
    """stderr, with colours only where there is a terminal to show them."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_error(error: CommandError) -> None:
    """An error in one line, and below it what to do about it."""
    line = Text("error: ", style="bold red").append(one_line(error.message), style="default")
    out = console()
    out.print(line)
    if error.hint:
        out.print(Text("hint: ", style="bold cyan").append(error.hint, style="default"))


def print_note(text: str) -> None:
    """A line for the person at the keyboard."""
    console().print(Text(text))


def print_line(text: str) -> None:
    """Text for stdout, as it is."""
    sys.stdout.write(f"{text}\n")


def command_line(*further: str) -> str:
    """The command as it was typed, ready to paste, with further arguments if they are missing."""
    given = arguments.get()
    return shlex.join(("lix", *given, *(extra for extra in further if extra not in given)))
