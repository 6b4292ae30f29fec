"""The outcome of an input."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec

from ..core.bridge import ReadableStruct
from ..core.errors import Family, LixError
from ..core.json_text import is_strict_json
from ..core.plurals import counted
from ..ledger.history import SubjectChange

T = TypeVar("T")
State = Literal["done", "kept", "refused", "failed", "in_doubt", "queued", "invalid", "suppressed"]
"""What became of an input.

* `done`: charged, and the answer is in the ledger.
* `kept`: charged, and this version of the package cannot read the answer; it is in the ledger.
* `refused`: the provider refused it for good, such as not found or wrong parameters.
* `failed`: no answer; a later run asks again. See `Outcome.maybe` for what may have been charged.
* `in_doubt`: sent, no answer received; may have been charged.
* `queued`: the provider prepares it.
* `invalid`: it cannot be sent, and was not.
* `suppressed`: its subject has been forgotten; it was not sent.
"""
_STATES: dict[Family, State] = {
    "answer": "done",
    "unusable": "kept",
    "refused": "refused",
    "queued": "queued",
    "unknown": "in_doubt",
    "input": "invalid",
}


def state_of(family: Family) -> State:
    """What becomes of an input whose last attempt was of this family; see `core.families`."""
    return _STATES.get(family, "failed")


class Outcome(ReadableStruct, msgspec.Struct, Generic[T], kw_only=True):
    """The outcome of one input."""

    input: object
    """The input, as it was passed."""
    endpoint: str = ""
    """The catalogue id of the call, such as `person.get`; empty for an input that is not valid."""
    key: str = ""
    """The same for every form of the same lookup, such as different links to one profile."""
    state: State
    """What became of the input; see `State`."""
    value: T | None = None
    """The answer; of a listing that did not come to its end, the items so far."""
    error: LixError | None = None
    """Why there is no value; None if there is one."""
    body: bytes = b""
    """The answer as received, for `done`; of a listing, its items so far as a JSON array."""
    credits: int = 0
    """Credits that this run spent on it; 0 if the answer was in the ledger."""
    maybe: int = 0
    """Credits that attempts without an answer may have cost."""
    attempts: int = 0
    """Requests sent for it."""
    cached: bool = False
    """Whether the answer was in the ledger."""
    via: str = ""
    """The input under which the answer was bought, where that was another id of the same person or
    organisation: the link as it was written then, or the JSON of several arguments."""
    seconds: float = 0.0
    """Seconds from sending the request to the answer."""
    due: float = 0.0
    """When a `queued` lookup is requested again (epoch seconds)."""
    bought_at: datetime | None = None
    """When the answer was received, in UTC; of a listing, its last page."""
    stale: bool = False
    """Whether the answer is older than the caller accepts, or a newer one is being bought."""
    refresh: State | Literal[""] = ""
    """Why the answer is stale after its refresh has ended: what became of that purchase, such as
    `in_doubt` or `refused`; `error` has the reason. Empty otherwise."""
    changes: list[SubjectChange] = []
    """What changed since the answer that was bought before, where it was bought again."""

    @property
    def repaired(self) -> bool:
        """Whether the value was read tolerantly, from a body that is no strict JSON.

        Bytes that are not UTF-8 are U+FFFD in it, for instance, and NaN and infinities are None.
        """
        return self.value is not None and not is_strict_json(self.body)

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.state == "done"

    def __repr__(self) -> str:
        # Without input, value and body: they hold personal data, and outcomes get into logs.
        parts = (self.state, self.endpoint, f"key={self.key[:8]}…" if self.key else "")
        return f"<Outcome {' '.join(filter(None, parts))} {counted(self.credits, 'credit')}>"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        """The same for rich, which would print all fields otherwise."""
        return [(name, getattr(self, name)) for name in ("state", "endpoint", "credits")]

    def _repr_html_(self) -> str:
        from ..core.html_table import html_fields, item_fields  # late, like the other

        fields: dict[str, object] = {
            "input": self.input,
            "state": self.state,
            "credits": self.credits,
            "error": self.error,
        }
        return html_fields(repr(self), fields | dict(item_fields(self.value)))
