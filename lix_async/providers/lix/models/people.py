"""People (lix.md#person), as lookups, searches and lists return them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from msgspec import field

from ....core.models import Listing, Model, known_id
from ....core.timestamps import parse_timestamp
from ....linkedin.fields import folded, profile_slug, sales_lead_id
from . import legacy
from .career import Education, Experience, PartialDate
from .li_organisations import LiOrganisation

__all__ = [
    "Certification",
    "Contributor",
    "Extended",
    "Language",
    "Patent",
    "PeoplePage",
    "Person",
    "Publication",
    "Skill",
    "ViewerConnection",
]


class Skill(Model):
    """A skill on a profile."""

    name: str | None = None
    num_of_endorsement: int | None = None


class Language(Model):
    """A language on a profile."""

    name: str | None = None
    proficiency: str | None = None


class Certification(Model):
    """A certificate."""

    title: str | None = None
    issued_date: str | None = None
    """A text such as "May 2020"."""
    expiration_date: str | None = None
    """A text."""
    organisation: LiOrganisation | None = None


class Contributor(Model):
    """An inventor or author, by URN only."""

    entity_urn: str | None = None


class Patent(Model):
    """A patent."""

    title: str | None = None
    issuer: str | None = None
    url: str | None = None
    issued_on: PartialDate | None = None
    inventors: list[Contributor] = field(default=[])


class Publication(Model):
    """A publication."""

    name: str | None = None
    publisher: str | None = None
    description: str | None = None
    published_on: PartialDate | None = None
    url: str | None = None
    authors: list[Contributor] = field(default=[])


class ViewerConnection(Model):
    """How the viewing LinkedIn account is connected to the person."""

    connection_degree: int | None = None
    """1 to 3, or 0 outside the network."""
    saved: bool | None = None
    saved_list_count: int | None = None
    recent_posts_count: int | None = None
    """Posts of the last 30 days."""


class Person(Model):
    """A person. Items of searches have only some of the fields; hidden members have no link.

    The form of the oldest reference is read into the same fields.
    """

    __markers__: ClassVar[dict[str, str | None]] = {
        "fullName": "name",
        "workExperiences": "experience",
    }

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    description: str | None = None
    """The headline, in every sample; `headline` is its newer name."""
    headline: str | None = None
    location: str | None = None
    industry: str | None = None
    organisation: str | None = None
    """A name; the organisations of `experience` are objects."""
    current: str | None = None
    current_jobs: str | None = None
    past_jobs: str | None = None
    pronoun: str | None = None
    about_summary_text: str | None = None
    img: str | None = None
    website: str | None = None
    company_url: str | None = None
    email: str | None = None
    phone: str | None = None
    twitter: str | None = None
    im: str | None = None
    birthday: str | None = None
    link: str | None = None
    sales_nav_link: str | None = None
    sales_nav_id: str | None = None
    li_id: str | None = None
    """Public identifier: the last part of `linkedin.com/in/<li_id>`."""
    li_created_at: str | None = None
    """When the profile was created, in ISO 8601; missing if unknown."""
    num_shared_connections: int | None = None
    article_followers: int | None = None
    num_of_connections: int | None = None
    default_db_id: int | None = field(name="defaultDBID", default=None)
    auto_scraped: bool | None = None
    premium: bool | None = None
    experience: list[Experience] = field(default=[])
    education: list[Education] = field(default=[])
    skills: list[Skill] = field(default=[])
    languages: list[Language] = field(default=[])
    certifications: list[Certification] = field(default=[])
    patents: list[Patent] = field(default=[])
    publications: list[Publication] = field(default=[])
    birth_date: PartialDate | None = None
    related_persons: list[Person] = field(default=[])
    shared_connection_names: list[str] = field(default=[])
    shared_connection_urns: list[str] = field(default=[])
    team_link_connection_profiles: list[str] = field(default=[])
    viewer_connection: ViewerConnection | None = None

    @classmethod
    def __repair__(cls, tree: dict[str, object]) -> dict[str, object]:
        """Convert the legacy form to today's."""
        return legacy.person(tree)

    @property
    def full_name(self) -> str | None:
        """`name`, or first and last name."""
        parts = (self.first_name, self.last_name)
        return self.name or " ".join(part for part in parts if part) or None

    @property
    def current_position(self) -> Experience | None:
        """The first current position."""
        return next((job for job in self.experience if job.is_running), None)

    @property
    def profile_url(self) -> str | None:
        """The URL of the LinkedIn profile; None for hidden members and leads without a link."""
        slug = profile_slug(self.link) or self.li_id
        return f"https://www.linkedin.com/in/{quote(slug, '')}" if slug else None

    @property
    def li_created_time(self) -> datetime | None:
        """When the profile was created."""
        return parse_timestamp(self.li_created_at)

    @property
    def identity(self) -> str | None:
        """The id by which people are compared across pages; None for hidden members."""
        slug = profile_slug(self.link) or folded(known_id(self.li_id) or "")
        if slug:
            return f"in/{slug}"
        lead = (
            known_id(self.sales_nav_id)
            or sales_lead_id(self.sales_nav_link)
            or sales_lead_id(self.link)
        )
        return f"sales/{lead}" if lead else self.link or None


class PeoplePage(Listing[Person]):
    """A page of people: of a LinkedIn, Sales Navigator or Recruiter search, or of a list."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("searchResponse", "response")

    items: list[Person] = field(name="people", default=[])


class Extended(Model):
    """The result of `people.extended` (lix.md#person.extended)."""

    top_voice: bool | None = None
