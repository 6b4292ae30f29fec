"""How often people and organisations of the world change, as rates of events per year.

These rates were fixed and written down before the refresh planner (`ledger/refresh.py`) was made;
they are not to be adjusted to what the planner finds. People differ in how often they change
employer (the mover-stayer model of labour statistics): the mean of the three groups is 0.24
changes of employer per person and year, near the median tenure of 3.9 years that the United
States' Bureau of Labor Statistics found in January 2024 (https://www.bls.gov/news.release/tenure.nr0.htm).
Within a group events come independently, at a constant rate.
"""

from __future__ import annotations

from typing import NamedTuple


class PersonHazards(NamedTuple):
    """Events per year of one person."""

    employer: float
    """Leaves an employer and starts at another one."""
    title: float
    """A new title at the same employer."""
    place: float
    """Moves to another place."""
    headline: float
    """Writes another headline."""
    slug: float
    """Chooses another public identifier."""
    name: float
    """Has another name."""


class OrganisationHazards(NamedTuple):
    """Events per year of one organisation."""

    name: float
    slug: float
    place: float
    """Moves its headquarters."""
    size: float
    """Grows or shrinks into another range of sizes."""


PEOPLE: tuple[tuple[float, PersonHazards], ...] = (
    (0.50, PersonHazards(0.06, 0.06, 0.02, 0.03, 0.005, 0.005)),
    (0.35, PersonHazards(0.22, 0.14, 0.05, 0.10, 0.010, 0.010)),
    (0.15, PersonHazards(0.90, 0.25, 0.15, 0.30, 0.020, 0.010)),
)
"""The groups of people: the share of all people, and their rates. The length of a person's earlier
jobs decides the group."""
ORGANISATIONS: tuple[tuple[float, OrganisationHazards], ...] = (
    (0.80, OrganisationHazards(0.01, 0.005, 0.02, 0.05)),
    (0.20, OrganisationHazards(0.06, 0.030, 0.08, 0.40)),
)
"""The groups of organisations: the share of all organisations, and their rates."""
