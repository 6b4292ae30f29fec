"""Outcomes and ledger entries as output rows."""

from __future__ import annotations

from functools import cache
from typing import Literal, cast

import msgspec

from ...bulk.outcome import Outcome
from ...bulk.stores.base import Entry, Status
from ...core import wire
from ...core.decoding import read_items
from ...core.endpoint import AnyEndpoint
from ...core.errors import DecodeError, LixError, NotFoundError
from ...core.models import Listing, item_type
from ..input.targets import BEHIND, KINDS, Kind
from ..providers import provider_name, provider_of, rows
from ..text import one_line
from .rows import compact

HELD = "nobody knows whether it was paid for: see `lix run doubts`"


def row_of_outcome(outcome: Outcome[object], kind: Kind) -> LookupRow | None:
    """An outcome in the words of a row; None for one that a later run asks for again."""
    given, error = outcome.input, outcome.error
    text = None if error is None else one_line(str(error))
    if outcome.state == "done":
        if error is None:
            return LookupRow(given, kind, "found", None, compact(outcome.body))
        return LookupRow(given, kind, "unreadable", text, _outcome_json(outcome.body))
    if outcome.state == "in_doubt":
        return LookupRow(given, kind, "in_doubt", text or HELD)
    if outcome.state not in ("refused", "invalid"):
        return None
    status: RowStatus = "not_found" if isinstance(error, NotFoundError) else "refused"
    if isinstance(error, NotFoundError):
        text = one_line(error.message)
    return LookupRow(given, kind, status, text)


def _outcome_json(body: bytes) -> bytes | None:
    """A body that was paid for and does not fit its struct, if it is JSON at all."""
    try:
        msgspec.json.decode(body)
        return compact(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


RowStatus = Literal["found", "not_found", "refused", "unreadable", "queued", "in_doubt", "owed"]


WHERE: dict[RowStatus, tuple[Status, ...]] = {
    "found": ("done", "queued", "owed", "sent", "in_doubt"),  # one may be asked for again
    "not_found": ("refused",),
    "refused": ("refused",),
    "unreadable": ("done", "queued", "owed", "sent", "in_doubt"),
    "queued": ("queued",),
    "in_doubt": ("in_doubt", "sent"),
    "owed": ("owed",),
}
"""The statuses of a row, and those of the entries that become one."""


UNDER_WAY = "it has been sent, and no answer is known yet"


class LookupRow(msgspec.Struct, frozen=True):
    """An entry in the words of an output."""

    input: object
    kind: str
    status: RowStatus
    error: str | None = None
    body: bytes | None = None
    """The answer as it came, on one line."""

    def row(self) -> bytes:
        """The row of the output: input, kind, status, error, result."""
        return msgspec.json.encode(
            {
                "input": self.input,
                "kind": self.kind,
                "status": self.status,
                "error": self.error,
                "result": None if self.body is None else msgspec.Raw(self.body),
            }
        )


def row_of_entry(entry: Entry) -> bytes:
    """An entry as the row that `lix enrich` writes for it: nothing of the answer is left out."""
    return line_of(entry).row()


def line_of(entry: Entry) -> LookupRow:
    """An entry in the words of an output."""
    given, kind = input_of(entry), KINDS.get(entry.endpoint, entry.endpoint)
    if entry.body is not None:  # also where a better answer is waited for
        trouble = _trouble(entry.endpoint, entry.body)
        if trouble is None:
            return LookupRow(given, kind, "found", None, compact(entry.body))
        return LookupRow(given, kind, "unreadable", one_line(str(trouble)), _json(entry.body))
    error = None if entry.error is None else entry.error.error(entry.endpoint)
    if isinstance(error, NotFoundError) and entry.status == "refused":
        return LookupRow(given, kind, "not_found", one_line(error.message))
    text = None if error is None else one_line(str(error))
    if entry.status == "sent":
        return LookupRow(given, kind, "in_doubt", UNDER_WAY)
    status = entry.status if entry.status in WHERE else "owed"
    return LookupRow(given, kind, cast("RowStatus", status), text)


def input_of(entry: Entry) -> object:
    """The input as it was given; of keyword arguments the only one, or all by name."""
    given = cast("object", msgspec.json.decode(entry.given))
    if not isinstance(given, dict):
        return given
    named = cast("dict[str, object]", given)
    return next(iter(named.values())) if len(named) == 1 else named


def row_behind(kind: str) -> AnyEndpoint | None:
    """The row of the table behind a row's `kind`."""
    return rows().get(BEHIND.get(kind, kind))


@cache
def walked(row: AnyEndpoint) -> bool:
    """Whether an answer in the ledger is a whole walk: its items as an array."""
    return row.paging is not None and issubclass(row.result, Listing)


def _trouble(endpoint: str, body: bytes) -> LixError | None:
    """Why an answer that was kept cannot be read; None when it can."""
    row = row_behind(endpoint)
    if row is None:  # of a table that is not installed: as it came, if it is JSON
        return None if _json(body) is not None else DecodeError("no JSON", endpoint=endpoint)
    if not walked(row):
        found = wire.decode(provider_of(provider_name(endpoint)), row, 200, body)
        return found if isinstance(found, LixError) else None
    try:
        read_items(item_type(cast("type[Listing[object]]", row.result)), body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return DecodeError(str(error), endpoint=endpoint)
    return None


def _json(body: bytes) -> bytes | None:
    try:
        msgspec.json.decode(body)
        return compact(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
