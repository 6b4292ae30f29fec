"""`lix search …`, `lix leads` and `lix accounts`: LinkedIn search URLs, walked to their end."""

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
from ..options import CONNECTION_DEFAULTS, WALK_DEFAULTS, ConnectionOptions, ListingOutputOptions
from .listing import listing_job, run_listing

Url = Annotated[
    str,
    Parameter(
        help="The address of the search, in quotes: filter on LinkedIn, then copy the address bar. "
        "An unquoted & ends the command for the shell, and the URL with it."
    ),
]
SalesUrl = Annotated[
    str, Parameter(help="The address of the search (linkedin.com/sales/search/…), in quotes.")
]

search = App(
    name="search",
    help_epilogue="",
    help="""Walk a LinkedIn search to its end.

    Put the URL in quotes: it holds &, where a shell cuts an unquoted one off without a word.""",
)


@search.command(sort_key=0)
def people(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = WALK_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Everybody whom a people search finds.

    One standard credit per page. LinkedIn shows at most 1,000 rows of a search.
    """
    url = check_url(url, "search people")
    job = listing_job("people", SEARCH_PEOPLE, lambda lix, at: lix.search.people(url, resume=at))
    return run_listing(job, output, connection)


@search.command(sort_key=1)
def jobs(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = WALK_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Every posting that a job search finds.

    One standard credit per page. LinkedIn shows at most 1,000 rows of a search.
    """
    url = check_url(url, "search jobs")
    job = listing_job("jobs", SEARCH_JOBS, lambda lix, at: lix.search.jobs(url, resume=at))
    return run_listing(job, output, connection)


@search.command(sort_key=2)
def posts(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = WALK_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Every post that a content search finds.

    One standard credit per page. LinkedIn shows at most 1,000 rows of a search.
    """
    url = check_url(url, "search posts")
    job = listing_job("posts", SEARCH_POSTS, lambda lix, at: lix.search.posts(url, resume=at))
    return run_listing(job, output, connection)


@search.command(sort_key=3)
def orgs(
    url: Url,
    /,
    *,
    output: ListingOutputOptions = WALK_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Every organisation that a company search finds.

    One standard credit per page. LinkedIn shows at most 1,000 rows of a search.
    """
    url = check_url(url, "search orgs")
    job = listing_job("organisations", SEARCH_ORGS, lambda lix, at: lix.search.orgs(url, resume=at))
    return run_listing(job, output, connection)


def leads(
    url: SalesUrl,
    /,
    *,
    output: ListingOutputOptions = WALK_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Every lead that a Sales Navigator people search finds.

    One standard credit per page. Sales Navigator shows at most 2,500 rows of a search. A URL that
    is too long for a GET is sent as a form by itself.
    """
    url = check_url(url, "leads")
    job = listing_job("leads", SALES_PEOPLE, lambda lix, at: lix.sales.leads(url, resume=at))
    return run_listing(job, output, connection)


def accounts(
    url: SalesUrl,
    /,
    *,
    output: ListingOutputOptions = WALK_DEFAULTS,
    connection: ConnectionOptions = CONNECTION_DEFAULTS,
) -> int:
    """Every account that a Sales Navigator company search finds.

    One standard credit per page. Sales Navigator shows at most 2,500 rows of a search.
    """
    url = check_url(url, "accounts")
    job = listing_job("accounts", SALES_ORGS, lambda lix, at: lix.sales.accounts(url, resume=at))
    return run_listing(job, output, connection)
