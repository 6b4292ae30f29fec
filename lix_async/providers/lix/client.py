"""`AsyncLix`: the client of the Lix API."""

from __future__ import annotations

from ...engine.client import Client
from .balances import BALANCE_ENDPOINTS
from .endpoints import BY_ID
from .provider import LIX
from .resources.account import Account
from .resources.connections import Connections
from .resources.contact import Contact
from .resources.job_postings import JobPostings
from .resources.messages import Messages
from .resources.organisations import Organisations
from .resources.people import People
from .resources.posts import Posts
from .resources.recruiter import Recruiter
from .resources.sales import Sales
from .resources.search import Search


class AsyncLix(Client):
    """The client of the Lix API, for asyncio and trio.

    All calls of one client share a rate limit and are sent in the order in which they were made.
    The default is the vendor's rate of one request in three seconds. Use the client with
    `async with`, or end with `await lix.aclose()`; a closed client opens its connections again when
    it is used.

    Methods are grouped by subject: `account`, `connections`, `people`, `organisations`,
    `job_postings`, `posts`, `search`, `sales`, `recruiter`, `messages`, `contact`. Methods for
    single results are awaited; listings return `Pages`, which are iterated. `send` and `pages`
    accept any endpoint. All of them raise `ConfigurationError` before anything is sent for
    arguments that cannot work, a `RefusalError` for an error response, a `TransportError` when no
    usable response arrives, and `DecodeError` for a response that does not fit the result's type.

    Args:
        api_key: Default: `LIX_API_KEY` from the environment.
        auth: Where the key is sent: `"raw"` (the bare key in `Authorization`, the vendor's
            default), `"bearer"`, `"x-api-key"` or `"query"`.
        base_url: Default: `LIX_BASE_URL`, else the vendor's. Must be https, except to this machine.
        viewer_id: The LinkedIn account for calls that take one and are given none.
        rate_limit: A `RateLimit`, for a limiter of this client; a `Limiter`, to share one; None for
            no limit.
        retry: Which failed attempts are repeated, and how often.
        deadline: Seconds for a whole call, with waiting for a permit, all attempts and all delays;
            None for no limit. When a wait would end after the deadline, `DeadlineError` is raised
            at once, with `retry_at`.
        timeout: Seconds for each network operation, or the timeout object of the HTTP library.
        http_client: An `AsyncClient` of httpx or httpx2, which stays yours to close; or the module
            `httpx2`, to open connections with it instead of httpx. A client of your own logs full
            URLs, with the links that are looked up, through the logger `httpx` at INFO.
        verify: Where the certificates of trusted authorities are: a PEM file, a directory, or an
            `ssl.SSLContext` of your own. Default: `SSL_CERT_FILE` and `SSL_CERT_DIR` from the
            environment, else certifi. Certificates are always verified.
        max_credits: Raise `BudgetError` before this client spends more, in total or by kind
            (`{"org": 50}`).
        on_drift: Called with a `Drift` for each field that arrives and is not in the models, and at
            `aclose` for each documented field that never arrived. An exception in it is logged as a
            warning of `lix_async.drift` and does not affect the call.
        cache: Where answers are looked for before the provider is asked, and kept: a path,
            `"postgresql://…"`, a `Ledger`, or True for the personal ledger. Equal calls at the same
            time share one request. Default: nowhere. The client has to be used with `async with`.
        cache_searches: Whether listings are cached, too.
        doubts: What the cache does with a lookup that was sent and has no answer: `"retry"`,
            `"hold"`, or a function; see `bulk.Run`.
        max_age: The greatest age of an answer in a ledger, as a `timedelta` or in seconds: older
            ones are bought again by its cache and by the runs of its methods. Default: none is.
        refused_age: The same for refusals, such as not found.
        on_event: One function or several that are called with the events of every call; see
            `lix_async.events` and `lix.events`.
        clock: The clock to wait with; for tests.

    Raises:
        ConfigurationError: The key, the address or another argument is missing or malformed.

    Example:
        ```python
        async with AsyncLix() as lix:
            person = await lix.people.get("https://www.linkedin.com/in/example-person-1")
        ```
    """

    provider = LIX
    endpoints = BY_ID
    balance_endpoints = BALANCE_ENDPOINTS
    account: Account
    connections: Connections
    people: People
    organisations: Organisations
    job_postings: JobPostings
    posts: Posts
    search: Search
    sales: Sales
    recruiter: Recruiter
    messages: Messages
    contact: Contact

    def _bind_methods(self) -> None:
        self.account = Account(self)
        self.connections = Connections(self)
        self.people = People(self)
        self.organisations = Organisations(self)
        self.job_postings = JobPostings(self)
        self.posts = Posts(self)
        self.search = Search(self)
        self.sales = Sales(self)
        self.recruiter = Recruiter(self)
        self.messages = Messages(self)
        self.contact = Contact(self)
