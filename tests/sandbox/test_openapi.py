"""The responses of the sandbox match its OpenAPI document, checked with Schemathesis.

Here with two fixed examples for each operation; `nox -s schemathesis` has random ones and all
boundary values.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from lix_async.core.endpoint import at_least, required
from lix_async.core.models import Params
from lix_async.providers.lix import params as p
from lix_async.providers.lookc import params as q
from lix_async.sandbox import Sandbox
from lix_async.sandbox.openapi import document
from lix_async.sandbox.openapi.required_params import BARE_URL_PATTERN, required_params

from .sandbox_helpers import NOON

KEY = "sesame"
PLENTY = 10**9
MORE = os.environ.get("SCHEMATHESIS_EXAMPLES")
CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"with-security-parameters": False},
        "phases": {"coverage": {"enabled": bool(MORE)}},
        "checks": {
            # OpenAPI cannot express that exactly one of two query parameters is required, so valid
            # data may be rejected. That the examples are accepted is tested below.
            "positive_data_acceptance": {"enabled": False},
            # 407 is Lix's status for a viewer that is not attached, and may come first.
            "negative_data_rejection": {"expected-statuses": [400, 404, 405, 407]},
        },
    }
)


def sandbox(**more: Any) -> Sandbox:
    return Sandbox(
        people=60,
        organisations=20,
        rate=None,
        daily_allowance=PLENTY,
        credits={"standard": PLENTY, "org": PLENTY, "email": PLENTY},
        keys={KEY},
        clock=lambda: 0.0,
        wall=lambda: NOON,
        **more,
    )


HEADER = {"headers": {"Authorization": KEY}}
BEARER = {"headers": {"Authorization": f"Bearer {KEY}"}}
SIGNED = {
    "ConnectSafely": BEARER,
    "Letrics": BEARER,
    "Meet Alfred": {"params": {"webhook_key": KEY}},
}
"""How a provider accepts its key, if not in a header without a prefix."""


schema = schemathesis.openapi.from_asgi("/openapi.json", sandbox().app, config=CONFIG)


@schema.parametrize()
@settings(
    max_examples=int(MORE or 2),
    derandomize=not MORE,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_responses_match_the_document(case: schemathesis.Case[Any]) -> None:
    with_key = SIGNED.get(case.operation.definition.raw["tags"][0], HEADER)
    case.call_and_validate(headers=with_key.get("headers"), params=with_key.get("params"))


def _document(sandbox: Sandbox) -> dict[str, Any]:
    return document(sandbox.providers, sandbox.world, sandbox.closed)


@cache
def made() -> dict[str, Any]:
    return msgspec.json.decode(msgspec.json.encode(_document(sandbox())))  # type: ignore[no-any-return]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in made()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@pytest.mark.anyio
async def test_every_example_is_answered_and_the_document_is_served() -> None:
    played = sandbox()
    transport = httpx.ASGITransport(played.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        assert (await http.get("/openapi.json")).json() == made()
        assert (await http.post("/openapi.json")).status_code == 404
        for path, method, operation in operations():
            given = {
                place: {
                    one["name"]: one["example"]
                    for one in operation["parameters"]
                    if one["in"] == place and "example" in one
                }
                for place in ("path", "query")
            }
            target = path.format(**given["path"])
            with_key = SIGNED.get(operation["tags"][0], HEADER)
            query = {**given["query"], **with_key.get("params", {})}
            content = operation.get("requestBody", {}).get("content", {})
            sent: dict[str, Any] = {}
            for kind, media in content.items():
                sent["json" if kind == "application/json" else "data"] = media["example"]
            answer = await http.request(
                method, target, params=query, headers=with_key.get("headers"), **sent
            )
            assert answer.status_code == 200, (path, method, answer.text)


def test_the_document_has_every_path_that_is_not_closed() -> None:
    played = sandbox()
    for provider in played.providers:
        for row in provider.endpoints:
            for path in filter(None, (row.path, row.alternate)):
                assert row.method.lower() in made()["paths"][provider.full_path(row, path)]
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    closed = _document(sandbox(closed=["/v1/person"]))
    assert "/v1/person" not in closed["paths"]  # type: ignore[operator]


def test_the_rules_of_check_are_in_the_document() -> None:
    send = made()["paths"]["/v1/li/messages"]["post"]
    viewer = next(one for one in send["parameters"] if one["name"] == "viewer_id")
    assert viewer["required"] is True
    body = send["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["body"]
    assert body["properties"]["body"] == {"type": "string", "minLength": 1, "maxLength": 8000}
    assert len(body["anyOf"]) == 2
    assert "Exactly one of conversation_id" in send["description"]
    form = made()["paths"]["/v1/li/sales/search/people"]["post"]["requestBody"]["content"]
    assert list(form) == ["application/x-www-form-urlencoded"]
    employees = made()["paths"]["/org/{org_id}/employees"]["get"]
    size = next(one for one in employees["parameters"] if one["name"] == "page_size")
    assert size["schema"] == {"type": "integer", "minimum": 1}
    assert "402" not in employees["responses"]
    assert "407" not in employees["responses"]
    assert {"200", "402", "407"} <= set(made()["paths"]["/v1/person"]["get"]["responses"])
    assert "402" in made()["paths"]["/v1/search/sales/facet"]["get"]["responses"]


class Child(Params, frozen=True, kw_only=True):
    kind: str = "skill"
    count: int | None = None
    rows: list[str]

    def check(self) -> None:
        for name in ("count",):
            at_least(self, name, 3)
        required(self, "kind", "rows")
        if self.count:
            required(self, "never")


def test_rules_are_recorded_from_check() -> None:
    found = required_params(Child)
    assert (found.required, found.minimum) == ({"rows"}, {"count": 3})
    assert required_params(p.SendMessageParams).max_length == {"body": 8000}
    assert required_params(p.ExtendedParams).patterns == {"profile_link": BARE_URL_PATTERN}
    assert required_params(p.JobSearchParams).required == {"url"}
    assert required_params(q.PersonByEmailParams).groups == [("email", "request_id")]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/li/linkedin/search/posts", {"url": "https://linkedin.com/x", "start": ""}),
        ("/v1/li/linkedin/search/posts", {"url": "https://linkedin.com/x", "start": "Null"}),
        ("/v1/li/linkedin/search/posts", {"url": "https://linkedin.com/x", "start": "x"}),
    ],
)
@pytest.mark.anyio
async def test_texts_in_place_of_numbers_are_rejected(path: str, params: dict[str, str]) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox().app),
        base_url="http://sandbox",
        headers={"Authorization": KEY},
    ) as http:
        answer = await http.get(path, params=params)
        skills = [{"text": "Python", "entity": "urn:li:ts_skill:1001"}]
        body = {"skills": skills, "start": "25"}
        strict = await http.request("GET", "/v1/li/recruiter/search/people", json=body)
        newline = await http.get("/v1/li/sales/messages/threads/a%0Ab")
    assert answer.json()["error"]["type"] == "params_invalid"
    assert strict.json()["error"]["type"] == "params_invalid"
    assert newline.json()["error"]["type"] == "unknown_route"
