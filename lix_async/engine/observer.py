"""The hook for accounting that only one provider needs, such as quotas and the state of limits.

The engine does the accounting that all providers have in common. A provider with rules of its own
passes a `CallObserver` to its client. Observers never wait; the time is passed to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..core.endpoint import Endpoint, P
from ..core.errors import LixError


class CallObservation(Protocol):
    """The observation of one call, from before its first permit to its end."""

    def check(self, outcome: object, headers: Mapping[str, str], wall: float) -> LixError | None:
        """Receive an answer: the result, or the error that it stands for.

        Args:
            outcome: The decoded result or a `LixError`.
            headers: The response headers, names in lower case.
            wall: The time in seconds since the epoch.

        Returns:
            An error that replaces the outcome, or None.
        """
        ...

    def end(self, lost: int) -> None:
        """Receive the end of the call. `lost` attempts may have arrived and got no answer."""
        ...


class CallObserver(Protocol):
    """An object that is notified of every call of a client."""

    def begin(self, endpoint: Endpoint[P, object], params: P, wall: float) -> CallObservation:
        """Start the observation of a call, before it waits for a permit.

        Raises:
            LixError: To prevent the call; nothing is sent then.
        """
        ...
