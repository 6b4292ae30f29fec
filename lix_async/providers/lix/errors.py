"""Error responses of the Lix API: which exception each one becomes.

Contract: lix.md#errors, lix.md#statuses.
"""

from __future__ import annotations

from ...core import error_responses
from ...core.decoding import decoder_for
from ...core.errors import RefusalError, ViewerError, excerpt
from ...core.json_text import SchemaMismatch, json_object
from .models.connections import Invitation
from .models.organisations import Organisation

ERROR_TYPES = {**error_responses.ERROR_TYPES, "viewer_invalid": ViewerError}
STATUS_MESSAGES = {
    401: "the key is not authorised for this endpoint",
    402: "the plan's quota or the credits are used up",
    404: "no such record",
    407: "the viewer_id is not attached or wrong",
    429: "too many requests",
}
PROFILE_KEYS = frozenset({"organisationIds", "liOrganisation", "profile", "links"})
_parse = error_responses.ErrorResponseParser(ERROR_TYPES, STATUS_MESSAGES)


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The error that a response of Lix means, or None for a success.

    Two results have a rule of their own: an organisation may come with an `error` text beside its
    profile, and a connection request that was not sent is answered with status 200.
    """
    error = _parse(status, body, result)
    if not 200 <= status < 300:
        return error
    if result is Organisation and error is not None and _has_profile(body):
        return None
    if result is Invitation and error is None and _not_sent(body):
        message = "the provider did not send the connection request"
        return RefusalError(message, status=status, kind="not_sent", body=excerpt(body))
    return error


def _has_profile(body: bytes) -> bool:
    """Whether an organisation's profile stands beside the `error` text (lix.md#errors)."""
    tree = json_object(body) or {}
    return isinstance(tree.get("error"), str) and not PROFILE_KEYS.isdisjoint(tree)


def _not_sent(body: bytes) -> bool:
    """Whether the body of a success says that no request was sent (lix.md#connections.send)."""
    try:
        return decoder_for(Invitation).read(body).success is False
    except SchemaMismatch:
        return False
