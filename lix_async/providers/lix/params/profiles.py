"""Parameters for people, organisations, postings, posts and contacts.

Contract: lix.md#id-lookup, lix.md#people, lix.md#organisations, lix.md#jobs-and-posts,
lix.md#activity, lix.md#contact
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ....core.canonical import EmailAddress, Website
from ....core.endpoint import at_least, exactly_one, required
from ....core.errors import ConfigurationError
from ....core.models import Params
from ....linkedin.fields import (
    AccountLink,
    CompanyLink,
    LixId,
    ProfileLink,
    ProfileName,
    SalesId,
    check_linkedin_urls,
)

__all__ = [
    "ActivityParams",
    "EmailParams",
    "EmploymentParams",
    "ExtendedParams",
    "FollowersParams",
    "IdsParams",
    "JobParams",
    "LegacyPersonParams",
    "OrganisationParams",
    "PersonParams",
    "PostCommentsParams",
    "PostParams",
    "PostReactionsParams",
    "WebsiteParams",
]


class IdsParams(Params, frozen=True, kw_only=True):
    """`people.ids` and `organisations.ids`."""

    sales_nav_id: SalesId | None = None
    li_flagship_id: ProfileName | None = None
    lix_id: LixId | None = None

    def check(self) -> None:
        """Require exactly one id."""
        exactly_one(self, "sales_nav_id", "li_flagship_id", "lix_id")


class PersonParams(Params, frozen=True, kw_only=True):
    """`people.get`."""

    profile_link: ProfileLink | None = None
    email: EmailAddress | None = None
    viewer_id: str | None = None

    def check(self) -> None:
        """Require exactly one of link and address."""
        exactly_one(self, "profile_link", "email")
        check_linkedin_urls(self, "profile_link", bare=True)


class LegacyPersonParams(Params, frozen=True, kw_only=True):
    """`people.legacy`."""

    id: ProfileName

    def check(self) -> None:
        """Require an id."""
        required(self, "id")


class EmploymentParams(Params, frozen=True, kw_only=True):
    """`people.employment`."""

    profile_link: ProfileLink | None = None
    profile_id: ProfileName | None = None
    viewer_id: str | None = None

    def check(self) -> None:
        """Require exactly one of link and id."""
        exactly_one(self, "profile_link", "profile_id")
        check_linkedin_urls(self, "profile_link", bare=True)


class ExtendedParams(Params, frozen=True, kw_only=True):
    """`people.extended`."""

    profile_link: ProfileLink
    viewer_id: str | None = None

    def check(self) -> None:
        """Require a LinkedIn link."""
        required(self, "profile_link")
        check_linkedin_urls(self, "profile_link", bare=True)


class ActivityParams(Params, frozen=True, kw_only=True):
    """`people.posts`, `people.comments` and `people.reactions`."""

    profile_link: ProfileLink
    start: int = 0
    viewer_id: str | None = None
    pagination_token: str | None = None

    def check(self) -> None:
        """Require a LinkedIn link; `start` must not be negative."""
        required(self, "profile_link")
        check_linkedin_urls(self, "profile_link", bare=True)
        at_least(self, "start", 0)


class OrganisationParams(Params, frozen=True, kw_only=True):
    """`organisations.get`."""

    linkedin_url: CompanyLink | None = None
    sales_nav_url: AccountLink | None = None
    viewer_id: str | None = None

    def check(self) -> None:
        """Require exactly one LinkedIn link."""
        exactly_one(self, "linkedin_url", "sales_nav_url")
        check_linkedin_urls(self, "linkedin_url", "sales_nav_url", bare=True)


class WebsiteParams(Params, frozen=True, kw_only=True):
    """`organisations.by_website`."""

    website: Website

    @property
    def domain(self) -> str:
        """The host of `website`, the last segment of the endpoint's earlier path.

        Contract: lix.md#organisation.by_website
        """
        url = self.website if "//" in self.website else f"//{self.website}"
        try:
            return urlsplit(url.strip()).hostname or ""
        except ValueError:
            return ""

    def check(self) -> None:
        """Require a website."""
        required(self, "website")
        if not self.domain or any(char.isspace() for char in self.domain):
            raise ConfigurationError("website must be a URL or a domain such as example.com")


class FollowersParams(Params, frozen=True, kw_only=True):
    """`organisations.followers`."""

    profile_link: ProfileLink
    viewer_id: str | None = None
    start: int = 0
    count: int | None = None

    def check(self) -> None:
        """Require a company link and a viewer; numbers must not be negative."""
        required(self, "profile_link", "viewer_id")
        check_linkedin_urls(self, "profile_link", bare=True)
        at_least(self, "start", 0)
        at_least(self, "count", 1)


class JobParams(Params, frozen=True, kw_only=True):
    """`job_postings.get` and `job_postings.hirers`."""

    job_id: str
    viewer_id: str | None = None

    def check(self) -> None:
        """Require a job."""
        required(self, "job_id")


class PostParams(Params, frozen=True, kw_only=True):
    """`posts.get`."""

    post_urn: str
    viewer_id: str | None = None

    def check(self) -> None:
        """Require a post."""
        required(self, "post_urn")


class PostCommentsParams(Params, frozen=True, kw_only=True):
    """`posts.comments`."""

    post_urn: str
    viewer_id: str | None = None
    start: int = 0
    pagination_token: str | None = None

    def check(self) -> None:
        """Require a post; `start` must not be negative."""
        required(self, "post_urn")
        at_least(self, "start", 0)


class PostReactionsParams(Params, frozen=True, kw_only=True):
    """`posts.reactions`. The endpoint has no viewer."""

    post_urn: str
    start: int = 0
    pagination_token: str | None = None

    def check(self) -> None:
        """Require a post; `start` must not be negative."""
        required(self, "post_urn")
        at_least(self, "start", 0)


class EmailParams(Params, frozen=True, kw_only=True):
    """`contact.email`."""

    url: ProfileLink

    def check(self) -> None:
        """Require a LinkedIn link."""
        required(self, "url")
        check_linkedin_urls(self, "url", bare=True)
