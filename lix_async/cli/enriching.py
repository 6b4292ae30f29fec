"""Targets as a run asks for them: which call each one is, and what row comes of it."""

from __future__ import annotations

import msgspec

from ..bulk.calls import Call, Caller, Input
from ..bulk.outcome import Outcome
from ..core.errors import ConfigurationError, NotFoundError
from ..providers.lix.client import AsyncLix
from .asking import params_of, row_of
from .errors import one_line
from .formats import compact
from .kinds import Kind
from .ledger import Line, RowStatus
from .links import Target, target

HELD = "nobody knows whether it was paid for: see `lix run doubts`"


def kind_of(wanted: Kind | None, known: Target) -> Kind:
    """What a target is looked up as: what was asked for, else people and companies as such."""
    if wanted is not None:
        return wanted
    return "org" if known.kind == "org" else "person"


class Targets(Caller):
    """Turns links and addresses, as people write them, into calls: people, companies, e-mails."""

    def __init__(self, lix: AsyncLix, wanted: Kind | None = None) -> None:
        super().__init__(lix.people.get)
        self.name = ""  # a ledger may hold all three kinds
        self._wanted: Kind | None = wanted

    def call(self, given: Input) -> Call:
        """The call for a text. Raises `ConfigurationError` for one that names nobody."""
        known = target(given) if isinstance(given, str) else None
        if known is None:
            raise ConfigurationError(f"not a link or an address: {given!r}")
        kind = kind_of(self._wanted, known)
        return self.made(row_of(kind), params_of(kind, known))


def line_of(outcome: Outcome[object], kind: Kind) -> Line | None:
    """An outcome in the words of a row; None for one that a later run asks for again."""
    given, error = outcome.input, outcome.error
    text = None if error is None else one_line(str(error))
    if outcome.state == "done":
        if error is None:
            return Line(given, kind, "found", None, compact(outcome.body))
        return Line(given, kind, "unreadable", text, _json(outcome.body))
    if outcome.state == "in_doubt":
        return Line(given, kind, "in_doubt", text or HELD)
    if outcome.state not in ("refused", "invalid"):
        return None
    status: RowStatus = "not_found" if isinstance(error, NotFoundError) else "refused"
    if isinstance(error, NotFoundError):
        text = one_line(error.message)
    return Line(given, kind, status, text)


def _json(body: bytes) -> bytes | None:
    """A body that was paid for and does not fit its struct, if it is JSON at all."""
    try:
        msgspec.json.decode(body)
        return compact(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
