"""`AsyncLetrics`: the client of the Letrics API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Unpack

from ...core.provider import ApiKey
from ...engine.options import ClientOptions, hide_key
from .endpoints import Arrays, PersonalEmailField, RequestMethod, customised
from .provider import LETRICS
from .resources import LetricsMethods


class AsyncLetrics(LetricsMethods):
    """The client of the Letrics API, for asyncio and trio: contacts and companies by filters.

    The vendor publishes fields, errors and the header of the key, but neither address nor paths.
    These are arguments; where a guess is safe, it is the default. Use the client with `async with`,
    or end with `await letrics.aclose()`.

    Methods raise `ConfigurationError` before anything is sent, a `RefusalError` for an error
    response (`LetricsError`, with everything that it lists in `errors`), a `TransportError` when no
    usable response arrives, and `DecodeError` for a response that does not fit the result's type.

    Args:
        api_key: Default: `LETRICS_API_KEY` from the environment.
        paths: Paths in place of `{"contacts": "/contacts", "companies": "/companies"}`, a guess.
        method: `"POST"` with a JSON body (a guess), or `"GET"` with everything in the query.
        arrays: Lists in a query: `"joined"` (`a=1,2`), `"repeated"` (`a=1&a=2`) or `"bracketed"`
            (`a[]=1&a[]=2`).
        personal_email_field: The API's name of `has_personal_emails`. The vendor's newer page has
            `"has_personal_email"`; the default is the older name.
        **options: `auth` (only `"bearer"`), `base_url` (default: `LETRICS_BASE_URL`; one of both is
            required: ask the vendor), `rate_limit` (none is documented, the default of two calls a
            second is a guess), `retry`, `deadline`, `timeout`, `http_client`, `verify`,
            `max_credits`, `on_drift`, `cache`, `cache_searches`, `doubts`, `on_event`, `max_age`,
            `refused_age` and `clock`, as for `AsyncLix`. `viewer_id` is accepted but not sent by
            any call.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.
    """

    provider = LETRICS

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        paths: Mapping[str, str] = MappingProxyType({}),
        method: RequestMethod = "POST",
        arrays: Arrays = "joined",
        personal_email_field: PersonalEmailField = "has_personal_emails",
        **options: Unpack[ClientOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
        self._endpoints = customised(paths, method, personal_email_field, arrays)
        super().__init__(key, **options)
