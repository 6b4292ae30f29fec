"""Profile addresses: the API takes the slug in them, never the address."""

from __future__ import annotations

import re
from urllib.parse import unquote

from ...core.errors import ConfigurationError

_ADDRESS = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/(?:comm/|mwlite/)?in/([^/?#\s]+)(?:[/?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)


def profile_id(link: str) -> str:
    """The id that every call takes: what stands after `/in/` in a profile's address.

    Query, fragment and slashes are dropped, percent sequences decoded. An id comes back as it
    is, so the methods take either. Raises `ConfigurationError` for an address of something else.
    """
    text = link.strip()
    found = _ADDRESS.fullmatch(text)
    slug = unquote(found[1] if found else text)
    if not slug or any(char in "/?#\\" or char.isspace() or char < " " for char in slug):
        raise ConfigurationError(
            "profile_id must be the part after linkedin.com/in/ or the address of a profile"
        )
    return slug
