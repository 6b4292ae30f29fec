"""Posts, with their comments and reactions."""

from __future__ import annotations

from typing import Unpack

from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import profiles as e
from .base import Resource


class Posts(Resource):
    """`lix.posts`: posts by URN, such as `urn:li:activity:7000000000000000001`."""

    __slots__ = ()

    async def get(self, post_urn: str, *, viewer_id: str | None = None) -> m.Post:
        """One post.

        The result is an open object, since its fields are not documented.

        Args:
            post_urn: The URN of the post, such as urn:li:activity:7000000000000000001.
            viewer_id: The attached account that looks; default the client's `viewer_id`.

        Credits:
            1 standard credit.

        Contract:
            lix.md#enrich.post
        """
        params = p.PostParams(post_urn=post_urn, viewer_id=viewer_id)
        return (await self._client.send(e.POST, params)).value

    def comments(
        self,
        post_urn: str,
        *,
        viewer_id: str | None = None,
        start: int = 0,
        pagination_token: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Comment]:
        """The comments on a post.

        Args:
            post_urn: The URN of the post, such as urn:li:activity:7000000000000000001.
            viewer_id: The attached account that looks; default the client's `viewer_id`.
            start: The position of the first item, from 0.
            pagination_token: The token of the page before, to begin in the middle of the listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#enrich.post_comments
        """
        params = p.PostCommentsParams(
            post_urn=post_urn,
            viewer_id=viewer_id,
            start=start,
            pagination_token=pagination_token,
        )
        return self._client.pages(e.POST_COMMENTS, params, **options)

    def reactions(
        self,
        post_urn: str,
        *,
        start: int = 0,
        pagination_token: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Reaction]:
        """The reactions to a post, each with its `type` and `actor`.

        The totals by type are in `page.answer.value.items` of each page. This endpoint has no
        `viewer_id`.

        Args:
            post_urn: The URN of the post, such as urn:li:activity:7000000000000000001.
            start: The position of the first item, from 0.
            pagination_token: The token of the page before, to begin in the middle of the listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#enrich.post_reactions
        """
        params = p.PostReactionsParams(
            post_urn=post_urn, start=start, pagination_token=pagination_token
        )
        return self._client.pages(e.POST_REACTIONS, params, **options)
