"""Sales Navigator: searches, saved lists and facets. Its inbox is in `inmail`."""

from __future__ import annotations

from typing import Unpack
from urllib.parse import quote

from ....engine.pages import ListingOptions, Pages
from .. import models as m
from .. import params as p
from ..endpoints import searches as e
from .inmail import Inbox

MAX_GET_URL = 2000
"""The longest encoded search URL, in characters, that is sent in a GET request.

The vendor says "a few thousand" (lix.md#sales.search_people_post); 2000 is accepted by servers,
proxies and logs in general."""


class Sales(Inbox):
    """`lix.sales`: Sales Navigator, which returns at most 2500 items of a search."""

    __slots__ = ()

    def leads(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Person]:
        """People by the URL of a lead search, 25 on a page.

        A URL that is too long for a GET request is sent as a form.

        Args:
            url: The URL as the browser shows it, parameters after `#` included. The client encodes
                it exactly once.
            viewer_id: The account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#sales.search_people, lix.md#sales.search_people_post

        Example:
            ```python
            url = linkedin.lead_search(linkedin.current_title("Founder"))
            async for person in lix.sales.leads(url, max_items=100):
                print(person.name)
            ```
        """
        return self._client.pages(
            e.SALES_PEOPLE_FORM if _encoded(url) > MAX_GET_URL else e.SALES_PEOPLE,
            p.SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            **options,
        )

    def leads_by_filters(
        self,
        *,
        person_titles: p.Pair | str | None = None,
        locations: p.Pair | str | None = None,
        location: p.Pair | str | None = None,
        organisations: p.Pair | str | None = None,
        keywords: str | None = None,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Person]:
        """People by filters instead of a URL. At least one filter is needed.

        A filter is `facet.pair` of a facet from `facets`, or free text. Only one page is returned:
        how to get a second one is not published, and `stats.complete` is False when there are more.

        Args:
            person_titles: Job titles.
            locations: Places.
            location: The same under the name that the published samples use, if `locations` fails.
            organisations: Companies.
            keywords: Free text.
            viewer_id: The account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit.

        Contract:
            lix.md#sales.people_by_filters
        """
        params = p.FilterParams(
            person_titles=p.pair("person_titles", person_titles),
            locations=p.pair("locations", locations),
            location=p.pair("location", location),
            organisations=p.pair("organisations", organisations),
            keywords=keywords,
            viewer_id=viewer_id,
            sequence_id=sequence_id,
        )
        return self._client.pages(e.PEOPLE_BY_FILTERS, params, **options)

    def accounts(
        self,
        url: str,
        *,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.LiOrganisation]:
        """Companies by the URL of an account search. The URL is treated as in `leads`.

        Args:
            url: The URL as the browser shows it.
            viewer_id: The attached account that searches; default the client's `viewer_id`.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#sales.search_orgs
        """
        return self._client.pages(
            e.SALES_ORGS,
            p.SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            **options,
        )

    def lead_list(
        self,
        list_id: str | int,
        viewer_id: str | None = None,
        *,
        page: int = 1,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Person]:
        """The people of a saved list, 25 on a page.

        Args:
            list_id: The digits in `linkedin.com/sales/lists/people/<digits>`.
            viewer_id: The account that owns the list; default the client's `viewer_id`.
            page: The number of the first page.
            sequence_id: The id that ties the pages together; by default a new one per listing.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#sales.list_people
        """
        params = p.ListParams(
            list_id=str(list_id), viewer_id=viewer_id, page=page, sequence_id=sequence_id
        )
        return self._client.pages(e.PEOPLE_LIST, params, **options)

    def account_list(
        self,
        list_id: str | int,
        viewer_id: str | None = None,
        *,
        page: int = 1,
        sequence_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.LiOrganisation]:
        """The companies of a saved list (`linkedin.com/sales/lists/company/<digits>`).

        The arguments are those of `lead_list`.

        Credits:
            1 standard credit per page.

        Contract:
            lix.md#sales.list_orgs
        """
        params = p.ListParams(
            list_id=str(list_id), viewer_id=viewer_id, page=page, sequence_id=sequence_id
        )
        return self._client.pages(e.ORGS_LIST, params, **options)

    def facets(
        self,
        query: str,
        type: str,  # noqa: A002  # the provider's own name
        *,
        count: int = 100,
        start: int = 0,
        viewer_id: str | None = None,
        **options: Unpack[ListingOptions],
    ) -> Pages[m.Facet]:
        """Values for a filter, by what a person would type into it.

        Companies, which the provider groups, are returned one by one.

        Args:
            query: The text.
            type: A name of `FacetType`, or any other that the vendor accepts.
            count: Items per page.
            start: Position of the first item.
            viewer_id: The account that searches; default the client's `viewer_id`.
            **options: Options of every listing; see `ListingOptions`.

        Credits:
            Free, but the account must have credits left.

        Contract:
            lix.md#facets.sales
        """
        params = p.FacetParams(
            query=query, type=type, count=count, start=start, viewer_id=viewer_id
        )
        return self._client.pages(e.SALES_FACETS, params, **options)


def _encoded(url: object) -> int:
    """Length of the URL once it is encoded. Params check the type of the value later."""
    return len(quote(str(url), "", errors="replace"))
