"""What becomes of an input, by whose fault its answer is: through a real run over loopback."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from loopback import Connection, answer, serve

from lix_async import AsyncLix, bulk
from lix_async.core.errors import LixError, RefusalError, TransportError
from lix_async.core.families import family_of
from lix_async.core.provider import Provider
from lix_async.core.retry import RetryPolicy
from lix_async.providers.connectsafely.models import Health
from lix_async.providers.connectsafely.models.profiles import ProfileResult
from lix_async.providers.connectsafely.provider import CONNECTSAFELY
from lix_async.providers.letrics.provider import LETRICS
from lix_async.providers.lookc.provider import LOOKC
from lix_async.providers.meetalfred.provider import MEETALFRED
from lix_async.testing import VirtualClock

pytestmark = pytest.mark.anyio
PERSON_BODY = b'{"name": "Ada", "link": "https://www.linkedin.com/in/ada"}'
HTML = b"<html>not the API</html>"


def own(kind: str, message: str = "") -> bytes:
    return json.dumps({"error": {"type": kind, "message": message}}).encode()


# (what, status, body, state or error, family, charged, maybe)
REPLIES: list[tuple[str, int, bytes, str, str, int, int]] = [
    ("plain", 200, PERSON_BODY, "done", "", 1, 0),
    ("empty object", 200, b"{}", "done", "", 1, 0),
    ("other success", 203, PERSON_BODY, "done", "", 1, 0),
    ("byte order mark", 200, b"\xef\xbb\xbf" + PERSON_BODY, "done", "", 1, 0),
    ("unknown fields", 200, b'{"name": "A", "new": [1]}', "done", "", 1, 0),
    ("error text beside data", 200, b'{"name": "A", "error": "partly"}', "done", "", 1, 0),
    ("another shape", 200, b'{"name": {"first": "A"}}', "kept", "unusable", 1, 0),
    ("an array", 200, b"[1]", "kept", "unusable", 1, 0),
    ("cut JSON", 200, b'{"name": "A"', "kept", "unusable", 1, 0),
    ("web page", 200, HTML, "in_doubt", "unknown", 0, 1),
    ("empty", 200, b"", "in_doubt", "unknown", 0, 1),
    ("text", 200, b"ok", "in_doubt", "unknown", 0, 1),
    ("number", 200, b"12", "in_doubt", "unknown", 0, 1),
    ("null", 200, b" null ", "in_doubt", "unknown", 0, 1),
    ("JSON text", 200, b'\xef\xbb\xbf"ok"', "in_doubt", "unknown", 0, 1),
    ("cut text", 200, b'"ok', "in_doubt", "unknown", 0, 1),
    ("text in no encoding", 200, b'"\xff"x', "in_doubt", "unknown", 0, 1),
    ("no content", 204, b"", "in_doubt", "unknown", 0, 1),
    *[
        (f"own {kind} {status}", status, own(kind), "refused", "refused", 0, 0)
        for kind, status in [
            ("params_invalid", 400),
            ("params_invalid", 422),
            ("params_invalid", 200),
            ("unknown_record", 404),
            ("unknown_record", 200),
            ("not_found", 404),
            ("not_found", 503),
            ("something_new", 400),
            ("something_new", 404),
            ("something_new", 422),
        ]
    ],
    ("own text", 404, b'{"error": "nobody"}', "refused", "refused", 0, 0),
    *[
        (f"queued {status}", status, own("queued"), "queued", "queued", 0, 0)
        for status in (200, 202, 400, 429, 503)
    ],
    *[
        (f"stop {kind} {status}", status, own(kind, words), error, "stop", 0, 0)
        for kind, status, words, error in [
            ("daily_limit", 429, "", "DailyLimitError"),
            ("daily_limit", 200, "", "DailyLimitError"),
            ("rate_limit_x", 429, "weekly limit reached", "WeeklyLimitError"),
            ("x", 402, "no credits", "QuotaExceededError"),
            ("x", 401, "wrong key", "AuthenticationError"),
            ("x", 403, "not allowed", "AuthenticationError"),
            ("viewer_invalid", 407, "", "ViewerError"),
            ("viewer_invalid", 400, "", "ViewerError"),
        ]
    ],
    *[
        (f"wrong path {status}", status, own("unknown_route"), "failed", "attested", 0, 0)
        for status in (200, 400, 404, 405)
    ],
    ("own rate limit", 429, own("rate_limit"), "failed", "attested", 0, 0),
    ("own api error", 500, own("api_error"), "failed", "attested", 0, 0),
    ("own api error 200", 200, own("api_error"), "failed", "attested", 0, 0),
    ("own words 503", 503, own("x"), "failed", "attested", 0, 0),
    ("own words 502", 502, own("x"), "failed", "attested", 0, 0),
    ("own words 409", 409, own("x"), "failed", "attested", 0, 0),
    *[
        (f"bare {status}", status, body, "failed", "unattested", 0, 0)
        for status, body in [
            (301, b""),
            (302, HTML),
            (307, b""),
            (400, HTML),
            (400, b""),
            (402, HTML),
            (404, HTML),
            (404, b"{}"),
            (404, b'{"message": "no such route"}'),
            *[
                (status, body)
                for status in (400, 404)
                for body in [
                    b'{"error": "Not Found"}',
                    b'{"error": {"message": "404 Not Found."}}',
                    b'{"error": "no healthy upstream"}',
                    b'{"error": {"code": 404, "message": "absent", "status": "NOT_FOUND"}}',
                    b'{"status": 404, "error": "no person", "path": "/v1/person"}',
                ]
            ],
            (405, b""),
            (408, HTML),
            (409, b""),
            (413, HTML),
            (421, b"misdirected"),
            (422, b""),
            (425, b""),
            (429, HTML),
            (451, HTML),
            (500, HTML),
            (501, b""),
            (503, HTML),
        ]
    ],
    *[
        (f"gateway {status}", status, body, "failed", "gateway", 0, 4)
        for status, body in [
            (502, HTML),
            (502, b""),
            (504, HTML),
            (504, b"{}"),
            (520, HTML),
            (522, b"error code: 522"),
            (524, HTML),
            (529, b""),
        ]
    ],
]


every_reply = pytest.mark.parametrize(
    ("status", "body", "state", "family", "charged", "maybe"),
    [reply[1:] for reply in REPLIES],
    ids=[reply[0] for reply in REPLIES],
)


@every_reply
async def test_a_mapped_call_ends_as_one_of_a_run_does(
    status: int, body: bytes, state: str, family: str, charged: int, maybe: int
) -> None:
    async def handler(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.say(answer(body, f"{status} X"))

    async with (
        serve(handler) as server,
        VirtualClock() as clock,
        AsyncLix("k" * 20, base_url=server.url, rate_limit=None, clock=clock) as lix,
    ):
        given = "https://www.linkedin.com/in/ada"
        (outcome,) = [outcome async for outcome in bulk.map(lix.people.get, [given])]
        assert outcome.state == ("failed" if family == "stop" else state)
        assert (outcome.error.family if outcome.error else "") == family
        assert (outcome.credits, outcome.maybe) == (charged, maybe)
        assert outcome.attempts == len(server.heard)
        assert outcome.body == (body if charged else b"")


@every_reply
async def test_an_answer_decides(
    tmp_path: Path, status: int, body: bytes, state: str, family: str, charged: int, maybe: int
) -> None:
    async def handler(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.say(answer(body, f"{status} X"))

    async with (
        serve(handler) as server,
        VirtualClock() as clock,
        AsyncLix("k" * 20, base_url=server.url, rate_limit=None, clock=clock) as lix,
    ):
        store = bulk.SqliteStore(tmp_path / "l.db")
        async with store:
            admission = bulk.AdmissionController(lix.engine, store, on_daily_limit="stop")
            outcome: bulk.Outcome[Any] | None = None
            error: LixError | None = None
            try:
                (outcome,) = await bulk.chunk(
                    store,
                    lix.people.get,
                    ["https://www.linkedin.com/in/ada"],
                    admission=admission,
                )
                error = outcome.error
            except LixError as raised:
                error = raised
            counts = await store.counts()
            (entry,) = [entry async for entry in store.entries()]
        assert (outcome.state if outcome else type(error).__name__) == state
        assert (error.family if error else "") == family
        assert (counts.credits, counts.maybe) == (charged, maybe)
        assert (lix.credits.total, lix.credits.lost) == (charged, maybe)
        assert entry.status == {"failed": "pending"}.get(state, state if outcome else "pending")


async def test_a_wrong_path_ends_a_run_and_refuses_no_input(tmp_path: Path) -> None:
    async def handler(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.say(answer(own("unknown_route"), "404 X"))

    async with (
        serve(handler) as server,
        VirtualClock() as clock,
        AsyncLix("k" * 20, base_url=server.url, rate_limit=None, clock=clock) as lix,
        bulk.SqliteStore(tmp_path / "l.db") as store,
    ):
        links = [f"https://www.linkedin.com/in/ada-{n}" for n in range(20)]
        run = bulk.Run(store, lix.people.get, links, check_balances=False)
        with pytest.raises(RefusalError) as caught:
            assert [outcome async for outcome in run] == []
        counts = await store.counts()
    assert caught.value.kind == "unknown_route"
    assert len(server.heard) < 10
    assert counts.refused == 0


@pytest.mark.parametrize("in_run", [True, False])
@pytest.mark.parametrize(
    ("replies", "pauses", "status"),
    [
        ([(404, HTML)] * 3, [24, 24], "refused"),
        ([(404, HTML), (400, b""), (422, b"")], [24, 24], "refused"),
        ([(404, HTML)] * 2, [24], "pending"),
        ([(404, HTML)] * 3, [24, 1], "pending"),  # on two days only
        ([(404, HTML), (503, HTML), (404, HTML)], [24, 24], "pending"),
        ([(403, HTML)] * 3, [24, 24], "pending"),
        ([(404, HTML)] * 4, [24, 24, 24], "refused"),  # and not asked for a fourth time
        ([(404, HTML), (404, HTML), (200, PERSON_BODY)], [24, 24], "done"),
    ],
)
async def test_refusals_without_the_apis_own_error_are_final_after_three_days(
    tmp_path: Path,
    replies: list[tuple[int, bytes]],
    pauses: list[int],
    status: str,
    *,
    in_run: bool,
) -> None:
    left = iter(replies)

    async def handler(connection: Connection) -> None:
        while True:
            await connection.request()
            code, body = next(left)
            await connection.say(answer(body, f"{code} X"))

    once = RetryPolicy(attempts=1)
    async with (
        serve(handler) as server,
        VirtualClock() as clock,
        AsyncLix("k" * 20, base_url=server.url, rate_limit=None, retry=once, clock=clock) as lix,
        bulk.SqliteStore(tmp_path / "l.db") as store,
    ):
        links = ["https://www.linkedin.com/in/ada"]
        for pause in [0, *pauses]:
            await clock.sleep(pause * 3600)
            run = bulk.Run(store, lix.people.get, links, check_balances=False)
            with contextlib.suppress(LixError):
                if in_run:
                    outcomes = [outcome async for outcome in run]
                else:
                    admission = bulk.AdmissionController(lix.engine, store)
                    outcomes = await bulk.chunk(store, lix.people.get, links, admission=admission)
        (entry,) = [entry async for entry in store.entries()]
        assert entry.status == status
        if status == "refused":
            assert len(server.heard) == 3
            assert [outcome.state for outcome in outcomes] == ["refused"]
        assert await store.unattested() == ([entry.key] if status == "refused" else [])


@pytest.mark.parametrize("given", ["", "  ", "\ud800", "x" * 200_000, None, 7, {"nope": 1}])
async def test_only_our_own_check_makes_an_input_invalid(tmp_path: Path, given: Any) -> None:
    async def handler(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.say(answer(PERSON_BODY))

    async with (
        serve(handler) as server,
        AsyncLix("k" * 20, base_url=server.url, rate_limit=None) as lix,
    ):
        good = "https://www.linkedin.com/in/ada"
        if isinstance(given, str) and given.strip():
            given = good + given
        run = bulk.Run(tmp_path / "l.db", lix.people.get, [given, good], check_balances=False)
        found = {outcome.state: outcome async for outcome in run}
        assert set(found) == {"invalid", "done"}
        error = found["invalid"].error
        assert error is not None and error.family == "input"
        mapped = {o.state async for o in bulk.map(lix.people.get, [given, good])}
        assert mapped == {"invalid", "done"}
        assert len(server.heard) == 2


@pytest.mark.parametrize(
    ("provider", "status", "body", "family"),
    [
        (LETRICS, 400, b'{"errors": [{"id": "invalid_input", "code": 400}]}', "refused"),
        (LETRICS, 400, b'{"errors": []}', "unattested"),
        (LETRICS, 401, b"", "unattested"),
        (CONNECTSAFELY, 400, b'{"error": {"name": "ZodError", "issues": []}}', "refused"),
        (CONNECTSAFELY, 401, b'{"error": "wrong key"}', "stop"),
        (CONNECTSAFELY, 404, b'{"success": false, "error": "nobody"}', "refused"),
        (CONNECTSAFELY, 404, HTML, "unattested"),
        (CONNECTSAFELY, 429, b'{"success": false, "code": "x", "message": "slow"}', "attested"),
        (CONNECTSAFELY, 502, b'{"error": "upstream"}', "attested"),
        (CONNECTSAFELY, 502, HTML, "gateway"),
        (CONNECTSAFELY, 200, b'{"profile": null}', "refused"),
        (MEETALFRED, 404, b'{"detail": "no such person"}', "refused"),
        (CONNECTSAFELY, 404, b'{"status": 404, "error": "Not Found", "path": "/"}', "unattested"),
        (MEETALFRED, 404, b"Not Found", "unattested"),
        (MEETALFRED, 404, b'{"message": "no Route matched with those values"}', "unattested"),
        (MEETALFRED, 404, b'{"message": "Cannot GET /x", "error": "Not Found"}', "unattested"),
        (MEETALFRED, 503, b'{"message": {}}', "unattested"),
        (MEETALFRED, 503, b'{"error": {"message": "busy"}}', "attested"),
        (LOOKC, 404, b'{"error": {"type": "not_found"}}', "refused"),
        (LOOKC, 407, HTML, "infrastructure"),
        (LOOKC, 200, b"{}", "answer"),
    ],
)
def test_each_provider_has_its_own_words(
    provider: Provider, status: int, body: bytes, family: str
) -> None:
    result = ProfileResult if b"profile" in body else Health
    value = provider.refusal(status, body, result) or TransportError("a proxy answered")
    assert family_of(status, value, attested=provider.own_error(body)) == family
