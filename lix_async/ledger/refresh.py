"""Which answers to buy again first: those in which most has probably changed. Pure.

Each lookup has two rates of change per year, of jobs and of all other fields. Both are estimated
from what its versions show and from what those of similar lookups show, as the mean of a gamma
distribution after the events of a Poisson process: where a lookup has no versions to compare, the
similar ones speak; the longer its own history, the less they count. Similar are lookups of one
endpoint and, for jobs, people whose earlier jobs lasted about as long. What has probably changed
is the rate multiplied by the age of the answer.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import NamedTuple

from ..core.changes import ChangeKind, Difference, Position

JOB_KINDS: frozenset[ChangeKind] = frozenset(
    {"job_started", "job_ended", "title_changed", "company_changed"}
)
TENURES = (0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0)
"""Borders, in years, between people whose earlier jobs lasted about as long."""
LONG_TENURE = 4.0
"""Years, for people without earlier jobs."""
OWN_YEARS = 4.0
"""The history of similar lookups counts as much as so many years of a lookup's own."""
KNOWN_YEARS = 8.0
"""What is assumed without any versions counts as much as so many years of similar lookups."""
FIELD_RATE = 0.2
"""Changes of other fields per year that are assumed without any versions."""
LEAST_AGE = 1 / 365.25
"""Years: a younger answer is not bought again."""


class Evidence(NamedTuple):
    """What is known of a lookup without asking for it again."""

    endpoint: str
    price: int
    """Credits of buying it again."""
    age: float
    """Years since its answer was bought."""
    tenure: float | None = None
    """Years that the earlier jobs of a person lasted, on average, by its first version."""
    years: float = 0.0
    """Years between its first version and its last one."""
    jobs: int = 0
    """Changes of jobs in that time."""
    fields: int = 0
    """Changes of other fields in that time."""

    @property
    def similar(self) -> tuple[str, int]:
        """Equal for similar lookups."""
        return self.endpoint, -1 if self.tenure is None else bisect(TENURES, self.tenure)


def earlier_tenure(positions: Sequence[Position]) -> float | None:
    """Years that the positions that have ended lasted, on average; None where none has."""
    months = [
        (end[0] - start[0]) * 12 + end[1] - start[1]
        for _, _, _, start, end, _, _ in positions
        if start is not None and end is not None and start[1] and end[1]
    ]
    return max(sum(months) / len(months), 1.0) / 12 if months else None


def with_differences(evidence: Evidence, found: Iterable[Difference]) -> Evidence:
    """What is known of a lookup, with what changed between two of its versions."""
    kinds = [one.kind in JOB_KINDS for one in found]
    return evidence._replace(
        jobs=evidence.jobs + sum(kinds), fields=evidence.fields + len(kinds) - sum(kinds)
    )


def plan(known: Sequence[Evidence], credits: int) -> list[int]:
    """The lookups to buy again, as places in `known`: those where most has probably changed.

    Args:
        known: Lookups with an answer.
        credits: The most that may be spent.

    Returns:
        Places, the likeliest change first. Their prices are at most `credits` in all.
    """
    expected = expected_changes(known)
    places = [
        place for place, one in enumerate(known) if one.age >= LEAST_AGE and one.price <= credits
    ]
    found: list[int] = []
    order = nlargest(
        credits, places, key=lambda place: expected[place] / max(known[place].price, 1)
    )
    for place in order:
        if known[place].price <= credits:
            credits -= known[place].price
            found.append(place)
    return found


def expected_changes(known: Sequence[Evidence]) -> list[float]:
    """How much has probably changed in each answer since it was bought."""
    years: defaultdict[tuple[str, int], float] = defaultdict(float)
    jobs: defaultdict[tuple[str, int], int] = defaultdict(int)
    years_of_all: defaultdict[str, float] = defaultdict(float)
    fields: defaultdict[str, int] = defaultdict(int)
    for one in known:
        years[one.similar] += one.years
        jobs[one.similar] += one.jobs
        years_of_all[one.endpoint] += one.years
        fields[one.endpoint] += one.fields

    def rate(events: int, observed: float, assumed: float, counts: float) -> float:
        return (assumed * counts + events) / (counts + observed)

    found: list[float] = []
    for one in known:
        # Leaving a job and starting the next one are two changes.
        assumed = 2.0 / (one.tenure or LONG_TENURE)
        of_similar = rate(jobs[one.similar], years[one.similar], assumed, KNOWN_YEARS)
        of_fields = rate(fields[one.endpoint], years_of_all[one.endpoint], FIELD_RATE, KNOWN_YEARS)
        own = rate(one.jobs, one.years, of_similar, OWN_YEARS)
        own += rate(one.fields, one.years, of_fields, OWN_YEARS)
        found.append(own * one.age)
    return found
