"""The registration of all commands, and the way from arguments to an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import (
    App,
    CycloptsError,
    Group,
    MissingArgumentError,
    Parameter,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from ..core.errors import LixError
from . import console
from .errors import EXIT_CODES, INTERRUPTED, OK, CommandError, command_error_for
from .providers import providers
from .text import nearest, one_line

_FIRST = Group("First steps", sort_key=0)
_SEARCHES = Group("Search", sort_key=1)
_LOOKUPS = Group("Look up", sort_key=2)
_BULK = Group("Ledgers and workers", sort_key=3)
_OTHER = Group("More", sort_key=4)
_GROUPS = ("search:search", "run:run", "ledger:ledger")
"""The commands that consist of others."""


def _version() -> str:
    from ..engine.version import __version__

    return f"lix_async {__version__}"


def _exit_codes() -> str:
    items = (f"* {code}: {meaning}" for code, meaning in EXIT_CODES.items())
    return "\n".join(("Exit codes:", "", *items))


def _commands() -> tuple[tuple[Group, str], ...]:
    """The functions and groups of all commands with their help groups, in order.

    As texts: a module is imported when its command is used, or for the list of all. Most commands
    need the Lix provider.
    """
    if "lix" not in providers():
        return (_FIRST, "sandbox:sandbox"), (_OTHER, "call:call"), (_OTHER, "drift:drift")
    return (
        (_FIRST, "demo:demo"),
        (_FIRST, "sandbox:sandbox"),
        (_FIRST, "account:account"),
        (_SEARCHES, "search:search"),
        (_SEARCHES, "search:leads"),
        (_SEARCHES, "search:accounts"),
        (_SEARCHES, "facets:facets"),
        (_LOOKUPS, "lookup:person"),
        (_LOOKUPS, "lookup:org"),
        (_LOOKUPS, "lookup:email"),
        (_LOOKUPS, "enrich:enrich"),
        (_LOOKUPS, "columns:columns"),
        (_LOOKUPS, "waterfall:waterfall"),
        (_BULK, "run:run"),
        (_BULK, "ledger:ledger"),
        (_BULK, "resolve:resolve"),
        (_BULK, "worker:worker"),
        (_OTHER, "call:call"),
        (_OTHER, "drift:drift"),
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
    version_flags=("--version", "-V"),
    suppress_keyboard_interrupt=False,
)
for _position, (_group, _command) in enumerate(_commands()):
    _epilogue = {} if _command in _GROUPS else {"help_epilogue": ""}  # a group has its own
    _path = f"{__package__}.commands.{_command}"
    app.command(_path, group=_group, sort_key=_position, **_epilogue)
for _flag in ("--help", "--version"):
    app[_flag].group = (_OTHER,)
_HELP_FLAGS = frozenset({"--help", "-h"})


@app.command(name="help", group=_OTHER, sort_key=-1, help_epilogue="")
def help_(*command: Annotated[str, Parameter(help="A command, such as `enrich`.")]) -> int:
    """Show what a command does, and its options: the same as `lix COMMAND --help`."""
    return _invoke([*command, "--help"])


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return the exit code. Every error is printed as a line on stderr."""
    console.arguments.set(tuple(arguments))
    console.replace_closed_streams()
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except CycloptsError as error:
        command_error = _usage_error(error, arguments)
    except CommandError as error:
        command_error = error
    except LixError as error:
        command_error = command_error_for(error)
    except (BrokenPipeError, SystemExit):  # rich raises SystemExit for a broken pipe
        console.discard_stdout()
        return OK
    except OSError as error:
        # Tables are written by rich, help by cyclopts: a full disk is met inside them.
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EIO, errno.EBADF):
            raise
        command_error = console.stdout_failure(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    else:
        return code
    console.print_error(command_error)
    return command_error.code


def _invoke(arguments: Sequence[str]) -> int:
    # The parameters of an endpoint are no options of `lix call`: its help has them.
    if arguments[:1] == ["call"] and not _HELP_FLAGS.isdisjoint(arguments):
        named = [one for one in arguments[1:2] if not one.startswith("-")]
        arguments = ["call", *named, "--list"] if named else arguments
    if not arguments or arguments[0] in _HELP_FLAGS:
        app.resolved_commands()  # imported: the list shows the first line of each
    code = app(
        list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
    )
    return code if isinstance(code, int) else OK


def _usage_error(error: CycloptsError, arguments: Sequence[str]) -> CommandError:
    """The error for a command line that cannot be parsed; for a pasted URL, the command for it."""
    app_, names = _named_command(arguments)
    help_ = f"{' '.join(('lix', *names))} --help"
    if isinstance(error, UnknownCommandError):
        word = one_line((error.unused_tokens or [""])[0], 60)
        return CommandError(
            f'Unknown command "{word}"', hint=_command_hint(word, app_, names, arguments) or help_
        )
    message = str(error)
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.argument.name
        message = f"{name} needs a value" if name.startswith("-") else f"{name} is missing"
    word = ""
    if isinstance(error, UnknownOptionError):
        word = error.token.keyword or error.token.value
    elif isinstance(error, ValidationError) and error.argument is not None:
        word = str(error.argument.value)  # of a file that does not exist
    if word[:1] == "-":
        word = word.partition("=")[0]
        arguments_ = app_.assemble_argument_collection()
        options = [name for one in arguments_ if one.parse for name in one.names]
        options += app_.help_flags
        message = f"Unknown option: {one_line(word, 60)}"
        near = nearest(word, options)
        help_ = f"did you mean {near}? All options: {help_}" if near else help_
    elif isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        message = f"unexpected argument {one_line(error.unused_tokens[0], 60)!r}"
        help_ = f"a text with spaces or & needs quotes; {help_}"
    return CommandError(message, hint=help_)


def _command_hint(
    word: str, app_: App, names: Sequence[str], arguments: Sequence[str]
) -> str | None:
    if "lix" in providers():
        from .input.targets import command_for

        for argument in arguments:
            if (command := command_for(argument)) is not None:
                return f"try: lix {command}"
    prefix = " ".join(("lix", *names))
    near = nearest(word, [*app_])
    if near is not None:
        return f"did you mean `{prefix} {near}`? All commands: {prefix} --help"
    inside = [name for name in app if word in [*app[name]] and not word.startswith("-")]
    return f"did you mean `lix {inside[0]} {word}`?" if inside else None


def _named_command(arguments: Sequence[str]) -> tuple[App, list[str]]:
    """The command that a command line names, and its words."""
    found, names = app, list[str]()
    for word in arguments:
        if word == "help" and not names:
            continue
        if word.startswith("-") or word not in [*found]:
            break
        found = found[word]
        names.append(word)
    return found, names
