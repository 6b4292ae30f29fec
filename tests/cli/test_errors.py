"""Errors in one line with a hint, and exit codes."""

from __future__ import annotations

import pytest

import lix_async
from lix_async.cli import main
from lix_async.cli.errors import EXIT_CODES, CommandError, command_error_for
from lix_async.cli.text import one_line
from lix_async.core import errors

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


def test_refusals_come_with_a_hint() -> None:
    for name in lix_async.__all__:
        kind = getattr(lix_async, name)
        if (
            isinstance(kind, type)
            and issubclass(kind, errors.RefusalError)
            and kind is not errors.RefusalError
        ):
            assert command_error_for(kind("x")).hint or kind is errors.InvalidParamsError, name


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
        (["search", "people"], "requires an argument", "lix search people --help"),
        (["search", "people", "u", "--limit", "x"], "--limit", "lix search people --help"),
        (["search", "people", "u", "--format", "xml"], "xml", "lix search people --help"),
        (["account", "--api-key", "secret"], "Unknown option", "lix account --help"),
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


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("lix_async")


def test_a_command_error_has_message_hint_and_code() -> None:
    error = CommandError("m", hint="h", code=4)
    assert (str(error), error.hint, error.code) == ("m", "h", 4)
