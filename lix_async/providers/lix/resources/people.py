"""People: profiles, ids and activity."""

from __future__ import annotations

from typing import Unpack

from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import profiles as e
from .base import Resource


class People(Resource):
    """`lix.people`: profiles of people and what they did on LinkedIn."""

    __slots__ = ()

    async def get(
        self,
        profile_link: str | None = None,
        *,
        email: str | None = None,
        viewer_id: str | None = None,
    ) -> m.Person:
        """One person, by the link of the profile or by an e-mail address.

        Args:
            profile_link: The link of the profile: https://www.linkedin.com/in/NAME, or a lead of
                Sales Navigator.
            email: An e-mail address of the person, instead of the link.
            viewer_id: The attached account that looks; default the client's `viewer_id`.

        Raises:
            NotFoundError: There is no such person.

        Credits:
            1 standard credit.

        Contract:
            lix.md#person.get

        Example:
            ```python
            person = await lix.people.get("https://www.linkedin.com/in/example-person-1")
            print(person.name)
            ```
        """
        params = p.PersonParams(profile_link=profile_link, email=email, viewer_id=viewer_id)
        return (await self._client.send(e.PERSON, params)).value

    async def legacy(self, id: str) -> m.Person:  # noqa: A002  # the provider's own name
        """One person by public identifier, through the path of the oldest reference.

        Newer references do not mention this endpoint: prefer `get`.

        Args:
            id: The last part of `linkedin.com/in/<id>`.

        Credits:
            1 standard credit.

        Contract:
            lix.md#person.legacy
        """
        return (await self._client.send(e.LEGACY_PERSON, p.LegacyPersonParams(id=id))).value

    async def ids(
        self,
        *,
        sales_nav_id: str | None = None,
        li_flagship_id: str | None = None,
        lix_id: str | None = None,
    ) -> m.PersonIds:
        """All ids and links of a person, by exactly one of the ids.

        Args:
            sales_nav_id: The part after `linkedin.com/sales/lead/`, up to the first comma.
            li_flagship_id: The last part of `linkedin.com/in/<id>`.
            lix_id: The provider's own id.

        Credits:
            1 org credit. One page of the vendor's reference says 1 standard credit.

        Contract:
            lix.md#ids.person
        """
        params = p.IdsParams(
            sales_nav_id=sales_nav_id, li_flagship_id=li_flagship_id, lix_id=lix_id
        )
        return (await self._client.send(e.PERSON_IDS, params)).value

    async def employment(
        self,
        profile_link: str | None = None,
        *,
        profile_id: str | None = None,
        viewer_id: str | None = None,
    ) -> list[m.Employment]:
        """The positions of a person, by link or by public identifier.

        Args:
            profile_link: The link of the profile, https://www.linkedin.com/in/NAME.
            profile_id: The last part of `linkedin.com/in/<id>`, instead of the link.
            viewer_id: The attached account that looks; default the client's `viewer_id`.

        Credits:
            1 standard credit.

        Contract:
            lix.md#person.employment
        """
        params = p.EmploymentParams(
            profile_link=profile_link, profile_id=profile_id, viewer_id=viewer_id
        )
        return (await self._client.send(e.EMPLOYMENT, params)).value.items

    async def extended(self, profile_link: str, *, viewer_id: str | None = None) -> m.Extended:
        """What no other call returns about a person: whether LinkedIn lists them as a top voice.

        Args:
            profile_link: The link of the profile, https://www.linkedin.com/in/NAME.
            viewer_id: The attached account that looks; default the client's `viewer_id`.

        Credits:
            1 standard credit.

        Contract:
            lix.md#person.extended
        """
        params = p.ExtendedParams(profile_link=profile_link, viewer_id=viewer_id)
        return (await self._client.send(e.EXTENDED, params)).value

    def posts(
        self,
        profile_link: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        pagination_token: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Post]:
        """The posts of a person, up to 50 on a page.

        Args:
            profile_link: The link of the profile, https://www.linkedin.com/in/NAME.
            start: The position of the first item, from 0.
            viewer_id: The attached account that looks; default the client's `viewer_id`.
            pagination_token: The token of the page before, to begin in the middle of the listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#activity.posts
        """
        return self._client.pages(
            e.ACTIVITY_POSTS, _activity(profile_link, start, viewer_id, pagination_token), **options
        )

    def comments(
        self,
        profile_link: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        pagination_token: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Comment]:
        """The comments that a person wrote, up to 50 on a page.

        Args:
            profile_link: The link of the profile, https://www.linkedin.com/in/NAME.
            start: The position of the first item, from 0.
            viewer_id: The attached account that looks; default the client's `viewer_id`.
            pagination_token: The token of the page before, to begin in the middle of the listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#activity.comments
        """
        return self._client.pages(
            e.ACTIVITY_COMMENTS,
            _activity(profile_link, start, viewer_id, pagination_token),
            **options,
        )

    def reactions(
        self,
        profile_link: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        pagination_token: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.ActivityReaction]:
        """The posts that a person reacted to, up to 50 on a page.

        Args:
            profile_link: The link of the profile, https://www.linkedin.com/in/NAME.
            start: The position of the first item, from 0.
            viewer_id: The attached account that looks; default the client's `viewer_id`.
            pagination_token: The token of the page before, to begin in the middle of the listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#activity.reactions
        """
        return self._client.pages(
            e.ACTIVITY_REACTIONS,
            _activity(profile_link, start, viewer_id, pagination_token),
            **options,
        )


def _activity(
    profile_link: str, start: int, viewer_id: str | None, pagination_token: str | None
) -> p.ActivityParams:
    return p.ActivityParams(
        profile_link=profile_link,
        start=start,
        viewer_id=viewer_id,
        pagination_token=pagination_token,
    )
