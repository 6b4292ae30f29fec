"""The events of clients and runs: what `on_event=` and `lix.events.add` pass to a listener.

See `lix_async.engine.events`, whose names these are.
"""

from .engine.events import (
    AttemptEnded,
    AttemptStarted,
    CacheHit,
    CallEnded,
    CallOutcome,
    CallStarted,
    Event,
    EventStream,
    Held,
    OnEvent,
    OutcomeReady,
    RunEnded,
    RunParked,
    RunResumed,
    RunStarted,
    WaitReason,
    WaitStarted,
)

__all__ = [
    "AttemptEnded",
    "AttemptStarted",
    "CacheHit",
    "CallEnded",
    "CallOutcome",
    "CallStarted",
    "Event",
    "EventStream",
    "Held",
    "OnEvent",
    "OutcomeReady",
    "RunEnded",
    "RunParked",
    "RunResumed",
    "RunStarted",
    "WaitReason",
    "WaitStarted",
]
