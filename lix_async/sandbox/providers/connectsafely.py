"""ConnectSafely: its rate limits, headers and error formats."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.endpoint import AnyEndpoint
from ...core.values import JsonObject
from ...providers.connectsafely.endpoints import TABLE
from ...providers.connectsafely.provider import CONNECTSAFELY
from ...providers.connectsafely.rate_limits import VELOCITY
from ..answers import connectsafely
from ..protocol import zod
from ..protocol.dates import iso_milliseconds, next_midnight
from ..protocol.errors import ErrorReply
from ..protocol.params import RequestParams
from ..protocol.responses import SandboxResponse, json_response
from ..state import connectsafely_quota
from ..state.rate_limits import Rate, RateLimitStatus
from .base import PREFIXES, RequestOutcome, SandboxProvider

_MINUTE = 60.0
_RETRY_AFTER = "12"
"""The Retry-After of the published sample of a rate limit (connectsafely.md#rate-limits)."""


def _render_error(error: ErrorReply) -> SandboxResponse:
    """An error in one of four formats (connectsafely.md#errors)."""
    status, headers = error.status, error.headers
    message = error.message or error.error_type or "not possible"
    body: JsonObject = {"success": False, "error": message}
    if error.error_type == "queued":
        # There are no lookups in the background: use the status of a server that is not ready.
        status = 502
    elif status == 400 and (issue := zod.issue(message)):
        body["error"] = {"issues": [issue], "name": "ZodError"}
    elif status == 400:
        body = {"success": False, "code": "validation_error", "message": message}
    elif status == 401 or error.error_type == "unknown_route":
        body = {"error": message}
    elif status == 402:
        # There are no credits; a trial or a subscription can end.
        status, body["error"] = 403, "no active subscription"
    elif error.error_type == "daily_limit":
        resets = float(str(error.extra["refreshesAt"]))
        body = {"error": connectsafely_quota.exceeded_message(resets), "success": False}
        headers |= connectsafely_quota.quota_headers(connectsafely_quota.DAILY_PROFILES, resets)
    elif status == 429:
        body = {"success": False, "code": "rate_limit_exceeded", "message": message}
        headers.setdefault("Retry-After", _RETRY_AFTER)
    elif error.error_type == "api_error":
        body = {"success": False, "code": "internal_error", "message": message}
    return json_response(body, status, headers)


def _limits(endpoint: AnyEndpoint, params: RequestParams) -> Mapping[str, Rate]:
    _of_key, *limits = VELOCITY.limits(endpoint.group, connectsafely.account_of(params))
    return {limit.name: (limit.requests, _MINUTE) for limit in limits}


def _exceeded_headers(status: RateLimitStatus, epoch: float) -> Mapping[str, str]:
    return {"Retry-After": status.retry_after(epoch)} | _status_headers(status)


def _status_headers(status: RateLimitStatus) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(status.limit),
        "X-RateLimit-Remaining": str(status.left),
        "X-RateLimit-Reset": iso_milliseconds(status.reset),
    }


def _headers(outcome: RequestOutcome) -> Mapping[str, str]:
    """The daily quota for profiles, the rate limit for other endpoints.

    A 429 has the headers of the limit that was exceeded. A request without a valid key is not
    counted, and neither is one that a proxy answered.
    """
    if outcome.status in (401, 429, 502, 504):
        return {}
    if outcome.endpoint is not None and outcome.endpoint.group == "profile":
        account = connectsafely.account_of(outcome.params)
        used = connectsafely_quota.used_units(outcome.state, account, outcome.epoch)
        return connectsafely_quota.quota_headers(used, next_midnight(outcome.epoch))
    return _status_headers(outcome.rate_limit) if outcome.rate_limit else {}


PROVIDER = SandboxProvider(
    provider=CONNECTSAFELY,
    endpoints=TABLE,
    answers=connectsafely.ANSWERS,
    prefix=PREFIXES["connectsafely"],
    param_names={"account_id": "accountId", "profile_id": "profileId"},
    is_charged=lambda endpoint, body: False,
    render_error=_render_error,
    limits=_limits,
    rate_limit_headers=_exceeded_headers,
    headers=_headers,
    statuses=(400, 401, 403, 404, 429, 500, 502),
)
