"""Meet Alfred: its error format and headers. Errors have no type, only a status."""

from __future__ import annotations

from collections.abc import Mapping

from ...providers.meetalfred.endpoints import TABLE
from ...providers.meetalfred.provider import MEETALFRED
from ..answers import meetalfred
from ..protocol.errors import ErrorReply
from ..protocol.responses import SandboxResponse, json_response, response
from ..state.rate_limits import RateLimitStatus
from .base import PREFIXES, SandboxProvider


def _render_error(error: ErrorReply) -> SandboxResponse:
    message = error.message or error.error_type or "not possible"
    # There are no lookups in the background: use the status of a server that is not ready.
    status = 502 if error.error_type == "queued" else error.status
    if status >= 500:  # error bodies may be plain text
        return response(status, message.encode(), "text/plain", error.headers)
    return json_response({"message": message}, status, error.headers)


def _rate_limit_headers(status: RateLimitStatus, epoch: float) -> Mapping[str, str]:
    """The seconds to wait, as public clients report them (meetalfred.md#limits-and-errors)."""
    return {"Retry-After": status.retry_after(epoch)}


PROVIDER = SandboxProvider(
    provider=MEETALFRED,
    endpoints=TABLE,
    answers=meetalfred.ANSWERS,
    prefix=PREFIXES["meetalfred"],
    is_charged=lambda endpoint, body: False,
    render_error=_render_error,
    rate_limit_headers=_rate_limit_headers,
    statuses=(400, 401, 404, 429, 500, 502, 503),
    loose=frozenset(endpoint.id for endpoint in TABLE),
)
