"""What a sandbox remembers: messages sent, lookups under way, accounts attached."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .background_lookups import BackgroundLookupQueue

if TYPE_CHECKING:
    from ..faults.schedule import Fault


@dataclass(frozen=True, slots=True)
class SentItem:
    """One thing that a send brought about: an invitation, a message, an InMail.

    `target` is who or what it went to (a public identifier, a conversation id, a thread id), `at`
    seconds since the epoch, `request` the number of the request in `sandbox.requests`.
    """

    endpoint: str
    viewer: str
    target: str
    text: str
    at: float
    request: int


@dataclass(slots=True)
class SandboxState:
    """Everything that changes while a sandbox runs, apart from the ledger and the limits."""

    sent: list[SentItem] = field(default_factory=list[SentItem])
    attached_viewers: set[str] = field(default_factory=set[str])
    """Viewers attached by `linkedin_account.put`."""
    email_checks: Counter[str] = field(default_factory=Counter[str])
    """How often the e-mail of a public identifier was asked for."""
    replaced_sequences: dict[str, str] = field(default_factory=dict[str, str])
    """Sequence ids that replaced another one in mid-walk: new to old."""
    queued_faults: dict[tuple[str, str], list[Fault]] = field(
        default_factory=dict[tuple[str, str], "list[Fault]"]
    )
    """Faults that the next polls of a lookup get, by endpoint id and input; none left: it is
    ready.
    """
    last_pages: dict[str, object] = field(default_factory=dict[str, object])
    """The last page that each listing gave, for the faults that repeat it."""

    cached_profiles: dict[tuple[str, str], float] = field(
        default_factory=dict[tuple[str, str], float]
    )
    """When an account fetched a profile last, in seconds since the epoch (ConnectSafely)."""
    profiles_by_day: dict[tuple[str, int], Counter[str]] = field(
        default_factory=dict[tuple[str, int], "Counter[str]"]
    )
    """What each profile took of an account's quota, by account and end of the day
    (ConnectSafely).
    """
    background_lookups: BackgroundLookupQueue = field(default_factory=BackgroundLookupQueue)
    """Lookups by e-mail address that go on in the background."""

    def sent_to(self, endpoint: str, target: str) -> list[SentItem]:
        """What was sent to a conversation or thread, oldest first."""
        return [sent for sent in self.sent if sent.endpoint == endpoint and sent.target == target]

    def original_sequence(self, name: str) -> str:
        """The sequence a name belongs to: itself, unless it replaced another one."""
        while name in self.replaced_sequences:
            name = self.replaced_sequences[name]
        return name
