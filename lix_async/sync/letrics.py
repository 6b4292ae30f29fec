"""`Letrics`: the client of the Letrics API for programs without an event loop."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Unpack

from ..concurrency.loop_thread import Backend
from ..core.provider import ApiKey
from ..engine.options import ClientOptions, hide_key
from ..providers.letrics.client import AsyncLetrics
from ..providers.letrics.endpoints import Arrays, PersonalEmailField, RequestMethod
from ..providers.letrics.resources import LetricsMethods
from .client import SyncClient, SyncView
from .methods import listing


class Letrics(SyncClient[AsyncLetrics]):
    """The client of the Letrics API for programs without an event loop.

    It has the methods of `AsyncLetrics`, which return instead of being awaited; listings return
    `SyncPages`. See `SyncClient` for threads, notebooks and Ctrl-C.

    Args:
        api_key: Default: `LETRICS_API_KEY` from the environment.
        paths: As for `AsyncLetrics`.
        method: As for `AsyncLetrics`.
        arrays: As for `AsyncLetrics`.
        personal_email_field: As for `AsyncLetrics`.
        backend: The event loop of its thread, `"asyncio"` or `"trio"`.
        **options: The other arguments of `AsyncLetrics`.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.

    Example:
        ```python
        with Letrics(base_url="https://…") as letrics:
            first = letrics.contacts(job_titles=["CTO"]).first()
        ```
    """

    contacts = listing(LetricsMethods.contacts)
    companies = listing(LetricsMethods.companies)
    provider = AsyncLetrics.provider
    with_options = SyncView(AsyncLetrics.with_options)

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        paths: Mapping[str, str] = MappingProxyType({}),
        method: RequestMethod = "POST",
        arrays: Arrays = "joined",
        personal_email_field: PersonalEmailField = "has_personal_emails",
        backend: Backend = "asyncio",
        **options: Unpack[ClientOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
        super().__init__(
            AsyncLetrics(
                key,
                paths=paths,
                method=method,
                arrays=arrays,
                personal_email_field=personal_email_field,
                **options,
            ),
            backend,
        )
