"""FastAPI: one client for all requests, errors as answers, streams, jobs, and LookC's webhooks.

    from fastapi import FastAPI
    from lix_async import AsyncLix, Person
    from lix_async.integrations.fastapi import LixDep, setup

    app = FastAPI()
    setup(app, AsyncLix(deadline=30))

    @app.get("/person")
    async def person(link: str, lix: LixDep) -> Person:
        return await lix.people.get(link)

Modules in reading order: `app` (`setup`, the dependencies), `problems` (errors as answers),
`disconnects` (callers who leave), `streaming` (listings as lines or events), `jobs` (lookups in the
background, kept in `job_store`) and `webhooks`. It needs the extra `lix_async[fastapi]`.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...core.errors import ConfigurationError

if find_spec("fastapi") is None:
    raise ConfigurationError("missing extra: pip install 'lix_async[fastapi]'")

from .app import MissingClientError, client, setup
from .disconnects import StopOnDisconnect
from .job_store import JobState
from .jobs import JobExistsError, JobOptions, Jobs
from .problems import PROBLEMS, problem
from .streaming import stream, stream_of
from .webhooks import MemorySeenPayloads, SeenPayloads, SqliteSeenPayloads, lookc_webhooks

if TYPE_CHECKING:
    from typing import Annotated

    from fastapi import Depends

    from ...providers.connectsafely.client import AsyncConnectSafely
    from ...providers.letrics.client import AsyncLetrics
    from ...providers.lix.client import AsyncLix
    from ...providers.lookc.client import AsyncLookC
    from ...providers.meetalfred.client import AsyncMeetAlfred

    LixDep = Annotated[AsyncLix, Depends(client(AsyncLix))]
    LookCDep = Annotated[AsyncLookC, Depends(client(AsyncLookC))]
    ConnectSafelyDep = Annotated[AsyncConnectSafely, Depends(client(AsyncConnectSafely))]
    LetricsDep = Annotated[AsyncLetrics, Depends(client(AsyncLetrics))]
    MeetAlfredDep = Annotated[AsyncMeetAlfred, Depends(client(AsyncMeetAlfred))]
else:
    # Made on first use: each one imports its client, and most programs use one of them.
    def __getattr__(name: str) -> object:
        from .app import dependency

        found = dependency(name)
        if found is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found


__all__ = [
    "PROBLEMS",
    "ConnectSafelyDep",
    "JobExistsError",
    "JobOptions",
    "JobState",
    "Jobs",
    "LetricsDep",
    "LixDep",
    "LookCDep",
    "MeetAlfredDep",
    "MemorySeenPayloads",
    "MissingClientError",
    "SeenPayloads",
    "SqliteSeenPayloads",
    "StopOnDisconnect",
    "client",
    "lookc_webhooks",
    "problem",
    "setup",
    "stream",
    "stream_of",
]
