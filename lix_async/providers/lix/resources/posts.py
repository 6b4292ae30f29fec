"""Posts, with their comments and reactions."""

from __future__ import annotations

from typing import Unpack

from ....engine.pages import ListingOptions, Pages
from ..endpoints.profiles import POST, POST_COMMENTS, POST_REACTIONS
from ..models import Comment, Post, Reaction
from ..params import PostCommentsParams, PostParams, PostReactionsParams
from .base import Resource


class Posts(Resource):
    """`lix.posts`: posts by URN, such as `urn:li:activity:7000000000000000001`."""

    __slots__ = ()

    async def get(self, post_urn: str, *, viewer_id: str | None = None) -> Post:
        """One post.

        The result is an open object, since its fields are not documented.

        Credits:
            1 standard credit.

        Contract:
            lix.md#enrich.post
        """
        params = PostParams(post_urn=post_urn, viewer_id=viewer_id)
        return (await self._client.send(POST, params)).value

    def comments(
        self,
        post_urn: str,
        *,
        viewer_id: str | None = None,
        start: int = 0,
        pagination_token: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[Comment]:
        """The comments on a post.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#enrich.post_comments
        """
        params = PostCommentsParams(
            post_urn=post_urn,
            viewer_id=viewer_id,
            start=start,
            pagination_token=pagination_token,
        )
        return self._client.pages(POST_COMMENTS, params, **options)

    def reactions(
        self,
        post_urn: str,
        *,
        start: int = 0,
        pagination_token: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[Reaction]:
        """The reactions to a post, each with its `type` and `actor`.

        The totals by type are in `page.answer.value.items` of each page. This endpoint has no
        `viewer_id`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#enrich.post_reactions
        """
        params = PostReactionsParams(
            post_urn=post_urn, start=start, pagination_token=pagination_token
        )
        return self._client.pages(POST_REACTIONS, params, **options)
