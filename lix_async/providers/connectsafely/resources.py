"""The methods of `AsyncConnectSafely`: one for each row of the table."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ...engine.checkpoint import Checkpoint
from ...engine.client import Client
from ...engine.pages import Pages
from . import endpoints as e
from . import models as m
from . import params as p


class ConnectSafelyMethods(Client):
    """A client with this provider's methods, over the engine of `Client`."""

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
        """One profile, and what is switched on with it. `profile_id`: the slug or the address.

        `.experience`, `.education` and `.skills` are None where they were not asked for. What
        `include_contact` brings has no documented field: see the body that `send()` returns.

        Costs one of the account's 120 different profiles a day, nothing when the answer comes
        from the vendor's cache of 6 hours (`.cached`). `force_refresh` passes the cache by and
        always costs; it is not repeated when its answer is lost, but raises
        `OutcomeUnknownError`, since a unit may be spent.
        Raises `NotFoundError` also where the service answers 200 with an empty profile, and
        `DailyLimitError` before anything is sent when the day's profiles are used up.

        Contract: connectsafely.md#connectsafely.profile
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
        """The same by GET, without experience, education and skills, and with fewer fields.

        Costs and raises what `profile()` does.

        Contract: connectsafely.md#connectsafely.profile_get
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
        """A connected account's state and plan; without an id the most recently used one's.

        Spends none of the daily quotas; 10 such calls a minute and account. Raises
        `NotFoundError` for an unknown id.

        Contract: connectsafely.md#connectsafely.account_status
        """
        return (
            await self.send(e.ACCOUNT_STATUS, p.AccountStatusParams(account_id=account_id))
        ).value

    async def account_status_by_id(self, account_id: str | None = None) -> m.AccountStatus:
        """The same with the id in the path. None takes the client's `account_id`.

        Costs and raises what `account_status()` does, and `ConfigurationError` without any id.

        Contract: connectsafely.md#connectsafely.account_status_by_id
        """
        return (
            await self.send(e.ACCOUNT_STATUS_BY_ID, p.AccountParams(account_id=account_id))
        ).value

    async def account_quota(self, account_id: str | None = None) -> m.AccountQuota:
        """How much of each limit an account has used. None takes the client's `account_id`.

        Free to poll: it reads the vendor's database and spends nothing of what it reports; 10
        such calls a minute and account. Raises `ConfigurationError` without any id,
        `NotFoundError` for an unknown one.

        Contract: connectsafely.md#connectsafely.account_quota
        """
        return (await self.send(e.ACCOUNT_QUOTA, p.AccountParams(account_id=account_id))).value

    async def relationship(self, profile_id: str) -> m.Relationship:
        """How the client's `account_id` stands to a profile; without one, the default account.

        `profile_id`: the slug or the address. No price is published; counts as one of 30 reads
        a minute. Raises `NotFoundError`.

        Contract: connectsafely.md#connectsafely.relationship
        """
        if "account_id" in self._engine.settings.defaults:
            return await self.relationship_by_account(profile_id=profile_id)
        asked = p.RelationshipParams(profile_id=p.profile_id(profile_id))
        return (await self.send(e.RELATIONSHIP, asked)).value

    async def relationship_by_account(
        self, account_id: str | None = None, *, profile_id: str
    ) -> m.Relationship:
        """The same for a given account. None takes the client's `account_id`.

        Costs and raises what `relationship()` does, and `ConfigurationError` without any id.

        Contract: connectsafely.md#connectsafely.relationship_by_account
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
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[m.Group]:
        """LinkedIn groups by keywords.

        `count`: rows that a page should have; fewer are no end, the walk goes on while the
        service says that there are more. `start`: rows to leave out. `filters` are accepted and
        ignored by the service. `stats.total` is its estimate, if it makes one.
        No price is published; each page counts as one of 30 reads a minute.

        Contract: connectsafely.md#connectsafely.search_groups
        """
        asked = p.SearchParams(
            keywords=keywords,
            account_id=account_id,
            count=count,
            start=start,
            filters=None if filters is None else dict(filters),
        )
        return self.pages(
            e.SEARCH_GROUPS,
            asked,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def search_people(
        self,
        keywords: str | None = None,
        *,
        account_id: str | None = None,
        count: int | None = None,
        start: int = 0,
        url: str | None = None,
        filters: p.PeopleFilters | Mapping[str, object] | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[m.FoundPerson]:
        """People by keywords, by filters, or by the address of a Sales Navigator search (`url`).

        `filters`: a `PeopleFilters`, or a mapping under the wire's names for what that does not
        know. `count`: rows that a page should have, by default the service's choice (its maximum
        is not published); fewer are no end. `start`: rows to leave out.
        No price is published; each page counts as one of 30 reads a minute, and a client in
        public counts 300 searches a month.

        Contract: connectsafely.md#connectsafely.search_people
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
        return self.pages(
            e.SEARCH_PEOPLE,
            asked,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    async def endorse_skill(
        self,
        profile_id: str,
        *,
        skill_id: str | None = None,
        random: bool = False,
        account_id: str | None = None,
    ) -> m.Endorsement:
        """Endorse one skill of a person: `skill_id`, or with `random` one not endorsed yet.

        It acts, so it is never repeated: `OutcomeUnknownError` says that it may have happened.
        No price is published; counts as one of 15 writes a minute and account.

        Contract: connectsafely.md#connectsafely.endorse_skill
        """
        asked = p.EndorseParams(
            profile_id=p.profile_id(profile_id),
            skill_id=skill_id,
            random=random,
            account_id=account_id,
        )
        return (await self.send(e.ENDORSE_SKILL, asked)).value

    async def health(self) -> m.Health:
        """Whether the service takes the key: what it answers, an open mapping.

        Lies beside the `/linkedin` prefix of all other paths. Free. Raises
        `AuthenticationError`.

        Contract: connectsafely.md#connectsafely.health
        """
        return (await self.send(e.HEALTH, p.HealthParams())).value
