"""Ledger entries and outcomes of a run as rows of an output."""

from __future__ import annotations

from typing import Literal, cast

import msgspec

from ...bulk.outcome import Outcome
from ...bulk.stores.base import Entry, Status
from ...core import wire
from ...core.decoding import compact, read_items
from ...core.endpoint import AnyEndpoint
from ...core.errors import DecodeError, LixError, NotFoundError
from ...core.models import Listing, item_type
from ..input.lookup_kinds import LookupKind, endpoint_id, row_kind
from ..providers import all_endpoints, provider_name, provider_of
from ..text import one_line

RowStatus = Literal["found", "not_found", "refused", "unreadable", "queued", "in_doubt", "pending"]
ENTRY_STATUSES: dict[RowStatus, tuple[Status, ...]] = {
    "found": ("done", "queued", "pending", "sent", "in_doubt"),
    "not_found": ("refused",),
    "refused": ("refused",),
    "unreadable": ("done", "queued", "pending", "sent", "in_doubt"),
    "queued": ("queued",),
    "in_doubt": ("in_doubt", "sent"),
    "pending": ("pending",),
}
"""For each status of a row, the statuses of the entries that can become such a row.

An entry that has an answer stays `found` while it is looked up again for a better one.
"""
_IN_DOUBT = "no answer received; may have been charged: see `lix run doubts`"
_SENT = "sent, no answer received yet"


class LookupRow(msgspec.Struct, frozen=True):
    """One row of the output of lookups."""

    input: object
    kind: str
    status: RowStatus
    error: str | None = None
    body: bytes | None = None
    """The answer as received, on one line."""

    def encode(self) -> bytes:
        """The row as JSON: `input`, `kind`, `status`, `error`, `result`."""
        return msgspec.json.encode(
            {
                "input": self.input,
                "kind": self.kind,
                "status": self.status,
                "error": self.error,
                "result": None if self.body is None else msgspec.Raw(self.body),
            }
        )


def row_of_outcome(outcome: Outcome[object], kind: LookupKind) -> LookupRow | None:
    """The row of an outcome; None for one that a later run looks up again."""
    given, error = outcome.input, outcome.error
    if outcome.state == "done":
        return _answer_row(given, kind, error, outcome.body)
    if outcome.state == "in_doubt":
        return LookupRow(given, kind, "in_doubt", _text(error) or _IN_DOUBT)
    if outcome.state in ("refused", "invalid"):
        return _refused_row(given, kind, error)
    return None


def row_of_entry(entry: Entry) -> LookupRow:
    """The row of a ledger entry, as `lix enrich` writes it."""
    given, kind = input_of(entry), row_kind(entry.endpoint)
    if entry.body is not None:  # whatever the status: a better answer may be awaited
        return _answer_row(given, kind, _decode_error(entry.endpoint, entry.body), entry.body)
    error = None if entry.error is None else entry.error.error(entry.endpoint)
    if entry.status == "refused":
        return _refused_row(given, kind, error)
    if entry.status == "sent":
        return LookupRow(given, kind, "in_doubt", _SENT)
    status = entry.status if entry.status in ("queued", "in_doubt") else "pending"
    return LookupRow(given, kind, status, _text(error))


def _answer_row(given: object, kind: str, error: LixError | None, body: bytes) -> LookupRow:
    if error is None:
        return LookupRow(given, kind, "found", None, compact(body))
    return LookupRow(given, kind, "unreadable", _text(error), _compact_json(body))


def _refused_row(given: object, kind: str, error: LixError | None) -> LookupRow:
    if isinstance(error, NotFoundError):
        return LookupRow(given, kind, "not_found", one_line(error.message))
    return LookupRow(given, kind, "refused", _text(error))


def _text(error: LixError | None) -> str | None:
    return None if error is None else one_line(str(error))


def input_of(entry: Entry) -> object:
    """The input of an entry: the value itself if it is the only keyword argument, else all."""
    given = cast("object", msgspec.json.decode(entry.given))
    if not isinstance(given, dict):
        return given
    named = cast("dict[str, object]", given)
    return next(iter(named.values())) if len(named) == 1 else named


def endpoint_of(kind: str) -> AnyEndpoint | None:
    """The endpoint for the `kind` of a row; None if its provider is not installed."""
    return all_endpoints().get(endpoint_id(kind))


def _decode_error(endpoint_id: str, body: bytes) -> LixError | None:
    """The reason why a saved answer cannot be read, or None if it can."""
    endpoint = endpoint_of(endpoint_id)
    if endpoint is None:  # its struct is unknown, so any JSON is accepted
        return None if _compact_json(body) else DecodeError("not JSON", endpoint=endpoint_id)
    if not endpoint.is_listing:
        provider = provider_of(provider_name(endpoint_id))
        found = wire.decode(provider, endpoint, 200, body)
        return found if isinstance(found, LixError) else None
    try:
        read_items(item_type(cast("type[Listing[object]]", endpoint.result)), body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return DecodeError(str(error), endpoint=endpoint_id)
    return None


def _compact_json(body: bytes) -> bytes | None:
    """A body on one line, or None if it is not JSON."""
    try:
        msgspec.json.decode(body)
        return compact(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
