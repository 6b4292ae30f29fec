"""Ctrl-C, also where Python drops the `KeyboardInterrupt`."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from .sandbox_helpers import ObservedSandbox, Process, environment

PRESSED = """
import signal, sys, weakref
from lix_async.cli import main

class Something:
    pass

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == MODULE:
            sys.meta_path.remove(self)
            PRESS

def in_a_callback():
    thing = Something()
    reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    del thing

def in_a_task_group():
    raise BaseExceptionGroup("of a task group", [KeyboardInterrupt()])

sys.meta_path.insert(0, Finder())
sys.exit(main())
"""
"""`lix` that is stopped by Ctrl-C when it imports a module."""


def pressed(module: str, how: str) -> tuple[str, str]:
    return "-c", PRESSED.replace("MODULE", repr(f"lix_async.{module}")).replace("PRESS", how)


@pytest.mark.parametrize(
    "module", ["cli.app", "cli.commands.demo", "sandbox", "providers.lix.client"]
)
def test_a_dropped_interrupt_ends_the_demo_at_once(tmp_path: Path, module: str) -> None:
    program = pressed(module, "in_a_callback()")
    process = Process("demo", env=environment(), cwd=tmp_path, program=program, fresh=True)
    found = process.end()
    assert (found.code, found.out) == (130, ""), found.err
    assert "stopped" in found.err
    assert "KeyboardInterrupt" not in found.err


def test_nothing_is_sent_after_a_dropped_interrupt(
    start: Callable[..., Process], sandbox: ObservedSandbox
) -> None:
    program = pressed("cli.commands.lookup", "in_a_callback()")
    found = start(
        "person", "https://www.linkedin.com/in/ada-example", program=program, fresh=True
    ).end()
    assert (found.code, found.out, len(sandbox.ledger)) == (130, "", 0)


def test_a_command_without_a_session_has_the_exit_code(tmp_path: Path) -> None:
    program = pressed("cli.commands.columns", "in_a_callback()")
    found = Process(
        "columns", "person", env=environment(), cwd=tmp_path, program=program, fresh=True
    ).end()
    assert (found.code, "KeyboardInterrupt" in found.err) == (130, False)


def test_an_interrupt_among_other_errors(tmp_path: Path) -> None:
    program = pressed("cli.commands.columns", "in_a_task_group()")
    found = Process(
        "columns", "person", env=environment(), cwd=tmp_path, program=program, fresh=True
    ).end()
    assert (found.code, found.out, found.err) == (130, "", "")


def test_the_sandbox_ends_with_an_interrupt_that_was_dropped(tmp_path: Path) -> None:
    program = pressed("sandbox.server.loading", "in_a_callback()")
    process = Process(
        "sandbox", "--port", "0", env=environment(), cwd=tmp_path, program=program, fresh=True
    )
    found = process.end()
    assert (found.code, found.err) == (0, "")


def test_a_later_interrupt_has_the_exit_code(tmp_path: Path) -> None:
    """A signal after the event loop, which has given the default handler back."""
    program = (
        "-c",
        "import signal, sys, lix_async.cli.runtime.session as session\n"
        "from lix_async.cli import interrupts, main\n"
        "note = session.console.print_note\n"
        "def noted(text):\n"
        "    note(text)\n"
        "    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler\n"
        "session.console.print_note = noted\n"
        "sys.exit(main())",
    )
    process = Process("demo", env=environment(), cwd=tmp_path, program=program, fresh=True)
    assert process.popen.stderr is not None
    process.popen.stderr.readline()
    process.popen.send_signal(signal.SIGINT)
    found = process.end()
    assert (found.code, "Error" in found.err) == (130, False)
