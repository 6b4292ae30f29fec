"""Sales Navigator: searches, saved lists and facets; its inbox is in `inmail`."""

from __future__ import annotations

from urllib.parse import quote

from ....engine.checkpoint import Checkpoint
from ....engine.pages import Pages
from ..endpoints.searches import (
    ORGS_LIST,
    PEOPLE_BY_FILTERS,
    PEOPLE_LIST,
    SALES_FACETS,
    SALES_ORGS,
    SALES_PEOPLE,
    SALES_PEOPLE_FORM,
)
from ..models import Facet, LiOrganisation, Person
from ..params import FacetParams, FilterParams, ListParams, Pair, SearchParams, pair
from .inmail import Inbox

LONGEST_GET = 2000
"""Characters of an encoded search URL that still goes into a GET. "A few thousand", says
lix.md#sales.search_people_post; 2000 is what every proxy and log on the way is known to carry."""


class Sales(Inbox):
    """`lix.sales`. Sales Navigator gives at most 2500 rows of a search."""

    __slots__ = ()

    def leads(
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
        """People by the URL of a lead search, 25 on a page. Parameters may stand after `#`.

        Give the URL as the browser shows it: it is encoded here, exactly once. One that is too
        long for a GET goes as a form by itself. 1 standard credit a page.

        Contract: lix.md#sales.search_people, lix.md#sales.search_people_post
        """
        return self._client.pages(
            SALES_PEOPLE_FORM if _encoded(url) > LONGEST_GET else SALES_PEOPLE,
            SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def leads_by_filters(
        self,
        *,
        person_titles: Pair | str | None = None,
        locations: Pair | str | None = None,
        location: Pair | str | None = None,
        organisations: Pair | str | None = None,
        keywords: str | None = None,
        viewer_id: str | None = None,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Person]:
        """People by filters. A filter is `facet.pair` of a facet from `facets`, or free text.

        At least one filter is needed. `location` is `locations` under the name that the
        published samples use, should the other one not work. One page only: no way to a second
        is published, and `stats.complete` is False when there are more. 1 standard credit.

        Contract: lix.md#sales.people_by_filters
        """
        params = FilterParams(
            person_titles=pair("person_titles", person_titles),
            locations=pair("locations", locations),
            location=pair("location", location),
            organisations=pair("organisations", organisations),
            keywords=keywords,
            viewer_id=viewer_id,
            sequence_id=sequence_id,
        )
        return self._client.pages(
            PEOPLE_BY_FILTERS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def accounts(
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
        """Companies by the URL of an account search. 1 standard credit a page.

        Contract: lix.md#sales.search_orgs
        """
        return self._client.pages(
            SALES_ORGS,
            SearchParams(url=url, viewer_id=viewer_id, sequence_id=sequence_id),
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def lead_list(
        self,
        list_id: str | int,
        viewer_id: str | None = None,
        *,
        page: int = 1,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Person]:
        """The people of a saved list, 25 on a page, from `page` on.

        `list_id`: the digits in `linkedin.com/sales/lists/people/…`. `viewer_id`: the account
        that owns it, default the client's. 1 standard credit a page.

        Contract: lix.md#sales.list_people
        """
        params = ListParams(
            list_id=str(list_id), viewer_id=viewer_id, page=page, sequence_id=sequence_id
        )
        return self._client.pages(
            PEOPLE_LIST,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def account_list(
        self,
        list_id: str | int,
        viewer_id: str | None = None,
        *,
        page: int = 1,
        sequence_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[LiOrganisation]:
        """The companies of a saved list (`linkedin.com/sales/lists/company/…`).

        The rest as with `lead_list`. 1 standard credit a page.

        Contract: lix.md#sales.list_orgs
        """
        params = ListParams(
            list_id=str(list_id), viewer_id=viewer_id, page=page, sequence_id=sequence_id
        )
        return self._client.pages(
            ORGS_LIST,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )

    def facets(
        self,
        query: str,
        type: str,  # noqa: A002  # the provider's own name
        *,
        count: int = 100,
        start: int = 0,
        viewer_id: str | None = None,
        max_items: int | None = None,
        max_credits: int | None = None,
        resume: Checkpoint | None = None,
        prefetch: int = 0,
    ) -> Pages[Facet]:
        """Values that a filter takes, by what a person would type into it.

        `type`: one of `FacetType`, or any other name that the vendor knows. Companies, which the
        wire nests, come one by one. Free, but the account must hold credits.

        Contract: lix.md#facets.sales
        """
        params = FacetParams(query=query, type=type, count=count, start=start, viewer_id=viewer_id)
        return self._client.pages(
            SALES_FACETS,
            params,
            max_items=max_items,
            max_credits=max_credits,
            resume=resume,
            prefetch=prefetch,
        )


def _encoded(url: object) -> int:
    """Characters of the URL once it is encoded. What is no text is refused later, by name."""
    return len(quote(str(url), "", errors="replace"))
