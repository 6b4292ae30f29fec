"""The listener that writes the log: every client has it.

The loggers are `lix_async.calls`, `lix_async.limiter`, `lix_async.bulk` and `lix_async.drift`, the
messages have neither parameters nor anything of an answer, and each record has the fields of its
event as `record.lix`. `LIX_LOG=debug` or `LIX_LOG=info` shows the log on stderr.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache

from msgspec.structs import asdict

from ..core.errors import ConfigurationError
from .events import (
    LIMITER_LOG,
    RUN_LOG,
    AttemptEnded,
    AttemptStarted,
    CacheHit,
    CallEnded,
    CallStarted,
    Event,
    Held,
    OutcomeReady,
    RunEnded,
    RunParked,
    RunResumed,
    RunStarted,
    WaitStarted,
)
from .events import LOG as CALLS
from .options import from_environment

PACKAGE = logging.getLogger("lix_async")
PACKAGE.addHandler(logging.NullHandler())
LONG_WAIT = 1.0
"""Seconds from which a wait before a retry is logged at INFO."""
ACCOUNT_ERRORS = ("AuthenticationError", "QuotaExceededError")
"""Errors that every call gets until somebody acts: logged at ERROR."""
_IN_RUN: ContextVar[bool] = ContextVar("lix_async_in_run", default=False)
"""Whether the current task works for a bulk run: the tasks of a run inherit it."""
_REASONS = {
    "permit": "for a permit",
    "held": "held by 429",
    "retry": "before a retry",
    "queued": "queued by the provider",
}
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}


def set_up_logging() -> None:
    """Show the log on stderr if `LIX_LOG` is set.

    Raises:
        ConfigurationError: It is neither `debug` nor `info`.
    """
    name = from_environment("LIX_LOG")
    if name is not None:
        level = LEVELS.get(name.lower())
        if level is None:
            raise ConfigurationError("LIX_LOG must be debug or info")
        PACKAGE.setLevel(level)
        _add_handler()


@cache
def _add_handler() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    PACKAGE.addHandler(handler)


def log_event(event: Event) -> None:
    """Log one event, if its logger is on for it."""
    if isinstance(event, RunStarted):
        _IN_RUN.set(True)
    logger, level = _place(event)
    if logger.isEnabledFor(level):
        fields = {"event": type(event).__name__} | asdict(event)
        endpoint = event.endpoint or "bulk"
        logger.log(level, f"{endpoint}: {_text(event)}", extra={"lix": fields})


def _place(event: Event) -> tuple[logging.Logger, int]:
    """The logger of an event, and its level."""
    match event:
        case CallEnded(outcome="error"):
            if event.error in ACCOUNT_ERRORS:
                return CALLS, logging.ERROR
            # A run repeats its lookups, and counts those that fail: its end is the warning.
            return CALLS, logging.INFO if _IN_RUN.get() else logging.WARNING
        case CallEnded():
            notable = event.lost or (event.attempts > 1 and event.outcome == "ok")
            return CALLS, logging.INFO if notable else logging.DEBUG
        case WaitStarted():
            notable = event.reason != "permit" and (event.seconds or 0.0) >= LONG_WAIT
            return CALLS, logging.INFO if notable else logging.DEBUG
        case Held():
            # A call says itself that it waits. A run makes another one after the pause.
            notable = _IN_RUN.get() and event.seconds >= LONG_WAIT
            return LIMITER_LOG, logging.INFO if notable else logging.DEBUG
        case RunEnded():
            return RUN_LOG, logging.WARNING if event.in_doubt or event.failed else logging.INFO
        case RunParked():
            outage = event.reason.startswith("outage")
            return RUN_LOG, logging.WARNING if outage else logging.INFO
        case RunStarted() | RunResumed():
            return RUN_LOG, logging.INFO
        case OutcomeReady():
            return RUN_LOG, logging.DEBUG
        case _:
            return CALLS, logging.DEBUG


def _text(event: Event) -> str:
    """The message of an event, after its endpoint."""
    match event:
        case CallStarted():
            return f"{event.method} {event.path}"
        case WaitStarted():
            seconds = "" if event.seconds is None else f" {event.seconds:.1f} s"
            return f"waits{seconds} ({_REASONS[event.reason]})"
        case AttemptStarted():
            return f"attempt {event.attempt}: sent"
        case AttemptEnded():
            return (
                f"attempt {event.attempt}: {event.status or event.error} in {event.seconds:.3f} s"
            )
        case CallEnded():
            attempts = _count(event.attempts, "attempt")
            if event.outcome != "ok":
                lost = f", {event.lost} without an answer" if event.lost else ""
                return f"{event.error or event.outcome} after {attempts}{lost}"
            seconds = f"{event.seconds:.1f} s of which {event.waited:.1f} waiting"
            return f"ok after {attempts}, {seconds}, {_count(event.credits, 'credit')}"
        case CacheHit():
            return f"answered from the {event.source}, {_count(event.saved, 'credit')} saved"
        case Held():
            return f"no permits for {event.seconds:.1f} s after a 429"
        case OutcomeReady():
            cached = ", from the ledger" if event.cached else ""
            return f"run {event.run}: {event.state}, {_count(event.credits, 'credit')}{cached}"
        case _:
            return _text_of_run(event)


def _text_of_run(event: Event) -> str:
    match event:
        case RunStarted():
            name = f" ({event.name})" if event.name else ""
            return f"run {event.run} started: {event.method}{name}"
        case RunParked():
            if event.until is None:
                return f"run {event.run} parked: {event.reason}"
            until = datetime.fromtimestamp(event.until, UTC)
            return f"run {event.run} waits until {until:%Y-%m-%d %H:%M:%S} UTC: {event.reason}"
        case RunResumed():
            return f"run {event.run} resumed"
        case RunEnded():
            counts = f"{event.done:,} done, {event.failed:,} failed, {event.in_doubt:,} in doubt"
            inputs, credits = _count(event.inputs, "input"), _count(event.credits, "credit")
            return f"run {event.run} ended: {inputs}, {counts}, {credits}"
        case _:
            return type(event).__name__


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
