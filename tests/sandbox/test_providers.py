"""Houses: all behind one port, each with its own ways; one that is not there is left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest
from msgspec.structs import replace as changed

from lix_async.core.provider import AuthScheme
from lix_async.sandbox import BackgroundLookups, Sandbox
from lix_async.sandbox.protocol.errors import ErrorReply
from lix_async.sandbox.protocol.responses import SandboxResponse, json_response
from lix_async.sandbox.providers import RequestOutcome, SandboxProvider, providers

from .sandbox_helpers import NOON

pytestmark = pytest.mark.anyio
NAMES = ["Lix", "LookC", "ConnectSafely", "Letrics", "Meet Alfred"]
PERSON = {"profile_link": "https://www.linkedin.com/in/some-body"}


def test_every_row_of_every_house_is_answered_and_has_an_example() -> None:
    sandbox = Sandbox(people=30, organisations=5)
    assert [house.name for house in providers()] == NAMES
    for house in providers():
        names = {row.id for row in house.endpoints}
        assert set(house.answers) == names
        assert set(house.examples(sandbox.world)) <= names
        assert house.loose <= names
        assert house.background <= names


def test_no_two_houses_share_a_name_or_a_path() -> None:
    rows = [(house, row) for house in providers() for row in house.endpoints]
    assert len({row.id for _, row in rows}) == len(rows)
    paths: dict[str, str] = {}
    for house, row in rows:
        for path in filter(None, (row.path, row.alternate)):
            assert paths.setdefault(house.full_path(row, path), house.name) == house.name


def _refuse(refusal: ErrorReply) -> SandboxResponse:
    body = {"success": False, "error": refusal.message or refusal.error_type}
    return json_response(body, refusal.status, refusal.headers)


def _headers(outcome: RequestOutcome) -> Mapping[str, str]:
    if (standing := outcome.rate_limit) is None:
        return {}
    return {"X-RateLimit-Remaining": str(standing.left), "X-RateLimit-Reset": f"{standing.reset}"}


def _other_ways(house: SandboxProvider) -> SandboxProvider:
    """Lix as another provider would play it: seams that its own house does not use."""
    ways = {
        "bearer": AuthScheme("header", "Authorization", "Bearer "),
        "query": AuthScheme("query", "hook_key"),
    }
    provider = changed(house.provider, credentials=ways)
    return replace(
        house, provider=provider, prefix="/linkedin", render_error=_refuse, headers=_headers
    )


async def test_a_house_has_its_own_keys_refusals_headers_and_prefix() -> None:
    now = [0.0]
    sandbox = Sandbox(
        people=30, organisations=5, rate=(2, 60.0), clock=lambda: now[0], wall=lambda: NOON
    )
    sandbox.providers = (_other_ways(sandbox.providers[0]), *sandbox.providers[1:])
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:

        async def ask(path: str = "/linkedin/v1/person", **headers: str) -> httpx.Response:
            return await http.get(path, params=PERSON, headers=headers)

        outside = await ask("/v1/person", Authorization="Bearer k")
        plain = await ask(Authorization="k")
        other = await ask(**{"X-Api-Key": "k"})
        good = await ask(Authorization="Bearer k")
        query = await http.get("/linkedin/v1/person", params={**PERSON, "hook_key": "k"})
        fast = await ask(Authorization="Bearer k")
        lookc = await http.get(
            "/v1/request", params={"request_id": "x"}, headers={"Authorization": "k"}
        )
    assert [one.status_code for one in (outside, plain, other)] == [404, 401, 401]
    assert plain.json() == {"success": False, "error": "the API key is missing or not valid"}
    assert "x-ratelimit-remaining" not in plain.headers
    assert [one.headers["x-ratelimit-remaining"] for one in (good, query, fast)] == ["1", "0", "0"]
    assert float(good.headers["x-ratelimit-reset"]) == NOON + 60
    assert (fast.status_code, fast.json()["error"]) == (429, "too many requests")
    assert {fact.caller for fact in sandbox.requests if fact.caller} == {"key-1"}
    assert lookc.json()["error"]["type"] == "unknown_record"


@pytest.mark.parametrize(
    ("rate", "lix", "lookc"),
    [
        ((1, 3.0), 429, 200),
        (None, 200, 200),
        ({"LookC": (1, 9.0)}, 429, 429),
        ({"Lix": None, "LookC": (1, 9.0)}, 200, 429),
    ],
)
async def test_rates_by_house(rate: object, lix: int, lookc: int) -> None:
    at_once = BackgroundLookups(share=0)
    sandbox = Sandbox(1, 30, 5, rate=rate, background_lookups=at_once, clock=lambda: 0.0)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(sandbox.app)
    ask = {"email": sandbox.world.person(0).email}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://sandbox", headers={"Authorization": "k"}
    ) as http:
        for expected in ((200, 200), (lix, lookc)):
            one = await http.get("/v1/person", params=PERSON)
            two = await http.get("/v1/search/person/by-email", params=ask)
            assert (one.status_code, two.status_code) == expected


def test_a_rate_for_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="Nobody"):
        Sandbox(people=5, organisations=2, rate={"Nobody": (1, 1.0)})


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_that_is_not_there_is_left_out(name: str) -> None:
    gone = name.replace(" ", "").lower()
    left = str([other for other in NAMES if other != name])
    code = (
        "import sys, lix_async\n"  # the front door knows them all: that is another matter
        f"gone = 'lix_async.providers.{gone}'\n"
        "loaded = [name for name in sys.modules if name.startswith(gone)]\n"
        "sys.modules.update(dict.fromkeys([gone, *loaded]))\n"
        "from lix_async.sandbox import Sandbox\n"
        "from lix_async.sandbox.openapi import document\n"
        "sandbox = Sandbox(people=5, organisations=2)\n"
        "assert sandbox.app and document(sandbox.providers, sandbox.world)['paths']\n"
        "print([house.name for house in sandbox.providers])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == left, done.stderr


def test_a_fault_of_another_module_is_not_taken_for_an_absent_house() -> None:
    code = (
        "import sys; sys.modules['lix_async.sandbox.world.lookc_employees'] = None\n"
        "from lix_async.sandbox import Sandbox\n"
        "Sandbox(people=5, organisations=2)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr
