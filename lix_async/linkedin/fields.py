"""Links in the params and results of providers: whether they may be sent, and the id in them.

The readers of ids never raise, since a field of a result may have any text. They are apart from
`links` and `identifiers` so that `import lix_async` does not load those.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params, known_id

_ON_LINKEDIN = re.compile(
    r"(https?://)?(?:[a-z0-9-]+\.)*linkedin\.com(?:[/?#].*)?", re.ASCII | re.IGNORECASE | re.DOTALL
)
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_PAGE = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/(?:(?:comm|mwlite)/)?([^?#]*)(?:\?([^#]*))?",
    re.ASCII | re.IGNORECASE,
)
_COMPANY_ID = re.compile(r"(?:^|&)companyId=([0-9]+)", re.ASCII)


def is_linkedin_url(text: str, *, bare: bool = False) -> bool:
    """Whether a text is a URL on linkedin.com or a subdomain of it, safe to send as it is.

    Stricter than `classify`: user names, ports, blanks and control characters are not accepted,
    so that every parser sees the same host. With `bare`, the scheme may be missing.
    """
    found = None if _BLANK_OR_CONTROL.search(text) else _ON_LINKEDIN.fullmatch(text)
    return found is not None and (bare or found[1] is not None)


def check_linkedin_urls(params: Params, *names: str, bare: bool = False) -> None:
    """Raise `ConfigurationError` when a named field is neither None nor a LinkedIn URL."""
    for name in names:
        value: object = getattr(params, name)
        if value is None or (isinstance(value, str) and is_linkedin_url(value, bare=bare)):
            continue
        raise ConfigurationError(
            f"{name} must be a URL on linkedin.com, as the browser shows it "
            "(https://www.linkedin.com/…): no other host, no spaces"
        )


def profile_name(link: str | None) -> str | None:
    """The `<name>` of linkedin.com/in/<name>, decoded, with its case; None for any other text."""
    section, name = _section_and_name(link)
    return name if section == "in" else None


def profile_slug(link: str | None) -> str | None:
    """The `<name>` of linkedin.com/in/<name>, decoded, in lower case; None for any other text."""
    name = profile_name(link)
    return name and name.lower()


def company_slug(link: str | None) -> str | None:
    """The `<name>` of linkedin.com/company/<name>, decoded, in lower case.

    Schools and showcase pages count as companies. None for any other text.
    """
    section, name = _section_and_name(link)
    return name.lower() if section in ("company", "school", "showcase") else None


def sales_lead_id(link: str | None) -> str | None:
    """The `<id>` of linkedin.com/sales/lead/<id>,NAME_SEARCH,…, with its case.

    None for any other text.
    """
    section, name = _section_and_name(link)
    return name if section in ("sales/lead", "sales/people", "sales/person") else None


def sales_company_id(link: str | None) -> str | None:
    """The digits of linkedin.com/sales/company/<digits>, or of a `companyId` parameter.

    None for any other text, such as the placeholder linkedin.com/sales/company/.
    """
    section, name = _section_and_name(link)
    if section == "sales/company":
        return name
    page = _PAGE.fullmatch((link or "").partition("#")[0])
    found = _COMPANY_ID.search(page[2] or "") if page else None
    return found[1] if found else None


def _section_and_name(link: str | None) -> tuple[str, str]:
    """("in", "ada") for `https://uk.linkedin.com/in/ada/en?trk=x`; ("", "") for any other text."""
    page = _PAGE.fullmatch((link or "").partition("#")[0])
    parts = [unquote(part) for part in page[1].split("/") if part] if page else []
    depth = 2 if parts[:1] == ["sales"] else 1
    if len(parts) <= depth:
        return "", ""
    name = parts[depth].partition(",")[0] if depth == 2 else parts[depth]
    return ("/".join(parts[:depth]).lower(), name) if known_id(name) else ("", "")
