"""The `lix` command: what it is made of, and the way from arguments to an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Group, UnknownCommandError

from ..core.errors import LixError
from . import console
from .commands.call import call
from .commands.drift import drift
from .commands.sandbox import sandbox
from .errors import EXIT_CODES, INTERRUPTED, OK, USAGE, CommandError, command_error_for
from .providers import providers

_FIRST = Group("First steps", sort_key=0)
_WALKS = Group("Walk a search", sort_key=1)
_LOOKUPS = Group("Look up", sort_key=2)
_BULK = Group("Long runs", sort_key=3)
_MORE = Group("More", sort_key=4)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"lix_async {version('lix_async')}"
    except PackageNotFoundError:
        return "lix_async, from source"


def _exit_codes() -> str:
    lines = (f"* {code}: {meaning}" for code, meaning in EXIT_CODES.items())
    return "\n".join(("Exit codes:", "", *lines))


Command = Callable[..., int] | App


def _commands() -> tuple[tuple[Group, Command], ...]:
    """Every command in its order. Most are made of Lix, and go where its folder goes."""
    if "lix" not in providers():
        return (_FIRST, sandbox), (_MORE, call), (_MORE, drift)
    from .commands.account import account
    from .commands.demo import demo
    from .commands.enrich import enrich
    from .commands.lookup import email, org, person
    from .commands.run import run as run_
    from .commands.search import accounts, leads, search
    from .commands.waterfall import waterfall
    from .commands.worker import worker

    return (
        (_FIRST, demo),
        (_FIRST, sandbox),
        (_FIRST, account),
        (_WALKS, search),
        (_WALKS, leads),
        (_WALKS, accounts),
        (_LOOKUPS, person),
        (_LOOKUPS, org),
        (_LOOKUPS, email),
        (_LOOKUPS, enrich),
        (_LOOKUPS, waterfall),
        (_BULK, run_),
        (_BULK, worker),
        (_MORE, call),
        (_MORE, drift),
    )


app = App(
    name="lix",
    help="""LinkedIn data by the Lix API: searches walked to their end, people looked up by the
    file, every credit accounted for.

    The key is read from LIX_API_KEY, or from stdin with --api-key-stdin. It is never an argument:
    everybody on this machine could see it in the list of processes.""",
    help_format="markdown",
    help_epilogue=_exit_codes(),
    version=_version,
    suppress_keyboard_interrupt=False,
)
for _place, (_group, _command) in enumerate(_commands()):
    if isinstance(_command, App):
        _command.group, _command.sort_key = (_group,), _place
        app.command(_command)
    else:
        app.command(_command, group=_group, sort_key=_place, help_epilogue="")
for _flag in ("--help", "--version"):
    app[_flag].group = (_MORE,)


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line; the exit code. Every error is a line on stderr."""
    console.arguments.set(tuple(arguments))
    try:
        code = app(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except CycloptsError as error:
        message = str(error).partition(" Available commands:")[0]
        console.print_error(CommandError(message, hint=_hint(error, arguments)))
        return USAGE
    except CommandError as error:
        console.print_error(error)
        return error.code
    except LixError as error:
        known = command_error_for(error)
        console.print_error(known)
        return known.code
    except (BrokenPipeError, SystemExit):  # rich turns the former into the latter
        _close_quietly()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    return code if isinstance(code, int) else OK


def _hint(error: CycloptsError, arguments: Sequence[str]) -> str:
    """What to do about a command line that cannot be read; a pasted URL tells what was meant."""
    if isinstance(error, UnknownCommandError):
        if "lix" in providers():
            from .input.targets import command_for

            for argument in arguments:
                if (right := command_for(argument)) is not None:
                    return f"try: lix {right}"
        return "lix --help"
    commands = (part for part in arguments[:2] if part.isalpha())
    return f"{' '.join(('lix', *commands))} --help"


def _close_quietly() -> None:
    """Let Python's own flush at the end find an open file: the pipe has nobody at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
