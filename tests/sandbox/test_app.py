"""The sandbox as a web application: keys, hosts, routes, viewers, reproducible responses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest

from lix_async.sandbox import Sandbox

from .sandbox_helpers import NOON

if TYPE_CHECKING:
    from .sandbox_helpers import Client

pytestmark = pytest.mark.anyio
LINK = "https://www.linkedin.com/in/some-body"
PERSON = {"profile_link": LINK}
SEARCH = "https://www.linkedin.com/search/results/people/?keywords=sales"


def fresh(seed: int = 4) -> Sandbox:
    return Sandbox(
        seed=seed, people=200, organisations=20, rate=None, clock=lambda: 0.0, wall=lambda: NOON
    )


async def tour(http: httpx.AsyncClient, sandbox: Sandbox) -> list[bytes]:
    viewer = {"viewer_id": "sandbox-viewer"}
    conversation = (await http.get("/v1/li/conversations", params=viewer)).json()
    urn = conversation["conversations"][0]["conversationUrn"]
    message = {"conversation_urn": urn, "body": "a"}
    answers = [
        await http.get("/v1/person", params=PERSON),
        await http.get("/v1/li/linkedin/search/people", params={"url": SEARCH}),
        await http.get("/v1/li/linkedin/search/people", params={"url": SEARCH}),
        await http.get("/v1/organisations/by-domain/example.com"),
        await http.get("/v1/account/balances"),
        await http.get("/v1/account/allowances/daily"),
        await http.post("/v1/li/messages", params=viewer, json=message),
        await http.get("/v1/li/messages", params={**viewer, "conversation_urn": urn}),
        await http.get("/v1/nowhere"),
    ]
    return [answer.content for answer in answers]


async def test_the_same_seed_gives_the_same_responses_byte_for_byte(client: Client) -> None:
    one, two, other = fresh(), fresh(), fresh(seed=5)
    async with client(one) as a, client(two) as b, client(other) as c:
        first, second, third = await tour(a, one), await tour(b, two), await tour(c, other)
    assert first == second
    assert first[1] != first[2]
    assert third[0] != first[0]
    assert one.ledger.charges == two.ledger.charges


async def test_reset_restores_the_initial_state(client: Client) -> None:
    sandbox = fresh()
    async with client(sandbox) as http:
        first = await tour(http, sandbox)
        sandbox.reset()
        assert sandbox.requests == []
        assert sandbox.sent == []
        assert await tour(http, sandbox) == first


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"Authorization": "any"}, {}, 200),
        ({"Authorization": "Bearer any"}, {}, 200),
        ({"X-Api-Key": "any"}, {}, 200),
        ({}, {"api_key": "any"}, 200),
        ({}, {}, 401),
        ({"Authorization": ""}, {}, 401),
        ({"Authorization": "Bearer "}, {}, 401),
        ({"Authorization": "wrong"}, {}, 401),
        ({"Authorization": "Bearer bad-key"}, {}, 401),
        ({"Authorization": "any"}, {"api_key": "any"}, 400),
        ({"Authorization": "any", "X-Api-Key": "any"}, {}, 400),
    ],
)
async def test_keys(
    sandbox: Sandbox, headers: dict[str, str], query: dict[str, str], status: int
) -> None:
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        answer = await http.get("/v1/person", params={**PERSON, **query}, headers=headers)
    assert answer.status_code == status


async def test_only_the_given_keys_are_accepted(client: Client) -> None:
    sandbox = Sandbox(people=20, organisations=5, rate=None, keys={"sesame"})
    async with client(sandbox) as http:
        assert (await http.get("/v1/person", params=PERSON)).status_code == 401
        opened = await http.get("/v1/person", params=PERSON, headers={"Authorization": "sesame"})
    assert opened.status_code == 200


async def test_neither_keys_nor_cookies_are_stored(sandbox: Sandbox, client: Client) -> None:
    cookies = {"cookies": [{"key": "li_at", "value": "SENTINEL-cookie"}]}
    async with client(sandbox) as http:
        for headers in ({"Authorization": "SENTINEL-key"}, {"X-Api-Key": "SENTINEL-key"}):
            http.headers.pop("Authorization", None)
            await http.get("/v1/person", params=PERSON, headers=headers)
        await http.get("/v1/person", params={**PERSON, "api_key": "SENTINEL-key"})
        put = await http.put(
            "/v1/account/linkedin/account", json=cookies, headers={"Authorization": "SENTINEL-key"}
        )
        pages = [(await http.get(f"/_sandbox{page}")).text for page in ("", "/ledger", "/requests")]
    assert put.json()["viewer_id"]
    assert {record.caller for record in sandbox.requests} == {"key-1"}
    held = [pages, sandbox.requests, sandbox.ledger.charges, vars(sandbox)]
    assert "SENTINEL" not in repr(held)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8765", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]", 200),
        ("[::1]:80", 200),
        ("testserver", 200),
        ("sandbox", 200),
        ("evil.example.com", 400),
        ("127.0.0.1.example.com", 400),
        ("localhost:80:80", 400),
        ("", 400),
        ("::1", 400),
    ],
)
async def test_foreign_hosts_are_rejected(
    sandbox: Sandbox, client: Client, host: str, status: int
) -> None:
    async with client(sandbox) as http:
        for path in ("/v1/person", "/_sandbox/ledger", "/nowhere"):
            answer = await http.get(path, params=PERSON, headers={"Host": host})
            assert answer.status_code == (404 if path == "/nowhere" and status == 200 else status)


async def test_a_page_of_another_origin_cannot_reset_the_sandbox(
    sandbox: Sandbox, client: Client
) -> None:
    async with client(sandbox) as http:
        await http.get("/v1/person", params=PERSON)
        evil = await http.post("/_sandbox/reset", headers={"Origin": "https://example.com"})
        assert evil.status_code == 400
        assert len(sandbox.requests) == 1
        mine = await http.post("/_sandbox/reset", headers={"Origin": "http://127.0.0.1:8765"})
        assert mine.status_code == 200
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/v1/nowhere", None), ("POST", "/v1/person", "GET"), ("GET", "/v1/person/", None),
     ("HEAD", "/v1/person", "GET"), ("DELETE", "/v1/li/messages", "GET, POST"),
     ("GET", "/V1/person", None)],
)  # fmt: skip
async def test_unknown_routes_and_methods(
    sandbox: Sandbox, client: Client, method: str, path: str, allowed: str | None
) -> None:
    async with client(sandbox) as http:
        answer = await http.request(method, path, params=PERSON)
    assert answer.status_code == (405 if allowed else 404)
    assert answer.headers.get("allow") == allowed
    if method != "HEAD":
        assert answer.json() == {"error": {"type": "unknown_route"}}
    assert len(sandbox.ledger) == 0


async def test_both_paths_of_the_recruiter_facet_work_unless_closed(client: Client) -> None:
    paths = ["/v1/search/recruiter/facet", "/v1/li/recruiter/search/facet"]
    ask = {"query": "python", "q": "skill", "type": "skill", "start": "0", "count": "100"}
    for closed in ((), (paths[0],), (paths[1],)):
        sandbox = Sandbox(people=20, organisations=5, rate=None, closed=closed)
        async with client(sandbox) as http:
            answers = [await http.get(path, params=ask) for path in paths]
        for path, answer in zip(paths, answers, strict=True):
            assert answer.status_code == (404 if path in closed else 200)
            if path in closed:
                assert answer.json()["error"]["type"] == "unknown_route"


async def test_a_viewer_that_is_not_attached_is_407(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:

        async def status(viewer: str) -> int:
            params = {**PERSON, "viewer_id": viewer}
            return (await http.get("/v1/person", params=params)).status_code

        assert [await status(viewer) for viewer in sandbox.world.viewers] == [200] * 12
        assert await status("ACoAAsomebody") == 200
        assert await status("somebody") == await status("unknown-viewer") == 407
        cookies = {"cookies": [{"key": "li_at", "value": "x"}]}
        put = await http.put("/v1/account/linkedin/account", json=cookies)
        assert await status(put.json()["viewer_id"]) == 200


async def test_ids_with_slashes_and_special_characters_work_in_paths(
    sandbox: Sandbox, client: Client
) -> None:
    viewer = {"viewer_id": "sandbox-viewer"}
    async with client(sandbox) as http:
        page = (await http.get("/v1/li/sales/messages/threads", params=viewer)).json()
        for element in page["data"]["elements"]:
            path = f"/v1/li/sales/messages/threads/{quote(element['id'], safe='')}"
            answer = await http.get(path, params=viewer)
            assert answer.json()["data"]["id"] == element["id"]
        odd = await http.get("/v1/li/sales/messages/threads/a%2Fb%3D%2B", params=viewer)
    assert odd.json()["error"]["type"] == "unknown_record"


async def test_wrong_types_in_bodies_are_rejected(sandbox: Sandbox, client: Client) -> None:
    path = "/v1/li/recruiter/search/people"
    skills = [{"text": "Python", "entity": "urn:li:ts_skill:1001"}]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    types = {"Content-Type": "application/json"}
    async with client(sandbox) as http:
        good = await http.request("GET", path, json={"skills": skills, "start": 25})
        wrong = [
            await http.request("GET", path, json={"skills": []}),
            await http.request("GET", path, content=b"skills=Python", headers=form),
            await http.request("GET", path, content=b"{", headers=types),
        ]
        large = await http.request("GET", path, content=b"x" * 2_000_000)
    assert good.json()["paging"]["start"] == 25
    assert [answer.status_code for answer in wrong] == [400] * 3
    assert {answer.json()["error"]["type"] for answer in wrong} == {"params_invalid"}
    assert large.status_code == 413


async def test_the_admin_pages(sandbox: Sandbox, client: Client) -> None:
    async with client(sandbox) as http:
        http.headers.pop("Authorization")
        await http.get("/v1/<script>", headers={"Authorization": "k"})
        root = await http.get("/")
        status = await http.get("/_sandbox")
        requests = (await http.get("/_sandbox/requests")).json()
        ledger = (await http.get("/_sandbox/ledger")).json()
        wrong = [
            await http.post("/_sandbox"),
            *[await http.get(f"/_sandbox/{x}") for x in ("", "x")],
        ]
    assert root.json()["status"] == "/_sandbox"
    assert "<h1>lix_async sandbox</h1>" in status.text
    assert "<script>" not in status.text
    assert requests["requests"][0]["path"] == "/v1/<script>"
    assert ledger["totals"] == {"standard": 0, "org": 0, "email": 0}
    assert {answer.status_code for answer in wrong} == {404}
    assert all("GET /_sandbox/ledger, " in answer.json()["error"]["message"] for answer in wrong)
    assert len(sandbox.requests) == 1


async def test_old_request_records_are_deleted_and_charges_are_not(
    sandbox: Sandbox, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lix_async.sandbox.server.sandbox.MAX_RECORDS", 10)
    async with client(sandbox) as http:
        for _ in range(12):
            await http.get("/v1/person", params=PERSON)
    assert [record.number for record in sandbox.requests[-3:]] == [10, 11, 12]
    assert len(sandbox.requests) <= 10
    assert len(sandbox.ledger) == 12


def test_the_package_exports_all_listed_names() -> None:
    import lix_async.sandbox as package

    assert set(package.__all__) <= set(dir(package))
    assert all(getattr(package, name) for name in package.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        package.nothing  # noqa: B018  # the access is the test
