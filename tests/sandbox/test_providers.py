"""The providers of the sandbox: one port, different rules; one that is not installed is left out."""

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


def test_every_endpoint_of_every_provider_has_an_answer() -> None:
    sandbox = Sandbox(people=30, organisations=5)
    assert [provider.name for provider in providers()] == NAMES
    for provider in providers():
        names = {endpoint.id for endpoint in provider.endpoints}
        assert set(provider.answers) == names
        assert set(provider.examples(sandbox.world)) <= names
        assert provider.loose <= names
        assert provider.background <= names


def test_no_two_providers_share_a_name_or_a_path() -> None:
    endpoints = [
        (provider, endpoint) for provider in providers() for endpoint in provider.endpoints
    ]
    assert len({endpoint.id for _, endpoint in endpoints}) == len(endpoints)
    paths: dict[str, str] = {}
    for provider, endpoint in endpoints:
        for path in filter(None, (endpoint.path, endpoint.alternate)):
            assert (
                paths.setdefault(provider.full_path(endpoint, path), provider.name) == provider.name
            )


def _render_error(error: ErrorReply) -> SandboxResponse:
    body = {"success": False, "error": error.message or error.error_type}
    return json_response(body, error.status, error.headers)


def _headers(outcome: RequestOutcome) -> Mapping[str, str]:
    if (status := outcome.rate_limit) is None:
        return {}
    return {"X-RateLimit-Remaining": str(status.left), "X-RateLimit-Reset": f"{status.reset}"}


def _with_other_rules(provider: SandboxProvider) -> SandboxProvider:
    """Lix with settings that its own provider does not use."""
    schemes = {
        "bearer": AuthScheme("header", "Authorization", "Bearer "),
        "query": AuthScheme("query", "hook_key"),
    }
    description = changed(provider.provider, credentials=schemes)
    return replace(
        provider,
        provider=description,
        prefix="/linkedin",
        render_error=_render_error,
        headers=_headers,
    )


async def test_a_provider_has_its_own_keys_errors_headers_and_prefix() -> None:
    now = [0.0]
    sandbox = Sandbox(
        people=30, organisations=5, rate=(2, 60.0), clock=lambda: now[0], wall=lambda: NOON
    )
    sandbox.providers = (_with_other_rules(sandbox.providers[0]), *sandbox.providers[1:])
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
    assert {record.caller for record in sandbox.requests if record.caller} == {"key-1"}
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
async def test_rates_by_provider(rate: object, lix: int, lookc: int) -> None:
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


def test_a_rate_for_an_unknown_provider_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown provider Unknown"):
        Sandbox(people=5, organisations=2, rate={"Unknown": (1, 1.0)})


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_that_is_not_installed_is_left_out(name: str) -> None:
    gone = name.replace(" ", "").lower()
    left = str([other for other in NAMES if other != name])
    code = (
        "import sys, lix_async\n"  # imports all clients, so it must come first
        f"gone = 'lix_async.providers.{gone}'\n"
        "loaded = [name for name in sys.modules if name.startswith(gone)]\n"
        "sys.modules.update(dict.fromkeys([gone, *loaded]))\n"
        "from lix_async.sandbox import Sandbox\n"
        "from lix_async.sandbox.openapi import document\n"
        "sandbox = Sandbox(people=5, organisations=2)\n"
        "assert sandbox.app and document(sandbox.providers, sandbox.world)['paths']\n"
        "print([provider.name for provider in sandbox.providers])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == left, done.stderr


def test_another_missing_module_is_not_taken_for_a_missing_provider() -> None:
    code = (
        "import sys; sys.modules['lix_async.sandbox.world.lookc_employees'] = None\n"
        "from lix_async.sandbox import Sandbox\n"
        "Sandbox(people=5, organisations=2).providers"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr
