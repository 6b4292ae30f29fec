"""The ledger: what was asked for, what was paid for it and what came, in SQLite or PostgreSQL.

`Ledger` is what programs use. Modules in reading order: `rule` (what each event does to a lookup),
`records`, `transaction` (events applied to rows), `schema`, `tables` (the SQL of both databases),
`suppression`, `erasure`, `erased_rows` and `forgetting` (who is forgotten), `sqlite`, `postgres`,
`connection` (a database in its thread), `owners`, `store` (its methods to await), `reconciliation`
(with the account's balances), `history` (versions and what changed), `refresh` (what to buy again
first), `ledger`, `personal` (the path of a user's
own), `families`, `migration`. May import `core`, `filesystem`, `linkedin` and `concurrency`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ledger import Ledger

__all__ = ["Ledger"]


def __getattr__(name: str) -> object:
    if (
        name == "Ledger"
    ):  # imported when it is asked for: the engine imports modules of this package
        from .ledger import Ledger

        return Ledger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
