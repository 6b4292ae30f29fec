"""Organisations: by link, by website, their ids, their followers."""

from __future__ import annotations

from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.profiles import FOLLOWERS, ORGANISATION, ORGANISATION_IDS, ORGANISATIONS_BY_WEBSITE
from ..models import Follower, Organisation, OrganisationIds, WebsiteMatch
from ..params import FollowersParams, IdsParams, OrganisationParams, WebsiteParams
from .base import Resource


class Organisations(Resource):
    """`lix.organisations`."""

    __slots__ = ()

    async def get(
        self,
        linkedin_url: str | None = None,
        *,
        sales_nav_url: str | None = None,
        viewer_id: str | None = None,
    ) -> Organisation:
        """One organisation, by its LinkedIn or its Sales Navigator page.

        Read the properties of the result: they merge the two descriptions that may come. Its
        `error` says why an answer holds nothing. 1 org credit.

        Contract: lix.md#organisation.by_linkedin
        """
        params = OrganisationParams(
            linkedin_url=linkedin_url, sales_nav_url=sales_nav_url, viewer_id=viewer_id
        )
        return (await self._client.send(ORGANISATION, params)).value

    async def by_website(self, website: str) -> list[WebsiteMatch]:
        """The organisations behind a website, at most 5; an empty list when none is known.

        Each is an `Organisation`, as from `get`.

        `website`: a URL or a bare domain. The vendor announced this call without confirming it;
        where it is unknown, an earlier path is tried once. 1 org credit.

        Contract: lix.md#organisation.by_website
        """
        params = WebsiteParams(website=website)
        return (await self._client.send(ORGANISATIONS_BY_WEBSITE, params)).value.items

    async def ids(
        self,
        *,
        sales_nav_id: str | None = None,
        li_flagship_id: str | None = None,
        lix_id: str | None = None,
    ) -> OrganisationIds:
        """All ids of an organisation, by exactly one of them.

        `li_flagship_id` is the last part of `linkedin.com/company/…`, `sales_nav_id` the digits
        after `linkedin.com/sales/company/`. 1 org credit.

        Contract: lix.md#ids.organisation
        """
        params = IdsParams(sales_nav_id=sales_nav_id, li_flagship_id=li_flagship_id, lix_id=lix_id)
        return (await self._client.send(ORGANISATION_IDS, params)).value

    def followers(
        self,
        profile_link: str,
        viewer_id: str | None = None,
        *,
        start: int = 0,
        count: int | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Follower]:
        """Who follows an organisation. `profile_link` is its LinkedIn or Sales Navigator page.

        `viewer_id`: default the client's. `count`: rows on a page, by default 100. 1 standard
        credit a page.

        Contract: lix.md#organisation.followers
        """
        params = FollowersParams(
            profile_link=profile_link, viewer_id=viewer_id, start=start, count=count
        )
        return self._client.pages(
            FOLLOWERS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )
