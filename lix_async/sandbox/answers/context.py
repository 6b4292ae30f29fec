"""The input and output of answer functions, besides the world and the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from ..protocol.params import RequestParams
from ..state.background_lookups import BackgroundLookups
from ..state.credit_ledger import CreditLedger
from ..state.rate_limits import Allowance
from ..state.state import SandboxState, SentItem
from ..world.random import number
from ..world.world import World


def get_part(value: object, name: str) -> object:
    """A key of a dict or a field of a struct; None if it is absent."""
    if isinstance(value, dict):
        return cast("Mapping[str, object]", value).get(name)
    return getattr(value, name, None)


Envelope = Literal["flat", "seed", "response"]
"""How a search wraps its items: not at all, as in the oldest samples, or in `response`."""


@dataclass(frozen=True, slots=True)
class AnswerContext:
    """The state of the sandbox at one request.

    * `request`: the number of the request.
    * `epoch`, `now`: the time, in seconds since the epoch and on the sandbox's clock.
    * `origin`: the URL of the sandbox, without a path.
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
        """Items on one page of this endpoint."""
        return (self.page_sizes or {}).get(self.endpoint_id, default)

    def record_sent(self, viewer: str, target: str, text: str) -> SentItem:
        """Record in `sandbox.sent` what this endpoint sends."""
        sent = SentItem(self.endpoint_id, viewer, target, text, self.epoch, self.request)
        self.state.sent.append(sent)
        return sent

    def search_order(self, params: RequestParams) -> tuple[str, str]:
        """What the order of a search depends on, and the sequence id of its answer.

        The order depends on the viewer, or on the caller's sequence id. Without both, each request
        gets a new id, so the next page has another order: some items come twice and others never
        (lix.md#sequence-id).
        """
        given = params.text("sequence_id")
        sequence_id = given or f"SBX{number(self.seed, 'sequence', self.request):016X}"
        if viewer := params.text("viewer_id"):
            return f"viewer {viewer}", sequence_id
        return f"sequence {self.state.original_sequence(sequence_id)}", sequence_id


@dataclass(frozen=True, slots=True)
class AnswerBody:
    """A success with another status than 200, or with headers."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


AnswerFunction = Callable[["World", RequestParams, AnswerContext], object]
"""(world, parameters, context) → the JSON body, or an `AnswerBody` if the status is not 200."""
