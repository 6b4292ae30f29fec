"""Credits: the balances and every charge, to verify that nothing is charged twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..protocol.errors import quota_exceeded

KINDS: tuple[str, ...] = ("standard", "org", "email")
"""The kinds of credit; `account.balances` calls them linkedIn, lookc and email."""
DEFAULT_CREDITS = {"standard": 50_000, "org": 10_000, "email": 10_000}


@dataclass(frozen=True, slots=True)
class Charge:
    """One charged response.

    * `endpoint`: the catalogue id.
    * `input`: the parameters as JSON with sorted keys and without nulls, so that equal inputs have
      equal texts.
    * `kind`, `amount`: the credits charged.
    * `at`: seconds on the sandbox's clock.
    * `request`: the number of the request in `sandbox.requests`.
    """

    endpoint: str
    input: str
    kind: str
    amount: int
    at: float
    request: int


class CreditLedger:
    """Balances by kind, and every charge in order.

    Args:
        balances: The credits by kind. A kind that is left out has none. None gives 50,000
            standard, 10,000 org and 10,000 email.

    Raises:
        ValueError: `balances` names an unknown kind, or a balance is below 0.
    """

    def __init__(self, balances: Mapping[str, int] | None = None) -> None:
        given = DEFAULT_CREDITS if balances is None else balances
        if unknown := set(given) - set(KINDS):
            names = ", ".join(sorted(unknown))
            raise ValueError(f"unknown credit kind {names}: expected standard, org or email")
        if any(count < 0 for count in given.values()):
            raise ValueError("a balance must be at least 0")
        self._start = {kind: given.get(kind, 0) for kind in KINDS}
        self.balances: dict[str, int] = dict(self._start)
        self.charges: list[Charge] = []

    def __len__(self) -> int:
        return len(self.charges)

    def __iter__(self) -> Iterator[Charge]:
        return iter(self.charges)

    def reset(self) -> None:
        """Restore the initial balances and delete all charges."""
        self.balances.update(self._start)
        self.charges.clear()

    def check_balance(self, kind: str, amount: int) -> None:
        """Check that a balance covers a price.

        Raises:
            ErrorReply: 402, it does not.
        """
        if kind in KINDS and self.balances[kind] < amount:
            raise quota_exceeded()

    def check_any_balance(self) -> None:
        """Check that any credit is left. Facets are free, but need a credit.

        Raises:
            ErrorReply: 402, none is left.
        """
        if not any(self.balances.values()):
            raise quota_exceeded()

    def charge(self, charge: Charge) -> bool:
        """Record a charge, if it is not free: other kinds than the three and amounts of 0 are.

        Returns:
            Whether credits were charged.
        """
        if charge.kind not in KINDS or charge.amount <= 0:
            return False
        self.balances[charge.kind] -= charge.amount
        self.charges.append(charge)
        return True

    def totals(self) -> dict[str, int]:
        """Credits spent by kind, zeros included."""
        spent = dict.fromkeys(KINDS, 0)
        for charge in self.charges:
            spent[charge.kind] += charge.amount
        return spent

    def by_input(self) -> dict[tuple[str, str], list[Charge]]:
        """Charges by (endpoint id, input), in the order of the first charge of each."""
        grouped: dict[tuple[str, str], list[Charge]] = defaultdict(list)
        for charge in self.charges:
            grouped[charge.endpoint, charge.input].append(charge)
        return dict(grouped)

    def repeats(self) -> dict[tuple[str, str], list[Charge]]:
        """Inputs that were charged more than once; empty if nothing was charged twice."""
        return {name: charges for name, charges in self.by_input().items() if len(charges) > 1}
