"""What a limiter needs of the place where its numbers are kept."""

from __future__ import annotations

from typing import Protocol

from ..core.bucket import RateLimit
from ..core.checks import has, must_be
from ..core.errors import ConfigurationError, TransportError
from ..engine.clock import Clock
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


def check(
    name: str,
    rate: RateLimit,
    margin: float | None,
    give_up_after: float,
    fallback: int | None,
    clock: Clock | None,
) -> None:
    """Raise `ConfigurationError` for the first of a limiter's arguments that is none.

    A name is what every store takes: 1 to 200 printable characters without spaces.
    """
    must_be("name", name, str)
    if not (0 < len(name) <= 200 and name.isprintable() and " " not in name):
        raise ConfigurationError(
            "name must be 1 to 200 printable characters without spaces: a word for the account"
        )
    must_be("rate", rate, RateLimit)
    must_be("margin", margin, float | None)
    must_be("give_up_after", give_up_after, float)
    if not give_up_after > 0:
        raise ConfigurationError(
            f"give_up_after must be a positive number of seconds: {give_up_after!r}"
        )
    must_be("fallback", fallback, int | None)
    if fallback is not None and fallback < 1:
        raise ConfigurationError(
            f"fallback must be the number of processes that share the rate: {fallback!r}"
        )
    if clock is not None:
        has("clock", clock, "a Clock", "now", "wall", "sleep", "timeout", "between")


def unreachable(store: str, error: Exception) -> TransportError:
    """The server does not answer. Names no address: it may hold a password."""
    return TransportError(f"the shared limiter's {store} cannot be reached: {_kind(error)}")


def refused(store: str, error: Exception) -> ConfigurationError:
    """The server answers, but will not have it."""
    return ConfigurationError(f"the shared limiter's {store} refuses: {_kind(error)}")


def _kind(error: Exception) -> str:
    state = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
