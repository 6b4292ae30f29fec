"""What an answer is made from besides the world: the params, and the sandbox's own state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from ..protocol.params import RequestParams
from ..state.background_lookups import BackgroundLookups
from ..world.random import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..state.credit_ledger import CreditLedger
    from ..state.rate_limits import Allowance
    from ..state.state import SandboxState
    from ..world.world import World


def get_part(value: object, name: str) -> object:
    """One part of an object: a key of a dict, or a field of a struct; None if absent."""
    if isinstance(value, dict):
        return cast("Mapping[str, object]", value).get(name)
    return getattr(value, name, None)


Envelope = Literal["flat", "seed", "response"]
"""How a search wraps its items: not at all, as in the oldest samples, or under `response`."""


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """The state of the sandbox at one request.

    `request` is the number of the request; `epoch` is the moment of it in seconds since the epoch,
    `now` the same moment on the sandbox's clock; `origin` is the sandbox's own address.
    """

    endpoint_id: str
    seed: int
    request: int
    epoch: float
    state: SandboxState
    ledger: CreditLedger
    allowance: Allowance
    envelope: Envelope = "flat"
    page_sizes: Mapping[str, int] | None = None
    now: float = 0.0
    origin: str = "http://127.0.0.1"
    background_lookups: BackgroundLookups = field(default_factory=BackgroundLookups)

    def page_size(self, default: int) -> int:
        """Rows on one page of this endpoint."""
        return (self.page_sizes or {}).get(self.endpoint_id, default)

    def search_order(self, params: RequestParams) -> tuple[str, str]:
        """What orders a search, and the sequence id its answer shows.

        A viewer orders it, else the caller's sequence id. Without both a new id is made for this
        request alone, so the next page of such a caller is in another order: rows come twice and
        others never.
        """
        given = params.text("sequence_id")
        shown = given or f"SBX{number(self.seed, 'sequence', self.request):016X}"
        if viewer := params.text("viewer_id"):
            return f"viewer {viewer}", shown
        return f"sequence {self.state.original_sequence(shown)}", shown


@dataclass(frozen=True, slots=True)
class AnswerBody:
    """A success that has another status than 200, or headers of its own."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


AnswerFunction = Callable[["World", RequestParams, AnswerContext], object]
"""World, params and context to the JSON that goes on the wire: an object, or for one row an
array; `Said` where the status is not 200.
"""
