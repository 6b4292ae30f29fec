"""Filters of searches: pairs of an id and a text, and skills."""

from __future__ import annotations

from ....core.validation import ValidatedStruct, check_type

__all__ = ["Pair", "SkillFilter", "pair"]


class Pair(ValidatedStruct, frozen=True):
    r"""A filter value with its id from `sales.facets`; without an id it is free text.

    `str(Pair("Exampleville, Country", "105"))` is sent as `[105,Exampleville\, Country]`, which is
    not JSON: only commas in the text are escaped (lix.md#sales.people_by_filters).
    """

    text: str
    id: str = ""

    def __str__(self) -> str:
        text = self.text.replace(",", r"\,")
        return f"[{self.id},{text}]"


def pair(name: str, value: Pair | str | None) -> str | None:
    """A filter as it is sent. A plain text is free text unless it has brackets already."""
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
