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
    """The name of the skill."""
    num_of_endorsement: int | None = None
    """How many people have endorsed it."""


class Language(Model):
    """A language on a profile."""

    name: str | None = None
    """The name of the language."""
    proficiency: str | None = None
    """How well the person knows it, as a text."""


class Certification(Model):
    """A certificate."""

    title: str | None = None
    """The name of the certificate."""
    issued_date: str | None = None
    """When it was issued, as a text such as "May 2020"."""
    expiration_date: str | None = None
    """When it expires, as a text."""
    organisation: LiOrganisation | None = None
    """The organisation that issued it."""


class Contributor(Model):
    """An inventor or author, by URN only."""

    entity_urn: str | None = None
    """The URN of the person."""


class Patent(Model):
    """A patent."""

    title: str | None = None
    """The title of the patent."""
    issuer: str | None = None
    """Who issued it, as a text."""
    url: str | None = None
    """A URL about the patent."""
    issued_on: PartialDate | None = None
    """The date of issue."""
    inventors: list[Contributor] = field(default=[])
    """The inventors."""


class Publication(Model):
    """A publication."""

    name: str | None = None
    """The title of the publication."""
    publisher: str | None = None
    """The publisher, as a text."""
    description: str | None = None
    """The description of the publication."""
    published_on: PartialDate | None = None
    """The date of publication."""
    url: str | None = None
    """A URL of the publication."""
    authors: list[Contributor] = field(default=[])
    """The authors."""


class ViewerConnection(Model):
    """How the viewing LinkedIn account is connected to the person."""

    connection_degree: int | None = None
    """The degree of the connection: 1 to 3, or 0 outside the network."""
    saved: bool | None = None
    """Whether the viewing account has saved the person."""
    saved_list_count: int | None = None
    """The number of lists on which the person is saved."""
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
    """The full name."""
    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    description: str | None = None
    """The headline, in every sample; `headline` is its newer name."""
    headline: str | None = None
    """The headline of the profile."""
    location: str | None = None
    """The place as a text."""
    industry: str | None = None
    """The industry, as a text."""
    organisation: str | None = None
    """The name of the organisation; the organisations of `experience` are objects."""
    current: str | None = None
    """The current occupation, as a text."""
    current_jobs: str | None = None
    """The current positions, as a text."""
    past_jobs: str | None = None
    """The past positions, as a text."""
    pronoun: str | None = None
    """The pronouns, as a text."""
    about_summary_text: str | None = None
    """The text of "About", with its line breaks."""
    img: str | None = None
    """The URL of the picture."""
    website: str | None = None
    """A website of the person."""
    company_url: str | None = None
    """A URL of the person's company."""
    email: str | None = None
    """An e-mail address."""
    phone: str | None = None
    """A phone number."""
    twitter: str | None = None
    """The name at Twitter."""
    im: str | None = None
    """The name at an instant messenger."""
    birthday: str | None = None
    """The birthday as a text; `birth_date` has it in parts."""
    link: str | None = None
    """The URL of the LinkedIn profile, or of the Sales Navigator lead."""
    sales_nav_link: str | None = None
    """The URL in Sales Navigator: `https://linkedin.com/sales/lead/<id>,NAME_SEARCH,undefined`."""
    sales_nav_id: str | None = None
    """The id of the person in Sales Navigator."""
    li_id: str | None = None
    """Public identifier: the last part of `linkedin.com/in/<li_id>`."""
    li_created_at: str | None = None
    """When the profile was created, in ISO 8601; missing if unknown."""
    num_shared_connections: int | None = None
    """Connections that the viewing account shares with the person."""
    article_followers: int | None = None
    """Followers of the person's articles."""
    num_of_connections: int | None = None
    """Connections of the person."""
    default_db_id: int | None = field(name="defaultDBID", default=None)
    """A number of the provider, which it does not explain."""
    auto_scraped: bool | None = None
    """A flag of the provider, which it does not explain."""
    premium: bool | None = None
    """Whether the person has LinkedIn Premium."""
    experience: list[Experience] = field(default=[])
    """The positions; items of searches often have the first one only, or none."""
    education: list[Education] = field(default=[])
    """Schools and universities."""
    skills: list[Skill] = field(default=[])
    """The skills, with their endorsements."""
    languages: list[Language] = field(default=[])
    """The languages."""
    certifications: list[Certification] = field(default=[])
    """The certificates."""
    patents: list[Patent] = field(default=[])
    """The patents."""
    publications: list[Publication] = field(default=[])
    """The publications."""
    birth_date: PartialDate | None = None
    """The birthday in parts; the year is often missing."""
    related_persons: list[Person] = field(default=[])
    """Related people."""
    shared_connection_names: list[str] = field(default=[])
    """Names of connections that the viewing account shares with the person."""
    shared_connection_urns: list[str] = field(default=[])
    """URNs of connections that the viewing account shares with the person."""
    team_link_connection_profiles: list[str] = field(default=[])
    """Profiles of TeamLink connections to the person."""
    viewer_connection: ViewerConnection | None = None
    """How the viewing LinkedIn account is connected to the person."""

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
    """The people of the page."""


class Extended(Model):
    """The result of `people.extended` (lix.md#person.extended)."""

    top_voice: bool | None = None
    """Whether the person is a LinkedIn Top Voice."""
