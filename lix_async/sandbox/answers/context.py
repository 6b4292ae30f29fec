"""What an answer is made from besides the world: the params, and the sandbox's own state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from ..dice import number
from ..lookups import Lookups
from ..refusals import params_invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..ledger import Ledger
    from ..limits import Allowance
    from ..memory import Memory
    from ..world import World


def part(row: object, name: str) -> object:
    """One part of an object: a key of a dict, or a field of a struct; None if absent."""
    if isinstance(row, dict):
        return cast("Mapping[str, object]", row).get(name)
    return getattr(row, name, None)


Envelope = Literal["flat", "seed", "response"]
"""How a search wraps its items: not at all, as in the oldest samples, or under `response`."""


class Asked:
    """The params of a call under the provider's own names, checked for type when asked for."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    @classmethod
    def of(cls, params: object, without: Collection[str] = ()) -> Asked:
        """Read a params struct, or any object; `without` names the fields to leave out."""
        names: tuple[str, ...] | None = getattr(params, "__struct_fields__", None)
        given = vars(params) if names is None else {name: getattr(params, name) for name in names}
        return cls({name: value for name, value in given.items() if name not in without})

    def text(self, name: str) -> str | None:
        """A text, or None when it is missing or empty."""
        value = self.values.get(name)
        return str(value) if value not in (None, "") else None

    def need(self, name: str) -> str:
        """A text that must be there; raises a `params_invalid` refusal when it is not."""
        if (value := self.text(name)) is None:
            raise params_invalid(f"{name} is required")
        return value

    def one_of(self, *names: str) -> tuple[str, str]:
        """Name and value of the one param of a group that is given; exactly one must be."""
        given = [(name, value) for name in names if (value := self.text(name)) is not None]
        if len(given) != 1:
            raise params_invalid(f"exactly one of {', '.join(names)} is required")
        return given[0]

    def number(self, name: str, default: int = 0, least: int = 0) -> int:
        """A whole number not below `least`."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or value < least:
            raise params_invalid(f"{name} must be a number from {least}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(name, default)
        return value if isinstance(value, bool) else default

    def rows(self, name: str) -> list[object]:
        """A list; empty when it is missing."""
        value = self.values.get(name)
        return list(cast("Sequence[object]", value)) if isinstance(value, list | tuple) else []


@dataclass(frozen=True, slots=True)
class Context:
    """The state of the sandbox at one request.

    `request` is the number of the request; `epoch` is the moment of it in seconds since the epoch,
    `now` the same moment on the sandbox's clock; `origin` is the sandbox's own address.
    """

    endpoint: str
    seed: int
    request: int
    epoch: float
    memory: Memory
    ledger: Ledger
    allowance: Allowance
    envelope: Envelope = "flat"
    page_sizes: Mapping[str, int] | None = None
    now: float = 0.0
    origin: str = "http://127.0.0.1"
    lookups: Lookups = field(default_factory=Lookups)

    def page_size(self, default: int) -> int:
        """Rows on one page of this endpoint."""
        return (self.page_sizes or {}).get(self.endpoint, default)

    def sequence(self, params: Asked) -> tuple[str, str]:
        """What orders a search, and the sequence id its answer shows.

        A viewer orders it, else the caller's sequence id. Without both a new id is made for this
        request alone, so the next page of such a caller is in another order: rows come twice and
        others never.
        """
        given = params.text("sequence_id")
        shown = given or f"SBX{number(self.seed, 'sequence', self.request):016X}"
        if viewer := params.text("viewer_id"):
            return f"viewer {viewer}", shown
        return f"sequence {self.memory.sequence(shown)}", shown


@dataclass(frozen=True, slots=True)
class Said:
    """A success that has another status than 200, or headers of its own."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Answer = Callable[["World", Asked, Context], object]
"""World, params and context to the JSON that goes on the wire: an object, or for one row an
array; `Said` where the status is not 200.
"""
