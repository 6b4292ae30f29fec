"""A world that lives through time: what changes, what stays, and that it is the same each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lix_async.sandbox import Sandbox, World, WorldChange
from lix_async.sandbox.protocol.errors import ErrorReply
from lix_async.sandbox.world import lookc_employees, organisations, person_bodies
from lix_async.sandbox.world.hazards import PEOPLE
from lix_async.sandbox.world.people import PersonRecord
from lix_async.sandbox.world.search_queries import make_query

from .sandbox_helpers import AnswerCaller, Client, small_sandbox

THREE_YEARS = 3 * 365


def advanced(*steps: int, people: int = 600, organisations: int = 40) -> World:
    world = World(seed=3, people=people, organisations=organisations)
    for days in steps:
        world.advance(days)
    return world


OLD = advanced(THREE_YEARS)
NEW = advanced()
CHANGES = OLD.changes()


def everybody(world: World) -> list[PersonRecord]:
    return [world.person(index) for index in range(world.people)]


def bodies(world: World) -> Iterator[object]:
    for one in everybody(world)[:100]:
        yield person_bodies.profile(one, world.career(one), world.some_people(3, "peers", one.key))
    for company in world.companies.listed:
        yield organisations.full_body(company)


pytestmark = pytest.mark.anyio


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=5))
def test_the_world_depends_on_the_sum_of_the_days_only(steps: list[int]) -> None:
    several = advanced(*steps, people=60, organisations=12)
    once = advanced(sum(steps), people=60, organisations=12)
    assert several.changes() == once.changes()
    assert list(bodies(several)) == list(bodies(once))


def test_what_has_happened_stays_as_the_world_goes_on() -> None:
    early = advanced(200)
    assert early.changes() == [change for change in CHANGES if change.day <= 200]
    assert OLD.changes(since=200) == [change for change in CHANGES if change.day > 200]
    assert early.changes(since=200) == []


def test_a_world_that_was_never_advanced_has_no_changes() -> None:
    assert NEW.day == 0 and NEW.changes() == []
    assert str(NEW.date) == "2025-06-01" and str(OLD.date) == "2028-05-31"
    NEW.advance(0)
    assert NEW.day == 0


@pytest.mark.parametrize("days", [-1, 36_501, 10**12])
def test_time_goes_forward_only_and_not_for_ever(days: int) -> None:
    with pytest.raises(ValueError, match="days must be 0 to 36500"):
        advanced(days)


def test_strong_ids_stay() -> None:
    for before, after in zip(everybody(NEW), everybody(OLD), strict=True):
        assert before.sales_id == after.sales_id and before.key == after.key
        assert OLD.person_by_sales_id(before.sales_id) == after
        assert OLD.person_by_key(before.key) == after
    for company in NEW.companies.listed:
        assert OLD.companies.by_sales_id(company.sales_id).number == company.number
        assert OLD.companies.by_website(company.domain)[0].number == company.number


def test_a_slug_is_one_persons_and_finds_the_person() -> None:
    assert len({one.slug for one in everybody(OLD)}) == OLD.people
    for one in everybody(OLD):
        assert OLD.person_by_slug(one.slug) == one
        assert OLD.person_at(one.sales_link) == one


def test_a_slug_that_was_given_up_is_missing_redirected_or_taken_over() -> None:
    old = advanced(4 * THREE_YEARS, people=2000)
    held = {one.slug for one in everybody(old)}
    moves = [change for change in old.changes() if change.kind == "slug_moved"]
    fates = Counter[str]()
    for change in moves:
        if not change.subject.startswith("ACoAA"):
            continue
        slug = str(change.before)
        try:
            found = old.person_by_slug(slug)
        except ErrorReply:
            fates["missing"] += 1
            continue
        fates["taken over" if slug in held else "redirected"] += 1
        assert slug in held or found.sales_id == change.subject or found.slug != slug
    assert min(fates[fate] for fate in ("missing", "redirected", "taken over")) > 5
    given_up: dict[str, int] = {}
    for change in moves:
        if (since := given_up.get(str(change.after))) is not None:
            assert change.day >= since + 180
        given_up[str(change.before)] = change.day


def test_a_company_keeps_its_page_or_leaves_a_missing_or_redirected_one() -> None:
    old = advanced(4 * THREE_YEARS, organisations=200)
    fates = Counter[bool]()
    for change in old.companies.changes:
        if change.kind == "slug_moved":
            try:
                old.companies.by_slug(str(change.before))
                fates[True] += 1
            except ErrorReply:
                fates[False] += 1
    assert fates[True] and fates[False]
    for one in old.companies.listed:
        assert old.companies.by_slug(one.slug) == one


def test_the_changes_lead_from_the_first_day_to_the_last() -> None:
    """Applied to the first world, the list gives the last one: nothing is missing from it."""
    changes = Counter[str]()
    for before, after in zip(everybody(NEW), everybody(OLD), strict=True):
        title, place, name, slug = before.title, before.location, before.name, before.slug
        headline = before.headline
        own, before_employer = False, before.employer.number
        for change in OLD.changes(subject=after):
            changes[change.kind] += 1
            assert change.subject == after.sales_id and change.name == name
            if change.kind == "job_started":
                title = str(change.after).split(" at ")[0]
                before_employer = int(str(change.organisation)) - organisations.FIRST_SALES_ID
            elif change.kind == "title_changed":
                assert change.before == title
                title = str(change.after)
            elif change.kind == "location_changed":
                assert change.before == place
                place = str(change.after)
            elif change.kind == "name_changed":
                assert change.before == name
                name = str(change.after)
            elif change.kind == "slug_moved":
                assert change.before == slug
                slug = str(change.after)
            elif change.kind == "field_changed":
                assert change.field == "headline" and (not own or change.before == headline)
                headline, own = str(change.after), True
        assert (title, place, name, slug) == (after.title, after.location, after.name, after.slug)
        assert after.employer.number == before_employer
        assert after.headline == (headline if own else after.position)
        jobs = OLD.career(after)
        assert (jobs[0].title, jobs[0].employer, jobs[0].ended) == (title, after.employer, None)
        assert all(job.ended for job in jobs[1:])
        known = NEW.career(before)
        assert len(jobs) >= len(known) and jobs[-1].started == known[-1].started
    assert set(changes) == {change.kind for change in CHANGES}


def test_a_job_that_ends_is_followed_by_another_employer() -> None:
    ended = [change for change in CHANGES if change.kind == "job_ended"]
    started = [change for change in CHANGES if change.kind == "job_started"]
    assert len(ended) == len(started) > 100
    for left, found in zip(ended, started, strict=True):
        assert (left.day, left.subject) == (found.day, found.subject)
        assert left.organisation != found.organisation
        assert left.after is found.before is None
        assert left.date == found.date


def test_one_company_is_enough() -> None:
    world = advanced(THREE_YEARS, people=30, organisations=1)
    assert {one.employer.number for one in everybody(world)} == {0}


def test_the_groups_change_employer_at_about_their_rates() -> None:
    shares, left = Counter[float](), Counter[float]()
    world = advanced(THREE_YEARS, people=2000)
    for before in everybody(advanced(people=2000)):
        career = advanced(people=1).career(before)
        months = [
            (job.until[0] - job.started[0]) * 12 + job.until[1] - job.started[1]
            for job in career[1:]
            if job.started[1]
        ]
        mean = sum(months) / len(months) if months else 99
        rate = PEOPLE[2 if mean <= 20 else 1 if mean <= 31 else 0][1].employer
        shares[rate] += 1
        left[rate] += sum(
            change.kind == "job_ended"
            for change in world.changes(subject=world.person_by_key(before.key))
        )
    for share, rates in PEOPLE:
        assert abs(shares[rates.employer] / 2000 - share) < 0.05
        assert abs(left[rates.employer] / shares[rates.employer] / 3 - rates.employer) < 0.1


def test_former_addresses_find_the_person_too() -> None:
    present = {one.email for one in everybody(OLD)}
    former = [one for one in everybody(NEW) if one.email not in present]
    assert len(former) > 100
    for one in former:
        found = OLD.person_by_email(one.email)
        same = [other.sales_id for other in former if other.email == one.email]
        assert found.sales_id in same or found.email in present
    for one in everybody(OLD):
        assert OLD.person_by_email(one.email).email == one.email


def test_a_person_of_an_unknown_link_lives_too() -> None:
    changed = 0
    for number in range(40):
        before, after = (world.person_by_slug(f"ada-example-{number}x") for world in (NEW, OLD))
        assert after == OLD.person_by_sales_id(before.sales_id)
        assert after.slug == before.slug == after.key
        changes = OLD.changes(subject=after)
        changed += len(changes)
        if not changes:
            assert OLD.career(after)[0].started == NEW.career(before)[0].started
            assert (after.title, after.place) == (before.title, before.place)
    assert changed > 20


def test_posts_stay_as_they_were_written() -> None:
    for index in range(200):
        before, after = NEW.post_at(index), OLD.post_at(index)
        assert (before.text, before.title, before.activity) == (
            after.text,
            after.title,
            after.activity,
        )
        assert after.author == OLD.person(index)
        assert OLD.posts_of(after.author)[0].author == after.author


def test_searches_find_people_by_what_they_are_now() -> None:
    company = OLD.companies.at(5)
    query = replace(make_query("employees", company.urn), total=10)
    found = [OLD.person(index) for index in OLD.search("people", query, "x")]
    assert {one.employer for one in found} == {company}
    assert any(NEW.person_by_key(one.key).employer.number != 5 for one in found)


def test_the_employees_of_a_company_are_who_works_there_and_who_left() -> None:
    company = OLD.companies.at(5)
    people = lookc_employees.employees_of(OLD, company)
    assert len({one.key for one in people}) == len(people)
    known = {one.sales_id for one in people}
    for change in CHANGES:
        if change.organisation == company.sales_id:
            assert change.subject in known
    items = [lookc_employees.employee(one, OLD.career(one), company, "id") for one in people]
    assert {one.sales_id for one in people if one.employer == company} == {
        one.sales_id for one, item in zip(people, items, strict=True) if item["dateEnded"] is None
    }
    assert any(str(item["dateEnded"]) >= "2025-06" for item in items)
    for item in items:
        assert str(item["dateStarted"]) <= str(item["dateEnded"] or OLD.date)


def test_a_new_position_at_the_same_company_counts_from_the_first_one() -> None:
    for one in everybody(OLD):
        jobs, company = OLD.career(one), one.employer
        if jobs[0].started >= (2025, 6) and jobs[1].employer == company:
            item = lookc_employees.employee(one, jobs, company, "id")
            assert str(item["dateStarted"])[:7] < "{}-{:02}".format(*jobs[0].started)
            return
    raise AssertionError("no promotion")


def test_answers_agree_after_three_years() -> None:
    call = AnswerCaller(OLD)
    moved = [
        change for change in CHANGES if change.kind == "slug_moved" and not change.organisation
    ]
    change = next(one for one in moved if one.subject.startswith("ACoAA"))
    one = OLD.person_by_sales_id(change.subject)
    by_id = call("ids.person", sales_nav_id=one.sales_id)
    before = AnswerCaller(NEW)("ids.person", sales_nav_id=one.sales_id)
    assert by_id["personIds"]["uuid"] == before["personIds"]["uuid"]
    assert by_id["personIds"]["liID"] == one.slug != before["personIds"]["liID"]
    assert call("ids.person", lix_id=by_id["personIds"]["uuid"]) == by_id
    assert call("ids.person", li_flagship_id=one.slug) == by_id
    body = call("person.get", profile_link=one.link)
    assert body == call("person.get", profile_link=one.sales_link)
    assert body["link"] == one.link and body["salesNavLink"] == one.sales_link


async def test_days_pass_over_http(client: Client) -> None:
    sandbox = small_sandbox()
    async with client(sandbox) as http:
        first = (await http.post("/_sandbox/advance", json={"days": 300})).json()
        second = (await http.post("/_sandbox/advance", json={"days": 65})).json()
        page = (await http.get("/_sandbox/changes?since=300")).json()
        everything = (await http.get("/_sandbox/changes")).json()
        wrong: list[Any] = [
            (await http.post("/_sandbox/advance", json=body)).status_code
            for body in ({"days": -1}, {"days": "x"}, {}, {"days": 1, "hours": 2}, {"days": 10**30})
        ]
        wrong.append((await http.get("/_sandbox/changes?since=x")).status_code)
        status = (await http.get("/_sandbox")).text
        assert "2026-06-01" in status
        await http.post("/_sandbox/reset")
        after = (await http.get("/_sandbox/changes")).json()
    assert first["day"] == 300 and second["day"] == 365 and second["date"] == "2026-06-01"
    assert page == second
    assert everything["changes"] == first["changes"] + second["changes"]
    assert {"day", "date", "kind", "subject", "field", "before", "after"} <= set(page["changes"][0])
    assert wrong == [400] * 6
    assert after == {"day": 0, "date": "2025-06-01", "changes": []}
    assert sandbox.world.person(0) == small_sandbox().world.person(0)


def test_what_counts_by_the_day_begins_anew() -> None:
    sandbox = Sandbox(people=20, organisations=5, daily_allowance=1)
    assert sandbox.allowance.spend(0.0) and not sandbox.allowance.spend(0.0)
    sandbox.state.cached_profiles["account", "slug"] = 0.0
    sandbox.advance(0)
    assert sandbox.state.cached_profiles and not sandbox.allowance.spend(0.0)
    sandbox.advance(days=1)
    assert not sandbox.state.cached_profiles and sandbox.allowance.spend(0.0)
    assert all(isinstance(change, WorldChange) for change in sandbox.world.changes())
