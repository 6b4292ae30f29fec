"""The description of one simulated provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...core.endpoint import AnyEndpoint
from ...core.provider import AuthScheme, Provider
from ...core.values import JsonObject
from ..protocol.errors import ErrorReply
from ..protocol.params import RequestParams
from ..protocol.responses import SandboxResponse, error_response
from ..state.rate_limits import Rate, RateLimitStatus
from ..state.state import SandboxState

if TYPE_CHECKING:
    from ..answers.context import AnswerFunction
    from ..world.world import World
    from .examples import Examples

PREFIXES = {
    "connectsafely": "/linkedin",
    "letrics": "/letrics",
    "meetalfred": "/api/integrations/webhook",
}
"""The paths of the base URLs of providers, by the names of their packages; others have none."""


def default_rate(provider: Provider) -> Rate:
    """A provider's default rate, in whole requests."""
    return max(int(provider.rate.requests), 1), provider.rate.per


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """A request and its result, from which the response headers are made.

    * `endpoint`: None for a wrong path or method.
    * `params`: None if the parameters were not read.
    * `rate_limit`: the limit with the fewest permits left; None without a limit or a known key.
    * `epoch`: the current time in seconds since the epoch.
    """

    status: int
    endpoint: AnyEndpoint | None
    params: RequestParams | None
    rate_limit: RateLimitStatus | None
    state: SandboxState
    epoch: float


@cache
def _error_schemas() -> dict[str, JsonObject]:
    text = Path(__file__).with_name("error_schemas.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, JsonObject])


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxProvider:
    """One simulated provider. The defaults are those of Lix."""

    provider: Provider
    endpoints: Sequence[AnyEndpoint]
    answers: Mapping[str, AnswerFunction]
    """By catalogue id; every endpoint has one."""
    prefix: str = ""
    """The path of the provider's base URL, before the paths of endpoints that are not `rooted`."""
    param_names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Placeholders in paths that differ from the name of their parameter, and that name."""
    is_charged: Callable[[str, object], bool] = lambda endpoint_id, body: True
    """(catalogue id, body of a success) → whether its price is charged."""
    needs_credit: Callable[[str], bool] = lambda endpoint_id: False
    """Whether a free request is rejected if the account has no credit at all."""
    counts_daily: Callable[[str], bool] = lambda endpoint_id: False
    """Whether a request counts against the daily allowance."""
    render_error: Callable[[ErrorReply], SandboxResponse] = error_response
    """An error in the provider's format: status, body and headers."""
    limits: Callable[[AnyEndpoint, RequestParams], Mapping[str, Rate]] = lambda endpoint, params: {}
    """Further limits that a request counts against, by a unique name."""
    rate_limit_headers: Callable[[RateLimitStatus, float], Mapping[str, str]] = (
        lambda status, epoch: {}
    )
    """(exceeded limit, current time in seconds since the epoch) → headers of the error."""
    headers: Callable[[RequestOutcome], Mapping[str, str]] = lambda outcome: {}
    """Headers of every response. A header that the response already has is not replaced."""
    statuses: Sequence[int] = (400, 401, 402, 404, 407, 429, 500, 503)
    """The statuses of documented errors."""
    background: frozenset[str] = frozenset()
    """Endpoints that may answer 202, with something else than their result."""
    loose: frozenset[str] = frozenset()
    """Endpoints whose answers differ from their result struct, which decodes leniently."""

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name

    @property
    def error_schema(self) -> JsonObject:
        """The JSON schema of the bodies that `render_error` makes; LookC has that of Lix."""
        return _error_schemas().get(self.name, _error_schemas()["Lix"])

    @property
    def rate(self) -> Rate:
        """The provider's default rate, in whole requests."""
        return default_rate(self.provider)

    @property
    def auth_schemes(self) -> Mapping[str, AuthScheme]:
        """The places where the provider accepts an API key, by name."""
        return self.provider.credentials

    def full_path(self, endpoint: AnyEndpoint, path: str) -> str:
        """The path in the sandbox of one of an endpoint's paths."""
        return path if endpoint.rooted else self.prefix + path

    def examples(self, world: World) -> Examples:
        """The example parameters of the provider's endpoints, by catalogue id."""
        from .examples import all_examples  # late: the status page alone shows them

        ids = {endpoint.id for endpoint in self.endpoints}
        return {name: params for name, params in all_examples(world).items() if name in ids}
