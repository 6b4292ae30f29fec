"""Meet Alfred's records: campaigns, leads, connections, as its published samples have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from .dice import number

if TYPE_CHECKING:
    from .people import Person

Body = dict[str, object]
_MONDAY = datetime(2025, 1, 6, 9, tzinfo=UTC)
# Fields of a connection that are null in the sample (contract, "3. Connections").
_NULLS = [
    "AIM",
    "BLOG_WEBSITE",
    "COMPANY_WEBSITE",
    "GTALK",
    "ICQ",
    "OTHER_WEBSITE",
    "PERSONAL_WEBSITE",
    "PORTFOLIO_WEBSITE",
    "QQ",
    "RSS_WEBSITE",
    "WECHAT",
    "YAHOO_MESSENGER",
    "address",
    "birthday",
    "conversation_id",
    "fieldOfStudy",
    "industryCode",
    "languages",
    "notes",
    "openLink",
    "postalCode",
    "premium",
    "schoolName",
    "skills",
    "startedMonth",
    "startedYear",
    "tenureMonths",
    "tenureYears",
    "trackingId",
    "versionTag",
]
_HANDLES = ("twitter", "facebook", "github", "angellist", "gravatar")


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign. Active is a status, not a state of motion."""

    key: int
    name: str
    status: str
    run_state: str


CAMPAIGNS = (
    Campaign(101, "Example Campaign 1", "active", "paused"),
    Campaign(102, "Example Campaign 2", "active", "running"),
    Campaign(103, "Example Campaign 3", "draft", "paused"),
    Campaign(104, "Example Campaign 4", "archived", "ended"),
)


def of(person: Person) -> Campaign:
    """The campaign that a person is in."""
    return CAMPAIGNS[number("campaign", person.slug) % 2]


def spaced(at: datetime) -> str:
    """A moment as leads of the seed have it: a space, an offset."""
    return at.isoformat(sep=" ", timespec="seconds")


def zulu(at: datetime) -> str:
    """A moment as newer rows have it."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def object_urn(person: Person) -> str:
    """LinkedIn's number of a member: digits in a text."""
    return str(700_000_000 + number("object", person.slug) % 10**8)


def campaign(one: Campaign, *, seed: bool = True) -> Body:
    """A campaign with everything, as leads embed it."""
    write = spaced if seed else zulu
    languages = ("english", "french", "polish", "portuguese", "russian", "spanish")
    specified = ("company", "firstName", "lastName", "school", "title")
    flags = [
        "exclude_no_photos",
        "get_new_leads",
        "open_link_only",
        "premium_only",
        "removed",
        "search_ended",
        "auto_approve_leads",
        "exclude_invited_profiles",
    ]
    counts = ["excluded_profiles", "next_search_index", "num_pending_leads"]
    touch = {"delay_number": 0, "delay_time_unit": "day(s)", "tags": [], "type": "LI View"}
    return {
        **dict.fromkeys(flags, False),
        **dict.fromkeys(counts, 0),
        "key": one.key,
        "name": one.name,
        "status": one.status,
        "run_state": one.run_state,
        "campaign_type": "linkedin search",
        "created_at": write(_MONDAY),
        "updated_at": write(_MONDAY + timedelta(days=2)),
        "next_search_at": write(_MONDAY + timedelta(hours=6)),
        "limit_exceeded": None,
        "max_search_amount": 500,
        "num_touches": 1,
        "sales_navigator_url": None,
        "search_url": "https://www.linkedin.com/search/results/people/?keywords=example",
        "team_key": 11,
        "user_key": 12,
        "search_parameters": {
            "connections": dict.fromkeys(("first", "second", "third"), False),
            "keywords": "",
            # Misspelled on the wire.
            "nonprofitInterests": {"boardService": False, "skilledVounteering": False},
            "profileLanguages": dict.fromkeys(languages, False),
            "specifyKeywords": dict.fromkeys(specified, ""),
            **{
                name: list[str]()
                for name in ("currentCompanies", "pastCompanies", "industries", "locations")
            },
            "schools": [],
        },
        "touch_sequence": {"sequence": [touch]},
    }


def short(person: Person) -> Body:
    """A person as actions have it."""
    return {
        "key": person.sales_id,
        "name": person.name,
        "first_name": person.first,
        "last_name": person.last,
        "email": person.email,
        "linkedin_handle": person.slug,
        "object_urn": object_urn(person),
    }


def lead(person: Person, *, seed: bool) -> Body:
    """A lead; `seed` writes times as the seed does."""
    write = spaced if seed else zulu
    mine = of(person)
    at = _MONDAY + timedelta(minutes=number("lead", person.slug) % 50_000)
    return {
        "id": person.sales_id,
        "status": "approved",
        "campaign": campaign(mine, seed=seed),
        "person": {
            **short(person),
            # In the sample the name is filled while its parts are null.
            "first_name": None,
            "last_name": None,
            "location": person.location,
            "current_title": person.title,
            "current_employer": person.employer.name,
            "current_employer_size": None,
            "work_email": None,
            "personal_email": None,
            "phone": None,
            **{f"{name}_handle": None for name in _HANDLES},
            "linkedin_data": {
                "connectionLevel": "2nd",
                "handle": person.slug,
                "headline": person.headline,
                "subHeadline": "",
                "location": person.location,
                "name": person.name,
                "pic": person.picture or "https://media.example.com/p/nobody.jpg",
                "sharedConnections": "3 shared connections",
                "urn": person.sales_id,
            },
        },
        "last_action": {
            "key": number("action", person.slug) % 10**6,
            "campaign_key": mine.key,
            "campaign_name": mine.name,
            "created_at": write(at),
            "desc": "found",
            "msg": None,
            "msg_created_at": None,
        },
        "next_touch_index": 0,
        "next_touch_at": None,
        "connect_followup": False,
        "conversation_urn": None,
        "custom_data": {},
        "request_connect_at": None,
        "return_to_campaign": False,
        "return_to_campaign_date": None,
        "tags": [],
        "thread_id": None,
    }


def connection(person: Person) -> Body:
    """A connection: flat, 49 keys, absence as null here and as an empty text there."""
    at = _MONDAY + timedelta(minutes=number("connected", person.slug) % 50_000)
    picture = f"https://media.example.com/p/{person.slug}.jpg?e=1751328000&v=beta&t=EXAMPLE"
    mail = number("shares mail", person.slug) % 2
    return {
        **dict.fromkeys(_NULLS),
        "SKYPE": "",
        "companyName": person.employer.name,
        "connectedAt": format_datetime(at, usegmt=True),
        "degree": 1,
        "email": person.email if mail else "",
        "entityUrn": person.sales_id,
        "firstName": person.first,
        "headline": person.headline,
        "id": person.sales_id,
        "lastName": person.last,
        "locationName": person.place[0],
        "name": person.name,
        "objectUrn": object_urn(person),
        "phone": "",
        "picture": picture,
        "publicIdentifier": person.slug,
        "tags": [],
        "title": person.title,
        "twitter": "",
    }
