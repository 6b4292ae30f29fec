"""Posts, and what people said to them."""

from __future__ import annotations

from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.profiles import POST, POST_COMMENTS, POST_REACTIONS
from ..models import Comment, Post, Reaction
from ..params import PostCommentsParams, PostParams, PostReactionsParams
from .base import Resource


class Posts(Resource):
    """`lix.posts`. Posts are named by urns such as `urn:li:activity:7000000000000000001`."""

    __slots__ = ()

    async def get(self, post_urn: str, *, viewer_id: str | None = None) -> Post:
        """One post, an open object: no document says what is in it.

        1 standard credit.

        Contract: lix.md#enrich.post
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
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Comment]:
        """The comments on a post. 1 standard credit a page.

        Contract: lix.md#enrich.post_comments
        """
        params = PostCommentsParams(
            post_urn=post_urn,
            viewer_id=viewer_id,
            start=start,
            pagination_token=pagination_token,
        )
        return self._client.pages(
            POST_COMMENTS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def reactions(
        self,
        post_urn: str,
        *,
        start: int = 0,
        pagination_token: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Reaction]:
        """The reactions to a post one by one, each with `type` and `actor`.

        Totals by type are in `page.answer.value.items` of each page. No viewer can be named for
        this call. 1 standard credit a page.

        Contract: lix.md#enrich.post_reactions
        """
        params = PostReactionsParams(
            post_urn=post_urn, start=start, pagination_token=pagination_token
        )
        return self._client.pages(
            POST_REACTIONS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )
