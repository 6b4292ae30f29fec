"""Everybody's pace: sliding logs for each key in each house, and for what a house parts it into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .houses import Standing
from .limits import SlidingLog
from .refusals import Refusal, rate_limit

if TYPE_CHECKING:
    from .answers.context import Asked
    from .arrivals import Row
    from .houses import House
    from .houses.house import Rate


class Paces:
    """The rates that are kept, and how far each caller has used them up.

    `rate`: that of the first house, or of any by name; None: no rate at all is kept. Houses that
    are not named keep their provider's own.
    """

    def __init__(
        self, houses: Sequence[House], rate: Rate | Mapping[str, Rate | None] | None
    ) -> None:
        own: dict[str, Rate | None] = {house.name: house.rate for house in houses}
        if rate is None:
            self.rates: dict[str, Rate | None] = dict.fromkeys(own)
        else:
            given = rate if isinstance(rate, Mapping) else {houses[0].name: rate}
            if unknown := set(given) - set(own):
                raise ValueError(f"no such provider: {', '.join(sorted(unknown))}")
            self.rates = own | dict(given)
        self._logs: dict[tuple[str, str], SlidingLog] = {}

    def reset(self) -> None:
        """Forget who came when."""
        self._logs.clear()

    def admit(self, house: House, caller: str, now: float, epoch: float) -> None:
        """Take a turn; a `rate_limit` refusal where none is free."""
        log = self._log(house, caller)
        if log and not log.admit(now):
            raise _refusal(house, log, now, epoch)

    def admit_group(self, house: House, row: Row, asked: Asked, now: float, epoch: float) -> None:
        """Take a turn in each of the house's lanes that the call belongs to."""
        if self.rates[house.name] is None:
            return
        for name, rate in house.lanes(row, asked).items():
            log = self._logs.setdefault((house.name, name), SlidingLog(*rate))
            if not log.admit(now):
                raise _refusal(house, log, now, epoch)

    def standing(
        self,
        house: House,
        caller: str,
        row: Row | None,
        asked: Asked | None,
        now: float,
        epoch: float,
    ) -> Standing | None:
        """How far a caller is, at a moment that is `epoch` in seconds since 1970.

        Of the rates that the call counts against, it is the one with the least left.
        """
        log = self._log(house, caller) if caller else None
        if log is None:
            return None
        logs = [log]
        if row is not None and asked is not None:
            names = ((house.name, name) for name in house.lanes(row, asked))
            logs += [self._logs[name] for name in names if name in self._logs]
        return min((_standing(one, now, epoch) for one in logs), key=lambda one: one.left)

    def _log(self, house: House, caller: str) -> SlidingLog | None:
        rate = self.rates[house.name]
        if rate is None:
            return None
        return self._logs.setdefault((house.name, caller), SlidingLog(*rate))


def _standing(log: SlidingLog, now: float, epoch: float) -> Standing:
    return Standing(log.requests, log.used(now), epoch + log.free_in(now))


def _refusal(house: House, log: SlidingLog, now: float, epoch: float) -> Refusal:
    refusal = rate_limit()
    refusal.headers |= house.too_fast(_standing(log, now, epoch), epoch)
    return refusal
