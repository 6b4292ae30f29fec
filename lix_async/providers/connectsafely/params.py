"""Parameters of the ConnectSafely API: snake_case in Python, the provider's camelCase when sent."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from ...core.endpoint import at_least
from ...core.errors import ConfigurationError
from ...core.models import Params
from ...core.validation import check_type
from ...linkedin.fields import (
    ProfileName,
    SearchUrl,
    is_linkedin_url,
    profile_name,
    sent_link,
)


def profile_id(link: str) -> str:
    """The id that calls take: the part after `/in/` in the URL of a profile.

    A text that is an id already is only percent-decoded, so methods accept either; of the URN of a
    profile, it is the encoded id.

    Raises:
        ConfigurationError: The text is the URL of something else, or not an id.
    """
    check_type("profile_id", link, str)
    text = sent_link(link.strip())
    slug = (profile_name(text) if is_linkedin_url(text, bare=True) else None) or unquote(text)
    if not slug or any(char in "/?#\\" or char.isspace() or char < " " for char in slug):
        raise ConfigurationError(
            "profile_id must be the part after linkedin.com/in/, or the URL of a profile"
        )
    return slug


class _Profiled(Params, frozen=True, kw_only=True, rename="camel"):
    """Parameters of calls about one profile."""

    profile_id: ProfileName

    def check(self) -> None:
        """Require the id itself, not the URL of the profile."""
        if profile_id(self.profile_id) != self.profile_id:
            raise ConfigurationError(
                "profile_id must be the part after linkedin.com/in/, not the URL: "
                "convert it with profile_id()"
            )


class ProfileParams(_Profiled, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.profile`. The flags are sent even when false, as in the vendor's sample."""

    account_id: str | None = None
    include_geo_location: bool = False
    include_contact: bool = False
    include_experience: bool = False
    include_education: bool = False
    include_skills: bool = False
    force_refresh: bool = False

    def is_idempotent(self) -> bool:
        """False for a refresh: if its answer is lost, it may have used the quota."""
        return not self.force_refresh


class ProfileGetParams(_Profiled, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.profile_get`. A query has only the flags that are true.

    The vendor's validator may read the text `false` as true, as its library does by default.
    """

    account_id: str | None = None
    include_geo_location: bool | None = None
    include_contact: bool | None = None
    force_refresh: bool | None = None

    def is_idempotent(self) -> bool:
        """As for `ProfileParams`."""
        return not self.force_refresh


class AccountStatusParams(Params, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.account_status`. Without an account, the most recently used one."""

    account_id: str | None = None


class AccountParams(Params, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.account_status_by_id` and `connectsafely.account_quota`."""

    account_id: str | None = None

    def check(self) -> None:
        _account(self.account_id)


class RelationshipParams(_Profiled, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.relationship`: between the default account and a profile."""


class AccountRelationshipParams(_Profiled, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.relationship_by_account`: between a given account and a profile."""

    account_id: str | None = None

    def check(self) -> None:
        super().check()
        _account(self.account_id)


class SearchParams(Params, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.search_groups`, and what both searches have in common."""

    keywords: str | None = None
    account_id: str | None = None
    count: int | None = None
    start: int | None = None
    filters: dict[str, object] | None = None
    pagination_token: str | None = None
    """The token of the page before, to begin in the middle of the listing."""

    def check(self) -> None:
        at_least(self, "count", 1)
        at_least(self, "start", 0)


class PeopleParams(SearchParams, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.search_people`."""

    url: SearchUrl | None = None


class EndorseParams(_Profiled, frozen=True, kw_only=True, rename="camel"):
    """`connectsafely.endorse_skill`: a given skill, or one chosen at random."""

    account_id: str | None = None
    skill_id: str | None = None
    random: bool = False

    def check(self) -> None:
        super().check()
        if bool(self.skill_id) == self.random:
            raise ConfigurationError("give either skill_id or random=True")


class HealthParams(Params, frozen=True, kw_only=True):
    """`connectsafely.health`: no parameters."""


class PeopleFilters(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """The known filters of a people search. Ids and URNs are LinkedIn's."""

    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    company: str | None = None
    school: str | None = None
    location_id: str | None = None
    geo_urn: str | None = None
    industry: list[str] | None = None
    connection_degree: list[str] | None = None
    """`F` first, `S` second, `O` third and beyond."""
    current_company_ids: list[str] | None = None
    past_company_ids: list[str] | None = None
    profile_language: list[str] | None = None
    service_categories: list[str] | None = None
    open_to_work: bool | None = None


def _account(account_id: str | None) -> None:
    if not account_id:
        raise ConfigurationError("account_id must not be empty (or set account_id on the client)")
