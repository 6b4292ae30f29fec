"""Meet Alfred: campaigns, leads and connections of one's own, and no lookup."""

from __future__ import annotations

from ...engine.client import Client
from ...providers.meetalfred.client import AsyncMeetAlfred
from ..steps import Step

CLIENT = AsyncMeetAlfred
NO_STEPS_REASON = "Meet Alfred lists one's own campaigns, leads and connections: it looks nobody up"


def steps(_: Client) -> tuple[Step, ...]:
    """None: no call of this API takes a person and tells who it is."""
    return ()
