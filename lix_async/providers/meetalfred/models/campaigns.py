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
    """Whether people of the first degree are included."""
    second: bool | None = None
    """Whether people of the second degree are included."""
    third: bool | None = None
    """Whether people of the third degree are included."""


class NonprofitInterests(Model):
    """Nonprofit interests in a search."""

    __aliases__: ClassVar[dict[str, str]] = {"skilledVolunteering": "skilledVounteering"}

    board_service: bool | None = None
    """Whether people interested in board service are searched for."""
    skilled_volunteering: bool | None = field(name="skilledVounteering", default=None)
    """Whether people interested in skilled volunteering are searched for; the API misspells it."""


class ProfileLanguages(SnakeCaseModel):
    """Profile languages in a search."""

    english: bool | None = None
    """Whether profiles in English are included."""
    french: bool | None = None
    """Whether profiles in French are included."""
    polish: bool | None = None
    """Whether profiles in Polish are included."""
    portuguese: bool | None = None
    """Whether profiles in Portuguese are included."""
    russian: bool | None = None
    """Whether profiles in Russian are included."""
    spanish: bool | None = None
    """Whether profiles in Spanish are included."""


class SpecifyKeywords(Model):
    """Keywords by field; empty texts where there are none."""

    company: str | None = None
    """Words in the name of the company."""
    first_name: str | None = None
    """Words in the first name."""
    last_name: str | None = None
    """Words in the last name."""
    school: str | None = None
    """Words in the name of the school."""
    title: str | None = None
    """Words in the job title."""


class SearchParameters(Model):
    """The search of a campaign, in camelCase although the rest of the document is in snake_case."""

    keywords: str | None = None
    """Words anywhere in the profile."""
    connections: Degrees | None = None
    """Degrees of connection that are included."""
    # The items of these arrays are not documented: they are empty in the samples.
    current_companies: list[object] = field(default_factory=list[object])
    """Current companies to search in."""
    past_companies: list[object] = field(default_factory=list[object])
    """Past companies to search in."""
    industries: list[object] = field(default_factory=list[object])
    """Industries to search in."""
    locations: list[object] = field(default_factory=list[object])
    """Places to search in."""
    schools: list[object] = field(default_factory=list[object])
    """Schools to search in."""
    nonprofit_interests: NonprofitInterests | None = None
    """Nonprofit interests to search for."""
    profile_languages: ProfileLanguages | None = None
    """Languages of profiles that are included."""
    specify_keywords: SpecifyKeywords | None = None
    """Words in single fields of the profile."""


class Touch(SnakeCaseModel):
    """One step of a campaign."""

    type: str | None = None
    """What the step does, such as `LI View`."""
    delay_number: int | None = None
    """How long to wait before the step, in the unit of `delay_time_unit`."""
    delay_time_unit: str | None = None
    """The unit of `delay_number`, such as `day(s)`."""
    tags: list[object] = field(default_factory=list[object])
    """Tags of the step; their type is not documented."""


class TouchSequence(SnakeCaseModel):
    """The steps of a campaign."""

    sequence: list[Touch] = field(default_factory=list[Touch])
    """The steps in their order."""


class Campaign(SnakeCaseModel):
    """A campaign in either form: `key` and `name` with all other fields, or `id` and `label`.

    `campaign_id` and `title` read both forms. `status` does not say whether it is running: an
    active campaign may have the `run_state` paused.
    """

    key: int | None = None
    """The id of the campaign, in the form with all fields."""
    id: int | None = None
    """The id of the campaign, in the short form."""
    name: str | None = None
    """The name of the campaign, in the form with all fields."""
    label: str | None = None
    """The name of the campaign, in the short form."""
    status: CampaignStatus | None = None
    """The state of the campaign: `active`, `draft`, `archived`, …"""
    required: bool | None = None
    """A hint for a form field, in the short form."""
    dropdown: bool | None = None
    """A hint for a form field, in the short form."""
    team_key: int | None = None
    """The id of the team."""
    user_key: int | None = None
    """The id of the user."""
    campaign_type: str | None = None
    """The type of the campaign, as a text."""
    run_state: str | None = None
    """Whether the campaign is running, as a text such as `paused`."""
    created_at: str | None = None
    """When it was created, as a text; `created_time` reads it."""
    updated_at: str | None = None
    """When it was changed, as a text; `updated_time` reads it."""
    next_search_at: str | None = None
    """When it searches for people next, as a text; `next_search_time` reads it."""
    auto_approve_leads: bool | None = None
    """Whether new leads are approved automatically."""
    exclude_invited_profiles: bool | None = None
    """Whether people who were invited before are left out."""
    exclude_no_photos: bool | None = None
    """Whether profiles without a picture are left out."""
    get_new_leads: bool | None = None
    """Whether the campaign takes new leads."""
    open_link_only: bool | None = None
    """Whether only people with an open profile are taken."""
    premium_only: bool | None = None
    """Whether only people with LinkedIn Premium are taken."""
    removed: bool | None = None
    """Whether the campaign was removed."""
    search_ended: bool | None = None
    """Whether its search has ended."""
    excluded_profiles: int | None = None
    """The number of profiles that were left out."""
    max_search_amount: int | None = None
    """The number of people that the search takes at most."""
    next_search_index: int | None = None
    """The index of the next search."""
    num_pending_leads: int | None = None
    """The number of leads that are pending."""
    num_touches: int | None = None
    """The number of steps of the campaign."""
    limit_exceeded: object = None
    """A field that is null in the only sample; its type is not known."""
    sales_navigator_url: str | None = None
    """A URL of Sales Navigator."""
    search_url: str | None = None
    """The URL of the search on LinkedIn."""
    search_parameters: SearchParameters | None = None
    """The search of the campaign, in parts."""
    touch_sequence: TouchSequence | None = None
    """The steps of the campaign."""

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
    """The campaigns."""
