"""Posts, jobs and the activity of people: listings with page tokens."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from ...core.values import JsonObject
from ..protocol.errors import params_invalid
from ..protocol.params import RequestParams
from ..world import job_postings, posts
from ..world.people import PersonRecord
from ..world.random import chance, number, pick, rng_for
from ..world.world import World
from .context import AnswerContext


def _token(name: str, start: int) -> str:
    return urlsafe_b64encode(f"{number('token', name):x} {start}".encode()).decode()


def _from_token(name: str, token: str) -> int:
    try:
        owner, start = urlsafe_b64decode(token).decode().split()
        if int(owner, 16) == number("token", name):
            return int(start)
    except ValueError:
        pass
    raise params_invalid("pagination_token does not belong to this listing")


def _page_range(
    params: RequestParams, context: AnswerContext, name: str, total: int, size: int
) -> tuple[range, JsonObject]:
    """The positions of a page's items, and the keys beside the items.

    One listing in seven has no tokens although there are more pages: it continues by `start`. The
    last page has no token, null or an empty text, since the published samples differ.
    """
    token = params.text("pagination_token")
    start = _from_token(name, token) if token else params.number("start")
    positions = range(start, max(min(start + context.page_size(size), total), start))
    page: JsonObject = {"paging": {"count": len(positions), "start": start, "total": total}}
    if positions.stop < total:
        if number("tokens", name) % 7:
            page["pagination_token"] = _token(name, positions.stop)
    elif (end := number("last token", name) % 3) > 0:
        page["pagination_token"] = None if end == 1 else ""
    return positions, page


def job(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A job posting."""
    return job_postings.body(world.posting(params.require("job_id")))


def post(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A post."""
    return posts.body(world.post(params.require("post_urn")))


def post_comments(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The comments on a post, as many as its `commentCount`."""
    one = world.post(params.require("post_urn"))
    positions, page = _page_range(params, context, f"comments {one.urn}", one.comments, 10)
    authors = world.some_people(one.comments, "commenters", one.urn)
    return {"comments": [posts.comment(one, which, authors[which]) for which in positions], **page}


def post_reactions(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The reactions to a post by type; `count` is all of a type, `reactors` those on this page."""
    one = world.post(params.require("post_urn"))
    kinds = posts.reaction_kinds(one)
    positions, page = _page_range(params, context, f"reactions {one.urn}", len(kinds), 10)
    people = world.some_people(len(kinds), "reactors", one.urn)
    groups: dict[str, list[JsonObject]] = {}
    for which in positions:
        groups.setdefault(kinds[which], []).append(posts.actor(people[which]))
    grouped = [
        {"reaction_type": kind, "count": kinds.count(kind), "reactors": reactors}
        for kind, reactors in groups.items()
    ]
    return {"reactions": grouped, "total_reactions": len(kinds), **page}


def posts_of(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The posts of a person, newest first."""
    one = world.person_at(params.require("profile_link"))
    written = world.posts_of(one)
    positions, page = _page_range(params, context, f"posts of {one.key}", len(written), 25)
    return {"posts": [posts.body(written[which]) for which in positions], **page}


def comments_of(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The comments of a person."""
    one = world.person_at(params.require("profile_link"))
    total = number("comments of", one.key) % 90
    positions, page = _page_range(params, context, f"comments of {one.key}", total, 25)
    seen = _posts_seen_by(world, one, total)
    return {
        "comments": [posts.comment(seen[which], 1000 + which, one) for which in positions],
        **page,
    }


def reactions_of(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The reactions of a person."""
    one = world.person_at(params.require("profile_link"))
    total = number("reactions of", one.key) % 160
    positions, page = _page_range(params, context, f"reactions of {one.key}", total, 50)
    seen = _posts_seen_by(world, one, total)
    return {"reactions": [_reaction(one, seen[which]) for which in positions], **page}


def _posts_seen_by(world: World, person: PersonRecord, count: int) -> list[posts.PostRecord]:
    """Different posts that a person commented on or reacted to."""
    indexes = rng_for(world.seed, "met", person.key).sample(range(max(world.posts, count)), count)
    return [world.post_at(index) for index in indexes]


def _reaction(person: PersonRecord, post: posts.PostRecord) -> JsonObject:
    author: JsonObject = {"name": post.author.name, "link": post.author.link}
    if chance(0.1, "by a company", post.urn):
        author = {"name": post.author.employer.name, "link": None}
    return {
        "post_urn": post.urn,
        "date_reacted": pick(("2d", "3d", "1w", "2w", "1mo", "3mo", "1yr"), person.key, post.urn),
        "post_commentary": post.text or None,
        "num_reactions": sum(post.reactions),
        "num_comments": post.comments,
        "num_shares": number("shares", post.urn) % 12,
        "post_actor": author,
    }
