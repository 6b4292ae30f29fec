"""Error responses with all their errors, and listings by page number."""

from __future__ import annotations

import json
import logging
import pickle
from typing import Any

import httpx
import pytest
from sample_provider import LOST, reply, run

from lix_async.core.errors import (
    AuthenticationError,
    InvalidParamsError,
    LixError,
    NotFoundError,
    PagingError,
    QuotaExceededError,
    RateLimitError,
    RefusalError,
    ServerError,
    TransportError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.engine.checkpoint import Checkpoint
from lix_async.providers.letrics.client import AsyncLetrics
from lix_async.providers.letrics.errors import ErrorItem, LetricsError

from .stub import BASE, answer, bodies, client, rows, sent, tree

pytestmark = pytest.mark.anyio
ONCE = RetryPolicy(attempts=1)


def refused(said: Any) -> Any:
    with pytest.raises(LixError) as caught:
        run(client(said, retry=ONCE).contacts().collect())
    return caught.value


def test_errors_has_every_listed_error() -> None:
    error = refused(answer("error-400-multiple", 400))
    assert isinstance(error, InvalidParamsError)
    assert isinstance(error, LetricsError)
    assert [(one.id, one.code) for one in error.errors] == [("invalid_input", 400)] * 2
    assert error.message == (
        "Example: per_page is above 100.; Example: added_after is not a UTC time."
    )
    assert (error.kind, error.status, error.endpoint) == ("invalid_input", 400, "letrics.contacts")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.errors, str(again)) == (type(error), error.errors, str(error))


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, InvalidParamsError),
        (401, AuthenticationError),
        (402, QuotaExceededError),
        (403, AuthenticationError),
        (404, NotFoundError),
        (422, InvalidParamsError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_the_status_decides_over_the_body(status: int, cls: type[LixError]) -> None:
    for said in (
        answer("error-401", status),
        reply(status, b""),
        reply(status, b"<html>no</html>"),
    ):
        error = refused(said)
        assert isinstance(error, cls)
        assert isinstance(error, LetricsError)
    assert error.errors == ()


def test_listed_errors_with_status_200_raise() -> None:
    error = refused(answer("error-with-null-data"))
    assert isinstance(error, InvalidParamsError)
    assert error.status == 200
    odd = refused(reply(200, {"data": [], "errors": [{"id": "x", "code": "503"}, "no object"]}))
    assert isinstance(odd, ServerError)
    assert (odd.message, len(odd.errors)) == ("x", 1)
    plain = refused(reply(200, {"errors": [{}]}))
    assert type(plain) is LetricsError
    assert plain.message == "no details given"


def test_an_empty_error_list_is_a_success() -> None:
    for errors in ([], None, {}):
        found = client(reply(200, {"data": [{"name": "x"}], "errors": errors}))
        assert len(run(found.contacts().collect())) == 1


def test_other_error_responses() -> None:
    assert refused(reply(301, b"")).message.startswith("the server redirects")
    assert type(refused(reply(407, b""))) is TransportError
    assert isinstance(refused(reply(418, b"")), RefusalError)
    assert "paths" in refused(reply(404, b"")).message
    assert "method" in refused(reply(405, b"")).message
    assert "not accepted" in refused(reply(401, b"")).message
    assert ErrorItem(code=None).code is None


async def test_reads_are_repeated_although_they_are_posts() -> None:
    found = client(LOST, reply(503, b""), reply(429, b"", Retry_After="2"), answer("contacts"))
    assert len(await found.contacts().collect()) == 2
    assert len(sent(found)) == 4


async def test_a_listing_ends_with_a_short_page() -> None:
    found = client(rows(1, 2), rows(3, 4), rows(5))
    pages = found.contacts(per_page=2)
    assert [row["name"] for row in await pages.collect()] == [1, 2, 3, 4, 5]
    assert [body["page"] for body in bodies(found)] == [1, 2, 3]
    assert {body["per_page"] for body in bodies(found)} == {2}
    assert pages.stats.complete


async def test_a_listing_ends_with_an_empty_page() -> None:
    found = client(rows(1, 2), rows())
    assert len(await found.companies(per_page=2).collect()) == 2
    assert len(sent(found)) == 2


async def test_a_total_is_used_if_present() -> None:
    found = client(rows(1, 2, meta={"total": 3}), rows(3, meta={"total": 3}))
    pages = found.contacts(per_page=50)
    assert len(await pages.collect()) == 3, "a page that the service cut does not end the listing"
    assert (len(sent(found)), pages.stats.total, pages.stats.complete) == (2, 3, True)
    found = client(rows(1, 2, meta={"total": 2}))
    assert len(await found.contacts(per_page=2).collect()) == 2
    assert len(sent(found)) == 1


async def test_equal_items_are_all_returned() -> None:
    found = client(rows("x", "x"), rows("x", "y"), rows("x"))
    assert len(await found.contacts(per_page=2).collect()) == 5


async def test_a_repeated_page_raises() -> None:
    with pytest.raises(PagingError):
        await client(rows("x", "y")).contacts(per_page=2).collect()


async def test_a_listing_is_resumed_from_a_checkpoint() -> None:
    found = client(rows(1, 2), rows(3))
    pages = found.contacts(per_page=2, tlds=["com"])
    await pages.first()
    point = Checkpoint.from_json(pages.checkpoint.to_json())
    rest = await found.contacts(per_page=2, tlds=["com"], resume=point).collect()
    assert [row["name"] for row in rest] == [2, 3]
    assert type(rest[0]).__name__ == "Contact"
    with pytest.raises(PagingError):
        found.contacts(per_page=2, tlds=["org"], resume=point)


async def test_the_key_is_only_in_the_header(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[httpx.Request] = []

    def served(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=tree("contacts"))

    caplog.set_level(logging.DEBUG)
    key = "sentinel-key-0123456789"
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(served)) as inner,
        AsyncLetrics(key, base_url=BASE, http_client=inner) as letrics,
    ):
        people = await letrics.contacts(job_titles=("manager",)).collect()
    assert [person.name for person in people] == ["Example Person 1", "Example Person 2"]
    assert str(seen[0].url) == f"{BASE}/contacts"
    assert seen[0].headers["authorization"] == f"Bearer {key}"
    assert json.loads(seen[0].content)["job_titles"] == ["manager"]
    assert key not in caplog.text
