"""What becomes of lookups in doubt: sent, without an answer, and perhaps charged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ..core.errors import ConfigurationError
from ..ledger.store import Entry

DoubtCallback = Callable[[Entry], Literal["hold", "retry"]]
DoubtPolicy = Literal["hold", "retry"] | DoubtCallback
"""What to do with a lookup in doubt."""


def check_doubts(doubts: DoubtPolicy) -> None:
    """Raise `ConfigurationError` for what is no policy."""
    if doubts not in ("hold", "retry") and not callable(doubts):
        raise ConfigurationError(f'doubts must be "hold", "retry" or a function, not {doubts!r}')
