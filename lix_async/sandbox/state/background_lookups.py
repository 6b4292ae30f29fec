"""Lookups that go on in the background: which do, how long, and who is told when they are done."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..world.random import chance

FAILING_PREFIX = "fail"
SLOW_PREFIX = "slow"


@dataclass(frozen=True, slots=True)
class BackgroundLookups:
    """How the sandbox plays LookC.

    * `share`: of all addresses, those whose lookup goes on in the background, drawn from the seed.
      Those with a local part that begins with `slow` or `fail` always do; the latter fail.
    * `polls`: looks that find a lookup unfinished; the next one finds it done.
    * `seconds`: on the sandbox's clock, after which it is done in any case; None: by looks alone,
      or 2 s where a webhook waits for it.
    * `preview`: employees in the shape of the vendor's preview, snake_case with a cursor.
    """

    share: float = 0.1
    polls: int = 2
    seconds: float | None = None
    preview: bool = False

    def runs_in_background(self, seed: int, email: str) -> bool:
        """Whether the lookup of an address, in lower case, goes on in the background."""
        return email.startswith((SLOW_PREFIX, FAILING_PREFIX)) or chance(
            self.share, seed, "background", email
        )


@dataclass(slots=True)
class BackgroundLookup:
    """One lookup under way, or done. `due` is a moment of the sandbox's clock."""

    id: str
    result: dict[str, object]
    fails: bool
    polls_left: int
    due: float | None
    done: bool = False


@dataclass(slots=True)
class BackgroundLookupQueue:
    """The lookups of a sandbox, and those that were done since somebody asked for `news`."""

    by_id: dict[str, BackgroundLookup] = field(default_factory=dict[str, BackgroundLookup])
    pending: list[BackgroundLookup] = field(default_factory=list[BackgroundLookup])
    _finished: list[BackgroundLookup] = field(default_factory=list[BackgroundLookup])

    def start(self, lookup: BackgroundLookup) -> None:
        """Take a lookup in."""
        self.by_id[lookup.id] = lookup
        self.pending.append(lookup)

    def poll(self, request_id: str, now: float) -> BackgroundLookup | None:
        """One look at a lookup; None for an id that is not known."""
        self.finish_due(now)
        found = self.by_id.get(request_id)
        if found is not None and not found.done:
            if found.polls_left <= 0:
                self._finish(found)
            found.polls_left -= 1
        return found

    def finish_due(self, now: float) -> None:
        """Finish what is due at a moment."""
        for lookup in [one for one in self.pending if one.due is not None and one.due <= now]:
            self._finish(lookup)

    def take_finished(self, now: float) -> list[BackgroundLookup]:
        """The lookups that were done since the last time, each of them once."""
        self.finish_due(now)
        fresh, self._finished = self._finished, []
        return fresh

    def _finish(self, lookup: BackgroundLookup) -> None:
        lookup.done = True
        self.pending.remove(lookup)
        self._finished.append(lookup)
