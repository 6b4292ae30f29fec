"""Requests that leave after their turns: by how much the turns that follow are to be shifted."""

from __future__ import annotations

import math

MEMORY = 60.0
"""Seconds for which requests that leave late are taken to be late side by side."""


class Lateness:
    """One process's. Requests that are late side by side (each one had to connect) count once."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._known = 0.0

    def more(self, seconds: float, now: float) -> float:
        """How much of that lateness is new; negative if others were as late a while ago."""
        known = self._known if now - self._at <= MEMORY else 0.0
        self._at, self._known = now, max(seconds, known)
        return seconds - known
