"""Which ids are of one person or organisation: what is known for nothing, without any request.

`identify` reads the id in a link. `Ledger.resolve` returns what a ledger has about it.

Example:
    ```python
    from lix_async import identity
    from lix_async.ledger import Ledger

    identity.identify("https://www.linkedin.com/sales/lead/ACwAAEXAMPLE0001,NAME,x")
    # Identifier(kind='sales', id='ACwAAEXAMPLE0001')
    async with Ledger("people.db") as ledger:
        known = await ledger.resolve("https://www.linkedin.com/in/example-person-1")
        print(known.subject and [one.link for one in known.subject.ids])
        async for conflict in ledger.conflicts():
            print([[one.link for one in subject.ids] for subject in conflict.subjects])
    ```
"""

from __future__ import annotations

from .ledger.resolution import (
    Conflict,
    KnownId,
    Purchase,
    Resolution,
    SubjectRecord,
    identify,
)
from .linkedin.subject_ids import Identifier, IdKind

__all__ = [
    "Conflict",
    "IdKind",
    "Identifier",
    "KnownId",
    "Purchase",
    "Resolution",
    "SubjectRecord",
    "identify",
]
