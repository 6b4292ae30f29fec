"""The clients for programs without an event loop: scripts, notebooks, threads.

    from lix_async import Lix

    with Lix() as lix:
        for row in lix.search.people(url, max_items=100):
            print(lix.people.get(row.link).name)

`Lix`, `LookC`, `ConnectSafely`, `Letrics` and `MeetAlfred` take the arguments of the async clients
and `backend`, and have their methods, which return instead of being awaited. Listings are
`SyncPages`; `lix.run` is a `SyncRun`; `lix.aio` is the async client inside.

Modules in reading order: `pages`, `methods` (how a method is made of the async one), `run`,
`client`, and one for each provider. The package may import `core`, `concurrency`, `engine`,
`ledger`, `bulk` and the providers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from .client import SyncClient
    from .connectsafely import ConnectSafely
    from .letrics import Letrics
    from .lix import Lix
    from .lookc import LookC
    from .meetalfred import MeetAlfred
    from .pages import SyncPages
    from .run import SyncRun
else:
    # Late, because a program uses the client of one provider.
    __getattr__, __dir__ = lazy_imports(
        __name__,
        {
            "ConnectSafely": "connectsafely",
            "Letrics": "letrics",
            "Lix": "lix",
            "LookC": "lookc",
            "MeetAlfred": "meetalfred",
            "SyncClient": "client",
            "SyncPages": "pages",
            "SyncRun": "run",
        },
    )

__all__ = [
    "ConnectSafely",
    "Letrics",
    "Lix",
    "LookC",
    "MeetAlfred",
    "SyncClient",
    "SyncPages",
    "SyncRun",
]
