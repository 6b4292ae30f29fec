"""`lix search …`, `lix leads` and `lix accounts`: every page of a LinkedIn search."""

# Without postponed annotations: the help of the URL is an argument of `_search_command`.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeVar

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
from ..errors import CommandError
from ..input.lookup_kinds import LookupKind
from ..input.targets import LOOKUPS, check_url
from ..ledger.address import default_address, given_address
from ..options import (
    CONNECTION_DEFAULTS,
    LISTING_DEFAULTS,
    ConnectionOptions,
    FilledOutputOptions,
    InputOptions,
    ListingOutputOptions,
)
from ..output.answer_columns import AnswerColumns, columns_by_kind
from ..runtime.session import CommandSession
from .enrich import enrich as enrich_file
from .facets import FILTERS, KEYWORDS, parse_filters, search_url
from .listing import RowLookups, listing_job, run_listing

Item = TypeVar("Item")
PagesFunction = Callable[[AsyncLix, str, Checkpoint | None], Pages[Item]]
SearchCommand = Callable[..., int]

_URL = (
    "The URL of the search, in quotes: filter on LinkedIn, then copy the address bar. "
    "Without quotes, the shell cuts the URL off at the first &."
)
_SALES_URL = "The URL of the search (linkedin.com/sales/search/…), in quotes."


LINKEDIN_PAGE, SALES_PAGE = 10, 25
"""Rows of a page at least (lix.md#paging-caps), for the number of pages before the first one."""
_flag = Parameter(negative="", show_default=False)
DryRunOption = Annotated[
    bool, _flag, Parameter(help="Show what it costs at most, and fetch nothing.")
]
EnrichOption = Annotated[
    bool,
    _flag,
    Parameter(
        help="Look up each row as well, and write that to --out: the same as piping the rows into "
        "`lix enrich -`. --max-credits holds for both. Run the same command again to continue."
    ),
]
AsOption = Annotated[
    list[Literal["person", "org", "email"]] | None,
    Parameter(
        name="--as",
        negative="",
        help="With --enrich, what to look up: people of a search for people, organisations of one "
        "for companies, or with `email` e-mail addresses.",
    ),
]
RowStoreOption = Annotated[
    str | None,
    Parameter(
        name="--store",
        help="With --enrich, the ledger. Default: LIX_STORE, else your personal ledger.",
    ),
]


def _search_command(
    name: str, noun: str, endpoint: Endpoint[P, Listing[Item]], kind: LookupKind | None = None
) -> Callable[[PagesFunction[Item]], SearchCommand]:
    """Make a command of a function that starts a search, with its name and docstring as the help.

    Args:
        name: The command as it is typed after `lix`.
        noun: A row, for messages.
        endpoint: The endpoint of the search.
        kind: What `--enrich` looks up for each row; None where there is no such option.
    """

    def decorate(pages: PagesFunction[Item]) -> SearchCommand:
        def start(url: str, options: SearchOptions) -> int:
            checked = check_url(url, name)
            job = listing_job(
                noun, endpoint, lambda lix, at: pages(lix, checked, at), LINKEDIN_PAGE
            )
            return run_listing(
                job,
                *(options.output, options.connection),
                dry_run=options.dry_run,
                lookups=options.lookups(kind),
            )

        def command(
            url: Annotated[str, Parameter(help=_URL)],
            /,
            *,
            dry_run: DryRunOption = False,
            output: ListingOutputOptions = LISTING_DEFAULTS,
            connection: ConnectionOptions = CONNECTION_DEFAULTS,
        ) -> int:
            return start(url, SearchOptions(output, connection, dry_run))

        def enriching_command(
            url: Annotated[str, Parameter(help=_URL)],
            /,
            *,
            enrich: EnrichOption = False,
            as_: AsOption = None,
            store: RowStoreOption = None,
            dry_run: DryRunOption = False,
            output: ListingOutputOptions = LISTING_DEFAULTS,
            connection: ConnectionOptions = CONNECTION_DEFAULTS,
        ) -> int:
            return start(url, SearchOptions(output, connection, dry_run, enrich, as_, store))

        found: SearchCommand = command if kind is None else enriching_command
        found.__name__, found.__doc__ = pages.__name__, pages.__doc__
        return found

    return decorate


