"""People and companies: profiles, ids, employment, followers, and the e-mail lookup."""

from __future__ import annotations

from base64 import b64encode

from ...core.values import JsonObject
from ..protocol.errors import params_invalid, unknown_record
from ..protocol.params import RequestParams
from ..world import careers, organisations, person_bodies
from ..world.names import MONTHS
from ..world.people import PersonRecord
from ..world.random import chance, number
from ..world.world import World
from .context import AnswerContext


def person_of(world: World, params: RequestParams) -> PersonRecord:
    """The person of a request, by link or by public identifier."""
    name, value = params.exactly_one("profile_link", "profile_id")
    return world.person_at(value) if name == "profile_link" else world.person_by_slug(value)


def person(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A profile by link or by e-mail address."""
    name, value = params.exactly_one("profile_link", "email")
    one = world.person_at(value) if name == "profile_link" else world.person_by_email(value)
    peers = [peer for peer in world.some_people(3, "peers", one.key) if peer != one]
    return person_bodies.profile(one, world.career(one), peers)


def legacy_person(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A profile by public identifier, in the oldest documented format."""
    one = world.person_by_slug(params.require("id"))
    return person_bodies.legacy(one, world.career(one))


def employment(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The positions of a person."""
    return careers.employment(world.career(person_of(world, params)))


def extended(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Whether a person is a 'top voice': about one in ten."""
    return {
        "topVoice": chance(0.1, "top voice", world.person_at(params.require("profile_link")).key)
    }


def person_ids(world: World, params: RequestParams, context: AnswerContext) -> object:
    """All ids of a person, by one of them."""
    name, value = params.exactly_one("sales_nav_id", "li_flagship_id", "lix_id")
    if name == "sales_nav_id":
        one = world.person_by_sales_id(value)
    else:
        one = (
            world.person_by_key(world.from_lix_id(value, "person"))
            if name == "lix_id"
            else world.person_by_slug(value)
        )
    uuid = b64encode(f"person:{one.key}".encode()).decode()
    return {
        "personIds": {"liID": one.slug, "salesNavID": one.sales_id, "uuid": uuid},
        "links": {
            "liProfileURL": one.link,
            "salesNavURL": f"https://www.linkedin.com/sales/people/{one.sales_id},NAME",
            "recruiterURL": f"https://www.linkedin.com/talent/profile/{one.sales_id}",
        },
    }


def organisation_ids(world: World, params: RequestParams, context: AnswerContext) -> object:
    """All ids of a company, by one of them."""
    name, value = params.exactly_one("sales_nav_id", "li_flagship_id", "lix_id")
    if name == "sales_nav_id":
        one = world.companies.by_sales_id(value)
    elif name == "li_flagship_id":
        one = world.companies.by_slug(value)
    else:
        index = world.from_lix_id(value, "organisation")
        if not index.isdecimal() or len(index) > 12:
            raise unknown_record("organisation")
        one = world.companies.at(int(index))
    return {"organisationIds": organisations.ids(one)}


def organisation(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A company by its LinkedIn or Sales Navigator page; `unreadable-...` gives an error body."""
    _, link = params.exactly_one("linkedin_url", "sales_nav_url")
    one = world.companies.by_link(link)
    if one.slug.startswith("unreadable"):
        return organisations.unreadable_body(one)
    body = organisations.full_body(one)
    return {"liOrganisation": body["liOrganisation"]} if context.envelope == "seed" else body


def organisations_by_website(world: World, params: RequestParams, context: AnswerContext) -> object:
    """Up to five companies of a website; an unknown one has an empty list, not an error."""
    found = world.companies.by_website(params.require("website"))
    if not found:
        return {"organisations": []}
    items = [
        {"org": organisations.ids(one), "profile": organisations.profile_body(one)} for one in found
    ]
    return {
        "organisations": items,
        "paging": {"total": len(items), "count": len(items), "start": 0},
    }


def followers(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The followers of a company, at most a hundred on a page."""
    one = world.companies.by_link(params.require("profile_link"))
    people = world.some_people(40 + one.followers % 400, "followers", one.key)
    start, count = params.number("start"), params.number("count", 100, minimum=1)
    page = people[start : start + min(count, context.page_size(100))]
    items = [_follower(follower) for follower in page]
    return {
        "followers": items,
        "paging": {"total": len(people), "count": len(items), "start": start},
    }


def _follower(one: PersonRecord) -> JsonObject:
    followed = number("followed", one.key)
    return {
        "publicIdentifier": one.slug,
        "firstName": one.first,
        "lastName": one.last,
        "profilePictureUrl": one.picture,
        "entityUrn": one.urn,
        "headline": one.headline if followed % 7 else None,
        "followedAt": f"{MONTHS[followed % 12]} {2021 + followed % 4}",
        "memberDistance": f"DISTANCE_{1 + followed % 3}",
    }


def email(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The e-mail address of a profile.

    Of ten addresses, about seven are VALID at once, two are PROBABLE and become VALID with the
    third to sixth request, and one stays UNKNOWN.
    """
    one = world.person_at(params.require("url"))
    context.state.email_checks[one.key] += 1
    outcome = number(world.seed, "email", one.key) % 10
    other = f"{one.first[:1].lower() or 'x'}.{one.email}"
    if outcome == 9:
        return {"email": None, "status": "UNKNOWN", "alternatives": None}
    if (
        outcome >= 7
        and context.state.email_checks[one.key] < 3 + number(world.seed, "checks", one.key) % 4
    ):
        return {"email": "", "status": "PROBABLE", "alternatives": [one.email, other]}
    return {"email": one.email, "status": "VALID", "alternatives": [one.email]}


def hirers(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The people who hire for a job; may be empty."""
    people = [world.person(index) for index in world.posting(params.require("job_id")).hirers]
    items = [
        {"name": one.name, "img": one.picture, "headline": one.headline, "link": one.link}
        for one in people
    ]
    return {"people": items}


def check_message(text: str | None, limit: int) -> str:
    """The text, empty for None; an error if it is longer than `limit` characters."""
    if text is not None and len(text) > limit:
        raise params_invalid(f"the text must not be longer than {limit} characters")
    return text or ""
