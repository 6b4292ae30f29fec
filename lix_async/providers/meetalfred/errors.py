"""Error responses of the Meet Alfred API: which exception each one becomes.

The vendor documents no error body, so the status decides (meetalfred.md#configurable).
"""

from __future__ import annotations

from typing import cast

from ...core.error_responses import STATUSES
from ...core.errors import RefusalError, ServerError, excerpt
from ...core.json_text import json_object

STATUS_MESSAGES = {
    401: "the key is missing or not accepted",
    404: "no such path",
    429: "too many requests",
}
_MAX_TEXT = 200
"""Characters of a plain-text error body that go into the message."""


def refusal(status: int, body: bytes, result: type) -> RefusalError | None:
    """The error that a response means by its status, or None for a success."""
    if 200 <= status < 300:
        return None
    tree = json_object(body)
    if status == 407 and tree is None:
        return None  # not the API: a proxy on the way asks for authentication
    cls = STATUSES.get(status) or (ServerError if status >= 500 else RefusalError)
    if 300 <= status < 400:
        message = "the server redirects; redirects are never followed"
    else:
        message = _message(tree, body) or STATUS_MESSAGES.get(status) or f"status {status}"
    return cls(message, status=status, kind=str(status), body=excerpt(body))


def has_own_error(body: bytes) -> bool:
    """Whether a body is JSON with a message under one of the keys that clients look for."""
    tree = json_object(body)
    return tree is not None and bool(_message(tree, body))


def _message(tree: dict[str, object] | None, body: bytes) -> str:
    """The message in an error body: under one of four keys, or as plain text; else empty."""
    for name in ("message", "error", "detail", "details"):
        found = (tree or {}).get(name)
        if isinstance(found, dict):
            found = cast("dict[str, object]", found).get("message")
        if isinstance(found, str) and found:
            return found
    text = body.decode("utf-8", "replace").strip()
    return "" if tree is not None or text[:1] in ("<", "{", "[") else text[:_MAX_TEXT]