def _sales_command(
    name: Literal["leads", "accounts"],
    endpoint: Endpoint[P, Listing[Item]],
    kind: LookupKind,
) -> Callable[[PagesFunction[Item]], SearchCommand]:
    """The same for a search of Sales Navigator, which can be given as filters."""
    names = ", ".join((*FILTERS[name], KEYWORDS))
    filter_help = (
        f"A filter, such as location=London or keywords=growth; values are separated by commas: "
        f"{names}. Their ids are looked up, and what was chosen is shown. Repeat it for several."
    )

    def decorate(pages: PagesFunction[Item]) -> SearchCommand:
        def command(
            url: Annotated[str | None, Parameter(help=_SALES_URL)] = None,
            /,
            *,
            filter_: Annotated[
                list[str] | None, Parameter(name="--filter", negative="", help=filter_help)
            ] = None,
            enrich: EnrichOption = False,
            as_: AsOption = None,
            store: RowStoreOption = None,
            dry_run: DryRunOption = False,
            output: ListingOutputOptions = LISTING_DEFAULTS,
            connection: ConnectionOptions = CONNECTION_DEFAULTS,
        ) -> int:
            if (url is None) == (not filter_):
                raise CommandError(
                    "give a URL or filters" + ("" if url is None else ", not both"),
                    hint=f"lix {name} URL, or lix {name} --filter location=London",
                )
            options = SearchOptions(output, connection, dry_run, enrich, as_, store)
            filters = parse_filters(filter_ or (), name)
            searched = "" if url is None else check_url(url, name)

            async def prepare(session: CommandSession) -> None:
                nonlocal searched
                searched = searched or await search_url(session, filters, name)

            noun = name.removesuffix("s")
            job = listing_job(noun, endpoint, lambda lix, at: pages(lix, searched, at), SALES_PAGE)
            return run_listing(
                job,
                *(output, connection),
                dry_run=dry_run,
                lookups=options.lookups(kind),
                prepare=prepare,
            )

        command.__name__, command.__doc__ = pages.__name__, pages.__doc__
        return command

    return decorate


@dataclass(frozen=True)
class SearchOptions:
    """The options of a search."""

    output: ListingOutputOptions
    connection: ConnectionOptions
    dry_run: bool = False
    enrich: bool = False
    kinds: Sequence[LookupKind] | None = None
    store: str | None = None

    def lookups(self, default: LookupKind | None) -> RowLookups | None:
        """What is looked up for each row; None if that is not wanted.

        Raises:
            CommandError: Options are given that need `--enrich`.
        """
        if default is None or not self.enrich:
            if self.kinds or self.store is not None:
                raise CommandError("--as and --store need --enrich", hint="add --enrich")
            return None
        kinds = tuple(dict.fromkeys(self.kinds or (default,)))
        structs = [LOOKUPS[kind].endpoint.result for kind in kinds]
        chosen = columns_by_kind(self.output.columns, structs)
        for kind, struct, columns in zip(kinds, structs, chosen, strict=True):
            if default not in LOOKUPS[kind].accepts:
                raise CommandError(
                    f"the rows of this search have no links for --as {kind}",
                    hint=f"leave it out, or use --as {default}",
                )
            if columns is not None:  # checked before anything is paid for
                AnswerColumns({kind: struct}, columns)
        prices = [LOOKUPS[kind].endpoint.credits for kind in kinds]
        return RowLookups(prices, partial(self._look_up, kinds))

    def _look_up(
        self, kinds: Sequence[LookupKind], rows: Path, connection: ConnectionOptions
    ) -> int:
        output = self.output
        store = self.store
        if not default_address(store, connection) and not given_address(store):
            store = f"{output.out}.ledger"  # beside the output: the rows are deleted at the end
        return enrich_file(
            str(rows),
            as_=[*kinds],
            # Of rows that an earlier run has fetched, there may be more.
            given=InputOptions(limit=output.limit),
            store=store,
            output=FilledOutputOptions(
                out=output.out, format=output.format, columns=output.columns, quiet=output.quiet
            ),
            connection=connection,
        )


search = App(
    name="search",
    help_epilogue="",
    help="""Fetch every page of a LinkedIn search.

    Put the URL in quotes: it contains &, where the shell would otherwise cut it off.""",
)


@search.command(sort_key=0)
@_search_command("search people", "person", SEARCH_PEOPLE, "person")
def people(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[Person]:
    """All people found by a people search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.people(url, resume=at)


@search.command(sort_key=1)
@_search_command("search jobs", "job", SEARCH_JOBS)
def jobs(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[JobPosting]:
    """All jobs found by a job search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.jobs(url, resume=at)


@search.command(sort_key=2)
@_search_command("search posts", "post", SEARCH_POSTS)
def posts(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[Post]:
    """All posts found by a content search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.posts(url, resume=at)


@search.command(sort_key=3)
@_search_command("search orgs", "organisation", SEARCH_ORGS, "org")
def orgs(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[LiOrganisation]:
    """All organisations found by a company search.

    One standard credit per page. LinkedIn returns at most 1,000 rows of a search.
    """
    return lix.search.orgs(url, resume=at)


@_sales_command("leads", SALES_PEOPLE, "person")
def leads(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[Person]:
    """All leads found by a Sales Navigator people search.

    Give its URL, or filters: `lix leads --filter title="CTO,VP Engineering" --filter
    location=London`.

    One standard credit per page. Sales Navigator returns at most 2,500 rows of a search. Long URLs
    are sent as a form automatically.
    """
    return lix.sales.leads(url, resume=at)


@_sales_command("accounts", SALES_ORGS, "org")
def accounts(lix: AsyncLix, url: str, at: Checkpoint | None) -> Pages[LiOrganisation]:
    """All accounts found by a Sales Navigator company search.

    Give its URL, or filters: `lix accounts --filter industry=Software --filter location=London`.

    One standard credit per page. Sales Navigator returns at most 2,500 rows of a search.
    """
    return lix.sales.accounts(url, resume=at)
