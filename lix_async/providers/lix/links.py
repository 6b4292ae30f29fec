"""LinkedIn links: which ones may be sent, and what two spellings of one link have in common.

Links of the caller are sent as they are, never decoded or encoded a second time: LinkedIn's
search URLs hold percent sequences that belong to their values (lix.md#encoding).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from ...core.errors import ConfigurationError
from ...core.models import Params

_HOST = r"(?:[a-z0-9-]+\.)*linkedin\.com(?:[/?#].*)?"
_FULL = re.compile(rf"https?://{_HOST}", re.ASCII | re.IGNORECASE | re.DOTALL)
_BARE = re.compile(rf"(?:https?://)?{_HOST}", re.ASCII | re.IGNORECASE | re.DOTALL)
_PATH = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/([^?#]*)(?:\?([^#]*))?", re.ASCII | re.IGNORECASE
)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_COMPANY_ID = re.compile(r"(?:^|&)companyId=([0-9]+)", re.ASCII)


def is_linkedin(text: str, *, bare: bool = False) -> bool:
    """Whether a text is a URL on linkedin.com or below it; `bare` ones may lack the scheme.

    No user names, ports, spaces or control characters: nobody can read such a URL in two ways.
    """
    if _BLANK.search(text):
        return False
    return (_BARE if bare else _FULL).fullmatch(text) is not None


def linkedin_url(params: Params, *names: str, bare: bool = False) -> None:
    """Raise `ConfigurationError` when a named field holds something else than a LinkedIn URL."""
    for name in names:
        value: object = getattr(params, name)
        if value is None or (isinstance(value, str) and is_linkedin(value, bare=bare)):
            continue
        raise ConfigurationError(
            f"{name} must be a URL on linkedin.com, as the browser shows it "
            "(https://www.linkedin.com/…): no other host, no spaces"
        )


def profile_slug(link: str | None) -> str | None:
    """The public identifier in `linkedin.com/in/<slug>`, decoded, in lower case."""
    kind, name = _kind(link)
    return name.lower() if kind == "in" else None


def company_slug(link: str | None) -> str | None:
    """The name in `linkedin.com/company/<slug>`, decoded, in lower case."""
    kind, name = _kind(link)
    return name.lower() if kind in ("company", "school", "showcase") else None


def sales_lead_id(link: str | None) -> str | None:
    """The id in `linkedin.com/sales/lead/<id>,NAME_SEARCH,…`. Upper and lower case matter."""
    kind, name = _kind(link)
    return name if kind in ("sales/lead", "sales/people", "sales/person") else None


def sales_company_id(link: str | None) -> str | None:
    """The digits in `linkedin.com/sales/company/<id>`, None for the placeholder without them."""
    kind, name = _kind(link)
    if kind == "sales/company":
        return name
    match = _PATH.fullmatch(_without_fragment(link))
    found = _COMPANY_ID.search(match[2] or "") if match else None
    return found[1] if found else None


def _kind(link: str | None) -> tuple[str, str]:
    """("in", "ada") for `https://uk.linkedin.com/in/ada/en?trk=x`; ("", "") for anything else."""
    match = _PATH.fullmatch(_without_fragment(link))
    parts = [unquote(part) for part in match[1].split("/") if part] if match else []
    depth = 2 if parts[:1] == ["sales"] else 1
    if len(parts) <= depth:
        return "", ""
    name = parts[depth].partition(",")[0] if depth == 2 else parts[depth]
    return ("/".join(parts[:depth]).lower(), name) if name else ("", "")


def _without_fragment(link: str | None) -> str:
    return (link or "").partition("#")[0]
