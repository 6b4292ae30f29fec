"""The effect of each fault on a response, and whether the request is charged."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from lix_async.sandbox import Sandbox
from lix_async.sandbox.faults.response_faults import apply_to_response
from lix_async.sandbox.faults.schedule import FAULTS, Fault
from lix_async.sandbox.protocol.responses import SandboxResponse

from .sandbox_helpers import NOON

if TYPE_CHECKING:
    from .sandbox_helpers import Client

pytestmark = pytest.mark.anyio
PERSON = {"profile_link": "https://www.linkedin.com/in/some-body"}
SEARCH = "https://www.linkedin.com/search/results/people/?keywords=sales%20total:57"
PATH = "/v1/li/linkedin/search/people"


async def meet(http: httpx.AsyncClient, fault: str) -> httpx.Response:
    return await http.get("/v1/person", params=PERSON, headers={"X-Sandbox-Fault": fault})


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("rate_limit", 429, "rate_limit"),
        ("rate_limit_weekly", 429, "rate_limit"),
        ("daily_limit", 429, "daily_limit"),
        ("daily_limit;status=200", 200, "daily_limit"),
        ("quota", 402, None),
        ("unauthorized", 401, None),
        ("viewer_invalid", 407, "viewer_invalid"),
        ("params_invalid", 400, "params_invalid"),
        ("not_found", 400, "not_found"),
        ("unknown_record", 404, "unknown_record"),
        ("unknown_route", 404, "unknown_route"),
        ("api_error", 500, "api_error"),
        ("api_error;status=503", 503, "api_error"),
        ("unavailable", 503, None),
        ("no_type", 500, None),
    ],
)
async def test_error_responses_are_not_charged(
    sandbox: Sandbox, client: Client, fault: str, status: int, kind: str | None
) -> None:
    async with client(sandbox) as http:
        answer = await meet(http, fault)
    assert answer.status_code == status
    assert answer.json()["error"].get("type") == kind
    assert sandbox.requests[-1].fault == fault.split(";", maxsplit=1)[0]
    assert len(sandbox.ledger) == 0


async def test_other_error_responses(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:
        text = await meet(http, "string_error")
        pages = [await meet(http, name) for name in ("bad_gateway", "gateway_timeout", "html200")]
        empty = await meet(http, "empty200")
        moved = await meet(http, "redirect;to=https://example.org/x;status=307")
    assert text.json() == {"error": "something went wrong"}
    assert [page.status_code for page in pages] == [502, 504, 200]
    assert all(page.text.startswith("<!doctype html>") for page in pages)
    assert all(page.headers["content-type"].startswith("text/html") for page in pages)
    assert (empty.status_code, empty.content) == (200, b"")
    assert (moved.status_code, moved.headers["location"]) == (307, "https://example.org/x")
    assert len(sandbox.ledger) == 0


async def test_retry_after_has_every_format(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:
        none = await meet(http, "rate_limit")
        forms = {
            form: (await meet(http, f"rate_limit;retry-after={form}")).headers["retry-after"]
            for form in ("5", "1e9", "-1", "NaN", "999999999999", "Wed, 21 Oct 2015 07:28:00 GMT")
        }
        date = (await meet(http, "rate_limit;retry-after=date:90")).headers["retry-after"]
        weekly = (await meet(http, "rate_limit_weekly")).headers["retry-after"]
        sandbox.faults.force("unavailable;retry-after=\u0663")
        foreign = await http.get("/v1/person", params=PERSON)
    assert "retry-after" not in none.headers
    assert all(form == got for form, got in forms.items())
    assert parsedate_to_datetime(date).timestamp() == NOON + 90
    assert int(weekly) == 6 * 86400 + 43200
    assert dict(foreign.headers.raw)[b"retry-after"] == "\u0663".encode()


async def test_a_connection_broken_before_execution_is_free_and_after_it_is_charged(
    sandbox: Sandbox, client: Client
) -> None:
    async with client(sandbox) as http:
        with pytest.raises(ConnectionResetError):
            await meet(http, "reset")
        assert len(sandbox.ledger) == 0
        with pytest.raises(ConnectionResetError):
            await meet(http, "reset_after")
        with pytest.raises(ConnectionResetError):
            await meet(http, "truncated")
        headers = {"X-Sandbox-Fault": "reset_after"}
        with pytest.raises(ConnectionResetError):
            await http.post(
                "/v1/connections/send",
                json={"viewer_id": "sandbox-viewer", "profile_id": "a-b"},
                headers=headers,
            )
    assert [one.endpoint for one in sandbox.ledger] == ["person.get"] * 2 + ["connections.send"]
    assert [one.target for one in sandbox.sent] == ["a-b"]
    assert [record.status for record in sandbox.requests] == [0, 0, 200, 0]


async def test_slow_and_drip_wait_for_their_seconds(client: Client) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await anyio.lowlevel.checkpoint()

    sandbox = Sandbox(people=20, organisations=5, rate=None, sleep=sleep)
    async with client(sandbox) as http:
        plain = await http.get("/v1/person", params=PERSON)
        slow = await meet(http, "slow;seconds=7")
        assert waits == [7.0]
        drip = await meet(http, "drip;seconds=8")
    assert waits[1:] == [1.0] * len(waits[1:])
    assert len(waits) in (9, 10)
    assert plain.content == slow.content == drip.content
    assert len(sandbox.ledger) == 3


async def test_damaged_bodies_are_charged(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:
        good = (await http.get("/v1/person", params=PERSON)).content
        half = await meet(http, "broken_json")
        bytes_ = await meet(http, "invalid_utf8")
        deep = await meet(http, "deep_json")
        odd = await meet(http, "odd_number")
        text = await meet(http, "wrong_type")
        bomb = await meet(http, "gzip_bomb;mib=3")
        huge = await meet(http, "huge;mib=2")
    assert half.content == good[: len(good) // 2]
    with pytest.raises(UnicodeDecodeError):
        bytes_.content.decode()
    assert deep.content.count(b"[") > 100_000
    assert json.loads(odd.content)["paging"]["total"] == float("inf")
    assert (text.content, text.headers["content-type"]) == (good, "text/html; charset=utf-8")
    assert int(bomb.headers["content-length"]) < 20_000
    assert bomb.content == good + b" " * 3 * 2**20
    assert huge.content == good + b" " * 2 * 2**20
    assert len(sandbox.ledger) == 8


def test_a_bomb_is_small_when_compressed_and_a_chain_is_compressed_twice() -> None:
    def wire(reply: SandboxResponse) -> bytes:
        return b"".join(reply.chunks)

    bomb = apply_to_response(Fault("gzip_bomb", {"mib": "64"}), b"{}")
    assert len(wire(bomb)) == bomb.content_length < 100_000
    assert len(gzip.decompress(wire(bomb))) == 64 * 2**20 + 2
    chain = apply_to_response(Fault("chained_encoding"), b"{}")
    assert gzip.decompress(gzip.decompress(wire(chain))) == b"{}"
    assert chain.headers["content-encoding"] == "gzip, gzip"


async def pages(http: httpx.AsyncClient, *faults: str) -> list[dict]:  # type: ignore[type-arg]
    bodies = []
    for page, fault in enumerate(faults, 1):
        params = {"url": f"{SEARCH}&page={page}", "sequence_id": "s"}
        answer = await http.get(PATH, params=params, headers={"X-Sandbox-Fault": fault})
        bodies.append(answer.json())
    return bodies


async def test_page_faults(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:
        plain = await pages(http, "ok", "ok")
        repeated = await pages(http, "ok", "repeated_page")
        overlap = await pages(http, "ok", "overlap")
        short, empty, null = [
            (await pages(http, "ok", name))[1]
            for name in ("short_page", "empty_page", "null_items")
        ]
    assert repeated[1] == repeated[0] == plain[0]
    assert overlap[1]["people"] == plain[0]["people"][-1:] + plain[1]["people"]
    assert short["people"] == plain[1]["people"][:5]
    assert (empty["people"], null["people"]) == ([], None)
    assert empty["paging"] == null["paging"] == {"count": 0, "start": 10, "total": 57}
    assert len(sandbox.ledger) == len(sandbox.requests) == 12


async def test_total_faults(sandbox: Sandbox, client: Client) -> None:
    names = ("shrinking_total", "growing_total", "string_total", "nonsense_total", "missing_total")
    async with client(sandbox) as http:
        totals = [(await pages(http, name))[0]["paging"].get("total") for name in names]
    assert totals == [28, 107, "57", "many", None]


async def test_a_changed_sequence_id_keeps_the_order(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:
        plain = await pages(http, "ok", "ok")
        changed = (await pages(http, "changed_sequence"))[0]
        new = changed["meta"]["sequenceId"]
        params = {"url": f"{SEARCH}&page=2", "sequence_id": new}
        second = (await http.get(PATH, params=params)).json()
    assert new != "s"
    assert changed["people"] == plain[0]["people"]
    assert second["people"] == plain[1]["people"]
    assert second["meta"]["sequenceId"] == new


@pytest.mark.parametrize("name", [name for name, kind in FAULTS.items() if kind.stage == "page"])
async def test_a_body_that_is_not_a_page_is_not_changed(
    sandbox: Sandbox, client: Client, name: str
) -> None:
    async with client(sandbox) as http:
        plain = await http.get("/v1/account/balances")
        played = await http.get("/v1/account/balances", headers={"X-Sandbox-Fault": name})
    assert plain.content == played.content


async def test_every_fault_can_be_requested_and_charges_as_declared(client: Client) -> None:
    for name, kind in FAULTS.items():
        small = {"mib": "1", "seconds": "0"}
        options = "".join(
            f";{option}={small[option]}" for option in kind.options if option in small
        )
        sandbox = Sandbox(people=20, organisations=5, rate=None, wall=lambda: NOON)
        async with client(sandbox) as http:
            with suppress(ConnectionResetError, httpx.DecodingError):
                await meet(http, name + options)
        assert sandbox.requests[-1].fault == name
        assert len(sandbox.ledger) == int(kind.charges)
