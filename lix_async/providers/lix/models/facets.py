"""Facets: the ids of filter values for what a person types (lix.md#facets)."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from ....core.models import Listing, Model
from ..params.filters import Pair, SkillFilter

__all__ = ["Facet", "FacetType", "FacetsPage", "SkillFacet", "SkillFacetsPage"]


class FacetType:
    """Names of Sales Navigator facets. Any other text is sent as it is."""

    REGION: ClassVar[str] = "BING_GEO"
    POSTAL_CODE: ClassVar[str] = "BING_GEO_POSTAL_CODE"
    COMPANY: ClassVar[str] = "COMPANY_WITH_LIST"
    SENIORITY: ClassVar[str] = "SENIORITY_V2"
    TITLE: ClassVar[str] = "TITLE"
    INDUSTRY: ClassVar[str] = "INDUSTRY"
    GROUP: ClassVar[str] = "GROUP"
    SCHOOL: ClassVar[str] = "SCHOOL"
    COMPANY_TYPE: ClassVar[str] = "COMPANY_TYPE"
    FUNCTION: ClassVar[str] = "FUNCTION"
    COMPANY_SIZE: ClassVar[str] = "COMPANY_SIZE"
    TENURE: ClassVar[str] = "TENURE"
    PROFILE_LANGUAGE: ClassVar[str] = "PROFILE_LANGUAGE"


class Facet(Model):
    """A value for a Sales Navigator filter."""

    id: str | None = None
    """The id that filters take, such as digits or `urn:li:organization:<digits>`."""
    display_value: str | None = None
    """The value as LinkedIn shows it."""
    headline: str | None = None
    """The headline, only of companies."""
    children: list[Facet] = field(default=[])
    """Companies are children of one item; a listing returns them one by one."""

    @property
    def pair(self) -> Pair:
        """The facet as a filter of `sales.leads_by_filters`."""
        return Pair(self.display_value or "", self.id or "")

    @property
    def identity(self) -> str | None:
        """The id by which facets are compared."""
        return self.id or self.display_value or None


class FacetsPage(Listing[Facet]):
    """A page of Sales Navigator facets."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("data",)
    __grouped__: ClassVar[str] = "children"

    items: list[Facet] = field(name="elements", default=[])
    """The facets as they were received; companies are children of one item."""

    def rows(self) -> list[Facet]:
        """The facets one by one: an item with children stands for these."""
        return [facet for item in self.items for facet in item.children or [item]]


class SkillFacet(Model):
    """A skill for a Recruiter search."""

    entity: str | None = None
    """The URN of the skill: `urn:li:ts_skill:<digits>`."""
    text: str | None = None
    """The name of the skill."""

    def filter(
        self, *, negated: bool = False, required: bool = False, selected: bool = True
    ) -> SkillFilter:
        """The skill as a filter of `recruiter.people`."""
        return SkillFilter(self.text or "", self.entity or "", negated, required, selected)

    @property
    def identity(self) -> str | None:
        """The id by which skills are compared."""
        return self.entity or self.text or None


class SkillFacetsPage(Listing[SkillFacet]):
    """A page of Recruiter facets. `paging.start` is not an offset: a sample has 10 for 0."""

    items: list[SkillFacet] = field(name="results", default=[])
    """The skills of the page."""
