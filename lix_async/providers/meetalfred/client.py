"""`AsyncMeetAlfred`: the client of the Meet Alfred API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Unpack

from msgspec import structs

from ...core.errors import ConfigurationError
from ...core.provider import AuthScheme
from ...engine.options import ClientOptions
from .endpoints import BY_ID, ReadMethod
from .provider import MEETALFRED
from .resources import PREFIX, MeetAlfredMethods

_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


class AsyncMeetAlfred(MeetAlfredMethods):
    """The Meet Alfred API, asynchronously, on asyncio and trio: campaigns, leads, connections.

    Three listings are documented by the vendor, everything else about them is known from public
    clients only; so addresses and names are settings. The key travels in the query, and is put
    there at the last moment: no log, error or `repr` shows it. Use it as
    `async with AsyncMeetAlfred() as alfred:` or end with `await alfred.aclose()`.

    `api_key`: the organisation's key from the Settings page, default `MEETALFRED_API_KEY` from
    the environment. `base_url`: default `MEETALFRED_BASE_URL`, else the address that most
    clients use; white-label customers have their own. `key_parameter`: the key's name in the
    query. `paths`: other paths by method, as `{"leads": "/leads"}`. `method`: how reads are asked,
    `"GET"` (a guess) or `"POST"`, with everything in the query either way, where the vendor has
    the key; adding a lead stays a POST. `first_page`: the number of the first page, 0 in public
    clients; with 1, the methods' default `page=0` means that one. `rate_limit`: none is
    documented, the default is one call in 0.4 s. `viewer_id`: taken so that clients can be set
    up alike; no call here sends one. All other arguments are those of `AsyncLix`: `auth` (only
    `"query"`), `retry`, `deadline`, `timeout`, `http_client`, `max_credits`, `on_drift`, `clock`.

    Listings count pages from 0. They end with a page that has fewer than `per_page` rows, with
    an empty one, and with one that repeats the page before, as servers that ignore `page` do.
    Every method raises `ConfigurationError` before anything is sent, a `RefusalError` by the
    answer's status, a `TransportError` when no usable answer came, and `DecodeError` when it
    does not fit. No price is published for any call.
    """

    provider = MEETALFRED

    def __init__(
        self,
        api_key: str | None = None,
        *,
        key_parameter: str = "webhook_key",
        paths: Mapping[str, str] = MappingProxyType({}),
        method: ReadMethod = "GET",
        first_page: int = 0,
        **options: Unpack[ClientOptions],
    ) -> None:
        if not _NAME.fullmatch(key_parameter):
            raise ConfigurationError(f"key_parameter is a name in a query, not {key_parameter!r}")
        for name, path in paths.items():
            if PREFIX + name not in BY_ID:
                raise ConfigurationError(f"paths knows the names of methods, not {name!r}")
            if not path.startswith("/") or any(char in "?#{}\\" or char <= " " for char in path):
                raise ConfigurationError(f"a path is /like/this, behind base_url: {path!r}")
        if method not in ("GET", "POST"):
            raise ConfigurationError(f"method must be GET or POST, not {method!r}")
        if isinstance(first_page, bool) or first_page not in (0, 1):
            raise ConfigurationError(f"first_page must be 0 or 1, not {first_page!r}")
        self._paths = dict(paths)
        self._method = method
        self._first_page = first_page
        credential = AuthScheme("query", key_parameter)
        self.provider = structs.replace(MEETALFRED, credentials={"query": credential})
        super().__init__(api_key, **options)
