"""The client: settings, walks, and what goes over the wire."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import msgspec
import pytest
from sample_provider import Skipping, reply, run

from lix_async.core.errors import ConfigurationError, PagingError
from lix_async.engine.checkpoint import Checkpoint
from lix_async.engine.options import UNSET
from lix_async.providers.connectsafely.client import AsyncConnectSafely

from .stub import ACCOUNT, OTHER, answer, client, fresh, profile, sent

pytestmark = pytest.mark.anyio
SENTINEL = "sentinel-key-0123456789"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONNECTSAFELY_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="CONNECTSAFELY_API_KEY"):
        AsyncConnectSafely()
    monkeypatch.setenv("CONNECTSAFELY_API_KEY", SENTINEL)
    monkeypatch.setenv("CONNECTSAFELY_BASE_URL", "http://127.0.0.1:9/linkedin")
    found = AsyncConnectSafely()
    assert "127.0.0.1:9" in repr(found)
    assert SENTINEL not in repr(found)
    with pytest.raises(ConfigurationError, match="auth"):
        AsyncConnectSafely("key", auth="raw")


async def test_the_key_is_a_bearer_token_and_the_paths_are_the_vendors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[httpx.Request] = []

    def served(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"accountId": ACCOUNT, "profile": {"firstName": "x"}})

    caplog.set_level(logging.DEBUG)
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(served)) as inner,
        AsyncConnectSafely(SENTINEL, http_client=inner, account_id=ACCOUNT) as found,
    ):
        await found.profile("x")
        await found.health()
    first, second = seen
    assert str(first.url) == "https://api.connectsafely.ai/linkedin/profile"
    assert str(second.url) == "https://api.connectsafely.ai/health"
    assert first.headers["authorization"] == f"Bearer {SENTINEL}"
    assert first.headers["content-type"] == "application/json"
    assert json.loads(first.content)["accountId"] == ACCOUNT
    assert SENTINEL not in caplog.text


def test_the_account_is_sent_where_a_call_takes_one_and_the_caller_gives_none() -> None:
    found = client(fresh, account_id=ACCOUNT)
    assert found.account_id == ACCOUNT
    run(found.profile("x"))
    run(found.profile("x", account_id=OTHER))
    run(found.with_options(account_id=OTHER).profile("x"))
    run(found.with_options(account_id=None).profile("x"))
    run(found.with_options(deadline=UNSET, viewer_id="me").profile("x"))
    accounts = [msgspec.json.decode(one.body).get("accountId") for one in sent(found)]
    assert accounts == [ACCOUNT, OTHER, OTHER, None, ACCOUNT]


def test_views_share_counts() -> None:
    found = client(fresh, daily_profiles=1)
    view = found.with_options(account_id=ACCOUNT)
    assert view.rate_states == found.rate_states
    assert view._usage is found._usage


def test_calls_with_the_account_in_their_path_need_one() -> None:
    found = client(answer("account-quota.live"))
    calls: list[Any] = [
        found.account_quota,
        found.account_status_by_id,
        lambda: found.relationship_by_account(profile_id="x"),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="account_id"):
            run(call())
    assert sent(found) == []
    view = found.with_options(account_id=ACCOUNT)
    run(view.account_quota())
    run(view.account_status_by_id())
    run(view.relationship("x"))
    assert [one.target for one in sent(found)] == [
        f"/linkedin/account/{ACCOUNT}/quota",
        f"/linkedin/account/{ACCOUNT}/status",
        f"/linkedin/relationship/{ACCOUNT}/x",
    ], "a client with an account asks for that account's relationship"


def groups(*ids: int, **beside: Any) -> Any:
    return reply(200, {"success": True, "groups": [{"groupId": str(x)} for x in ids], **beside})


def bodies(found: AsyncConnectSafely) -> list[Any]:
    return [msgspec.json.decode(one.body) for one in sent(found)]


async def test_a_walk_goes_on_while_there_is_more_whatever_the_total_says() -> None:
    found = client(
        groups(1, 2, hasMore=True, pagination={"count": 25, "start": 0, "total": 2}),
        groups(3, hasMore=True, pagination={"count": 25, "start": 2}),
        groups(4, 5, hasMore=False, pagination={"count": 25, "start": 3, "total": 99}),
    )
    pages = found.search_groups("x")
    assert [one.group_id for one in await pages.collect()] == ["1", "2", "3", "4", "5"]
    assert [body["start"] for body in bodies(found)] == [0, 2, 3], "advanced by rows received"
    assert bodies(found)[0] == {"keywords": "x", "count": 25, "start": 0}
    assert pages.stats.complete
    assert pages.stats.total == 99


async def test_a_walk_follows_the_newer_words_too() -> None:
    found = client(
        groups(1, pagination={"hasNextPage": True, "nextPaginationToken": "t1"}),
        groups(2, pagination={"nextPaginationToken": "t2"}),
        groups(3, pagination={"hasNextPage": False, "nextPaginationToken": "t3"}),
    )
    assert len(await found.search_groups().collect()) == 3
    assert [body.get("paginationToken") for body in bodies(found)] == [None, "t1", "t2"]


async def test_a_walk_ends_where_nothing_says_that_it_goes_on() -> None:
    for last in (groups(1), groups(1, pagination={"count": 25}), groups(1, hasMore=False)):
        found = client(last)
        assert len(await found.search_groups().collect()) == 1
        assert len(sent(found)) == 1


async def test_an_empty_page_that_promises_more_is_asked_for_once_more() -> None:
    found = client(groups(1, hasMore=True), groups(hasMore=True), groups(2, hasMore=False))
    assert len(await found.search_groups().collect()) == 2
    found = client(groups(1, hasMore=True), groups(hasMore=True))
    pages = found.search_groups()
    assert len(await pages.collect()) == 1
    assert (len(sent(found)), pages.stats.complete) == (3, False)


async def test_a_walk_never_stands_still() -> None:
    with pytest.raises(PagingError):
        await client(groups(1, 2, hasMore=True)).search_groups().collect()


async def test_the_empty_sample() -> None:
    pages = client(answer("search-groups.empty.live")).search_groups("x")
    assert await pages.collect() == []
    assert pages.stats.complete


async def test_a_walk_is_resumed() -> None:
    found = client(groups(1, 2, hasMore=True), groups(3, hasMore=False))
    pages = found.search_groups("x", filters={"a": 1})
    first = await pages.first()
    assert first is not None
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    rest = await found.search_groups("x", filters={"a": 1}, resume=point).collect()
    assert [one.group_id for one in rest] == ["2", "3"]
    with pytest.raises(PagingError):
        found.search_groups("y", filters={"a": 1}, resume=point)


async def test_people_are_walked_alike() -> None:
    found = client(answer("search-people.live"), reply(200, {"people": [], "hasMore": False}))
    assert len(await found.search_people("x", count=10).collect()) == 2
    assert bodies(found)[1] == {"keywords": "x", "count": 10, "start": 2}


async def test_wrong_numbers_are_refused_before_anything_is_sent() -> None:
    found = client(groups())
    for wrong in ({"count": 0}, {"start": -1}):
        with pytest.raises(ConfigurationError):
            found.search_groups(**wrong)


async def test_drift_sees_the_answers() -> None:
    told: list[Any] = []
    found = client(profile("x", brandNew=1), on_drift=told.append, clock=Skipping())
    await found.profile("x")
    assert [one.path for one in told] == ["brandNew"]
