"""LookC in the sandbox, through its client: lookups, employees and webhooks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import anyio
import httpx
import msgspec
import pytest

from lix_async.core.errors import (
    ConfigurationError,
    InvalidParamsError,
    NotFoundError,
    PendingError,
    RefusalError,
)
from lix_async.providers.lookc.client import AsyncLookC
from lix_async.providers.lookc.endpoints import ORG_EMPLOYEES
from lix_async.providers.lookc.params import OrgEmployeesParams
from lix_async.providers.lookc.webhooks import fingerprint, parse
from lix_async.sandbox import BackgroundLookups, Sandbox, Webhook, running
from lix_async.sandbox.answers.lookc import EXAMPLE_REQUEST, org_id
from lix_async.testing import VirtualClock, memory_client

from .sandbox_helpers import Client

pytestmark = pytest.mark.anyio
SLOW = "slow.somebody@some-firm.example.com"
LOOKUP = "/v1/search/person/by-email"
AT_ONCE = BackgroundLookups(share=0)


def small(**settings: object) -> Sandbox:
    given = {
        "people": 300,
        "organisations": 12,
        "rate": None,
        "background_lookups": AT_ONCE,
        **settings,
    }
    return Sandbox(**given)  # type: ignore[arg-type]


async def test_a_known_address_finds_the_person_and_the_organisation() -> None:
    sandbox = small()
    one = sandbox.world.person(7)
    async with memory_client(sandbox, AsyncLookC) as lookc:
        found = await lookc.person_by_email(one.email)
    assert found.hits[0].name == one.name
    assert found.hits[0].profile_url == one.link
    assert found.hits[0].sales_nav_id == one.sales_id
    assert found.org is not None
    assert found.org.name == one.employer.name
    assert found.domain_info is not None
    assert found.domain_info.is_free_email_domain is False
    assert sandbox.ledger.totals() == {"standard": 0, "org": 1, "email": 0}


@pytest.mark.parametrize(
    ("email", "org"),
    [
        ("nobody@some-firm.example.com", True),
        ("missing-person@some-firm.example.com", True),
        ("ada@missing-firm.example.com", False),
        ("ada@nodots", False),
        ("ada@..", False),
    ],
)
async def test_unknown_people_and_companies(email: str, org: bool) -> None:
    async with memory_client(small(), AsyncLookC) as lookc:
        found = await lookc.person_by_email(email)
    assert found.hits == []
    assert (found.org is not None) is org


async def test_faults_apply_to_lookc_and_a_lost_answer_is_charged() -> None:
    plan = {
        "lookc.person_by_email": ["unavailable", "rate_limit", "reset_after"],
        "lookc.request_status": ["queued;polls=1"],
    }
    sandbox = small(faults=plan)
    async with VirtualClock() as clock, memory_client(sandbox, AsyncLookC, clock=clock) as lookc:
        found = await lookc.person_by_email("some-body@some-firm.example.com")
        assert (await lookc.result(EXAMPLE_REQUEST)).hits
    assert found.hits[0].name == "Some Body"
    struck = [record.fault for record in sandbox.requests]
    assert struck == ["unavailable", "rate_limit", "reset_after", None, "queued", None]
    assert len(sandbox.ledger) == 2


async def test_free_email_domains_have_no_organisation_and_sometimes_null_hits(
    client: Client,
) -> None:
    async with client(small()) as http:
        names = [f"ada{place}@gmail.com" for place in range(12)]
        bodies = [(await http.get(LOOKUP, params={"email": name})).json() for name in names]
    assert {str(body["hits"]) for body in bodies} == {"None", "[]"}
    assert all(body["domainInfo"] == {"isFreeEmailDomain": True} for body in bodies)
    assert all("org" not in body for body in bodies)


async def test_several_people_may_match(client: Client) -> None:
    async with client(small()) as http:
        names = [f"some-body-{place}@some-firm.example.com" for place in range(60)]
        bodies = [(await http.get(LOOKUP, params={"email": name})).json() for name in names]
    assert {len(body["hits"]) for body in bodies} == {1, 2}


async def test_a_slow_lookup_finishes_after_its_polls_and_is_charged_once() -> None:
    sandbox = small(background_lookups=BackgroundLookups(share=0, polls=3))
    async with VirtualClock() as clock, memory_client(sandbox, AsyncLookC, clock=clock) as lookc:
        found = await lookc.person_by_email(SLOW)
    assert found.hits[0].name == "Slow Somebody"
    asked = [record.endpoint for record in sandbox.requests]
    assert asked == ["lookc.person_by_email"] + ["lookc.request_status"] * 4
    assert len(sandbox.ledger) == 1
    assert sandbox.ledger.repeats() == {}


async def test_a_share_of_addresses_is_slow_with_several_response_formats(client: Client) -> None:
    sandbox = small(background_lookups=BackgroundLookups(share=0.3))
    names = [f"person-{place}@some-firm.example.com" for place in range(60)]
    async with client(sandbox) as http:
        answers = [await http.get(LOOKUP, params={"email": name}) for name in names]
        again = [await http.get(LOOKUP, params={"email": name}) for name in names]
    later = [answer for answer in answers if "hits" not in answer.json()]
    assert 8 < len(later) < 30
    assert {answer.status_code for answer in later} == {200, 202}
    assert len({tuple(answer.json()) for answer in later}) == 3
    slow = [["hits" in answer.json() for answer in batch] for batch in (answers, again)]
    assert slow[0] == slow[1]


async def test_a_lookup_also_finishes_by_time() -> None:
    now = [0.0]
    sandbox = small(
        background_lookups=BackgroundLookups(polls=99, seconds=30.0), clock=lambda: now[0]
    )
    async with memory_client(sandbox, AsyncLookC) as lookc:
        lookup = await lookc.submit(SLOW)
        assert lookup.request_id is not None
        assert (await lookc.request_status(lookup.request_id)).pending
        now[0] = 30.0
        assert (await lookc.result(lookup)).hits[0].name == "Slow Somebody"
        assert (await lookc.request_status(lookup.request_id)).complete


async def test_a_lookup_that_never_finishes_and_one_that_fails() -> None:
    sandbox = small(background_lookups=BackgroundLookups(share=0, polls=10**6))
    async with VirtualClock() as clock, memory_client(sandbox, AsyncLookC, clock=clock) as lookc:
        with pytest.raises(PendingError):
            await lookc.person_by_email(SLOW, timeout=5)
    sandbox = small(background_lookups=BackgroundLookups(share=0, polls=0))
    async with VirtualClock() as clock, memory_client(sandbox, AsyncLookC, clock=clock) as lookc:
        with pytest.raises(RefusalError, match="failed"):
            await lookc.person_by_email("fail@some-firm.example.com")


async def test_both_paths_return_the_status_of_a_lookup(client: Client) -> None:
    sandbox = small()
    async with client(sandbox) as http:
        pending = (await http.get(LOOKUP, params={"email": SLOW})).json()
        name = pending.get("request_id") or pending["data"]["requestId"]
        first = await http.get("/v1/request", params={"request_id": name})
        second = await http.get(LOOKUP, params={"request_id": name})
        both = await http.get(LOOKUP, params={"request_id": name, "email": SLOW})
        none = await http.get(LOOKUP)
    assert first.json()["status"] == second.json()["status"] in ("pending", "processing")
    assert both.status_code == none.status_code == 400
    assert [record.endpoint for record in sandbox.requests][:3] == [
        "lookc.person_by_email",
        "lookc.request_status",
        "lookc.request_status",
    ]


async def test_the_client_uses_the_alternate_path_if_the_first_is_closed() -> None:
    sandbox = small(closed=["/v1/request"])
    async with memory_client(sandbox, AsyncLookC) as lookc:
        assert (await lookc.request_status(EXAMPLE_REQUEST)).complete
    assert [record.status for record in sandbox.requests] == [404, 200]
    async with memory_client(small(), AsyncLookC) as lookc:
        with pytest.raises(NotFoundError):
            await lookc.request_status("00000000-0000-4000-8000-000000000001")


@pytest.mark.parametrize("preview", [False, True])
async def test_a_listing_of_all_employees(preview: bool) -> None:
    sandbox = small(background_lookups=BackgroundLookups(preview=preview))
    world = sandbox.world
    firm = world.companies.at(3)
    name = org_id(world, firm)
    async with memory_client(sandbox, AsyncLookC) as lookc:
        everybody = await lookc.employees(name, page_size=7).collect()
    here = [one for one in everybody if one.date_ended is None]
    employed = [world.person(place) for place in range(300)]
    assert {one.name for one in here} >= {one.name for one in employed if one.employer == firm}
    assert len({one.person_id for one in everybody}) == len(everybody) > len(here) > 0
    assert all(one.current_org_id(name) == name for one in here)
    assert any(one.current_org is None for one in everybody)
    assert any(one.months_at_org for one in here)
    pages = [record for record in sandbox.requests if record.endpoint == "lookc.org_employees"]
    assert len(pages) == -(-len(everybody) // 7)


async def test_next_links_are_absolute_and_relative(client: Client) -> None:
    sandbox = small()
    links: list[str] = []
    ends: list[object] = []
    async with client(sandbox) as http:
        for place in range(12):
            link = f"/org/{org_id(sandbox.world, sandbox.world.companies.at(place))}/employees"
            while link:
                body = (await http.get(link)).json()
                shown = body["paging"]["_links"]
                link = shown.get("next") or ""
                (links if link else ends).append(link or shown.get("next", "absent"))
    assert {link.startswith("http://sandbox/org/") for link in links} == {True, False}
    assert {str(end) for end in ends} == {"absent", "None", ""}


async def test_organisations_by_either_id_and_missing_ones() -> None:
    sandbox = small()
    firm = sandbox.world.companies.at(2)
    async with memory_client(sandbox, AsyncLookC) as lookc, memory_client(sandbox) as lix:
        ids = await lix.organisations.ids(sales_nav_id=firm.sales_id)
        assert (await lookc.employees(ids.uuid or "").collect())[0].current_org
        good = org_id(sandbox.world, firm)
        wrong = ["missing-org", good[:-1] + ("0" if good[-1] != "0" else "1"), "nonsense", "b3Jn"]
        for name in wrong:
            with pytest.raises(NotFoundError):
                await lookc.employees(name).collect()


async def test_a_cursor_of_another_listing_is_rejected() -> None:
    sandbox = small()
    name = org_id(sandbox.world, sandbox.world.companies.at(2))
    async with memory_client(sandbox, AsyncLookC) as lookc:
        for cursor in ("not-a-cursor", "MSsx", "é"):
            with pytest.raises(InvalidParamsError, match="cursor"):
                await lookc.send(ORG_EMPLOYEES, OrgEmployeesParams(org_id=name, after=cursor))


async def test_lookc_has_its_own_rate_limit() -> None:
    now = [0.0]
    sandbox = small(rate=(1, 3.0), clock=lambda: now[0])
    headers = {"Authorization": "a-key"}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sandbox", headers=headers
    ) as http:

        async def ask() -> int:
            return (await http.get("/v1/request", params={"request_id": "x"})).status_code

        assert [await ask() for _ in range(51)] == [404] * 50 + [429]
        now[0] = 1.0
        assert await ask() == 404
        first = await http.get("/v1/account/balances")
        second = await http.get("/v1/account/balances")
    assert (first.status_code, second.status_code) == (200, 429)
    assert "daily_limit" not in {record.kind for record in sandbox.requests}


class Receiver:
    """Records what is posted, in place of a socket."""

    def __init__(self, status: int = 204) -> None:
        self.posted: list[tuple[str, bytes]] = []
        self.status = status

    async def __call__(self, url: str, body: bytes) -> int:
        self.posted.append((url, body))
        if not self.status:
            raise ConnectionRefusedError
        return self.status


@pytest.mark.parametrize(("posts", "status"), [(1, 204), (2, 500), (1, 0)])
async def test_a_finished_lookup_is_posted_once_or_several_times(posts: int, status: int) -> None:
    now, receiver = [0.0], Receiver(status)
    hook = Webhook("http://localhost:9/hook?secret=1", posts, receiver)
    sandbox = small(
        webhook=hook, background_lookups=BackgroundLookups(share=0, polls=99), clock=lambda: now[0]
    )
    async with memory_client(sandbox, AsyncLookC) as lookc:
        lookup = await lookc.submit(SLOW)
        await lookc.submit("fail@some-firm.example.com")
        assert receiver.posted == []
        now[0] = 2.0
        await sandbox.notify_webhook()
        result = await lookc.result(lookup)
        await sandbox.notify_webhook()
    assert [url for url, _ in receiver.posted] == [hook.url] * posts
    assert [delivery.status for delivery in sandbox.deliveries] == [status] * posts
    bodies = [body for _, body in receiver.posted]
    assert len({fingerprint(body) for body in bodies}) == 1
    event = parse(bodies[0])
    assert (event.type, event.data) == ("search.person.by-email", result)
    assert set(msgspec.json.decode(bodies[0])) == {"type", "data"}
    sandbox.reset()
    assert sandbox.deliveries == []


async def test_a_lookup_that_finishes_by_polls_is_posted_as_well() -> None:
    receiver = Receiver()
    hook = Webhook("http://127.0.0.1:9/", send=receiver)
    sandbox = small(
        webhook=hook, background_lookups=BackgroundLookups(share=0, polls=0), clock=lambda: 0.0
    )
    async with memory_client(sandbox, AsyncLookC) as lookc:
        await lookc.result(await lookc.submit(SLOW))
    assert len(receiver.posted) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "http://127.0.0.1.example.com/",
        "http://me@127.0.0.1/",
        "http://127.0.0.1:99999999/",
        "http://127.0.0.1/a b",
        "ftp://127.0.0.1/",
        "hook",
    ],
)
def test_a_webhook_must_be_on_this_machine(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Sandbox(people=5, organisations=2, webhook=url)


def test_a_webhook_needs_at_least_one_post() -> None:
    with pytest.raises(ConfigurationError, match="posts"):
        Webhook("http://127.0.0.1/", posts=0)


@contextmanager
def listening(status: int = 204) -> Iterator[tuple[str, list[tuple[str, bytes]], threading.Event]]:
    """A receiver on a real socket: its URL, the bodies received, and an event for the first one."""
    came: list[tuple[str, bytes]] = []
    arrived = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.path, body))
            self.send_response(status)
            self.send_header("Location", "http://example.com/")
            self.end_headers()
            arrived.set()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook?token=t", came, arrived
        finally:
            server.shutdown()
            thread.join()


async def test_the_running_server_posts_without_polls() -> None:
    now = [0.0]
    with listening(307) as (url, came, arrived):
        sandbox = small(webhook=url, clock=lambda: now[0])
        async with (
            running(sandbox) as base_url,
            AsyncLookC("a-key", base_url=base_url, rate_limit=None) as lookc,
        ):
            await lookc.submit(SLOW)
            assert came == []
            now[0] = 2.0
            assert await anyio.to_thread.run_sync(arrived.wait, 10)
    assert len(came) == 1
    assert came[0][0] == "/hook?token=t"
    event = parse(came[0][1])
    assert event.data is not None
    assert event.data.hits[0].name == "Slow Somebody"
    assert [delivery.status for delivery in sandbox.deliveries] in ([307], [])


async def test_an_unreachable_receiver_is_not_an_error() -> None:
    with listening() as (url, _, _):
        pass
    sandbox = small(
        webhook=url, clock=lambda: 0.0, background_lookups=BackgroundLookups(share=0, polls=0)
    )
    async with memory_client(sandbox, AsyncLookC) as lookc:
        assert (await lookc.result(await lookc.submit(SLOW))).hits
    assert [delivery.status for delivery in sandbox.deliveries] == [0]
