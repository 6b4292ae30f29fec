"""LinkedIn Recruiter: candidates by skill."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from ....core.validation import as_list
from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import searches as e
from .base import Resource


class Recruiter(Resource):
    """`lix.recruiter`: candidates, and the skills to search for."""

    __slots__ = ()

    def people(
        self,
        skills: Iterable[p.SkillFilter],
        *,
        start: int = 0,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Person]:
        """Candidates with the given skills, 25 on a page, at most 2500.

        The endpoint is a GET with a JSON body, which some proxies remove.

        Args:
            skills: Filters from `facets`, or your own.
            start: Position of the first item.
            viewer_id: The account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#recruiter.search_people

        Example:
            ```python
            skills = [facet.filter() async for facet in lix.recruiter.facets("python")]
            candidates = await lix.recruiter.people(skills, max_items=50).collect()
            ```
        """
        params = p.RecruiterParams(
            skills=as_list("skills", skills),
            start=start,
            viewer_id=viewer_id,
            sequence_id=sequence_id,
        )
        return self._client.pages(e.RECRUITER_PEOPLE, params, **options)

    def facets(
        self,
        query: str,
        *,
        q: str = "skill",
        start: int = 0,
        count: int = 100,
        viewer_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.SkillFacet]:
        """Skills whose names begin with `query`, for use in `people`.

        Two paths are published. If the first is unknown, the other is tried once and remembered.

        Args:
            query: The beginning of the name.
            q: What to look for; `skill` is the only published value.
            start: Position of the first item.
            count: Items per page.
            viewer_id: The account that searches; default the client's `viewer_id`.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            Free, but the account must have credits left.

        Contract:
            lix.md#facets.recruiter
        """
        params = p.SkillFacetParams(query=query, q=q, start=start, count=count, viewer_id=viewer_id)
        return self._client.pages(e.RECRUITER_FACETS, params, **options)
