"""One test for each contradiction between the published descriptions.

Contract: lix.md#contradictions

These are about responses; `test_contradictions_calls` has those about requests.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import pytest
from lix_methods import sample

from lix_async import DailyLimitError, InvalidParamsError, NotFoundError, RefusalError, ViewerError
from lix_async.core.decoding import decoder_for
from lix_async.core.wire import decode
from lix_async.providers.lix import models as m
from lix_async.providers.lix.endpoints import BY_ID
from lix_async.providers.lix.provider import LIX

T = TypeVar("T")
SEARCHES = [
    "search.people",
    "search.jobs",
    "search.posts",
    "search.orgs",
    "sales.search_people",
    "sales.search_people_post",
    "sales.search_orgs",
    "sales.list_people",
    "sales.list_orgs",
    "recruiter.search_people",
]


def read(type_: type[T], tree: object) -> T:
    return decoder_for(type_).read(tree if isinstance(tree, bytes) else msgspec.json.encode(tree))


def answer(id_: str, tree: object, status: int = 200) -> Any:
    body = tree if isinstance(tree, bytes) else msgspec.json.encode(tree)
    return decode(LIX, BY_ID[id_], status, body)


@pytest.mark.parametrize("id_", SEARCHES)
def test_01_three_envelopes_on_every_search(id_: str) -> None:
    key = getattr(BY_ID[id_].result, "__struct_encode_fields__")[0]  # noqa: B009  # any result
    inner = {key: [{"name": "x", "id": "x"}], "paging": {"count": 1, "start": 0, "total": 9}}
    meta = {"sequenceId": "s"}
    flat = answer(id_, {**inner, "meta": meta})
    assert flat == answer(id_, {"searchResponse": inner, "meta": meta})
    assert flat == answer(id_, {"response": inner, "meta": meta})
    assert (len(flat.items), flat.total, flat.sequence_id) == (1, 9, "s")


@pytest.mark.parametrize(
    ("id_", "new", "old"),
    [
        ("search.jobs", "jobPostings", "people"),
        ("search.orgs", "orgs", "posts"),
        ("sales.search_orgs", "organisations", "people"),
        ("sales.list_orgs", "organisations", "people"),
    ],
)
def test_02_items_under_either_key_the_newer_first(id_: str, new: str, old: str) -> None:
    row: list[object] = [{}]
    for body in ({new: row}, {old: row}, {"searchResponse": {old: row}}, {new: None, old: row}):
        assert len(answer(id_, body).items) == 1
    assert len(answer(id_, {new: [{}, {}], old: [{}]}).items) == 2
    assert type(answer(id_, {old: [{}]}).items[0]) is type(answer(id_, {new: [{}]}).items[0])


def test_03_every_name_of_ids() -> None:
    ids = {"liID": "a", "salesNavID": "b", "uuid": "c"}
    for wrapper in ("personIds", "person_ids"):
        assert read(m.PersonIds, {wrapper: ids}) == read(m.PersonIds, ids)
    for old in ("liFlagshipID", "flagshipID", "li_flagship_id"):
        assert read(m.PersonIds, {"person_ids": {old: "a"}}).li_id == "a"
    assert read(m.PersonIds, {"person_ids": {"lixID": "c"}}).uuid == "c"
    for wrapper in ("organisationIds", "organisation_ids"):
        assert read(m.OrganisationIds, {wrapper: ids}) == read(m.OrganisationIds, ids)
    old_ids = {"liFlagshipID": "a", "lixID": "c"}
    found = read(m.OrganisationIds, {"organisation_ids": old_ids})
    assert (found.li_id, found.uuid) == ("a", "c")


@pytest.mark.parametrize("name", ["emailBalance", "email_balance"])
@pytest.mark.parametrize("linkedin", ["linkedInBalance", "linkedinBalance", "linkedin_balance"])
def test_balances_under_older_names(name: str, linkedin: str) -> None:
    """Contract: lix.md#lix-account"""
    found = read(m.Balances, {name: 7, linkedin: 8})
    assert (found.email_balance, found.linkedin_balance) == (7, 8)


