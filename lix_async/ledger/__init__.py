"""The ledger: what was asked for, what was paid for it and what came, in SQLite or PostgreSQL.

`Ledger` is what programs use. Modules in reading order: `rule` (what each event does to a lookup),
`records`, `transaction` (events applied to rows), `schema`, `tables` (the SQL of both databases),
`suppression`, `erasure`, `erased_rows` and `forgetting` (who is forgotten), `sqlite`, `postgres`,
`connection` (a database in its thread), `owners`, `store` (its methods to await), `reconciliation`
(with the account's balances), `history` (versions and what changed), `refresh` (what to buy again
first), `rescue` (answers that a file could not store), `ledger`, `personal` (the path of a user's
own), `families`, `migration`. May import `core`, `filesystem`, `linkedin` and `concurrency`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from .forgetting import Forgotten, Purged
    from .history import SubjectChange, Version
    from .ledger import Ledger
    from .maintenance import Compaction, LedgerSize
    from .merge import MergeReport
    from .reconciliation import Reconciliation
    from .records import Export, RunEntry
else:
    # The engine imports modules of this package: what only programs use is imported when needed.
    __getattr__, __dir__ = lazy_imports(
        __name__,
        {
            "Compaction": "maintenance",
            "Export": "records",
            "Forgotten": "forgetting",
            "Ledger": "ledger",
            "LedgerSize": "maintenance",
            "MergeReport": "merge",
            "Purged": "forgetting",
            "Reconciliation": "reconciliation",
            "RunEntry": "records",
            "SubjectChange": "history",
            "Version": "history",
        },
    )

__all__ = [
    "Compaction",
    "Export",
    "Forgotten",
    "Ledger",
    "LedgerSize",
    "MergeReport",
    "Purged",
    "Reconciliation",
    "RunEntry",
    "SubjectChange",
    "Version",
]
