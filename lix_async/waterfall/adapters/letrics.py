"""Letrics: people out of a walk through contacts that the caller has chosen by filters.

The vendor's filters name no person, link or address, so one person cannot be asked for. A walk
can be searched: `contacts_step(letrics.contacts(locations=[…], max_items=2000))`.
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
    "Letrics looks up no single person: choose contacts by filters and pass "
    "contacts_step(client, letrics.contacts(...)) of lix_async.waterfall.adapters.letrics"
)


def person(value: Contact) -> dict[str, str | None]:
    """A person's fields. The address is the first personal one."""
    link = classify(value.linkedin_profile or "")
    return {
        "full_name": value.name,
        "linkedin_url": link.url if link.kind == "person" else None,
        "title": value.job_title,
        "company": value.company.name if value.company else None,
        "email": next(iter(value.personal_emails), None),
    }


def steps(_: Client) -> tuple[Step, ...]:
    """None: see `contacts_step`."""
    return ()


def contacts_step(
    client: Client, contacts: Pages[Contact], *, name: str = "letrics.contacts"
) -> Step:
    """A step that looks people up in a walk, by LinkedIn link or personal e-mail address.

    The walk goes on from ask to ask as far as it has to, so each page is fetched once, and a
    person who is not in it makes it go to its end: bound it by `max_items`. What it read is kept
    in memory. No price is published.
    """
    shelf = _ContactCache(contacts)

    async def look(target: Target) -> StepResult:
        contact = await shelf.find(_keys(target.linkedin_url, [target.email or ""]))
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
        lookup=look,
        price=CONTACTS.credits,
    )


class _ContactCache:
    """The contacts of a walk, as far as it went."""

    def __init__(self, contacts: Pages[Contact]) -> None:
        self._contacts = contacts
        self._known: dict[str, Contact] = {}
        self._lock: anyio.Lock | None = None

    async def find(self, keys: set[str]) -> Contact | None:
        """The contact under one of the keys, walking on while there is none."""
        if self._lock is None:
            self._lock = anyio.Lock()
        async with self._lock:  # a walk is one line
            while not (met := keys & self._known.keys()):
                contact = await self._contacts.first()
                if contact is None:
                    return None
                for key in _keys(contact.linkedin_profile, contact.personal_emails):
                    self._known.setdefault(key, contact)
        return self._known[min(met)]


def _keys(link: str | None, emails: list[str]) -> set[str]:
    identity = classify(link or "").identity
    return {email.lower() for email in emails if email} | ({identity} if identity else set())