@pytest.mark.parametrize("name", ["viewer_id", "viewerId", "liId"])
def test_an_attached_account_under_every_name(name: str) -> None:
    """Contract: lix.md#linkedin-accounts"""
    assert read(m.AttachedAccount, {name: "v"}).viewer_id == "v"


def test_04_keys_of_the_attribute_tables_are_aliases() -> None:
    keys = {"li_flagship_id": "a", "sales_nav_id": "b"}
    for ids in (read(m.PersonIds, keys), read(m.OrganisationIds, {**keys, "lix_id": "c"})):
        assert (ids.li_id, ids.sales_nav_id) == ("a", "b")
    for type_ in (m.PersonIds, m.OrganisationIds):
        assert read(type_, {"lix_id": "c"}).uuid == "c"


def test_05_connections_with_and_without_their_wrapper() -> None:
    wrapped = read(m.ConnectionsPage, sample("variants/connections.list.live"))
    flat = read(m.ConnectionsPage, sample("variants/connections.list.flat"))
    assert wrapped.items == flat.items
    assert len(flat.items) == 2


def test_11_numbers_may_be_texts() -> None:
    for count in (26383, "26383", "26,383", 26383.0):
        assert read(m.LiOrganisation, {"liEmployeeCount": count}).li_employee_count == 26383
    assert read(m.LiOrganisation, {"liEmployeeCount": "many"}).li_employee_count is None
    assert read(m.Skill, {"numOfEndorsement": "57"}).num_of_endorsement == 57
    assert read(m.OrganisationIds, {"id": 50000001}).id == 50000001


def test_12_null_is_the_same_as_missing() -> None:
    nulls = dict.fromkeys(m.Person.__struct_encode_fields__)
    assert read(m.Person, nulls) == read(m.Person, {}) == m.Person()
    assert m.Person().experience == []


def test_13_snake_case_and_camel_case() -> None:
    comment = json.loads(sample("variants/enrich.post_comments.camel"))["comments"][0]
    read_ = read(m.Comment, comment)
    assert read_.comment_urn == comment["commentUrn"]
    assert (read_.post_urn, read_.num_replies) == ("urn:li:activity:7000000000000000001", 0)
    assert read_.author is not None
    assert (read_.author.li_id, read_.author.sales_nav_link) == (
        "example-person-1",
        "https://www.linkedin.com/sales/lead/ACoAAEXAMPLE0001",
    )
    for key in ("pagination_token", "paginationToken"):
        assert read(m.CommentsPage, {"comments": [], key: "t"}).cursor == "t"
    assert read(m.CommentsPage, {"lastUpdated": "2025"}).date_observed == "2025"


def test_14_reactions_one_by_one_from_both_forms() -> None:
    actors: list[dict[str, object]] = [{"name": "A", "li_id": "a"}, {"name": "B", "li_id": "b"}]
    grouped = {"reactions": [{"reaction_type": "LIKE", "count": 45, "reactors": actors}]}
    flat = {"reactions": [{"reactionType": "REACTION_TYPE_LIKE", "actor": a} for a in actors]}
    for body in (grouped, flat):
        rows = read(m.ReactionsPage, body).rows()
        assert [(row.type, row.actor and row.actor.name) for row in rows] == [
            ("LIKE", "A"),
            ("LIKE", "B"),
        ]
    hidden = read(m.ReactionsPage, {"reactions": [{"reactionType": "LIKE", "actor": None}]})
    assert [row.identity for row in hidden.rows()] == [None]


@pytest.mark.parametrize(
    "wire",
    [
        1735776000,
        "1735776000",
        "2025-01-02T00:00:00Z",
        "2025-01-02T01:00:00.000+01:00",
        "2025-01-02",
    ],
)
def test_15_the_refresh_in_seconds_or_as_text(wire: object) -> None:
    moment = datetime(2025, 1, 2, tzinfo=UTC)
    assert read(m.DailyAllowance, {"refreshesAt": wire}).refreshes_at == moment
    assert read(m.DailyAllowance, {"refreshesAtISO": wire}).refreshes_at == moment
    assert read(m.DailyAllowance, {"refreshesAt": "soon"}).refreshes_at is None


