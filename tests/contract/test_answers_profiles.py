"""The values of published samples: accounts, people and organisations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from lix_methods import sample

from lix_async.core.decoding import decoder_for
from lix_async.core.models import Listing
from lix_async.providers.lix import models as m

T = TypeVar("T")
MAY_2013 = datetime(2013, 5, 2, 10, tzinfo=UTC)


def read(type_: type[T], name: str) -> T:
    return decoder_for(type_).read(sample(name))


def rows(type_: type[Listing[T]], name: str) -> list[T]:
    return read(type_, name).rows()


def test_balances() -> None:
    new = read(m.Balances, "variants/account.balances.live")
    assert (new.email_balance, new.linkedin_balance, new.lookc_balance) == (1200, 34000, 560)
    assert new.auto_top_up_enabled == m.AutoTopUp(standard=True, org=False)
    assert new.enterprise is False
    unknown = read(m.Balances, "variants/account.balances.topup_unknown")
    assert (unknown.auto_top_up_enabled, unknown.enterprise) == (None, None)
    assert read(m.Balances, "account.balances").lookc_balance is None
    assert read(m.Balances, "seed/account.balances").linkedin_balance == 50000


def test_daily_allowance() -> None:
    for name in ("account.daily_allowance", "variants/account.daily_allowance.iso"):
        allowance = read(m.DailyAllowance, name)
        assert allowance.requests_remaining == 4821
        assert allowance.refreshes_at == datetime(2025, 1, 2, tzinfo=UTC)
    old = read(m.DailyAllowance, "seed/account.daily_allowance").refreshes_at
    assert old == datetime.fromtimestamp(1696512494, UTC)


def test_linkedin_account() -> None:
    account = read(m.LinkedInAccount, "linkedin_account.get")
    assert (account.viewer_id, account.linkedin_ready) == ("example-viewer-1", True)
    assert account.sales_navigator_ready is False
    assert account.warmup == m.Warmup(
        status="warming",
        details=m.WarmupDetails(
            consecutive_active_days=2,
            daily_available=100,
            hourly_available=40,
            daily_total=500,
            hourly_total=100,
        ),
    )
    assert read(m.LinkedInAccount, "variants/linkedin_account.get.no_warmup").warmup is None
    first = read(m.LinkedInAccount, "variants/linkedin_account.get.v1")
    assert (first.viewer_id, first.num_available_tokens) == ("example-viewer-1", 10)


def test_linkedin_accounts() -> None:
    names = [row.identity for row in rows(m.LinkedInAccountsPage, "linkedin_account.list")]
    assert names == ["example-viewer-1", "example-viewer-2"]


def test_attached_account() -> None:
    for name in ("linkedin_account.put", "variants/linkedin_account.put.older"):
        assert read(m.AttachedAccount, name).viewer_id == "example-viewer-1"


def test_connections_remaining() -> None:
    left = read(m.ConnectionsRemaining, "linkedin_account.connections_remaining")
    assert (left.weekly_limit, left.used, left.remaining) == (50, 12, 38)
    assert left.next_refresh_time == datetime(2025, 1, 6, tzinfo=UTC)


def test_connections() -> None:
    for name in ("connections.list", "variants/connections.list.flat"):
        first, second = rows(m.ConnectionsPage, name)
        assert (first.full_name, first["firstName"]) == ("Example Person 1", "Example")
        assert first.profile_picture == "https://media.example.com/p1.jpg"
        assert first.identity == "urn:li:fsd_profile:ACoAAEXAMPLE0001"
        assert second.profile_picture is second.headline is None
        assert second.profile_url == "https://www.linkedin.com/in/example-person-2"
    assert read(m.ConnectionsPage, "connections.list").total is None
    assert read(m.ConnectionsPage, "variants/connections.list.live").total == 247
    assert rows(m.ConnectionsPage, "variants/connections.list.empty") == []


def test_invitation() -> None:
    sent = read(m.Invitation, "connections.send")
    assert sent.success is True
    assert sent.entity_urn == "urn:li:fsd_invitation:7000000000000000001"


def test_person_ids() -> None:
    ids = read(m.PersonIds, "ids.person")
    assert (ids.li_id, ids.sales_nav_id) == ("example-person-1", "ACoAAEXAMPLE0001")
    assert ids.uuid == "cGVyc29uOjE="
    assert ids.links is not None
    assert ids.links.recruiter_url is not None
    assert ids.links.recruiter_url.endswith("/talent/profile/ACoAAEXAMPLE0001")


def test_organisation_ids() -> None:
    ids = read(m.OrganisationIds, "ids.organisation")
    assert (ids.id, ids.name, ids.li_id) == (50000001, "Example Org", "example-org")
    assert (ids.sales_nav_id, ids.uuid) == ("1000001", "b3JnYW5pc2F0aW9uOjE=")


def test_person() -> None:
    person = read(m.Person, "person.get")
    assert (person.full_name, person.description) == ("Example Person 1", "Head of Examples")
    assert person.about_summary_text == "First paragraph.\n\nSecond paragraph."
    assert person.profile_url == "https://www.linkedin.com/in/example-person-1"
    assert [job.is_running for job in person.experience] == [True, False, False]
    assert person.current_position is person.experience[0]
    job = person.experience[0]
    assert job.organisation is not None
    assert job.organisation.sales_nav_id == "1000001"
    assert job.time_period is not None
    assert str(job.time_period.started_on) == "2023-04"
    assert not job.time_period.ended_on
    unlinked = person.experience[1].organisation
    assert unlinked is not None
    assert unlinked.sales_nav_id is None
    assert [skill.num_of_endorsement for skill in person.skills] == [57, 4, None]
    assert person.education[1].degree is None


def test_person_in_full() -> None:
    person = read(m.Person, "variants/person.get.full")
    assert (person.organisation, person.li_id, person.default_db_id) == (
        "Example Org",
        "example-person-1",
        50000001,
    )
    assert person.li_created_time == MAY_2013
    assert person.experience[0].tenure_at_org == m.Tenure(years=1, months=8)
    assert person.related_persons[0].identity == "in/example-person-3"
    assert person.certifications[0].organisation == m.LiOrganisation(name="Example Institute")
    assert person.patents[0].inventors[0].entity_urn == "urn:li:fsd_profile:ACoAAEXAMPLE0001"
    assert str(person.publications[0].published_on) == "2018-06"
    assert person.birth_date == m.PartialDate(day=1, month=1)
    assert person.viewer_connection is not None
    assert person.viewer_connection.connection_degree == 2
    assert person.team_link_connection_profiles == []
    assert person.premium is False
    assert person.pronoun is None


def test_person_with_little() -> None:
    person = read(m.Person, "variants/person.get.minimal")
    assert (person.name, person.experience, person.skills) == ("Example Person 2", [], [])
    assert (person.premium, person.current_position) == (None, None)


def test_legacy_person() -> None:
    person = read(m.Person, "person.legacy")
    assert (person.name, person.headline, person.email) == (
        "Example Person 1",
        "Head of Examples",
        None,
    )
    assert person.description == "Head of Examples"
    assert person.about_summary_text == "About text."
    assert (person.li_id, person.twitter) == ("example-person-1", "example_person_1")
    assert person.profile_url == "https://www.linkedin.com/in/example-person-1"
    assert [job.is_running for job in person.experience] == [True, False]
    assert person.experience[1].organisation == m.LiOrganisation(name="Sample Works")
    school = person.education[0]
    assert (school.institution_name, school.field_of_study) == (
        "Example University",
        "Example Studies, Sample Studies",
    )
    assert school.time_period is not None
    assert school.time_period.ended_on == m.PartialDate(year=2013)
    assert len(read(m.Person, "seed/person.legacy").experience) == 9


def test_employment() -> None:
    jobs = rows(m.EmploymentPage, "person.employment")
    assert [job.is_running for job in jobs] == [True, False, False]
    assert jobs[0].company_urn == "urn:li:fsd_company:1000001"
    assert jobs[1].end_date == m.PartialDate(year=2021, month=2)
    assert jobs[2].employment_type is None


def test_extended() -> None:
    assert read(m.Extended, "person.extended").top_voice is True


def test_organisation() -> None:
    old = read(m.Organisation, "organisation.by_linkedin")
    new = read(m.Organisation, "variants/organisation.by_linkedin.full")
    for one in (old, new):
        assert (one.name, one.employee_count, one.follower_count) == (
            "Example Org",
            26383,
            25072627,
        )
        assert (one.org_type, one.hq_country) == ("Public Company", "EX")
        assert one.linkedin_url == "https://www.linkedin.com/company/example-org"
        assert one.identity == "company/example-org"
    assert old.sales_nav_url is not None
    assert old.sales_nav_url.endswith("companyId=1000001")
    assert new.sales_nav_url == "https://www.linkedin.com/sales/company/1000001"
    assert (old.founded_year, new.founded_year, new.job_openings_count) == (None, 2003, 25)
    assert old.li_organisation is not None
    assert old.li_organisation.number_of_investment_rounds == 7
    assert new.organisation_ids is not None
    assert new.organisation_ids.li_profile_is_deleted is False
    assert not new.error
    unread = read(m.Organisation, "variants/organisation.by_linkedin.error")
    assert (unread.error, unread.name) == ("organisation could not be read", None)


def test_organisations_by_website() -> None:
    for name, size in (
        ("organisation.by_website", "10001+"),
        ("variants/organisation.by_website.flat", "201-500"),
    ):
        (found,) = rows(m.WebsiteMatches, name)
        assert (found.name, found.size) == ("Example Org", size)
        assert found.website == "https://www.example.com"
        assert isinstance(found, m.Organisation)
    assert rows(m.WebsiteMatches, "variants/organisation.by_website.empty") == []


def test_followers() -> None:
    page = read(m.FollowersPage, "organisation.followers")
    first, second = page.rows()
    assert (first.followed_at, first.member_distance) == ("July 2024", "DISTANCE_2")
    assert first.profile_url == "https://www.linkedin.com/in/example-person-1"
    assert second.headline is None
    assert page.total == 1250
