"""Campaigns, leads and connections in the formats of Meet Alfred's published samples.

`seed` selects the oldest samples; otherwise the format that newer clients report. The fields whose
values never change, or are null for most items, come from `meetalfred_samples.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import msgspec

from ...core.values import JsonObject
from .people import PersonRecord
from .random import number

_MONDAY = datetime(2025, 1, 6, 9, tzinfo=UTC)
# `skilledVounteering` is misspelled on the wire (meetalfred.md#search-parameters). Which fields of
# a connection are null: meetalfred.md#meetalfred.connections.
_SAMPLES = msgspec.json.decode(
    Path(__file__).with_name("meetalfred_samples.json").read_bytes(), type=dict[str, JsonObject]
)
ACTIONS = _SAMPLES["actions"]
"""The values of the parameter `action`, and their texts in the items."""
_HANDLES = ("twitter", "facebook", "github", "angellist", "gravatar")
_UNKNOWN_FIELDS = ("email", "first_name", "last_name", "location", "current_title")
"""Fields that are unknown for some leads."""


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign. An active one may be paused: `status` and `run_state` differ."""

    key: int
    name: str
    status: str
    run_state: str


CAMPAIGNS = (
    CampaignRecord(101, "Example Campaign 1", "active", "paused"),
    CampaignRecord(102, "Example Campaign 2", "active", "running"),
    CampaignRecord(103, "Example Campaign 3", "draft", "paused"),
    CampaignRecord(104, "Example Campaign 4", "archived", "ended"),
)


def campaign_of(person: PersonRecord) -> CampaignRecord:
    """The campaign of a person."""
    return CAMPAIGNS[number("campaign", person.key) % 2]


def format_with_space(at: datetime) -> str:
    """A time as in the oldest samples: with a space and an offset."""
    return at.isoformat(sep=" ", timespec="seconds")


def format_with_z(at: datetime) -> str:
    """A time as in newer items."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _format(at: datetime, *, seed: bool) -> str:
    return format_with_space(at) if seed else format_with_z(at)


def campaign_label(one: CampaignRecord) -> JsonObject:
    """A campaign as newer clients list it: an id and a label, and for some the hints of a form."""
    hints = {} if one.key % 2 else {"required": False, "dropdown": True}
    return {"id": one.key, "label": one.name, "status": one.status, **hints}


def object_urn(person: PersonRecord) -> str:
    """LinkedIn's member number: digits in a text."""
    return str(700_000_000 + number("object", person.key) % 10**8)


def campaign(one: CampaignRecord, *, seed: bool = True) -> JsonObject:
    """A campaign with all fields, as leads contain it."""
    return _SAMPLES["campaign"] | {
        "key": one.key,
        "name": one.name,
        "status": one.status,
        "run_state": one.run_state,
        "created_at": _format(_MONDAY, seed=seed),
        "updated_at": _format(_MONDAY + timedelta(days=2), seed=seed),
        "next_search_at": _format(_MONDAY + timedelta(hours=6), seed=seed),
    }


def person_summary(person: PersonRecord) -> JsonObject:
    """A person as actions contain it."""
    return {
        "key": person.sales_id,
        "name": person.name,
        "first_name": person.first,
        "last_name": person.last,
        "email": person.email,
        "linkedin_handle": person.slug,
        "object_urn": object_urn(person),
    }


def lead(person: PersonRecord, *, seed: bool) -> JsonObject:
    """A lead.

    In the newer format, some leads have received a message and others have unknown fields.
    """
    mine = campaign_of(person)
    at = _MONDAY + timedelta(minutes=number("lead", person.key) % 50_000)
    formatted = _format(at, seed=seed)
    written_to = not seed and bool(number("touched", person.key) % 2)
    return {
        "id": person.sales_id,
        "status": "approved",
        "campaign": campaign(mine, seed=seed),
        "person": _profile(person, seed=seed),
        "last_action": {
            "key": number("action", person.key) % 10**6,
            "campaign_key": mine.key,
            "campaign_name": mine.name,
            "created_at": formatted,
            "desc": "found",
            "msg": "Example message." if written_to else None,
            "msg_created_at": formatted if written_to else None,
        }
        if seed or number("found", person.key) % 8
        else None,
        "next_touch_index": int(written_to),
        "next_touch_at": _format(at + timedelta(days=2), seed=seed) if written_to else None,
        "connect_followup": False,
        "conversation_urn": "2-RVhBTVBMRS1DT05WRVJTQVRJT04=" if written_to else None,
        "custom_data": {"example_column": "example value"} if written_to else {},
        "request_connect_at": formatted if written_to else None,
        "return_to_campaign": False,
        "return_to_campaign_date": None,
        "tags": [],
        "thread_id": None,
    }


def _profile(person: PersonRecord, *, seed: bool) -> JsonObject:
    """The person of a lead. In the oldest sample the name is set while its parts are null."""
    known: JsonObject = {
        **person_summary(person),
        "location": person.location,
        "current_title": person.title,
        "current_employer": None if seed else person.employer.name,
        "current_employer_size": None,
        "work_email": None,
        "personal_email": None,
        "phone": None,
        **{f"{name}_handle": None for name in _HANDLES},
    }
    data: JsonObject = {
        "connectionLevel": "2nd",
        "handle": person.slug,
        "headline": person.headline,
        "subHeadline": "",
        "location": person.location,
        "name": person.name,
        "pic": person.picture or "https://media.example.com/p/nobody.jpg",
        "sharedConnections": "3 shared connections",
        "urn": person.sales_id,
    }
    if seed:
        del known["object_urn"]
        known |= dict.fromkeys(("email", "first_name", "last_name"))
        return known | {"linkedin_data": data}
    if number("unknown", person.key) % 5 == 0:
        return known | dict.fromkeys((*_UNKNOWN_FIELDS, "current_employer"))
    return known | {"linkedin_data": data | {"objectUrn": object_urn(person)}}


def connection(person: PersonRecord, *, seed: bool = False) -> JsonObject:
    """A connection: 49 keys; some absent values are null and others are empty texts.

    In the oldest sample most values are null and the date has the HTTP format; newer items have
    more values, and some an ISO date.
    """
    at = _MONDAY + timedelta(minutes=number("connected", person.key) % 50_000)
    picture = f"https://media.example.com/p/{person.key}.jpg?e=1751328000&v=beta&t=EXAMPLE"
    iso = not seed and number("iso", person.key) % 3 == 0
    body = _SAMPLES["connection"] | {
        "connectedAt": format_with_z(at) if iso else format_datetime(at, usegmt=True),
        "email": person.email if number("shares mail", person.key) % 2 else "",
        "entityUrn": person.sales_id,
        "firstName": person.first,
        "headline": person.headline,
        "id": person.sales_id,
        "lastName": person.last,
        "name": person.name,
        "objectUrn": object_urn(person),
        "picture": picture,
        "publicIdentifier": person.slug,
    }
    return body if seed or number("synced", person.key) % 4 == 0 else body | _synced_fields(person)


def _synced_fields(person: PersonRecord) -> JsonObject:
    months = number("tenure", person.key) % 100
    return {
        "COMPANY_WEBSITE": f"https://{person.employer.domain}",
        "companyName": person.employer.name,
        "locationName": person.place[0],
        "openLink": False,
        "premium": bool(months % 2),
        "startedMonth": 1 + months % 12,
        "startedYear": 2025 - months // 12,
        "tenureMonths": months % 12,
        "tenureYears": months // 12,
        "title": person.title,
        "twitter": person.key.replace("-", "_"),
    }
