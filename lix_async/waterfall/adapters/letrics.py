"""Letrics: people from a listing of contacts that the caller has selected by filters.

The filters of this API take no name, link or address, so a single person cannot be requested. A
listing can be searched:

    contacts_step(letrics, letrics.contacts(locations=[...], max_items=2000))
"""

from __future__ import annotations

from datetime import UTC, datetime

import anyio

from ...engine.client import Client
from ...engine.pages import Pages
from ...linkedin import classify
from ...providers.letrics.client import AsyncLetrics
from ...providers.letrics.endpoints import CONTACTS
from ...providers.letrics.models import Contact
from ...providers.letrics.provider import LETRICS
from ..steps import EMAIL, LINK, Step, StepResult
from ..targets import Target

CLIENT = AsyncLetrics
NO_STEPS_REASON = (
    "Letrics has no lookup of a single person: select contacts by filters and pass "
    "contacts_step(client, letrics.contacts(...)) of lix_async.waterfall.adapters.letrics"
)


def person(value: Contact) -> dict[str, str | None]:
    """The fields of a person. The e-mail address is the first personal one."""
    link = classify(value.linkedin_profile or "")
    return {
        "full_name": value.name,
        "linkedin_url": link.url if link.kind == "person" else None,
        "title": value.job_title,
        "company": value.company.name if value.company else None,
        "email": next(iter(value.personal_emails), None),
    }


def steps(_: Client) -> tuple[Step, ...]:
    """No steps: see `contacts_step`."""
    return ()


def contacts_step(
    client: Client, contacts: Pages[Contact], *, name: str = "letrics.contacts"
) -> Step:
    """A step that finds people in a listing, by LinkedIn link or personal e-mail address.

    The listing is read only as far as necessary and each page is fetched once. A person who is not
    in it causes all of it to be read, so limit it with `max_items`. The contacts are kept in
    memory.

    Args:
        client: The client of the listing.
        contacts: The listing to search.
        name: The name of the step.

    Credits: not published.
    """
    cache = _ContactCache(contacts)

    async def find(target: Target) -> StepResult:
        contact = await cache.find(_keys(target.linkedin_url, [target.email or ""]))
        return StepResult(
            values=person(contact) if contact is not None else {},
            endpoint=CONTACTS.id,
            at=datetime.fromtimestamp(client.clock.wall(), UTC),
        )

    return Step(
        name=name,
        provider=LETRICS.name,
        endpoint=CONTACTS.id,
        fills=frozenset(person(Contact())),
        needs=(LINK, EMAIL),
        lookup=find,
        price=CONTACTS.credits,
    )


class _ContactCache:
    """The contacts of a listing, as far as it was read."""

    def __init__(self, contacts: Pages[Contact]) -> None:
        self._contacts = contacts
        self._known: dict[str, Contact] = {}
        self._lock: anyio.Lock | None = None

    async def find(self, keys: set[str]) -> Contact | None:
        """The contact with one of the keys. Reads on while there is none."""
        if self._lock is None:
            self._lock = anyio.Lock()
        async with self._lock:  # a listing must not be iterated by two tasks
            while not (found := keys & self._known.keys()):
                contact = await self._contacts.first()
                if contact is None:
                    return None
                for key in _keys(contact.linkedin_profile, contact.personal_emails):
                    self._known.setdefault(key, contact)
        return self._known[min(found)]


def _keys(link: str | None, emails: list[str]) -> set[str]:
    identity = classify(link or "").identity
    return {email.lower() for email in emails if email} | ({identity} if identity else set())
