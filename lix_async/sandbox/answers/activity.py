"""Posts, jobs, and what people did: listings whose pages are linked by tokens."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from ..protocol.errors import params_invalid
from ..world import job_postings, posts
from ..world.random import chance, number, pick, rng_for

if TYPE_CHECKING:
    from ..protocol.params import RequestParams
    from ..world.people import PersonRecord
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
    raise params_invalid("pagination_token is not one of this listing")


def _page_range(
    params: RequestParams, context: AnswerContext, name: str, total: int, size: int
) -> tuple[range, dict[str, object]]:
    """Which rows a page has, and the keys beside them.

    One listing in seven gives no tokens although there is more: it goes on by `start` alone. The
    last page has no token, a null or an empty one, as the published samples disagree.
    """
    token = params.text("pagination_token")
    start = _from_token(name, token) if token else params.number("start")
    rows = range(start, max(min(start + context.page_size(size), total), start))
    beside: dict[str, object] = {"paging": {"count": len(rows), "start": start, "total": total}}
    if rows.stop < total:
        if number("tokens", name) % 7:
            beside["pagination_token"] = _token(name, rows.stop)
    elif (end := number("last token", name) % 3) > 0:
        beside["pagination_token"] = None if end == 1 else ""
    return rows, beside


def job(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A job posting."""
    return job_postings.body(world.posting(params.require("job_id")))


def post(world: World, params: RequestParams, context: AnswerContext) -> object:
    """A post."""
    return posts.body(world.post(params.require("post_urn")))


def post_comments(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The comments under a post, as many as its `commentCount`."""
    one = world.post(params.require("post_urn"))
    rows, beside = _page_range(params, context, f"comments {one.urn}", one.comments, 10)
    authors = world.some_people(one.comments, "commenters", one.urn)
    return {"comments": [posts.comment(one, which, authors[which]) for which in rows], **beside}


def post_reactions(world: World, params: RequestParams, context: AnswerContext) -> object:
    """The reactions to a post by kind; `count` is all of a kind, `reactors` those on this page."""
    one = world.post(params.require("post_urn"))
    kinds = posts.reaction_kinds(one)
    rows, beside = _page_range(params, context, f"reactions {one.urn}", len(kinds), 10)
    everybody = world.some_people(len(kinds), "reactors", one.urn)
    groups: dict[str, list[dict[str, object]]] = {}
    for which in rows:
        groups.setdefault(kinds[which], []).append(posts.actor(everybody[which]))
    grouped = [
        {"reaction_type": kind, "count": kinds.count(kind), "reactors": reactors}
        for kind, reactors in groups.items()
    ]
    return {"reactions": grouped, "total_reactions": len(kinds), **beside}


def posts_of(world: World, params: RequestParams, context: AnswerContext) -> object:
    """What a person posted, newest first."""
    one = world.person_at(params.require("profile_link"))
    written = world.posts_of(one)
    rows, beside = _page_range(params, context, f"posts of {one.slug}", len(written), 25)
    return {"posts": [posts.body(written[which]) for which in rows], **beside}


def comments_of(world: World, params: RequestParams, context: AnswerContext) -> object:
    """What a person commented."""
    one = world.person_at(params.require("profile_link"))
    total = number("comments of", one.slug) % 90
    rows, beside = _page_range(params, context, f"comments of {one.slug}", total, 25)
    met = _posts_seen_by(world, one, total)
    return {"comments": [posts.comment(met[which], 1000 + which, one) for which in rows], **beside}


def reactions_of(world: World, params: RequestParams, context: AnswerContext) -> object:
    """What a person reacted to."""
    one = world.person_at(params.require("profile_link"))
    total = number("reactions of", one.slug) % 160
    rows, beside = _page_range(params, context, f"reactions of {one.slug}", total, 50)
    met = _posts_seen_by(world, one, total)
    return {"reactions": [_reaction(one, met[which]) for which in rows], **beside}


def _posts_seen_by(world: World, person: PersonRecord, count: int) -> list[posts.PostRecord]:
    """Different posts that a person came across."""
    places = rng_for(world.seed, "met", person.slug).sample(range(max(world.posts, count)), count)
    return [world.post_at(place) for place in places]


def _reaction(person: PersonRecord, met: posts.PostRecord) -> dict[str, object]:
    author: dict[str, object] = {"name": met.author.name, "link": met.author.link}
    if chance(0.1, "by a company", met.urn):
        author = {"name": met.author.employer.name, "link": None}
    return {
        "post_urn": met.urn,
        "date_reacted": pick(("2d", "3d", "1w", "2w", "1mo", "3mo", "1yr"), person.slug, met.urn),
        "post_commentary": met.text or None,
        "num_reactions": sum(met.reactions),
        "num_comments": met.comments,
        "num_shares": number("shares", met.urn) % 12,
        "post_actor": author,
    }
