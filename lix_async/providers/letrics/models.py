"""Results of the Letrics API. The envelope is documented, the fields of its items are not.

Items are therefore open mappings with every field under its own key. Their properties read the keys
that the filters suggest, and are None or empty where there is no such key.
"""

from __future__ import annotations

from typing import TypeVar, cast

from msgspec import field

from ...core.models import Listing, Meta, OpenObject

__all__ = ["CompaniesPage", "Company", "Contact", "ContactsPage", "PageMeta"]

Item = TypeVar("Item")


class OpenRecord(OpenObject):
    """What contacts and companies have in common."""

    @property
    def id(self) -> str | None:
        """The id, if there is one."""
        found = self.get("id")
        return str(found) if isinstance(found, str | int) and found != "" else None

    def texts(self, name: str) -> list[str]:
        """The texts in a list field; empty if there is no such field."""
        found = self.get(name)
        items = cast("list[object]", found) if isinstance(found, list) else []
        return [item for item in items if isinstance(item, str)]


class Company(OpenRecord):
    """A company."""

    @property
    def name(self) -> str | None:
        """Its name."""
        return self.first_text("name")

    @property
    def domain(self) -> str | None:
        """Its domain."""
        return self.first_text("domain", "website")

    @property
    def location(self) -> str | None:
        """The location, in the format of the filters."""
        return self.first_text("location")

    @property
    def technologies(self) -> list[str]:
        """The technologies that it uses."""
        return self.texts("technologies")


class Contact(OpenRecord):
    """A person at a company."""

    @property
    def name(self) -> str | None:
        """The full name, or first and last name."""
        parts = (self.first_text("first_name"), self.first_text("last_name"))
        return self.first_text("name", "full_name") or " ".join(filter(None, parts)) or None

    @property
    def job_title(self) -> str | None:
        """The job title."""
        return self.first_text("job_title", "title")

    @property
    def linkedin_profile(self) -> str | None:
        """The URL of the LinkedIn profile."""
        return self.first_text("linkedin_profile", "linkedin_url")

    @property
    def personal_emails(self) -> list[str]:
        """Personal e-mail addresses."""
        one = self.first_text("personal_email")
        return self.texts("personal_emails") or ([one] if one else [])

    @property
    def company(self) -> Company | None:
        """The company."""
        found = self.get("company")
        return Company(cast("dict[str, object]", found)) if isinstance(found, dict) else None


class PageMeta(Meta, rename=None):
    """Facts about the page. None of its fields is documented; a total is used if there is one."""

    page: int | None = None
    """The number of the page, from 1."""
    per_page: int | None = None
    """Items on a page."""
    total: int | None = None
    """The number of matches."""


class RecordsPage(Listing[Item]):
    """A page, with the facts about it under `meta`."""

    meta: PageMeta | None = None  # pyright: ignore[reportIncompatibleVariableOverride]  # read, never assigned
    """Facts about the page; none of them is documented."""

    @property
    def total(self) -> int | None:
        """Number of matches, if the service states it."""
        total = self.meta.total if self.meta else None
        return total if total is not None and total >= 0 else None


class ContactsPage(RecordsPage[Contact]):
    """A page of contacts."""

    items: list[Contact] = field(name="data", default_factory=list[Contact])
    """The contacts of the page."""


class CompaniesPage(RecordsPage[Company]):
    """A page of companies."""

    items: list[Company] = field(name="data", default_factory=list[Company])
    """The companies of the page."""
