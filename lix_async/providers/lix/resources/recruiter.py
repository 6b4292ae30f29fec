"""LinkedIn Recruiter: candidates by skill."""

from __future__ import annotations

from collections.abc import Iterable

from ....core.validation import as_list
from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.searches import RECRUITER_FACETS, RECRUITER_PEOPLE
from ..models import Person, SkillFacet
from ..params import RecruiterParams, SkillFacetParams, SkillFilter
from .base import Resource


class Recruiter(Resource):
    """`lix.recruiter`."""

    __slots__ = ()

    def people(
        self,
        skills: Iterable[SkillFilter],
        *,
        start: int = 0,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Person]:
        """Candidates with these skills, 25 on a page, at most 2500.

        Skills come from `facets`: `[facet.filter() async for facet in lix.recruiter.facets(…)]`.
        The call is a GET with a JSON body, which some proxies drop. 1 standard credit a page.

        Contract: lix.md#recruiter.search_people
        """
        params = RecruiterParams(
            skills=as_list("skills", skills),
            start=start,
            viewer_id=viewer_id,
            sequence_id=sequence_id,
        )
        return self._client.pages(
            RECRUITER_PEOPLE,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def facets(
        self,
        query: str,
        *,
        q: str = "skill",
        start: int = 0,
        count: int = 100,
        viewer_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[SkillFacet]:
        """Skills whose names begin like `query`, for `people`.

        `q`: what to look for, `skill` is the only value published. Two paths are published: when
        one is unknown, the other is tried once and remembered. Free, but the account must hold
        credits.

        Contract: lix.md#facets.recruiter
        """
        params = SkillFacetParams(query=query, q=q, start=start, count=count, viewer_id=viewer_id)
        return self._client.pages(
            RECRUITER_FACETS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )
