"""Edge cases of people and their positions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from lix_async.core import timestamps as times
from lix_async.core.decoding import decoder_for
from lix_async.providers.lix import models as m

EMPTY = m.PartialDate()


def person(**fields: object) -> m.Person:
    return decoder_for(m.Person).read(msgspec.json.encode(fields))


@pytest.mark.parametrize(
    ("job", "running"),
    [
        ({}, False),
        ({"isCurrent": True}, True),
        ({"isCurrent": True, "dateEnded": "March 2018"}, True),
        ({"dateEnded": "Present"}, True),
        ({"dateEnded": " present "}, True),
        ({"dateEnded": "March 2018"}, False),
        ({"timePeriod": {"startedOn": {"year": 2020}, "endedOn": {}}}, True),
        ({"timePeriod": {"startedOn": {"year": 2020}}}, True),
        ({"timePeriod": {"endedOn": {"year": 2021}}}, False),
        ({"isCurrent": False, "timePeriod": {"endedOn": {}}}, False),
        ({"dateEnded": "2021", "timePeriod": {"endedOn": {}}}, False),
    ],
)
def test_is_running(job: dict[str, Any], running: bool) -> None:
    one = person(experience=[job])
    assert one.experience[0].is_running is running
    assert one.current_position is (one.experience[0] if running else None)


def test_the_current_position_is_the_first_running_one() -> None:
    one = person(experience=[{"dateEnded": "2001"}, {"dateEnded": "Present", "title": "a"},
                             {"dateEnded": "Present", "title": "b"}])  # fmt: skip
    assert one.current_position is not None
    assert one.current_position.title == "a"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": "A B"}, "A B"),
        ({"name": "A B", "firstName": "C"}, "A B"),
        ({"firstName": "A", "lastName": "B"}, "A B"),
        ({"lastName": "B"}, "B"),
        ({"name": ""}, None),
        ({}, None),
    ],
)
def test_full_name(fields: dict[str, Any], name: str | None) -> None:
    assert person(**fields).full_name == name


@pytest.mark.parametrize(
    ("fields", "identity", "url"),
    [
        (
            {"link": "http://uk.linkedin.com/in/Ada/en?trk=x"},
            "in/ada",
            "https://www.linkedin.com/in/ada",
        ),
        ({"liId": "Ada"}, "in/ada", "https://www.linkedin.com/in/Ada"),
        (
            {"link": "https://www.linkedin.com/in/j%C3%BCrgen"},
            "in/jürgen",
            "https://www.linkedin.com/in/j%C3%BCrgen",
        ),
        ({"salesNavId": "ACoA1"}, "sales/ACoA1", None),
        ({"salesNavLink": "https://linkedin.com/sales/lead/ACoA1,N,x"}, "sales/ACoA1", None),
        ({"link": "https://www.linkedin.com/sales/lead/ACoA1,N,x"}, "sales/ACoA1", None),
        (
            {"link": "https://www.linkedin.com/pub/ada/1/2/3"},
            "https://www.linkedin.com/pub/ada/1/2/3",
            None,
        ),
        ({"link": None, "name": "LinkedIn Member"}, None, None),
        ({"link": "", "salesNavLink": "https://linkedin.com/sales/lead/"}, None, None),
    ],
)
def test_identity_of_people(fields: dict[str, Any], identity: str | None, url: str | None) -> None:
    one = person(**fields)
    assert (one.identity, one.profile_url) == (identity, url)


def test_times_are_aware_or_none() -> None:
    assert times.from_ms(1735808400446) == datetime(2025, 1, 2, 9, 0, 0, 446000, tzinfo=UTC)
    assert times.from_seconds(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert times.from_ms(None) is times.from_seconds(None) is times.from_ms(10**18) is None
    assert person(liCreatedAt="2013-05-02T10:00:00").li_created_time == datetime(
        2013, 5, 2, 10, tzinfo=UTC
    )
    assert person(liCreatedAt="long ago").li_created_time is None
    assert m.Post({"createdAt": 1735808400446}).created_time == times.from_ms(1735808400446)
    assert m.Post({"createdAt": "1735808400446"}).created_time == times.from_ms(1735808400446)


@pytest.mark.parametrize(
    ("date", "text"),
    [
        (EMPTY, ""),
        (m.PartialDate(year=2013), "2013"),
        (m.PartialDate(year=2013, month=5), "2013-05"),
        (m.PartialDate(year=2013, month=5, day=2), "2013-05-02"),
    ],
)
def test_dates_with_parts_missing(date: m.PartialDate, text: str) -> None:
    assert str(date) == text
    assert bool(date) is bool(text)


def test_a_legacy_person_with_odd_parts() -> None:
    one = person(
        fullName="A B",
        emails=["", "a@example.com"],
        socialAccounts=[],
        workExperiences=[{"title": "T"}, "x"],
        education=[{"institutionName": "S", "fieldsOfStudy": None}, None],
    )
    assert (one.name, one.email, one.li_id) == ("A B", "a@example.com", None)
    assert [job.title for job in one.experience] == ["T", None]
    assert one.experience[0].is_running is False
    assert one.education[0].institution_name == "S"
