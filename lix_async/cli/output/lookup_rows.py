"""Ledger entries and outcomes of a run as rows of an output."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, cast

import msgspec

from ...core import wire
from ...core.decoding import decoder_for, read_items
from ...core.endpoint import AnyEndpoint
from ...core.errors import DecodeError, LixError, NotFoundError
from ...core.json_text import SchemaMismatch, compact, strict_json
from ...core.models import Listing, item_type
from ...engine.lookup import join_json_arrays, rows_of_page
from ...engine.outcome import Outcome
from ...ledger.rule import Status
from ...ledger.store import Entry
from ..input.lookup_kinds import MATCHES_KINDS, LookupKind, endpoint_id, row_kind
from ..providers import all_endpoints, provider_name, provider_of
from ..text import one_line

RowStatus = Literal[
    "found", "not_found", "refused", "unreadable", "queued", "in_doubt", "pending", "suppressed"
]
ENTRY_STATUSES: dict[RowStatus, tuple[Status, ...]] = {
    "found": ("done", "kept", "received", "queued", "pending", "sent", "in_doubt"),
    "not_found": ("refused", "done", "kept", "received", "queued", "pending", "sent", "in_doubt"),
    "refused": ("refused",),
    "unreadable": ("kept", "done", "received", "queued", "pending", "sent", "in_doubt"),
    "queued": ("queued",),
    "in_doubt": ("in_doubt", "sent", "received"),
    "pending": ("pending",),
}
"""For each status of a row, the statuses of the entries that can become such a row.

An entry that has an answer stays `found` while a better one is looked up.
"""
NO_MATCH = "no organisation has this website"
"""The reason where an answer is a list without a match."""
_IN_DOUBT = "no answer received; may have been charged: see `lix run doubts`"
_SENT = "sent, no answer received yet"
_RECEIVED = "an answer was received; the next run reads it"


class LookupRow(msgspec.Struct, frozen=True):
    """One row of the output of lookups."""

    input: object
    kind: str
    status: RowStatus
    error: str | None = None
    body: bytes | None = None
    """The answer as received, on one line."""
    bought_at: str | None = None
    """When the answer was received, in UTC."""
    complete: bool = True
    """Whether a listing came to its end; else `error` says why not."""

    def encode(self, *, dated: bool = True) -> bytes:
        """The row as JSON: `input`, `kind`, `status`, `error`, `bought_at`, `result`."""
        row = {
            "input": self.input,
            "kind": self.kind,
            "status": self.status,
            "error": self.error,
            "bought_at": self.bought_at,
            "result": None if self.body is None else msgspec.Raw(self.body),
        }
        if not dated:
            del row["bought_at"]
        return msgspec.json.encode(row if self.complete else {**row, "complete": False})


def row_of_outcome(outcome: Outcome[object], kind: LookupKind) -> LookupRow | None:
    """The row of an outcome; None for one that a later run looks up again."""
    given, error = outcome.input, outcome.error
    if outcome.state in ("done", "kept"):
        return _answer_row(given, kind, error, outcome.body, outcome.bought_at)
    if outcome.state == "in_doubt":
        return LookupRow(given, kind, "in_doubt", _text(error) or _IN_DOUBT)
    if outcome.state == "suppressed":
        return LookupRow(given, kind, "suppressed", _text(error))
    if outcome.state in ("refused", "invalid"):
        return _refused_row(given, kind, error)
    return None


def row_of_entry(entry: Entry) -> LookupRow:
    """The row of a ledger entry, as `lix enrich` writes it."""
    row, pages = _row_of_entry(entry), None
    if entry.status != "done":
        pages = _rows_of_pages(entry)
    if pages is None:
        return row
    return msgspec.structs.replace(row, body=_compact_json(pages), complete=False)


def _row_of_entry(entry: Entry) -> LookupRow:
    given, kind = input_of(entry), row_kind(entry.endpoint)
    if entry.status == "refused" and not entry.refreshing:
        return _refused_row(given, kind, _refusal(entry))
    body = body_of(entry)
    if body is not None:  # whatever the status: a better answer may be looked up
        error = _decode_error(entry, body)
        if error is None or entry.status != "received":
            at = datetime.fromtimestamp(entry.bought_at, UTC) if entry.bought_at else None
            return _answer_row(given, kind, error, body, at)
    if entry.status == "kept":  # a listing, of which a page cannot be read
        return LookupRow(given, kind, "unreadable", _noted(entry))
    if entry.status == "received":
        return LookupRow(given, kind, "in_doubt", _RECEIVED)
    if entry.status == "sent":
        return LookupRow(given, kind, "in_doubt", _SENT)
    if entry.status == "in_doubt":
        return LookupRow(given, kind, "in_doubt", _noted(entry) or _IN_DOUBT)
    return LookupRow(
        given, kind, "queued" if entry.status == "queued" else "pending", _noted(entry)
    )


def _noted(entry: Entry) -> str | None:
    """What went wrong, as an error of the endpoint says it."""
    return _text(LixError(entry.note, endpoint=entry.endpoint)) if entry.note else None


def body_of(entry: Entry) -> bytes | None:
    """The answer of an entry as received; of a listing that has ended, its rows as an array."""
    ended = entry.status == "done" or entry.refreshing
    return _rows_of_pages(entry) if entry.pages and ended else entry.body


def _rows_of_pages(entry: Entry) -> bytes | None:
    """The rows of a listing's pages as an array; None where it has none."""
    pages = [page for page in entry.pages if page.meaning == "usable"]
    if not pages:
        return None
    endpoint = endpoint_of(entry.endpoint)
    if endpoint is None:  # without its structs, only rows that were stored as such can be found
        return join_json_arrays([page.rows or page.body for page in pages])
    provider = provider_of(provider_name(entry.endpoint))
    return join_json_arrays([rows_of_page(provider, endpoint, page) for page in pages])


