"""A person as ConnectSafely shows it: the profile, and what stands beside it on request.

Contract: connectsafely.md, "Answer 200". What that calls nullable is null here and there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import careers
from .dice import chance, number, pick

if TYPE_CHECKING:
    from .people import Person
    from .world import World

_DEGREES = ("DISTANCE_1", "DISTANCE_2", "DISTANCE_3", "3rd", None)


def degree(person: Person) -> str | None:
    """How far away the person is; the vendor's samples write the third degree in two ways."""
    return pick(_DEGREES, "degree", person.slug)


def profile(person: Person, geo: bool) -> dict[str, object]:
    """The profile itself; `geo` adds where the person is."""
    city, country, code = person.place
    distance = degree(person)
    body: dict[str, object] = {
        "firstName": person.first,
        "lastName": person.last,
        "headline": person.headline,
        "location": {"countryCode": code.lower(), "postalCode": None, "geoLocationName": city},
        "entityUrn": person.urn,
        "publicIdentifier": person.slug,
        "profilePicture": person.picture,
        "isPremium": chance(0.3, "premium", person.slug),
        "isVerified": chance(0.5, "verified", person.slug),
        "supportsFreeEmail": False,
        "connectionCount": number("connections", person.slug) % 500,
        "followerCount": number("followers", person.slug) % 5000,
        "isConnected": distance == "DISTANCE_1",
        "connectionDegree": distance,
        "invitationSent": False,
        "invitationReceived": False,
    }
    if geo:
        body["geoLocation"] = {
            "city": city,
            "state": None,
            "country": country,
            "fullLocation": person.location,
            "birthDate": pick((None, {"month": 1, "day": 2}), "birth", person.slug),
        }
    return body


def experience(world: World, person: Person) -> list[dict[str, object]]:
    """Positions, the running one first; some rows have no title."""
    rows: list[dict[str, object]] = []
    for job in careers.career(person, world.companies.employer):
        until = job.ended[0] if job.ended else "Present"
        rows.append(
            {
                "title": job.title if job.linked else None,
                "companyName": job.employer.name,
                "employmentType": "Full-time" if job.linked else None,
                "duration": f"{job.started[0]} - {until}",
                "location": job.place,
                "description": job.text,
                "companyUrl": job.employer.link if job.linked else None,
                "companyLogoUrl": None,
            }
        )
    return rows


def skills(person: Person) -> list[dict[str, object]]:
    """Skills that the person names."""
    return [
        {
            "skillId": str(number("skill", name) % 9000 + 100),
            "name": name,
            "endorsementCount": number("endorsed", person.slug, name) % 40,
            "isEndorsed": False,
        }
        for name in person.skills
    ]


def schools(person: Person) -> list[dict[str, object]]:
    """Schools, the last one first."""
    return [
        {
            "schoolName": one["institutionName"],
            "degree": one["degree"],
            "fieldOfStudy": one["fieldOfStudy"],
            "dateRange": f"{one['dateStarted']} – {one['dateEnded']}",
            "startYear": one["dateStarted"],
            "endYear": one["dateEnded"],
            "grade": None,
            "activities": None,
            "description": None,
        }
        for one in careers.education(person)
    ]
