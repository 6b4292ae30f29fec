"""Meet Alfred in the sandbox, through its client: answers in both formats, listings, leads."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, cast, get_args

import httpx
import pytest
from sample_provider import Skipping

from lix_async.core.errors import (
    AuthenticationError,
    DecodeError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.providers.meetalfred.client import AsyncMeetAlfred
from lix_async.providers.meetalfred.endpoints import TABLE
from lix_async.providers.meetalfred.params import ActionKind
from lix_async.sandbox import Faults, Sandbox
from lix_async.sandbox.providers.meetalfred import PROVIDER

from .sandbox_helpers import small_sandbox as small

pytestmark = pytest.mark.anyio
SAMPLES = Path(__file__).parents[1] / "contract" / "samples"
ROOT = "http://127.0.0.1/api/integrations/webhook"
ONCE = RetryPolicy(attempts=1)
LISTINGS = [row.id.removeprefix("meetalfred.") for row in TABLE if row.paging]
FORMS = [
    ("seed", "campaigns", "campaigns"),
    ("seed", "leads", "new-leads"),
    ("seed", "connections", "new-connections"),
    ("flat", "campaigns.live", "campaigns"),
    ("flat", "leads.live", "new-leads"),
    ("flat", "connections.live", "new-connections"),
    ("flat", "new-reply-detected.live", "new-reply-detected"),
    ("flat", "get-last-actions.live", "get-last-actions?action=replies"),
    ("flat", "get-team-members.live", "get_team_members"),
    ("flat", "get-member-connections.live", "get_member_connections"),
]


def connect(sandbox: Sandbox, key: str = "a-key", **options: Any) -> AsyncMeetAlfred:
    """The real client on a sandbox in memory, by default without a rate limit."""
    http_client = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app))
    given = {"rate_limit": None, "clock": Skipping(), "http_client": http_client, **options}
    return AsyncMeetAlfred(key, base_url=ROOT, **given)


async def bare(sandbox: Sandbox, path: str) -> Any:
    """The JSON body of a response."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        answer = await http.get(f"{ROOT}/{path}{'&' if '?' in path else '?'}webhook_key=a-key")
    return answer.json()


def start_listing(alfred: AsyncMeetAlfred, name: str, **options: Any) -> Any:
    first = ["replies"] if name == "get_last_actions" else []
    return getattr(alfred, name)(*first, **options)


def identity(row: Any) -> object:
    return getattr(row, "identity", None) or (row.id, getattr(row, "linkedin_profile_url", None))


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and type of every value in a tree; the items of a list have the same path."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from leaves(value, f"{path}.{name}")
    elif isinstance(tree, list):
        yield path, "list"
        for value in tree:
            yield from leaves(value, f"{path}[]")
    else:
        yield path, type(tree).__name__


@pytest.mark.parametrize("envelope", ["seed", "flat"])
async def test_every_endpoint_is_answered(envelope: Any) -> None:
    sandbox = small(envelope=envelope)
    async with connect(sandbox) as alfred:
        running = await alfred.campaigns()
        every = await alfred.campaigns("all")
        rows = {name: await start_listing(alfred, name).collect() for name in LISTINGS}
        team = await alfred.get_team_members()
        done = await alfred.add_lead_to_campaign(101, email="somebody@example.com")
    assert {record.endpoint for record in sandbox.requests} == {row.id for row in TABLE}
    assert {record.status for record in sandbox.requests} == {200}
    assert {(one.campaign_id, one.title) for one in running} == {
        (101, "Example Campaign 1"),
        (102, "Example Campaign 2"),
    }
    assert {one.status for one in every} == {"active", "draft", "archived"}
    assert {name: len(found) for name, found in rows.items()} == {
        "leads": 140,
        "connections": 90,
        "new_reply_detected": 40,
        "get_last_actions": 50,
        "get_member_connections": 60,
    }
    for name, found in rows.items():
        assert len({identity(row) for row in found}) == len(found), name
    assert all(one.webhook_key and "EXAMPLE" in one.webhook_key.reveal() for one in team)
    assert (done.success, done.message) == (True, "lead added")
    assert len(sandbox.ledger) == 0


@pytest.mark.parametrize(("envelope", "name", "path"), FORMS)
async def test_answers_have_the_format_of_the_samples(envelope: Any, name: str, path: str) -> None:
    sample = json.loads((SAMPLES / f"meetalfred.{name}.json").read_bytes())
    size = "&per_page=100" if "?" in path else "?per_page=100"
    found = await bare(small(envelope=envelope), path + size)
    assert {where for where, _ in leaves(found)} == {where for where, _ in leaves(sample)}
    bools = {where for where, kind in leaves(sample) if kind == "bool"}
    assert {kind for where, kind in leaves(found) if where in bools} <= {"bool", "NoneType"}
    if envelope == "seed":
        assert set(leaves(found)) == set(leaves(sample)) | {
            (where, "str") for where, kind in leaves(found) if kind == "str"
        }


