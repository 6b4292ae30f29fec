"""The schedules of faults. Their effects are tested in `test_response_faults.py`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from lix_async.sandbox import Faults, Sandbox
from lix_async.sandbox.faults.schedule import ALIASES, FAULTS, PRESETS, Fault, parse_fault

if TYPE_CHECKING:
    from .sandbox_helpers import Client

pytestmark = pytest.mark.anyio
PERSON = {"profile_link": "https://www.linkedin.com/in/some-body"}


def names(faults: Faults, count: int, endpoint: str = "person.get") -> list[str]:
    drawn = [faults.draw(endpoint) for _ in range(count)]
    return [fault.name if fault else "ok" for fault in drawn]


def test_faults_are_parsed_with_their_options() -> None:
    assert parse_fault("ok") is None
    assert parse_fault("503") == Fault("unavailable")
    assert parse_fault(" queued ; polls=3; status=200") == Fault(
        "queued", {"polls": "3", "status": "200"}
    )
    assert parse_fault("rate_limit;retry-after=Wed, 21 Oct 2015 07:28:00 GMT") == Fault(
        "rate_limit", {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}
    )
    for wrong in ("", "nope", "reset;seconds=1", "slow;seconds=soon", "queued;polls"):
        with pytest.raises(ValueError):  # noqa: PT011  # one of three messages
            parse_fault(wrong)
    with pytest.raises(ValueError, match=r"unknown fault 'notfound': .*, not_found, "):
        parse_fault("notfound")
    assert set(ALIASES.values()) <= set(FAULTS)


def test_the_same_seed_draws_the_same_faults() -> None:
    rates = {"api_error": 0.2, "reset": 0.1, "rate_limit;retry-after=2": 0.1}
    first, second, other = Faults(7, rates), Faults(7, rates), Faults(8, rates)
    drawn = names(first, 2000)
    assert drawn == names(second, 2000)
    assert drawn != names(other, 2000)
    assert 300 < drawn.count("api_error") < 500
    assert 1100 < drawn.count("ok") < 1300
    first.reset()
    assert names(first, 2000) == drawn


def test_a_plan_is_exact_and_the_rates_follow() -> None:
    faults = Faults(1, {"reset": 1.0}, plan=["ok", "api_error", "ok"])
    assert names(faults, 5) == ["ok", "api_error", "ok", "reset", "reset"]
    faults.force("quota", "ok")
    assert names(faults, 3) == ["quota", "ok", "reset"]
    faults.reset()
    assert names(faults, 2) == ["ok", "api_error"]


def test_a_plan_by_endpoint() -> None:
    faults = Faults(plan={"person.get": ["reset"], "search.people": ["ok", "quota"]})
    assert names(faults, 2, "search.people") == ["ok", "quota"]
    assert names(faults, 2, "ids.person") == ["ok", "ok"]
    assert names(faults, 2) == ["reset", "ok"]


def test_presets() -> None:
    assert {"none", "weather", "storm"} <= set(PRESETS)
    assert set(names(Faults.preset("none"), 100)) == {"ok"}
    weather = names(Faults.preset("weather", 3), 5000)
    assert 0.05 < 1 - weather.count("ok") / 5000 < 0.15
    storm = names(Faults.of("storm", 3), 5000)
    assert storm.count("ok") < weather.count("ok")
    for rates in PRESETS.values():
        assert all(parse_fault(text) for text in rates)
    with pytest.raises(ValueError, match="sunshine"):
        Faults.preset("sunshine")
    with pytest.raises(ValueError, match="rates"):
        Faults(0, {"reset": 1.1})
    with pytest.raises(ValueError, match="nope"):
        Faults(plan=["nope"])


async def test_two_sandboxes_have_the_same_weather_faults(client: Client) -> None:
    seen = []
    for _ in range(2):
        sandbox = Sandbox(seed=9, people=20, organisations=5, rate=None, faults="storm")
        async with client(sandbox) as http:
            for place in range(120):
                link = sandbox.world.person(place).link
                with suppress(ConnectionResetError):
                    await http.get("/v1/person", params={"profile_link": link})
        seen.append([(record.status, record.fault, record.charged) for record in sandbox.requests])
        assert sum(record.charged for record in sandbox.requests) == len(sandbox.ledger)
    assert seen[0] == seen[1]
    assert len({fault for _, fault, _ in seen[0]}) > 6


async def test_faults_are_drawn_only_for_valid_requests(client: Client) -> None:
    sandbox = Sandbox(people=20, organisations=5, faults=["api_error", "quota"], clock=lambda: 0.0)
    async with client(sandbox) as http:
        await http.get("/v1/nowhere")
        first = await http.get("/v1/person", params=PERSON)
        limited = await http.get("/v1/person", params=PERSON)
        other = {"Authorization": "other"}
        second = await http.get("/v1/person", params=PERSON, headers=other)
    assert [one.status_code for one in (first, limited, second)] == [500, 429, 402]
    assert [record.fault for record in sandbox.requests] == [None, "api_error", None, "quota"]


async def test_a_fault_by_header_does_not_use_the_plan(client: Client) -> None:
    sandbox = Sandbox(people=20, organisations=5, rate=None, faults=["quota"])
    async with client(sandbox) as http:

        async def status(fault: str | None) -> int:
            headers = {"X-Sandbox-Fault": fault} if fault else {}
            return (await http.get("/v1/person", params=PERSON, headers=headers)).status_code

        assert [await status(fault) for fault in ("503", "ok", "nope", None, None)] == [
            503, 200, 400, 402, 200,
        ]  # fmt: skip


async def test_faults_by_the_admin_page(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:

        async def change(**body: object) -> int:
            return (await http.post("/_sandbox/faults", json=body)).status_code

        async def status() -> int:
            return (await http.get("/v1/person", params=PERSON)).status_code

        assert await change(next=["503", "ok"]) == 200
        assert [await status() for _ in range(3)] == [503, 200, 200]
        assert await change(rates={"api_error": 1.0}, seed=3) == 200
        assert await status() == 500
        assert await change(preset="none") == 200
        assert await status() == 200
        for wrong in (
            {"next": ["nope"]},
            {"rates": {"api_error": 2}},
            {"preset": "sunshine"},
            {"other": 1},
        ):
            assert await change(**wrong) == 400
        assert await status() == 200


@pytest.mark.parametrize("status", [200, 202, 400, 429, 503])
async def test_a_queued_lookup_is_ready_after_its_polls(
    sandbox: Sandbox, client: Client, status: int
) -> None:
    sandbox.faults.force(f"queued;polls=3;status={status}", "api_error")
    other = {"profile_link": "https://www.linkedin.com/in/other"}
    async with client(sandbox) as http:
        answers = [await http.get("/v1/person", params=PERSON) for _ in range(2)]
        between = await http.get("/v1/person", params=other)
        answers += [await http.get("/v1/person", params=PERSON) for _ in range(3)]
    assert [one.status_code for one in answers] == [status, status, status, 200, 200]
    assert all(one.json()["error"]["type"] == "queued" for one in answers[:3])
    assert between.status_code == 500
    assert [one.request for one in sandbox.ledger] == [5, 6]
