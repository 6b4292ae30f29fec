"""Errors in one line with a hint, and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from preloaded import run

from lix_async.cli import main
from lix_async.cli.app import app
from lix_async.cli.errors import EXIT_CODES, CommandError, command_error_for
from lix_async.cli.text import one_line
from lix_async.core import errors

if TYPE_CHECKING:
    from cyclopts import App

LINKEDIN = "https://www.linkedin.com"
CODES = {
    errors.LixError: 1,
    errors.ConfigurationError: 2,
    errors.AuthenticationError: 3,
    errors.QuotaExceededError: 4,
    errors.BudgetError: 4,
    errors.DailyLimitError: 4,
    errors.WeeklyLimitError: 4,
    errors.NotFoundError: 5,
    errors.TransportError: 6,
    errors.DeadlineError: 6,
    errors.OutcomeUnknownError: 6,
    errors.RateLimitError: 1,
    errors.ServerError: 1,
    errors.QueuedError: 1,
    errors.ViewerError: 1,
    errors.InvalidParamsError: 1,
    errors.DecodeError: 1,
    errors.PagingError: 1,
}


@pytest.mark.parametrize(
    ("kind", "code"), CODES.items(), ids=lambda value: getattr(value, "__name__", value)
)
def test_every_error_has_its_exit_code(kind: type[errors.LixError], code: int) -> None:
    error = command_error_for(kind("what\nhappened"))
    assert (error.code, error.message) == (code, "what happened")
    assert error.code in EXIT_CODES


def test_every_error_of_the_library_comes_with_a_hint() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    for kind in kinds:
        if issubclass(kind, errors.LixError):
            assert command_error_for(kind("x")).hint, kind


def test_a_hint_has_the_time_if_it_is_known() -> None:
    daily = errors.DailyLimitError("used up")
    daily.refreshes_at = 4_000_000_000.0
    assert "2096" in command_error_for(daily).hint
    assert "2096" in command_error_for(errors.DeadlineError("x", retry_at=4_000_000_000.0)).hint
    assert (
        command_error_for(errors.RateLimitError("x", retry_after=600)).hint
        == "the provider asks to wait 600 s"
    )


def test_one_line_has_no_control_characters() -> None:
    assert one_line("a\x1b[31m\n\tb\u202e") == "a [31m b"
    assert len(one_line("x" * 1000)) == 300


def test_the_help_lists_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{code}: {meaning[:20]}" in shown for code, meaning in EXIT_CODES.items())


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["serch"], "Unknown command", "lix --help"),
        (["search"], "", ""),
        (["search", f"{LINKEDIN}/search/results/people/?k=a"], "Unknown", 'search people "URL"'),
        ([f"{LINKEDIN}/in/ada"], "Unknown", 'lix person "URL"'),
        (["search", "people"], "URL is missing", "lix search people --help"),
        (["search", "people", "u", "--limit", "x"], "--limit", "lix search people --help"),
        (["search", "people", "u", "--format", "xml"], "xml", "lix search people --help"),
        (["account", "--api-key", "secret"], "Unknown option", "lix account --help"),
        (["--verson"], "Unknown command", "did you mean `lix --version`?"),
        (["version"], "Unknown command", "did you mean `lix --version`?"),
        (["enrihc", "f.csv"], "Unknown command", "did you mean `lix enrich`?"),
        (["run", "stauts"], "Unknown command", "did you mean `lix run status`?"),
        (["export"], "Unknown command", "did you mean `lix run export`?"),
        (["help", "acount"], "Unknown command", "did you mean `lix account`?"),
        (["account", "--formt", "csv"], "Unknown option: --formt", "did you mean --format?"),
        (["account", "--foo"], "Unknown option: --foo", "hint: lix account --help"),
    ],
)
def test_usage_errors_have_a_line_and_a_hint(
    arguments: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(arguments)
    captured = capsys.readouterr()
    assert code == (2 if message else 0)
    assert message in captured.err
    assert hint in captured.err
    assert len(captured.err.splitlines()) == (2 if message else 0)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_printed(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([option]) == 0
    assert capsys.readouterr().out.startswith("lix_async")


@pytest.mark.parametrize("command", [(), ("enrich",), ("run", "status"), ("call", "person.get")])
def test_help_of_a_command(command: tuple[str, ...]) -> None:
    shown, same = (  # one command a process, as users have it
        run(["-m", "lix_async", *arguments], check=True, text=True).stdout
        for arguments in (("help", *command), (*command, "--help"))
    )
    assert shown == same
    assert len(shown.splitlines()) > 5


def _command_lines(app: App, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield (*names, "--help")
    for name in app:
        if not name.startswith("-"):
            yield from _command_lines(app[name], (*names, name))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        *_command_lines(app),
        (),
        ("--version",),
        ("call",),
        ("call", "person.get", "--help"),
        ("run",),
    ],
    ids=" ".join,
)
def test_a_full_stdout_is_one_line(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code = main(arguments)
        monkeypatch.undo()
    shown = capsys.readouterr().err.splitlines()
    assert code == 1
    assert shown[0] == "error: cannot write the output: No space left on device"
    assert len(shown) == 2


def test_a_command_error_has_message_hint_and_code() -> None:
    error = CommandError("m", hint="h", code=4)
    assert (str(error), error.hint, error.code) == ("m", "h", 4)