@pytest.mark.parametrize("name", ["refreshesAt", "refreshesAtISO"])
@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(
    "wire", [1735776000, "1735776000", "2025-01-02T00:00:00Z", "2025-01-02T01:00:00+01:00"]
)
def test_15_the_refresh_in_an_error(wire: object, name: str, *, inside: bool) -> None:
    kind = {"type": "daily_limit", "message": "used up"}
    tree: dict[str, object] = {"error": {**kind, name: wire}}
    if not inside:
        tree = {"error": kind, name: wire}
    error = answer("person.get", tree, 429)
    assert isinstance(error, DailyLimitError)
    assert error.refreshes_at == 1735776000


def test_16_four_versions_of_warm_up() -> None:
    expected = m.WarmupDetails(
        consecutive_active_days=2,
        daily_available=100,
        hourly_available=40,
        daily_total=500,
        hourly_total=100,
    )
    for names in (
        "consecutiveActiveDays dailyAvailable hourlyAvailable dailyTotal hourlyTotal",
        "active_days currentDailyLimit currentHourlyLimit targetDailyLimit targetHourlyLimit",
        "active_days currentDailyLimit currentHourlyLimit maxDailyLimit maxHourlyLimit",
        "active_days daily_limit hourly_limit max_daily_limit max_hourly_limit",
    ):
        details = dict(zip(names.split(), (2, 100, 40, 500, 100), strict=True))
        account = read(m.LinkedInAccount, {"warmup": {"details": details}})
        assert account.warmup == m.Warmup(details=expected)
    both = read(m.WarmupDetails, {"daily_limit": 1, "currentDailyLimit": 2, "dailyAvailable": 3})
    assert both.daily_available == 3


def test_18_the_error_type_decides_what_404_means() -> None:
    for name, cls in (("unknown_record", NotFoundError), ("unknown_route", RefusalError)):
        assert type(answer("person.get", sample(f"errors/lix.{name}"), 404)) is cls
    assert type(answer("person.get", b"", 404)) is NotFoundError


def test_19_a_viewer_error_is_recognised_by_type_or_407() -> None:
    wrong = sample("errors/lix.viewer_invalid")
    assert all(type(answer("connections.list", wrong, s)) is ViewerError for s in (400, 407))
    assert type(answer("connections.list", {}, 407)) is ViewerError
    older = answer("connections.list", {"error": {"message": "account not attached"}}, 400)
    assert type(older) is InvalidParamsError
    assert not isinstance(answer("connections.list", b"<html>", 407), RefusalError)  # from a proxy


def test_26_both_forms_of_a_person_on_either_path() -> None:
    for id_ in ("person.get", "person.legacy"):
        old, new = answer(id_, sample("person.legacy")), answer(id_, sample("person.get"))
        assert (old.full_name, new.full_name) == ("Example Person 1", "Example Person 1")
        assert old.current_position.title == new.current_position.title == "Head of Examples"
    assert answer("person.get", {"workExperiences": []}) == m.Person()


def test_28_an_error_text_beside_an_organisation_is_data() -> None:
    beside = answer("organisation.by_linkedin", sample("variants/organisation.by_linkedin.error"))
    assert beside.error == "organisation could not be read"
    empty = {"error": "", "profile": {"name": "Example Org"}}
    assert answer("organisation.by_linkedin", empty).name == "Example Org"
    for id_ in ("organisation.by_linkedin", "person.get"):
        alone = answer(id_, sample("errors/lix.string_error"))
        assert isinstance(alone, RefusalError)
        assert alone.message == "something went wrong"


def test_30_posts_flat_or_raw() -> None:
    assert read(m.Post, sample("enrich.post")).text == "An example post."
    raw = read(m.Post, sample("variants/enrich.post.raw"))
    assert raw.text == "An example post."
    assert dict(raw) == json.loads(sample("variants/enrich.post.raw"))
    assert (raw.actor, raw.urn, raw.created_time, raw.reaction_count) == (None,) * 4
