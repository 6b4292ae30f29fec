"""Meet Alfred: lists one's own campaigns, leads and connections; it has no lookup."""

from __future__ import annotations

from ...engine.client import Client
from ...providers.meetalfred.client import AsyncMeetAlfred
from ..steps import Step

CLIENT = AsyncMeetAlfred
NO_STEPS_REASON = "Meet Alfred has no lookup: it lists one's own campaigns, leads and connections"


def steps(_: Client) -> tuple[Step, ...]:
    """No steps: no endpoint of this API looks up a given person."""
    return ()
