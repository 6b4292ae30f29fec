"""A house: one provider's table, who answers it, and how that provider speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...core.endpoint import AnyEndpoint
from ..protocol.responses import SandboxResponse, refused
from ..state.rate_limits import RateLimitStatus

if TYPE_CHECKING:
    from ...core.provider import Provider
    from ..answers.context import Answer
    from ..protocol.errors import ErrorReply
    from ..protocol.params import RequestParams
    from ..state.state import SandboxState
    from ..world.world import World

Rate = tuple[int, float]
"""Requests and seconds."""
Examples = Mapping[str, Mapping[str, object]]
"""By catalogue id: params, under their wire names, that are answered with 200."""


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """A request and what became of it; for the headers that go out with every answer.

    `row` is None where the path or the method was wrong, `asked` where the params were not read.
    `standing` tells of the rate that the call counts against and that has the least left; it is
    None where no rate is kept or no key was known. `epoch` is now, in seconds since 1970.
    """

    status: int
    row: AnyEndpoint | None
    asked: RequestParams | None
    standing: RateLimitStatus | None
    memory: SandboxState
    epoch: float


def _always(endpoint: str, body: object) -> bool:
    return True


def _never(endpoint: str) -> bool:
    return False


def _no_lanes(row: AnyEndpoint, asked: RequestParams) -> Mapping[str, Rate]:
    return {}


def _nothing_told(standing: RateLimitStatus, epoch: float) -> Mapping[str, str]:
    return {}


def _no_headers(outcome: RequestOutcome) -> Mapping[str, str]:
    return {}


def _no_examples(world: World) -> Examples:
    return {}


# What every refusal of Lix and LookC looks like: `Refusal.body`.
ERROR: Mapping[str, object] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "type": {"type": "string"},
                "message": {"type": "string"},
                "refreshesAt": {"type": "integer", "description": "Seconds since 1970."},
            },
        }
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxProvider:
    """One provider as the sandbox plays it. The parts with a default are Lix's own ways.

    Keys are read by the provider's `credentials`, and its `rate` is kept for each key.
    """

    provider: Provider
    table: Sequence[AnyEndpoint]
    answers: Mapping[str, Answer]
    """By catalogue id; every row of the table has one."""
    prefix: str = ""
    """What stands before the paths, except those of rows that are `rooted`: the path of the
    provider's base URL, which a client repeats in its `base_url`."""
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Placeholders of paths that have another name than the param they stand for."""
    charged: Callable[[str, object], bool] = _always
    """(catalogue id, body of a success) → whether it costs its price."""
    needs_credit: Callable[[str], bool] = _never
    """Whether a free call is still refused to an account without any credit."""
    daily: Callable[[str], bool] = _never
    """Whether a call counts against the daily allowance."""
    refuse: Callable[[ErrorReply], SandboxResponse] = refused
    """How this provider words a refusal: status, body and headers."""
    lanes: Callable[[AnyEndpoint, RequestParams], Mapping[str, Rate]] = _no_lanes
    """Further rates that a call counts against, by a name that tells them apart."""
    too_fast: Callable[[RateLimitStatus, float], Mapping[str, str]] = _nothing_told
    """(how far the rate is used up, now in seconds since the epoch) → headers of the refusal."""
    headers: Callable[[RequestOutcome], Mapping[str, str]] = _no_headers
    """What goes out with every answer, where the answer does not have such a header of its own."""
    error: Mapping[str, object] = field(default_factory=lambda: ERROR)
    """JSON schema of the bodies that `refuse` makes."""
    statuses: Sequence[int] = (400, 401, 402, 404, 407, 429, 500, 503)
    """Statuses of documented refusals."""
    background: frozenset[str] = frozenset()
    """Rows that may answer 202, and then with something else than their result."""
    loose: frozenset[str] = frozenset()
    """Rows whose answers differ in shape from their result struct, which reads leniently."""
    examples: Callable[[World], Examples] = _no_examples

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name

    @property
    def rate(self) -> Rate:
        """The provider's own rate, in whole requests."""
        rate = self.provider.rate
        return max(int(rate.requests), 1), rate.per

    def place(self, row: AnyEndpoint, path: str) -> str:
        """A path of a row as the sandbox has it."""
        return path if row.rooted else self.prefix + path
