"""`Lix`: the client of the Lix API for programs without an event loop."""

from __future__ import annotations

from typing import Unpack

from ..concurrency.loop_thread import Backend
from ..core.provider import ApiKey
from ..engine.options import ClientOptions, hide_key
from ..providers.lix.client import AsyncLix
from ..providers.lix.resources.account import Account
from ..providers.lix.resources.connections import Connections
from ..providers.lix.resources.contact import Contact
from ..providers.lix.resources.job_postings import JobPostings
from ..providers.lix.resources.messages import Messages
from ..providers.lix.resources.organisations import Organisations
from ..providers.lix.resources.people import People
from ..providers.lix.resources.posts import Posts
from ..providers.lix.resources.recruiter import Recruiter
from ..providers.lix.resources.sales import Sales
from ..providers.lix.resources.search import Search
from .client import SyncClient, SyncView
from .methods import SyncMethodGroup, SyncMethods, call, listing


class SyncAccount(SyncMethods[Account]):
    """`lix.account`: balances, the daily allowance and attached LinkedIn accounts."""

    balances = call(Account.balances)
    daily_allowance = call(Account.daily_allowance)
    linkedin = call(Account.linkedin)
    linkedin_accounts = listing(Account.linkedin_accounts)
    put_linkedin = call(Account.put_linkedin)
    connections_remaining = call(Account.connections_remaining)


class SyncConnections(SyncMethods[Connections]):
    """`lix.connections`: list connections and send connection requests."""

    list = listing(Connections.list)
    send = call(Connections.send)


class SyncPeople(SyncMethods[People]):
    """`lix.people`: profiles of people and what they did on LinkedIn."""

    get = call(People.get)
    legacy = call(People.legacy)
    ids = call(People.ids)
    employment = call(People.employment)
    extended = call(People.extended)
    posts = listing(People.posts)
    comments = listing(People.comments)
    reactions = listing(People.reactions)


class SyncOrganisations(SyncMethods[Organisations]):
    """`lix.organisations`: companies, schools and other organisations."""

    get = call(Organisations.get)
    by_website = call(Organisations.by_website)
    ids = call(Organisations.ids)
    followers = listing(Organisations.followers)


class SyncJobPostings(SyncMethods[JobPostings]):
    """`lix.job_postings`: postings by the number in `linkedin.com/jobs/view/<number>`."""

    get = call(JobPostings.get)
    hirers = call(JobPostings.hirers)


class SyncPosts(SyncMethods[Posts]):
    """`lix.posts`: posts by URN, such as `urn:li:activity:7000000000000000001`."""

    get = call(Posts.get)
    comments = listing(Posts.comments)
    reactions = listing(Posts.reactions)


class SyncSearch(SyncMethods[Search]):
    """`lix.search`: LinkedIn searches, by URL."""

    people = listing(Search.people)
    jobs = listing(Search.jobs)
    posts = listing(Search.posts)
    orgs = listing(Search.orgs)


class SyncSales(SyncMethods[Sales]):
    """`lix.sales`: Sales Navigator, which returns at most 2500 items of a search."""

    leads = listing(Sales.leads)
    leads_by_filters = listing(Sales.leads_by_filters)
    accounts = listing(Sales.accounts)
    lead_list = listing(Sales.lead_list)
    account_list = listing(Sales.account_list)
    facets = listing(Sales.facets)
    threads = listing(Sales.threads)
    thread = call(Sales.thread)
    send_message = call(Sales.send_message)


class SyncRecruiter(SyncMethods[Recruiter]):
    """`lix.recruiter`: candidates, and the skills to search for."""

    people = listing(Recruiter.people)
    facets = listing(Recruiter.facets)


class SyncMessages(SyncMethods[Messages]):
    """`lix.messages`: conversations and messages of an attached account."""

    conversations = listing(Messages.conversations)
    list = listing(Messages.list)
    send = call(Messages.send)


class SyncContact(SyncMethods[Contact]):
    """`lix.contact`: e-mail addresses."""

    email = call(Contact.email)


class Lix(SyncClient[AsyncLix]):
    """The client of the Lix API for programs without an event loop: scripts, notebooks, threads.

    It has the methods of `AsyncLix`, which return instead of being awaited; listings return
    `SyncPages`, which are iterated with `for`. See `SyncClient` for threads, notebooks and Ctrl-C.

    Args:
        api_key: Default: `LIX_API_KEY` from the environment.
        backend: The event loop of its thread, `"asyncio"` or `"trio"`.
        **options: The other arguments of `AsyncLix`. Callbacks such as `on_event` are called in the
            thread of the client, and cannot make calls.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.

    Example:
        ```python
        with Lix() as lix:
            person = lix.people.get("https://www.linkedin.com/in/example-person-1")
        ```
    """

    account = SyncMethodGroup(SyncAccount)
    connections = SyncMethodGroup(SyncConnections)
    people = SyncMethodGroup(SyncPeople)
    organisations = SyncMethodGroup(SyncOrganisations)
    job_postings = SyncMethodGroup(SyncJobPostings)
    posts = SyncMethodGroup(SyncPosts)
    search = SyncMethodGroup(SyncSearch)
    sales = SyncMethodGroup(SyncSales)
    recruiter = SyncMethodGroup(SyncRecruiter)
    messages = SyncMethodGroup(SyncMessages)
    contact = SyncMethodGroup(SyncContact)
    provider = AsyncLix.provider
    with_options = SyncView(AsyncLix.with_options)

    def __init__(
        self,
        api_key: str | ApiKey | None = None,
        *,
        backend: Backend = "asyncio",
        **options: Unpack[ClientOptions],
    ) -> None:
        key = hide_key(api_key)
        del api_key
        super().__init__(AsyncLix(key, **options), backend)
