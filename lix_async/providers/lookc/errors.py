"""Error responses of LookC: which exception each one becomes.

Contract: lookc.md#errors. The error types are those of lix.md#errors.
"""

from __future__ import annotations

from ...core.decoding import decoder_for
from ...core.error_responses import ERROR_TYPES, ErrorResponseParser
from ...core.errors import QueuedError, RefusalError
from ...core.json_text import SchemaMismatch
from .models import LookupAnswer, RequestStatus

STATUS_MESSAGES = {
    401: "the key is not authorised for LookC",
    402: "the organisation credits are used up",
    404: "no such organisation, request or record",
    429: "too many requests",
}
_parse = ErrorResponseParser(ERROR_TYPES, STATUS_MESSAGES)


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The error that a response of LookC means, or None for a success.

    Any 404 of the status call becomes `unknown_route`: two paths are published for it
    (lookc.md#lookc.request_status), and this kind makes the engine try the other one.
    """
    error = _parse(status, body, result)
    # lookc.md#errors: with a request id its status is asked for, which is not charged.
    if isinstance(error, QueuedError) and result is LookupAnswer and 200 <= status < 300:
        return None if _request_id(body) else error
    if error is not None and status == 404 and result is RequestStatus:
        error.kind = "unknown_route"
    return error


def _request_id(body: bytes) -> str | None:
    """The request id in a body that reports `queued`."""
    try:
        return decoder_for(LookupAnswer).read(body).request_id
    except SchemaMismatch:
        return None
