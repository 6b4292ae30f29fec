"""ConnectSafely in the sandbox, through its own client: every row, and how it says no."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from lix_async.core.errors import (
    AuthenticationError,
    DailyLimitError,
    InvalidParamsError,
    NotFoundError,
    RateLimitError,
    RefusalError,
)
from lix_async.core.retry import RetryPolicy
from lix_async.providers.connectsafely.endpoints import PROFILE, TABLE
from lix_async.providers.connectsafely.errors import InvalidFieldsError
from lix_async.providers.connectsafely.params import PeopleFilters, ProfileParams
from lix_async.sandbox.answers.connectsafely import ACCOUNT
from lix_async.sandbox.providers.connectsafely import HOUSE

from .safely import NIGHT, OTHER, RIGHT, bare, connect, slugs, small

pytestmark = pytest.mark.anyio
GONE = "404040404040404040404040"


async def test_every_row_is_answered() -> None:
    sandbox = small()
    one = sandbox.world.person(3)
    async with connect(sandbox) as safely:
        found = await safely.profile(one.link)
        short = await safely.profile_get(one.slug, account_id=OTHER)
        status = await safely.account_status()
        by_id = await safely.account_status_by_id(OTHER)
        quota = await safely.account_quota(ACCOUNT)
        near = await safely.relationship(one.slug)
        near_by = await safely.relationship_by_account(OTHER, profile_id=one.slug)
        people = await safely.search_people("sales", max_items=5).collect()
        groups = await safely.search_groups("sales", max_items=5).collect()
        endorsed = await safely.endorse_skill(one.slug, skill_id="4711")
        assert await safely.health() == {"status": "ok"}
    assert {fact.endpoint for fact in sandbox.requests} == {row.id for row in TABLE}
    assert {fact.status for fact in sandbox.requests} == {200}
    assert (found.profile_id, found.account_id, found.profile.name) == (one.slug, ACCOUNT, one.name)
    assert (short.account_id, short.profile.entity_urn) == (OTHER, one.urn)
    assert found.profile.follower_count is not None
    assert short.profile.follower_count is None
    assert (status.id, status.status, by_id.id) == (ACCOUNT, "AVAILABLE", OTHER)
    assert status.linkedin_plan is not None
    assert [row.feature for row in quota.quotas] == [
        "PROFILE_VIEW",
        "CONNECTION_REQUEST",
        "MESSAGE",
    ]
    assert (quota.quotas[0].used, quota.quotas[0].reset_time) == (1, NIGHT)
    assert quota.quotas[1].reset_time == datetime(2023, 11, 20, tzinfo=UTC)
    assert (near.profile_urn, near.account_id, near_by.account_id) == (one.urn, ACCOUNT, OTHER)
    assert near.connected is (found.profile.connection_degree == "DISTANCE_1")
    assert all(row.name and row.profile_id and row.degree for row in people)
    assert len({group.identity for group in groups}) == 5
    assert (endorsed.skill_id, endorsed.skill_name) == ("4711", None)
    assert [(sent.viewer, sent.target, sent.text) for sent in sandbox.sent] == [
        (ACCOUNT, one.slug, "4711")
    ]
    assert len(sandbox.ledger) == 0


async def test_a_list_comes_only_where_it_is_switched_on() -> None:
    sandbox = small()
    async with bare(sandbox) as http:
        plain = (await http.post("/profile", json={"profileId": "some-body"})).json()
        every = {f"include{name}": True for name in ("Experience", "Education", "Skills")}
        bodies = [
            (
                await http.post(
                    "/profile", json={"profileId": slug, **every, "includeGeoLocation": True}
                )
            ).json()
            for slug in slugs(sandbox, 100)
        ]
    lists = {"experience", "education", "skills"}
    assert not lists & (set(plain) | set(plain["profile"]))
    assert "geoLocation" not in plain["profile"]
    inside = [body for body in bodies if "experience" in body["profile"]]
    assert 3 < len(inside) < 40
    assert all("experience" not in body for body in inside)
    assert all(lists <= {*body, *body["profile"]} for body in bodies)
    assert all(body["profile"]["geoLocation"]["city"] for body in bodies)
    jobs = [job for body in bodies for job in body.get("experience", [])]
    assert {job["title"] is None for job in jobs} == {True, False}
    assert any(job["duration"].endswith(" mo") for job in jobs)
    assert any(job["duration"].partition(" - ")[0].isdigit() for job in jobs)
    ends = {school["endYear"] for body in bodies for school in body["education"]}
    assert None in ends
    assert len(ends) > 2
    degrees = {body["profile"]["connectionDegree"] for body in bodies}
    assert {"DISTANCE_1", "3rd", None} <= degrees
    assert {body.get("cached") for body in bodies} == {None, False}


async def test_positions_are_read_wherever_they_stand() -> None:
    sandbox = small()
    async with connect(sandbox) as safely:
        for slug in slugs(sandbox, 30):
            found = await safely.profile(slug, include_experience=True)
            assert found.experience
            assert found.skills is None


async def test_a_profile_that_is_not_there_is_an_empty_one() -> None:
    sandbox = small()
    async with bare(sandbox) as http:
        answer = await http.post("/profile", json={"profileId": "missing-person"})
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "profileId": "missing-person",
        "accountId": ACCOUNT,
        "profile": {},
        "message": "no such profile",
    }
    async with connect(sandbox) as safely:
        with pytest.raises(NotFoundError) as empty:
            await safely.profile("missing-person")
        with pytest.raises(NotFoundError) as unknown:
            await safely.relationship("missing-person")
        for call in (safely.account_quota, safely.account_status):
            for account in (GONE, "nobody"):
                with pytest.raises(NotFoundError, match="account"):
                    await call(account)
    assert (empty.value.status, unknown.value.status) == (200, 404)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (
            {},
            {
                "code": "invalid_type",
                "expected": "string",
                "received": "undefined",
                "path": ["profileId"],
                "message": "Required",
            },
        ),
        (
            {"profileId": 5},
            {
                "code": "invalid_type",
                "expected": "string",
                "received": "number",
                "path": ["profileId"],
                "message": "Expected string, received number",
            },
        ),
        (
            {"profileId": "a/b"},
            {
                "code": "custom",
                "message": "profile_id must be the part after linkedin.com/in/, or the URL of "
                "a profile",
                "path": ["profileId"],
            },
        ),
    ],
)
async def test_a_wrong_field_is_an_issue(body: object, wrong: dict[str, object]) -> None:
    async with bare(small()) as http:
        answer = await http.post("/profile", json=body)
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "error": {"issues": [wrong], "name": "ZodError"}}


async def test_what_is_too_small_or_of_no_known_field_is_an_issue_too() -> None:
    async with bare(small()) as http:
        few = (await http.post("/search/people", json={"count": 0})).json()["error"]["issues"][0]
        text = (await http.post("/search/groups", json={"count": "3"})).json()["error"]["issues"]
        skill = await http.post("/endorse-skill", json={"profileId": "some-body"})
    assert (few["code"], few["minimum"], few["path"]) == ("too_small", 1, ["count"])
    assert (text[0]["expected"], text[0]["path"]) == ("number", [])
    assert (skill.status_code, skill.json()["code"]) == (400, "validation_error")


REFUSED = [
    ("params_invalid", 400, {"success", "code", "message"}, InvalidParamsError),
    ("unauthorized", 401, {"error"}, AuthenticationError),
    ("quota", 403, {"success", "error"}, RefusalError),
    ("viewer_invalid", 407, {"success", "error"}, RefusalError),
    ("not_found", 400, {"success", "code", "message"}, RefusalError),
    ("unknown_record", 404, {"success", "error"}, NotFoundError),
    ("unknown_route", 404, {"error"}, RefusalError),
    ("daily_limit", 429, {"success", "error"}, DailyLimitError),
    ("rate_limit", 429, {"success", "code", "message"}, RateLimitError),
    ("api_error", 500, {"success", "code", "message"}, RefusalError),
    ("no_type", 500, {"success", "error"}, RefusalError),
    ("string_error", 500, {"error"}, RefusalError),
    ("unavailable", 503, {"success", "error"}, RefusalError),
    ("queued", 502, {"success", "error"}, RefusalError),
]


@pytest.mark.parametrize(("fault", "status", "keys", "error"), REFUSED)
async def test_refusals_have_the_vendors_shapes(
    fault: str, status: int, keys: set[str], error: type[RefusalError]
) -> None:
    sandbox = small()
    ask = {"profileId": "some-body"}
    async with bare(sandbox, **RIGHT, **{"X-Sandbox-Fault": fault}) as http:
        answer = await http.post("/profile", json=ask)
    assert (answer.status_code, set(answer.json())) == (status, keys)
    assert answer.json().get("success", False) is False
    sandbox = small(faults=[fault])
    async with connect(sandbox, retry=RetryPolicy(attempts=1)) as safely:
        with pytest.raises(error) as raised:
            await safely.profile("some-body")
    assert raised.value.status == status
    assert raised.value.message


async def test_the_key_is_a_bearers() -> None:
    sandbox = small()
    for headers in ({"Authorization": "a-key"}, {"X-Api-Key": "a-key"}, {"X-Nothing": "1"}):
        async with bare(sandbox, **headers) as http:
            answer = await http.get("/account/status")
        assert answer.status_code == 401
        assert answer.json() == {"error": "the API key is missing or not valid"}


async def test_issues_reach_the_caller() -> None:
    sandbox = small()
    async with connect(sandbox) as safely:
        with pytest.raises(InvalidFieldsError) as raised:
            await safely.send(PROFILE, Unchecked(profile_id=""))
    assert [(issue.field, issue.message) for issue in raised.value.issues] == [
        ("profileId", "Required")
    ]


class Unchecked(ProfileParams, frozen=True, kw_only=True, rename="camel"):
    """Params that the client lets pass."""

    def check(self) -> None:
        """Nothing is wrong."""


async def test_a_walk_reads_every_row_once_though_pages_are_short() -> None:
    sandbox = small()
    async with connect(sandbox) as safely:
        people = await safely.search_people("total:95").collect()
        groups = safely.search_groups("total:61")
        found = await groups.collect()
        assert await safely.search_people("nothing-matches").collect() == []
        assert await safely.search_groups("nothing-matches").collect() == []
    assert len({one.identity for one in people}) == len(people) == 95
    assert len({one.identity for one in found}) == len(found) == 61
    assert groups.stats.total == 70
    sizes = [fact for fact in sandbox.requests if fact.endpoint == "connectsafely.search_people"]
    assert len(sizes) > 10


async def test_people_are_found_by_filters_and_by_an_address() -> None:
    sandbox = small()
    one = sandbox.world.person(9)
    filters = PeopleFilters(title=one.title, company=one.employer.name, industry=[one.industry])
    url = "https://www.linkedin.com/sales/search/people?query=(keywords:sales)"
    async with connect(sandbox) as safely:
        first = await safely.search_people(filters=filters, max_items=1).collect()
        others = await safely.search_people(filters={"title": one.title}, max_items=3).collect()
        by_url = await safely.search_people(url=url, count=3, max_items=3).collect()
        with pytest.raises(InvalidParamsError):
            await safely.search_people(url="https://example.com/").collect()
    assert one.employer.name in (first[0].headline or "")
    assert all((row.headline or "").startswith(one.title) for row in others)
    assert len(by_url) == 3


async def test_a_random_endorsement_takes_a_skill_that_is_left() -> None:
    sandbox = small()
    one = sandbox.world.person(5)
    async with connect(sandbox, account_id=OTHER) as safely:
        taken = [await safely.endorse_skill(one.slug, random=True) for _ in one.skills]
        with pytest.raises(InvalidParamsError, match="no skill"):
            await safely.endorse_skill(one.slug, random=True)
        with pytest.raises(NotFoundError):
            await safely.endorse_skill("missing-person", random=True)
        skills = (await safely.profile(one.slug, include_skills=True)).skills or []
        others = await safely.profile(one.slug, include_skills=True, account_id=ACCOUNT)
    assert [made.skill_name for made in taken] == list(one.skills)
    assert all(skill.is_endorsed for skill in skills)
    assert not any(skill.is_endorsed for skill in others.skills or [])


async def test_an_account_may_be_in_use_and_then_has_no_plan() -> None:
    sandbox = small()
    async with connect(sandbox) as safely:
        found = [await safely.account_status(f"{place:024x}") for place in range(1, 30)]
    assert {one.status for one in found} == {"AVAILABLE", "WARMUP", "IN_USE"}
    for one in found:
        assert (one.linkedin_plan is None) is (one.status == "IN_USE")


async def test_the_answers_hold_no_more_than_the_client_knows() -> None:
    """Every key of every example's answer is a field of the row's result."""
    sandbox = small()
    async with bare(sandbox) as http:
        for row in TABLE:
            given = dict(HOUSE.examples(sandbox.world)[row.id])
            path = row.path
            for slot, name in HOUSE.renamed.items():
                if f"{{{slot}}}" in path:
                    path = path.replace(f"{{{slot}}}", str(given.pop(name)))
            target = f"http://sandbox{HOUSE.place(row, path)}"
            sent = {"json": given} if row.body else {"params": given}
            answer = await http.request(row.method, target, **sent)  # type: ignore[arg-type]  # one of two
            fields = getattr(row.result, "__struct_encode_fields__", None)
            assert answer.status_code == 200
            if fields is not None:
                assert set(answer.json()) <= set(fields)
                msgspec.convert(answer.json(), row.result)
