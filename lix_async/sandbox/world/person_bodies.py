"""JSON bodies of people in the formats of Lix: profile, legacy profile and search results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ...core.values import JsonObject
from . import names
from .careers import PositionRecord, date_body, education, experience
from .people import PersonRecord
from .random import chance, number, rng_for


def _skills(person: PersonRecord) -> list[JsonObject]:
    """Skills; endorsements are numbers in texts, and a fifth of the skills have none."""
    items: list[JsonObject] = []
    for name in person.skills:
        votes = number("endorsements", person.key, name) % 80
        items.append(
            {"name": name, "numOfEndorsement": str(votes)} if votes > 15 else {"name": name}
        )
    return items


def _summary(person: PersonRecord) -> str:
    return f"Works in {person.industry.lower()}."


def profile(
    person: PersonRecord, jobs: Sequence[PositionRecord], peers: Sequence[PersonRecord]
) -> JsonObject:
    """The current format of `person.get` (lix.md#person).

    Half of all people also have the fields of the data dictionary.
    """
    rich = chance(0.5, "rich", person.key)
    handle = person.key.replace("-", "_")
    body: JsonObject = {
        "description": person.headline,
        "location": person.location,
        "name": person.name,
        "twitter": handle if chance(0.3, "twitter", person.key) else None,
        "phone": None,
        "aboutSummaryText": f"{_summary(person)}\n\nCares about {person.skills[0].lower()}.",
        "salesNavLink": person.sales_link,
        "link": person.link,
        "experience": [experience(job, index, rich) for index, job in enumerate(jobs)],
        "education": education(person),
        "skills": _skills(person),
    }
    return body | _dictionary(person, jobs, peers) if rich else body


def _dictionary(
    person: PersonRecord, jobs: Sequence[PositionRecord], peers: Sequence[PersonRecord]
) -> JsonObject:
    rng = rng_for("dictionary", person.key)
    before = [f"{job.title} at {job.employer.name}" for job in jobs[1:]]
    return {
        "firstName": person.first,
        "lastName": person.last,
        "headline": person.headline,
        "img": person.picture,
        "industry": person.industry,
        "organisation": person.employer.name,
        "current": person.employer.name,
        "currentJobs": person.position,
        "pastJobs": ", ".join(before) or None,
        "companyUrl": person.employer.link,
        "website": f"https://{person.key}.example.org",
        "email": None,
        "im": None,
        "birthday": None,
        "birthDate": {"day": rng.randint(1, 28), "month": rng.randint(1, 12), "year": None},
        "pronoun": None,
        "liId": person.slug,
        "salesNavId": person.sales_id,
        "liCreatedAt": f"{rng.randint(2005, 2023)}-11-{rng.randint(10, 28)}T10:00:00.000Z",
        "numSharedConnections": rng.randint(0, 40),
        "articleFollowers": str(rng.randint(0, 9000)),
        "numOfConnections": rng.randint(20, 500),
        "defaultDBID": 50_000_000 + number("db", person.key) % 9_000_000,
        "autoScraped": False,
        "premium": rng.random() < 0.2,
        "languages": [{"name": rng.choice(names.LANGUAGES), "proficiency": "NATIVE_OR_BILINGUAL"}],
        "certifications": [
            {
                "title": f"Certified in {person.skills[0]}",
                "issuedDate": f"May {rng.randint(2010, 2024)}",
                "expirationDate": None,
                "organisation": {"name": names.school_name(rng)},
            }
        ],
        "patents": _patents(person),
        "education": education(person, rich=True),
        "publications": [
            {
                "name": f"Notes on {person.skills[-1]}",
                "publisher": "Example Press",
                "description": None,
                "publishedOn": {"month": 6, "year": rng.randint(2005, 2024)},
                "url": f"https://example.org/papers/{person.key}",
                "authors": [{"entityUrn": person.urn}],
            }
        ],
        "relatedPersons": [{"name": peer.name, "link": peer.link} for peer in peers],
        "sharedConnectionNames": [peer.name for peer in peers[:1]],
        "sharedConnectionUrns": [peer.urn for peer in peers[:1]],
        "teamLinkConnectionProfiles": None,
        "viewerConnection": {
            "connectionDegree": rng.randint(0, 3),
            "saved": False,
            "savedListCount": 0,
            "recentPostsCount": rng.randint(0, 5),
        },
    }


def _patents(person: PersonRecord) -> list[JsonObject]:
    if not chance(0.1, "patents", person.key):
        return []
    patent: JsonObject = {
        "title": f"Apparatus for {person.skills[0].lower()}",
        "issuer": names.PLACES[number("patent office", person.key) % len(names.PLACES)][2],
        "url": f"https://example.org/patents/{person.key}",
        "issuedOn": {"day": 1, "month": 6, "year": 2019},
        "inventors": [{"entityUrn": person.urn}],
    }
    return [patent]


def legacy(person: PersonRecord, jobs: Sequence[PositionRecord]) -> JsonObject:
    """The oldest documented format of a profile (lix.md#legacy-shapes)."""
    work: list[JsonObject] = []
    for job in jobs:
        accounts: JsonObject = {"linkedin": {}, "twitter": {}}
        item: JsonObject = {
            "organisation": {"name": job.employer.name, "socialAccounts": accounts},
            "title": job.title,
            "startedOn": date_body(job.started),
            "endedOn": date_body(job.ended),
        }
        if job.text:
            item["description"] = job.text
        if job.place:
            item["location"] = job.place
        work.append(item)
    schools = [
        {
            "schoolName": school["institutionName"],
            "degree": school["degree"],
            **cast("JsonObject", school["timePeriod"]),
            "fieldsOfStudy": str(school["fieldOfStudy"]).split(", "),
        }
        for school in education(person)
    ]
    return {
        "fullName": person.name,
        "headline": person.headline,
        "summary": _summary(person),
        "location": person.location,
        "emails": [""],
        "socialAccounts": {
            "linkedin": {"username": person.slug, "url": person.link},
            "twitter": {"username": person.key.replace("-", "_")},
        },
        "workExperiences": work,
        "education": schools,
    }


def search_item(person: PersonRecord, jobs: Sequence[PositionRecord]) -> JsonObject:
    """A search result: a partial profile with the current position without its description."""
    first = experience(jobs[0], 0, rich=False)
    del first["description"]
    return {
        "description": person.headline,
        "location": person.location,
        "name": person.name,
        "salesNavLink": person.sales_link,
        "link": person.link,
        "experience": [first],
    }


def hidden_item(person: PersonRecord) -> JsonObject:
    """A search result for a person outside the network: no name and no link."""
    return {
        "name": "LinkedIn Member",
        "link": None,
        "description": person.headline,
        "location": person.location,
    }
