"""LinkedIn searches, by the URL that the LinkedIn site shows for them."""

from __future__ import annotations

from typing import Unpack

from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import searches as e
from .base import Resource


class Search(Resource):
    """`lix.search`: LinkedIn searches, by URL.

    Pass the URL as the browser shows it; the client encodes it exactly once. A `page=` in the URL
    is the page that the listing begins with. LinkedIn returns at most 1000 items of a search,
    whatever its total says.
    """

    __slots__ = ()

    def people(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Person]:
        """People by the URL of a people search.

        Profiles are partial, and hidden members have no link.

        Args:
            url: The URL as the browser shows it.
            viewer_id: The account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#search.people

        Example:
            ```python
            url = linkedin.people_search("climate")
            people = await lix.search.people(url, max_items=20).collect()
            ```
        """
        return self._client.pages(
            e.SEARCH_PEOPLE,
            p.SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            **options,
        )

    def jobs(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.JobPosting]:
        """Job postings by the URL of a job search. A `start=` in the URL is the first position.

        Items are open objects, since their fields are not documented.

        Args:
            url: The URL as the browser shows it.
            viewer_id: The attached account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#search.jobs
        """
        return self._client.pages(
            e.SEARCH_JOBS,
            p.JobSearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            **options,
        )

    def posts(
        self,
        url: str,
        *,
        start: int = 0,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Post]:
        """Posts by the URL of a post search, from position `start` on.

        Items are open objects, since their fields are not documented.

        Args:
            url: The URL as the browser shows it.
            start: The position of the first item, from 0.
            viewer_id: The attached account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#search.posts
        """
        params = p.PostSearchParams(
            url=url, start=start, viewer_id=viewer_id, sequence_id=sequence_id
        )
        return self._client.pages(e.SEARCH_POSTS, params, **options)

    def orgs(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.LiOrganisation]:
        """Companies by the URL of a company search.

        Args:
            url: The URL as the browser shows it.
            viewer_id: The attached account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#search.orgs
        """
        return self._client.pages(
            e.SEARCH_ORGS,
            p.SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            **options,
        )
