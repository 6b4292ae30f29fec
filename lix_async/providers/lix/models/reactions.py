"""Comments and reactions.

Contract: lix.md#enrich.post_comments, lix.md#enrich.post_reactions, lix.md#activity,
lix.md#comment, lix.md#actor

Their names are in snake_case in the reference and in camelCase in the preview; both are read.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Generic, Literal, TypeAlias, TypeVar

from msgspec import field

from ....core.models import Listing, Model, known_id
from ....core.timestamps import from_seconds, parse_timestamp
from ....linkedin.fields import profile_slug

__all__ = [
    "ActivityReaction",
    "ActivityReactionsPage",
    "Actor",
    "Comment",
    "CommentsPage",
    "Reaction",
    "ReactionCount",
    "ReactionType",
    "ReactionsPage",
    "TokenPage",
]

ReactionType: TypeAlias = (
    Literal["LIKE", "CELEBRATE", "LOVE", "SUPPORT", "INSIGHTFUL", "FUNNY"] | str
)
"""The type of a reaction; others may be added."""
Item = TypeVar("Item")
PREFIX = "REACTION_TYPE_"


class TokenPage(Listing[Item], Generic[Item]):
    """A page that leads to the next one by a token."""

    __aliases__: ClassVar[dict[str, str]] = {
        "paginationToken": "pagination_token",
        "lastUpdated": "dateObserved",
    }

    pagination_token: str | None = field(name="pagination_token", default=None)
    """The token of the next page; absent, null or empty on the last one."""
    date_observed: str | None = None
    """When the vendor read the page from LinkedIn, in ISO 8601."""

    @property
    def cursor(self) -> str | None:
        """The token."""
        return self.pagination_token

    @property
    def observed_time(self) -> datetime | None:
        """When the vendor read the page from LinkedIn."""
        return parse_timestamp(self.date_observed)


class Actor(Model, rename=None):
    """The author of a comment or reaction."""

    __aliases__: ClassVar[dict[str, str]] = {
        "liId": "li_id",
        "profileImageUrl": "profile_image_url",
    }

    name: str | None = None
    """The name."""
    link: str | None = None
    """The URL of the LinkedIn profile; missing for hidden members."""
    li_id: str | None = None
    """Public identifier: the last part of `linkedin.com/in/<li_id>`."""
    headline: str | None = None
    """The headline of the profile."""
    profile_image_url: str | None = None
    """The URL of the picture."""
    sales_nav_link: str | None = field(name="salesNavLink", default=None)
    """The URL of the person in Sales Navigator; only in the vendor's preview."""

    @property
    def identity(self) -> str | None:
        """The id by which actors are compared; None for hidden members."""
        return profile_slug(self.link) or known_id(self.link) or self.li_id or None


class TypedReaction(Model, rename=None):
    """Something about reactions of one type."""

    __aliases__: ClassVar[dict[str, str]] = {"reactionType": "reaction_type"}

    reaction_type: ReactionType | None = None
    """The type of the reaction as it was sent; in posts, it has the prefix `REACTION_TYPE_`."""

    @property
    def type(self) -> ReactionType | None:
        """`LIKE`, `CELEBRATE`, `LOVE`, `SUPPORT`, `INSIGHTFUL`, `FUNNY`; others may be added."""
        return self.reaction_type.removeprefix(PREFIX) if self.reaction_type else None


class ReactionCount(TypedReaction, rename=None):
    """The number of reactions of one type."""

    count: int | None = None
    """The number of reactions; may be 0."""


class Comment(Model, rename=None):
    """A comment on a post."""

    __aliases__: ClassVar[dict[str, str]] = {
        "commentUrn": "comment_urn",
        "createdAt": "created_at",
        "postUrn": "post_urn",
        "numReactions": "num_reactions",
        "likes": "num_reactions",
        "numReplies": "num_replies",
        "reactionBreakdown": "reaction_breakdown",
        "content": "text",
    }

    comment_urn: str | None = None
    """The URN of the comment."""
    text: str | None = None
    """The text of the comment."""
    permalink: str | None = None
    """The URL of the comment on LinkedIn."""
    created_at: str | None = None
    """When it was written, in ISO 8601."""
    post_urn: str | None = None
    """The URN of the post."""
    num_reactions: int | None = None
    """The number of reactions to the comment."""
    num_replies: int | None = None
    """The number of replies to the comment."""
    author: Actor | None = None
    """Who wrote it."""
    reaction_breakdown: list[ReactionCount] = field(default=[])
    """The number of reactions of each type: all six types, zeros included."""
    id: str | None = None
    """The id of the comment; only in the vendor's preview."""
    post_id: str | None = None
    """The id of the post; only in the vendor's preview."""
    timestamp: int | None = None
    """When it was written, in epoch seconds; only in the vendor's preview."""

    @property
    def created_time(self) -> datetime | None:
        """When it was written."""
        return parse_timestamp(self.created_at) or from_seconds(self.timestamp)

    @property
    def identity(self) -> str | None:
        """The id by which comments are compared."""
        return self.comment_urn or self.id or self.permalink or None


class CommentsPage(TokenPage[Comment]):
    """A page of comments: on a post, or by a person."""

    items: list[Comment] = field(name="comments", default=[])
    """The comments of the page."""
    source: str | None = None
    """A text that the vendor has withdrawn."""


class Reaction(TypedReaction, rename=None):
    """One reaction to a post: `type` and `actor`.

    `items` of a page are grouped as the provider sends them, with `count` and `reactors`; a listing
    returns the reactions one by one.
    """

    actor: Actor | None = None
    """Who reacted."""
    count: int | None = None
    """Of a group, the number of all reactions of the type, not only those on this page."""
    reactors: list[Actor] = field(default=[])
    """Of a group, the people on this page who reacted."""

    @property
    def identity(self) -> str | None:
        """The id by which the reactions to one post are compared: who reacted."""
        return self.actor.identity if self.actor else None


class ReactionsPage(TokenPage[Reaction]):
    """A page of reactions to a post: grouped by type (the reference) or one by one (preview)."""

    __grouped__: ClassVar[str] = "reactors"

    items: list[Reaction] = field(name="reactions", default=[])
    """The reactions of the page: grouped by type, or one by one."""
    total_reactions: int | None = field(name="total_reactions", default=None)
    """The number of all reactions to the post."""

    def rows(self) -> list[Reaction]:
        """The reactions one by one, one item for each person who reacted."""
        rows: list[Reaction] = []
        for item in self.items:
            grouped = item.reactors or item.count is not None
            if item.actor is not None or not grouped:
                rows.append(item)
            rows += (Reaction(reaction_type=item.reaction_type, actor=a) for a in item.reactors)
        return rows


class ActivityReaction(Model, rename=None):
    """A post that a person reacted to."""

    post_urn: str | None = None
    """The URN of the post."""
    date_reacted: str | None = None
    """A relative time as text, such as "1mo"."""
    post_commentary: str | None = None
    """The text of the post."""
    num_reactions: int | None = None
    """The number of reactions to the post."""
    num_comments: int | None = None
    """The number of comments on the post."""
    num_shares: int | None = None
    """The number of times the post was shared."""
    post_actor: Actor | None = None
    """Who wrote the post: name and link."""

    @property
    def identity(self) -> str | None:
        """The id by which the reactions of one person are compared: the post."""
        return self.post_urn or None


class ActivityReactionsPage(TokenPage[ActivityReaction]):
    """A page of a person's reactions."""

    items: list[ActivityReaction] = field(name="reactions", default=[])
    """The posts of the page, each with the person's reaction."""
