"""The methods of `AsyncConnectSafely`, one for each endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import msgspec

from ...engine.client import Client
from ...engine.pages import ListingOptions, Pages
from . import endpoints as e
from . import models as m
from . import params as p


class ConnectSafelyMethods(Client):
    """A client with a method for each endpoint of this provider."""

    async def profile(
        self,
        profile_id: str,
        *,
        account_id: str | None = None,
        include_geo_location: bool = False,
        include_contact: bool = False,
        include_experience: bool = False,
        include_education: bool = False,
        include_skills: bool = False,
        force_refresh: bool = False,
    ) -> m.ProfileResult:
        """One profile, with the parts that are asked for.

        Args:
            profile_id: The part after `linkedin.com/in/`, or the URL of the profile.
            account_id: The account that looks; default the client's `account_id`.
            include_geo_location: Also return the place.
            include_contact: Also return contact data. They have no documented field: read the body
                that `send` returns.
            include_experience: Also return `experience`, else None.
            include_education: Also return `education`, else None.
            include_skills: Also return `skills`, else None.
            force_refresh: Do not accept the vendor's cached profile.

        Raises:
            NotFoundError: There is no such profile, also when the service answers 200 with an empty
                one.
            DailyLimitError: The profiles of the day are used up; nothing was sent.
            OutcomeUnknownError: The answer to a refresh was lost. It is not repeated, because it
                may have used the quota.

        Credits:
            No credits, but one of the account's 120 different profiles per day, unless the answer
            comes from the vendor's cache of 6 hours (`cached`).

        Contract:
            connectsafely.md#connectsafely.profile
        """
        asked = p.ProfileParams(
            profile_id=p.profile_id(profile_id),
            account_id=account_id,
            include_geo_location=include_geo_location,
            include_contact=include_contact,
            include_experience=include_experience,
            include_education=include_education,
            include_skills=include_skills,
            force_refresh=force_refresh,
        )
        return (await self.send(e.PROFILE, asked)).value

    async def profile_get(
        self,
        profile_id: str,
        *,
        account_id: str | None = None,
        include_geo_location: bool = False,
        include_contact: bool = False,
        force_refresh: bool = False,
    ) -> m.ProfileResult:
        """One profile by GET, without experience, education and skills, and with fewer fields.

        Arguments, quota and errors are those of `profile`.

        Contract:
            connectsafely.md#connectsafely.profile_get
        """
        asked = p.ProfileGetParams(
            profile_id=p.profile_id(profile_id),
            account_id=account_id,
            include_geo_location=include_geo_location or None,
            include_contact=include_contact or None,
            force_refresh=force_refresh or None,
        )
        return (await self.send(e.PROFILE_GET, asked)).value

    async def account_status(self, account_id: str | None = None) -> m.AccountStatus:
        """State and plan of a connected account; without an id, of the most recently used one.

        At most 10 such calls per minute and account.

        Args:
            account_id: The account; default the most recently used one.

        Raises:
            NotFoundError: The id is unknown.

        Credits:
            Not published; it does not count against a daily quota.

        Contract:
            connectsafely.md#connectsafely.account_status
        """
        return (
            await self.send(e.ACCOUNT_STATUS, p.AccountStatusParams(account_id=account_id))
        ).value

    async def account_status_by_id(self, account_id: str | None = None) -> m.AccountStatus:
        """The same as `account_status`, with the id in the path.

        Args:
            account_id: Default: the client's `account_id`. One of both is required.

        Contract:
            connectsafely.md#connectsafely.account_status_by_id
        """
        return (
            await self.send(e.ACCOUNT_STATUS_BY_ID, p.AccountParams(account_id=account_id))
        ).value

    async def account_quota(self, account_id: str | None = None) -> m.AccountQuota:
        """How much of each limit an account has used.

        At most 10 such calls per minute and account.

        Args:
            account_id: Default: the client's `account_id`. One of both is required.

        Raises:
            NotFoundError: The id is unknown.

        Credits:
            Free; it does not count against the quotas that it reports.

        Contract:
            connectsafely.md#connectsafely.account_quota
        """
        return (await self.send(e.ACCOUNT_QUOTA, p.AccountParams(account_id=account_id))).value

    async def relationship(self, profile_id: str) -> m.Relationship:
        """How the client's account, or the default account, is connected to a profile.

        Args:
            profile_id: The part after `linkedin.com/in/`, or the URL of the profile.

        Raises:
            NotFoundError: There is no such profile.

        Credits:
            Not published. It is one of 30 reads per minute and account.

        Contract:
            connectsafely.md#connectsafely.relationship
        """
        if "account_id" in self._engine.options.defaults:
            return await self.relationship_by_account(profile_id=profile_id)
        asked = p.RelationshipParams(profile_id=p.profile_id(profile_id))
        return (await self.send(e.RELATIONSHIP, asked)).value

    async def relationship_by_account(
        self, account_id: str | None = None, *, profile_id: str
    ) -> m.Relationship:
        """How a given account is connected to a profile.

        Args:
            account_id: Default: the client's `account_id`. One of both is required.
            profile_id: The part after `linkedin.com/in/`, or the URL of the profile.

        Raises:
            NotFoundError: There is no such profile.

        Credits:
            Not published. It is one of 30 reads per minute and account.

        Contract:
            connectsafely.md#connectsafely.relationship_by_account
        """
        asked = p.AccountRelationshipParams(
            account_id=account_id, profile_id=p.profile_id(profile_id)
        )
        return (await self.send(e.RELATIONSHIP_BY_ACCOUNT, asked)).value

    def search_groups(
        self,
        keywords: str = "",
        *,
        account_id: str | None = None,
        count: int = 25,
        start: int = 0,
        filters: Mapping[str, object] | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Group]:
        """LinkedIn groups by keywords. `stats.total` is the service's estimate, if it gives one.

        Args:
            keywords: Free text.
            account_id: The account that searches; default the client's `account_id`.
            count: Items per page. A shorter page does not end the listing.
            start: Position of the first item.
            filters: Accepted and ignored by the service.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            Not published. Each page is one of 30 reads per minute and account.

        Contract:
            connectsafely.md#connectsafely.search_groups
        """
        asked = p.SearchParams(
            keywords=keywords,
            account_id=account_id,
            count=count,
            start=start,
            filters=None if filters is None else dict(filters),
        )
        return self.pages(e.SEARCH_GROUPS, asked, **options)

    def search_people(
        self,
        keywords: str | None = None,
        *,
        account_id: str | None = None,
        count: int | None = None,
        start: int = 0,
        url: str | None = None,
        filters: p.PeopleFilters | Mapping[str, object] | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.FoundPerson]:
        """People by keywords, by filters, or by the URL of a Sales Navigator search.

        Args:
            keywords: Free text.
            account_id: The account that searches; default the client's `account_id`.
            count: Items per page, by default the service's choice; its maximum is not published. A
                shorter page does not end the listing.
            start: Position of the first item.
            url: The URL of a Sales Navigator search.
            filters: A `PeopleFilters`, or a mapping with the API's own names for other filters.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            Not published. Each page is one of 30 reads per minute and account. A public client
            allows itself 300 searches per month.

        Contract:
            connectsafely.md#connectsafely.search_people
        """
        if isinstance(filters, p.PeopleFilters):
            filters = msgspec.convert(msgspec.to_builtins(filters), dict[str, object])
        asked = p.PeopleParams(
            keywords=keywords,
            account_id=account_id,
            count=count,
            start=start,
            url=url,
            filters=None if filters is None else dict(filters),
        )
        return self.pages(e.SEARCH_PEOPLE, asked, **options)

    async def endorse_skill(
        self,
        profile_id: str,
        *,
        skill_id: str | None = None,
        random: bool = False,
        account_id: str | None = None,
    ) -> m.Endorsement:
        """Endorse one skill of a person.

        A call that may have arrived is not repeated.

        Args:
            profile_id: The part after `linkedin.com/in/`, or the URL of the profile.
            skill_id: The skill.
            random: Instead of `skill_id`: let the service choose a skill that is not endorsed yet.
            account_id: The account that endorses; default the client's `account_id`.

        Raises:
            OutcomeUnknownError: The skill may or may not have been endorsed.

        Credits:
            Not published. It is one of 15 writes per minute and account.

        Contract:
            connectsafely.md#connectsafely.endorse_skill
        """
        asked = p.EndorseParams(
            profile_id=p.profile_id(profile_id),
            skill_id=skill_id,
            random=random,
            account_id=account_id,
        )
        return (await self.send(e.ENDORSE_SKILL, asked)).value

    async def health(self) -> m.Health:
        """Whether the service accepts the key. The result is an open mapping.

        Its path does not begin with the `/linkedin` of all other paths.

        Raises:
            AuthenticationError: The key is not accepted.

        Credits:
            Free.

        Contract:
            connectsafely.md#connectsafely.health
        """
        return (await self.send(e.HEALTH, p.HealthParams())).value
