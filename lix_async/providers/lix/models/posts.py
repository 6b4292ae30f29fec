"""Posts. Their keys are not documented, so they are open objects with properties."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from msgspec import field

from ....core.models import Listing, OpenObject
from ....core.timestamps import from_ms, from_seconds, parse_timestamp
from ....linkedin.fields import profile_name
from .coercion import as_list, as_object, as_text
from .reactions import ReactionCount, TokenPage

__all__ = ["ActivityPostsPage", "Post", "PostActor", "PostsPage"]


class PostActor(OpenObject):
    """The author of a post: a dict with properties for observed keys (lix.md#post)."""

    @property
    def id(self) -> str | None:
        """Public identifier, or URN."""
        return self.first_text("id", "liId", "li_id") or profile_name(self.url)

    @property
    def name(self) -> str | None:
        """The name."""
        return self.first_text("name")

    @property
    def url(self) -> str | None:
        """The URL of the profile or page."""
        return self.first_text("url", "link")

    @property
    def headline(self) -> str | None:
        """The headline."""
        return self.first_text("headline", "description")


class Post(OpenObject):
    """A post: a dict as it was sent, with properties for the forms that were observed.

    These are flat objects with either of two sets of names, raw ones (`response.elements[0]`) and
    the small ones of the vendor's preview.
    """

    @property
    def urn(self) -> str | None:
        """The URN that `posts.get`, `posts.comments` and `posts.reactions` take."""
        names = ("urn", "post_urn", "postUrn", "id")
        texts = (self.first_text(name) for name in names)
        return next((text for text in texts if text and text.startswith("urn:li:")), None)

    @property
    def text(self) -> str | None:
        """The text; None if the post only embeds something."""
        elements = as_list(self.inside("response", "elements")) or [None]
        raw = OpenObject(as_object(elements[0])).inside("commentary", "text", "text")
        return self.first_text("text", "content") or as_text(raw)

    @property
    def url(self) -> str | None:
        """The URL of the post on LinkedIn."""
        return self.first_text("url", "permalink")

    @property
    def created_at(self) -> str | None:
        """When it was posted, in ISO 8601."""
        return self.first_text("createdAt", "created_at", "postedAt")

    @property
    def created_time(self) -> datetime | None:
        """When it was posted: from the text, from milliseconds, or from the preview's seconds."""
        posted = parse_timestamp(self.created_at) or from_ms(
            self.first_number("createdAt", "created_at", "postedAt")
        )
        return posted or from_seconds(self.first_number("timestamp"))

    @property
    def actor(self) -> PostActor | None:
        """The author."""
        found = as_object(self.get("actor")) or as_object(self.get("person"))
        return PostActor(found) if found else None

    @property
    def reactions(self) -> list[ReactionCount]:
        """The number of reactions of each type. Observed: 0 is left out."""
        rows = [OpenObject(as_object(row)) for row in as_list(self.get("numReactions"))]
        return [
            ReactionCount(
                reaction_type=row.first_text("reactionType", "reaction_type"),
                count=row.first_number("count") or 0,
            )
            for row in rows
        ]

    @property
    def reaction_count(self) -> int | None:
        """The number of all reactions; None if the post does not state it."""
        if isinstance(self.get("numReactions"), list):
            return sum(row.count or 0 for row in self.reactions)
        return self.first_number("numReactions", "numLikes", "likes")

    @property
    def comment_count(self) -> int | None:
        """The number of comments."""
        return self.first_number("commentCount", "numComments", "comments")

    @property
    def share_count(self) -> int | None:
        """The number of times the post was shared."""
        return self.first_number("shareCount", "numShares")

    @property
    def embedded_title(self) -> str | None:
        """The title of the embedded content."""
        return as_text(self.inside("embeddedObject", "title"))

    @property
    def embedded_source(self) -> str | None:
        """Where the embedded content is from, as a text."""
        return as_text(self.inside("embeddedObject", "source"))

    @property
    def embedded_image_url(self) -> str | None:
        """The image of the embedded content: a signed URL."""
        return as_text(self.inside("embeddedObject", "imageUrl"))

    @property
    def identity(self) -> str | None:
        """The id by which posts are compared."""
        return self.urn or self.first_text("id") or self.url


class PostsPage(Listing[Post]):
    """A page of a post search."""

    __envelopes__: ClassVar[tuple[str, ...]] = ("searchResponse", "response")

    items: list[Post] = field(name="posts", default=[])
    """The posts of the page."""


class ActivityPostsPage(TokenPage[Post]):
    """A page of a person's posts."""

    items: list[Post] = field(name="posts", default=[])
    """The posts of the page."""
