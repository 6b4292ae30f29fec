"""Options, listings, error responses, and the requests that are sent."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import Any

import anyio
import httpx
import msgspec
import pytest
from sample_provider import LOST, Script, Skipping, reply, run

from lix_async.core.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    OutcomeUnknownError,
    PagingError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.engine.checkpoint import Checkpoint
from lix_async.providers.meetalfred.client import AsyncMeetAlfred
from lix_async.testing import VirtualClock

from .stub import answer, client, queries, rows, sent

pytestmark = pytest.mark.anyio
KEY = "sentinel/key+0123456789"
ONCE = RetryPolicy(attempts=1)


# --- the key ---------------------------------------------------------------------------------


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEETALFRED_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="MEETALFRED_API_KEY"):
        AsyncMeetAlfred()
    monkeypatch.setenv("MEETALFRED_API_KEY", KEY)
    monkeypatch.setenv("MEETALFRED_BASE_URL", "https://white.example/api/integrations/webhook")
    assert "white.example" in repr(AsyncMeetAlfred())
    assert KEY not in repr(AsyncMeetAlfred())
    with pytest.raises(ConfigurationError, match="auth"):
        AsyncMeetAlfred(KEY, auth="bearer")


async def test_the_key_is_in_the_query_and_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[httpx.Request] = []

    def served(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if "new-leads" in request.url.path:
            return httpx.Response(403, text=f"no right: {request.url}")
        return httpx.Response(200, json=[])

    caplog.set_level(logging.DEBUG)
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(served)) as inner,
        AsyncMeetAlfred(KEY, http_client=inner) as alfred,
    ):
        assert await alfred.campaigns() == []
        with pytest.raises(AuthenticationError) as caught:
            await alfred.leads().collect()
        with pytest.raises(ConfigurationError):
            pickle.dumps(alfred)
    assert [request.url.params["webhook_key"] for request in seen] == [KEY, KEY]
    assert str(seen[0].url).startswith(
        "https://meetalfred.com/api/integrations/webhook/campaigns?type=active&webhook_key="
    )
    assert seen[0].headers["accept"] == "application/json"
    assert "content-type" not in seen[0].headers
    assert "no right" in caught.value.message
    text = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    for secret in (KEY, "sentinel%2Fkey%2B0123456789", "sentinel"):
        assert secret not in text
        assert secret not in caplog.text


async def test_a_failure_without_an_answer_does_not_show_the_key() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"lost {request.url}", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(broken)) as inner:
        alfred = AsyncMeetAlfred(KEY, http_client=inner, retry=ONCE, clock=Skipping())
        with pytest.raises(TransportError) as caught:
            await alfred.campaigns()
    text = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert "sentinel" not in text


async def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    def served(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(served), follow_redirects=True
    ) as inner:
        with pytest.raises(RefusalError, match="redirects are never followed"):
            await AsyncMeetAlfred(KEY, http_client=inner).campaigns()
    assert seen == ["meetalfred.com"]


async def test_the_name_of_the_key_is_an_option() -> None:
    seen: list[httpx.Request] = []

    def served(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[])

    async with httpx.AsyncClient(transport=httpx.MockTransport(served)) as inner:
        await AsyncMeetAlfred(KEY, http_client=inner, key_parameter="API_KEY").campaigns()
    assert seen[0].url.params["API_KEY"] == KEY
    assert "webhook_key" not in seen[0].url.params
    for wrong in ("", "a b", "a&b", "a=b"):
        with pytest.raises(ConfigurationError, match="key_parameter"):
            client(key_parameter=wrong)


# --- requests --------------------------------------------------------------------------------


def test_paths_are_an_option() -> None:
    found = client(rows(), paths={"leads": "/leads", "campaigns": "/c"})
    run(found.leads().collect())
    run(found.campaigns(None))
    run(found.connections(per_page=None).collect())
    assert [one.target for one in sent(found)] == [
        "/api/integrations/webhook/leads?page=0&per_page=100",
        "/api/integrations/webhook/c",
        "/api/integrations/webhook/new-connections?page=0",
    ]
    for wrong in ({"people": "/x"}, {"leads": "x"}, {"leads": "/x?y"}):
        with pytest.raises(ConfigurationError, match="path"):
            client(paths=wrong)


async def test_the_method_of_reads_is_an_option() -> None:
    found = client(rows(), reply(200, []), rows(), method="POST")
    await found.leads(101).collect()
    await found.campaigns()
    await found.add_lead_to_campaign(1, email="a@example.com")
    assert [(one.method, one.body is None) for one in sent(found)] == [
        ("POST", True),
        ("POST", True),
        ("POST", False),
    ]
    assert queries(found)[0] == {"campaign": "101", "page": "0", "per_page": "100"}
    found = client(LOST, reply(502, b""), reply(200, []), method="POST")
    assert await found.campaigns() == []
    assert len(sent(found)) == 3, "a read is retried, whatever its method"
    for wrong in ("post", "PUT", ""):
        with pytest.raises(ConfigurationError, match="method"):
            client(method=wrong)


def test_the_number_of_the_first_page_is_an_option() -> None:
    found = client(rows(1, 2), rows(3), rows(4), first_page=1)
    pages = found.get_last_actions("invites", per_page=2)
    assert [one.id for one in run(pages.collect())] == [1, 2, 3]
    run(found.leads(page=3).collect())
    assert [query["page"] for query in queries(found)] == ["1", "2", "3"]
    with pytest.raises(ConfigurationError, match="page must be at least 0"):
        run(found.leads(page=-1).collect())
    for wrong in (-1, 2, True, "1"):
        with pytest.raises(ConfigurationError, match="first_page"):
            client(first_page=wrong)


def test_a_listing_from_page_1_is_resumed() -> None:
    found = client(rows(1, 2), rows(3), first_page=1)
    pages = found.get_last_actions("invites", per_page=2)
    run(pages.first())
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    rest = found.get_last_actions("invites", per_page=2, resume=point)
    assert [one.id for one in run(rest.collect())] == [2, 3]
    assert [query["page"] for query in queries(found)] == ["1", "2"]


def test_the_first_page_is_0_and_is_sent() -> None:
    found = client(rows())
    run(found.leads(campaign=101).collect())
    run(found.connections(return_only_synced=True).collect())
    run(found.connections(return_only_synced=False, page=3, per_page=25).collect())
    run(found.new_reply_detected().collect())
    run(found.get_last_actions("invites").collect())
    run(found.get_member_connections().collect())
    base = {"page": "0", "per_page": "100"}
    assert queries(found) == [
        base | {"campaign": "101"},
        base | {"return_only_synced": "true"},
        {"page": "3", "per_page": "25", "return_only_synced": "false"},
        base,
        base | {"action": "invites"},
        base,
    ]


def test_columns_of_a_lead_are_sent_beside_the_other_fields() -> None:
    found = client(answer("add-lead-to-campaign.live"))
    done = run(
        found.add_lead_to_campaign(
            101,
            linkedin_profile_url="https://www.linkedin.com/in/x",
            columns={"csv_city": "A", "note": "B"},
        )
    )
    assert (done.id, done.success) == (9201, True)
    (one,) = sent(found)
    assert (one.method, one.target) == ("POST", "/api/integrations/webhook/add_lead_to_campaign")
    assert msgspec.json.decode(one.body) == {
        "campaign": 101,
        "linkedin_profile_url": "https://www.linkedin.com/in/x",
        "csv_city": "A",
        "csv_note": "B",
    }


def test_bad_arguments_are_rejected_before_sending() -> None:
    found = client(rows())
    calls: list[Any] = [
        lambda: found.add_lead_to_campaign(1),
        lambda: found.add_lead_to_campaign(1, email="x", columns={"": "y"}),
        lambda: found.leads(page=-1).collect(),
        lambda: found.leads(per_page=0).collect(),
        lambda: found.get_last_actions("").collect(),  # type: ignore[arg-type]
    ]
    for call in calls:
        with pytest.raises(ConfigurationError):
            run(call())
    assert sent(found) == []


# --- listings --------------------------------------------------------------------------------


async def test_a_listing_ends_with_a_short_page() -> None:
    found = client(rows(1, 2), rows(3))
    pages = found.get_last_actions("replies", per_page=2)
    assert [one.id for one in await pages.collect()] == [1, 2, 3]
    assert [query["page"] for query in queries(found)] == ["0", "1"]
    assert pages.stats.complete


async def test_a_listing_ends_with_an_empty_page_or_body() -> None:
    for last in (rows(), reply(200, b""), answer("empty.live")):
        found = client(rows(1, 2), last)
        assert len(await found.leads(per_page=2).collect()) == 2
        assert len(sent(found)) == 2


@pytest.mark.parametrize("size", [2, None])
async def test_a_listing_ends_if_the_server_ignores_the_page(size: int | None) -> None:
    found = client(rows(1, 2))
    pages = found.get_last_actions("replies", per_page=size)
    assert [one.id for one in await pages.collect()] == [1, 2]
    assert (len(sent(found)), pages.stats.complete) == (2, True)


async def test_a_repeated_page_is_recognised_by_its_ids() -> None:
    def signed(number: int) -> Any:
        picture = f"https://media.example.com/x?e={number}"
        return reply(200, [{"id": "a", "picture": picture}, {"id": "b", "picture": picture}])

    found = client(signed(1), signed(2))
    assert len(await found.connections(per_page=2).collect()) == 2
    assert len(sent(found)) == 2


@pytest.mark.parametrize("count", [1, 2])
async def test_items_without_ids_end_with_a_repeated_page(count: int) -> None:
    found = client(rows(*[None] * count))
    pages = found.new_reply_detected(per_page=count)
    assert len(await pages.collect()) == count
    assert len(sent(found)) == 2


async def test_an_answer_longer_than_a_page_is_accepted() -> None:
    found = client(rows(*range(250)))
    assert len(await found.get_last_actions("accepted").collect()) == 250
    assert len(sent(found)) == 2


async def test_items_that_move_between_pages_are_returned_once() -> None:
    found = client(rows(1, 2), rows(2, 3), rows(4))
    pages = found.get_last_actions("accepted", per_page=2)
    assert [one.id for one in await pages.collect()] == [1, 2, 3, 4]
    assert pages.stats.duplicates == 1


async def test_a_repeat_of_an_older_page_does_not_end_the_listing() -> None:
    found = client(rows(1, 2), rows(3, 4), rows(1, 2))
    with pytest.raises(PagingError):
        await found.get_last_actions("accepted", per_page=2).collect()


async def test_a_resumed_listing_recognises_a_repeat_of_the_page_before() -> None:
    found = client(rows(1, 2))
    pages = found.get_last_actions("replies", per_page=2)
    await pages.first()
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    rest = await found.get_last_actions("replies", per_page=2, resume=point).collect()
    assert [one.id for one in rest] == [2]


async def test_calls_keep_400_ms_apart() -> None:
    left: list[float] = []
    async with VirtualClock() as clock:

        def noted(outgoing: Any) -> Any:
            left.append(clock.now())
            return reply(200, [])

        alfred = AsyncMeetAlfred("key", http_client=Script(noted), clock=clock)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(alfred.campaigns)
    assert left == [0.0, pytest.approx(0.408), pytest.approx(0.816)]


# --- error responses -------------------------------------------------------------------------


def refused(said: Any) -> Any:
    with pytest.raises(LixError) as caught:
        run(client(said, retry=ONCE).campaigns())
    return caught.value


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, InvalidParamsError),
        (401, AuthenticationError),
        (403, AuthenticationError),
        (404, NotFoundError),
        (418, RefusalError),
        (422, InvalidParamsError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServerError),
    ],
)
def test_the_status_decides_the_error(status: int, cls: type[LixError]) -> None:
    for body in ({"message": "why"}, b"why", {"error": {"message": "why"}}, {"details": "why"}):
        error = refused(reply(status, body))
        assert type(error) is cls
        assert (error.message, error.status) == ("why", status)
        assert error.endpoint == "meetalfred.campaigns"


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"{}", b"[]", b'{"error": {'])
def test_an_error_without_a_message(body: bytes) -> None:
    assert refused(reply(502, body)).message == "status 502"
    assert "not accepted" in refused(reply(401, body)).message


def test_a_long_text_is_shortened_in_the_message_only() -> None:
    error = refused(reply(500, b"x" * 600))
    assert (len(error.message), len(error.body)) == (200, 600)


def test_an_error_field_with_status_200_is_data() -> None:
    assert refused(reply(200, {"error": "x"})).path == "$", (
        "an object without items is a decode error"
    )
    assert type(refused(reply(407, b""))) is TransportError


async def test_a_read_is_retried_and_adding_a_lead_is_not() -> None:
    clock = Skipping()
    found = client(LOST, reply(429, b"", Retry_After="2"), rows(), clock=clock)
    assert await found.campaigns() == []
    assert clock.slept[-1] == 2.0
    for said in (reply(502, b""), reply(429, b"", Retry_After="1")):
        found = client(said)
        with pytest.raises(LixError):
            await found.add_lead_to_campaign(1, email="a@example.com")
        assert len(sent(found)) == 1
    found = client(LOST)
    with pytest.raises(OutcomeUnknownError):
        await found.add_lead_to_campaign(1, email="a@example.com")
    assert len(sent(found)) == 1
