"""What a provider's client may keep in mind between its calls: quotas, the state of limits.

The engine keeps the books that are alike for all providers. Where one has rules of its own, its
client hands the engine a `Watch`, which is told of every call. It never waits: time is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..core.endpoint import Endpoint, P
from ..core.errors import LixError


class CallObservation(Protocol):
    """One call under watch, from before its first turn to its end."""

    def check(self, outcome: object, headers: Mapping[str, str], wall: float) -> LixError | None:
        """An answer came: the result, or the error that it is. An error returned replaces it.

        `headers` have names in lower case; `wall` is now, in seconds since the epoch.
        """
        ...

    def end(self, lost: int) -> None:
        """The call is over; `lost` of its attempts may have arrived and brought no answer."""
        ...


class CallObserver(Protocol):
    """Told of every call before it waits for its turn."""

    def begin(self, row: Endpoint[P, object], params: P, wall: float) -> CallObservation:
        """The call's own watch. Raises a `LixError` to stop it: then nothing is sent."""
        ...
