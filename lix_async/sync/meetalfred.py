"""`MeetAlfred`: the client of the Meet Alfred API for programs without an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Unpack

from ..concurrency.loop_thread import Backend
from ..core.provider import ApiKey
from ..engine.options import ClientOptions, hide_key
from ..providers.meetalfred.client import AsyncMeetAlfred
from ..providers.meetalfred.endpoints import ReadMethod
from ..providers.meetalfred.resources import MeetAlfredMethods
from .client import SyncClient, SyncView
from .methods import call, listing


class MeetAlfred(SyncClient[AsyncMeetAlfred]):
    """The client of the Meet Alfred API for programs without an event loop.

    It has the methods of `AsyncMeetAlfred`, which return instead of being awaited; listings return
    `SyncPages`. See `SyncClient` for threads, notebooks and Ctrl-C.

    Args:
        api_key: Default: `MEETALFRED_API_KEY` from the environment.
        key_parameter: As for `AsyncMeetAlfred`.
        paths: As for `AsyncMeetAlfred`.
        method: As for `AsyncMeetAlfred`.
        first_page: As for `AsyncMeetAlfred`.
        backend: The event loop of its thread, `"asyncio"` or `"trio"`.
        **options: The other arguments of `AsyncMeetAlfred`.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.

    Example:
        ```python
        with MeetAlfred(base_url="https://…") as meetalfred:
            campaigns = meetalfred.campaigns()
        ```
    """

    campaigns = call(MeetAlfredMethods.campaigns)
    leads = listing(MeetAlfredMethods.leads)
    connections = listing(MeetAlfredMethods.connections)
    new_reply_detected = listing(MeetAlfredMethods.new_reply_detected)
    get_last_actions = listing(MeetAlfredMethods.get_last_actions)
    get_team_members = call(MeetAlfredMethods.get_team_members)
    get_member_connections = listing(MeetAlfredMethods.get_member_connections)
    add_lead_to_campaign = call(MeetAlfredMethods.add_lead_to_campaign)
    provider = AsyncMeetAlfred.provider
    with_options = SyncView(AsyncMeetAlfred.with_options)

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        key_parameter: str = "webhook_key",
        paths: Mapping[str, str] = MappingProxyType({}),
        method: ReadMethod = "GET",
        first_page: int = 0,
        backend: Backend = "asyncio",
        **options: Unpack[ClientOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
        super().__init__(
            AsyncMeetAlfred(
                key,
                key_parameter=key_parameter,
                paths=paths,
                method=method,
                first_page=first_page,
                **options,
            ),
            backend,
        )
