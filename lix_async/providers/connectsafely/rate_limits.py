"""The rate limits of the API, and their state as responses report it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from ...core.errors import ConfigurationError
from ...core.rate_limit import WindowLimit
from ...core.timestamps import parse_timestamp

_TEXT = re.compile(
    r"Rate limit exceeded for ([^\s:]+): ([0-9]{1,9})/([0-9]{1,9}) used(?:\. Resets at (.+))?",
    re.ASCII,
)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class RateState(msgspec.Struct, frozen=True):
    """How much of a limit is used. Any field may be missing, since the headers do not always come.

    `action` is an open set of names (`PROFILE`, `PROFILE_VIEW`, …); `reset` is an aware UTC
    datetime.
    """

    action: str | None = None
    limit: int | None = None
    used: int | None = None
    remaining: int | None = None
    reset: datetime | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RateState | None:
        """The state in the headers of a response, in any letter case; None if there are none.

        The reset time may have `T` or a space, milliseconds, `Z` or an offset, or be in epoch
        seconds.
        """
        given = {name.lower(): value.strip() for name, value in headers.items()}

        def header(name: str) -> str | None:
            return given.get(f"x-ratelimit-{name}") or None

        state = cls(
            action=header("action"),
            limit=_number(header("limit")),
            used=_number(header("used")),
            remaining=_number(header("remaining")),
            reset=parse_timestamp(header("reset")),
        )
        return state if state != cls() else None

    @classmethod
    def from_text(cls, text: str) -> RateState | None:
        """The state in the message of a daily-quota error, for responses without the headers."""
        found = _TEXT.search(text)
        if found is None:
            return None
        used, limit = int(found[2]), int(found[3])
        return cls(found[1], limit, used, max(limit - used, 0), parse_timestamp(found[4]))

    @property
    def of_profiles(self) -> bool:
        """Whether it is the daily quota of profiles, which has several names."""
        return self.action is not None and self.action.upper().startswith("PROFILE")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


class Velocity(msgspec.Struct, frozen=True):
    """Requests per minute. Only their number in any minute is limited, not their distance.

    Attributes:
        key: All calls of the API key together.
        reads: Reads of one LinkedIn account.
        writes: Writes of one LinkedIn account.
        account: Calls about one LinkedIn account itself.

    Contract:
        connectsafely.md#rate-limits
    """

    key: int = 60
    reads: int = 30
    writes: int = 15
    account: int = 10

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) < 1:
                raise ConfigurationError(f"Velocity.{name} must be at least 1 request a minute")

    def limits(self, group: str, account: str) -> tuple[WindowLimit, ...]:
        """The limits that a call of a group counts against, for an account (empty: the default)."""
        key = WindowLimit("key", self.key)
        if group in ("profile", "read"):
            return key, WindowLimit(f"reads {account}".strip(), self.reads)
        if group == "write":
            return key, WindowLimit(f"writes {account}".strip(), self.writes)
        if group == "account":
            return key, WindowLimit(f"account {account}".strip(), self.account)
        return (key,)


VELOCITY = Velocity()
"""The documented limits."""
