"""The columns that `lix waterfall` adds: fields of several providers, and where each is from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from ...core.errors import LixError
from ...waterfall import Profile, Source
from ..text import one_line
from .answer_columns import AnswerColumns
from .columns import unknown_column_error
from .declared_types import INTEGER, TEXT
from .joined_row import JoinedAnswer, JoinedStatus

FIELDS = tuple(name for name in Profile.__struct_fields__ if name in Profile.fields())
"""The fields of a person, in the order of the struct."""
PROVENANCE = ("from", "at", "credits")
"""What is said about a field: its provider, when it was received, what the answer cost."""


def _with_provenance(name: str) -> list[str]:
    return [name, *(f"{name}_{part}" for part in PROVENANCE)]


class FieldColumns(AnswerColumns):
    """The wanted fields, each with its origin, and the others.

    Args:
        wanted: The fields to fill.
        chosen: `basic` (origins of the wanted fields only), `all`, or names separated by commas.

    Raises:
        CommandError: A name is unknown.
    """

    def __init__(self, wanted: Sequence[str], chosen: str) -> None:
        self._wanted = wanted
        super().__init__({}, chosen)

    @property
    def is_all(self) -> bool:
        """No answer is written whole: a row has parts of several."""
        return False

    def headings(self, prefix: str) -> list[str]:
        """The names with a prefix."""
        return [f"{prefix}{name}" for name in self.names]

    def _names(self) -> tuple[str, ...]:
        wanted = [part for name in self._wanted for part in _with_provenance(name)]
        others = [name for name in FIELDS if name not in self._wanted]
        every = [*wanted, *(part for name in others for part in _with_provenance(name))]
        if self.chosen == "all":
            return tuple(every)
        if self.chosen == "basic":
            return (*wanted, *others)
        names = [name.strip() for name in self.chosen.split(",") if name.strip()]
        for name in names:
            if name not in every:
                raise unknown_column_error(name, every)
        return tuple(dict.fromkeys(names))

    def type_of(self, name: str) -> str:
        """The SQL type of a column: what an answer cost is a number."""
        return INTEGER if name.endswith("_credits") else TEXT

    def answer(self, result: Profile, status: JoinedStatus) -> JoinedAnswer:
        """A result as the columns of a row."""
        bought = [one.at for one in result.sources.values() if one.endpoint != "input"]
        values = [self._value(result, name) for name in self.names]
        return JoinedAnswer(
            status, _reason(result.errors.values()), _time(max(bought)) if bought else "", values
        )

    @staticmethod
    def _value(result: Profile, name: str) -> object:
        if name in FIELDS:
            return result.get(name)
        field, _, part = name.rpartition("_")
        source = result.sources.get(field)
        return None if source is None else _origin(source, part)


def _origin(source: Source, part: str) -> object:
    if part == "from":
        return source.provider
    if source.endpoint == "input":  # the row had it itself
        return None
    return source.credits if part == "credits" else _time(source.at)


def _reason(errors: Iterable[LixError]) -> str:
    found = [one_line(str(error), 200) for error in errors]
    return "; ".join(dict.fromkeys(found))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
