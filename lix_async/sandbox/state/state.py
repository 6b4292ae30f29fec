"""The state of a sandbox: messages sent, lookups in the background, accounts attached."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..faults.schedule import Fault
from .background_lookups import BackgroundLookupQueue


@dataclass(frozen=True, slots=True)
class SentItem:
    """An invitation, message, InMail, endorsement or lead that was sent.

    * `endpoint`: the catalogue id.
    * `target`: the recipient: a public identifier, a conversation id or a thread id.
    * `at`: seconds since the epoch.
    * `request`: the number of the request in `sandbox.requests`.
    """

    endpoint: str
    viewer: str
    target: str
    text: str
    at: float
    request: int


@dataclass(slots=True)
class SandboxState:
    """Everything that changes while a sandbox runs, except credits, limits and faults."""

    sent: list[SentItem] = field(default_factory=list[SentItem])
    attached_viewers: set[str] = field(default_factory=set[str])
    """Viewers attached by `linkedin_account.put`."""
    email_checks: Counter[str] = field(default_factory=Counter[str])
    """How often the e-mail address of a public identifier was requested."""
    replaced_sequences: dict[str, str] = field(default_factory=dict[str, str])
    """Sequence ids that replaced another one during a listing: new to old."""
    queued_faults: dict[tuple[str, str], list[Fault]] = field(
        default_factory=dict[tuple[str, str], "list[Fault]"]
    )
    """Faults of the next polls of a lookup, by endpoint id and input; empty if it is ready."""
    last_pages: dict[str, object] = field(default_factory=dict[str, object])
    """The last page of each endpoint, for the faults that repeat it."""

    cached_profiles: dict[tuple[str, str], float] = field(
        default_factory=dict[tuple[str, str], float]
    )
    """When an account last fetched a profile, in seconds since the epoch (ConnectSafely)."""
    profiles_by_day: dict[tuple[str, int], Counter[str]] = field(
        default_factory=dict[tuple[str, int], "Counter[str]"]
    )
    """Units of the quota used by each profile, by account and end of day (ConnectSafely)."""
    background_lookups: BackgroundLookupQueue = field(default_factory=BackgroundLookupQueue)
    """Lookups by e-mail address that continue in the background (LookC)."""

    def sent_to(self, endpoint: str, target: str) -> list[SentItem]:
        """What an endpoint sent to a target, oldest first."""
        return [sent for sent in self.sent if sent.endpoint == endpoint and sent.target == target]

    def original_sequence(self, sequence_id: str) -> str:
        """The sequence id that `sequence_id` stands for: itself, unless it replaced another one."""
        while sequence_id in self.replaced_sequences:
            sequence_id = self.replaced_sequences[sequence_id]
        return sequence_id
