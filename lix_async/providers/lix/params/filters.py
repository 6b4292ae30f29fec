"""Filters of searches: pairs of id and text, and skills."""

from __future__ import annotations

from ....core.validation import ValidatedStruct, check_type


class Pair(ValidatedStruct, frozen=True):
    r"""A filter value with its id from `sales.facets`; without an id it is free text.

    `str(Pair("Exampleville, Country", "105"))` is what goes out: `[105,Exampleville\, Country]`
    (lix.md#sales.people_by_filters: not JSON, commas of the text escaped).
    """

    text: str
    id: str = ""

    def __str__(self) -> str:
        text = self.text.replace(",", r"\,")
        return f"[{self.id},{text}]"


def pair(name: str, value: Pair | str | None) -> str | None:
    """A filter as it goes out; a plain text is free text unless it is bracketed already."""
    if isinstance(value, str) and not value.startswith("["):
        value = Pair(value)
    check_type(name, value, Pair | str | None)
    return None if value is None else str(value)


class SkillFilter(ValidatedStruct, frozen=True):
    """A skill to search for in Recruiter. `text` and `entity` come from `recruiter.facets`."""

    text: str
    entity: str
    negated: bool = False
    required: bool = False
    selected: bool = True
