"""Profiles in the format of ConnectSafely.

Contract: connectsafely.md#profile-answer. Fields that it calls nullable are null for some people.
"""

from __future__ import annotations

from collections.abc import Collection

from ...core.values import JsonObject
from . import careers, names
from .careers import PositionRecord
from .people import PersonRecord
from .random import chance, number, pick
from .world import World

_DEGREES = ("DISTANCE_1", "DISTANCE_2", "DISTANCE_3", "3rd", None)
_BIRTH_DATES = (None, {"month": 1, "day": 2}, {"month": 1, "day": 2, "year": 1990})


def degree(person: PersonRecord) -> str | None:
    """The connection degree. The vendor's samples have two texts for the third degree."""
    return pick(_DEGREES, "degree", person.key)


def is_premium(person: PersonRecord) -> bool:
    """Whether the person has LinkedIn Premium."""
    return chance(0.3, "premium", person.key)


def nests_experience(person: PersonRecord) -> bool:
    """Whether the positions are inside the profile, as in the vendor's sample output."""
    return chance(0.15, "nests", person.key)


def reports_cache(person: PersonRecord) -> bool:
    """Whether a response that is not from the cache says so. Most samples do not."""
    return chance(0.3, "says fresh", person.key)


def profile(person: PersonRecord, *, geo: bool, short: bool) -> JsonObject:
    """The profile; `geo` adds the location, `short` leaves out fields that GET does not have."""
    city, country, code = person.place
    distance = degree(person)
    body: JsonObject = {
        "firstName": person.first,
        "lastName": person.last,
        "headline": person.headline,
        "location": {
            "countryCode": code.lower(),
            "postalCode": pick((None, None, "00000"), "post", person.key),
            "geoLocationName": pick((None, city), "geo", person.key),
        },
        "entityUrn": person.urn,
        "publicIdentifier": person.slug,
        "profilePicture": person.picture,
        "isPremium": is_premium(person),
        "isConnected": distance == "DISTANCE_1",
        "connectionDegree": distance,
    }
    if not short:
        body |= {
            "isVerified": chance(0.5, "verified", person.key),
            "supportsFreeEmail": chance(0.2, "free email", person.key),
            "connectionCount": number("connections", person.key) % 500,
            "followerCount": number("followers", person.key) % 5000,
            "invitationSent": False,
            "invitationReceived": False,
        }
    if geo:
        body["geoLocation"] = {
            "city": city,
            "state": None,
            "country": country,
            "fullLocation": person.location,
            "birthDate": pick(_BIRTH_DATES, "birth", person.key),
        }
    return body


def experience(world: World, person: PersonRecord) -> list[JsonObject]:
    """Positions, the current one first; some have no title."""
    return [
        {
            "title": job.title if job.linked else None,
            "companyName": job.employer.name,
            "employmentType": "Full-time" if job.linked else None,
            "duration": _duration(job),
            "location": job.place,
            "description": job.text,
            "companyUrl": job.employer.link if job.linked else None,
            "companyLogoUrl": None,
        }
        for job in world.career(person)
    ]


def _duration(job: PositionRecord) -> str:
    """The duration as LinkedIn writes it: `Jan 2022 - Present · 3 yrs 1 mo`, or years only."""
    ends = "Present" if job.ended is None else _month(job.ended)
    written = f"{_month(job.started)} - {ends}"
    end = job.until
    if not (job.started[1] and end[1]):
        return written
    # The first and the last month both count.
    months = (end[0] - job.started[0]) * 12 + end[1] - job.started[1] + 1
    years, rest = divmod(months, 12)
    parts = [_count(years, "yr"), _count(rest, "mo")]
    return f"{written} · {' '.join(filter(None, parts))}"


def _month(when: tuple[int, int]) -> str:
    return f"{names.MONTHS[when[1] - 1][:3]} {when[0]}" if when[1] else str(when[0])


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""


def skills(person: PersonRecord, endorsed: Collection[str] = ()) -> list[JsonObject]:
    """The skills of a person; `endorsed` are the ids of those that the account endorsed."""
    items: list[JsonObject] = []
    for name in person.skills:
        skill = str(number("skill", name) % 90_000 + 100)
        done = skill in endorsed
        given = number("endorsed", person.key, name) % 40
        items.append(
            {"skillId": skill, "name": name, "endorsementCount": given + done, "isEndorsed": done}
        )
    return items


def schools(person: PersonRecord) -> list[JsonObject]:
    """Schools, the last one first; it may be current."""
    items: list[JsonObject] = []
    for index, one in enumerate(careers.education(person)):
        ongoing = index == 0 and chance(0.1, "studies", person.key)
        until = "Present" if ongoing else one["dateEnded"]
        items.append(
            {
                "schoolName": one["institutionName"],
                "degree": one["degree"],
                "fieldOfStudy": one["fieldOfStudy"],
                "dateRange": f"{one['dateStarted']} – {until}",
                "startYear": one["dateStarted"],
                "endYear": None if ongoing else one["dateEnded"],
                "grade": None,
                "activities": None,
                "description": None,
            }
        )
    return items
