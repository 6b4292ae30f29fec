"""LinkedIn searches, by the URL that the LinkedIn site shows for them."""

from __future__ import annotations

from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.searches import SEARCH_JOBS, SEARCH_ORGS, SEARCH_PEOPLE, SEARCH_POSTS
from ..models import JobPosting, LiOrganisation, Person, Post
from ..params import JobSearchParams, PostSearchParams, SearchParams
from .base import Resource


class Search(Resource):
    """`lix.search`. Give the URL as the browser shows it: it is encoded here, exactly once.

    LinkedIn gives at most 1000 rows of a search, whatever its total says. A `page=` in the URL
    is where the walk begins.
    """

    __slots__ = ()

    def people(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Person]:
        """People. Rows are partial, hidden members have no link.

        `viewer_id`: search as this account. `sequence_id` ties the pages together: by default a
        fresh one for each walk. 1 standard credit a page.

        Contract: lix.md#search.people
        """
        return self._client.pages(
            SEARCH_PEOPLE,
            SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def jobs(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[JobPosting]:
        """Job postings, as open objects. A `start=` in the URL is where the walk begins.

        1 standard credit a page.

        Contract: lix.md#search.jobs
        """
        return self._client.pages(
            SEARCH_JOBS,
            JobSearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def posts(
        self,
        url: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Post]:
        """Posts, as open objects, from row `start` on. 1 standard credit a page.

        Contract: lix.md#search.posts
        """
        params = PostSearchParams(
            url=url, start=start, viewer_id=viewer_id, sequence_id=sequence_id
        )
        return self._client.pages(
            SEARCH_POSTS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def orgs(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[LiOrganisation]:
        """Companies. 1 standard credit a page.

        Contract: lix.md#search.orgs
        """
        return self._client.pages(
            SEARCH_ORGS,
            SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )
