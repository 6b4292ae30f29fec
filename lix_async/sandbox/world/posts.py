"""Posts of the world, with their comments and reactions.

A post's urn contains its author and number, so it can be resolved without a stored list.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...core.values import JsonObject
from . import names
from .people import PersonRecord
from .random import chance, number, rng_for

REACTIONS = ("LIKE", "CELEBRATE", "LOVE", "SUPPORT", "INSIGHTFUL", "FUNNY")
"""All types of reactions, in the documented order."""
BASE = 7_100_000_000_000_000_000
"""The activity number of the first post of the first person."""
PER_PERSON = 1_000
"""The activity numbers reserved for each person: more than anyone has posts."""


@dataclass(frozen=True, slots=True)
class PostRecord:
    """One post, with the numbers of its comments and reactions."""

    activity: int
    author: PersonRecord
    topic: str
    text: str
    title: str | None
    """The title of an embedded article; the text may be empty if there is one."""
    comments: int
    reactions: tuple[int, ...]
    """The number of each type, in the order of `REACTIONS`."""

    @property
    def urn(self) -> str:
        """The id that other endpoints accept."""
        return f"urn:li:activity:{self.activity}"

    @property
    def link(self) -> str:
        """The public page of the post."""
        return f"https://www.linkedin.com/feed/update/{self.urn}"

    @property
    def keywords(self) -> str:
        """The text that keywords are compared with, in lower case."""
        return " ".join(
            (self.text, self.title or "", self.topic, self.author.name, self.author.title)
        ).casefold()


def activity(owner: int, which: int) -> int:
    """The activity number of a post; `owner` is the index of a person."""
    return BASE + owner * PER_PERSON + which


def make(number_: int, author: PersonRecord) -> PostRecord:
    """The post with this activity number."""
    rng = rng_for("post", number_)
    topic = rng.choice((*author.skills, *names.SKILLS))
    embedded = rng.random() < 0.2
    tag = names.slug(topic).replace("-", "")
    text = f"What we learned about {topic.lower()} at {author.employer.name}.\n#{tag}"
    likes = rng.choice((0, 3, 12, 40, 90))
    return PostRecord(
        activity=number_,
        author=author,
        topic=topic,
        text="" if embedded and rng.random() < 0.5 else text,
        title=f"A year of {topic.lower()}" if embedded else None,
        comments=rng.choice((0, 1, 4, 9, 18, 33, 57)),
        reactions=tuple(rng.randint(0, likes) // (1 + kind * 2) for kind in range(len(REACTIONS))),
    )


def written_at(number_: int) -> str:
    """The ISO 8601 time of a post or comment: in the two years before the date of the world."""
    rng = rng_for("written", number_)
    year, month = rng.choice(
        ((2023, rng.randint(6, 12)), (2024, rng.randint(1, 12)), (2025, rng.randint(1, 5)))
    )
    day, hour, minute = rng.randint(1, 28), rng.randint(7, 20), rng.randint(0, 59)
    return f"{year}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:00Z"


def body(post: PostRecord) -> JsonObject:
    """A post in the format of `search.posts`, `activity.posts` and `enrich.post`."""
    counts = [
        {"reactionType": f"REACTION_TYPE_{kind}", "count": count}
        for kind, count in zip(REACTIONS, post.reactions, strict=True)
        if count
    ]
    return {
        "id": post.urn,
        "url": post.link,
        "text": post.text,
        "createdAt": written_at(post.activity),
        "actor": {"id": post.author.slug, "name": post.author.name, "url": post.author.link},
        "numReactions": counts or None,
        "commentCount": post.comments,
        "embeddedObject": {"title": post.title} if post.title else None,
    }


def actor(person: PersonRecord) -> JsonObject:
    """The author of a comment or a reaction."""
    return {
        "name": person.name,
        "link": person.link,
        "li_id": person.slug,
        "headline": None if chance(0.1, "no headline", person.key) else person.headline,
        "profile_image_url": person.picture,
    }


def comment(post: PostRecord, which: int, author: PersonRecord) -> JsonObject:
    """Comment number `which` on a post. All types of reactions are listed, zeros included."""
    tag = 700_000_000 + number("comment", post.activity, which) % 99_999_999
    votes = number("comment votes", tag) % 6
    return {
        "comment_urn": f"urn:li:comment:{tag}",
        "text": f"Comment {which % 1000 + 1}: agreed on {post.topic.lower()}.",
        "permalink": f"{post.link}?commentUrn=urn:li:comment:{tag}",
        "created_at": written_at(tag),
        "post_urn": post.urn,
        "num_reactions": votes,
        "num_replies": number("replies", tag) % 3,
        "author": actor(author),
        "reaction_breakdown": [
            {"reaction_type": kind, "count": votes if kind == "LIKE" else 0} for kind in REACTIONS
        ],
    }


def reaction_kinds(post: PostRecord) -> list[str]:
    """The type of every reaction to a post, the most frequent type first."""
    pairs = sorted(zip(post.reactions, REACTIONS, strict=True), key=lambda pair: -pair[0])
    return [kind for count, kind in pairs for _ in range(count)]