async def test_times_in_three_formats_are_equal_to_the_client() -> None:
    moments: dict[str, list[datetime | None]] = {}
    texts: list[str] = []
    for envelope in ("seed", "flat"):
        async with connect(small(envelope=envelope)) as alfred:
            leads = await alfred.leads().collect()
            near = await alfred.connections().collect()
        moments[envelope] = [one.campaign.created_time for one in leads if one.campaign]
        moments[f"{envelope} near"] = [one.connected_time for one in near]
        texts += [one.campaign.created_at or "" for one in leads[:1] if one.campaign]
        texts += [one.connected_at or "" for one in near]
    assert moments["seed"] == moments["flat"]
    assert moments["seed near"] == moments["flat near"]
    assert all(one and one.tzinfo is UTC for found in moments.values() for one in found)
    assert {"2025-01-06 09:00:00+00:00", "2025-01-06T09:00:00Z"} <= set(texts)
    assert {text[-4:] == " GMT" for text in texts} == {True, False}


async def test_filters_are_applied() -> None:
    async with connect(small()) as alfred:
        every = await alfred.leads().collect()
        mine = await alfred.leads(102).collect()
        empty = await alfred.leads(999).collect()
        drafts = await alfred.campaigns("draft")
        default = await alfred.campaigns(None)
        near = await alfred.connections().collect()
        synced = await alfred.connections(return_only_synced=True).collect()
        unsynced = await alfred.connections(return_only_synced=False).collect()
    assert [one.id for one in mine] == [
        one.id for one in every if one.campaign and one.campaign.campaign_id == 102
    ]
    assert 0 < len(mine) < len(every)
    assert empty == []
    assert [one.campaign_id for one in drafts] == [103]
    assert {one.status for one in default} == {"active"}
    assert {one.id for one in synced} < {one.id for one in near}
    assert unsynced == near


async def test_every_action_is_accepted_and_sorted_newest_first() -> None:
    async with connect(small()) as alfred:
        for kind in get_args(ActionKind):
            found = await alfred.get_last_actions(kind).collect()
            times = [one.created_time for one in found]
            assert all(newer and older and newer > older for newer, older in pairwise(times))
            assert len({one.desc for one in found}) == 1
            assert {type(one.id) for one in found} == {int, str}
        with pytest.raises(InvalidParamsError, match="action must be one of invites"):
            await alfred.get_last_actions(cast("Any", "dances")).collect()
        with pytest.raises(InvalidParamsError, match="type must be active"):
            await alfred.campaigns(cast("Any", "secret"))


# --- listings --------------------------------------------------------------------------------


