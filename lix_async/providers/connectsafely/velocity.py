"""The vendor's speed limits: by key, and by account and kind of call."""

from __future__ import annotations

import msgspec

from ...core.errors import ConfigurationError
from ...core.windows import Lane


class Velocity(msgspec.Struct, frozen=True):
    """Requests in any minute. They may come all at once: what counts is the minute.

    `key`: all calls of the key together. `reads`, `writes`, `account`: those of one LinkedIn
    account, `account` being the calls about the account itself (connectsafely.md#rate-limits).
    """

    key: int = 60
    reads: int = 30
    writes: int = 15
    account: int = 10

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) < 1:
                raise ConfigurationError(f"Velocity.{name} must be at least 1 request a minute")

    def lanes(self, group: str, account: str) -> tuple[Lane, ...]:
        """What a call of a group counts against, for one account (empty: the default one)."""
        key = Lane("key", self.key)
        if group in ("profile", "read"):
            return key, Lane(f"reads {account}".strip(), self.reads)
        if group == "write":
            return key, Lane(f"writes {account}".strip(), self.writes)
        if group == "account":
            return key, Lane(f"account {account}".strip(), self.account)
        return (key,)


VELOCITY = Velocity()
"""The documented limits."""
