"""The registration of all commands, and the way from arguments to an exit code."""

from __future__ import annotations

import contextlib
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
_SEARCHES = Group("Search", sort_key=1)
_LOOKUPS = Group("Look up", sort_key=2)
_BULK = Group("Ledgers and workers", sort_key=3)
_OTHER = Group("More", sort_key=4)


def _version() -> str:
    from ..engine.version import __version__

    return f"lix_async {__version__}"


def _exit_codes() -> str:
    items = (f"* {code}: {meaning}" for code, meaning in EXIT_CODES.items())
    return "\n".join(("Exit codes:", "", *items))


Command = Callable[..., int] | App


def _commands() -> tuple[tuple[Group, Command], ...]:
    """Every command with its help group, in order. Most of them need the Lix provider."""
    if "lix" not in providers():
        return (_FIRST, sandbox), (_OTHER, call), (_OTHER, drift)
    from .commands.account import account
    from .commands.columns import columns
    from .commands.demo import demo
    from .commands.enrich import enrich
    from .commands.ledger import ledger
    from .commands.lookup import email, org, person
    from .commands.resolve import resolve
    from .commands.run import run as run_
    from .commands.search import accounts, leads, search
    from .commands.waterfall import waterfall
    from .commands.worker import worker

    return (
        (_FIRST, demo),
        (_FIRST, sandbox),
        (_FIRST, account),
        (_SEARCHES, search),
        (_SEARCHES, leads),
        (_SEARCHES, accounts),
        (_LOOKUPS, person),
        (_LOOKUPS, org),
        (_LOOKUPS, email),
        (_LOOKUPS, enrich),
        (_LOOKUPS, columns),
        (_LOOKUPS, waterfall),
        (_BULK, run_),
        (_BULK, ledger),
        (_BULK, resolve),
        (_BULK, worker),
        (_OTHER, call),
        (_OTHER, drift),
    )


app = App(
    name="lix",
    help="""LinkedIn data from the Lix API: fetch every page of a search, look up whole files of
    people and companies, and pay for each lookup once.

    The API key is read from LIX_API_KEY, or from stdin with --api-key-stdin. It is not accepted
    as an argument, because other users of this machine can see the arguments of a process.""",
    help_format="markdown",
    help_epilogue=_exit_codes(),
    version=_version,
    suppress_keyboard_interrupt=False,
)
for _position, (_group, _command) in enumerate(_commands()):
    if isinstance(_command, App):
        _command.group, _command.sort_key = (_group,), _position
        app.command(_command)
    else:
        app.command(_command, group=_group, sort_key=_position, help_epilogue="")
for _flag in ("--help", "--version"):
    app[_flag].group = (_OTHER,)


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return the exit code. Every error is printed as a line on stderr."""
    console.arguments.set(tuple(arguments))
    try:
        # Commands have errors of their own for what they write.
        is_help = not arguments or not {"--help", "-h", "--version"}.isdisjoint(arguments)
        with console.stdout_errors() if is_help else contextlib.nullcontext():
            code = app(
                list(arguments),
                exit_on_error=False,
                print_error=False,
                result_action="return_value",
            )
        with console.stdout_errors():
            sys.stdout.flush()
    except CycloptsError as error:
        message = str(error).partition(" Available commands:")[0]
        console.print_error(CommandError(message, hint=_hint(error, arguments)))
        return USAGE
    except CommandError as error:
        console.print_error(error)
        return error.code
    except LixError as error:
        command_error = command_error_for(error)
        console.print_error(command_error)
        return command_error.code
    except (BrokenPipeError, SystemExit):  # rich raises SystemExit for a broken pipe
        console.discard_stdout()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    return code if isinstance(code, int) else OK


def _hint(error: CycloptsError, arguments: Sequence[str]) -> str:
    """A hint for a command line that cannot be parsed; for a pasted URL, the command for it."""
    if isinstance(error, UnknownCommandError):
        if "lix" in providers():
            from .input.targets import command_for

            for argument in arguments:
                if (command := command_for(argument)) is not None:
                    return f"try: lix {command}"
        return "lix --help"
    names = (part for part in arguments[:2] if part.isalpha())
    return f"{' '.join(('lix', *names))} --help"