@pytest.mark.parametrize("envelope", ["seed", "flat"])
@pytest.mark.parametrize("name", LISTINGS)
@pytest.mark.parametrize("size", [7, 10, None])
async def test_a_listing_counts_pages_from_0(envelope: Any, name: str, size: int | None) -> None:
    sandbox = small(envelope=envelope)
    async with connect(sandbox) as alfred:
        expected = [identity(row) for row in await start_listing(alfred, name).collect()]
        earlier = len(sandbox.requests)
        pages = start_listing(alfred, name, per_page=size)
        assert [identity(row) for row in await pages.collect()] == expected
        later = await start_listing(alfred, name, page=1, per_page=size).collect()
    shown = size or 25
    assert pages.stats.complete
    requested = [json.loads(record.input or "")["page"] for record in sandbox.requests[earlier:]]
    assert requested[: pages.stats.pages] == list(range(pages.stats.pages))
    assert pages.stats.pages >= -(-len(expected) // shown)
    assert [identity(row) for row in later] == expected[shown:]


@pytest.mark.parametrize("name", LISTINGS)
async def test_a_listing_ends_if_the_server_ignores_the_page(name: str) -> None:
    sandbox = small(faults=Faults(rates={"repeated_page": 1.0}))
    async with connect(sandbox) as alfred:
        pages = start_listing(alfred, name, per_page=20)
        rows = await pages.collect()
    assert (len(rows), len(sandbox.requests), pages.stats.complete) == (20, 2, True)


async def test_campaigns_are_requested_once() -> None:
    sandbox = small()
    async with connect(sandbox) as alfred:
        await alfred.campaigns("all")
    assert len(sandbox.requests) == 1
    assert json.loads(sandbox.requests[0].input or "") == {"type": "all"}
    whole = await bare(sandbox, "campaigns?type=all")
    assert await bare(sandbox, "campaigns?type=all&page=3&per_page=1") == whole


async def test_the_page_size_is_limited() -> None:
    assert len((await bare(small(), "new-leads?per_page=500"))["actions"]) == 100


# --- leads -----------------------------------------------------------------------------------


async def test_added_leads_are_recorded() -> None:
    sandbox = small()
    person = sandbox.world.person(0)
    async with connect(sandbox) as alfred:
        one = await alfred.add_lead_to_campaign(
            102, linkedin_profile_url=person.link, columns={"note": "é", "csv_a": "1"}
        )
        two = await alfred.add_lead_to_campaign(101, email=person.email)
        with pytest.raises(NotFoundError, match="no such campaign"):
            await alfred.add_lead_to_campaign(999, email=person.email)
    assert [(sent.viewer, sent.target, sent.text) for sent in sandbox.sent] == [
        ("102", person.link, '{"csv_a":"1","csv_note":"é"}'),
        ("101", person.email, ""),
    ]
    assert one.id != two.id
    sandbox.reset()
    assert sandbox.sent == []


@pytest.mark.parametrize(
    ("fault", "sent"), [("rate_limit", 0), ("api_error", 0), ("queued", 0), ("truncated", 1)]
)
async def test_adding_a_lead_is_never_repeated(fault: str, sent: int) -> None:
    sandbox = small(faults=[fault])
    async with connect(sandbox) as alfred:
        with pytest.raises(LixError):
            await alfred.add_lead_to_campaign(101, email="somebody@example.com")
    assert (len(sandbox.requests), len(sandbox.sent)) == (1, sent)


@pytest.mark.parametrize(
    "body", [{}, {"campaign": 101}, {"campaign": 101, "email": "x", "note": "without its prefix"}]
)
async def test_an_incomplete_lead_is_rejected(body: dict[str, object]) -> None:
    sandbox = small()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        answer = await http.post(f"{ROOT}/add_lead_to_campaign?webhook_key=a-key", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert sandbox.sent == []


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("params_invalid", 400, InvalidParamsError),
        ("unauthorized", 401, AuthenticationError),
        ("rate_limit;retry-after=3", 429, RateLimitError),
        ("api_error", 500, ServerError),
        ("queued", 502, ServerError),
        ("unavailable", 503, ServerError),
        ("bad_gateway", 502, ServerError),
        ("html200", None, DecodeError),
    ],
)
async def test_errors_are_classified_by_status(
    fault: str, status: int | None, kind: type[LixError]
) -> None:
    async with connect(small(faults=[fault]), retry=ONCE) as alfred:
        with pytest.raises(kind) as caught:
            await alfred.campaigns()
    assert getattr(caught.value, "status", None) == status
    if status is not None:
        assert getattr(caught.value, "message", ""), "the error has a message"


async def test_the_key_in_the_query_is_not_in_records_errors_or_reprs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "sentinel/key+0123456789"
    sandbox = small(keys={"another"})
    async with connect(sandbox, key) as alfred:
        shown = repr(alfred)
        with pytest.raises(AuthenticationError) as refused:
            await alfred.leads().collect()
    texts = [shown, caplog.text, repr(sandbox.requests)]
    sandbox = small(keys={key}, faults=["truncated", "reset", "api_error"])
    for _ in range(3):
        async with connect(sandbox, key, retry=ONCE) as alfred:
            with pytest.raises(LixError) as failed:
                await alfred.campaigns()
        texts += ["".join(traceback.format_exception(failed.value)), repr(vars(failed.value))]
    texts += ["".join(traceback.format_exception(refused.value)), repr(sandbox.requests)]
    for text in (*texts, caplog.text):
        assert "sentinel" not in text
    assert {record.caller for record in sandbox.requests} == {"key-1"}


async def test_a_key_in_a_header_is_not_accepted() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(small().app)) as http:
        answer = await http.get(f"{ROOT}/campaigns", headers={"Authorization": "Bearer a-key"})
    assert (answer.status_code, list(answer.json())) == (401, ["message"])


async def test_too_many_requests_are_429_and_the_clients_rate_is_not() -> None:
    sandbox = small(rate={"Meet Alfred": PROVIDER.rate})
    async with connect(sandbox, retry=ONCE) as alfred:
        await alfred.campaigns()
        with pytest.raises(RateLimitError) as caught:
            await alfred.campaigns()
    assert caught.value.retry_after == 1.0
    clock = Skipping()
    sandbox = small(clock, rate={"Meet Alfred": PROVIDER.rate})
    rate = AsyncMeetAlfred.provider.rate
    async with connect(sandbox, clock=clock, rate_limit=rate) as alfred:
        assert len(await alfred.leads(per_page=20).collect()) == 140
    assert {record.status for record in sandbox.requests} == {200}


@pytest.mark.parametrize("envelope", ["seed", "flat"])
async def test_a_listing_is_complete_despite_the_weather_faults(envelope: Any) -> None:
    reliable, faulty = small(envelope=envelope), small(envelope=envelope, faults="weather")
    async with connect(reliable) as alfred:
        expected = [row.id for row in await alfred.leads().collect()]
    async with connect(faulty) as alfred:
        for _ in range(4):
            assert [row.id for row in await alfred.leads(per_page=4).collect()] == expected
    assert len({record.fault for record in faulty.requests}) > 4
