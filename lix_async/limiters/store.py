"""What a limiter needs of the place where its numbers are kept."""

from __future__ import annotations

from typing import Protocol

from ..core.errors import ConfigurationError, TransportError
from .gcra import Pace, Reply


class Store(Protocol):
    """One name's numbers on a server. Blocking: only the limiter's own thread calls it.

    Each method is one atomic step on the server's clock, in microseconds, and does what the
    function of that name in `gcra` does. It connects when first used, and again after `close`.
    Raises `TransportError` when the server cannot be reached (asking again may help) and
    `ConfigurationError` when it can, but refuses.
    """

    def ask(self, pace: Pace, ahead: int) -> Reply: ...

    def hold(self, pace: Pace, length: int) -> None: ...

    def give_back(self, pace: Pace, stamp: int) -> bool:
        """Whether the turn was the last one, and is there again."""
        ...

    def push(self, length: int) -> None: ...

    def held(self) -> int:
        """How much longer a hold lasts; 0 without one."""
        ...

    def close(self) -> None: ...


def checked(name: str) -> str:
    """A name that every store takes: 1 to 200 printable characters without spaces."""
    if not (0 < len(name) <= 200 and name.isprintable() and " " not in name):
        raise ConfigurationError("a limiter's name is 1 to 200 printable characters, no spaces")
    return name


def unreachable(store: str, error: Exception) -> TransportError:
    """The server does not answer. Names no address: it may hold a password."""
    return TransportError(f"the shared limiter's {store} cannot be reached: {_kind(error)}")


def refused(store: str, error: Exception) -> ConfigurationError:
    """The server answers, but will not have it."""
    return ConfigurationError(f"the shared limiter's {store} refuses: {_kind(error)}")


def _kind(error: Exception) -> str:
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
