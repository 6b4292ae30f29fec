"""LookC's endpoints: people by e-mail address, the status of a lookup, employees of a company.

Contract: lookc.md#endpoints. The first response of a lookup that continues in the background is not
documented (lookc.md#open-questions): it has one of several formats that a client must accept.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode
from uuid import UUID

from ...core.values import JsonObject
from ..protocol.errors import ErrorReply, is_missing, params_invalid, unknown_record
from ..protocol.params import RequestParams
from ..state.background_lookups import FAILING_PREFIX, BackgroundLookup
from ..world import lookc_employees
from ..world.names import FREE_EMAIL_DOMAINS
from ..world.organisations import OrganisationRecord
from ..world.people import PersonRecord
from ..world.random import chance, number, pick
from ..world.world import World
from .context import AnswerBody, AnswerContext, AnswerFunction

EXAMPLE_REQUEST = "00000000-0000-4000-8000-000000000000"
"""The id of a request that is always complete."""
MAX_PAGE_SIZE = 100
"""Employees on a page at most. Neither this nor the default is published."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def person_by_email(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The person with an e-mail address: at once, or a request id to poll with."""
    email = params.require("email").strip().lower()
    result = _lookup_result(world, email)
    if not context.background_lookups.runs_in_background(world.seed, email):
        return result
    request_id = _request_id(world.seed, context.request)
    seconds = context.background_lookups.seconds
    context.state.background_lookups.start(
        BackgroundLookup(
            id=request_id,
            result=result,
            fails=email.startswith(FAILING_PREFIX),
            polls_left=context.background_lookups.polls,
            due=None if seconds is None else context.now + seconds,
        )
    )
    return pick(
        (
            AnswerBody({"request_id": request_id, "status": "pending"}, 202),
            AnswerBody({"request_id": request_id}, 200),
            AnswerBody({"data": {"requestId": request_id}, "status": "queued"}, 202),
        ),
        world.seed,
        "accepted",
        email,
    )


def _request_id(seed: int, request: int) -> str:
    bits = number("lookup", seed, request) << 64 | number("request", seed, request)
    return str(UUID(int=bits, version=4))


def _lookup_result(world: World, email: str) -> JsonObject:
    local, _, domain = email.rpartition("@")
    if domain in FREE_EMAIL_DOMAINS:
        none: list[object] | None = None if chance(0.5, "null hits", email) else []
        return {"hits": none, "domainInfo": {"isFreeEmailDomain": True}}
    employer = _employer(world, domain)
    people: list[PersonRecord] = []
    if employer is not None and not is_missing(local) and not local.startswith("nobody"):
        with suppress(ErrorReply):
            people.append(world.person_by_email(email))
        if people and chance(0.1, world.seed, "namesake", email):
            people.append(world.person(number(world.seed, "namesake", email) % world.people))
    body: JsonObject = {"hits": [_hit(one) for one in people]}
    if employer is not None:
        body["org"] = _org(employer)
    return body | {"domainInfo": {"isFreeEmailDomain": False}}


def _employer(world: World, domain: str) -> OrganisationRecord | None:
    try:
        return next(iter(world.companies.by_website(domain)), None)
    except ErrorReply:
        return None


def _hit(one: PersonRecord) -> JsonObject:
    """As in the published sample: an identifier instead of a link, and a link without `lead`."""
    link = f"https://linkedin.com/sales/{one.sales_id},NAME,undefined"
    return {"name": one.name, "liProfileUrl": one.slug, "salesNavUrl": link}


def _org(one: OrganisationRecord) -> JsonObject:
    link = f"https://linkedin.com/company/{one.slug}"
    return {"name": one.name, "liProfileUrl": link, "salesNavUrl": one.sales_link}


def request_status(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The status of a lookup."""
    request_id = params.require("request_id")
    if request_id == EXAMPLE_REQUEST:
        return {"status": "complete", "data": _lookup_result(world, world.person(0).email)}
    found = context.state.background_lookups.poll(request_id, context.now)
    if found is None:
        raise unknown_record("request")
    if not found.done:
        return {"status": pick(("pending", "processing"), request_id), "request_id": request_id}
    if found.fails:
        return {"status": "failed", "data": None}
    return {"status": "complete", "data": found.result}


def org_employees(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The current and former employees of an organisation; each page links to the next."""
    given_id = params.require("org_id")
    employer = _organisation(world, given_id)
    items = lookc_employees.employees_of(world, employer)
    size = min(params.number("page_size", context.page_size(25), minimum=1), MAX_PAGE_SIZE)
    start = _start(employer, params.text("after"))
    page = items[start : start + size]
    end = start + len(page)
    cursor = _cursor(employer, end) if end < len(items) else None
    bodies = [
        lookc_employees.employee(one, world.career(one), employer, org_id(world, one.employer))
        for one in page
    ]
    if context.background_lookups.preview:
        after = {"after": cursor} if cursor else {}
        more = {"has_more": cursor is not None, **after}
        return {"data": [lookc_employees.preview(body) for body in bodies], "pagination": more}
    links: JsonObject = {}
    if cursor:
        given = {"page_size": size} if params.values.get("page_size") else {}
        link = f"/org/{given_id}/employees?{urlencode({'after': cursor, **given})}"
        # Links with and without the host are in use (lookc.md#lookc.org_employees).
        links["next"] = (
            link if number("relative", given_id, start) % 3 == 0 else context.origin + link
        )
    elif (last := number("last link", given_id) % 3) > 0:
        links["next"] = None if last == 1 else ""
    return {"employees": bodies, "paging": {"_links": links}}


def org_id(world: World, one: OrganisationRecord) -> str:
    """LookC's id of an organisation: a UUID whose first four bytes are its number."""
    rest = number(world.seed, "lookc org", one.number).to_bytes(8, "big") * 2
    return str(UUID(bytes=one.number.to_bytes(4, "big") + rest[:12], version=4))


def _organisation(world: World, given_id: str) -> OrganisationRecord:
    if is_missing(given_id):
        raise unknown_record("organisation")
    if _UUID.fullmatch(given_id.lower()):
        found = world.companies.at(int(given_id[:8], 16))
        if org_id(world, found) == given_id.lower():
            return found
        raise unknown_record("organisation")
    # How to obtain an id is not published; `uuid` of `ids.organisation` may be one
    # (lookc.md#open-questions).
    index = world.from_lix_id(given_id, "organisation")
    if not re.fullmatch(r"[0-9]{1,9}", index, re.ASCII):
        raise unknown_record("organisation")
    return world.companies.at(int(index))


def _cursor(one: OrganisationRecord, start: int) -> str:
    return urlsafe_b64encode(f"{number('employees', one.key):x}+{start}".encode()).decode()


def _start(one: OrganisationRecord, cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        owner, start = urlsafe_b64decode(cursor).decode().split("+")
        if int(owner, 16) == number("employees", one.key):
            return int(start)
    except ValueError:
        pass
    raise params_invalid("after is not a cursor of this organisation")


ANSWERS: Mapping[str, AnswerFunction] = {
    "lookc.person_by_email": person_by_email,
    "lookc.request_status": request_status,
    "lookc.org_employees": org_employees,
}
"""By catalogue id; every endpoint has one."""
