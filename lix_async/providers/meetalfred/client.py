"""`AsyncMeetAlfred`: the client of the Meet Alfred API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Unpack

from msgspec import structs

from ...core.errors import ConfigurationError
from ...core.provider import ApiKey, AuthScheme
from ...engine.options import ClientOptions, hide_key
from .endpoints import BY_ID, ReadMethod
from .provider import MEETALFRED
from .resources import PREFIX, MeetAlfredMethods

_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


class AsyncMeetAlfred(MeetAlfredMethods):
    """The client of the Meet Alfred API, for asyncio and trio: campaigns, leads, connections.

    The vendor documents three listings; everything else is known from public clients only, so
    addresses and names are arguments. The key is sent in the query, is added at the last moment,
    and appears in no log, error or `repr`. Use the client with `async with`, or end with
    `await alfred.aclose()`.

    Listings count pages from 0. They end with a page of fewer than `per_page` items, with an empty
    page, or with a page that repeats the one before, as servers that ignore `page` return it.
    Methods raise `ConfigurationError` before anything is sent, a `RefusalError` by the status of an
    error response, a `TransportError` when no usable response arrives, and `DecodeError` for a
    response that does not fit the result's type.

    Args:
        api_key: The organisation's key from the Settings page. Default: `MEETALFRED_API_KEY` from
            the environment.
        key_parameter: The name of the key in the query.
        paths: Other paths by method, such as `{"leads": "/leads"}`.
        method: How reads are requested: `"GET"` (a guess) or `"POST"`, with everything in the
            query. Adding a lead is always a POST.
        first_page: The number of the first page: 0, as in public clients, or 1. With 1, the default
            `page=0` of the methods means the first page.
        **options: `auth` (only `"query"`), `base_url` (default: `MEETALFRED_BASE_URL`, else the
            address that most clients use; white-label customers have their own), `rate_limit` (none
            is documented, the default is one call in 0.4 s), `retry`, `deadline`, `timeout`,
            `http_client`, `verify`, `max_credits`, `on_drift`, `cache`, `cache_searches`, `doubts`,
            `on_event`, `max_age`, `refused_age` and `clock`, as for `AsyncLix`. `viewer_id` is
            accepted but not sent by any call.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.
    """

    provider = MEETALFRED

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        key_parameter: str = "webhook_key",
        paths: Mapping[str, str] = MappingProxyType({}),
        method: ReadMethod = "GET",
        first_page: int = 0,
        **options: Unpack[ClientOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
        if not _NAME.fullmatch(key_parameter):
            raise ConfigurationError(
                f"invalid key_parameter {key_parameter!r}: expected letters, digits, _ . or -"
            )
        for name, path in paths.items():
            if PREFIX + name not in BY_ID:
                raise ConfigurationError(
                    f"unknown key {name!r} in paths: expected the name of a method"
                )
            if not path.startswith("/") or any(char in "?#{}\\" or char <= " " for char in path):
                raise ConfigurationError(
                    f"invalid path {path!r} in paths: expected one such as '/leads', below base_url"
                )
        if method not in ("GET", "POST"):
            raise ConfigurationError(f"method must be GET or POST, not {method!r}")
        if isinstance(first_page, bool) or first_page not in (0, 1):
            raise ConfigurationError(f"first_page must be 0 or 1, not {first_page!r}")
        self._paths = dict(paths)
        self._method = method
        self._first_page = first_page
        scheme = AuthScheme("query", key_parameter)
        self.provider = structs.replace(MEETALFRED, credentials={"query": scheme})
        super().__init__(key, **options)
