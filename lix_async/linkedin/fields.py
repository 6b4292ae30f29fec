"""Links in the params and results of providers: how they are sent, compared, and the id in them.

The readers of ids never raise, since a field of a result may have any text. They are apart from
`links` and `identifiers` so that `import lix_async` does not load those.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias
from urllib.parse import unquote

from lix_async.core.canonical import CanonicalForm
from lix_async.core.errors import ConfigurationError
from lix_async.core.models import Params, known_id
from lix_async.core.pagination import number_in_url

from .kinds import ENCODED, SUBJECTS

_ON_LINKEDIN = re.compile(
    r"(https?://)?(?:[a-z0-9-]+\.)*linkedin\.com(?:[/?#].*)?", re.ASCII | re.IGNORECASE | re.DOTALL
)
_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_PAGE = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/(?:(?:comm|mwlite)/)?([^?#]*)(?:\?([^#]*))?",
    re.ASCII | re.IGNORECASE,
)
_OF_SESSION = frozenset({"sid", "sessionId", "trk", "origin"})
_POSITIONS = {"page": 1, "start": 0}
_COMPANY_ID = re.compile(r"(?:^|&)companyId=([0-9]+)", re.ASCII)


def link_form(text: str) -> str:
    """Kind and id of a person or an organisation; any other text stays as it is."""
    from .links import classify  # late: only keys need it

    link = classify(text)
    return (link.kind in SUBJECTS and link.identity) or text


def slug_form(text: str) -> str:
    """A public identifier: decoded, in lower case and NFC; an encoded id keeps its case."""
    from .address import identifier  # late, as above

    try:
        return identifier(text)
    except ConfigurationError:
        return text


def search_form(url: str) -> str:
    """The URL of a search, byte for byte, without what cannot change its results.

    That are parameters of a session, and a position where it is that of the first page: a listing
    begins at the given one.
    """
    ignored = {name for name, first in _POSITIONS.items() if _position(url, name, first) == first}
    ignored |= _OF_SESSION

    def remaining(mark: str, text: str) -> str:
        parts = text.split("&")
        found = [one for one in parts if one.partition("=")[0] not in ignored]
        return mark + "&".join(found) if found else ""

    address, hash_mark, fragment = url.partition("#")
    path, question_mark, query = address.partition("?")
    return path + remaining(question_mark, query) + remaining(hash_mark, fragment)


def _position(url: str, name: str, first: int) -> int:
    try:
        return number_in_url(url, name, first)
    except ConfigurationError:
        return -1


def sent_link(text: str) -> str:
    """A link as it is given; for the URN of a person or an organisation, its page.

    Raises:
        ConfigurationError: It is another URN, such as that of a member, which no page shows.
    """
    if not _is_urn(text):
        return text
    from .links import normalise  # late, as above

    return normalise(text)


def sent_company_link(text: str) -> str:
    """The same for an organisation whose page on LinkedIn is wanted."""
    return _sent_company(text, "company")


def sent_account_link(text: str) -> str:
    """The same for an organisation whose page on Sales Navigator is wanted."""
    return _sent_company(text, "sales/company")


def _sent_company(text: str, section: str) -> str:
    if not _is_urn(text):
        return text
    from .identifiers import company_id  # late, as above

    return f"https://www.linkedin.com/{section}/{company_id(text)}"


def _is_urn(text: str) -> bool:
    return text.strip()[:4].lower() in ("urn:", "urn%")


ProfileLink: TypeAlias = Annotated[str, CanonicalForm(link_form, sent_link, "link")]
"""The page of a person or an organisation, or its URN."""
CompanyLink: TypeAlias = Annotated[str, CanonicalForm(link_form, sent_company_link, "link")]
"""The page of an organisation on LinkedIn, or its URN."""
AccountLink: TypeAlias = Annotated[str, CanonicalForm(link_form, sent_account_link, "link")]
"""The page of an organisation on Sales Navigator, or its URN."""
ProfileName: TypeAlias = Annotated[str, CanonicalForm(slug_form, names="name")]
"""The last part of linkedin.com/in/<name> or linkedin.com/company/<name>."""
SalesId: TypeAlias = Annotated[str, CanonicalForm(str, names="sales")]
"""The id in a Sales Navigator link."""
LixId: TypeAlias = Annotated[str, CanonicalForm(str, names="lix")]
"""An id that Lix made."""
SearchUrl: TypeAlias = Annotated[str, CanonicalForm(search_form)]
"""The URL of a search or a list, as the browser shows it."""


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
    """The `<name>` of linkedin.com/in/<name>, decoded, in lower case; None for any other text.

    An encoded id (`ACoAA…`) keeps its case.
    """
    name = profile_name(link)
    return name and folded(name)


def public_slug(text: str) -> str | None:
    """The public identifier in the link of a profile, or by itself, in lower case.

    None for an encoded id and for any other link.
    """
    name = profile_name(text) or (text if "/" not in text else None)
    return None if name is None or ENCODED.fullmatch(name) else known_id(name.lower())


def folded(name: str) -> str:
    """A public identifier in lower case; an encoded id keeps its case."""
    return name if ENCODED.fullmatch(name) else name.lower()


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


def organisation_number(link: str) -> str | None:
    """The digits in the link of an organisation, which it keeps, unlike its name in a link."""
    slug = company_slug(link) or ""
    return sales_company_id(link) or (slug if slug.isdecimal() else None)


def _section_and_name(link: str | None) -> tuple[str, str]:
    """("in", "ada") for `https://uk.linkedin.com/in/ada/en?trk=x`; ("", "") for any other text."""
    page = _PAGE.fullmatch((link or "").partition("#")[0])
    parts = [unquote(part) for part in page[1].split("/") if part] if page else []
    depth = 2 if parts[:1] == ["sales"] else 1
    if len(parts) <= depth:
        return "", ""
    name = parts[depth].partition(",")[0] if depth == 2 else parts[depth]
    return ("/".join(parts[:depth]).lower(), name) if known_id(name) else ("", "")
