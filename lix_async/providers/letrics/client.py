"""`AsyncLetrics`: the client of the Letrics API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Unpack

from ...engine.options import ClientOptions
from .endpoints import Arrays, PersonalEmailField, RequestMethod, customised
from .provider import LETRICS
from .resources import LetricsMethods


class AsyncLetrics(LetricsMethods):
    """The Letrics API, asynchronously, on asyncio and trio: contacts and companies by filters.

    The vendor publishes fields, errors and the key's header, and neither address nor paths, so
    these are settings, with guesses where a guess is safe. Use it as
    `async with AsyncLetrics(base_url=…) as letrics:` or end with `await letrics.aclose()`.

    `api_key`: default `LETRICS_API_KEY` from the environment. `base_url`: default
    `LETRICS_BASE_URL`; there is no other, ask the vendor. `paths`: instead of
    `{"contacts": "/contacts", "companies": "/companies"}`, which is a guess. `method`: `"POST"`
    with a JSON body (a guess), or `"GET"` with everything in the query. `arrays`: lists in such a
    query, `"joined"` (`a=1,2`), `"repeated"` (`a=1&a=2`) or `"bracketed"` (`a[]=1&a[]=2`).
    `personal_email_field`: the wire's name of `has_personal_emails`, which the vendor's newer
    page writes `"has_personal_email"`; the older one is the default. `rate_limit`: none is
    documented, the default of two calls a second is a guess. `viewer_id`: taken so that clients
    can be set up alike; no call here sends one. All other arguments are those of `AsyncLix`:
    `auth` (only `"bearer"`), `retry`, `deadline`, `timeout`, `http_client`, `max_credits`,
    `on_drift`, `clock`.

    Every method raises `ConfigurationError` before anything is sent, a `RefusalError` when the
    service says no (`LetricsError`, with all that it lists in `.errors`), a `TransportError` when
    no usable answer came, and `DecodeError` when it does not fit.
    """

    provider = LETRICS

    def __init__(
        self,
        api_key: str | None = None,
        *,
        paths: Mapping[str, str] = MappingProxyType({}),
        method: RequestMethod = "POST",
        arrays: Arrays = "joined",
        personal_email_field: PersonalEmailField = "has_personal_emails",
        **options: Unpack[ClientOptions],
    ) -> None:
        self._endpoints = customised(paths, method, personal_email_field, arrays)
        super().__init__(api_key, **options)
