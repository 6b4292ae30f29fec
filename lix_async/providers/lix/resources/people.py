"""People: one profile at a time, their ids, their activity."""

from __future__ import annotations

from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.profiles import (
    ACTIVITY_COMMENTS,
    ACTIVITY_POSTS,
    ACTIVITY_REACTIONS,
    EMPLOYMENT,
    EXTENDED,
    LEGACY_PERSON,
    PERSON,
    PERSON_IDS,
)
from ..models import ActivityReaction, Comment, Employment, Extended, Person, PersonIds, Post
from ..params import (
    ActivityParams,
    EmploymentParams,
    ExtendedParams,
    IdsParams,
    LegacyPersonParams,
    PersonParams,
)
from .base import Resource


class People(Resource):
    """`lix.people`."""

    __slots__ = ()

    async def get(
        self,
        profile_link: str | None = None,
        *,
        email: str | None = None,
        viewer_id: str | None = None,
    ) -> Person:
        """One person, by the link of the profile or by an e-mail address.

        Raises `NotFoundError` when there is none. 1 standard credit.

        Contract: lix.md#person.get
        """
        params = PersonParams(profile_link=profile_link, email=email, viewer_id=viewer_id)
        return (await self._client.send(PERSON, params)).value

    async def legacy(self, id: str) -> Person:  # noqa: A002  # the provider's own name
        """The same by public identifier, over the path of the oldest document.

        Newer documents never mention it: prefer `get`. 1 standard credit.

        Contract: lix.md#person.legacy
        """
        return (await self._client.send(LEGACY_PERSON, LegacyPersonParams(id=id))).value

    async def ids(
        self,
        *,
        sales_nav_id: str | None = None,
        li_flagship_id: str | None = None,
        lix_id: str | None = None,
    ) -> PersonIds:
        """All ids and links of a person, by exactly one of the ids.

        `li_flagship_id` is the last part of `linkedin.com/in/…`, `sales_nav_id` the first part
        of what follows `linkedin.com/sales/lead/`. 1 org credit; one page of the vendor says
        1 standard credit.

        Contract: lix.md#ids.person
        """
        params = IdsParams(sales_nav_id=sales_nav_id, li_flagship_id=li_flagship_id, lix_id=lix_id)
        return (await self._client.send(PERSON_IDS, params)).value

    async def employment(
        self,
        profile_link: str | None = None,
        *,
        profile_id: str | None = None,
        viewer_id: str | None = None,
    ) -> list[Employment]:
        """Only the jobs of a person, by link or public identifier.

        1 standard credit.

        Contract: lix.md#person.employment
        """
        params = EmploymentParams(
            profile_link=profile_link, profile_id=profile_id, viewer_id=viewer_id
        )
        return (await self._client.send(EMPLOYMENT, params)).value.items

    async def extended(self, profile_link: str, *, viewer_id: str | None = None) -> Extended:
        """What no other call tells of a person: whether LinkedIn calls them a top voice.

        1 standard credit.

        Contract: lix.md#person.extended
        """
        params = ExtendedParams(profile_link=profile_link, viewer_id=viewer_id)
        return (await self._client.send(EXTENDED, params)).value

    def posts(
        self,
        profile_link: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        pagination_token: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Post]:
        """What a person posted, up to 50 on a page. 1 standard credit a page.

        Contract: lix.md#activity.posts
        """
        return self._client.pages(
            ACTIVITY_POSTS,
            _activity(profile_link, start, viewer_id, pagination_token),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def comments(
        self,
        profile_link: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        pagination_token: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Comment]:
        """What a person commented, up to 50 on a page. 1 standard credit a page.

        Contract: lix.md#activity.comments
        """
        return self._client.pages(
            ACTIVITY_COMMENTS,
            _activity(profile_link, start, viewer_id, pagination_token),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def reactions(
        self,
        profile_link: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        pagination_token: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[ActivityReaction]:
        """The posts that a person reacted to, up to 50 on a page.

        1 standard credit a page.

        Contract: lix.md#activity.reactions
        """
        return self._client.pages(
            ACTIVITY_REACTIONS,
            _activity(profile_link, start, viewer_id, pagination_token),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )


def _activity(
    profile_link: str, start: int, viewer_id: str | None, pagination_token: str | None
) -> ActivityParams:
    return ActivityParams(
        profile_link=profile_link,
        start=start,
        viewer_id=viewer_id,
        pagination_token=pagination_token,
    )
