"""Profiles of people."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import field

from ....core.models import Model
from ....core.timestamps import parse_timestamp
from .text import degree, full_name

__all__ = [
    "BirthDate",
    "ConnectionDegree",
    "Education",
    "Experience",
    "GeoLocation",
    "Location",
    "Profile",
    "ProfileResult",
    "Skill",
]

ConnectionDegree: TypeAlias = Literal["DISTANCE_1", "DISTANCE_2", "DISTANCE_3"] | str
"""The degree of a connection; others are sent as well."""


class Location(Model):
    """The place that a profile states."""

    country_code: str | None = None
    """The code of the country, in lower case."""
    postal_code: str | None = None
    """The postal code."""
    geo_location_name: str | None = None
    """The name of the place."""


class BirthDate(Model):
    """A birthday; the year may be missing."""

    month: int | None = None
    """The month, 1 to 12."""
    day: int | None = None
    """The day of the month, 1 to 31."""
    year: int | None = None
    """The year, with four digits; it may be missing."""


class GeoLocation(Model):
    """A place, only with `include_geo_location`.

    No field for the promised coordinates is published.
    """

    city: str | None = None
    """The city."""
    state: str | None = None
    """The state or region."""
    country: str | None = None
    """The country."""
    full_location: str | None = None
    """The whole place as one text."""
    birth_date: BirthDate | None = None
    """The birthday, which the service sends with the place."""


class Experience(Model):
    """A position."""

    title: str | None = None
    """The job title; some entries have none."""
    company_name: str | None = None
    """The name of the company."""
    employment_type: str | None = None
    """How the person is employed, as a text."""
    duration: str | None = None
    """When and how long, as a text such as `Jan 2022 - Present · 3 yrs 1 mo`."""
    location: str | None = None
    """The place as a text."""
    description: str | None = None
    """The description of the position."""
    company_url: str | None = None
    """The URL of the company."""
    company_logo_url: str | None = None
    """The URL of the company's logo."""


class Skill(Model):
    """A skill on a profile."""

    skill_id: str | None = None
    """The id of the skill, which `endorse_skill` takes."""
    name: str | None = None
    """The name of the skill."""
    endorsement_count: int | None = None
    """How many people have endorsed it."""
    is_endorsed: bool | None = None
    """Whether the account that fetched the profile has endorsed it."""


class Education(Model):
    """A school."""

    school_name: str | None = None
    """The name of the school."""
    degree: str | None = None
    """The degree, as a text."""
    field_of_study: str | None = None
    """The subject."""
    date_range: str | None = None
    """The years as a text with an en dash."""
    start_year: str | None = None
    """The year of the beginning, as a text."""
    end_year: str | None = None
    """The year of the end, as a text; None if it has not ended."""
    grade: str | None = None
    """The grade, as a text."""
    activities: str | None = None
    """Activities, as a text."""
    description: str | None = None
    """The description that the person gives."""


class Profile(Model):
    """A person. Some answers have the lists here; read them from `ProfileResult`."""

    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    headline: str | None = None
    """The headline of the profile."""
    location: Location | None = None
    """The place that the profile states."""
    entity_urn: str | None = None
    """The URN of the profile: `urn:li:fsd_profile:<id>`."""
    public_identifier: str | None = None
    """The last part of `linkedin.com/in/<public_identifier>`."""
    profile_picture: str | None = None
    """URL of an image of 100 by 100 pixels."""
    is_premium: bool | None = None
    """Whether the person has LinkedIn Premium."""
    is_verified: bool | None = None
    """Whether the profile is verified."""
    supports_free_email: bool | None = None
    """A flag of the vendor, which it does not explain."""
    is_connected: bool | None = None
    """Whether the account that fetched the profile is connected with the person."""
    invitation_sent: bool | None = None
    """Whether that account has sent an invitation to the person."""
    invitation_received: bool | None = None
    """Whether that account has received an invitation from the person."""
    connection_count: int | None = None
    """Connections of the person."""
    follower_count: int | None = None
    """Followers of the person."""
    connection_degree: ConnectionDegree | None = None
    """The degree of the connection: `DISTANCE_1` to `DISTANCE_3`, also seen as `3rd`; see
    `degree`."""
    geo_location: GeoLocation | None = None
    """The place in parts, only with `include_geo_location`."""
    experience: list[Experience] | None = None
    """The positions, in answers that have them here."""
    education: list[Education] | None = None
    """The schools, in answers that have them here."""
    skills: list[Skill] | None = None
    """The skills, in answers that have them here."""

    @property
    def name(self) -> str | None:
        """First and last name."""
        return full_name(self.first_name, self.last_name)

    @property
    def degree(self) -> int | None:
        """The degree of the connection, 1 to 3, in whichever form it was sent."""
        return degree(self.connection_degree)


class ProfileResult(Model):
    """A profile, with the parts that were asked for.

    `experience`, `education` and `skills` are None if they were not asked for, and empty if there
    are none. They are read from beside the profile or, as some answers have them, from inside it.
    E-mail and phone (`include_contact`) have no documented field: read the body that `send`
    returns.
    """

    success: bool | None = None
    """Whether the service reports success."""
    profile_id: str | None = None
    """The profile that was asked for, as in the call."""
    account_id: str | None = None
    """The LinkedIn account that fetched it, whose daily quota counts."""
    profile: Profile = field(default_factory=Profile)
    """The person; without any field if there is no such profile."""
    experience: list[Experience] | None = None
    """The positions; None if they were not asked for."""
    skills: list[Skill] | None = None
    """The skills; None if they were not asked for."""
    education: list[Education] | None = None
    """The schools; None if they were not asked for."""
    cached: bool = False
    """Whether it came from the vendor's cache of 6 hours, which does not use the quota."""
    cached_at: str | None = None
    """When the cached profile was fetched, as a text; only if `cached`."""
    expires_at: str | None = None
    """When the vendor's cache drops the profile, as a text."""
    message: str | None = None
    """A readable status."""

    def __post_init__(self) -> None:
        if self.experience is None:
            self.experience = self.profile.experience
        if self.skills is None:
            self.skills = self.profile.skills
        if self.education is None:
            self.education = self.profile.education

    @property
    def cached_time(self) -> datetime | None:
        """`cached_at` as an aware UTC datetime."""
        return parse_timestamp(self.cached_at)

    @property
    def expires_time(self) -> datetime | None:
        """When the vendor's cache drops the profile: `expires_at` as an aware UTC datetime."""
        return parse_timestamp(self.expires_at)
