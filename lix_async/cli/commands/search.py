"""`lix search …`, `lix leads` and `lix accounts`: every page of a LinkedIn search."""

# Without postponed annotations: the help of the URL is an argument of `_search_command`.

from collections.abc import Callable
from typing import Annotated, TypeVar

from cyclopts import App, Parameter

from ...core.endpoint import Endpoint, P
from ...core.models import Listing
from ...engine.checkpoint import Checkpoint
from ...engine.pages import Pages
from ...providers.lix.client import AsyncLix
from ...providers.lix.endpoints.searches import (
    SALES_ORGS,
    SALES_PEOPLE,
    SEARCH_JOBS,
    SEARCH_ORGS,
    SEARCH_PEOPLE,
    SEARCH_POSTS,
)
from ...providers.lix.models import JobPosting, LiOrganisation, Person, Post
from ..input.targets import check_url
from ..options import CONNECTION_DEFAULTS, LISTING_DEFAULTS, ConnectionOptions, ListingOutputOptions
from .listing import listing_job, run_listing

Item = TypeVar("Item")
PagesFunction = Callable[[AsyncLix, str, Checkpoint | None], Pages[Item]]
SearchCommand = Callable[..., int]

_URL = (
    "The URL of the search, in quotes: filter on LinkedIn, then copy the address bar. "
    "Without quotes, the shell cuts the URL off at the first &."
)
_SALES_URL = "The URL of the search (linkedin.com/sales/search/…), in quotes."


def _search_command(
    name: str, noun: str, endpoint: Endpoint[P, Listing[Item]], url_help: str
) -> Callable[[PagesFunction[Item]], SearchCommand]:
    """Make a command of a function that starts a search, with its name and docstring as the help.

    Args:
        name: The command as it is typed after `lix`.
        noun: The rows in the plural, for messages.
        endpoint: The endpoint of the search.
        url_help: The help of the URL.
    """

    def decorate(pages: PagesFunction[Item]) -> SearchCommand:
        def command(
            url: Annotated[str, Parameter(help=url_help)],
            /,
            *,
            output: ListingOutputOptions = LISTING_DEFAULTS,
            connection: ConnectionOptions = CONNECTION_DEFAULTS,
        ) -> int:
            checked = check_url(url, name)
            job = listing_job(noun, endpoint, lambda lix, at: pages(lix, checked, at))
            return run_listing(job, output, connection)

        command.__name__, command.__doc__ = pages.__name__, pages.__doc__
        return command

    return decorate


search = App(
    name="search",
    help_epilogue="",
    help="""Fetch every page of a LinkedIn search.

    Put the URL in quotes: it contains &, where the shell would otherwise cut it off.""",
)


@search.command(sort_key=0)
@_search_command("search people", "people", SEARCH_PEOPLE, _URL)
def people(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[Person]:
    """All people found by a people search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.people(url, resume=at)


@search.command(sort_key=1)
@_search_command("search jobs", "jobs", SEARCH_JOBS, _URL)
def jobs(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[JobPosting]:
    """All jobs found by a job search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.jobs(url, resume=at)


@search.command(sort_key=2)
@_search_command("search posts", "posts", SEARCH_POSTS, _URL)
def posts(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[Post]:
    """All posts found by a content search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.posts(url, resume=at)


@search.command(sort_key=3)
@_search_command("search orgs", "organisations", SEARCH_ORGS, _URL)
def orgs(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[LiOrganisation]:
    """All organisations found by a company search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.orgs(url, resume=at)


@_search_command("leads", "leads", SALES_PEOPLE, _SALES_URL)
def leads(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[Person]:
    """All leads found by a Sales Navigator people search.

    One standard credit per page. Sales Navigator returns at most 2,500 rows of a search. Long URLs
    are sent as a form automatically.
    """
    return lix.sales.leads(url, resume=at)


@_search_command("accounts", "accounts", SALES_ORGS, _SALES_URL)
def accounts(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[LiOrganisation]:
    """All accounts found by a Sales Navigator company search.

    One standard credit per page. Sales Navigator returns at most 2,500 rows of a search.
    """
    return lix.sales.accounts(url, resume=at)
