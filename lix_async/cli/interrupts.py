"""Ctrl-C in a process of its own: noted, because Python can drop a `KeyboardInterrupt`.

One that is raised in a callback of the interpreter, such as at the end of an import, is printed
and dropped. The command would run to its end, and exit with 0.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType


class _State:
    installed = False
    received = False


def install() -> None:
    """Note each Ctrl-C from here on, before it is raised as a `KeyboardInterrupt`."""
    if threading.current_thread() is threading.main_thread():
        _State.installed = True
        signal.signal(signal.SIGINT, _note)
        sys.unraisablehook = _print_other_errors


def install_again() -> None:
    """Note each Ctrl-C again, after an event loop has handled it; nothing without `install`."""
    if _State.installed:
        install()


def received() -> bool:
    """Whether Ctrl-C was pressed."""
    return _State.received


def forget() -> None:
    """Take the Ctrl-C that was pressed for the ordinary end of a command."""
    _State.received = False


def _note(number: int, frame: FrameType | None) -> None:
    _State.received = True
    signal.default_int_handler(number, frame)


def _print_other_errors(error: sys.UnraisableHookArgs) -> None:
    if not issubclass(error.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(error)
