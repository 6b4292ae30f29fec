"""`AsyncLix`: the client of the Lix API."""

from __future__ import annotations

from ...engine.client import Client
from .balances import BALANCE_ENDPOINTS
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
    """The Lix API, asynchronously, on asyncio and trio.

    Paced at the vendor's default of one request in three seconds; every call of one client
    shares that rate, first come, first served. Use it as `async with AsyncLix() as lix:` or end
    with `await lix.aclose()`; it works again when it is used again.

    Methods are grouped by subject: `account`, `connections`, `people`, `organisations`,
    `job_postings`, `posts`, `search`, `sales`, `recruiter`, `messages`, `contact`. Single calls
    are awaited; listings return `Pages`, to be iterated. `send` takes any row of the table.

    * `api_key`: default `LIX_API_KEY` from the environment.
    * `auth`: how the key travels: `"raw"` (the bare key in `Authorization`, the vendor's
      default), `"bearer"`, `"x-api-key"` or `"query"`.
    * `base_url`: default `LIX_BASE_URL`, else the vendor's; https, or http to this machine.
    * `viewer_id`: sent wherever a call takes one and the caller gives none. An empty text is
      refused, here and in calls.
    * `rate_limit`: a `RateLimit` for a limiter of its own, a `Limiter` to share one, None for
      none.
    * `retry`: how patient calls are.
    * `deadline`: seconds for one call in all, with waiting for its turn, every attempt and every
      pause; None sets no bound. A turn or pause that would end behind it is not waited for:
      `DeadlineError` comes at once, with `retry_at`.
    * `timeout`: seconds per network operation, or the HTTP library's own object.
    * `http_client`: an `AsyncClient` of your own from httpx or httpx2 (it is not closed here),
      or the module `httpx2` to make connections with that.
    * `max_credits`: stop with `BudgetError` before this client spends more, in all or by kind
      (`{"org": 50}`).
    * `on_drift`: called once for each field that arrives and is not in the structs, and at
      `aclose` for each documented one that never arrived. What it raises is logged as a warning
      of `lix_async` and costs no answer.
    * `clock`: for tests.

    Raises `ConfigurationError` for a missing or malformed key, address or setting, by its name.
    """

    provider = LIX
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

    def _ready(self) -> None:
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
