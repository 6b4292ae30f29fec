"""Campaigns, which have two published forms without a common field."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from msgspec import field

from ....core.models import Listing, Model
from ....core.timestamps import parse_timestamp

__all__ = [
    "Campaign",
    "CampaignStatus",
    "Campaigns",
    "Degrees",
    "NonprofitInterests",
    "ProfileLanguages",
    "SearchParameters",
    "SpecifyKeywords",
    "Touch",
    "TouchSequence",
]

CampaignStatus: TypeAlias = Literal["active", "draft", "archived"] | str
"""The state of a campaign; others may be added."""


class SnakeCaseModel(Model, rename=None):
    """An object whose keys are the Python names."""


class Degrees(SnakeCaseModel):
    """Degrees of connection that a search includes."""

    first: bool | None = None
    second: bool | None = None
    third: bool | None = None


class NonprofitInterests(Model):
    """Nonprofit interests in a search."""

    __aliases__: ClassVar[dict[str, str]] = {"skilledVolunteering": "skilledVounteering"}

    board_service: bool | None = None
    skilled_volunteering: bool | None = field(name="skilledVounteering", default=None)
    """Misspelt by the API."""


class ProfileLanguages(SnakeCaseModel):
    """Profile languages in a search."""

    english: bool | None = None
    french: bool | None = None
    polish: bool | None = None
    portuguese: bool | None = None
    russian: bool | None = None
    spanish: bool | None = None


class SpecifyKeywords(Model):
    """Keywords by field; empty texts where there are none."""

    company: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    school: str | None = None
    title: str | None = None


class SearchParameters(Model):
    """The search of a campaign, in camelCase although the rest of the document is in snake_case."""

    keywords: str | None = None
    connections: Degrees | None = None
    # The items of these arrays are not documented: they are empty in the samples.
    current_companies: list[object] = field(default_factory=list[object])
    past_companies: list[object] = field(default_factory=list[object])
    industries: list[object] = field(default_factory=list[object])
    locations: list[object] = field(default_factory=list[object])
    schools: list[object] = field(default_factory=list[object])
    nonprofit_interests: NonprofitInterests | None = None
    profile_languages: ProfileLanguages | None = None
    specify_keywords: SpecifyKeywords | None = None


class Touch(SnakeCaseModel):
    """One step of a campaign."""

    type: str | None = None
    """Such as `LI View`."""
    delay_number: int | None = None
    delay_time_unit: str | None = None
    """Such as `day(s)`."""
    tags: list[object] = field(default_factory=list[object])


class TouchSequence(SnakeCaseModel):
    """The steps of a campaign."""

    sequence: list[Touch] = field(default_factory=list[Touch])


class Campaign(SnakeCaseModel):
    """A campaign in either form: `key` and `name` with all other fields, or `id` and `label`.

    `campaign_id` and `title` read both forms. `status` does not say whether it is running: an
    active campaign may have the `run_state` paused.
    """

    key: int | None = None
    id: int | None = None
    name: str | None = None
    label: str | None = None
    status: CampaignStatus | None = None
    """`active`, `draft`, `archived`, …"""
    required: bool | None = None
    dropdown: bool | None = None
    team_key: int | None = None
    user_key: int | None = None
    campaign_type: str | None = None
    run_state: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    next_search_at: str | None = None
    auto_approve_leads: bool | None = None
    exclude_invited_profiles: bool | None = None
    exclude_no_photos: bool | None = None
    get_new_leads: bool | None = None
    open_link_only: bool | None = None
    premium_only: bool | None = None
    removed: bool | None = None
    search_ended: bool | None = None
    excluded_profiles: int | None = None
    max_search_amount: int | None = None
    next_search_index: int | None = None
    num_pending_leads: int | None = None
    num_touches: int | None = None
    limit_exceeded: object = None
    """None in the only sample; its type is not known."""
    sales_navigator_url: str | None = None
    search_url: str | None = None
    search_parameters: SearchParameters | None = None
    touch_sequence: TouchSequence | None = None

    @property
    def campaign_id(self) -> int | None:
        """The id that other calls take, from either form."""
        return self.key if self.key is not None else self.id

    @property
    def title(self) -> str | None:
        """The campaign's name, from either form."""
        return self.name if self.name is not None else self.label

    @property
    def created_time(self) -> datetime | None:
        """`created_at` as an aware UTC datetime."""
        return parse_timestamp(self.created_at)

    @property
    def updated_time(self) -> datetime | None:
        """`updated_at` as an aware UTC datetime."""
        return parse_timestamp(self.updated_at)

    @property
    def next_search_time(self) -> datetime | None:
        """`next_search_at` as an aware UTC datetime."""
        return parse_timestamp(self.next_search_at)


class Campaigns(Listing[Campaign]):
    """All campaigns of a type; pages are not documented."""

    __root__: ClassVar[str] = "campaigns"

    items: list[Campaign] = field(name="campaigns", default_factory=list[Campaign])