def _refusal(entry: Entry) -> LixError | None:
    """The error that a refused entry's answer is."""
    endpoint = endpoint_of(entry.endpoint)
    last = entry.pages[-1] if entry.pages else None
    http, body = (entry.http, entry.body) if last is None else (last.http, last.body)
    if endpoint is not None and body is not None:
        provider = provider_of(provider_name(entry.endpoint))
        found = wire.decode(provider, endpoint, http, body)
        if isinstance(found, LixError):
            return found
    return LixError(entry.note or "not looked up again, as decided", endpoint=entry.endpoint)


def _answer_row(
    given: object, kind: str, error: LixError | None, body: bytes, at: datetime | None
) -> LookupRow:
    bought_at = None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if error is None:
        sent = compact(strict_json(body))
        if has_no_match(kind, body):
            return LookupRow(given, kind, "not_found", NO_MATCH, sent, bought_at)
        return LookupRow(given, kind, "found", None, sent, bought_at)
    return LookupRow(given, kind, "unreadable", _text(error), _compact_json(body), bought_at)


def has_no_match(kind: str, body: bytes) -> bool:
    """Whether an answer is a list of matches that has none.

    Raises:
        SchemaMismatch: It cannot be read.
    """
    if kind not in MATCHES_KINDS or (endpoint := endpoint_of(kind)) is None:
        return False
    found = decoder_for(cast("type[Listing[object]]", endpoint.result)).read(body)
    return not found.items


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


def _decode_error(entry: Entry, body: bytes) -> LixError | None:
    """The reason why a saved answer cannot be read, or None if it can."""
    endpoint = endpoint_of(entry.endpoint)
    if endpoint is None:  # its struct is unknown, so any JSON is accepted
        return None if _compact_json(body) else DecodeError("not JSON", endpoint=entry.endpoint)
    if not endpoint.is_listing or not entry.pages:
        provider = provider_of(provider_name(entry.endpoint))
        found = wire.decode(provider, endpoint, entry.http or 200, body)
        return found if isinstance(found, LixError) else None
    try:
        read_items(item_type(cast("type[Listing[object]]", endpoint.result)), body)
    except SchemaMismatch as error:
        return DecodeError(str(error), endpoint=entry.endpoint)
    return None


def _compact_json(body: bytes) -> bytes | None:
    """A body on one line, or None if it is not JSON."""
    try:
        return compact(strict_json(body))
    except SchemaMismatch:
        return None
