"""The columns that most tables need, with short names, for each type of row.

A short name stands for a path of the wire, such as `experience.0.title`, or for a property in the
same style, such as `employeeCount`. Of several, the first one that has a value is meant. Lists of
columns may have short names and paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_POSITION = "experience.0"
_COMPANY = f"{_POSITION}.organisation"
_MODELS = "lix_async.providers.lix.models."
_ORGANISATION: Mapping[str, str] = {
    "name": "name",
    "website": "website",
    "industry": "industry",
    "size": "size",
    "employees": "employeeCount",
    "type": "orgType",
    "founded": "foundedYear",
    "headquarters": "headquarters",
    "country": "hqCountry",
    "followers": "followerCount",
    "job_openings": "jobOpeningsCount",
    "specialities": "specialities",
    "ticker": "stockTickerCode",
    "link": "linkedinUrl",
    "sales_nav_link": "salesNavUrl",
    "description": "description",
}
BASIC: Mapping[str, Mapping[str, str | tuple[str, ...]]] = {
    "people.Person": {
        "name": "name",
        "title": f"{_POSITION}.title",
        "company": f"{_COMPANY}.name",
        "company_link": (f"{_COMPANY}.link", f"{_COMPANY}.salesNavLink"),
        "since": f"{_POSITION}.dateStarted",
        "location": "location",
        "headline": ("headline", "description"),
        "industry": "industry",
        "link": "link",
        "sales_nav_link": "salesNavLink",
        "email": "email",
        "phone": "phone",
        "connections": "numOfConnections",
        "school": "education.0.institutionName",
        "first_name": "firstName",
        "last_name": "lastName",
        "about": "aboutSummaryText",
    },
    "organisations.Organisation": _ORGANISATION,
    "organisations.WebsiteMatches": {
        **{name: f"organisations.0.{path}" for name, path in _ORGANISATION.items()},
        "matches": "matchCount",
    },
    "li_organisations.LiOrganisation": {
        "name": "name",
        "website": "website",
        "industry": "industry",
        "size": "size",
        "employees": "liEmployeeCount",
        "type": "companyType",
        "founded": "yearFounded",
        "headquarters": "headquarters",
        "followers": "followers",
        "job_openings": "numberOfJobOpenings",
        "specialities": "specialities",
        "ticker": "stockTickerCode",
        "link": ("link", "salesNavLink"),
        "sales_nav_link": "salesNavLink",
        "description": "description",
    },
    "contact.Email": {
        "email": "email",
        "email_status": "status",
        "is_valid": "isValid",
        "is_probable": "isProbable",
        "alternatives": "alternatives",
    },
    "jobs.JobPosting": {
        "title": "title",
        "company": "companyName",
        "company_link": "company.url",
        "location": "location",
        "employment": "employmentStatus",
        "functions": "jobFunctions",
        "industries": "industries",
        "link": "url",
        "id": "id",
        "description": "description",
    },
    "posts.Post": {
        "author": "actor.name",
        "author_headline": "actor.headline",
        "author_link": "actor.url",
        "text": "text",
        "posted_at": ("createdAt", "createdTime"),
        "reactions": "reactionCount",
        "comments": "commentCount",
        "shares": "shareCount",
        "attached_title": "embeddedTitle",
        "attached_source": "embeddedSource",
        "link": "url",
        "urn": "urn",
    },
}
"""The short names of each type of row, by its module and name: most commands need none of them."""
_NONE: Mapping[str, str | tuple[str, ...]] = MappingProxyType({})


def basic_names(struct: type | None) -> tuple[str, ...]:
    """The short names of a type of row; empty for one without."""
    return tuple(_of(struct))


def paths_of(struct: type | None, name: str) -> tuple[str, ...]:
    """What a name stands for: several paths for a short name that has alternatives."""
    found = _of(struct).get(name, name)
    return (found,) if isinstance(found, str) else found


def is_short_name(struct: type | None, name: str) -> bool:
    """Whether a name is one of the short names of a type of row."""
    return name in _of(struct)


def _of(struct: type | None) -> Mapping[str, str | tuple[str, ...]]:
    for base in () if struct is None else struct.__mro__:
        found = BASIC.get(f"{base.__module__}.{base.__name__}".removeprefix(_MODELS))
        if found is not None:
            return found
    return _NONE
