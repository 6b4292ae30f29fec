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
    """In lower case."""
    postal_code: str | None = None
    geo_location_name: str | None = None


class BirthDate(Model):
    """A birthday; the year may be missing."""

    month: int | None = None
    day: int | None = None
    year: int | None = None


class GeoLocation(Model):
    """A place, only with `include_geo_location`.

    No field for the promised coordinates is published.
    """

    city: str | None = None
    state: str | None = None
    country: str | None = None
    full_location: str | None = None
    birth_date: BirthDate | None = None


class Experience(Model):
    """A position."""

    title: str | None = None
    company_name: str | None = None
    employment_type: str | None = None
    duration: str | None = None
    """A text such as `Jan 2022 - Present · 3 yrs 1 mo`."""
    location: str | None = None
    description: str | None = None
    company_url: str | None = None
    company_logo_url: str | None = None


class Skill(Model):
    """A skill on a profile."""

    skill_id: str | None = None
    name: str | None = None
    endorsement_count: int | None = None
    is_endorsed: bool | None = None
    """By the account that fetched the profile."""


class Education(Model):
    """A school."""

    school_name: str | None = None
    degree: str | None = None
    field_of_study: str | None = None
    date_range: str | None = None
    """A text with an en dash."""
    start_year: str | None = None
    end_year: str | None = None
    """None if it has not ended."""
    grade: str | None = None
    activities: str | None = None
    description: str | None = None


class Profile(Model):
    """A person. Some answers have the lists here; read them from `ProfileResult`."""

    first_name: str | None = None
    last_name: str | None = None
    headline: str | None = None
    location: Location | None = None
    entity_urn: str | None = None
    public_identifier: str | None = None
    profile_picture: str | None = None
    """URL of an image of 100 by 100 pixels."""
    is_premium: bool | None = None
    is_verified: bool | None = None
    supports_free_email: bool | None = None
    is_connected: bool | None = None
    invitation_sent: bool | None = None
    invitation_received: bool | None = None
    connection_count: int | None = None
    follower_count: int | None = None
    connection_degree: ConnectionDegree | None = None
    """`DISTANCE_1` to `DISTANCE_3`, also seen as `3rd`; see `degree`."""
    geo_location: GeoLocation | None = None
    experience: list[Experience] | None = None
    education: list[Education] | None = None
    skills: list[Skill] | None = None

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
    profile_id: str | None = None
    """As in the call."""
    account_id: str | None = None
    """The LinkedIn account that fetched it, whose daily quota counts."""
    profile: Profile = field(default_factory=Profile)
    experience: list[Experience] | None = None
    skills: list[Skill] | None = None
    education: list[Education] | None = None
    cached: bool = False
    """Whether it came from the vendor's cache of 6 hours, which does not use the quota."""
    cached_at: str | None = None
    expires_at: str | None = None
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
