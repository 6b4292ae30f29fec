"""The plan of what to buy again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lix_async.core.changes import Difference, Position
from lix_async.ledger.refresh import (
    Evidence,
    earlier_tenure,
    expected_changes,
    plan,
    with_differences,
)

evidence = st.builds(
    Evidence,
    endpoint=st.sampled_from(("person.get", "organisation.by_linkedin")),
    price=st.integers(0, 3),
    age=st.floats(0, 10),
    tenure=st.none() | st.floats(0.1, 20),
    years=st.floats(0, 10),
    jobs=st.integers(0, 20),
    fields=st.integers(0, 20),
)


@given(st.lists(evidence, max_size=30), st.integers(0, 40))
def test_a_plan_is_of_different_answers_and_within_the_credits(
    known: list[Evidence], credits: int
) -> None:
    found = plan(known, credits)
    assert len(set(found)) == len(found)
    assert sum(known[place].price for place in found) <= credits
    assert all(known[place].age > 0 for place in found)


@given(st.lists(evidence, min_size=1, max_size=30))
def test_what_is_expected_is_a_number(known: list[Evidence]) -> None:
    assert all(0 <= one < float("inf") for one in expected_changes(known))


BASE = Evidence("person.get", 1, 1.0, tenure=2.2)


@pytest.mark.parametrize(
    "likelier",
    [
        BASE._replace(age=2.0),
        BASE._replace(tenure=1.0),
        BASE._replace(years=2.0, jobs=5),
        BASE._replace(years=2.0, fields=5),
    ],
)
def test_what_is_likelier_comes_first(likelier: Evidence) -> None:
    others = [BASE._replace(years=2.0, jobs=1)] * 3
    assert plan([*others, likelier], 1) == [3]
    assert plan([likelier, *others], 1) == [0]


def test_similar_lookups_speak_for_one_without_versions() -> None:
    often, seldom = BASE._replace(tenure=1.1), BASE._replace(tenure=3.5)
    known = [often._replace(years=30.0, jobs=1), seldom._replace(years=30.0, jobs=90)]
    assert plan([often, seldom, *known], 4)[-2:] == [0, 2]


def test_the_price_counts() -> None:
    assert plan([BASE._replace(price=2, age=1.5), BASE], 2) == [1]
    assert plan([BASE._replace(price=3, age=9.0), BASE], 2) == [1]


def test_young_answers_are_not_bought_again() -> None:
    assert plan([BASE._replace(age=0.001)], 5) == []


def test_the_tenure_of_earlier_jobs() -> None:
    def position(start: tuple[int, int] | None, end: tuple[int, int] | None) -> Position:
        return Position("", "", {}, start, end, end is None, {})

    assert earlier_tenure([]) is None
    assert earlier_tenure([position((2020, 1), None), position((2018, 0), (2019, 0))]) is None
    jobs = [
        position((2018, 1), (2019, 1)),
        position((2016, 1), (2018, 1)),
        position(None, (2016, 1)),
    ]
    assert earlier_tenure(jobs) == 1.5


def test_differences_count_by_their_kind() -> None:
    found = [
        Difference("job_started", "job", None, "A"),
        Difference("name_changed", "name", "A", "B"),
        Difference("field_changed", "skills", [], ["A"]),
    ]
    assert with_differences(BASE, found) == BASE._replace(jobs=1, fields=2)
