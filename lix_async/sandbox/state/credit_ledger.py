"""What was paid, and what is left: the sandbox's witness that nothing is paid for twice."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..protocol.errors import quota_exceeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS: tuple[str, ...] = ("standard", "org", "email")
"""The three kinds of credit; `account.balances` calls them linkedIn, lookc and email."""
DEFAULT_CREDITS = {"standard": 50_000, "org": 10_000, "email": 10_000}


@dataclass(frozen=True, slots=True)
class Charge:
    """One answer that was paid for.

    `input` is the call's params as JSON with sorted keys, nulls left out: equal inputs are equal
    texts. `at` is seconds on the sandbox's clock, `request` the number of the request in
    `sandbox.requests`.
    """

    endpoint: str
    input: str
    kind: str
    amount: int
    at: float
    request: int


class CreditLedger:
    """Balances by kind, and every charge that lowered them, in order."""

    def __init__(self, balances: Mapping[str, int] | None = None) -> None:
        given = DEFAULT_CREDITS if balances is None else balances
        if unknown := set(given) - set(KINDS):
            raise ValueError(f"no such kind of credit: {', '.join(sorted(unknown))}")
        self._start = {kind: given.get(kind, 0) for kind in KINDS}
        self.balances: dict[str, int] = dict(self._start)
        self.charges: list[Charge] = []

    def __len__(self) -> int:
        return len(self.charges)

    def __iter__(self) -> Iterator[Charge]:
        return iter(self.charges)

    def reset(self) -> None:
        """Back to the first balances, without charges."""
        self.balances.update(self._start)
        self.charges.clear()

    def check_balance(self, kind: str, amount: int) -> None:
        """Raise the 402 refusal unless the balance covers a price."""
        if kind in KINDS and self.balances[kind] < amount:
            raise quota_exceeded()

    def check_any_balance(self) -> None:
        """Raise the 402 refusal when no credit is left: facets are free, yet need some."""
        if not any(self.balances.values()):
            raise quota_exceeded()

    def charge(self, charge: Charge) -> None:
        """Take the price of one answer; other kinds than the three, and amounts of 0, are free."""
        if charge.kind in KINDS and charge.amount > 0:
            self.balances[charge.kind] -= charge.amount
            self.charges.append(charge)

    def totals(self) -> dict[str, int]:
        """Credits spent by kind, zeros included."""
        spent = dict.fromkeys(KINDS, 0)
        for charge in self.charges:
            spent[charge.kind] += charge.amount
        return spent

    def by_input(self) -> dict[tuple[str, str], list[Charge]]:
        """Charges grouped by (endpoint id, input), in the order of the first one of each."""
        grouped: dict[tuple[str, str], list[Charge]] = defaultdict(list)
        for charge in self.charges:
            grouped[charge.endpoint, charge.input].append(charge)
        return dict(grouped)

    def repeats(self) -> dict[tuple[str, str], list[Charge]]:
        """What was paid for more than once: empty when nothing was paid twice."""
        return {name: charges for name, charges in self.by_input().items() if len(charges) > 1}
