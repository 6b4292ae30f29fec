"""`lix search …`, `lix leads` and `lix accounts`: every page of a LinkedIn search."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from ...providers.lix.endpoints.searches import (
    SALES_ORGS,
    SALES_PEOPLE,
    SEARCH_JOBS,
    SEARCH_ORGS,
    SEARCH_PEOPLE,
    SEARCH_POSTS,
)
from ..input.targets import check_url
from ..options import CONNECTION_DEFAULTS, LISTING_DEFAULTS, ConnectionOptions, ListingOutputOptions
from .listing import listing_job, run_listing

Url = Annotated[
    str,
    Parameter(
        help="The URL of the search, in quotes: filter on LinkedIn, then copy the address bar. "
        "Without quotes, the shell cuts the URL off at the first &."
    ),
]
SalesUrl = Annotated[
    str, Parameter(help="The URL of the search (linkedin.com/sales/search/…), in quotes.")
]

search = App(
    name="search",
    help_epilogue="",
    help="""Fetch every page of a LinkedIn search.

    Put the URL in quotes: it contains &, where the shell would otherwise cut it off.""",
)


@search.command(sort_key=0)
def people(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """All people found by a people search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    url = check_url(url, "search people")
    job = listing_job("people", SEARCH_PEOPLE, lambda lix, at: lix.search.people(url, resume=at))
    return run_listing(job, output, connection)


@search.command(sort_key=1)
def jobs(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """All jobs found by a job search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    url = check_url(url, "search jobs")
    job = listing_job("jobs", SEARCH_JOBS, lambda lix, at: lix.search.jobs(url, resume=at))
    return run_listing(job, output, connection)


@search.command(sort_key=2)
def posts(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """All posts found by a content search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    url = check_url(url, "search posts")
    job = listing_job("posts", SEARCH_POSTS, lambda lix, at: lix.search.posts(url, resume=at))
    return run_listing(job, output, connection)


@search.command(sort_key=3)
def orgs(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """All organisations found by a company search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    url = check_url(url, "search orgs")
    job = listing_job("organisations", SEARCH_ORGS, lambda lix, at: lix.search.orgs(url, resume=at))
    return run_listing(job, output, connection)


def leads(
    url: SalesUrl,
    /,
    *,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """All leads found by a Sales Navigator people search.

    One standard credit per page. Sales Navigator returns at most 2,500 rows of a search. Long URLs
    are sent as a form automatically.
    """
    url = check_url(url, "leads")
    job = listing_job("leads", SALES_PEOPLE, lambda lix, at: lix.sales.leads(url, resume=at))
    return run_listing(job, output, connection)


def accounts(
    url: SalesUrl,
    /,
    *,
    output: ListingOutputOptions = LISTING_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """All accounts found by a Sales Navigator company search.

    One standard credit per page. Sales Navigator returns at most 2,500 rows of a search.
    """
    url = check_url(url, "accounts")
    job = listing_job("accounts", SALES_ORGS, lambda lix, at: lix.sales.accounts(url, resume=at))
    return run_listing(job, output, connection)
