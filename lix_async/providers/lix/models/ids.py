"""Ids of one person or organisation at LinkedIn, Sales Navigator and Lix (lix.md#id-lookup)."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from ....core.models import Model

__all__ = ["IdLinks", "OrganisationIds", "PersonIds"]


class IdLinks(Model):
    """Links made from the ids."""

    li_profile_url: str | None = field(name="liProfileURL", default=None)
    """The URL of the LinkedIn profile or page."""
    sales_nav_url: str | None = field(name="salesNavURL", default=None)
    """The URL of the Sales Navigator page."""
    recruiter_url: str | None = field(name="recruiterURL", default=None)
    """The URL of the person in LinkedIn Recruiter; only of people."""


class PersonIds(Model):
    """The ids of a person."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("personIds", "person_ids")
    # Four names are published for the same field; the last three are no longer sent.
    __aliases__: ClassVar[dict[str, str]] = {
        "liFlagshipID": "liID",
        "flagshipID": "liID",
        "li_flagship_id": "liID",
        "sales_nav_id": "salesNavID",
        "lixID": "uuid",
        "lix_id": "uuid",
    }

    li_id: str | None = field(name="liID", default=None)
    """Public identifier: the last part of `linkedin.com/in/<li_id>`."""
    sales_nav_id: str | None = field(name="salesNavID", default=None)
    """The id in `linkedin.com/sales/person/<sales_nav_id>,NAME,XXXX`."""
    uuid: str | None = None
    """Lix's own id, `lix_id` in requests."""
    links: IdLinks | None = None
    """Links made from the ids."""


class OrganisationIds(Model):
    """The ids of an organisation."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("organisationIds", "organisation_ids")
    __aliases__: ClassVar[dict[str, str]] = {
        "liFlagshipID": "liID",
        "li_flagship_id": "liID",
        "sales_nav_id": "salesNavID",
        "lixID": "uuid",
        "lix_id": "uuid",
    }

    id: int | None = None
    """The numeric id of the organisation."""
    name: str | None = None
    """The name of the organisation."""
    li_id: str | None = field(name="liID", default=None)
    """The last part of `linkedin.com/company/<li_id>`."""
    sales_nav_id: str | None = field(name="salesNavID", default=None)
    """The last part of `linkedin.com/sales/company/<sales_nav_id>`."""
    uuid: str | None = None
    """Lix's own id, `lix_id` in requests."""
    li_profile_is_deleted: bool | None = None
    """Whether the LinkedIn page has been deleted."""
